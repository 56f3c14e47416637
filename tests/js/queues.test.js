import assert from "node:assert/strict";
import { test } from "node:test";

import { Batcher, Limiter } from "../../static/files/queues.js";

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
    await Promise.all([limiter.run(work, { weight: 6 }), limiter.run(work, { weight: 6 }), limiter.run(work, { weight: 6 })]);
    assert.equal(most, 2, `round ${round}`);
    most = 0;
  }
});

test("urgent work goes before what waits", async () => {
  const limiter = new Limiter((running) => running < 1);
  const log = [];
  const runs = [
    ["first", false],
    ["waiting", false],
    ["urgent", true],
  ].map(([name, isUrgent]) => limiter.run(async () => log.push(name), { isUrgent }));
  await Promise.all(runs);
  assert.deepEqual(log, ["first", "urgent", "waiting"]);
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

test("what comes while a call is under way goes together into the next", async () => {
  const batches = [];
  const ends = [];
  const slow = new Batcher(
    (values) => {
      batches.push(values);
      return new Promise((resolve) => ends.push(() => resolve(values)));
    },
    { most: 3, waitMs: 0, sleep: () => new Promise(setImmediate) },
  );
  const soon = async () => {
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  };
  const first = slow.add("a");
  await soon();
  const others = [slow.add("b"), slow.add("c")];
  await soon();
  assert.deepEqual(batches, [["a"]]);
  ends[0]();
  await soon();
  assert.deepEqual(batches, [["a"], ["b", "c"]]);
  const full = ["d", "e", "f"].map((value) => slow.add(value));
  assert.deepEqual(batches[2], ["d", "e", "f"], "a full call waits for none");
  ends.slice(1).forEach((end) => end());
  assert.deepEqual(await Promise.all([first, ...others, ...full]), ["a", "b", "c", "d", "e", "f"]);
});

test("the longer it goes on, the longer the rest between two calls; after a pause it is short again", async () => {
  const pauses = [];
  const sleep = async (ms) => {
    pauses.push(ms);
    await new Promise(setImmediate);
  };
  const resting = new Batcher(async (values) => values, { most: 3, waitMs: 20, restMs: 300, sleep });
  for (let number = 0; number < 5; number += 1) await resting.add(number);
  assert.deepEqual(pauses, [20, 20, 60, 180, 300, 300]);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
  pauses.length = 0;
  await resting.add("anew");
  assert.deepEqual(pauses, [20, 20]);
});

test("what waits can be handled at once", async () => {
  const never = () => new Promise(() => undefined);
  const waiting = new Batcher(async (values) => values, { most: 3, waitMs: 20, sleep: never });
  const values = Promise.all([waiting.add("a"), waiting.add("b")]);
  waiting.flush();
  assert.deepEqual(await values, ["a", "b"]);
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
