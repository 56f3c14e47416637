/** The calls of the files API that uploading needs, put together where many files want the same. No DOM. */

import { Calls, notOurs } from "./calls.js";
import { requestThoseThatMay } from "./fitting.js";
import { POSTED_BELOW } from "./posts.js";
import { Batcher } from "./queues.js";
import { RequestError } from "./requests.js";

const MOST_A_CALL = 100;
/** A fingerprint has 64 digits, and servers and proxies bound the length of an address. */
const MOST_IN_AN_ADDRESS = 50;
/** How long the first call waits for company: unseen beside a file's own time. */
const COMPANY_MS = 20;
/** How long it rests at most between two: each call costs the server more than a file, and six PUTs take a while. */
const REST_MS = 300;
/** The same for saying what was sent, which keeps no PUT waiting. */
const REST_OF_COMPLETIONS_MS = 1000;
/** Pages of files that have the fingerprints asked for; only a file that was sent hundreds of times has more. */
const MOST_PAGES = 5;
/** The states of a file that may spare sending it again. */
const OF_USE = "REQUESTED,UPLOADED,VERIFYING,VERIFIED";

/** What is claimed of a file before it is sent; a named category lets its content check run at once. */
function claimOf({ job: { name, file, organism, category }, fingerprint }) {
  return { name, size: file.size, fingerprint, organism, category };
}

export class FilesApi {
  #sleep;
  #calls;
  /** Thousands of files may be discarded at once; nothing else waits for them. */
  #deletions;
  #completions;
  #batchers = new Map();

  /** The options of `Calls`. */
  constructor(options) {
    this.#sleep = options.sleep;
    this.#calls = new Calls(options);
    this.#deletions = new Calls(options);
    const complete = (items) => this.#completeMany("files/complete-upload", items);
    this.#completions = this.#batcher(complete, MOST_A_CALL, REST_OF_COMPLETIONS_MS);
  }

  /** A new file for one PUT: `{fileId, url}`, with `presignedPost` where one may spare a round trip. */
  requestUpload(job, fingerprint) {
    const batcher = this.#batcherOf("request", job.groupId, MOST_A_CALL, (items) => this.#requestMany(items));
    return batcher.add({ job, fingerprint });
  }

  /** A new file in parts: `{fileId, urls}`. */
  async requestMultipart(job, fingerprint, { partSize, numberParts }) {
    const query = new URLSearchParams({ groupId: job.groupId, numberFiles: 1, numberParts });
    const claims = [{ ...claimOf({ job, fingerprint }), partSize }];
    const [upload] = await this.#calls.send("POST", `files/request-multipart-upload?${query}`, [job], claims);
    return upload;
  }

  /** How to go on with an upload: `{fileId, status, url}` or `{fileId, status, urls, uploadedParts}`. */
  renew(job, fileId) {
    return this.#calls.send("POST", `files/${fileId}/renew`, [job], {});
  }

  /**
   * Says that a single upload was sent, and what `sha256` it has; of a file that is further on, only the latter.
   * Throws what is wrong with it; again is the same answer.
   */
  complete(job, fileId, sha256) {
    return this.#completions.add({ job, body: { fileId, sha256 } });
  }

  /** Says at once what waits to be said: no other file is being sent. */
  hurry() {
    this.#completions.flush();
  }

  /** Has the parts put together. Throws what is wrong with it; again is the same answer. */
  async completeMultipart(job, fileId, sha256, etags) {
    const items = [{ job, body: { fileId, etags, sha256 } }];
    const [result] = await this.#completeMany("files/complete-multipart-upload", items);
    if (result instanceof Error) throw result;
    return result;
  }

  /** The file as it is now, or null where there is none any more. */
  async describe(job, fileId) {
    try {
      return await this.#calls.send("GET", `files/${fileId}`, [job]);
    } catch (error) {
      if (error.status === 404) return null;
      throw error;
    }
  }

  /** The group's files with these IDs as they are now, at most 50. */
  async listByIds(jobs, ids) {
    const { items } = await this.#list(jobs, { ids: ids.join(",") });
    return items;
  }

  /** Whether the job's group has any file that is attached nowhere and may spare sending one. */
  async hasUnattached(job) {
    const { items } = await this.#list([job], { attached: false, status: OF_USE, limit: 1 });
    return items.length > 0;
  }

  /** The unattached files with this fingerprint in the job's group, newest first. */
  findUnattached(job, fingerprint) {
    const batcher = this.#batcherOf("find", job.groupId, MOST_IN_AN_ADDRESS, (items) => this.#findMany(items));
    return batcher.add({ job, fingerprint });
  }

  /** Discards an unattached file; one that is gone or belongs to an entry is left as it is. */
  async discard(fileId) {
    try {
      await this.#deletions.send("DELETE", `files/${fileId}`, []);
    } catch (error) {
      if (!["file_not_found", "file_attached"].includes(error.problem?.code)) throw error;
    }
  }

  #batcher(handle, most, restMs) {
    return new Batcher(handle, { most, restMs, waitMs: COMPANY_MS, sleep: this.#sleep });
  }

  #batcherOf(purpose, groupId, most, handle) {
    const key = `${purpose} ${groupId}`;
    if (!this.#batchers.has(key)) this.#batchers.set(key, this.#batcher(handle, most, REST_MS));
    return this.#batchers.get(key);
  }

  async #list(jobs, filters) {
    const query = new URLSearchParams({ groupId: jobs[0].groupId, ...filters });
    const page = await this.#calls.send("GET", `files?${query}`, jobs);
    if (!Array.isArray(page?.items)) throw notOurs();
    return page;
  }

  async #findMany(items) {
    const jobs = items.map(({ job }) => job);
    const filters = {
      attached: false,
      status: OF_USE,
      fingerprints: [...new Set(items.map(({ fingerprint }) => fingerprint))].join(","),
    };
    const found = Map.groupBy(await this.#pages(jobs, filters), ({ claims }) => claims.fingerprint);
    return items.map(({ fingerprint }) => found.get(fingerprint) ?? []);
  }

  async #pages(jobs, filters) {
    const files = [];
    let cursor;
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const { items, nextCursor } = await this.#list(jobs, cursor ? { ...filters, cursor } : filters);
      files.push(...items);
      cursor = nextCursor;
      if (!cursor) break;
    }
    return files;
  }

  /** One new file a job, or an `Error` where there is none for it. */
  #requestMany(items) {
    const request = (some) => {
      const jobs = some.map(({ job }) => job);
      const presignedPost = jobs.some(({ file }) => file.size < POSTED_BELOW);
      const query = new URLSearchParams({ groupId: jobs[0].groupId, numberFiles: jobs.length, presignedPost });
      return this.#calls.send("POST", `files/request-upload?${query}`, jobs, some.map(claimOf));
    };
    return requestThoseThatMay(items, request, ({ job }) => job.file.size);
  }

  /** One result an item; what is wrong with an item is an `Error` in its place. */
  async #completeMany(path, items) {
    const jobs = items.map(({ job }) => job);
    const bodies = items.map(({ body }) => body);
    try {
      return await this.#calls.send("POST", path, jobs, bodies);
    } catch (error) {
      if (error.status !== 422 || !error.body?.results) throw error;
      const problems = new Map(error.body.errors.map((problem) => [problem.fileId, problem]));
      return bodies.map((body) => {
        const problem = problems.get(body.fileId);
        return problem ? new RequestError(422, { code: problem.code, detail: problem.detail }) : body;
      });
    }
  }
}
