import { addPasskey, listPasskeys, removePasskey } from "./passkey.js";

const texts = {
  unsupported: "This browser has no passkeys for this address.",
  cancelled: "Nothing was made. Please try again.",
  exists: "This device has a passkey for you already.",
  refused: "That is not accepted.",
};

const main = document.querySelector("main");
const alert = main.querySelector("[role=alert]");
const form = main.querySelector("form");

function day(time) {
  return new Date(time).toLocaleDateString(undefined, { dateStyle: "medium" });
}

function row(passkey) {
  const item = main.querySelector("template").content.cloneNode(true);
  item.querySelector("strong").textContent = passkey.name;
  item.querySelector("small").textContent =
    (passkey.synced ? "Synced" : "On one device") + ", " + (passkey.last_used ? "used " + day(passkey.last_used) : "not used yet");
  const button = item.querySelector("button");
  button.setAttribute("aria-label", "Remove " + passkey.name);
  button.addEventListener("click", () => change(() => removePasskey(passkey.id)));
  return item;
}

async function show() {
  main.querySelector("ul").replaceChildren(...(await listPasskeys()).map(row));
}

// change does something and shows what there is then. Who logged in too long ago
// does it again and comes back.
async function change(what) {
  alert.hidden = true;
  main.inert = true;
  try {
    await what();
    await show();
  } catch (error) {
    if (error.reason === "stale") {
      location.assign("/login?next=/passkeys");
      return;
    }
    alert.textContent = error.cause?.detail ?? texts[error.reason] ?? "That did not work. Please try again later.";
    alert.hidden = false;
  } finally {
    main.inert = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  change(async () => {
    await addPasskey(form.elements.name.value.trim());
    form.reset();
  });
});

change(() => {});
