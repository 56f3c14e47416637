import assert from "node:assert/strict";
import { test } from "node:test";

import { Uploader } from "../../static/files/protocol.js";
import {
  MIB,
  Store,
  answer,
  begun,
  calls,
  fault,
  job,
  largeFile,
  method,
  puts,
  putsOf,
  smallFile,
  sum,
  upload,
} from "./store.js";

test("a reload sends only the missing parts, in the parts that were begun with", async () => {
  const store = new Store();
  begun(store, [1, 2, 5]);
  const one = job(largeFile(96 * MIB));
  await upload(store, one);
  assert.deepEqual(puts(store).sort(), [3, 4, 6, 7, 8]);
  assert.deepEqual(store.bodies("request-multipart"), []);
  const etags = Array.from({ length: 8 }, (_, n) => `"etag-${n + 1}"`);
  assert.deepEqual(store.bodies("complete-multipart"), [[{ fileId: "begun", etags, sha256: "s1" }]]);
  assert.deepEqual(one.ofType("requested", "recognised"), [
    { type: "requested", fileId: "begun" },
    { type: "recognised", sentBytes: 36 * MIB },
  ]);
  assert.equal(Math.min(...one.sent), 36 * MIB + 6 * MIB);
  assert.equal(one.sent.at(-1), 96 * MIB);
  assert.equal(one.end.type, "verified");
});

test("fingerprints are looked up together, fifty a call, and only in a group that has unattached files", async () => {
  const store = new Store();
  store.add({ claims: { fingerprint: "of another file" } });
  const jobs = Array.from({ length: 120 }, (_, n) => job(smallFile(`${n}`, { fingerprint: `f${n}` })));
  await upload(store, ...jobs);
  const lookups = store.requests.filter(calls("fingerprints="));
  assert.ok(lookups.every(calls("status=REQUESTED%2CUPLOADED%2CVERIFYING%2CVERIFIED&")));
  const sizes = lookups.map(({ url }) => new URL(url, "http://h").searchParams.get("fingerprints").split(",").length);
  assert.equal(sum(sizes), 120);
  assert.equal(Math.max(...sizes), 50);
  assert.ok(sizes.length <= 4, `${sizes}`);
  assert.equal(store.requests.filter(calls("attached=false")).length, sizes.length + 1);
});

test("many files ask once whether the group has any, a few are looked up at once", async () => {
  for (const [count, looks] of [
    [120, ["limit", "fingerprints"]],
    [10, ["fingerprints"]],
  ]) {
    const store = new Store();
    await upload(store, ...Array.from({ length: count }, (_, n) => job(smallFile(`${n}`, { fingerprint: `f${n}` }))));
    const asked = store.requests.filter(calls("attached=false")).map(({ url }) => new URL(url, "http://h").searchParams);
    assert.deepEqual(asked.map((one) => ["limit", "fingerprints"].find((name) => one.has(name))), looks);
    const early = asked.at(-1).get("fingerprints").split(",");
    assert.ok(early.length <= 12, "only the first of many are looked up before it is known whether there is any");
  }
});

test("a finished file that is the same is not sent again", async () => {
  for (const [status, fields] of [
    ["VERIFIED", { sha256: "s1" }],
    ["UPLOADED", { claims: { sha256: "s1" } }],
    ["VERIFYING", {}],
  ]) {
    const store = new Store();
    store.add({ fileId: "old", status, size: 4, ...fields });
    const one = job(smallFile("ACGT"));
    await upload(store, one);
    assert.deepEqual(puts(store), [], status);
    assert.deepEqual(one.ofType("recognised", "uploaded", "verified"), [
      { type: "recognised", sentBytes: 4 },
      { type: "uploaded", fileId: "old" },
      { type: "verified" },
    ]);
    assert.equal(store.files.get("old").claims.sha256, status === "VERIFIED" ? null : "s1");
  }
});

test("a file found on the server whose middle differs is sent anew", async () => {
  for (const fields of [
    { status: "VERIFIED", sha256: "other" },
    { status: "VERIFYING", claims: { sha256: "other" } },
    { status: "REQUESTED", parts: [undefined, { size: 4, text: "AAAA" }], claims: { size: 4, sha256: "other" } },
  ]) {
    const store = new Store();
    store.add({ fileId: "old", size: 4, ...fields });
    const one = job(smallFile("ACGT"));
    await upload(store, one);
    assert.deepEqual(puts(store), [1], fields.status);
    assert.equal(one.ends[0].fileId, "file-1");
    assert.equal(one.sent[0], 0);
    assert.equal(one.end.type, "verified");
  }
});

test("a finished file that turns out to be wrong stays on the server: it may be another's", async () => {
  const store = new Store();
  store.add({ fileId: "old", status: "VERIFIED", size: 4, sha256: "s1" });
  const problem = { code: "gzip_truncated", detail: "It ends early." };
  const one = job(smallFile("ACGT", { found: { whole: async () => ({ sha256: "s1", problem }) } }));
  await upload(store, one);
  assert.equal(one.end.problem.code, "gzip_truncated");
  assert.deepEqual([...store.files.keys()], ["old"]);
});

test("what cannot be the file is not taken for it", async () => {
  for (const fields of [
    { status: "VERIFIED", size: 5, sha256: "s1" },
    { status: "REJECTED", size: 4, problem: { code: "sha256_mismatch" } },
    { status: "REQUESTED", claims: { size: 5 } },
    { status: "REQUESTED", numberParts: 2, claims: { size: 4 } },
    { status: "REQUESTED", numberParts: 2, claims: { size: 4, partSize: 4 } },
    { status: "VERIFIED", size: 4, sha256: "s1", groupId: "2" },
  ]) {
    const store = new Store();
    store.add({ fileId: "old", ...fields });
    const one = job(smallFile("ACGT"));
    await upload(store, one);
    assert.equal(one.ends[0].fileId, "file-1", JSON.stringify(fields));
  }
});

test("parts of another length are not gone on with", async () => {
  const store = new Store();
  const file = begun(store, [1, 2]);
  file.parts[2].size = 5;
  const one = job(largeFile(96 * MIB));
  await upload(store, one);
  assert.equal(one.ends[0].fileId, "file-1");
});

test("what was begun for another group is not gone on with", async () => {
  const store = new Store();
  const { fileId } = store.add({ groupId: 2, status: "REQUESTED", claims: { size: 4 } });
  const one = job(smallFile("ACGT"), { fileId });
  await upload(store, one);
  assert.equal(one.ends[0].fileId, "file-1");
});

test("the best of several is taken: a finished one, then one in parts", async () => {
  const store = new Store();
  store.add({ fileId: "done", status: "VERIFIED", size: 96 * MIB, sha256: "s1" });
  begun(store, [1]);
  store.add({ fileId: "single", status: "REQUESTED", claims: { size: 96 * MIB } });
  const one = job(largeFile(96 * MIB));
  await upload(store, one);
  assert.equal(one.ends[0].fileId, "done");
  store.files.delete("done");
  const other = job(largeFile(96 * MIB));
  await upload(store, other);
  assert.equal(other.ends[0].fileId, "begun");
});

test("two rows with the same content do not send the same parts", async () => {
  const store = new Store();
  begun(store, [1]);
  const [one, other] = [job(largeFile(96 * MIB)), job(largeFile(96 * MIB))];
  await upload(store, one, other);
  const ids = [one, other].map(({ ends }) => ends[0].fileId);
  assert.deepEqual(ids.sort(), ["begun", "file-1"]);
  assert.equal(puts(store).length, 7 + 6);
});

test("an upload that another row has given up can be gone on with", async () => {
  const store = new Store();
  begun(store, [1]);
  const uploader = new Uploader(store.options);
  const one = job(largeFile(96 * MIB));
  store.faults = [fault(putsOf(4), answer(400))];
  await uploader.upload(one);
  assert.equal(one.end.type, "failed");
  const other = job(largeFile(96 * MIB));
  await uploader.upload(other);
  assert.equal(other.ends[0].fileId, "begun");
});

test("a single upload that has arrived unseen is completed, not sent again", async () => {
  const store = new Store();
  const parts = [undefined, { size: 4, text: "ACGT" }];
  store.add({ fileId: "old", status: "REQUESTED", parts, claims: { size: 4 } });
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  assert.deepEqual(puts(store), []);
  assert.deepEqual(store.bodies("complete-upload"), [[{ fileId: "old", sha256: "s1" }]]);
  assert.deepEqual(one.ofType("recognised"), [{ type: "recognised", sentBytes: 4 }]);
  assert.equal(one.end.type, "verified");
});

test("trying again goes on where the attempt before ended, without looking for it", async () => {
  const store = new Store();
  const uploader = new Uploader(store.options);
  store.faults = [fault(putsOf(6), answer(400))];
  const file = largeFile(96 * MIB);
  const one = job(file);
  await uploader.upload(one);
  const there = store.files.get("file-0").parts.filter(Boolean).length;
  const again = job(file, { fileId: "file-0" });
  store.requests = [];
  await uploader.upload(again);
  assert.equal(puts(store).length, 6 - there);
  assert.deepEqual(store.requests.filter(calls("fingerprints=")), []);
  assert.equal(again.end.type, "verified");
});

test("trying again what is gone or refused sends a new file", async () => {
  for (const fields of [{ fileId: "other" }, { fileId: "tried", status: "REJECTED" }, { status: "EXPIRED" }]) {
    const store = new Store();
    store.add({ fileId: "tried", size: 4, claims: { size: 4, fingerprint: "?" }, ...fields });
    const one = job(smallFile("ACGT"), { fileId: "tried" });
    await upload(store, one);
    assert.equal(one.ends[0].fileId, "file-1");
  }
});

test("a group that cannot be asked fails the file with the server's words, and is asked anew", async () => {
  const store = new Store();
  const problem = { code: "not_a_member", detail: "You are not a member." };
  store.faults = [fault(method("GET"), answer(403, problem))];
  const uploader = new Uploader(store.options);
  const [one, other] = [job(smallFile("x")), job(smallFile("x"))];
  await uploader.upload(one);
  assert.deepEqual(one.end.problem, { ...problem, retryable: true });
  await uploader.upload(other);
  assert.equal(other.end.type, "verified");
});

test("where no Worker runs, files are sent without being recognised", async () => {
  const store = new Store();
  store.add({ fileId: "old", status: "VERIFIED", size: 4, sha256: "s1" });
  const nothing = Promise.reject(Object.assign(new Error("no Worker"), { name: "ExaminerError" }));
  const examiner = { examine: () => ({ fingerprint: nothing, head: nothing, whole: nothing }) };
  store.add({ fileId: "unread", status: "UPLOADED", size: 4 });
  const jobs = [undefined, "old", "unread"].map((fileId) => job(smallFile("ACGT"), { fileId }));
  const uploader = new Uploader({ ...store.options, examiner });
  await Promise.all(jobs.map((one) => uploader.upload(one)));
  for (const one of jobs) assert.match(one.ends[0].fileId, /^file-/);
  assert.ok(jobs.every((one) => one.end.type === "verified"));
  assert.equal(store.bodies("complete-upload")[0][0].sha256, null);
});

test("a file that takes the place of a begun one goes on with it if it begins and ends alike, and else anew", async () => {
  for (const [fingerprint, sent] of [["f1", 5], ["another", 6]]) {
    const store = new Store();
    begun(store, [1, 2, 5]);
    const one = job(largeFile(96 * MIB, { fingerprint }), { fileId: "begun" });
    await upload(store, one);
    assert.equal(one.ends[0].fileId === "begun", fingerprint === "f1");
    assert.equal(puts(store).length, sent);
    assert.equal(one.end.type, "verified");
  }
});
