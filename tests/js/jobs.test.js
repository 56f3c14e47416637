import assert from "node:assert/strict";
import { test } from "node:test";

import { Jobs } from "../../static/files/jobs.js";
import { initialState, reduce } from "../../static/files/state.js";

/** Jobs over an uploader whose uploads end when the test says so. */
function jobsOf() {
  const uploads = [];
  const heard = [];
  const begin = (kind) => (job) => new Promise((end) => uploads.push({ kind, job, end }));
  const uploader = { upload: begin("upload"), watch: begin("watch") };
  const jobs = new Jobs({ uploader, dataset: { category: "c", organism: "o", contentCheck: "none" }, hear: (a) => heard.push(a) });
  return { jobs, uploads, heard };
}

function stateOf(count, more = []) {
  const items = Array.from({ length: count }, (_, index) => ({ key: `${index}`, path: `${index}`, size: 1, modified: 1 }));
  return [{ type: "added", items }, ...more].reduce(reduce, initialState());
}

test("thousands of files begin some at a time, and each once", () => {
  const { jobs, uploads } = jobsOf();
  const state = stateOf(250);
  assert.deepEqual([1, 2, 3, 4].map(() => jobs.run(state, "1", true)), [true, true, false, false]);
  assert.deepEqual(new Set(uploads.map(({ job }) => job.name)).size, 250);
  assert.equal(uploads.length, 250);
});

test("nothing is uploaded without a group or before the plan is complete, and what is uploaded is watched", () => {
  const { jobs, uploads } = jobsOf();
  const state = stateOf(2, [{ type: "uploaded", key: "0", fileId: "f" }]);
  jobs.run(state, "", true);
  jobs.run(state, "1", false);
  assert.deepEqual(uploads.map(({ kind, job }) => [kind, job.fileId]), [["watch", "f"]]);
});

test("a discarded upload is aborted, and what comes of it later is not heard", async () => {
  const { jobs, uploads, heard } = jobsOf();
  const state = stateOf(1);
  jobs.files.set("0", {});
  jobs.run(state, "1", true);
  const [{ job, end }] = uploads;
  job.on({ type: "started" });
  jobs.stop(reduce(state, { type: "discarded", keys: ["0"] }));
  job.on({ type: "progress", sentBytes: 1 });
  assert.equal(job.signal.aborted, true);
  assert.deepEqual(heard, [{ type: "started", key: "0" }]);
  assert.equal(jobs.files.size, 0);
  end();
});

test("a file that was refused meanwhile begins anew only when its aborted upload has ended", async () => {
  const { jobs, uploads, heard } = jobsOf();
  const state = stateOf(1);
  jobs.run(state, "1", true);
  const row = { ...state.rows.get("0"), status: "failed", problem: { own: true, was: "queued" } };
  jobs.stop({ ...state, rows: new Map([["0", row]]) });
  assert.equal(jobs.run(state, "1", true), false);
  assert.equal(uploads.length, 1);
  uploads[0].end();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(heard, [undefined]);
  jobs.run(state, "1", true);
  assert.equal(uploads.length, 2);
});

test("a file that is still looked at begins anew when the group is changed, and what is sent goes on", async () => {
  const { jobs, uploads } = jobsOf();
  const state = stateOf(2, [{ type: "uploaded", key: "0", fileId: "f" }]);
  jobs.run(state, "1", true);
  jobs.run(state, "2", true);
  assert.deepEqual(uploads.map(({ kind, job }) => [kind, job.signal.aborted]), [["watch", false], ["upload", true]]);
  uploads[1].end();
  await new Promise((resolve) => setImmediate(resolve));
  jobs.run(state, "2", true);
  assert.deepEqual(uploads.slice(2).map(({ kind, job }) => [kind, job.groupId]), [["upload", "2"]]);
});

test("a file that the page does not have cannot be tried again", () => {
  const { jobs, uploads, heard } = jobsOf();
  jobs.files.set("1", {});
  const sent = ["0", "1"].map((key) => ({ type: "uploaded", key, fileId: key }));
  jobs.run(stateOf(2, sent), "1", true);
  for (const { job } of uploads) job.on({ type: "failed", problem: { code: "x", retryable: true } });
  assert.deepEqual(heard.map(({ problem }) => problem.retryable), [false, true]);
});
