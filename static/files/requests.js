/** Requests with patience: retries with full jitter, and waiting for the network. No DOM. */

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
 *
 * `network` is as in `network.js`: without one nothing counts as an attempt, and when it comes back the next
 * attempt is made at once. `beforeRetry(response, isOffline)` is awaited before each pause and may throw to give up.
 */
export async function sendPatiently(request, options) {
  const { send, network, attempts = ATTEMPTS, beforeRetry } = options;
  for (let attempt = 0; ;) {
    const response = await send(request);
    if (response.status >= 200 && response.status < 300) return response;
    if (response.status === 0 && !network.isOnline()) {
      await beforeRetry?.(response, true);
      if (!network.isOnline()) await network.online(request.signal); // it may be back by now
      continue;
    }
    const retryAfter = Number(response.header("Retry-After") ?? 0) * 1000 || 0;
    const isLast = attempt + 1 >= attempts || retryAfter > LONGEST_RETRY_AFTER_MS;
    if (!isPassing(response.status) || isLast) throw RequestError.from(response);
    await beforeRetry?.(response, false);
    await pause(Math.max(pauseBefore(attempt, options.random), retryAfter), response, request.signal, options);
    attempt += 1;
  }
}

/** After a lost connection, a network that goes and comes back ends the pause. */
async function pause(ms, { status }, signal, { sleep, network }) {
  if (status !== 0) return sleep(ms, signal);
  const over = new AbortController();
  const either = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  try {
    return await Promise.race([sleep(ms, either), network.online(either)]);
  } finally {
    over.abort();
  }
}
