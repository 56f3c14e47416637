/** Posts a form's data and tells how much of it has gone out, which `fetch` cannot. */

/**
 * Resolves with `{status, body}`: `body` is the JSON of the answer, null where it is none, as for the page to log in
 * to which an old session is led; `status` is 0 where there was no answer. Rejects with the signal's reason alone.
 * `onProgress` gets the bytes sent and the bytes in all.
 */
export function post(url, formData, { onProgress = () => {}, signal } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", ({ loaded, total }) => onProgress(loaded, total));
    request.addEventListener("load", () => resolve({ status: request.status, body: parsed(request) }));
    request.addEventListener("error", () => resolve({ status: 0, body: null }));
    request.addEventListener("abort", () => reject(signal.reason));
    signal?.addEventListener("abort", () => request.abort(), { once: true });
    request.send(formData);
  });
}

function parsed(request) {
  try {
    return JSON.parse(request.responseText);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** What an answer without JSON means, in a sentence; `sent` says what it was that was sent. */
export function refusalOf(status, sent) {
  if (status === 0)
    return `${sent} could not be sent: the server does not answer, or a file was changed after you chose it. Choose it again, or try again.`;
  if (status >= 500) return `${sent} could not be sent: the server has a problem (${status}). Try again in a while.`;
  if (status === 413) return `${sent} could not be sent: the server does not take so much at once.`;
  return "You are logged out. Log in in another window, come back to this page and try again: your files stay here.";
}
