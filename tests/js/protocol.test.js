import assert from "node:assert/strict";
import { test } from "node:test";

import { Uploader, partSizeFor } from "../../static/files/protocol.js";
import { Store, answer, calls, fault, isPut, job } from "./store.js";

const MIB = 1024 * 1024;

/** A file of many MiB that holds next to nothing: its parts say where they are from. */
function largeFile(size) {
  return {
    size,
    slice: (start, end) => ({
      size: end - start,
      text: async () => `${start}-${end}`,
      slice: () => new Blob(["x"]),
    }),
  };
}

async function upload(store, ...jobs) {
  const uploader = new Uploader(store.options);
  await Promise.all(jobs.map((one) => uploader.upload(one)));
}

test("a file is requested with its claims, sent, completed and followed", async () => {
  const store = new Store();
  const one = job(new Blob(["ACGT"]));
  await upload(store, one);
  const steps = store.requests.map(({ method, url }) => `${method} ${url}`);
  assert.deepEqual(steps, [
    "POST /api/files/request-upload?groupId=1&numberFiles=1",
    "PUT store:file-0",
    "POST /api/files/complete-upload",
    "GET /api/files/file-0",
    "GET /api/files/file-0",
    "GET /api/files/file-0",
  ]);
  const claims = { name: "reads.fastq.gz", size: 4, organism: "ebola-sudan", category: "rawReads" };
  assert.deepEqual(store.bodies("request-upload"), [[claims]]);
  assert.deepEqual(store.bodies("complete-upload"), [[{ fileId: "file-0" }]]);
  assert.deepEqual(store.files.get("file-0").parts, ["ACGT"]);
  assert.deepEqual(one.ends, [{ type: "uploaded", fileId: "file-0" }, { type: "verified" }]);
  const sent = one.actions.filter(({ type }) => type === "progress").map(({ sentBytes }) => sentBytes);
  assert.deepEqual(sent, [2, 4]);
});

test("calls to the API carry the token, PUTs to the store carry no header", async () => {
  const store = new Store();
  await upload(store, job(new Blob(["ACGT"])));
  for (const request of store.requests) {
    assert.equal(request.headers?.["X-CSRFToken"], isPut(request) ? undefined : "token");
  }
  assert.equal(store.requests.find(isPut).body.type, "");
});

test("an empty file is sent whole", async () => {
  const store = new Store();
  const one = job(new Blob([]));
  await upload(store, one);
  assert.equal(store.requests.find(isPut).body.size, 0);
  assert.equal(one.ends.at(-1).type, "verified");
});

test("many small files share their calls, and six are sent at once", async () => {
  const store = new Store();
  const jobs = Array.from({ length: 200 }, (_, index) => job(new Blob([`${index}`])));
  await upload(store, ...jobs);
  assert.ok(jobs.every((one) => one.ends.at(-1).type === "verified"));
  assert.equal(store.requests.filter(isPut).length, 200);
  assert.equal(store.mostAtOnce, 6);
  assert.equal(store.bodies("request-upload")[0].length, 48);
});

test("the bound on PUTs holds over files and parts together", async () => {
  const store = new Store();
  await upload(store, job(largeFile(200 * MIB)), job(largeFile(300 * MIB)), job(new Blob(["x"])));
  assert.equal(store.mostAtOnce, 6);
});

test("a large file goes in parts, completed with the ETags in part order", async () => {
  const store = new Store();
  const one = job(largeFile(100 * MIB));
  await upload(store, one);
  const [claims] = store.bodies("request-multipart-upload")[0];
  assert.equal(claims.partSize, 8 * MIB);
  assert.equal(claims.size, 100 * MIB);
  const parts = Array.from({ length: 13 }, (_, n) => `${n * 8 * MIB}-${Math.min(100, (n + 1) * 8) * MIB}`);
  assert.deepEqual(store.files.get("file-0").parts, parts);
  const etags = Array.from({ length: 13 }, (_, n) => `"etag-${n}"`);
  assert.deepEqual(store.bodies("complete-multipart-upload"), [[{ fileId: "file-0", etags }]]);
  assert.equal(one.actions.filter(({ type }) => type === "progress").at(-1).sentBytes, 100 * MIB);
  assert.equal(one.ends.at(-1).type, "verified");
});

test("64 MiB is the first size that goes in parts", async () => {
  const store = new Store();
  await upload(store, job(largeFile(64 * MIB)), job(largeFile(64 * MIB - 1)));
  assert.equal(store.requests.filter(isPut).length, 8 + 1);
});

test("parts have at least 8 MiB and are at most 9,999, up to 5 TiB", () => {
  assert.equal(partSizeFor(64 * MIB), 8 * MIB);
  for (const size of [70_000 * MIB, 79_992 * MIB, 79_993 * MIB, 1024 ** 4, 5 * 1024 ** 4]) {
    const partSize = partSizeFor(size);
    assert.ok(Math.ceil(size / partSize) <= 9_999, `${size}`);
    assert.equal(partSize % MIB, 0);
    assert.ok(partSize <= 5 * 1024 ** 3);
  }
});

test("a PUT that fails for reasons that pass is sent again, and says so", async () => {
  const store = new Store();
  store.faults = [fault(isPut, answer(503)), fault(isPut, answer(0))];
  const one = job(new Blob(["ACGT"]));
  await upload(store, one);
  assert.deepEqual(one.notes, ["The file storage is busy, trying again", "Connection lost, trying again"]);
  assert.equal(store.requests.filter(isPut).length, 3);
  assert.equal(store.files.size, 1);
  assert.equal(one.ends.at(-1).type, "verified");
});

test("while a part is tried again its bytes do not count as sent", async () => {
  const store = new Store();
  const half = ({ onProgress, body }) => {
    onProgress(body.size / 2);
    return answer(503);
  };
  store.faults = [fault((request) => request.url.endsWith("#3"), half)];
  const one = job(largeFile(64 * MIB));
  await upload(store, one);
  const sent = one.actions.filter(({ type }) => type === "progress").map(({ sentBytes }) => sentBytes);
  assert.equal(sent.at(-1), 64 * MIB);
  assert.equal(Math.max(...sent), 64 * MIB);
  assert.ok(sent.some((bytes, index) => index && bytes === sent[index - 1] - 4 * MIB));
});

for (const size of [4, 100 * MIB]) {
  test(`an expired URL makes a new upload of the file (${size} bytes)`, async () => {
    const store = new Store();
    store.faults = [fault(isPut, answer(403, "<Error/>"))];
    const one = job(largeFile(size));
    await upload(store, one);
    assert.deepEqual(one.notes, ["The upload took too long, starting it again"]);
    assert.deepEqual(one.ends, [{ type: "uploaded", fileId: "file-1" }, { type: "verified" }]);
  });
}

test("a URL that is refused each time fails the file, in words", async () => {
  const store = new Store();
  store.faults = [fault(isPut, answer(403, "<Error>AccessDenied</Error>"), Infinity)];
  const one = job(new Blob(["ACGT"]));
  await upload(store, one);
  assert.equal(store.files.size, 3);
  const detail = "The file storage did not take the file (403).";
  assert.deepEqual(one.ends, [
    { type: "failed", problem: { code: "upload_refused", detail, retryable: true } },
  ]);
});

test("a part that fails for good stops the others and fails the file once", async () => {
  const store = new Store();
  store.faults = [fault((request) => request.url.endsWith("#2"), answer(400))];
  const one = job(largeFile(800 * MIB));
  await upload(store, one);
  assert.deepEqual(
    one.ends.map(({ type }) => type),
    ["failed"],
  );
  assert.ok(store.requests.filter(isPut).length < 20);
  assert.deepEqual(store.bodies("complete-multipart-upload"), []);
});

test("a store that hides its ETags is told of, not sent without them", async () => {
  const store = new Store();
  store.faults = [fault(isPut, answer(200), Infinity)];
  const one = job(largeFile(64 * MIB));
  await upload(store, one);
  assert.equal(one.ends[0].problem.code, "etag_hidden");
  assert.deepEqual(store.bodies("complete-multipart-upload"), []);
});

test("a file that changed on disk is told from a lost connection", async () => {
  const store = new Store();
  store.faults = [fault(isPut, answer(0), Infinity)];
  const unreadable = {
    size: 4,
    slice: () => unreadable,
    arrayBuffer: () => Promise.reject(new Error("NotReadable")),
  };
  const one = job(unreadable);
  await upload(store, one);
  assert.equal(one.ends[0].problem.code, "file_unreadable");
  assert.equal(one.ends[0].problem.retryable, false);
  assert.equal(store.requests.filter(isPut).length, 1);
});

test("a lost connection that does not come back fails the file, to be tried again", async () => {
  const store = new Store();
  store.faults = [fault(isPut, answer(0), Infinity)];
  const one = job(new Blob(["ACGT"]));
  await upload(store, one);
  assert.equal(one.ends[0].problem.code, "no_connection");
  assert.equal(one.ends[0].problem.retryable, true);
});

test("a file that is discarded while it waits or is sent says nothing more", async () => {
  for (const moment of ["request-upload", "store:", "complete-upload"]) {
    const store = new Store();
    const one = job(new Blob(["ACGT"]));
    const other = job(new Blob(["TGCA"]));
    store.faults = [
      fault(calls(moment), () => {
        one.abort();
        return null;
      }),
    ];
    await upload(store, one, other);
    assert.deepEqual(one.ends, [], moment);
    assert.equal(other.ends.at(-1).type, "verified", moment);
  }
});

test("a file that is discarded before its turn is never requested", async () => {
  const store = new Store();
  const one = job(new Blob(["ACGT"]));
  one.abort();
  await upload(store, one);
  assert.deepEqual(store.requests, []);
});

test("a discarded large file sends no further part", async () => {
  const store = new Store();
  const one = job(largeFile(800 * MIB));
  store.faults = [
    fault(isPut, () => {
      one.abort();
      return null;
    }),
  ];
  await upload(store, one);
  assert.deepEqual(one.ends, []);
  assert.ok(store.requests.filter(isPut).length <= 6);
});

test("where one claim is refused, the other files are requested all the same", async () => {
  const store = new Store();
  const problem = { code: "file_too_large", detail: "Too large for this category." };
  const isRefused = (request) => calls("request-upload")(request) && request.body.includes("large.gz");
  store.faults = [fault(isRefused, answer(422, problem), Infinity)];
  const [large, one, other] = ["large.gz", "a.gz", "b.gz"].map((name) => job(new Blob(["x"]), { name }));
  await upload(store, large, one, other);
  assert.deepEqual(large.ends, [{ type: "failed", problem: { ...problem, retryable: true } }]);
  assert.equal(one.ends.at(-1).type, "verified");
  assert.equal(other.ends.at(-1).type, "verified");
});

test("files of different groups are not requested in one call", async () => {
  const store = new Store();
  await upload(store, job(new Blob(["x"])), job(new Blob(["y"]), { groupId: "2" }));
  const urls = store.requests.filter(calls("request-upload")).map(({ url }) => url);
  assert.deepEqual(urls.sort(), [
    "/api/files/request-upload?groupId=1&numberFiles=1",
    "/api/files/request-upload?groupId=2&numberFiles=1",
  ]);
});

test("what is wrong with one completed file fails that one alone", async () => {
  const store = new Store();
  const errors = [{ fileId: "file-0", code: "file_not_uploaded", detail: "There is no object." }];
  const body = {
    code: "validation_failed",
    detail: "Wrong.",
    errors,
    results: [{ fileId: "file-1", status: "UPLOADED" }],
  };
  store.faults = [fault(calls("complete-upload"), answer(422, body))];
  const [one, other] = [job(new Blob(["x"])), job(new Blob(["y"]))];
  await upload(store, one, other);
  assert.deepEqual(one.ends[0].problem, {
    code: "file_not_uploaded",
    detail: "There is no object.",
    retryable: true,
  });
  assert.equal(other.ends.at(-1).type, "verified");
});

test("what is wrong with a completed multipart upload is told", async () => {
  const store = new Store();
  const errors = [{ fileId: "file-0", code: "part_not_found", detail: "Part 3 is not there." }];
  store.faults = [
    fault(calls("complete-multipart"), answer(422, { code: "validation_failed", errors, results: [] })),
  ];
  const one = job(largeFile(64 * MIB));
  await upload(store, one);
  assert.equal(one.ends[0].problem.code, "part_not_found");
});

test("an API that is busy is asked again, and each waiting file says so", async () => {
  const store = new Store();
  store.faults = [fault(calls("request-upload"), answer(503))];
  const jobs = [job(new Blob(["x"])), job(new Blob(["y"]))];
  await upload(store, ...jobs);
  for (const one of jobs) {
    assert.deepEqual(one.notes, ["The server is busy, trying again"]);
    assert.equal(one.ends.at(-1).type, "verified");
  }
});

test("a file that was sent before is only followed", async () => {
  const store = new Store();
  store.files.set("old", { parts: [], polls: 0 });
  const one = job(undefined);
  await new Uploader(store.options).watch(one, "old");
  assert.deepEqual(one.ends, [{ type: "verified" }]);
  assert.ok(store.requests.every(({ method }) => method === "GET"));
});
