import assert from "node:assert/strict";
import { test } from "node:test";

import { Uploader } from "../../static/files/protocol.js";
import { Store, answer, fault, isForm, job, puts, smallFile, upload } from "./store.js";

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

for (const status of [0, 400, 403, 405, 501]) {
  test(`a store that answers the first forms with ${status} gets its files by PUT, and no more forms`, async () => {
    const store = storeWithForms(fault(isForm, answer(status), Infinity));
    const jobs = Array.from({ length: 20 }, (_, index) => job(smallFile("ACGT", { fingerprint: `f${index}` })));
    await upload(store, ...jobs);
    assert.ok(forms(store).length <= 6);
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
  const another = job(smallFile("ACGT", { fingerprint: "f2" }));
  await upload(store, another);
  assert.equal(forms(store).length, 2);
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
