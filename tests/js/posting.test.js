import assert from "node:assert/strict";
import { test } from "node:test";

import { Uploader } from "../../static/files/protocol.js";
import { Store, answer, fault, isForm, isPut, job, puts, smallFile, upload } from "./store.js";

const KIB = 1024;
const forms = (store) => store.requests.filter(isForm);

function storeWithForms(...faults) {
  const store = new Store();
  store.hasForms = true;
  store.faults = faults;
  return store;
}

test("a small file goes as a form, after its fields, and is not sent again", async () => {
  const store = storeWithForms();
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  assert.equal(forms(store).length, 1);
  const [{ method, url, body, headers, onProgress }] = forms(store);
  assert.deepEqual([method, url], ["POST", "store:form"]);
  assert.deepEqual([...body.keys()], ["key", "policy", "file"]);
  assert.deepEqual([headers, onProgress], [undefined, undefined], "either has the browser ask first");
  assert.equal(puts(store).length, 0);
  assert.deepEqual(store.files.get("file-0").parts[1], { size: 4, text: "ACGT" });
  assert.deepEqual(one.sent, [4]);
  assert.equal(one.end.type, "verified");
});

test("an empty file goes as a form, too", async () => {
  const store = storeWithForms();
  const one = job(smallFile(""));
  await upload(store, one);
  assert.equal(forms(store).length, 1);
  assert.equal(one.end.type, "verified");
});

test("a file of which people want to see how far it is goes by PUT", async () => {
  const store = storeWithForms();
  const texts = [256 * KIB - 1, 256 * KIB].map((size) => "A".repeat(size));
  await upload(store, ...texts.map((text) => job(smallFile(text, { fingerprint: text.length }))));
  assert.deepEqual(
    forms(store).map(({ body }) => body.get("file").size),
    [256 * KIB - 1],
  );
  assert.equal(puts(store).length, 1);
});

for (const status of [0, 400, 403, 405, 500, 501]) {
  test(`a store that answers the first forms with ${status} gets its files by PUT, and no more forms`, async () => {
    const store = storeWithForms(fault(isForm, answer(status), Infinity));
    const jobs = Array.from({ length: 20 }, (_, index) => job(smallFile("ACGT", { fingerprint: `f${index}` })));
    await upload(store, ...jobs);
    assert.ok(forms(store).length <= 6, `${forms(store).length}`);
    assert.equal(puts(store).length, 20);
    assert.deepEqual(
      jobs.map(({ end, notes }) => [end.type, notes]),
      Array(20).fill(["verified", []]),
    );
  });
}

test("one form that is lost is sent by PUT, and the others still go as forms", async () => {
  const isSixth = ({ body }) => isForm({ body }) && body.get("key") === "file-5";
  const store = storeWithForms(fault(isSixth, answer(0)));
  const jobs = Array.from({ length: 20 }, (_, index) => job(smallFile("ACGT", { fingerprint: `f${index}` })));
  await upload(store, ...jobs);
  assert.equal(forms(store).length, 20);
  assert.equal(puts(store).length, 1);
});

test("a busy store is given time, and gets the file by PUT", async () => {
  const store = storeWithForms(fault(isForm, answer(503)));
  const one = job(smallFile("ACGT"));
  await upload(store, one);
  assert.deepEqual(one.notes, ["The file storage is busy, trying again"]);
  assert.deepEqual([forms(store).length, puts(store).length], [1, 1]);
});

test("a store that is busy with forms alone gets no more of them", async () => {
  const store = storeWithForms(fault(isForm, answer(503), Infinity));
  const uploader = new Uploader(store.options);
  for (const fingerprint of ["f1", "f2"]) await uploader.upload(job(smallFile("ACGT", { fingerprint })));
  assert.deepEqual([forms(store).length, puts(store).length], [1, 2]);
});

test("a connection that is lost to forms and PUTs alike says nothing against forms", async () => {
  const store = storeWithForms(fault((request) => isForm(request) || isPut(request), answer(0), 20));
  const [one, other] = [job(smallFile("A")), job(smallFile("C", { fingerprint: "f2" }))];
  const uploader = new Uploader(store.options);
  one.file.slice = () => ({ size: 1, slice: () => ({ arrayBuffer: () => Promise.reject(new Error("gone")) }) });
  await uploader.upload(one);
  assert.equal(one.end.problem.code, "file_unreadable");
  store.faults = [];
  await uploader.upload(other);
  assert.deepEqual([forms(store).length, puts(store).length], [2, 1]);
  assert.equal(other.end.type, "verified");
});

test("a small file has the time that it takes on a slow line, and twice as much each time that was not enough", async () => {
  let now = 0;
  const patience = [];
  const cut = ({ patienceMs }) => {
    patience.push(patienceMs);
    now += patienceMs;
    return answer(0);
  };
  const store = storeWithForms(fault(isForm, cut, 1), fault(isPut, cut, 5));
  const one = job(smallFile("A".repeat(100_000)));
  await new Uploader({ ...store.options, now: () => now }).upload(one);
  assert.deepEqual(patience, [250_000, 250_000, 500_000, 1_000_000, 1_800_000, 1_800_000]);
  assert.equal(one.end.type, "verified");
});

test("a form whose time is over before its turn comes is not sent", async () => {
  const store = storeWithForms();
  let now = 0;
  const send = async (request) => {
    const response = await store.send(request);
    if (!request.url.includes("request-upload")) return response;
    const [item] = JSON.parse(response.text);
    return answer(200, [{ ...item, url: `${item.url}?X-Amz-Expires=60` }]);
  };
  const clock = () => (now += 61_000);
  const one = job(smallFile("ACGT"));
  await new Uploader({ ...store.options, send, now: clock }).upload(one);
  assert.deepEqual([forms(store).length, puts(store).length], [0, 1]);
  assert.equal(one.end.type, "verified");
});
