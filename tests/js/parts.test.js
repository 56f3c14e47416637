import assert from "node:assert/strict";
import { test } from "node:test";

import { boundsOf, partSizeFor } from "../../static/files/parts.js";
import { MIB } from "./store.js";

const partsOf = (size, speed) => Math.ceil(size / partSizeFor(size, speed));

test("parts have at least 5 MiB and are at most 9,999, up to 5 TiB", () => {
  for (const mib of [16, 17, 29, 30, 31, 47, 64, 100, 1000, 70_000, 79_992, 79_993, 1024 ** 2, 5 * 1024 ** 2]) {
    for (const size of [mib * MIB, mib * MIB - 1, mib * MIB + 1].filter((one) => one >= 16 * MIB)) {
      for (const speed of [null, 1, MIB, 3 * MIB, 1000 * MIB]) {
        const partSize = partSizeFor(size, speed);
        assert.ok(Number.isInteger(partSize));
        assert.ok(partSize >= 5 * MIB && partSize <= 5 * 1024 ** 3, `${size} at ${speed}: ${partSize}`);
        assert.ok(partsOf(size, speed) <= 9_999, `${size} at ${speed}`);
      }
    }
  }
});

test("few parts are as many as keep six connections busy to the end", () => {
  assert.equal(partSizeFor(64 * MIB), Math.ceil((64 * MIB) / 6));
  for (const mib of [30, 64, 96, 97, 200, 500, 900]) {
    for (const speed of [null, MIB, 4 * MIB]) assert.equal(partsOf(mib * MIB, speed) % 6, 0, `${mib} MiB at ${speed}`);
  }
});

test("where the line is slow, a file of 60 MiB is there by half before all of it is under way", () => {
  assert.equal(partsOf(60 * MIB, MIB / 4), 12);
});

test("a part takes about ten seconds, between 5 and 64 MiB, and 16 where nothing is known", () => {
  const size = 100_000 * MIB;
  for (const [speed, mib] of [
    [null, 16],
    [0.1 * MIB, 10], // no more than 9,999
    [2 * MIB, 20],
    [100 * MIB, 64],
  ]) {
    assert.ok(Math.abs(partSizeFor(size, speed) / MIB - mib) < 0.5, `${speed}: ${partSizeFor(size, speed) / MIB}`);
  }
  assert.ok(Math.abs(partSizeFor(10_000 * MIB, 0.1 * MIB) / MIB - 5) < 0.1);
});

test("parts cover the file without a gap", () => {
  assert.deepEqual(boundsOf(1, 10, 25), [0, 10]);
  assert.deepEqual(boundsOf(3, 10, 25), [20, 25]);
});
