/** Files that are on the server already, whole or in part, from before a reload or from another machine. No DOM. */

/** The best first: what is decided, what will be, what only needs its missing parts. */
const RANKS = ["VERIFIED", "VERIFYING", "UPLOADED", "REQUESTED"];

/** So many files are looked up one by one: one call instead of two for those who wait for a single file. */
const FEW = 10;

/** So many of many are looked up before it is known whether the group has any file: the first PUTs wait for no answer more. */
const EARLY = 12;

/** Whether all of the file's bytes are in the object store. */
export function isFinished(file) {
  return file.status !== "REQUESTED";
}

/** Whether the server's `file` may be the job's. `size` of a file that is under way is what was claimed. */
function mayBe(file, job) {
  const { size } = job.file;
  if (!RANKS.includes(file.status) || String(file.groupId) !== job.groupId) return false;
  if (isFinished(file)) return file.size === size;
  const { claims, numberParts } = file;
  if (claims.size !== size) return false;
  return numberParts === null || numberParts === Math.ceil(size / (claims.partSize ?? Infinity));
}

function byRank(one, other) {
  const rank = ({ status, numberParts }) => RANKS.indexOf(status) + (numberParts === null ? 0.5 : 0);
  return rank(one) - rank(other);
}

export class Recogniser {
  #api;
  #groups = new Map();
  #held = new Set();
  #begun = 0;

  /** `api` as in `api.js`. */
  constructor(api) {
    this.#api = api;
  }

  /** A job has begun; with many of them it pays to ask about the group, while the files are still being looked at. */
  prepare(job) {
    if (job.signal.aborted) return;
    this.#begun += 1;
    if (this.#isMany) this.#asked(job.groupId);
  }

  /** The files on the server that may be the job's, best first; equal in size and at begin and end. */
  async candidates(job, examination) {
    const own = job.fileId ? await this.#api.describe(job, job.fileId) : null;
    const fingerprint = await examination.fingerprint();
    if (own && mayBe(own, job) && fingerprint && own.claims.fingerprint === fingerprint) return [own];
    const found = fingerprint ? await this.#found(job, fingerprint) : [];
    return found.filter((file) => mayBe(file, job)).sort(byRank);
  }

  /** Whether the server's file, equal in size, begin and end, is the job's; one that nobody has read is claimed so. */
  async isSame(file, job, examination) {
    job.on({ type: "recognised", sentBytes: job.file.size });
    const sha256 = await examination.sha256();
    const known = file.sha256 ?? file.claims.sha256;
    const isSame = known ? known === sha256 : await this.#claim(job, file, sha256);
    if (!isSame) job.on({ type: "progress", sentBytes: 0 });
    return isSame;
  }

  /** Takes a file for one job of this page; false where another job is sending it, as two must not. */
  hold(fileId) {
    if (this.#held.has(fileId)) return false;
    this.#held.add(fileId);
    return true;
  }

  /** Lets the others have it. */
  release(fileId) {
    this.#held.delete(fileId);
  }

  async #claim(job, file, sha256) {
    if (!sha256) return false;
    try {
      await this.#api.complete(job, file.fileId, sha256);
      return true;
    } catch (error) {
      if (error.status === 422) return false; // its sha256 is another, or it is gone: not the file to use
      throw error;
    }
  }

  get #isMany() {
    return this.#begun > FEW;
  }

  async #found(job, fingerprint) {
    if (!this.#isMany) return this.#api.findUnattached(job, fingerprint);
    const group = this.#asked(job.groupId);
    group.company.join(job);
    if (group.early === EARLY) return (await group.answer) ? this.#api.findUnattached(job, fingerprint) : [];
    group.early += 1;
    const found = this.#api.findUnattached(job, fingerprint);
    return Promise.race([found, group.answer.then((hasAny) => (hasAny ? found : []))]);
  }

  /** Asked once a group: in one without unattached files nothing is recognised, and nothing needs looking up. */
  #asked(groupId) {
    if (!this.#groups.has(groupId)) {
      const company = new Company(groupId);
      const answer = this.#api.hasUnattached(company);
      answer.then(
        () => company.leave(),
        () => this.#groups.delete(groupId), // the next job asks again; this one tells the error
      );
      this.#groups.set(groupId, { company, answer, early: 0 });
    }
    return this.#groups.get(groupId);
  }
}

/** Stands for all jobs that wait for one answer: what is noted meanwhile is told to each, also to who comes later. */
class Company {
  #jobs = [];
  #noted = null;

  constructor(groupId) {
    this.groupId = groupId;
  }

  join(job) {
    this.#jobs?.push(job);
    if (this.#noted) job.on(this.#noted);
  }

  /** The answer is there, and nothing more will be told. */
  leave() {
    this.#jobs = this.#noted = null;
  }

  on(action) {
    this.#noted = action;
    for (const job of this.#jobs) job.on(action);
  }
}
