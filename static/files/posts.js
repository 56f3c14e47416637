/**
 * Presigned POSTs: a small file goes as a form, which the browser sends to another origin without asking there first, as
 * it does before each PUT. Not every store takes forms, so a file that did not get there this way goes by PUT. No DOM.
 */

import { isPassing } from "./requests.js";

/** Of longer files people want to see how far they are, and the browser asks first of all that it is to tell of. */
export const POSTED_BELOW = 256 * 1024;

/** No answer that the page may see, and not implemented: so say stores that know no forms. */
const NO_FORMS = [0, 501];

export class Posts {
  #send;
  /** Null until the first form was answered. */
  #areTaken = null;

  /** `send` as in `transport.js`. */
  constructor(send) {
    this.#send = send;
  }

  /**
   * Sends `blob` by `post`, `{url, fields}`. Returns the store's answer where it has taken it, or says that it is busy;
   * null where it has to go by PUT. A store that did not take the first form is not sent another.
   */
  async send({ url, fields }, blob, signal) {
    if (this.#areTaken === false) return null;
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    body.append("file", blob);
    const response = await this.#send({ method: "POST", url, body, signal });
    const isTaken = response.status >= 200 && response.status < 300;
    const isBusy = isPassing(response.status) && !NO_FORMS.includes(response.status);
    if (!isBusy) this.#areTaken = this.#areTaken || isTaken;
    return isTaken || isBusy ? response : null;
  }
}
