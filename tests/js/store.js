/**
 * An API and an object store in memory, behind the `send` of `static/files/transport.js`.
 *
 * `faults` is a list of `(request) => response | null`, asked before the store itself; what was asked is in
 * `requests`. Time does not pass: `sleep` returns at once and notes in `pauses` how long it should have been.
 * A file is `{fileId, groupId, claims, numberParts, status, sha256, parts}`; `parts` are by part number, 1 for a file
 * in one piece, each `{size, text}`. Only URLs of a file's present `generation` are good. `hasForms` has it give out
 * presigned POSTs.
 */
import { Uploader } from "../../static/files/protocol.js";

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
export const isForm = ({ body }) => body instanceof FormData;
export const calls = (path) => (request) => request.url.includes(path);
export const putsOf = (part) => (request) => isPut(request) && request.url.includes(`#${part}@`);
export const method = (name) => (request) => request.method === name;

const problem = (status, code) => answer(status, { code, detail: `${code} in words.` });

export class Store {
  files = new Map();
  requests = [];
  pauses = [];
  faults = [];
  running = 0;
  mostAtOnce = 0;
  isOnline = true;
  hasForms = false;
  /** What a file goes through once it is complete, one look after the other. */
  statuses = ["UPLOADED", "VERIFYING", "VERIFIED"];
  /** Part number → bytes that went to it, sent again or not. */
  bytesSent = new Map();
  /** Reads files for the `Uploader`; what it finds can be changed by the file's `found`. */
  examiner = {
    examine: ({ found = {}, fingerprint = "f1", sha256 = "s1" }, { signal }) => ({
      fingerprint: Promise.resolve(fingerprint),
      head: Promise.resolve({ problem: null, firstRead: null, ...found.head }),
      whole: found.whole?.(signal) ?? Promise.resolve({ sha256, problem: null }),
    }),
  };
  #back = [];

  /** The options of an `Uploader` on this store. */
  get options() {
    return {
      apiUrl: "/api",
      csrfToken: () => "token",
      send: (request) => this.send(request),
      sleep: (ms, signal) => this.sleep(ms, signal),
      random: () => 0.5,
      now: () => 0,
      examiner: this.examiner,
      network: {
        isOnline: () => this.isOnline,
        online: () => new Promise((resolve) => this.#back.push(resolve)),
      },
    };
  }

  /** The network is there again. */
  goOnline() {
    this.isOnline = true;
    for (const resolve of this.#back.splice(0)) resolve();
  }

  async sleep(ms, signal) {
    this.pauses.push(ms);
    await new Promise(setImmediate);
    signal?.throwIfAborted();
  }

  async send(request) {
    this.requests.push(request);
    const isToStore = isPut(request) || isForm(request);
    if (isToStore) this.running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.running);
    await new Promise(setImmediate);
    if (isToStore) this.running -= 1;
    request.signal?.throwIfAborted();
    for (const one of this.faults) {
      const response = one(request);
      if (response) return response;
    }
    if (isForm(request)) return this.#form(request);
    return isPut(request) ? this.#put(request) : this.#call(request);
  }

  /** The bodies of the API's calls to a path, parsed. */
  bodies(path) {
    return this.requests.filter(calls(path)).map((request) => JSON.parse(request.body));
  }

  /** The requests as `METHOD address`, without what makes PUTs differ in their generation. */
  get steps() {
    return this.requests.map(({ method: verb, url }) => `${verb} ${url.replace(/@\d+$/, "")}`);
  }

  /** A file that is there from before; the claims of `fields` add to those of a job's. */
  add(fields) {
    const fileId = fields.fileId ?? `file-${this.files.size}`;
    const file = { groupId: "1", numberParts: null, status: "VERIFIED", sha256: null, size: null, ...fields };
    const claims = { fingerprint: "f1", partSize: null, sha256: null, ...fields.claims };
    this.files.set(fileId, { parts: [], generation: 0, looks: 0, ...file, fileId, claims });
    return this.files.get(fileId);
  }

  /** From now on the URLs that were given out are refused. */
  expireUrls() {
    for (const file of this.files.values()) file.generation += 1;
  }

  async #put({ url, body, onProgress }) {
    const [, fileId, part, generation] = /^store:(.+)#(\d+)@(\d+)/.exec(url);
    const file = this.files.get(fileId);
    onProgress?.(Math.floor(body.size / 2));
    onProgress?.(body.size);
    if (!file || file.status !== "REQUESTED") return answer(404, "<Code>NoSuchUpload</Code>");
    if (Number(generation) !== file.generation) return answer(403, "<Code>AccessDenied</Code>");
    this.bytesSent.set(Number(part), (this.bytesSent.get(Number(part)) ?? 0) + body.size);
    file.parts[part] = { size: body.size, text: await body.text() };
    return answer(200, "", { ETag: `"etag-${part}"` });
  }

  async #form({ body }) {
    const [fileId, file] = [body.get("key"), body.get("file")];
    const taken = await this.#put({ url: `store:${fileId}#1@0`, body: file });
    return taken.status === 200 ? answer(204) : taken;
  }

  #call({ method: verb, url, body }) {
    const { pathname, searchParams } = new URL(url, "http://host");
    const path = pathname.replace("/api/files", "");
    const fileId = path.split("/")[1];
    if (verb === "DELETE") return this.files.delete(fileId) ? answer(204) : problem(404, "file_not_found");
    if (verb === "GET") return fileId ? this.#describe(fileId) : this.#list(searchParams);
    if (path.endsWith("/renew")) return this.#renew(fileId);
    if (path.includes("/request-")) return this.#request(JSON.parse(body), searchParams);
    return this.#complete(JSON.parse(body));
  }

  #request(items, parameters) {
    const numberParts = parameters.has("numberParts") ? Number(parameters.get("numberParts")) : null;
    const made = items.map((claims) => {
      const groupId = parameters.get("groupId");
      const file = this.add({ groupId, claims, numberParts, status: "REQUESTED" });
      const urls = this.#urls(file).map(({ url }) => url);
      const { fileId } = file;
      if (numberParts) return { fileId, urls };
      const form = { presignedPost: { url: "store:form", fields: { key: fileId, policy: "p1" } } };
      return { fileId, url: urls[0], ...(this.hasForms && parameters.get("presignedPost") === "true" && form) };
    });
    return answer(200, made);
  }

  #urls(file) {
    const numbers = Array.from({ length: file.numberParts ?? 1 }, (_, index) => index + 1);
    return numbers.map((number) => ({
      partNumber: number,
      url: `store:${file.fileId}#${number}@${file.generation}`,
    }));
  }

  #renew(fileId) {
    const file = this.files.get(fileId);
    if (!file) return problem(404, "file_not_found");
    if (file.status === "EXPIRED") return problem(422, "upload_expired");
    if (file.status === "REQUESTED" && !file.numberParts && file.parts[1]) file.status = "UPLOADED";
    const { status } = file;
    if (status !== "REQUESTED") return answer(200, { fileId, status, urls: [], uploadedParts: [] });
    if (!file.numberParts) return answer(200, { fileId, status, url: this.#urls(file)[0].url });
    const urls = this.#urls(file).filter(({ partNumber }) => !file.parts[partNumber]);
    const uploadedParts = file.parts.map(({ size }, partNumber) => ({
      partNumber,
      size,
      etag: `"etag-${partNumber}"`,
    }));
    return answer(200, { fileId, status, urls, uploadedParts: uploadedParts.filter(Boolean) });
  }

  #complete(items) {
    const errors = [];
    const results = [];
    for (const { fileId, sha256 } of items) {
      const file = this.files.get(fileId);
      const known = file && (file.sha256 ?? file.claims.sha256);
      if (!file) errors.push({ fileId, code: "file_not_found", detail: "There is no such file." });
      else if (known && known !== sha256) errors.push({ fileId, code: "sha256_mismatch", detail: "Another." });
      else results.push(this.#completed(file, sha256));
    }
    return errors.length ? answer(422, { code: "validation_failed", errors, results }) : answer(200, results);
  }

  #completed(file, sha256) {
    file.claims.sha256 = sha256;
    file.size = file.claims.size;
    if (file.status === "REQUESTED") file.status = "UPLOADED";
    return { fileId: file.fileId, status: file.status };
  }

  #body({ parts: _parts, generation: _generation, looks: _looks, ...file }) {
    return { problem: null, checks: [], ...file, size: file.size ?? null };
  }

  #describe(fileId) {
    const file = this.files.get(fileId);
    return file ? answer(200, this.#body(file)) : problem(404, "file_not_found");
  }

  #list(parameters) {
    const asked = (name) => parameters.get(name)?.split(",");
    const [ids, fingerprints, statuses] = ["ids", "fingerprints", "status"].map(asked);
    const all = ids ? ids.map((id) => this.files.get(id)).filter(Boolean) : [...this.files.values()].reverse();
    const items = all.filter(
      ({ groupId, claims, status }) =>
        groupId === parameters.get("groupId") &&
        (!fingerprints || fingerprints.includes(claims.fingerprint)) &&
        (!statuses || statuses.includes(status)),
    );
    if (ids) items.forEach((file) => this.#moveOn(file));
    return answer(200, { items: items.map((file) => this.#body(file)), nextCursor: null });
  }

  /** Verification goes a step with each look. */
  #moveOn(file) {
    if (!["UPLOADED", "VERIFYING"].includes(file.status)) return;
    file.status = this.statuses[Math.min(file.looks, this.statuses.length - 1)];
    file.looks += 1;
  }
}

export const MIB = 1024 * 1024;

/** A file of many MiB that holds next to nothing: its parts say where they are from. */
export function largeFile(size, more = {}) {
  const slice = (start, end) => ({
    size: end - start,
    text: async () => `${start}-${end}`,
    slice: () => new Blob(["x"]),
  });
  return { size, slice, ...more };
}

/** A small file that the examiner finds `more` in. */
export const smallFile = (text, more = {}) => Object.assign(new Blob([text]), more);

/** A job for `file`, with its `actions` and an `abort()`. */
export function job(file, more = {}) {
  const controller = new AbortController();
  const actions = [];
  const ofType = (...types) => actions.filter(({ type }) => types.includes(type));
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
    ofType,
    get ends() {
      return ofType("uploaded", "verified", "failed");
    },
    get end() {
      return this.ends.at(-1);
    },
    get sent() {
      return ofType("progress").map(({ sentBytes }) => sentBytes);
    },
    /** What the row said, but for the checking that all begin with. */
    get notes() {
      return ofType("note")
        .map(({ note }) => note)
        .filter((note) => note && note !== "Checking");
    },
    ...more,
  };
}

/** Upload the jobs side by side with one `Uploader`, all to their ends. */
export async function upload(store, ...jobs) {
  const uploader = new Uploader(store.options);
  await Promise.all(jobs.map((one) => uploader.upload(one)));
}

/** What an earlier session has left of a file of 96 MiB in parts of 12: those of `there` arrived. */
export function begun(store, there, fields = {}) {
  const claims = { size: 96 * MIB, partSize: 12 * MIB, ...fields.claims };
  const file = store.add({ fileId: "begun", status: "REQUESTED", numberParts: 8, ...fields, claims });
  for (const number of there) file.parts[number] = { size: 12 * MIB, text: "before" };
  return file;
}

/** The part numbers of all PUTs, in their order. */
export const puts = (store) => store.requests.filter(isPut).map(({ url }) => Number(/#(\d+)@/.exec(url)[1]));

/** The total of numbers, in an array or an iterator. */
export const sum = (numbers) => [...numbers].reduce((total, one) => total + one, 0);
