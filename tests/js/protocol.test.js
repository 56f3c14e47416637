import assert from "node:assert/strict";
import { test } from "node:test";

import { Uploader } from "../../static/files/protocol.js";
import { MIB, Store, answer, calls, fault, isPut, job, largeFile, putsOf, smallFile } from "./store.js";

async function upload(store, ...jobs) {
  const uploader = new Uploader(store.options);
  await Promise.all(jobs.map((one) => uploader.upload(one)));
}

const truncated = { code: "gzip_truncated", detail: "The file ends before its gzip data does.", offset: 4 };

test("a file is examined, looked for, requested with its claims, sent, completed and followed", async () => {
  const store = new Store();
  const text = "ACGT".repeat(64 * 1024);
  const one = job(smallFile(text, { found: { head: { firstRead: { name: "r1", mate: 1 } } } }));
  await upload(store, one);
  assert.deepEqual(store.steps, [
    "GET /api/files?groupId=1&attached=false&status=REQUESTED%2CUPLOADED%2CVERIFYING%2CVERIFIED&fingerprints=f1",
    "POST /api/files/request-upload?groupId=1&numberFiles=1",
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

test("a PUT that fails for reasons that pass is sent again, and says so", async () => {
  const store = new Store();
  store.faults = [fault(isPut, answer(503)), fault(isPut, answer(0))];
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  assert.deepEqual(one.notes, ["The file storage is busy, trying again", "Connection lost, trying again"]);
  assert.equal(store.requests.filter(isPut).length, 3);
  assert.equal(store.files.size, 1);
  assert.equal(one.end.type, "verified");
});

test("while a part is tried again its bytes do not count as sent", async () => {
  const store = new Store();
  const half = ({ onProgress, body }) => {
    onProgress(body.size / 2);
    return answer(503);
  };
  store.faults = [fault(putsOf(4), half)];
  const one = job(largeFile(96 * MIB));
  await upload(store, one);
  assert.equal(one.sent.at(-1), 96 * MIB);
  assert.equal(Math.max(...one.sent), 96 * MIB);
  assert.ok(one.sent.some((bytes, index) => index && bytes === one.sent[index - 1] - 8 * MIB));
});

test("after a cut only the parts in flight are sent again", async () => {
  const store = new Store();
  store.faults = [4, 5, 6, 7, 8, 9].map((part) => fault(putsOf(part), answer(0)));
  const one = job(largeFile(192 * MIB));
  await upload(store, one);
  const times = (part) => store.requests.filter(putsOf(part)).length;
  const sent = Array.from({ length: 12 }, (_, n) => times(n + 1));
  assert.deepEqual(sent, [1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1]);
  assert.equal(one.end.type, "verified");
});

test("a file that pauses holds no other back", async () => {
  const store = new Store();
  const stuck = Array.from({ length: 6 }, (_, index) => job(largeFile(96 * MIB), { name: `stuck-${index}` }));
  store.faults = [fault((request) => isPut(request) && request.body.size === 16 * MIB, answer(503), Infinity)];
  const others = Array.from({ length: 20 }, () => job(smallFile("x")));
  const uploader = new Uploader(store.options);
  const failing = stuck.map((one) => uploader.upload(one));
  await Promise.all(others.map((one) => uploader.upload(one)));
  assert.ok(others.every((one) => one.end.type === "verified"));
  assert.ok(stuck.every((one) => !one.ends.length));
  await Promise.all(failing);
  assert.ok(stuck.every((one) => one.end.problem.retryable));
});

test("offline, a file waits for the network without an end, and goes on at once", async () => {
  const store = new Store();
  let asked = 0;
  store.faults = [
    (request) => {
      if (!isPut(request) || (asked += 1) > 50) return null;
      store.isOnline = false;
      setImmediate(() => store.goOnline());
      return answer(0);
    },
  ];
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  assert.deepEqual(new Set(one.notes), new Set(["Offline, waiting for the network"]));
  assert.equal(one.notes.length, 50);
  assert.deepEqual(store.pauses.filter((ms) => ms > 1000), []);
  assert.equal(one.end.type, "verified");
});

test("offline, the calls of the API wait as well, and say so", async () => {
  const store = new Store();
  const goOffline = () => {
    store.isOnline = false;
    setImmediate(() => store.goOnline());
    return answer(0);
  };
  store.faults = [fault(calls("request-upload"), goOffline, 20)];
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  assert.deepEqual(one.notes, Array(20).fill("Offline, waiting for the network"));
  assert.equal(one.end.type, "verified");
});

test("offline from the start, every file says so for as long as it waits", async () => {
  const store = new Store();
  const goOffline = () => {
    store.isOnline = false;
    return answer(0);
  };
  store.faults = [fault(calls("attached=false"), goOffline)];
  const jobs = [job(smallFile("x")), job(smallFile("y"))];
  const uploading = upload(store, ...jobs);
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  const told = jobs.map((one) => one.ofType("note").at(-1).note);
  assert.deepEqual(told, Array(2).fill("Offline, waiting for the network"));
  store.goOnline();
  await uploading;
  assert.deepEqual(jobs.map((one) => one.end.type), ["verified", "verified"]);
});

test("a session that has ended is told of in words for people, and the file can be tried again", async () => {
  const store = new Store();
  const problem = { code: "not_authenticated", detail: "Send a token." };
  store.faults = [fault(calls("request-upload"), answer(401, problem))];
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  const detail = "You are logged out. Log in in another window, and try again here.";
  assert.deepEqual(one.end, { type: "failed", problem: { code: "not_authenticated", detail, retryable: true } });
});

test("a quota that is used up is told at once and not asked for again", async () => {
  const store = new Store();
  const problem = { code: "quota_exceeded", detail: "The group's files may take 5.0 GB." };
  const refusal = answer(429, problem, { "Retry-After": "3600" });
  store.faults = [fault(calls("request-"), refusal, Infinity)];
  const both = [job(smallFile("ACGT")), job(largeFile(64 * MIB))];
  await upload(store, ...both);
  for (const one of both) assert.deepEqual(one.ends, [{ type: "failed", problem: { ...problem, retryable: true } }]);
  assert.equal(store.requests.filter(calls("request-")).length, 2);
  assert.deepEqual(store.requests.filter(isPut), []);
});

test("a part that fails for good stops the others and fails the file once", async () => {
  const store = new Store();
  store.faults = [fault(putsOf(2), answer(400))];
  const one = job(largeFile(800 * MIB));
  await upload(store, one);
  const detail = "The file storage did not take the file (400).";
  assert.deepEqual(one.ends, [
    { type: "failed", problem: { code: "upload_refused", detail, retryable: true } },
  ]);
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  assert.ok(store.requests.filter(isPut).length < 20);
  assert.deepEqual(store.bodies("complete-multipart-upload"), []);
});

test("a store that hides its ETags is told of, not sent without them", async () => {
  const store = new Store();
  store.faults = [fault(isPut, answer(200), Infinity)];
  const one = job(largeFile(64 * MIB));
  await upload(store, one);
  assert.equal(one.end.problem.code, "etag_hidden");
  assert.deepEqual(store.bodies("complete-multipart-upload"), []);
});

test("a lost connection that does not come back fails the file after minutes, to be tried again", async () => {
  const store = new Store();
  store.faults = [fault(isPut, answer(0), Infinity)];
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  assert.equal(one.end.problem.code, "no_connection");
  assert.equal(one.end.problem.retryable, true);
  assert.ok(store.pauses.reduce((sum, ms) => sum + ms) > 180_000);
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

test("where one claim is refused, the other files are requested all the same", async () => {
  const store = new Store();
  const problem = { code: "file_too_large", detail: "Too large for this category." };
  const isRefused = (request) => calls("request-upload")(request) && request.body.includes("large.gz");
  store.faults = [fault(isRefused, answer(422, problem), Infinity)];
  const [large, one, other] = ["large.gz", "a.gz", "b.gz"].map((name) => job(smallFile("x"), { name }));
  await upload(store, large, one, other);
  assert.deepEqual(large.ends, [{ type: "failed", problem: { ...problem, retryable: true } }]);
  assert.equal(one.end.type, "verified");
  assert.equal(other.end.type, "verified");
});

test("files of different groups are not requested in one call", async () => {
  const store = new Store();
  await upload(store, job(smallFile("x")), job(smallFile("y"), { groupId: "2" }));
  const urls = store.requests.filter(calls("request-upload")).map(({ url }) => url);
  assert.deepEqual(urls.sort(), [
    "/api/files/request-upload?groupId=1&numberFiles=1",
    "/api/files/request-upload?groupId=2&numberFiles=1",
  ]);
});

test("what is wrong with one completed file fails that one alone", async () => {
  const store = new Store();
  const errors = [{ fileId: "file-0", code: "file_not_uploaded", detail: "There is no object." }];
  const results = [{ fileId: "file-1", status: "UPLOADED" }];
  const body = { code: "validation_failed", detail: "Wrong.", errors, results };
  const [one, other] = [job(smallFile("x")), job(smallFile("y"))];
  store.faults = [
    fault(calls("complete-upload"), () => {
      store.files.get("file-1").status = "UPLOADED";
      return answer(422, body);
    }),
  ];
  await upload(store, one, other);
  assert.deepEqual(one.ends[0].problem, {
    code: "file_not_uploaded",
    detail: "There is no object.",
    retryable: true,
  });
  assert.equal(other.end.type, "verified");
});

test("what is wrong with a completed multipart upload is told", async () => {
  const store = new Store();
  const errors = [{ fileId: "file-0", code: "part_not_found", detail: "Part 3 is not there." }];
  const body = { code: "validation_failed", errors, results: [] };
  store.faults = [fault(calls("complete-multipart"), answer(422, body))];
  const one = job(largeFile(64 * MIB));
  await upload(store, one);
  assert.equal(one.end.problem.code, "part_not_found");
});

test("an API that is busy is asked again, and each waiting file says so until it answers", async () => {
  const store = new Store();
  store.faults = [fault(calls("request-upload"), answer(503))];
  const jobs = [job(smallFile("x")), job(smallFile("y"))];
  await upload(store, ...jobs);
  for (const one of jobs) {
    assert.deepEqual(one.notes, ["The server is busy, trying again"]);
    assert.equal(one.ofType("note").at(-1).note, "");
    assert.equal(one.end.type, "verified");
  }
});

test("a file that was sent before is only followed", async () => {
  const store = new Store();
  store.add({ fileId: "old", status: "UPLOADED" });
  const one = job(undefined);
  await new Uploader(store.options).watch(one, "old");
  assert.deepEqual(one.ends, [{ type: "verified" }]);
  assert.ok(store.requests.every(({ method }) => method === "GET"));
});
