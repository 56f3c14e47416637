/** Single calls of the API, a few at once, each repeated while it fails for reasons that pass. No DOM. */

import { Limiter } from "./queues.js";
import { RequestError, sendPatiently } from "./requests.js";

/** A browser has six connections to a host; some are left for the page itself. */
const CALLS_AT_ONCE = 4;

/** What a file's row says while the server is asked again. */
function noteOf(status, isOffline) {
  if (isOffline) return OFFLINE;
  return status === 0 ? "Connection lost, trying again" : "The server is busy, trying again";
}

export const OFFLINE = "Offline, waiting for the network";

/** The API's own words for it are for scripts. */
const LOGGED_OUT = {
  code: "not_authenticated",
  detail: "You are logged out. Log in in another window, and try again here.",
};

const NOT_OURS =
  "Something on the way answers in the server’s place, such as the log-in page of a network. Open another page to see it.";

/** What an answer means that is none of our API's, though it looks like success. */
export function notOurs() {
  return new RequestError(200, { code: "request_failed", detail: NOT_OURS });
}

function parsed({ text }) {
  try {
    return JSON.parse(text);
  } catch {
    throw notOurs();
  }
}

export class Calls {
  #options;
  #limiter = new Limiter((running) => running < CALLS_AT_ONCE);

  /**
   * `{apiUrl, csrfToken, send, sleep, random, network}`: `send` and `sleep` as in `transport.js`, `network` as in
   * `network.js`; `csrfToken()` is asked before each call.
   */
  constructor(options) {
    this.#options = options;
  }

  /**
   * The answer's JSON, or null where it has none; throws `RequestError`. The rows of `jobs` say while it is tried
   * again. A call that pauses gives its place to others.
   */
  async send(method, path, jobs, body = null) {
    const tell = (note) => jobs.forEach((job) => job.on({ type: "note", note }));
    let isTold = false;
    const beforeRetry = ({ status }, isOffline) => {
      isTold = true;
      tell(noteOf(status, isOffline));
    };
    const send = (request) => this.#limiter.run(() => this.#options.send(request));
    const request = { method, url: `${this.#options.apiUrl}/${path}`, headers: this.#headers(body) };
    if (body) request.body = JSON.stringify(body);
    const response = await sendPatiently(request, { ...this.#options, send, beforeRetry }).catch((error) => {
      throw error.status === 401 ? new RequestError(401, LOGGED_OUT) : error;
    });
    if (isTold) tell("");
    return response.text ? parsed(response) : null;
  }

  #headers(body) {
    const headers = { Accept: "application/json", "X-CSRFToken": this.#options.csrfToken() };
    return body ? { ...headers, "Content-Type": "application/json" } : headers;
  }
}
