"use strict";
// The window in which a user logs in ends here, and hands the code to the page
// that has opened it: Swagger UI leaves what it asked for in the opener.
(() => {
  const asked = window.opener?.swaggerUIRedirectOauth2;
  if (!asked) {
    return; // Nobody asked, or another page did.
  }
  const answer = new URLSearchParams(window.location.search || window.location.hash.slice(1));
  // The address must not stay in the history: it holds a code.
  window.history.replaceState(null, "", window.location.pathname);
  const refuse = (message) => asked.errCb({ authId: asked.auth.name, source: "auth", level: "error", message });
  if (answer.get("state") !== asked.state) {
    refuse("The answer is not for what this page has asked.");
  } else if (answer.get("code")) {
    delete asked.state;
    asked.auth.code = answer.get("code");
    asked.callback({ auth: asked.auth, redirectUrl: asked.redirectUrl });
  } else {
    refuse(`${answer.get("error") ?? "no code"}: ${answer.get("error_description") ?? "there is no reason given"}`);
  }
  window.close();
})();
