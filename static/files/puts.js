/** Bytes to the object store: a few PUTs at once on the page, each repeated while it fails for reasons that pass. No DOM. */

import { OFFLINE } from "./calls.js";
import { UNREADABLE, FileProblemError } from "./examination.js";
import { POSTED_BELOW, Posts } from "./posts.js";
import { Limiter } from "./queues.js";
import { RequestError, sendPatiently } from "./requests.js";
import { UrlExpiredError, UrlRefusedError } from "./urls.js";

/** A browser opens six connections to a host over HTTP/1.1. */
export const PUTS_AT_ONCE = 6;
/** About four minutes: a store that is started anew, or a lift ride, ends no upload. */
const ATTEMPTS = 30;
/**
 * After so long without a word a connection is given up, once the body has gone out: to put thousands of parts together
 * takes a server its time. Nobody can tell how much of a short body is still on this side, so that has the time that it
 * takes on a slow line; and each time that was not enough, twice as much.
 */
const UNANSWERED_AFTER_MS = 150_000;
const SLOWEST_BYTES_A_MS = 1;
const LONGEST_PATIENCE_MS = 1_800_000;
/** Shorter PUTs tell of the distance to the store, not of the width of the way. */
const SMALLEST_MEASURED = 1024 * 1024;
/** How much the last PUT counts in the measured speed. */
const WEIGHT_OF_LAST = 0.3;

/** What was being sent to is no more, and all of the file has to be sent to somewhere new. */
export class UploadGoneError extends RequestError {}

export class Puts {
  /** Bytes a second over one connection, or null while nothing of size was sent. */
  bytesPerSecond = null;
  #options;
  #posts;
  #limiter = new Limiter((running) => running < PUTS_AT_ONCE);

  /** `{send, sleep, random, network, now}`: `now()` in ms, the others as of `Calls`. */
  constructor(options) {
    this.#options = options;
    this.#posts = new Posts(options.send);
  }

  /**
   * Sends `blob` to `url()`, which is asked when the PUT's turn has come; returns the store's answer. A small one is
   * first tried by `post`, `{url, fields}` or null, which lives as long as the URL. Throws `UrlRefusedError`,
   * `UploadGoneError`, `FileProblemError` and `RequestError`, and the reason of `signal`.
   */
  async put(job, { url, post = null, blob, onProgress, signal, isUrgent = false }) {
    const isShort = blob.size < POSTED_BELOW;
    const patienceMs = UNANSWERED_AFTER_MS + (isShort ? blob.size / SLOWEST_BYTES_A_MS : 0);
    const way = { form: isShort ? post : null, isSecond: false, patienceMs };
    const work = async (request) => {
      signal.throwIfAborted();
      job.on({ type: "started" });
      return this.#try({ ...request, url: url() }, way);
    };
    const send = (request) => this.#limiter.run(() => work(request), { isUrgent });
    const beforeRetry = async ({ status }, isOffline) => {
      if (status === 0) await assertReadable(blob);
      onProgress(0);
      job.on({ type: "note", note: noteOf(status, isOffline) });
    };
    const request = { method: "PUT", body: blob, signal };
    if (!isShort) request.onProgress = onProgress;
    try {
      return await sendPatiently(request, { ...this.#options, attempts: ATTEMPTS, send, beforeRetry });
    } catch (error) {
      const isAnswer = error instanceof RequestError && !(error instanceof UrlExpiredError);
      throw isAnswer ? refusalOf(error.status) : error;
    }
  }

  /** By the form, where there is one that was not tried; else, or where that did not get the file there, by PUT. */
  async #try(request, way) {
    const { form, patienceMs } = way;
    way.form = null;
    if (form) {
      way.isSecond = true;
      const posted = await this.#posts.send(form, { ...request, patienceMs });
      if (posted) return posted;
    }
    const { now } = this.#options;
    const begin = now();
    const response = await this.#measured({ ...request, patienceMs });
    if (response.status === 0 && now() - begin >= patienceMs) {
      way.patienceMs = Math.min(2 * patienceMs, LONGEST_PATIENCE_MS);
    }
    if (response.status === 200 && way.isSecond) this.#posts.giveWay();
    return response;
  }

  async #measured(request) {
    const begin = this.#options.now();
    const response = await this.#options.send(request);
    const seconds = (this.#options.now() - begin) / 1000;
    const { size } = request.body;
    if (response.status === 200 && size >= SMALLEST_MEASURED && seconds > 0) {
      const before = this.bytesPerSecond ?? size / seconds;
      this.bytesPerSecond = before + WEIGHT_OF_LAST * (size / seconds - before);
    }
    return response;
  }
}

function noteOf(status, isOffline) {
  if (isOffline) return OFFLINE;
  return status === 0 ? "Connection lost, trying again" : "The file storage is busy, trying again";
}

/** What the store's last word on a PUT means for the submitter; its own words are XML for programmers. */
function refusalOf(status) {
  if (status === 0) {
    const detail = "There is no connection to the file storage.";
    return new RequestError(0, { code: "no_connection", detail });
  }
  const problem = { code: "upload_refused", detail: `The file storage did not take the file (${status}).` };
  if (status === 403) return new UrlRefusedError(status, problem);
  if (status === 404) return new UploadGoneError(status, problem);
  return new RequestError(status, problem);
}

/** Tells a file that has changed on disk from a lost connection: the browser fails alike for both. */
async function assertReadable(blob) {
  try {
    await blob.slice(0, 1).arrayBuffer();
  } catch {
    throw new FileProblemError(UNREADABLE);
  }
}
