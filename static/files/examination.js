/** What is found in a file itself, before and while it is sent. No DOM. */

/** How long a file is looked at before its first byte goes; what is found later stops the upload. */
const FIRST_LOOK_MS = 1000;

export const UNREADABLE = {
  code: "file_unreadable",
  detail: "The file cannot be read any more: it was changed, moved or deleted since it was chosen. Choose it again.",
};

/** Something is wrong with the file itself; to send it again would not help. */
export class FileProblemError extends Error {
  constructor(problem) {
    super(problem.detail);
    this.name = "FileProblemError";
    this.problem = { ...problem, retryable: false };
  }
}

function asFileProblem(error) {
  return error.name === "NotReadableError" ? new FileProblemError(UNREADABLE) : error;
}

/** Where no Worker runs, nothing is known of the file; it is sent all the same, as the server looks at all of it. */
function unlessUnexamined(nothing) {
  return (error) => {
    if (error.name === "ExaminerError") return nothing;
    throw asFileProblem(error);
  };
}

/** One job's file as the examiner sees it; `signal` aborts with the job, and with what is found to be wrong. */
export class Examination {
  /** Whether the whole file was found to be wrong, so that what was sent of it is of no use. */
  isRefused = false;
  #job;
  #stop = new AbortController();
  #found;
  #whole;

  /** Begins to read; `examiner` as in `examiner.js`. */
  constructor(job, examiner) {
    this.#job = job;
    this.signal = AbortSignal.any([job.signal, this.#stop.signal]);
    this.#found = examiner.examine(job.file, { contentCheck: job.contentCheck, signal: this.signal });
    this.#whole = this.#found.whole
      .catch(unlessUnexamined({ sha256: null, problem: null }))
      .then(
        ({ sha256, problem }) => {
          if (problem) this.#refuse(problem);
          return sha256;
        },
        (error) => this.#stop.abort(error),
      );
  }

  /** What begin and end of the file tell; returns `{firstRead}`, throws `FileProblemError`. */
  async head() {
    const nothing = { problem: null, firstRead: null };
    const { problem, firstRead } = await this.#found.head.catch(unlessUnexamined(nothing));
    if (problem) throw new FileProblemError(problem);
    return { firstRead };
  }

  /** What the file is recognised by, see “fingerprint” in docs/api.md; null if it was not examined. */
  fingerprint() {
    return this.#found.fingerprint.catch(unlessUnexamined(null));
  }

  /** Gives the reading of the whole file a moment to find what is wrong with it, and throws that. */
  async firstLook(sleep) {
    if (this.#job.contentCheck !== "none") await Promise.race([this.#whole, sleep(FIRST_LOOK_MS, this.signal)]);
    this.signal.throwIfAborted();
  }

  /** The sha256 of the whole file, once it was read, null if it was not; throws what was found to be wrong with it. */
  async sha256() {
    const sha256 = await this.#whole;
    this.signal.throwIfAborted();
    return sha256;
  }

  #refuse(problem) {
    this.isRefused = true;
    this.#stop.abort(new FileProblemError(problem));
  }

  /** Stops reading what nobody needs any more. */
  end() {
    this.#stop.abort();
  }
}
