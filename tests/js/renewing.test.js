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
  isPut,
  job,
  largeFile,
  puts,
  putsOf,
  smallFile,
  sum,
  upload,
} from "./store.js";

for (const size of [4, 192 * MIB]) {
  test(`URLs that expire in mid-upload are renewed once, and no part is sent twice (${size} bytes)`, async () => {
    const store = new Store();
    const isLate = (request) => (size === 4 ? isPut : putsOf(7))(request);
    store.faults = [fault(isLate, () => void store.expireUrls())];
    const one = job(size === 4 ? smallFile("ACGT") : largeFile(size));
    await upload(store, one);
    assert.equal(store.files.size, 1);
    assert.equal(store.requests.filter(calls("/renew")).length, 1);
    assert.equal(sum(store.bytesSent.values()), size);
    assert.equal(one.sent.at(-1), size);
    assert.deepEqual(one.notes, []);
    assert.equal(one.end.type, "verified");
  });
}

test("URLs may expire again and again, as long as something arrives in between", async () => {
  const store = new Store();
  store.faults = [1, 9, 17, 24].map((part) => fault(putsOf(part), () => void store.expireUrls()));
  const one = job(largeFile(384 * MIB));
  await upload(store, one);
  assert.ok(store.requests.filter(calls("/renew")).length > 3);
  assert.equal(sum(store.bytesSent.values()), 384 * MIB);
  assert.equal(one.end.type, "verified");
});

test("a part that is refused late takes the URL that the others have got meanwhile", async () => {
  const store = new Store();
  const late = async () => {
    await afterAMoment();
    return answer(403);
  };
  store.faults = [fault(putsOf(1), late), fault(putsOf(2), () => void store.expireUrls())];
  const one = job(largeFile(192 * MIB));
  await upload(store, one);
  assert.equal(store.requests.filter(calls("/renew")).length, 1);
  assert.equal(one.end.type, "verified");
});

test("a PUT with a new URL does not queue behind files that have not begun", async () => {
  const store = new Store();
  const first = job(smallFile("first"));
  const others = Array.from({ length: 40 }, (_, index) => job(smallFile(`${index}`)));
  store.faults = [fault(isPut, () => answer(403))];
  await upload(store, first, ...others);
  const order = store.requests.filter(isPut).map(({ url }) => /store:(.+)#/.exec(url)[1]);
  assert.ok(order.lastIndexOf(order[0]) < 30, `${order}`);
  assert.ok(order.lastIndexOf(order[0]) > 0);
});

for (const there of [[], [1, 2]]) {
  test(`an upload that another page completes is not sent to any more (${there.length} parts there)`, async () => {
    const store = new Store();
    if (there.length) begun(store, there);
    const fileId = there.length ? "begun" : "file-0";
    const completed = () => void (store.files.get(fileId).status = "UPLOADED");
    const refusals = [1, 2, 3, 4, 5, 6].map((part) => fault(putsOf(part), answer(403)));
    store.faults = [fault(calls("/renew"), completed), ...refusals];
    const one = job(largeFile(96 * MIB));
    await upload(store, one);
    assert.equal(puts(store).length, there.length ? 0 : 6);
    assert.deepEqual(store.bodies("complete-upload"), [[{ fileId, sha256: "s1" }]]);
    assert.equal(one.ends[0].fileId, fileId);
    assert.equal(one.end.type, "verified");
  });
}

test("URLs whose time is over before their turn comes do not count as refused", async () => {
  const store = new Store();
  const url = "store:file-0#1@0?X-Amz-Expires=60";
  const requested = ({ body }) => {
    const [claims] = JSON.parse(body);
    return answer(200, [{ fileId: store.add({ claims, status: "REQUESTED" }).fileId, url }]);
  };
  const renewed = answer(200, { fileId: "file-0", status: "REQUESTED", url });
  store.faults = [fault(calls("request-upload"), requested), fault(calls("/renew"), renewed, Infinity)];
  let asked = 0;
  const now = () => Math.min((asked += 1), 12) * 60_000; // a minute goes by until each URL's turn has come
  const one = job(smallFile("ACGT"));
  await new Uploader({ ...store.options, now }).upload(one);
  assert.equal(puts(store).length, 1);
  assert.ok(store.requests.filter(calls("/renew")).length > 3);
  assert.equal(one.end.type, "verified");
});

test("a URL that says itself that its time is over is not tried", async () => {
  const store = new Store();
  let now = 0;
  const options = { ...store.options, now: () => now };
  const urls = Array.from({ length: 6 }, (_, n) => `store:file-0#${n + 1}@0?X-Amz-Expires=60`);
  store.faults = [
    fault(calls("request-multipart"), (request) => {
      const [claims] = JSON.parse(request.body);
      store.add({ claims, numberParts: 6, status: "REQUESTED" });
      setImmediate(() => (now = 60_000));
      return answer(200, [{ fileId: "file-0", urls }]);
    }),
  ];
  const one = job(largeFile(96 * MIB, { found: { whole: () => afterAMoment() } }));
  await new Uploader(options).upload(one);
  assert.equal(puts(store).length, 6);
  assert.ok(store.requests.filter(isPut).every(({ url }) => !url.includes("Expires")));
  assert.equal(one.end.type, "verified");
});

async function afterAMoment() {
  for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
  return { sha256: "s1", problem: null };
}

test("a part whose answer was lost is found there when its URL is renewed", async () => {
  const store = new Store();
  const lost = ({ body }) => {
    store.files.get("file-0").parts[2] = { size: body.size, text: "arrived" };
    store.expireUrls();
    return answer(0);
  };
  store.faults = [fault(putsOf(2), lost)];
  const one = job(largeFile(96 * MIB));
  await upload(store, one);
  assert.equal(store.files.get("file-0").parts[2].text, "arrived");
  assert.equal(one.sent.at(-1), 96 * MIB);
  assert.equal(one.end.type, "verified");
});

test("URLs that are refused again and again fail the file, in words", async () => {
  for (const file of [smallFile("ACGT"), largeFile(96 * MIB)]) {
    const store = new Store();
    store.faults = [fault(isPut, answer(403, "<Error>AccessDenied</Error>"), Infinity)];
    const one = job(file);
    await upload(store, one);
    assert.equal(store.files.size, 1);
    assert.equal(store.requests.filter(calls("/renew")).length, 2);
    const detail = "The file storage did not take the file (403).";
    assert.deepEqual(one.ends, [
      { type: "failed", problem: { code: "upload_refused", detail, retryable: true } },
    ]);
  }
});

test("an upload that the store has lost is sent from the start, as a new file", async () => {
  const store = new Store();
  begun(store, [1, 2]);
  store.faults = [fault(putsOf(3), answer(404, "<Code>NoSuchUpload</Code>"))];
  const one = job(largeFile(96 * MIB));
  await upload(store, one);
  assert.equal(one.ends[0].fileId, "file-1");
  assert.equal(store.files.get("file-1").parts.filter(Boolean).length, 6);
  assert.deepEqual(one.notes, ["What was sent cannot be used any more, starting again"]);
  assert.equal(one.sent.at(-1), 96 * MIB);
});

test("nothing more goes to an upload that is lost while a new one is sent", async () => {
  const store = new Store();
  store.faults = [fault(putsOf(3), answer(404, "<Code>NoSuchUpload</Code>"))];
  const one = job(largeFile(800 * MIB));
  await upload(store, one);
  assert.equal(one.ends[0].fileId, "file-1");
  assert.ok(store.requests.filter((request) => isPut(request) && calls("file-0")(request)).length < 15);
});

test("an upload that was given up is sent from the start, as a new file", async () => {
  for (const moment of ["/renew", "complete-multipart"]) {
    const store = new Store();
    begun(store, [1, 2]);
    const gone = { code: "upload_expired", detail: "It was given up." };
    const body = moment === "/renew" ? gone : { errors: [{ fileId: "begun", ...gone }], results: [] };
    store.faults = [fault(calls(moment), answer(422, body))];
    const one = job(largeFile(96 * MIB));
    await upload(store, one);
    assert.equal(one.ends[0].fileId, "file-1", moment);
    assert.equal(one.end.type, "verified");
  }
});
