/** The presigned URLs of one upload, and for how long they are good. No DOM. */

import { RequestError } from "./requests.js";

/** The object store refuses the URL: it has expired, as far as the answer tells. */
export class UrlRefusedError extends RequestError {}

/** The URL has expired, which is known without sending anything to it. */
export class UrlExpiredError extends UrlRefusedError {}

export class Urls {
  /** How often URLs were made; a part that is refused an older one just takes the newer. */
  generation = 0;
  #urls = new Map();
  #now;
  #expiresAt = Infinity;

  /** `now()` in ms, from any beginning. */
  constructor(now) {
    this.#now = now;
  }

  /** Takes `[part number, URL]` pairs that were just made. */
  take(pairs) {
    this.generation += 1;
    for (const [number, url] of pairs) this.#urls.set(number, url);
    this.#expiresAt = this.#now() + lifetimeOf(pairs[0]?.[1] ?? "");
  }

  /** The part's URL; throws `UrlExpiredError`. */
  of(number) {
    const detail = "The time to send this file was over before its turn came.";
    if (this.#now() >= this.#expiresAt) throw new UrlExpiredError(403, { code: "upload_refused", detail });
    return this.#urls.get(number);
  }
}

/** Milliseconds from the signing on, as the URL itself says: the clocks of server and browser need not agree. */
function lifetimeOf(url) {
  const seconds = /[?&]X-Amz-Expires=(\d+)/.exec(url)?.[1];
  return seconds ? Number(seconds) * 1000 : Infinity;
}
