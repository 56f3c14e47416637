import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { send } from "../../static/files/transport.js";

/** A connection that does what the test tells it; Node has no XMLHttpRequest. */
class Connection extends EventTarget {
  static last;
  upload = new EventTarget();
  status = 0;
  responseText = "";

  constructor() {
    super();
    Connection.last = this;
  }

  open() {}

  setRequestHeader() {}

  send() {}

  getAllResponseHeaders() {
    return 'etag: "1"\r\nretry-after: 3\r\n';
  }

  abort() {
    this.end(0);
  }

  end(status) {
    this.status = status;
    this.dispatchEvent(new Event("loadend"));
  }

  moved(loaded) {
    this.upload.dispatchEvent(Object.assign(new Event("progress"), { loaded }));
  }
}

beforeEach(() => {
  globalThis.XMLHttpRequest = Connection;
  mock.timers.enable({ apis: ["setTimeout"] });
});

afterEach(() => {
  delete globalThis.XMLHttpRequest;
  mock.timers.reset();
});

const put = (more = {}) => send({ method: "PUT", url: "/", body: "x", onProgress: () => {}, ...more });

test("the answer has its status and the headers that are shown", async () => {
  const sending = put();
  Connection.last.end(200);
  const { status, header } = await sending;
  assert.equal(status, 200);
  assert.equal(header("ETag"), '"1"');
  assert.equal(header("Retry-After"), "3");
  assert.equal(header("Date"), null);
});

test("a connection on which nothing moves for a minute is cut", async () => {
  const sending = put();
  mock.timers.tick(50_000);
  Connection.last.moved(1);
  mock.timers.tick(59_999);
  assert.equal(Connection.last.status, 0);
  let isOver = false;
  sending.then(() => (isOver = true));
  await new Promise(setImmediate);
  assert.equal(isOver, false);
  mock.timers.tick(1);
  assert.equal((await sending).status, 0);
});

test("an answer may take longer than the next bytes, but not for ever", async () => {
  for (const onProgress of [() => {}, undefined]) {
    const sending = put({ onProgress });
    Connection.last.upload.dispatchEvent(new Event("load"));
    let isOver = false;
    sending.then(() => (isOver = true));
    mock.timers.tick(149_999);
    await new Promise(setImmediate);
    assert.equal(isOver, false);
    mock.timers.tick(1);
    assert.equal((await sending).status, 0);
  }
});

test("who sends may have more patience", async () => {
  const sending = put({ onProgress: undefined, patienceMs: 200_000 });
  let isOver = false;
  sending.then(() => (isOver = true));
  mock.timers.tick(199_999);
  await new Promise(setImmediate);
  assert.equal(isOver, false);
  mock.timers.tick(1);
  assert.equal((await sending).status, 0);
});

test("the signal cuts the connection at once", async () => {
  const controller = new AbortController();
  const sending = put({ signal: controller.signal });
  controller.abort(new Error("discarded"));
  await assert.rejects(sending, /discarded/);
  await assert.rejects(put({ signal: controller.signal }), /discarded/);
});
