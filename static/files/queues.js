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

/**
 * Puts single items together into calls of at most `most`. The first waits `waitMs` for company; what comes while a call
 * is under way waits for its end and `restMs` longer, unless it fills a call of its own. So the slower the server, the
 * fewer the calls.
 */
export class Batcher {
  #handle;
  #items = [];
  #options;
  #running = 0;
  #isWaiting = false;

  /** `handle(values)` gives one result a value, in order; an `Error` among them fails its item alone. */
  constructor(handle, { most, waitMs, restMs = 0, sleep }) {
    this.#handle = handle;
    this.#options = { most, waitMs, restMs, sleep };
  }

  /** The result for `value`. */
  add(value) {
    return new Promise((resolve, reject) => {
      this.#items.push({ value, resolve, reject });
      const { most, waitMs } = this.#options;
      if (this.#items.length === most) this.#flush();
      else if (!this.#running) this.#flushAfter(waitMs);
    });
  }

  async #flushAfter(ms) {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    await this.#options.sleep(ms);
    this.#isWaiting = false;
    this.#flush();
  }

  async #flush() {
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
    if (!this.#running) this.#flushAfter(this.#options.restMs);
  }
}
