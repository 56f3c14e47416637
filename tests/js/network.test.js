import assert from "node:assert/strict";
import { test } from "node:test";

import { networkOf } from "../../static/files/network.js";

/** A window that goes on and off line. */
class FakeWindow extends EventTarget {
  navigator = { onLine: true };
}

test("the network comes back with the next event, for all that wait", async () => {
  const window = new FakeWindow();
  const network = networkOf(window);
  window.navigator.onLine = false;
  assert.equal(network.isOnline(), false);
  let back = 0;
  const waiting = [1, 2].map(() => network.online().then(() => (back += 1)));
  await new Promise(setImmediate);
  assert.equal(back, 0);
  window.dispatchEvent(new Event("online"));
  await Promise.all(waiting);
  assert.equal(back, 2);
});

test("waiting for the network ends with the signal", async () => {
  const network = networkOf(new FakeWindow());
  const controller = new AbortController();
  const waiting = network.online(controller.signal);
  controller.abort(new Error("discarded"));
  await assert.rejects(waiting, /discarded/);
  await assert.rejects(network.online(controller.signal), /discarded/);
});
