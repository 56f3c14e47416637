/** Starts Swagger UI on the page of the API; its bundle, loaded before, leaves one function behind. */

import { tokenOf } from "./files/token.js";

const METHODS_WITHOUT_TOKEN = new Set(["GET", "HEAD", "OPTIONS"]);

const place = document.querySelector("[data-schema-url]");
const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** Swagger UI is dark where the page says so by this class. */
function followColours() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

/** Who is logged in at the pages can call without a bearer token; Django then wants the form token. */
function withFormToken(request) {
  if (!METHODS_WITHOUT_TOKEN.has(request.method?.toUpperCase() ?? "GET"))
    request.headers["X-CSRFToken"] = tokenOf(document.forms[0]);
  return request;
}

dark.addEventListener("change", followColours);
followColours();
window.SwaggerUIBundle({
  url: place.dataset.schemaUrl,
  domNode: place,
  presets: [window.SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  validatorUrl: null, // else it would ask a server of its makers what they think of the document
  requestInterceptor: withFormToken,
});
