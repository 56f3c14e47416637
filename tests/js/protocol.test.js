import assert from "node:assert/strict";
import { test } from "node:test";

import { Uploader } from "../../static/files/protocol.js";
import { MIB, Store, answer, calls, fault, isPut, job, largeFile, putsOf, smallFile, upload } from "./store.js";

const truncated = { code: "gzip_truncated", detail: "The file ends before its gzip data does.", offset: 4 };

test("a file is examined, looked for, requested with its claims, sent, completed and followed", async () => {
  const store = new Store();
  const text = "ACGT".repeat(64 * 1024);
  const one = job(smallFile(text, { found: { head: { firstRead: { name: "r1", mate: 1 } } } }));
  await upload(store, one);
  assert.deepEqual(store.steps, [
    "GET /api/files?groupId=1&attached=false&status=REQUESTED%2CUPLOADED%2CVERIFYING%2CVERIFIED&fingerprints=f1",
    "POST /api/files/request-upload?groupId=1&numberFiles=1&presignedPost=false",
    "PUT store:file-0#1",
    "POST /api/files/complete-upload",
    ...Array(3).fill("GET /api/files?groupId=1&ids=file-0"),
  ]);
  const claims = { name: "reads.fastq.gz", size: text.length, organism: "ebola-sudan", category: "rawReads" };
  assert.deepEqual(store.bodies("request-upload"), [[{ ...claims, fingerprint: "f1" }]]);
  assert.deepEqual(store.bodies("complete-upload"), [[{ fileId: "file-0", sha256: "s1" }]]);
  assert.deepEqual(store.files.get("file-0").parts[1], { size: text.length, text });
  assert.deepEqual(one.actions, [
    { type: "note", note: "Checking" },
    { type: "examined", firstRead: { name: "r1", mate: 1 } },
    { type: "note", note: "" },
    { type: "requested", fileId: "file-0" },
    { type: "started" },
    { type: "progress", sentBytes: text.length / 2 },
    { type: "progress", sentBytes: text.length },
    { type: "uploaded", fileId: "file-0" },
    { type: "verified" },
  ]);
});

test("a file that is sent in a moment tells no progress before its end", async () => {
  const store = new Store();
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  assert.equal(store.requests.find(isPut).onProgress, undefined);
  assert.deepEqual(one.sent, [4]);
});

test("once the last file is sent nothing rests before that is said", async () => {
  const store = new Store();
  const isRest = (ms) => [180, 540].includes(ms);
  const sleep = (ms, signal) => (isRest(ms) ? new Promise(() => undefined) : store.sleep(ms, signal));
  const jobs = Array.from({ length: 60 }, (_, index) => job(smallFile(`${index}`)));
  const uploader = new Uploader({ ...store.options, sleep });
  await Promise.all(jobs.map((one) => uploader.upload(one)));
  assert.ok(jobs.every((one) => one.end.type === "verified"));
});

test("calls to the API carry the token, PUTs to the store carry no header", async () => {
  const store = new Store();
  await upload(store, job(smallFile("ACGT")));
  for (const request of store.requests) {
    assert.equal(request.headers?.["X-CSRFToken"], isPut(request) ? undefined : "token");
  }
  assert.equal(store.requests.find(isPut).body.type, "");
});

test("an empty file is sent whole", async () => {
  const store = new Store();
  const one = job(smallFile(""));
  await upload(store, one);
  assert.equal(store.requests.find(isPut).body.size, 0);
  assert.equal(one.end.type, "verified");
});

test("a file whose begin is wrong is refused before anything is requested or sent", async () => {
  const store = new Store();
  const one = job(smallFile("ACGT", { found: { head: { problem: truncated } } }));
  await upload(store, one);
  assert.ok(store.requests.every(({ method }) => method === "GET"));
  assert.deepEqual(one.ends, [{ type: "failed", problem: { ...truncated, retryable: false } }]);
});

test("what reading the whole file finds at once refuses it before a byte is sent", async () => {
  const store = new Store();
  const one = job(smallFile("ACGT", { found: { whole: async () => ({ sha256: "s1", problem: truncated }) } }));
  await upload(store, one);
  assert.equal(store.requests.filter(isPut).length, 0);
  assert.equal(one.end.problem.code, "gzip_truncated");
  assert.equal(store.files.size, 0);
});

test("the reading of a whole file gets a second before the first byte goes, if there is a check to pass", async () => {
  for (const [contentCheck, pauses] of [
    ["fastq", [1000]],
    ["none", []],
  ]) {
    const store = new Store();
    const one = job(smallFile("ACGT", { found: { whole: () => wholeAfterPut } }), { contentCheck });
    let read;
    const wholeAfterPut = new Promise((resolve) => (read = resolve));
    store.faults = [fault(isPut, () => void read({ sha256: "s2", problem: null }))];
    await upload(store, one);
    assert.deepEqual(store.pauses.filter((ms) => ms === 1000), pauses);
    assert.deepEqual(store.bodies("complete-upload"), [[{ fileId: "file-0", sha256: "s2" }]]);
  }
});

test("what is found in mid-upload stops it, and discards what the server has", async () => {
  const store = new Store();
  let find;
  const whole = () => new Promise((resolve) => (find = () => resolve({ sha256: "s1", problem: truncated })));
  const one = job(largeFile(800 * MIB, { found: { whole } }));
  store.faults = [fault(putsOf(9), () => void find())];
  await upload(store, one);
  assert.deepEqual(one.ends, [{ type: "failed", problem: { ...truncated, retryable: false } }]);
  assert.ok(store.requests.filter(isPut).length < 20);
  assert.equal(store.files.size, 0);
});

test("a file that cannot be read any more is told from what is wrong with it", async () => {
  const unreadable = () => Promise.reject(Object.assign(new Error("gone"), { name: "NotReadableError" }));
  for (const file of [
    smallFile("ACGT", { found: { head: undefined, whole: unreadable } }),
    Object.assign(new Blob(["ACGT"]), { slice: () => ({ size: 4, slice: () => ({ arrayBuffer: unreadable }) }) }),
  ]) {
    const store = new Store();
    store.faults = [fault(isPut, answer(0), Infinity)];
    const one = job(file);
    await upload(store, one);
    assert.equal(one.end.problem.code, "file_unreadable");
    assert.equal(one.end.problem.retryable, false);
    assert.ok(store.requests.filter(isPut).length <= 1);
  }
});

test("many small files share their calls, and six are sent at once", async () => {
  const store = new Store();
  const jobs = Array.from({ length: 200 }, (_, index) => job(smallFile(`${index}`)));
  await upload(store, ...jobs);
  assert.ok(jobs.every((one) => one.end.type === "verified"));
  assert.equal(store.requests.filter(isPut).length, 200);
  assert.equal(store.mostAtOnce, 6);
  assert.equal(store.bodies("request-upload")[0].length, 100);
  assert.ok(store.requests.length - 200 < 100, `${store.requests.length}`);
});

test("the bound on PUTs holds over files and parts together", async () => {
  const store = new Store();
  await upload(store, job(largeFile(200 * MIB)), job(largeFile(300 * MIB)), job(smallFile("x")));
  assert.equal(store.mostAtOnce, 6);
});

test("a large file goes in parts, completed with the ETags in part order", async () => {
  const store = new Store();
  const one = job(largeFile(96 * MIB));
  store.faults = [fault(putsOf(1), answer(503))];
  await upload(store, one);
  const [claims] = store.bodies("request-multipart-upload")[0];
  assert.equal(claims.partSize, 16 * MIB);
  assert.equal(claims.size, 96 * MIB);
  const texts = store.files.get("file-0").parts.map(({ text }) => text);
  assert.deepEqual(
    texts.slice(1),
    Array.from({ length: 6 }, (_, n) => `${n * 16 * MIB}-${(n + 1) * 16 * MIB}`),
  );
  const etags = Array.from({ length: 6 }, (_, n) => `"etag-${n + 1}"`);
  assert.deepEqual(store.bodies("complete-multipart-upload"), [[{ fileId: "file-0", etags, sha256: "s1" }]]);
  assert.equal(one.sent.at(-1), 96 * MIB);
  assert.equal(one.end.type, "verified");
});

test("16 MiB is the first size that goes in parts", async () => {
  const store = new Store();
  await upload(store, job(largeFile(16 * MIB)), job(largeFile(16 * MIB - 1)));
  assert.equal(store.requests.filter(isPut).length, 3 + 1);
});

test("the measured speed of a connection makes the parts of the next file larger", async () => {
  const store = new Store();
  let clock = 0;
  const uploader = new Uploader({ ...store.options, now: () => (clock += 100) });
  await uploader.upload(job(largeFile(8 * MIB)));
  await uploader.upload(job(largeFile(9600 * MIB, { fingerprint: "f2" })));
  const [claims] = store.bodies("request-multipart-upload")[0];
  assert.equal(claims.partSize, 64 * MIB);
});

test("small files do not tell how fast a connection is", async () => {
  const store = new Store();
  let clock = 0;
  const uploader = new Uploader({ ...store.options, now: () => (clock += 100) });
  await uploader.upload(job(smallFile("ACGT")));
  await uploader.upload(job(largeFile(9600 * MIB, { fingerprint: "f2" })));
  const [claims] = store.bodies("request-multipart-upload")[0];
  assert.equal(claims.partSize, 16 * MIB);
});

test("a file that is discarded while it waits or is sent says nothing more", async () => {
  for (const moment of ["attached=false", "request-upload", "store:", "complete-upload", "ids="]) {
    const store = new Store();
    const one = job(smallFile("ACGT"));
    const other = job(smallFile("TGCA"));
    store.faults = [fault(calls(moment), () => one.abort())];
    await upload(store, one, other);
    assert.deepEqual(one.ofType("failed", "verified"), [], moment);
    assert.equal(other.end.type, "verified", moment);
  }
});

test("a file that the server has, but that was discarded before its row knew, is discarded there, too", async () => {
  const store = new Store();
  const one = job(smallFile("ACGT"));
  store.faults = [fault(calls("request-upload"), () => one.abort())];
  await upload(store, one);
  assert.equal(store.files.size, 0);
});

test("a file that is discarded before its turn is never requested", async () => {
  const store = new Store();
  const one = job(smallFile("ACGT"));
  one.abort();
  await upload(store, one);
  assert.deepEqual(store.requests, []);
});

test("a discarded large file sends no further part", async () => {
  const store = new Store();
  const one = job(largeFile(800 * MIB));
  store.faults = [fault(isPut, () => one.abort())];
  await upload(store, one);
  assert.deepEqual(one.ends, []);
  assert.ok(store.requests.filter(isPut).length <= 6);
});

test("discarding asks for each file, four at once, and tells what the server would not discard", async () => {
  const store = new Store();
  const ids = Array.from({ length: 20 }, (_, index) => `f${index}`);
  for (const fileId of ids.slice(1)) store.add({ fileId });
  const inUse = answer(409, { code: "file_attached", detail: "It belongs to an entry." });
  const held = answer(409, { code: "file_not_available", detail: "It is held back." });
  store.faults = [fault(calls("/f5"), inUse), fault(calls("/f7"), held), fault(calls("/f9"), answer(503))];
  assert.deepEqual(await new Uploader(store.options).discard(ids), ["f7"]);
  assert.deepEqual([...store.files.keys()], ["f5", "f7"]);
});

test("files of different groups are not requested in one call", async () => {
  const store = new Store();
  await upload(store, job(smallFile("x")), job(smallFile("y"), { groupId: "2" }));
  const urls = store.requests.filter(calls("request-upload")).map(({ url }) => url);
  assert.deepEqual(urls.sort(), [
    "/api/files/request-upload?groupId=1&numberFiles=1&presignedPost=true",
    "/api/files/request-upload?groupId=2&numberFiles=1&presignedPost=true",
  ]);
});

test("a file that was sent before is only followed", async () => {
  const store = new Store();
  store.add({ fileId: "old", status: "UPLOADED" });
  const one = job(undefined);
  await new Uploader(store.options).watch(one, "old");
  assert.deepEqual(one.ends, [{ type: "verified" }]);
  assert.ok(store.requests.every(({ method }) => method === "GET"));
});
