/** Runs the uploads of one widget: starts what waits, follows what is uploaded, aborts what is not wanted. No DOM. */

import { isJudged } from "./judging.js";
import { isPending } from "./selectors.js";

/** So many begin at once; the uploader's own bounds are far below, and thousands in one go would freeze the page. */
const STARTS_AT_ONCE = 100;

export class Jobs {
  /** The chosen files, by the keys of their rows. */
  files = new Map();
  #options;
  #running = new Map();

  /**
   * `{uploader, dataset, hear}`: `dataset` is the widget's, `hear(action)` gets what `state.js` reduces, and is called
   * without one when a job has ended that its row may want again.
   */
  constructor(options) {
    this.#options = options;
  }

  /** Aborts the jobs of rows that are gone, or refused meanwhile, and forgets the files of the former. */
  stop(state) {
    for (const key of this.files.keys()) if (!state.rows.has(key)) this.files.delete(key);
    for (const [key, { controller }] of this.#running) {
      const row = state.rows.get(key);
      if (!row || isJudged(row)) controller.abort();
    }
  }

  /** Starts what the rows ask for; says whether there is more to start soon. `mayUpload` holds new uploads back. */
  run(state, groupId, mayUpload) {
    let started = 0;
    this.#stopOfOtherGroups(state, groupId);
    for (const row of state.rows.values()) {
      const work = this.#workFor(row, mayUpload && groupId);
      if (!work) continue;
      if (started === STARTS_AT_ONCE) return true;
      started += 1;
      this.#start(row, groupId, work);
    }
    return false;
  }

  /** The group can be changed while files are still looked at: they begin anew, for the group that they are to be of. */
  #stopOfOtherGroups({ rows }, groupId) {
    for (const [key, running] of this.#running) {
      const row = rows.get(key);
      if (row && isPending(row) && running.groupId !== groupId) running.controller.abort();
    }
  }

  #workFor(row, mayUpload) {
    const { uploader } = this.#options;
    if (this.#running.has(row.key)) return null;
    if (row.status === "uploaded") return (job) => uploader.watch(job, row.fileId);
    return row.status === "queued" && mayUpload ? (job) => uploader.upload(job) : null;
  }

  async #start(row, groupId, work) {
    const { dataset, hear } = this.#options;
    const { category, organism, contentCheck } = dataset;
    const controller = new AbortController();
    const { signal } = controller;
    this.#running.set(row.key, { controller, groupId });
    const file = this.files.get(row.key);
    await work({
      file,
      name: row.name,
      groupId,
      organism,
      category,
      contentCheck,
      fileId: row.fileId,
      signal,
      on: (action) => {
        // What comes after the abort is about an upload that the row has nothing to do with any more.
        if (!signal.aborted) hear({ ...(file ? action : withoutRetry(action)), key: row.key });
      },
    });
    this.#running.delete(row.key);
    if (signal.aborted) hear();
  }
}

/** A file that came with the form cannot be sent again from here: the page does not have it. */
function withoutRetry(action) {
  return action.problem ? { ...action, problem: { ...action.problem, retryable: false } } : action;
}
