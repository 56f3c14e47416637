import assert from "node:assert/strict";
import { test } from "node:test";

import {
  blockingRows,
  hiddenValue,
  initialState,
  reduce,
  reduceRows,
  totals,
} from "../../static/files/state.js";

function file(path, { size = 10, modified = 1, key = path } = {}) {
  return { key, path, size, modified };
}

function after(actions, rules = {}) {
  return actions.reduce(reduce, initialState(rules));
}

const added = (...items) => ({ type: "added", items });
const uploaded = (key) => ({ type: "uploaded", key, fileId: `id-of-${key}` });
const broken = { code: "request_failed", detail: "No.", retryable: true };
const statuses = (state) => Object.fromEntries([...state.rows.values()].map((row) => [row.key, row.status]));
const codes = (state) => [...state.rows.values()].map((row) => row.problem?.code ?? null);

test("a file goes from queued to verified", () => {
  const seen = [];
  let state = initialState();
  for (const action of [
    added(file("run/a.gz", { key: "a" })),
    { type: "started", key: "a" },
    { type: "progress", key: "a", sentBytes: 4 },
    uploaded("a"),
    { type: "verified", key: "a" },
  ]) {
    state = reduce(state, action);
    const row = state.rows.get("a");
    seen.push([row.status, row.sentBytes]);
  }
  assert.deepEqual(seen, [
    ["queued", 0],
    ["uploading", 0],
    ["uploading", 4],
    ["uploaded", 10],
    ["verified", 10],
  ]);
  const { path, name, fileId } = state.rows.get("a");
  assert.deepEqual({ path, name, fileId }, { path: "run/a.gz", name: "a.gz", fileId: "id-of-a" });
});

test("an action does not change the state it is applied to", () => {
  const before = after([added(file("a"))]);
  const row = before.rows.get("a");
  const next = reduce(before, { type: "started", key: "a" });
  assert.equal(before.rows.get("a"), row);
  assert.equal(row.status, "queued");
  assert.notEqual(next, before);
});

test("an action that changes nothing gives the same state", () => {
  const state = after([added(file("a")), { type: "progress", key: "a", sentBytes: 4 }]);
  assert.equal(reduce(state, { type: "progress", key: "a", sentBytes: 4 }), state);
  assert.equal(reduce(state, { type: "verified", key: "discarded" }), state);
  assert.equal(reduce(state, { type: "note", key: "discarded", note: "x" }), state);
});

test("an unknown action is a fault of ours", () => {
  assert.throws(() => reduce(initialState(), { type: "uplaoded" }), /no such action: uplaoded/);
});

test("progress that comes late does not bring a failed file back", () => {
  const failed = after([added(file("a")), { type: "failed", key: "a", problem: broken }]);
  assert.equal(reduce(failed, { type: "progress", key: "a", sentBytes: 9 }), failed);
  assert.equal(reduce(failed, { type: "started", key: "a" }), failed);
});

test("a failed file can be tried again", () => {
  const state = after([
    added(file("a")),
    { type: "failed", key: "a", problem: broken },
    { type: "retried", key: "a" },
  ]);
  const { status, problem, sentBytes } = state.rows.get("a");
  assert.deepEqual({ status, problem, sentBytes }, { status: "queued", problem: null, sentBytes: 0 });
});

test("hidden files are no rows, and are told", () => {
  const state = after([added(file("s1/.DS_Store"), file("s1/a"), file("s1/.x/b"))]);
  assert.deepEqual([...state.rows.keys()], ["s1/a"]);
  assert.deepEqual(state.leftOut, ["s1/.DS_Store", "s1/.x/b"]);
});

test("what was left out stays told until the last file is discarded", () => {
  const some = after([added(file(".x"), file("a")), added(file(".x"), file(".y"), file("b"))]);
  assert.deepEqual(some.leftOut, [".x", ".y"]);
  const one = reduce(some, { type: "discarded", keys: ["a"] });
  assert.deepEqual(one.leftOut, [".x", ".y"]);
  assert.deepEqual(reduce(one, { type: "discarded", keys: ["b"] }).leftOut, []);
});

test("a second file of the same name is refused, and let through once the first is discarded", () => {
  const both = after([added(file("s1/Reads.gz"), file("s2/reads.gz"))]);
  assert.deepEqual(statuses(both), { "s1/Reads.gz": "queued", "s2/reads.gz": "failed" });
  assert.equal(both.rows.get("s2/reads.gz").problem.code, "file_name_duplicate");
  const one = reduce(both, { type: "discarded", keys: ["s1/Reads.gz"] });
  assert.deepEqual(statuses(one), { "s2/reads.gz": "queued" });
  assert.deepEqual(codes(one), [null]);
});

test("keeping the second file of a name discards the first", () => {
  const state = after([
    added(file("s1/a"), file("b"), file("s2/a")),
    uploaded("s1/a"),
    { type: "replaced", key: "s2/a" },
  ]);
  assert.deepEqual(statuses(state), { b: "queued", "s2/a": "queued" });
  assert.equal(reduce(state, { type: "replaced", key: "gone" }).rows.size, 2);
});

test("a file that was sent keeps its name against one that was not", () => {
  const waiting = after([added(file("s1/a"), file("s2/a"))]);
  const state = after([added(file("s1/a")), uploaded("s1/a"), added(file("s2/a"))]);
  assert.deepEqual(statuses(waiting), { "s1/a": "queued", "s2/a": "failed" });
  assert.deepEqual(statuses(state), { "s1/a": "uploaded", "s2/a": "failed" });
});

test("files beyond the most are refused, and let through when there is room", () => {
  const three = after([added(file("a"), file("b"), file("c"))], { maxFiles: 2 });
  assert.deepEqual(codes(three), [null, null, "too_many_files"]);
  assert.deepEqual(codes(reduce(three, { type: "discarded", keys: ["a"] })), [null, null]);
});

test("a file that is refused takes no place of another", () => {
  const state = after([added(file("a:b"), file("b"), file("c"))], { maxFiles: 2 });
  assert.deepEqual(codes(state), ["file_name_invalid", null, null]);
});

test("the same file chosen again stays as it is, and is told", () => {
  const state = after([added(file("a")), uploaded("a"), added(file("a", { key: "again" }), file("b"))]);
  assert.deepEqual(statuses(state), { a: "uploaded", b: "queued" });
  assert.deepEqual(state.sameAgain, ["a"]);
});

test("a changed file of the same name is another file", () => {
  const state = after([added(file("a")), uploaded("a"), added(file("a", { key: "new", modified: 2 }))]);
  assert.deepEqual(statuses(state), { a: "uploaded", new: "failed" });
  assert.deepEqual(state.sameAgain, []);
});

test("a file chosen again takes the place of its failed upload, corrected or not", () => {
  for (const modified of [1, 2]) {
    const state = after([
      added(file("run/a")),
      { type: "failed", key: "run/a", problem: broken },
      added(file("run/a", { key: "new", modified })),
    ]);
    assert.deepEqual(statuses(state), { new: "queued" });
  }
});

test("a failed file of another folder is not replaced without a word", () => {
  const failed = { type: "failed", key: "s1/a", problem: broken };
  const state = after([added(file("s1/a")), failed, added(file("s2/a"))]);
  assert.deepEqual(statuses(state), { "s1/a": "failed", "s2/a": "failed" });
});

test("a form that comes back shows its files as uploaded, and those that were missing as failed", () => {
  const items = [
    { key: "1", name: "a", size: 3, fileId: "f1" },
    { key: "2", name: "b", size: 5 },
  ];
  const state = after([{ type: "restored", items }]);
  assert.deepEqual(statuses(state), { 1: "uploaded", 2: "failed" });
  assert.deepEqual(codes(state), [null, "file_not_uploaded"]);
  const again = reduce(state, added(file("run/a", { size: 3 }), file("run/b", { size: 5 })));
  assert.deepEqual(statuses(again), { 1: "uploaded", "run/b": "queued" });
  assert.deepEqual(again.sameAgain, ["run/a"]);
});

test("totals count files by state and bytes of those that did not fail", () => {
  const state = after([
    added(file("a"), file("b"), file("c"), file("d", { size: 100 }), file("e")),
    { type: "progress", key: "a", sentBytes: 4 },
    uploaded("b"),
    uploaded("c"),
    { type: "verified", key: "c" },
    { type: "failed", key: "d", problem: broken },
  ]);
  assert.deepEqual(totals(state), {
    files: 5,
    queued: 1,
    uploading: 1,
    uploaded: 1,
    verified: 1,
    failed: 1,
    bytes: 40,
    sentBytes: 24,
    pending: 2,
    ready: 2,
  });
  assert.deepEqual(
    blockingRows(state).map((row) => row.key),
    ["a", "d", "e"],
  );
});

test("the form sends the IDs of what is ready, and items without ID for what is not", () => {
  const state = after([
    added(file("run/a"), file("b", { size: 20 }), file("c")),
    uploaded("run/a"),
    uploaded("c"),
    { type: "failed", key: "c", problem: broken },
  ]);
  assert.deepEqual(JSON.parse(hiddenValue(state)), [
    { fileId: "id-of-run/a", name: "a", size: 10 },
    { name: "b", size: 20 },
    { name: "c", size: 10 },
  ]);
  assert.equal(hiddenValue(initialState()), "");
});

test("several actions about rows come to the same as one after the other", () => {
  const state = after([added(file("a"), file("b"), file("c"))]);
  const actions = [
    { type: "progress", key: "a", sentBytes: 4 },
    uploaded("b"),
    { type: "progress", key: "a", sentBytes: 9 },
    { type: "verified", key: "b" },
    { type: "note", key: "discarded", note: "x" },
  ];
  assert.deepEqual(reduceRows(state, actions), actions.reduce(reduce, state));
  assert.equal(reduceRows(state, []), state);
});
