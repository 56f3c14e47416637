import assert from "node:assert/strict";
import { test } from "node:test";

import { blockingRows, canSend, hiddenValue, itemsOfValue, totals } from "../../static/files/selectors.js";
import { clashesOf, initialState, reduce, reduceRows } from "../../static/files/state.js";

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
const fileIds = (state) => Object.fromEntries([...state.rows.values()].map((row) => [row.key, row.fileId]));
const pick = (state, key) => {
  const { status, sentBytes, recognised } = state.rows.get(key);
  return [status, sentBytes, recognised];
};
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

test("a file that is tried again keeps its ID, so that what was sent of it counts", () => {
  const state = after([
    added(file("a")),
    { type: "requested", key: "a", fileId: "known" },
    { type: "failed", key: "a", problem: broken },
    { type: "retried", key: "a" },
  ]);
  assert.equal(state.rows.get("a").fileId, "known");
});

test("what was sent before counts as sent until it turns out to be another file", () => {
  const state = after([added(file("a")), { type: "recognised", key: "a", sentBytes: 6 }]);
  assert.deepEqual(pick(state, "a"), ["uploading", 6, 6]);
  assert.deepEqual(pick(reduce(state, { type: "progress", key: "a", sentBytes: 8 }), "a"), ["uploading", 8, 6]);
  assert.deepEqual(pick(reduce(state, { type: "progress", key: "a", sentBytes: 0 }), "a"), ["uploading", 0, 0]);
});

test("a file that is looked at waits, and one that waits for the network is uploading", () => {
  const noted = (note) => pick(after([added(file("a")), { type: "note", key: "a", note }]), "a")[0];
  assert.equal(noted("Checking"), "queued");
  assert.equal(noted(""), "queued");
  assert.equal(noted("Offline, waiting for the network"), "uploading");
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

test("a corrected file takes the place of one that was refused before it was sent", () => {
  const rules = { extensions: [], maxFileSize: 10 };
  const large = after([added(file("a", { size: 11 }))], rules);
  assert.deepEqual(codes(large), ["file_too_large"]);
  const again = reduce(large, added(file("a", { size: 11, key: "again" })));
  assert.deepEqual([Object.keys(statuses(again)), again.sameAgain], [["a"], ["a"]]);
  const smaller = reduce(large, added(file("a", { key: "new", modified: 2 })));
  assert.deepEqual(statuses(smaller), { new: "queued" });
});

test("files with names that are here already are asked about, the same files are not", () => {
  const state = after([added(file("s1/a"), file("b")), uploaded("s1/a")]);
  const items = [file("s2/A", { key: "1" }), file("b", { key: "2", modified: 2 }), file("s1/a", { key: "3" }), file("c")];
  const clashes = clashesOf(state, items).map(({ row, rows }) => [row.key, rows.map(({ key }) => key)]);
  assert.deepEqual(clashes, [
    ["1", ["s1/a"]],
    ["2", ["b"]],
  ]);
  const replaced = reduce(state, { type: "added", items, replacing: ["s1/a", "b"] });
  assert.deepEqual(statuses(replaced), { 1: "queued", 2: "queued", 3: "failed", c: "queued" });
  assert.deepEqual(clashesOf(initialState(), [file("s1/a"), file("s2/a")]), []);
});

const pair = { pairing: true, maxFiles: 2, minFiles: 2 };
const read = (key, mate, name = "r1") => ({ type: "examined", key, firstRead: { name, mate } });

test("two files that are not named as a pair are refused, the one that was sent is not", () => {
  const both = after([added(file("a_R1.fq"), file("b_R2.fq"))], pair);
  assert.deepEqual(codes(both), ["pair_file_names", "pair_file_names"]);
  const mended = reduce(reduce(both, { type: "discarded", keys: ["b_R2.fq"] }), added(file("a_R2.fq")));
  assert.deepEqual(codes(mended), [null, null]);
  const later = after([added(file("a_R1.fq")), uploaded("a_R1.fq"), added(file("b_R2.fq"))], pair);
  assert.deepEqual(codes(later), [null, "pair_file_names"]);
});

test("reads that are no pair fail both files, and the one that stays gets its state back", () => {
  const one = after([added(file("a_R1.fq"), file("a_R2.fq")), read("a_R1.fq", "1"), uploaded("a_R1.fq")], pair);
  assert.deepEqual(statuses(one), { "a_R1.fq": "uploaded", "a_R2.fq": "queued" });
  const both = reduceRows(one, [{ type: "started", key: "a_R2.fq" }, read("a_R2.fq", "1")]);
  assert.deepEqual(codes(both), ["pair_same_mate", "pair_same_mate"]);
  assert.deepEqual(statuses(reduce(both, { type: "discarded", keys: ["a_R2.fq"] })), { "a_R1.fq": "uploaded" });
  assert.deepEqual(statuses(reduce(both, { type: "discarded", keys: ["a_R1.fq"] })), { "a_R2.fq": "queued" });
  assert.deepEqual(codes(reduce(one, read("a_R2.fq", "2"))), [null, null]);
});

/** Plans by the first folder: `s…` are entries, all else is refused. */
function planner(paths) {
  const problem = { code: "submission_id_unknown", detail: "No such ID." };
  const placeOf = (path) =>
    path.startsWith("s") ? { entry: path.split("/")[0], problem: null } : { entry: null, problem };
  const places = new Map(paths.map((path) => [path, placeOf(path)]));
  return { isComplete: [...places.values()].every((place) => !place.problem), places };
}

test("with a plan names and numbers are judged entry by entry", () => {
  const rows = [file("s1/a"), file("s1/b"), file("s1/c"), file("s2/a"), file("s2/A")];
  const state = after([{ type: "planned", planner }, added(...rows)], { maxFiles: 2 });
  assert.deepEqual(codes(state), [null, null, "too_many_files", null, "file_name_duplicate"]);
  assert.equal(canSend(state), false);
  const other = reduce(state, { type: "replaced", key: "s2/A" });
  assert.deepEqual([...other.rows.keys()], ["s1/a", "s1/b", "s1/c", "s2/A"]);
  const mended = reduce(state, { type: "discarded", keys: ["s1/c", "s2/A"] });
  assert.deepEqual([codes(mended), canSend(mended)], [[null, null, null], true]);
  assert.deepEqual(
    clashesOf(mended, [file("s3/a", { key: "1" }), file("s1/a", { key: "2", modified: 2 })]).map(({ row }) => row.key),
    ["2"],
  );
});

test("files that no entry has are refused, and a new plan takes that back", () => {
  const state = after([{ type: "planned", planner }, added(file("s1/a"), file("x/a")), uploaded("s1/a")]);
  assert.deepEqual(codes(state), [null, "submission_id_unknown"]);
  assert.equal(canSend(state), false);
  const toAll = (paths) => ({ isComplete: true, places: new Map(paths.map((path) => [path, { entry: path, problem: null }])) });
  const mended = reduce(state, { type: "planned", planner: toAll });
  assert.deepEqual([codes(mended), canSend(mended)], [[null, null], true]);
  const toNone = (paths) => ({ isComplete: false, places: new Map(paths.map((path) => [path, planner(["x"]).places.get("x")])) });
  const lost = reduce(mended, { type: "planned", planner: toNone });
  assert.deepEqual(codes(lost), ["submission_id_unknown", "submission_id_unknown"]);
  assert.deepEqual(statuses(reduce(lost, { type: "planned", planner: toAll })), { "s1/a": "uploaded", "x/a": "queued" });
});

test("what the reading of one file brings up does not stop the others of a plan", () => {
  const rows = ["s1/a_1", "s1/a_2", "s2/a_1", "s2/a_2"].map((path) => file(path));
  const state = after([{ type: "planned", planner }, added(...rows), read("s1/a_1", "1"), read("s1/a_2", "1")], pair);
  assert.deepEqual(codes(state), ["pair_same_mate", "pair_same_mate", null, null]);
  assert.equal(canSend(state), true);
});

test("while there is no table yet, equal names in several folders are no problem", () => {
  const waiting = (paths) => ({ isComplete: false, places: new Map(paths.map((path) => [path, { entry: null, problem: null }])) });
  const state = reduce(initialState({ maxFiles: 1 }, waiting), added(file("s1/a"), file("s2/a")));
  assert.deepEqual([codes(state), canSend(state)], [[null, null], false]);
});

test("with a plan the form sends the files by submission ID, and takes them back by it", () => {
  const state = after([{ type: "planned", planner }, added(file("s1/a"), file("s10/a"), file("x/b")), uploaded("s10/a")]);
  const value = hiddenValue(state);
  assert.deepEqual(JSON.parse(value), {
    s1: [{ name: "a", size: 10 }],
    s10: [{ fileId: "id-of-s10/a", name: "a", size: 10 }],
    "": [{ name: "b", size: 10 }],
  });
  const items = itemsOfValue(value).map((item, index) => ({ ...item, key: String(index) }));
  const again = reduce(initialState({}, planner), { type: "restored", items });
  assert.deepEqual(
    [...again.rows.values()].map(({ path, entry, status }) => [path, entry, status]),
    [
      ["s1/a", "s1", "failed"],
      ["s10/a", "s10", "uploaded"],
      ["b", null, "failed"],
    ],
  );
});

test("a file that an entry has is known as such over a form that comes back", () => {
  const items = [{ key: "1", name: "a", size: 3, fileId: "f1", attached: true }];
  const state = after([{ type: "restored", items }]);
  assert.equal(state.rows.get("1").attached, true);
  assert.deepEqual(itemsOfValue(hiddenValue(state)), [{ fileId: "f1", name: "a", size: 3, attached: true }]);
});

test("a form that comes back shows its files as uploaded, and those that were missing as failed", () => {
  const items = [
    { key: "1", name: "a", size: 3, fileId: "f1" },
    { key: "2", name: "b", size: 5 },
  ];
  const state = after([{ type: "restored", items }]);
  assert.deepEqual(statuses(state), { 1: "uploaded", 2: "failed" });
  assert.deepEqual(codes(state), [null, "file_not_uploaded"]);
  const chosen = [file("run/a", { size: 3 }), file("run/b", { size: 5 })];
  // Of equal size they may be equal or corrected: the person is asked, and the uploader looks.
  assert.deepEqual(clashesOf(state, chosen).map(({ row }) => row.key), ["run/a"]);
  const again = reduce(state, { type: "added", items: chosen, replacing: ["1"] });
  assert.deepEqual(statuses(again), { "run/a": "queued", "run/b": "queued" });
  assert.deepEqual(fileIds(again), { "run/a": "f1", "run/b": null });
  assert.deepEqual(again.sameAgain, []);
});

test("a file that takes another's place goes on with what was sent of that, if it is of its size", () => {
  for (const [size, fileId] of [[10, "f1"], [11, null]]) {
    const state = after([
      added(file("run/a")),
      { type: "requested", key: "run/a", fileId: "f1" },
      { type: "failed", key: "run/a", problem: broken },
      added(file("run/a", { key: "new", modified: 2, size })),
    ]);
    assert.deepEqual(fileIds(state), { new: fileId });
  }
});

test("files that were never changed, as far as their disk says, are still not the same", () => {
  const state = after([added(file("s1/a", { modified: 0 }), file("s2/a", { modified: 0 }))]);
  assert.deepEqual(state.sameAgain, []);
  assert.equal(state.rows.size, 2);
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
    retryable: 1,
    bytes: 40,
    sentBytes: 24,
    recognised: 0,
    pending: 2,
    ready: 2,
    note: "",
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
