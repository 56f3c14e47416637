/** The token that Django wants with each POST of a form's page. */

/** The cookie's, which a log-in in another window has changed meanwhile; where there is none, the form's own. */
export function tokenOf(form) {
  const cookie = document.cookie.split("; ").find((item) => item.startsWith("csrftoken="));
  if (cookie) return cookie.slice("csrftoken=".length);
  return form.elements.namedItem("csrfmiddlewaretoken")?.value ?? "";
}
