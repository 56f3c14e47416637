/** Follows files that are uploaded until the server has verified or refused them. No DOM. */

import { Limiter, RequestError } from "./requests.js";

const POLLS_AT_ONCE = 4;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/**
 * The action of `state.js` that a file's description by the API amounts to, or null while it is undecided.
 * `contentCheck` is the check that the category asks for; a file that fails others may still be good here.
 */
export function outcomeOf(file, contentCheck) {
  if (file.status === "REJECTED") return { type: "failed", problem: { ...file.problem, retryable: true } };
  if (file.status === "EXPIRED") {
    const detail = "The upload was given up after a time without activity.";
    return { type: "failed", problem: { code: "upload_expired", detail, retryable: true } };
  }
  const check = file.checks?.find((one) => one.check === contentCheck);
  if (check?.status === "FAILED") {
    const { code, detail, line, offset } = check;
    return { type: "failed", problem: { code, detail, line, offset } };
  }
  return file.status === "VERIFIED" ? { type: "verified" } : null;
}

export class Watcher {
  #api;
  #options;
  #polls = new Limiter((running) => running < POLLS_AT_ONCE);

  /** `api` as in `api.js`; `{sleep, random}`. */
  constructor(api, options) {
    this.#api = api;
    this.#options = options;
  }

  /** Asks for the file's state, less and less often, until it is decided; throws when the job is aborted. */
  async watch(job, fileId) {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MS)) {
      await this.#options.sleep(pause * (0.5 + this.#options.random()), job.signal);
      const file = await this.#polls.run(() => this.#describe(job, fileId));
      job.signal.throwIfAborted();
      const outcome = file && outcomeOf(file, job.contentCheck);
      if (outcome) {
        job.on(outcome);
        return;
      }
    }
  }

  /** The file, or null while the server cannot be asked: an uploaded file does not fail for that. */
  async #describe(job, fileId) {
    if (job.signal.aborted) return null;
    try {
      const file = await this.#api.describe(job, fileId);
      job.on({ type: "note", note: "" });
      return file;
    } catch (error) {
      if (!(error instanceof RequestError) || error.status === 404) throw error;
      job.on({ type: "note", note: `Verification cannot be followed: ${error.message}` });
      return null;
    }
  }
}
