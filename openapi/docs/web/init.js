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
    onComplete: () => { document.documentElement.dataset.docs = "ready"; },
  });
})();
