import assert from "node:assert/strict";
import { test } from "node:test";

import { Batcher, Limiter, RequestError, pauseBefore, sendPatiently } from "../../static/files/requests.js";
import { answer } from "./store.js";

/** What `sendPatiently` does with these answers in turn: the answer or error, and the pauses it made. */
async function patience(...answers) {
  const pauses = [];
  const options = {
    send: async () => answers.shift(),
    sleep: async (ms) => pauses.push(ms),
    random: () => 1,
  };
  const result = await sendPatiently({ url: "/" }, options).catch((error) => error);
  return { result, pauses };
}

for (const status of [0, 408, 429, 500, 503]) {
  test(`status ${status} passes`, async () => {
    const { result, pauses } = await patience(answer(status), answer(status), answer(200, "fine"));
    assert.equal(result.text, "fine");
    assert.deepEqual(pauses, [500, 1000]);
  });
}

for (const status of [400, 401, 403, 404, 409, 422]) {
  test(`status ${status} is for good`, async () => {
    const problem = { code: "some_code", detail: "In words." };
    const { result, pauses } = await patience(answer(status, problem));
    assert.ok(result instanceof RequestError);
    assert.equal(result.status, status);
    assert.deepEqual(result.problem, problem);
    assert.deepEqual(pauses, []);
  });
}

test("patience ends after ten tries", async () => {
  const { result, pauses } = await patience(...Array(20).fill(answer(503)));
  assert.equal(result.status, 503);
  assert.equal(pauses.length, 9);
  assert.equal(Math.max(...pauses), 20_000);
});

test("pauses are spread over the whole of their length", () => {
  assert.equal(
    pauseBefore(3, () => 0),
    0,
  );
  assert.equal(
    pauseBefore(3, () => 0.5),
    2000,
  );
  assert.equal(
    pauseBefore(30, () => 1),
    20_000,
  );
});

test("a server that asks for time gets it, unless it asks for too much", async () => {
  const short = await patience(answer(429, "", { "Retry-After": "7" }), answer(200));
  assert.deepEqual(short.pauses, [7000]);
  const problem = { code: "too_many_attempts", detail: "Come back in an hour." };
  const long = await patience(answer(429, problem, { "Retry-After": "3600" }), answer(200));
  assert.equal(long.result.problem.detail, "Come back in an hour.");
});

test("an error without words of ours gets some", async () => {
  const xml = await patience(answer(400, "<Error><Code>Secret</Code></Error>"));
  assert.deepEqual(xml.result.problem, {
    code: "request_failed",
    detail: "The server answered with an error (400).",
  });
  const empty = await patience(answer(400, {}));
  assert.equal(empty.result.problem.code, "request_failed");
});

test("a single error in a list says more than the whole", async () => {
  const one = { code: "file_too_large", detail: "Too large." };
  const some = { code: "validation_failed", detail: "Several things are wrong.", errors: [one] };
  assert.deepEqual((await patience(answer(422, some))).result.problem, one);
  const two = { ...some, errors: [one, one] };
  assert.equal((await patience(answer(422, two))).result.problem.code, "validation_failed");
});

test("a limiter runs as much at once as it admits, in order", async () => {
  const limiter = new Limiter((running) => running < 2);
  const log = [];
  const work = (name) => async () => {
    log.push(`${name} begins`);
    await new Promise(setImmediate);
    log.push(`${name} ends`);
    return name;
  };
  const results = await Promise.all(["a", "b", "c"].map((name) => limiter.run(work(name))));
  assert.deepEqual(results, ["a", "b", "c"]);
  assert.deepEqual(log.slice(0, 2), ["a begins", "b begins"]);
  assert.ok(log.indexOf("c begins") > log.indexOf("a ends"));
});

test("work that fails gives its place back", async () => {
  const limiter = new Limiter((running) => running < 1);
  await assert.rejects(
    limiter.run(() => Promise.reject(new Error("no"))),
    /no/,
  );
  assert.equal(await limiter.run(async () => "next"), "next");
});

test("a limiter can go by weight", async () => {
  const limiter = new Limiter((running, weight) => running === 0 || weight < 10);
  let most = 0;
  let now = 0;
  const work = async () => {
    now += 1;
    most = Math.max(most, now);
    await new Promise(setImmediate);
    now -= 1;
  };
  for (const round of [1, 2]) {
    await Promise.all([limiter.run(work, 6), limiter.run(work, 6), limiter.run(work, 6)]);
    assert.equal(most, 2, `round ${round}`);
    most = 0;
  }
});

const batcher = (handle) =>
  new Batcher(handle, { most: 3, waitMs: 5, sleep: () => new Promise(setImmediate) });

test("single values are put together, as many as one call takes", async () => {
  const batches = [];
  const doubling = batcher(async (values) => {
    batches.push(values);
    return values.map((value) => value * 2);
  });
  const results = await Promise.all([1, 2, 3, 4].map((value) => doubling.add(value)));
  assert.deepEqual(results, [2, 4, 6, 8]);
  assert.deepEqual(batches, [[1, 2, 3], [4]]);
});

test("one bad value does not undo the others, a failed call fails all", async () => {
  const one = batcher(async ([, ...rest]) => [new Error("bad"), ...rest]);
  const [bad, good] = await Promise.allSettled([one.add(1), one.add(2)]);
  assert.equal(bad.reason.message, "bad");
  assert.equal(good.value, 2);
  const all = batcher(() => Promise.reject(new Error("down")));
  const failed = await Promise.allSettled([all.add(1), all.add(2)]);
  assert.deepEqual(
    failed.map(({ reason }) => reason.message),
    ["down", "down"],
  );
});
