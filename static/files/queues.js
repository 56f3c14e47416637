/** What runs at once, and what goes together into one call. No DOM. */

/**
 * Runs work in the order it came, as much at once as `admits(running, weight)` says of what runs already.
 * Urgent work goes before all that waits.
 */
export class Limiter {
  #admits;
  #waiting = [];
  #running = 0;
  #weight = 0;

  constructor(admits) {
    this.#admits = admits;
  }

  /** The result of `work()`, once it was admitted; `weight` counts until it has ended. */
  async run(work, { weight = 0, isUrgent = false } = {}) {
    await new Promise((resolve) => {
      if (isUrgent) this.#waiting.unshift({ resolve, weight });
      else this.#waiting.push({ resolve, weight });
      this.#admit();
    });
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#weight -= weight;
      this.#admit();
    }
  }

  #admit() {
    while (this.#waiting.length && this.#admits(this.#running, this.#weight)) {
      const { resolve, weight } = this.#waiting.shift();
      this.#running += 1;
      this.#weight += weight;
      resolve();
    }
  }
}

/** How much longer the rest is after each call in a row. */
const RESTS_GROW_BY = 3;

/**
 * Puts single items together into calls of at most `most`. The first waits `waitMs` for company; what comes while a call
 * is under way waits for its end and a rest, unless it fills a call of its own. The rest is `waitMs` at first, and up to
 * `restMs` while there is no end of items: few are handled at once, and many in few calls, the slower the server the fewer.
 */
export class Batcher {
  #handle;
  #items = [];
  #options;
  #running = 0;
  #isWaiting = false;
  #restMs;

  /** `handle(values)` gives one result a value, in order; an `Error` among them fails its item alone. */
  constructor(handle, { most, waitMs, restMs = 0, sleep }) {
    this.#handle = handle;
    this.#options = { most, waitMs, restMs, sleep };
    this.#restMs = Math.min(waitMs, restMs);
  }

  /** The result for `value`. */
  add(value) {
    return new Promise((resolve, reject) => {
      this.#items.push({ value, resolve, reject });
      const { most, waitMs } = this.#options;
      if (this.#items.length === most) this.flush();
      else if (!this.#running) this.#flushAfter(waitMs);
    });
  }

  #rest() {
    this.#flushAfter(this.#restMs);
    this.#restMs = Math.min(RESTS_GROW_BY * this.#restMs, this.#options.restMs);
  }

  async #flushAfter(ms) {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    await this.#options.sleep(ms);
    this.#isWaiting = false;
    if (!this.#items.length) this.#restMs = Math.min(this.#options.waitMs, this.#options.restMs);
    this.flush();
  }

  /** Handles what there is now: no more will come to wait for. */
  async flush() {
    const items = this.#items;
    if (!items.length) return;
    this.#items = [];
    this.#running += 1;
    try {
      const results = await this.#handle(items.map((item) => item.value));
      items.forEach((item, index) => {
        const result = results[index];
        if (result instanceof Error) item.reject(result);
        else item.resolve(result);
      });
    } catch (error) {
      for (const item of items) item.reject(error);
    }
    this.#running -= 1;
    if (!this.#running) this.#rest();
  }
}
