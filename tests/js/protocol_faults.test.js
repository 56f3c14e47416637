import assert from "node:assert/strict";
import { test } from "node:test";

import { Uploader } from "../../static/files/protocol.js";
import { MIB, Store, answer, calls, fault, isPut, job, largeFile, putsOf, smallFile, sum, upload } from "./store.js";

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

test("where not all fit into a quota, those that do are sent", async () => {
  for (const [room, expected] of [
    [0, []],
    [1, ["0"]],
    [15, ["0", "1", "2", "3", "4"]],
    [100, Array.from({ length: 13 }, (_, n) => `${n}`)],
  ]) {
    const store = new Store();
    let taken = 0;
    const refuse = (request) => {
      if (!calls("request-upload")(request)) return null;
      const wanted = sum(JSON.parse(request.body).map(({ size }) => size));
      if (taken + wanted > room) return answer(429, { code: "quota_exceeded", detail: "Full." }, { "Retry-After": "300" });
      taken += wanted;
      return null;
    };
    store.faults = [refuse];
    const jobs = Array.from({ length: 20 }, (_, n) => job(smallFile("x".repeat(n + 1)), { name: `${n}` }));
    await upload(store, ...jobs.toReversed());
    const sent = jobs.filter(({ end }) => end.type === "verified").map(({ name }) => name);
    assert.deepEqual(sent, expected);
    const others = jobs.filter(({ name }) => !expected.includes(name)).map(({ end }) => end.problem?.code);
    assert.deepEqual([...new Set(others)], ["quota_exceeded"]);
    const asked = store.requests.filter(calls("request-upload")).length;
    assert.ok(asked <= (room ? 20 : 6), `${asked}`);
  }
});

test("a network that comes back while the file is looked at again is not waited for", async () => {
  const store = new Store();
  store.faults = [
    fault(isPut, () => {
      store.isOnline = false;
      return answer(0);
    }),
  ];
  const file = smallFile("ACGT");
  const slice = file.slice.bind(file);
  file.slice = (...bounds) => {
    const part = slice(...bounds);
    part.slice = () => ({
      arrayBuffer: async () => {
        await new Promise(setImmediate);
        store.goOnline();
        return new ArrayBuffer(1);
      },
    });
    return part;
  };
  const one = job(file);
  await upload(store, one);
  assert.equal(one.end.type, "verified");
});

for (const [what, path, text] of [
  ["a page in place of URLs", "request-upload", "<html>Log in to the Wi-Fi</html>"],
  ["JSON of something else in place of a list", "attached=false", "{}"],
]) {
  test(`${what} is told as what it is, and the file can be tried again`, async () => {
    const store = new Store();
    store.faults = [fault(calls(path), answer(200, text))];
    const one = job(smallFile("ACGT"));
    await upload(store, one);
    assert.match(one.end.problem.detail, /answers in the server’s place/);
    assert.equal(one.end.problem.retryable, true);
  });
}

test("a list that is none does not end the following of files", async () => {
  const store = new Store();
  store.faults = [fault(calls("ids="), answer(200, "{}"), 2)];
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  assert.equal(one.end.type, "verified");
  assert.match(one.notes[0], /^Verification cannot be followed: Something on the way/);
});
