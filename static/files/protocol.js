/**
 * How a file gets to the object store: its bytes go straight there, through presigned URLs. No DOM.
 *
 * One `Uploader` serves all widgets of a page, so that its bounds hold for the page. A job is
 * `{file, name, groupId, organism, category, contentCheck, signal, on}`; `on` gets the actions of `state.js`
 * without their `key`: started, progress, note, uploaded, verified, failed.
 */

import { FilesApi } from "./api.js";
import { Limiter, RequestError, sendPatiently } from "./requests.js";
import { Watcher } from "./verification.js";

const MIB = 1024 * 1024;
const MULTIPART_FROM = 64 * MIB;
const SMALLEST_PART = 8 * MIB;
/** S3 takes 10,000; part 10000 breaks the listing of parts in SeaweedFS. */
const MOST_PARTS = 9_999;
const PUTS_AT_ONCE = 6;
/** Files that have a URL already: enough that no PUT waits for one, few enough that none expires waiting. */
const OPEN_FILES = 48;
const OPEN_BYTES = 256 * MIB;
const UPLOADS_A_FILE = 3;

const UNREADABLE =
  "The file cannot be read any more: it was changed, moved or deleted since it was chosen. Choose it again.";
const NO_ETAG =
  "The file storage does not show ETags to this page; an administrator has to allow that (CORS).";

/** Bytes of each part but the last: a whole number of MiB, and few enough parts. */
export function partSizeFor(size) {
  return Math.max(SMALLEST_PART, Math.ceil(size / MOST_PARTS / MIB) * MIB);
}

/** A presigned URL that the object store refuses: it has expired, or its upload is gone. */
class UrlRefusedError extends RequestError {}

export class Uploader {
  #api;
  #options;
  #watcher;
  #puts = new Limiter((running) => running < PUTS_AT_ONCE);
  #open = new Limiter((files, bytes) => files < PUTS_AT_ONCE || (files < OPEN_FILES && bytes < OPEN_BYTES));

  /** `{apiUrl, csrfToken, send, sleep, random}`: `send` and `sleep` as in `transport.js`. */
  constructor(options) {
    this.#options = { random: Math.random, ...options };
    this.#api = new FilesApi(this.#options);
    this.#watcher = new Watcher(this.#api, this.#options);
  }

  /** Sends a file, completes it and watches it until it is verified or failed; never rejects. */
  upload(job) {
    return this.#telling(job, async () => {
      const fileId = await this.#open.run(() => this.#transfer(job), job.file.size);
      job.signal.throwIfAborted();
      job.on({ type: "uploaded", fileId });
      await this.#watcher.watch(job, fileId);
    });
  }

  /** Watches a file that was sent before; never rejects. */
  watch(job, fileId) {
    return this.#telling(job, () => this.#watcher.watch(job, fileId));
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

  /** A URL that is refused has expired: the file is sent anew, as another one. */
  async #transfer(job) {
    for (let attempt = 1; ; attempt += 1) {
      job.signal.throwIfAborted();
      try {
        return await (job.file.size < MULTIPART_FROM ? this.#sendWhole(job) : this.#sendParts(job));
      } catch (error) {
        if (!(error instanceof UrlRefusedError) || attempt === UPLOADS_A_FILE) throw error;
        job.on({ type: "progress", sentBytes: 0 });
        job.on({ type: "note", note: "The upload took too long, starting it again" });
      }
    }
  }

  async #sendWhole(job) {
    const { fileId, url } = await this.#api.requestUpload(job);
    job.signal.throwIfAborted();
    const onProgress = (sentBytes) => job.on({ type: "progress", sentBytes });
    await this.#put(job, { url, blob: job.file.slice(), onProgress, signal: job.signal });
    await this.#api.complete(job, fileId);
    return fileId;
  }

  async #sendParts(job) {
    const partSize = partSizeFor(job.file.size);
    const numberParts = Math.ceil(job.file.size / partSize);
    const { fileId, urls } = await this.#api.requestMultipart(job, partSize, numberParts);
    const etags = await this.#putParts(job, urls, partSize);
    await this.#api.completeMultipart(job, fileId, etags);
    return fileId;
  }

  /** Sends the parts, several at once; returns their ETags. The first to fail for good stops the others. */
  async #putParts(job, urls, partSize) {
    const failure = new AbortController();
    const signal = AbortSignal.any([job.signal, failure.signal]);
    const etags = [];
    let next = 0;
    let sent = 0;
    const lane = async () => {
      while (next < urls.length) {
        const part = next;
        next += 1;
        let sentOfPart = 0;
        const onProgress = (loaded) => {
          sent += loaded - sentOfPart;
          sentOfPart = loaded;
          if (!signal.aborted) job.on({ type: "progress", sentBytes: sent });
        };
        const blob = job.file.slice(part * partSize, Math.min((part + 1) * partSize, job.file.size));
        const response = await this.#put(job, { url: urls[part], blob, onProgress, signal });
        etags[part] = response.header("ETag");
        if (!etags[part]) throw new RequestError(response.status, { code: "etag_hidden", detail: NO_ETAG });
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(PUTS_AT_ONCE, urls.length) }, lane));
    } catch (error) {
      failure.abort(error);
      throw error;
    }
    return etags;
  }

  /** One PUT, repeated while it fails for reasons that pass; it gives its place to others while it pauses. */
  async #put(job, { url, blob, onProgress, signal }) {
    const send = (request) =>
      this.#puts.run(() => {
        signal.throwIfAborted();
        job.on({ type: "started" });
        return this.#options.send(request);
      });
    const beforeRetry = async ({ status }) => {
      if (status === 0) await assertReadable(blob);
      onProgress(0);
      const note = status === 0 ? "Connection lost, trying again" : "The file storage is busy, trying again";
      job.on({ type: "note", note });
    };
    const request = { method: "PUT", url, body: blob, onProgress, signal };
    try {
      return await sendPatiently(request, { ...this.#options, send, beforeRetry });
    } catch (error) {
      if (!(error instanceof RequestError) || error.problem.code === "file_unreadable") throw error;
      throw refusalOf(error.status);
    }
  }
}

/** What the store's last word on a PUT means for the submitter; its own words are XML for programmers. */
function refusalOf(status) {
  if (status === 0)
    return new RequestError(0, {
      code: "no_connection",
      detail: "There is no connection to the file storage.",
    });
  const problem = { code: "upload_refused", detail: `The file storage did not take the file (${status}).` };
  return status === 403 || status === 404
    ? new UrlRefusedError(status, problem)
    : new RequestError(status, problem);
}

/** Tells a file that has changed on disk from a lost connection: the browser fails alike for both. */
async function assertReadable(blob) {
  try {
    await blob.slice(0, 1).arrayBuffer();
  } catch {
    throw new RequestError(0, { code: "file_unreadable", detail: UNREADABLE, retryable: false });
  }
}
