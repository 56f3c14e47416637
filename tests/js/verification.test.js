import assert from "node:assert/strict";
import { test } from "node:test";

import { FilesApi } from "../../static/files/api.js";
import { Watcher, outcomeOf } from "../../static/files/verification.js";
import { Store, answer, calls, fault, job } from "./store.js";

const failed = {
  check: "fastq",
  status: "FAILED",
  code: "fastq_quality_length",
  detail: "Line 4 is short.",
  line: 4,
  offset: null,
};
const passed = { check: "fastq", status: "PASSED", code: "", detail: "" };

/** A watcher on a store that has these files, uploaded. */
function watcherOf(store, ...ids) {
  for (const fileId of ids) store.add({ fileId, status: "UPLOADED" });
  return new Watcher(new FilesApi(store.options), store.options);
}

const looks = (store) => store.requests.filter(calls("ids="));

test("a file that is not yet decided has no outcome", () => {
  for (const status of ["REQUESTED", "UPLOADED", "VERIFYING"]) {
    assert.equal(outcomeOf({ status, checks: [] }, "fastq"), null);
  }
});

test("a verified file whose check passed, or that needs none, is verified", () => {
  assert.deepEqual(outcomeOf({ status: "VERIFIED", checks: [passed] }, "fastq"), { type: "verified" });
  assert.deepEqual(outcomeOf({ status: "VERIFIED", checks: [] }, "none"), { type: "verified" });
});

test("a failed check of the category fails the file, with its place", () => {
  const { code, detail, line, offset } = failed;
  const outcome = { type: "failed", problem: { code, detail, line, offset } };
  assert.deepEqual(outcomeOf({ status: "VERIFIED", checks: [failed] }, "fastq"), outcome);
});

test("a failed check of another category does not", () => {
  assert.deepEqual(outcomeOf({ status: "VERIFIED", checks: [failed] }, "gzip"), { type: "verified" });
});

test("a rejected file fails with its reason and can be sent again", () => {
  const problem = { code: "size_mismatch", detail: "4 bytes instead of 5." };
  const outcome = { type: "failed", problem: { ...problem, retryable: true } };
  assert.deepEqual(outcomeOf({ status: "REJECTED", problem, checks: [] }, "none"), outcome);
});

test("an expired file fails", () => {
  assert.equal(outcomeOf({ status: "EXPIRED", checks: [] }, "none").problem.code, "upload_expired");
});

test("looks at a file grow rarer, to one in fifteen seconds", async () => {
  const store = new Store();
  store.statuses = [...Array(15).fill("VERIFYING"), "VERIFIED"];
  const rounds = [];
  store.faults = [(request) => void (calls("ids=")(request) && rounds.push(store.pauses.length))];
  await watcherOf(store, "f").watch(job(undefined), "f");
  assert.ok(store.pauses.every((ms) => ms === 500));
  const between = rounds.map((round, index) => round - (rounds[index - 1] ?? 0));
  assert.equal(between[0], 1);
  assert.ok(between.every((rest, index) => !index || rest >= between[index - 1]), `${between}`);
  assert.equal(between.at(-1), 30);
});

test("thousands of files share their looks, one call after the other", async () => {
  const store = new Store();
  store.statuses = ["VERIFYING", "VERIFYING", "VERIFIED"];
  const ids = Array.from({ length: 5000 }, (_, index) => `f${index}`);
  const watcher = watcherOf(store, ...ids);
  let [running, most] = [0, 0];
  const send = store.send.bind(store);
  store.send = async (request) => {
    most = Math.max(most, (running += 1));
    const response = await send(request);
    running -= 1;
    return response;
  };
  const jobs = ids.map(() => job(undefined));
  await Promise.all(jobs.map((one, index) => watcher.watch(one, ids[index])));
  assert.ok(jobs.every((one) => one.end.type === "verified"));
  assert.equal(looks(store).length, (3 * 5000) / 50);
  assert.equal(most, 1);
});

test("a look that is due takes along the files that are due next", async () => {
  const store = new Store();
  store.statuses = [...Array(8).fill("VERIFYING"), "VERIFIED"];
  const ids = Array.from({ length: 50 }, (_, index) => `f${index}`);
  for (const fileId of ids) store.add({ fileId, status: "UPLOADED" });
  let seed = 0;
  const options = { ...store.options, random: () => ((seed += 7) % 10) / 10 };
  const watcher = new Watcher(new FilesApi(options), options);
  await Promise.all(ids.map((id) => watcher.watch(job(undefined), id)));
  assert.equal(looks(store).length, 9);
});

test("two rows with one file are both told, by one look", async () => {
  const store = new Store();
  const watcher = watcherOf(store, "f");
  const jobs = [job(undefined), job(undefined)];
  await Promise.all(jobs.map((one) => watcher.watch(one, "f")));
  assert.deepEqual(
    jobs.map(({ ends }) => ends),
    Array(2).fill([{ type: "verified" }]),
  );
  assert.equal(looks(store).length, 3);
});

test("files of different groups are not asked for in one call", async () => {
  const store = new Store();
  const watcher = watcherOf(store, "f");
  store.add({ fileId: "g", status: "UPLOADED", groupId: "2" });
  const [one, other] = [job(undefined), job(undefined, { groupId: "2" })];
  await Promise.all([watcher.watch(one, "f"), watcher.watch(other, "g")]);
  assert.equal(one.end.type, "verified");
  assert.equal(other.end.type, "verified");
});

test("an uploaded file does not fail because the server cannot be asked", async () => {
  const store = new Store();
  const problem = { code: "not_authenticated", detail: "Send a token." };
  store.faults = [fault(calls("ids="), answer(401, problem), 2)];
  const one = job(undefined);
  await watcherOf(store, "f").watch(one, "f");
  const note = "Verification cannot be followed: You are logged out. Log in in another window, and try again here.";
  assert.deepEqual(one.notes, Array(2).fill(note));
  assert.equal(one.ofType("note").at(-1).note, "");
  assert.deepEqual(one.ends, [{ type: "verified" }]);
});

test("a file that is gone is a failure of its row alone", async () => {
  const store = new Store();
  const watcher = watcherOf(store, "f");
  const one = job(undefined);
  const watching = [watcher.watch(job(undefined), "gone"), watcher.watch(one, "f")];
  await assert.rejects(watching[0], /not on the server any more/);
  await watching[1];
  assert.equal(one.end.type, "verified");
});

test("a discarded file is not asked for, and the loop goes on for others", async () => {
  const store = new Store();
  const watcher = watcherOf(store, "f", "g");
  const [one, other] = [job(undefined), job(undefined)];
  const watching = [watcher.watch(one, "f"), watcher.watch(other, "g")];
  one.abort();
  await assert.rejects(watching[0], { name: "AbortError" });
  await watching[1];
  assert.ok(looks(store).every(({ url }) => url.endsWith("ids=g")));
  await watcher.watch(job(undefined), "g");
});
