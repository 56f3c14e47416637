import assert from "node:assert/strict";
import { test } from "node:test";

import { RequestError, pauseBefore, sendPatiently } from "../../static/files/requests.js";
import { answer } from "./store.js";

const never = () => new Promise(() => {});
const alwaysOnline = { isOnline: () => true, online: never };

/** What `sendPatiently` does with these answers in turn: the answer or error, and the pauses it made. */
async function patience(...answers) {
  const pauses = [];
  const options = {
    send: async () => answers.shift(),
    sleep: async (ms) => pauses.push(ms),
    random: () => 1,
    network: alwaysOnline,
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

test("without a network nothing counts as an attempt, and it is told apart", async () => {
  let left = 30;
  const told = [];
  const options = {
    send: async () => answer((left -= 1) > 0 ? 0 : 200),
    sleep: never,
    random: () => 1,
    network: { isOnline: () => false, online: async () => {} },
    beforeRetry: (_, isOffline) => told.push(isOffline),
  };
  assert.equal((await sendPatiently({ url: "/" }, options)).status, 200);
  assert.deepEqual(told, Array(29).fill(true));
});

test("a network that comes back ends the pause after a lost connection, not that of a busy server", async () => {
  for (const [status, isEnded] of [
    [0, true],
    [503, false],
  ]) {
    const answers = [answer(status), answer(200)];
    let wake;
    const options = {
      send: async () => answers.shift(),
      sleep: () => new Promise((resolve) => (wake = resolve)),
      random: () => 1,
      network: { isOnline: () => true, online: async () => {} },
    };
    let isOver = false;
    const sending = sendPatiently({ url: "/" }, options).then(() => (isOver = true));
    await new Promise(setImmediate);
    assert.equal(isOver, isEnded, `${status}`);
    wake();
    await sending;
  }
});

test("a signal ends the waiting for the network and the pause", async () => {
  for (const isOnline of [true, false]) {
    const controller = new AbortController();
    const untilAborted = (signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const options = {
      send: async () => answer(0),
      sleep: (_, signal) => untilAborted(signal),
      random: () => 1,
      network: { isOnline: () => isOnline, online: untilAborted },
    };
    const sending = sendPatiently({ url: "/", signal: controller.signal }, options);
    setImmediate(() => controller.abort(new Error("discarded")));
    await assert.rejects(sending, /discarded/);
  }
});
