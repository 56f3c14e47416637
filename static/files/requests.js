/** Requests with patience: retries with full jitter, bounds on what runs at once, batches. No DOM. */

const ATTEMPTS = 10;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;
/** A server that asks for more patience than this is believed, and its words are shown. */
const LONGEST_RETRY_AFTER_MS = 60_000;

/** An answer that is an error for good: `problem` is `{code, detail}`, `body` the answer's JSON or null. */
export class RequestError extends Error {
  constructor(status, problem, body = null) {
    super(problem.detail);
    this.name = "RequestError";
    this.status = status;
    this.problem = problem;
    this.body = body;
  }

  /** From an answer: the words of its problem+json, or ours where there are none. */
  static from({ status, text }) {
    if (status === 0)
      return new RequestError(0, { code: "no_connection", detail: "There is no connection." });
    const body = parsed(text);
    const only = body?.errors?.length === 1 ? body.errors[0] : body;
    const detail = `The server answered with an error (${status}).`;
    const problem = only?.detail
      ? { code: only.code, detail: only.detail }
      : { code: "request_failed", detail };
    return new RequestError(status, problem, body);
  }
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // no JSON: whoever answered was not our API, and has nothing to say in our words
  }
}

/**
 * Exponential backoff with full jitter:
 * https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function pauseBefore(attempt, random = Math.random) {
  return random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
}

function isPassing(status) {
  return status === 0 || status === 408 || status === 429 || status >= 500;
}

/**
 * Sends `request` until it is answered for good; returns a 2xx answer, throws `RequestError` for any other.
 * `beforeRetry(response)` is awaited before each pause and may throw to give up.
 */
export async function sendPatiently(request, { send, sleep, random, beforeRetry }) {
  for (let attempt = 0; ; attempt += 1) {
    const response = await send(request);
    if (response.status >= 200 && response.status < 300) return response;
    const retryAfter = Number(response.header("Retry-After") ?? 0) * 1000 || 0;
    const isLast = attempt + 1 >= ATTEMPTS || retryAfter > LONGEST_RETRY_AFTER_MS;
    if (!isPassing(response.status) || isLast) throw RequestError.from(response);
    await beforeRetry?.(response);
    await sleep(Math.max(pauseBefore(attempt, random), retryAfter), request.signal);
  }
}

/** Runs work in the order it came, as much at once as `admits(running, weight)` says of what runs already. */
export class Limiter {
  #admits;
  #waiting = [];
  #running = 0;
  #weight = 0;

  constructor(admits) {
    this.#admits = admits;
  }

  /** The result of `work()`, once it was admitted; `weight` counts until it has ended. */
  async run(work, weight = 0) {
    await new Promise((resolve) => {
      this.#waiting.push({ resolve, weight });
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
