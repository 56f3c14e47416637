/** The calls of the files API that uploading needs, put together where many files want the same. No DOM. */

import { Batcher, RequestError, sendPatiently } from "./requests.js";

const MOST_A_CALL = 100;
/** How long a call waits for company: unseen beside a file's own time, and 200 files share few calls. */
const COMPANY_MS = 100;

/** What is claimed of a file before it is sent; a named category lets its content check run at once. */
function claimOf({ name, file, organism, category }) {
  return { name, size: file.size, organism, category };
}

export class FilesApi {
  #options;
  #requests = new Map();
  #completions;

  /** `send` and `sleep` as in `transport.js`; `csrfToken()` is asked before each call. */
  constructor(options) {
    this.#options = options;
    this.#completions = this.#batcher((items) => this.#completeMany("files/complete-upload", items));
  }

  /** A new file for one PUT: `{fileId, url}`. */
  requestUpload(job) {
    if (!this.#requests.has(job.groupId)) {
      this.#requests.set(
        job.groupId,
        this.#batcher((jobs) => this.#requestMany(jobs)),
      );
    }
    return this.#requests.get(job.groupId).add(job);
  }

  /** A new file in parts: `{fileId, urls}`. */
  async requestMultipart(job, partSize, numberParts) {
    const query = new URLSearchParams({ groupId: job.groupId, numberFiles: 1, numberParts });
    const claims = [{ ...claimOf(job), partSize }];
    const [upload] = await this.#call("POST", `files/request-multipart-upload?${query}`, [job], claims);
    return upload;
  }

  /** Says that a single upload was sent. Throws what is wrong with it; again is the same answer. */
  complete(job, fileId) {
    return this.#completions.add({ job, body: { fileId } });
  }

  /** Has the parts put together. Throws what is wrong with it; again is the same answer. */
  async completeMultipart(job, fileId, etags) {
    const [result] = await this.#completeMany("files/complete-multipart-upload", [
      { job, body: { fileId, etags } },
    ]);
    if (result instanceof Error) throw result;
    return result;
  }

  /** The file as it is now. */
  describe(job, fileId) {
    return this.#call("GET", `files/${fileId}`, [job]);
  }

  #batcher(handle) {
    return new Batcher(handle, { most: MOST_A_CALL, waitMs: COMPANY_MS, sleep: this.#options.sleep });
  }

  /** One new file a job. Where the call is refused for what one job claims, each asks for itself. */
  async #requestMany(jobs) {
    const query = new URLSearchParams({ groupId: jobs[0].groupId, numberFiles: jobs.length });
    try {
      return await this.#call("POST", `files/request-upload?${query}`, jobs, jobs.map(claimOf));
    } catch (error) {
      if (error.status !== 422 || jobs.length === 1) throw error;
      return Promise.all(
        jobs.map((job) =>
          this.#requestMany([job]).then(
            ([one]) => one,
            (refusal) => refusal,
          ),
        ),
      );
    }
  }

  /** One result an item; what is wrong with an item is an `Error` in its place. */
  async #completeMany(path, items) {
    const jobs = items.map((item) => item.job);
    try {
      return await this.#call(
        "POST",
        path,
        jobs,
        items.map((item) => item.body),
      );
    } catch (error) {
      if (error.status !== 422 || !error.body?.results) throw error;
      const problems = new Map(error.body.errors.map((problem) => [problem.fileId, problem]));
      return items.map(({ body }) => {
        const problem = problems.get(body.fileId);
        return problem ? new RequestError(422, { code: problem.code, detail: problem.detail }) : body;
      });
    }
  }

  async #call(method, path, jobs, body) {
    const { apiUrl, csrfToken } = this.#options;
    const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
    if (body) headers["Content-Type"] = "application/json";
    const request = { method, url: `${apiUrl}/${path}`, headers, body: body ? JSON.stringify(body) : null };
    const beforeRetry = ({ status }) => {
      const note = status === 0 ? "Connection lost, trying again" : "The server is busy, trying again";
      for (const job of jobs) job.on({ type: "note", note });
    };
    const response = await sendPatiently(request, { ...this.#options, beforeRetry });
    return JSON.parse(response.text);
  }
}
