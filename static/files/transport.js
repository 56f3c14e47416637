/** The browser's way to send a request: XMLHttpRequest, since fetch tells no progress of what it sends. */

/** A connection on which nothing moves for so long is cut, to be tried again. */
const STALLED_AFTER_MS = 60_000;
/** The same once the body has gone out, where the request does not say. */
const PATIENCE_MS = 150_000;

/**
 * Sends one request and resolves with `{status, text, header(name)}`; status 0 when there was no answer
 * (no network, connection cut or stalled, refused by CORS). Rejects only when `signal` aborts.
 * `onProgress` gets the bytes of the body that have gone out. `patienceMs` is how long an answer may take from then on, and
 * without `onProgress` from the beginning.
 */
export function send({ method, url, headers = {}, body = null, onProgress, patienceMs = PATIENCE_MS, signal }) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const request = new XMLHttpRequest();
    let stall;
    const cutAfter = (ms) => {
      clearTimeout(stall);
      stall = setTimeout(() => request.abort(), ms);
    };
    const cancel = () => request.abort();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (onProgress) {
      request.upload.addEventListener("progress", (event) => {
        cutAfter(STALLED_AFTER_MS);
        onProgress(event.loaded);
      });
      request.upload.addEventListener("load", () => cutAfter(patienceMs));
    }
    request.addEventListener("loadend", () => {
      clearTimeout(stall);
      signal?.removeEventListener("abort", cancel);
      if (signal?.aborted) return reject(signal.reason);
      return resolve({ status: request.status, text: request.responseText, header: headersOf(request) });
    });
    signal?.addEventListener("abort", cancel);
    cutAfter(onProgress ? STALLED_AFTER_MS : patienceMs);
    request.send(body);
    return undefined;
  });
}

/** Looks up a header among those that CORS shows; to ask for another by name is an error in the console. */
function headersOf(request) {
  const lines = request
    .getAllResponseHeaders()
    .trim()
    .split(/[\r\n]+/);
  const headers = new Headers(lines.filter(Boolean).map((line) => line.split(/: (.*)/s, 2)));
  return (name) => headers.get(name);
}

/** Resolves after `ms`; rejects as soon as `signal` aborts. */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const cancel = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", cancel);
      resolve();
    }, ms);
    signal?.addEventListener("abort", cancel, { once: true });
    return undefined;
  });
}
