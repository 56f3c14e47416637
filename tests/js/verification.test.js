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

function watch(store, one) {
  store.files.set("f", { parts: [], polls: 0 });
  return new Watcher(new FilesApi(store.options), store.options).watch(one, "f");
}

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

test("pauses between looks grow to fifteen seconds", async () => {
  const store = new Store();
  store.statuses = [...Array(12).fill("VERIFYING"), "VERIFIED"];
  await watch(store, job(undefined));
  assert.equal(store.pauses[0], 500);
  assert.ok(store.pauses.every((pause, index) => !index || pause >= store.pauses[index - 1]));
  assert.equal(store.pauses.at(-1), 15_000);
});

test("an uploaded file does not fail because the server cannot be asked", async () => {
  const store = new Store();
  const problem = { code: "not_authenticated", detail: "Log in first." };
  store.faults = [fault(calls("files/f"), answer(401, problem), 2)];
  const one = job(undefined);
  await watch(store, one);
  assert.deepEqual(one.notes, Array(2).fill("Verification cannot be followed: Log in first."));
  assert.deepEqual(one.actions.at(-2), { type: "note", note: "" });
  assert.deepEqual(one.ends, [{ type: "verified" }]);
});

test("a file that is gone is a failure", async () => {
  const store = new Store();
  store.faults = [
    fault(calls("files/f"), answer(404, { code: "file_not_found", detail: "There is no such file." })),
  ];
  await assert.rejects(watch(store, job(undefined)), /no such file/);
});

test("four files are asked for at once", async () => {
  const store = new Store();
  const api = new FilesApi(store.options);
  const watcher = new Watcher(api, store.options);
  let running = 0;
  let most = 0;
  store.faults = [
    (request) => {
      if (request.method === "GET") running -= 1;
      return null;
    },
  ];
  const send = store.send.bind(store);
  store.send = (request) => {
    running += 1;
    most = Math.max(most, running);
    return send(request);
  };
  const ids = Array.from({ length: 20 }, (_, index) => `f${index}`);
  for (const id of ids) store.files.set(id, { parts: [], polls: 0 });
  await Promise.all(ids.map((id) => watcher.watch(job(undefined), id)));
  assert.equal(most, 4);
});
