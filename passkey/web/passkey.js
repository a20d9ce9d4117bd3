// Passkeys for pages of this site. Each function needs a click: browsers ask the
// user only then.
//
//   import { addPasskey, logInWithPasskey } from "/passkeys/passkey.js";

// PasskeyError says what went wrong in a word: "unsupported" (the browser),
// "cancelled" (the user, or the time is over), "stale" (log in again), "exists"
// (this device has one), "refused" or "failed" (the site).
export class PasskeyError extends Error {
  constructor(reason, cause) {
    super(reason, { cause });
    this.name = "PasskeyError";
    this.reason = reason;
  }
}

// supported tells whether this browser has passkeys on this page.
export function supported() {
  return typeof globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON === "function";
}

// logInWithPasskey logs in; the session is in a cookie.
export async function logInWithPasskey() {
  const options = await begin("/passkeys/options");
  const credential = await asked(() => navigator.credentials.get({
    publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
  }));
  await post("/passkeys/session", { credential: credential.toJSON() });
}

// addPasskey makes a passkey for who is logged in, and returns what the site says
// of it.
export async function addPasskey(name) {
  const options = await begin("/me/passkeys/options");
  const credential = await asked(() => navigator.credentials.create({
    publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
  }));
  return (await post("/me/passkeys", { name, credential: credential.toJSON() })).json();
}

// listPasskeys returns those of who is logged in.
export async function listPasskeys() {
  return (await send("GET", "/me/passkeys")).json();
}

// removePasskey removes one by its id.
export async function removePasskey(id) {
  await send("DELETE", "/me/passkeys/" + encodeURIComponent(id));
}

async function begin(path) {
  if (!supported()) throw new PasskeyError("unsupported");
  return (await post(path)).json();
}

async function asked(ask) {
  try {
    return await ask();
  } catch (error) {
    const reasons = { InvalidStateError: "exists", SecurityError: "unsupported", NotSupportedError: "unsupported" };
    throw new PasskeyError(reasons[error.name] ?? "cancelled", error);
  }
}

// csrfToken returns a token for one request. It ends with the session, and the
// log-in begins one, so it is not kept.
async function csrfToken() {
  const response = await fetch("/csrftoken/", { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error("no token: " + response.status);
  return (await response.json()).csrf_token;
}

function post(path, body) {
  return send("POST", path, body);
}

async function send(method, path, body) {
  let response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      headers: {
        ...(body && { "Content-Type": "application/json" }),
        ...(method !== "GET" && { "X-CSRF-Token": await csrfToken() }),
      },
      body: body && JSON.stringify(body),
    });
  } catch (error) {
    throw new PasskeyError("failed", error);
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const stale = problem.code === "insufficient_user_authentication" || problem.code === "not_authenticated";
  throw new PasskeyError(stale ? "stale" : response.status < 500 ? "refused" : "failed", problem);
}
