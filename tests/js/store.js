/**
 * An API and an object store in memory, behind the `send` of `static/files/transport.js`.
 *
 * `faults` is a list of `(request) => response | null`, asked before the store itself; what has answered is
 * in `requests`. Time does not pass: `sleep` returns at once and notes in `pauses` how long it should have been.
 */

export function answer(status, body = "", headers = {}) {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { status, text, header: (name) => headers[name] ?? null };
}

/** A fault that answers the first `times` requests that match with `response`. */
export function fault(matches, response, times = 1) {
  let left = times;
  return (request) => {
    if (left === 0 || !matches(request)) return null;
    left -= 1;
    return typeof response === "function" ? response(request) : response;
  };
}

export const isPut = ({ method }) => method === "PUT";
export const calls = (path) => (request) => request.url.includes(path);

export class Store {
  files = new Map();
  requests = [];
  pauses = [];
  faults = [];
  running = 0;
  mostAtOnce = 0;
  statuses = ["UPLOADED", "VERIFYING", "VERIFIED"];

  /** The options of an `Uploader` on this store. */
  get options() {
    return {
      apiUrl: "/api",
      csrfToken: () => "token",
      send: (request) => this.send(request),
      sleep: (ms, signal) => this.sleep(ms, signal),
      random: () => 0.5,
    };
  }

  async sleep(ms, signal) {
    this.pauses.push(ms);
    await new Promise(setImmediate);
    signal?.throwIfAborted();
  }

  async send(request) {
    this.requests.push(request);
    if (isPut(request)) this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    await new Promise(setImmediate);
    if (isPut(request)) this.running -= 1;
    request.signal?.throwIfAborted();
    for (const one of this.faults) {
      const response = one(request);
      if (response) return response;
    }
    return isPut(request) ? this.#put(request) : this.#call(request);
  }

  /** The bodies of the API's calls to a path, parsed. */
  bodies(path) {
    return this.requests.filter(calls(path)).map((request) => JSON.parse(request.body));
  }

  async #put({ url, body, onProgress }) {
    const [fileId, part] = url.replace("store:", "").split("#");
    onProgress(Math.floor(body.size / 2));
    onProgress(body.size);
    this.files.get(fileId).parts[Number(part ?? 0)] = await body.text();
    return answer(200, "", { ETag: `"etag-${part ?? 0}"` });
  }

  #call({ method, url, body }) {
    const { pathname, searchParams } = new URL(url, "http://host");
    if (method === "GET") return this.#describe(pathname.split("/").at(-1));
    const items = JSON.parse(body);
    if (pathname.endsWith("/request-upload"))
      return answer(
        200,
        items.map((claims) => this.#newFile(claims)),
      );
    if (pathname.endsWith("/request-multipart-upload")) {
      return answer(
        200,
        items.map((claims) => this.#newFile(claims, Number(searchParams.get("numberParts")))),
      );
    }
    return answer(
      200,
      items.map(({ fileId }) => ({ fileId, status: "UPLOADED" })),
    );
  }

  #newFile(claims, numberParts = null) {
    const fileId = `file-${this.files.size}`;
    this.files.set(fileId, { claims, parts: [], polls: 0 });
    if (numberParts === null) return { fileId, url: `store:${fileId}` };
    return { fileId, urls: Array.from({ length: numberParts }, (_, index) => `store:${fileId}#${index}`) };
  }

  #describe(fileId) {
    const file = this.files.get(fileId);
    const status = this.statuses[Math.min(file.polls, this.statuses.length - 1)];
    file.polls += 1;
    return answer(200, { fileId, status, checks: [] });
  }
}

/** A job for `file`, with its `actions` and an `abort()`. */
export function job(file, more = {}) {
  const controller = new AbortController();
  const actions = [];
  return {
    file,
    name: "reads.fastq.gz",
    groupId: "1",
    organism: "ebola-sudan",
    category: "rawReads",
    contentCheck: "fastq",
    signal: controller.signal,
    abort: () => controller.abort(),
    on: (action) => actions.push(action),
    actions,
    get ends() {
      return actions.filter(({ type }) => !["note", "progress", "started"].includes(type));
    },
    get notes() {
      return actions.filter(({ type, note }) => type === "note" && note).map(({ note }) => note);
    },
    ...more,
  };
}
