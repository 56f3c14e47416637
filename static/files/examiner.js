/**
 * Looks at files before and while they are sent, in Workers: what the server would refuse is told sooner, in its
 * words. The server looks again, at all of it. No DOM.
 */

import { WorkerPool } from "./examining/pool.js";

/** Heads are short: enough of them that the Worker never waits, few enough that the page is not flooded. */
const HEADS_AT_ONCE = 8;
const MOST_WHOLES = 3;

export class Examiner {
  #heads;
  #wholes;

  /** `{workerUrl}`, the address of examining/worker.js; tests pass `makeWorker` and `processors` as well. */
  constructor({ workerUrl, makeWorker, processors = globalThis.navigator?.hardwareConcurrency ?? 2 }) {
    const make = makeWorker ?? (() => new Worker(workerUrl, { type: "module" }));
    // A Worker of their own, so that they never queue behind a file that is read for an hour.
    this.#heads = new WorkerPool({ makeWorker: make, workers: 1, each: HEADS_AT_ONCE });
    const workers = Math.max(1, Math.min(MOST_WHOLES, processors - 1));
    this.#wholes = new WorkerPool({ makeWorker: make, workers, each: 1 });
  }

  /** Starts the Workers, so that the first file does not wait for them. */
  prepare() {
    this.#heads.prepare();
    this.#wholes.prepare();
  }

  /**
   * `{fingerprint, head, whole}`, promises that may be left alone:
   *
   * - `fingerprint` of a hexadecimal sha256, which knows the file again,
   * - `head` of `{problem, firstRead}`, from first and last bytes; `firstRead` is null or `{name, mate}`,
   * - `whole` of `{sha256, problem}`, from all bytes; one problem is enough, and then `sha256` is null.
   *
   * A `problem` is null or `{code, detail, line?, offset?}`. They reject with the signal's reason; with an error named
   * "NotReadableError" where the file cannot be read; and with one named "ExaminerError" where no Worker runs, which
   * says nothing about the file.
   */
  examine(file, { contentCheck, signal }) {
    const both = this.#heads.run({ task: "head", file, contentCheck }, signal);
    const read = async () => {
      const { head, whole } = await both;
      if (head.problem) return { sha256: null, problem: head.problem };
      if (whole) return whole;
      return this.#wholes.run({ task: "whole", file, contentCheck }, signal);
    };
    return {
      fingerprint: alone(both.then(({ fingerprint }) => fingerprint)),
      head: alone(both.then(({ head }) => head)),
      whole: alone(read()),
    };
  }
}

/** A promise that nobody needs to await: who does gets its rejection all the same. */
function alone(promise) {
  promise.catch(() => undefined);
  return promise;
}
