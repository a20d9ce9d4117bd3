import { logInWithPasskey } from "./passkey.js";

const texts = {
  unsupported: "This browser has no passkeys for this address.",
  cancelled: "Nothing was signed. Please try again.",
  refused: "The passkey is not accepted.",
};

const main = document.querySelector("main");
const button = main.querySelector("button");
const alert = main.querySelector("[role=alert]");

// nextPage is where to go on to: a page of this site, whatever the address says.
function nextPage() {
  try {
    const next = new URL(main.dataset.next, location.origin);
    if (next.protocol === location.protocol && next.origin === location.origin) return next.href;
  } catch {
    // It is no address at all.
  }
  return location.origin + "/";
}

button.addEventListener("click", async () => {
  button.disabled = true;
  alert.hidden = true;
  try {
    await logInWithPasskey();
    location.replace(nextPage());
  } catch (error) {
    alert.textContent = texts[error.reason] ?? "That did not work. Please try again later.";
    alert.hidden = false;
    button.disabled = false;
    button.focus();
  }
});
