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

/** Puts single items together into calls of at most `most`, waiting `waitMs` for company. */
export class Batcher {
  #handle;
  #items = [];
  #options;

  /** `handle(values)` gives one result a value, in order; an `Error` among them fails its item alone. */
  constructor(handle, { most, waitMs, sleep }) {
    this.#handle = handle;
    this.#options = { most, waitMs, sleep };
  }

  /** The result for `value`. */
  add(value) {
    return new Promise((resolve, reject) => {
      this.#items.push({ value, resolve, reject });
      if (this.#items.length === this.#options.most) this.#flush();
      else if (this.#items.length === 1) this.#options.sleep(this.#options.waitMs).then(() => this.#flush());
    });
  }

  async #flush() {
    const items = this.#items;
    if (!items.length) return;
    this.#items = [];
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
  }
}
