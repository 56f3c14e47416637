import assert from "node:assert/strict";
import { test } from "node:test";

import { Examiner } from "../../static/files/examiner.js";

const GOOD = { problem: null, firstRead: null };

/** Workers whose answers are given by hand: `sent` has their messages, `made` is how many there are. */
class Workers {
  constructor() {
    this.made = [];
    this.sent = [];
  }

  make = () => {
    const worker = new EventTarget();
    worker.isEnded = false;
    worker.postMessage = (message) => this.sent.push({ worker, ...message });
    worker.terminate = () => (worker.isEnded = true);
    this.made.push(worker);
    return worker;
  };

  /** The next job of this kind that was not answered yet, taken out of `sent`. */
  next(task) {
    const at = this.sent.findIndex((message) => message.task === task);
    return at < 0 ? null : this.sent.splice(at, 1)[0];
  }

  waiting(task) {
    return this.sent.filter((message) => message.task === task).length;
  }

  answer({ worker, id }, answer) {
    worker.dispatchEvent(Object.assign(new Event("message"), { data: { id, ...answer } }));
  }
}

function started({ processors = 4, files = 1 } = {}) {
  const workers = new Workers();
  const examiner = new Examiner({ makeWorker: workers.make, processors });
  const controller = new AbortController();
  const options = { contentCheck: "fastq", signal: controller.signal };
  const jobs = Array.from({ length: files }, (_, at) => examiner.examine(`file ${at}`, options));
  return { workers, examiner, controller, jobs, options };
}

/** Lets promises that are settled already run on. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

async function answerHeads(workers) {
  for (let job = workers.next("head"); job; job = workers.next("head")) {
    workers.answer(job, { answer: { fingerprint: `of ${job.file}`, head: GOOD } });
    await settled();
  }
}

test("what the Worker says of a file comes out", async () => {
  const { workers, jobs } = started();
  await answerHeads(workers);
  workers.answer(workers.next("whole"), { answer: { sha256: "ab", problem: null } });
  assert.equal(await jobs[0].fingerprint, "of file 0");
  assert.deepEqual(await jobs[0].head, GOOD);
  assert.deepEqual(await jobs[0].whole, { sha256: "ab", problem: null });
});

test("of 5,000 files eight heads are with the Worker at a time, in order", async () => {
  const { workers } = started({ files: 5000 });
  assert.equal(workers.waiting("head"), 8);
  const first = workers.next("head");
  workers.answer(first, { answer: { fingerprint: "", head: GOOD } });
  assert.equal(first.file, "file 0");
  assert.equal(workers.waiting("head"), 8);
  assert.equal(workers.sent.at(-1).file, "file 8");
});

for (const [processors, number] of [
  [1, 1],
  [3, 2],
  [64, 3],
]) {
  test(`with ${processors} processors ${number} files are read whole at once, each in a Worker of its own`, async () => {
    const { workers } = started({ processors, files: 8 });
    await answerHeads(workers);
    const wholes = workers.sent.filter(({ task }) => task === "whole");
    assert.deepEqual(
      wholes.map(({ file }) => file),
      Array.from({ length: number }, (_, at) => `file ${at}`),
    );
    assert.equal(new Set(wholes.map(({ worker }) => worker)).size, number);
    assert.equal(workers.made.length, number + 1);
  });
}

test("heads go on while wholes take their time", async () => {
  const { workers, jobs, examiner, options } = started({ files: 8 });
  await answerHeads(workers);
  await Promise.all(jobs.map(({ head }) => head));
  const late = examiner.examine("late", options);
  await answerHeads(workers);
  assert.equal(await late.fingerprint, "of late");
});

test("a file with a problem in its head is not read whole", async () => {
  const { workers, jobs } = started();
  const problem = { code: "fastq_header", detail: "…", line: 1 };
  workers.answer(workers.next("head"), { answer: { fingerprint: "", head: { problem, firstRead: null } } });
  assert.deepEqual(await jobs[0].whole, { sha256: null, problem });
  assert.equal(workers.waiting("whole"), 0);
});

test("an abort rejects at once, tells the Worker, and passes over what waits", async () => {
  const { workers, controller, jobs, examiner } = started({ files: 20 });
  const other = examiner.examine("other", { contentCheck: "", signal: new AbortController().signal });
  const [running] = workers.sent;
  controller.abort(new Error("discarded"));
  for (const promise of [jobs[0].head, jobs[19].fingerprint, jobs[19].whole])
    await assert.rejects(promise, { message: "discarded" });
  assert.ok(workers.sent.some(({ id, task }) => id === running.id && task === "abort"));
  for (let number = 0; number < 8; number += 1)
    workers.answer(workers.next("head"), { error: { name: "AbortError", message: "" } });
  assert.equal(workers.sent.at(-1).file, "other");
  await answerHeads(workers);
  assert.equal(await other.fingerprint, "of other");
});

test("a file that is aborted before is not looked at", async () => {
  const { workers, examiner } = started({ files: 0 });
  const { head } = examiner.examine("file", { contentCheck: "", signal: AbortSignal.abort(new Error("gone")) });
  await assert.rejects(head, { message: "gone" });
  assert.equal(workers.made.length, 0);
});

test("an error of the Worker keeps its name", async () => {
  const { workers, jobs } = started();
  workers.answer(workers.next("head"), { error: { name: "NotReadableError", message: "changed" } });
  for (const promise of Object.values(jobs[0])) await assert.rejects(promise, { name: "NotReadableError" });
});

test("a Worker that does not load fails all, and no other is tried", async () => {
  const { workers, jobs, examiner, options } = started({ files: 20 });
  workers.made[0].dispatchEvent(new Event("error"));
  const late = examiner.examine("late", options);
  for (const promise of [jobs[0].head, jobs[19].whole, late.fingerprint])
    await assert.rejects(promise, { name: "ExaminerError" });
  assert.deepEqual([workers.made.length, workers.made[0].isEnded], [1, true]);
});

test("where no Worker can be made that is said", async () => {
  const makeWorker = () => {
    throw new Error("forbidden");
  };
  const { head } = new Examiner({ makeWorker }).examine("file", { contentCheck: "", signal: new AbortController().signal });
  await assert.rejects(head, { name: "ExaminerError", message: "Files cannot be examined here: forbidden" });
});

test("a Worker that breaks down later fails its own jobs, and another goes on", async () => {
  const { workers, jobs } = started({ processors: 2, files: 3 });
  await answerHeads(workers);
  workers.answer(workers.next("whole"), { answer: { sha256: "0", problem: null } });
  workers.next("whole").worker.dispatchEvent(new Event("error"));
  workers.answer(workers.next("whole"), { answer: { sha256: "2", problem: null } });
  assert.equal((await jobs[0].whole).sha256, "0");
  await assert.rejects(jobs[1].whole, { name: "ExaminerError" });
  assert.equal((await jobs[2].whole).sha256, "2");
});
