"use strict";
(() => {
  const root = document.getElementById("swagger-ui");
  window.ui = SwaggerUIBundle({
    url: root.dataset.document,
    domNode: root,
    presets: [SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
    deepLinking: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    validatorUrl: null, // The validator is another host, and the document is nobody's business.
    queryConfigEnabled: false, // A link must not choose which document is shown.
    persistAuthorization: false, // Tokens do not outlive the page.
    oauth2RedirectUrl: new URL(root.dataset.redirect, window.location.href).href,
    onComplete: () => {
      const { components } = window.ui.getSystem().specSelectors.specJson().toJS();
      const clients = Object.values(components?.securitySchemes ?? {}).map((s) => s.flows?.authorizationCode?.["x-client-id"]);
      window.ui.initOAuth({ clientId: clients.find(Boolean) ?? "", usePkceWithAuthorizationCodeGrant: true });
      document.documentElement.dataset.docs = "ready";
    },
  });
})();
