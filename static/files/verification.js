/** Follows files that are uploaded until the server has verified or refused them. No DOM. */

import { RequestError } from "./requests.js";

const MOST_A_CALL = 50;
const ROUND_MS = 500;
/** Of many files nobody looks at each; the server has better to do than to tell of them all. */
const MANY = 10;
const LONG_ROUND_MS = 2500;
/** Pauses between two looks at a file, in rounds. */
const LONGEST_PAUSE = 30;
const PAUSES_GROW_BY = 1.5;

const GONE = {
  code: "file_not_found",
  detail: "The file is not on the server any more: it was discarded there. Send it again.",
};

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

/**
 * One loop for all files of the page, a call for up to 50 of a group, one call after the other: thousands of files
 * are asked for as fast as the server answers, and no faster.
 */
export class Watcher {
  #api;
  #options;
  #watched = new Set();
  #round = 0;
  #isRunning = false;

  /** `api` as in `api.js`; `{sleep, random}`. */
  constructor(api, options) {
    this.#api = api;
    this.#options = options;
  }

  /** Tells the job of the file's state until it is decided; throws where it is gone, or the job is aborted. */
  watch(job, fileId) {
    return new Promise((resolve, reject) => {
      const watched = { job, fileId, resolve, reject, pause: 1, dueAt: this.#round + 1, isTold: false };
      this.#watched.add(watched);
      if (!this.#isRunning) this.#run();
    });
  }

  async #run() {
    this.#isRunning = true;
    while (this.#watched.size) {
      await this.#options.sleep(this.#watched.size > MANY ? LONG_ROUND_MS : ROUND_MS);
      this.#round += 1;
      this.#dropAborted();
      for (const call of callsFor(this.#watched, this.#round)) await this.#look(call);
    }
    this.#isRunning = false;
  }

  #dropAborted() {
    for (const watched of this.#watched) {
      const { signal } = watched.job;
      if (signal.aborted) this.#settle(watched, () => watched.reject(signal.reason));
    }
  }

  async #look(call) {
    const ids = [...new Set(call.map(({ fileId }) => fileId))];
    const jobs = call.map(({ job }) => job);
    const files = await this.#api.listByIds(jobs, ids).catch((error) => error);
    if (files instanceof Error) return call.forEach((watched) => this.#stayUndecided(watched, files));
    const byId = new Map(files.map((file) => [file.fileId, file]));
    return call.forEach((watched) => this.#tell(watched, byId.get(watched.fileId)));
  }

  #tell(watched, file) {
    const { job, resolve, reject } = watched;
    if (watched.isTold) job.on({ type: "note", note: "" });
    watched.isTold = false;
    const outcome = file && outcomeOf(file, job.contentCheck);
    if (outcome) job.on(outcome);
    if (outcome) this.#settle(watched, resolve);
    else if (!file) this.#settle(watched, () => reject(new RequestError(404, GONE)));
    else this.#postpone(watched);
  }

  /** An uploaded file does not fail because the server cannot be asked for it. */
  #stayUndecided(watched, error) {
    watched.isTold = true;
    watched.job.on({ type: "note", note: `Verification cannot be followed: ${error.message}` });
    this.#postpone(watched);
  }

  #postpone(watched) {
    const spread = 0.5 + this.#options.random();
    watched.dueAt = this.#round + Math.max(1, Math.round(watched.pause * spread));
    watched.pause = Math.min(watched.pause * PAUSES_GROW_BY, LONGEST_PAUSE);
  }

  #settle(watched, how) {
    this.#watched.delete(watched);
    how();
  }
}

/** The files that are due by calls, each of one group; those next due fill up the last, as an address takes 50. */
function callsFor(watched, round) {
  const calls = [];
  for (const ofGroup of Map.groupBy(watched, ({ job }) => job.groupId).values()) {
    const soonest = ofGroup.sort((one, other) => one.dueAt - other.dueAt);
    for (let from = 0; soonest[from]?.dueAt <= round; from += MOST_A_CALL) {
      calls.push(soonest.slice(from, from + MOST_A_CALL));
    }
  }
  return calls;
}
