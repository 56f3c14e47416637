/**
 * How a file gets to the object store: its bytes go straight there, through presigned URLs. No DOM.
 *
 * One `Uploader` serves all widgets of a page, so that its bounds hold for the page. A job is
 * `{file, name, groupId, organism, category, contentCheck, fileId?, signal, on}`; `fileId` is what an earlier attempt
 * was sent as. `on` gets the actions of `state.js` without their `key`: started, progress, note, requested, examined,
 * recognised, uploaded, verified, failed.
 */

import { FilesApi } from "./api.js";
import { Examination } from "./examination.js";
import { networkOf } from "./network.js";
import { MULTIPART_FROM, partSizeFor } from "./parts.js";
import { PUTS_AT_ONCE, Puts, UploadGoneError } from "./puts.js";
import { Limiter } from "./queues.js";
import { Recogniser, isFinished } from "./recognising.js";
import { Sending } from "./sending.js";
import { Watcher } from "./verification.js";

/** Files that have a URL already: so many that a slow server keeps no PUT waiting, nor a few files that pause the rest. */
const OPEN_FILES = 256;
const OPEN_BYTES = 256 * 1024 * 1024;
const UPLOADS_A_FILE = 3;

export class Uploader {
  #options;
  #api;
  #puts;
  #recogniser;
  #watcher;
  #unsent = 0;
  #open = new Limiter((files, bytes) => files < 2 * PUTS_AT_ONCE || (files < OPEN_FILES && bytes < OPEN_BYTES));

  /**
   * `{apiUrl, csrfToken, send, sleep, examiner}`: `send` and `sleep` as in `transport.js`, `examiner` as in
   * `examiner.js`. Besides, for tests: `network` as in `network.js`, `random()`, and `now()` in ms.
   */
  constructor(options) {
    const defaults = { network: networkOf(globalThis), random: Math.random, now: () => performance.now() };
    this.#options = { ...defaults, ...options };
    this.#api = new FilesApi(this.#options);
    this.#puts = new Puts(this.#options);
    this.#recogniser = new Recogniser(this.#api);
    this.#watcher = new Watcher(this.#api, this.#options);
  }

  /** Examines a file, sends what the server does not have of it, and watches it until it is decided; never rejects. */
  async upload(job) {
    const examination = new Examination(job, this.#options.examiner);
    const delivery = { job, examination, held: new Set() };
    this.#recogniser.prepare(job);
    await this.#telling(job, async () => {
      await this.#examine(job, examination);
      const fileId = await this.#deliver(delivery);
      job.on({ type: "uploaded", fileId });
      this.#release(delivery);
      await this.#watcher.watch(job, fileId);
    });
    this.#release(delivery);
    examination.end();
    const { sending, isUntold } = delivery;
    if (sending && (isUntold || examination.isRefused)) await this.discard([sending.fileId]);
  }

  /** Watches a file that was sent before; never rejects. */
  watch(job, fileId) {
    return this.#telling(job, () => this.#watcher.watch(job, fileId));
  }

  /** Discards unattached files on the server; returns the IDs of those that it would not discard; never rejects. */
  async discard(fileIds) {
    const results = await Promise.allSettled(fileIds.map((fileId) => this.#api.discard(fileId)));
    return fileIds.filter((_, index) => results[index].status === "rejected");
  }

  async #telling(job, work) {
    try {
      await work();
    } catch (error) {
      if (job.signal.aborted) return;
      const problem = error.problem ?? {
        code: "upload_failed",
        detail: `The upload failed: ${error.message}`,
      };
      job.on({ type: "failed", problem: { retryable: true, ...problem } });
    }
  }

  async #examine(job, examination) {
    job.signal.throwIfAborted();
    job.on({ type: "note", note: "Checking" });
    const { firstRead } = await examination.head();
    job.on({ type: "examined", firstRead });
    job.on({ type: "note", note: "" });
  }

  /** The ID under which the server has the file, all of it; where it has none that is the same, it gets one. */
  async #deliver(delivery) {
    const { job, examination } = delivery;
    const found = await this.#recogniser.candidates(job, examination);
    for (const file of found.filter(isFinished)) {
      if (await this.#recogniser.isSame(file, job, examination)) return file.fileId;
    }
    const begun = found.find((file) => !isFinished(file) && this.#hold(file.fileId, delivery));
    return this.#open.run(() => this.#transfer(delivery, begun), { weight: job.file.size });
  }

  /** Sends what is missing of the upload that has begun, or all of it as a new file. */
  async #transfer(delivery, begun) {
    const { job, examination } = delivery;
    for (let attempt = 1, resumable = begun; ; attempt += 1, resumable = null) {
      examination.signal.throwIfAborted();
      try {
        const sending = resumable ? await this.#resume(delivery, resumable) : await this.#request(delivery);
        await examination.firstLook(this.#options.sleep);
        await this.#sendAll(sending, examination);
        return sending.fileId;
      } catch (error) {
        const isOther = resumable && error.problem?.code === "sha256_mismatch";
        if (!(error instanceof UploadGoneError || isOther) || attempt === UPLOADS_A_FILE) throw error;
        job.on({ type: "progress", sentBytes: 0 });
        job.on({ type: "note", note: "What was sent cannot be used any more, starting again" });
      }
    }
  }

  async #sendAll(sending, examination) {
    let completion;
    this.#unsent += 1;
    try {
      await sending.send();
      completion = sending.complete(await examination.sha256());
    } finally {
      this.#unsent -= 1;
      if (!this.#unsent) this.#api.hurry();
    }
    await completion;
  }

  async #resume(delivery, { fileId, claims, numberParts }) {
    const sending = this.#sendingOf(delivery, { fileId, partSize: claims.partSize, numberParts });
    await sending.resume();
    return sending;
  }

  async #request(delivery) {
    const { job, examination } = delivery;
    const fingerprint = await examination.fingerprint();
    const { size } = job.file;
    if (size < MULTIPART_FROM) {
      const { fileId, url, presignedPost } = await this.#api.requestUpload(job, fingerprint);
      const sending = this.#sendingOf(delivery, { fileId, partSize: null, numberParts: null });
      sending.take([url], presignedPost);
      return sending;
    }
    const partSize = partSizeFor(size, this.#puts.bytesPerSecond);
    const parts = { partSize, numberParts: Math.ceil(size / partSize) };
    const { fileId, urls } = await this.#api.requestMultipart(job, fingerprint, parts);
    const sending = this.#sendingOf(delivery, { fileId, ...parts });
    sending.take(urls);
    return sending;
  }

  #sendingOf(delivery, upload) {
    const { job, examination } = delivery;
    this.#hold(upload.fileId, delivery);
    delivery.isUntold = job.signal.aborted; // nobody listens any more, nor will discard this file
    job.on({ type: "requested", fileId: upload.fileId });
    const { now } = this.#options;
    const context = { job, signal: examination.signal, api: this.#api, puts: this.#puts, now };
    delivery.sending = new Sending(upload, context);
    return delivery.sending;
  }

  #hold(fileId, { held }) {
    if (!this.#recogniser.hold(fileId)) return false;
    held.add(fileId);
    return true;
  }

  #release({ held }) {
    for (const fileId of held) this.#recogniser.release(fileId);
    held.clear();
  }
}
