/**
 * Presigned POSTs: a small file goes as a form, which the browser sends to another origin without asking there first, as
 * it does before each PUT. Not every store takes forms, so a file that did not get there this way goes by PUT. No DOM.
 */

/** Of longer files people want to see how far they are, and the browser asks first of all that it is to tell of. */
export const POSTED_BELOW = 256 * 1024;

/** What a store says that is to be sent less for a while. */
const BUSY = [429, 502, 503, 504];

export class Posts {
  #send;
  #isTaken = false;
  #isGivenUp = false;

  /** `send` as in `transport.js`. */
  constructor(send) {
    this.#send = send;
  }

  /**
   * Sends a request's `body` by the presigned POST `{url, fields}`. Returns the store's answer where it has taken it, or says that it
   * is busy; null where it has to go by PUT.
   */
  async send({ url, fields }, { body, signal, patienceMs }) {
    if (this.#isGivenUp) return null;
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", body);
    const response = await this.#send({ method: "POST", url, body: form, signal, patienceMs });
    const { status } = response;
    const isTaken = status >= 200 && status < 300;
    this.#isTaken ||= isTaken;
    return isTaken || BUSY.includes(status) ? response : null;
  }

  /** What did not get there as a form has got there by PUT: a store of which that is all that is known gets no more forms. */
  giveWay() {
    this.#isGivenUp = !this.#isTaken;
  }
}
