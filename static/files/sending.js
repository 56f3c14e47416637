/** One upload that the server awaits: which parts are there, which go where, and how many bytes went. No DOM. */

import { boundsOf } from "./parts.js";
import { PUTS_AT_ONCE, UploadGoneError } from "./puts.js";
import { RequestError } from "./requests.js";
import { UrlExpiredError, UrlRefusedError, Urls } from "./urls.js";

const NO_ETAG =
  "The file storage does not show ETags to this page; an administrator has to allow that (CORS).";
/** A fresh URL that is refused at once has not expired. So many refusals without a byte of progress are the end. */
const MOST_REFUSALS = 3;
/** What the server says of an upload that has to begin anew, as another file. */
const GONE = ["upload_expired", "file_not_found"];

export class Sending {
  #upload;
  #context;
  #urls;
  #post = null;
  #refusals = 0;
  #renewal = null;
  #etags = new Map();
  #sentOf = new Map();
  #sent = 0;
  #isComplete = false;

  /**
   * `upload` is `{fileId, partSize, numberParts}`, the latter two null for a file in one piece; `context` is
   * `{job, signal, api, puts, now}`. It has no URLs before `take` or `resume`.
   */
  constructor(upload, context) {
    this.#upload = upload;
    this.#context = context;
    this.#urls = new Urls(context.now);
  }

  get fileId() {
    return this.#upload.fileId;
  }

  /** Takes the URLs of a new upload, in part order, and the `post` of one in one piece, for its first try. */
  take(urls, post = null) {
    this.#post = post;
    this.#urls.take(urls.map((url, index) => [index + 1, url]));
  }

  /** Goes on where an earlier attempt ended; throws `UploadGoneError` where that is not possible. */
  async resume() {
    await this.#renew();
    if (this.#sent) this.#context.job.on({ type: "recognised", sentBytes: this.#sent });
  }

  /** Sends what is not there yet, several parts at once. The first part to fail for good stops the others. */
  async send() {
    const failure = new AbortController();
    const signal = AbortSignal.any([this.#context.signal, failure.signal]);
    const missing = this.#missing();
    let next = 0;
    const lane = async () => {
      while (next < missing.length) {
        const number = missing[next];
        next += 1;
        await this.#sendPart(number, signal);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(PUTS_AT_ONCE, missing.length) }, lane));
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  }

  /** Says that all was sent; throws what is wrong with it, `UploadGoneError` where it was given up meanwhile. */
  async complete(sha256) {
    const { job, api } = this.#context;
    try {
      if (this.#isSingle || this.#isComplete) return await api.complete(job, this.fileId, sha256);
      const etags = this.#numbers().map((number) => this.#etags.get(number));
      return await api.completeMultipart(job, this.fileId, sha256, etags);
    } catch (error) {
      throw goneOr(error);
    }
  }

  get #isSingle() {
    return this.#upload.numberParts === null;
  }

  #numbers() {
    return Array.from({ length: this.#upload.numberParts ?? 1 }, (_, index) => index + 1);
  }

  #missing() {
    return this.#isComplete ? [] : this.#numbers().filter((number) => !this.#etags.has(number));
  }

  #bounds(number) {
    const { size } = this.#context.job.file;
    return this.#isSingle ? [0, size] : boundsOf(number, this.#upload.partSize, size);
  }

  /** Sends one part, with a new URL where its own is refused, unless it turns out to be there. */
  async #sendPart(number, signal) {
    const { job, puts } = this.#context;
    const blob = job.file.slice(...this.#bounds(number)); // has no type, so that no header tells of one
    const onProgress = (bytes) => {
      if (!this.#etags.has(number)) this.#count(number, bytes, signal);
    };
    let generation = null;
    const url = () => {
      generation = this.#urls.generation;
      return this.#urls.of(number);
    };
    while (!this.#isComplete && !this.#etags.has(number)) {
      try {
        const isUrgent = generation !== null; // a new URL does not queue for long enough to expire, too
        const post = this.#post;
        this.#post = null;
        const response = await puts.put(job, { url, post, blob, onProgress, signal, isUrgent });
        this.#arrived(number, response);
      } catch (error) {
        if (!(error instanceof UrlRefusedError)) throw error;
        onProgress(0);
        await this.#renewAfter(error, generation);
      }
    }
  }

  #arrived(number, response) {
    const etag = response.header("ETag");
    if (!etag && !this.#isSingle) throw new RequestError(response.status, { code: "etag_hidden", detail: NO_ETAG });
    const [from, to] = this.#bounds(number);
    this.#count(number, to - from, this.#context.signal);
    this.#etags.set(number, etag);
    this.#refusals = 0;
  }

  /** Counts bytes of a part; those of one that is tried again no longer count. */
  #count(number, bytes, signal) {
    if (bytes === (this.#sentOf.get(number) ?? 0)) return;
    this.#sent += bytes - (this.#sentOf.get(number) ?? 0);
    this.#sentOf.set(number, bytes);
    const { job } = this.#context;
    if (!signal.aborted) job.on({ type: "progress", sentBytes: Math.min(this.#sent, job.file.size) });
  }

  /** New URLs, once for all parts that were refused theirs. */
  async #renewAfter(refusal, generation) {
    if (generation !== this.#urls.generation) return;
    if (!this.#renewal) {
      if (!(refusal instanceof UrlExpiredError)) this.#refusals += 1;
      if (this.#refusals >= MOST_REFUSALS) throw refusal;
      this.#renewal = this.#renew().finally(() => (this.#renewal = null));
    }
    await this.#renewal;
  }

  async #renew() {
    const { job, api } = this.#context;
    const answer = await api.renew(job, this.fileId).catch((error) => {
      throw goneOr(error);
    });
    if (answer.status !== "REQUESTED") {
      this.#isComplete = true;
      this.#sent = job.file.size;
    } else if (this.#isSingle) this.take([answer.url]);
    else this.#takeParts(answer);
  }

  /** Parts that are there need no sending, also where their answer was lost. */
  #takeParts({ urls, uploadedParts }) {
    this.#urls.take(urls.map(({ partNumber, url }) => [partNumber, url]));
    for (const { partNumber, size, etag } of uploadedParts) {
      const [from, to] = this.#bounds(partNumber);
      if (size !== to - from) {
        throw new UploadGoneError(0, { code: "part_not_ours", detail: "The parts in the store are of another file." });
      }
      this.#etags.set(partNumber, etag);
      this.#sent += size - (this.#sentOf.get(partNumber) ?? 0);
      this.#sentOf.set(partNumber, size);
    }
  }
}

function goneOr(error) {
  const isGone = error instanceof RequestError && GONE.includes(error.problem.code);
  return isGone ? new UploadGoneError(error.status, error.problem) : error;
}
