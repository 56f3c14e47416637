/** Hands jobs to Workers, a few at a time, in order. No DOM. */

/** The Worker that examines files cannot be started, or has broken down. */
export class ExaminerError extends Error {
  name = "ExaminerError";
}

export class WorkerPool {
  #options;
  #places = [];
  #queue = [];
  #first = 0;
  #number = 0;
  #broken = null;

  /** `{makeWorker, workers, each}`: so many Workers, made when they are needed, with so many jobs each. */
  constructor(options) {
    this.#options = options;
  }

  /** Makes the first Worker before it is needed. */
  prepare() {
    if (!this.#places.length && !this.#broken) this.#freePlace();
  }

  /**
   * Promises what the Worker answers. Rejects with the signal's reason when that is aborted, with the Worker's error
   * under its own name, and with an `ExaminerError` where there is no Worker.
   */
  run(task, signal) {
    if (signal.aborted) return Promise.reject(signal.reason);
    if (this.#broken) return Promise.reject(this.#broken);
    return new Promise((resolve, reject) => {
      const job = { id: (this.#number += 1), task, place: null };
      const onAbort = () => this.#settle(job, reject, signal.reason);
      const settle = (how, what) => {
        signal.removeEventListener("abort", onAbort);
        how(what);
      };
      job.resolve = (answer) => settle(resolve, answer);
      job.reject = (error) => settle(reject, error);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#queue.push(job);
      this.#advance();
    });
  }

  /** Ends a job that is not wanted any more: one that waits is passed over, one that runs is told to stop. */
  #settle(job, reject, reason) {
    job.isOver = true;
    reject(reason);
    job.place?.worker.postMessage({ id: job.id, task: "abort" });
  }

  #advance() {
    while (this.#first < this.#queue.length && !this.#broken) {
      const place = this.#freePlace();
      if (!place) return;
      const job = this.#queue[this.#first];
      this.#queue[this.#first] = null;
      this.#first += 1;
      if (!job.isOver) this.#give(job, place);
    }
    if (this.#first === this.#queue.length) {
      this.#queue = [];
      this.#first = 0;
    }
  }

  #give(job, place) {
    job.place = place;
    place.jobs.set(job.id, job);
    place.worker.postMessage({ id: job.id, ...job.task });
  }

  #freePlace() {
    const free = this.#places.find(({ jobs }) => jobs.size < this.#options.each);
    if (free || this.#places.length === this.#options.workers) return free;
    try {
      return this.#newPlace();
    } catch (error) {
      this.#breakDown(new ExaminerError(`Files cannot be examined here: ${error.message}`));
      return null;
    }
  }

  #newPlace() {
    const place = { worker: this.#options.makeWorker(), jobs: new Map(), hasAnswered: false };
    place.worker.addEventListener("message", ({ data }) => this.#answered(place, data));
    place.worker.addEventListener("error", (event) => this.#failed(place, event));
    this.#places.push(place);
    return place;
  }

  #answered(place, { id, answer, error }) {
    place.hasAnswered = true;
    const job = place.jobs.get(id);
    place.jobs.delete(id);
    if (!job.isOver) {
      if (error) job.reject(Object.assign(new Error(error.message), { name: error.name }));
      else job.resolve(answer);
    }
    this.#advance();
  }

  /** A Worker that fails before its first answer would fail again; another is replaced. */
  #failed(place, event) {
    event.preventDefault();
    const error = new ExaminerError(`Files cannot be examined here: ${event.message ?? "the Worker did not load"}`);
    place.worker.terminate();
    this.#places = this.#places.filter((other) => other !== place);
    for (const job of place.jobs.values()) if (!job.isOver) job.reject(error);
    if (place.hasAnswered) this.#advance();
    else this.#breakDown(error);
  }

  #breakDown(error) {
    this.#broken = error;
    for (const job of this.#queue) if (job && !job.isOver) job.reject(error);
    this.#queue = [];
    this.#first = 0;
  }
}
