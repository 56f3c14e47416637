import assert from "node:assert/strict";
import { test } from "node:test";

import { Meter, bytes, bytesOf, duration, listed, many, naturalKey } from "../../static/files/words.js";

test("sizes have a unit that keeps them short", () => {
  const wanted = {
    0: "0 bytes",
    1: "1 byte",
    999: "999 bytes",
    1000: "1.0 kB",
    16430000: "16.4 MB",
    99940000: "99.9 MB",
    99960000: "100 MB",
    999600000: "1.0 GB",
    1200000000: "1.2 GB",
    5497558138880: "5.5 TB",
    5000000000000000: "5000 TB",
  };
  for (const [count, words] of Object.entries(wanted)) assert.equal(bytes(Number(count)), words);
});

test("a part of a size has the unit of the whole", () => {
  assert.equal(bytesOf(2_100_000, 16_430_000), "2.1 of 16.4 MB");
  assert.equal(bytesOf(900, 2_000_000_000), "0.0 of 2.0 GB");
  assert.equal(bytesOf(120_000_000, 5_000_000_000), "0.1 of 5.0 GB");
  assert.equal(bytesOf(3, 10), "3 of 10 bytes");
});

test("numbers in names are sorted as numbers", () => {
  const names = ["lane10/a", "Lane2/a", "lane1/b", "lane1/a"];
  const sorted = [...names].sort((a, b) => (naturalKey(a) < naturalKey(b) ? -1 : 1));
  assert.deepEqual(sorted, ["lane1/a", "lane1/b", "Lane2/a", "lane10/a"]);
});

test("times are rough", () => {
  assert.equal(duration(0), "a few seconds");
  assert.equal(duration(31), "about 40 seconds");
  assert.equal(duration(51), "about 1 minute");
  assert.equal(duration(170), "about 3 minutes");
  assert.equal(duration(3599), "about 1 hour");
  assert.equal(duration(9000), "about 2 hours 30 min");
});

test("counts agree with their nouns", () => {
  assert.equal(many(1, "file"), "1 file");
  assert.equal(many(5000, "file"), "5,000 files");
});

test("a long list is cut, and says by how much", () => {
  assert.equal(listed(["a", "b", "c"]), "a, b, c");
  assert.equal(listed(["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
});

test("the speed is that of the last seconds", () => {
  const meter = new Meter(8000);
  for (let second = 0; second <= 20; second += 1) meter.note(second * 1000, second * 100);
  assert.equal(meter.speed, 100);
  for (let second = 21; second <= 29; second += 1) meter.note(second * 1000, 2000 + (second - 20) * 1000);
  assert.equal(meter.speed, 1000);
});

test("the speed is unknown at first, after a start from anew, and while nothing moves", () => {
  const meter = new Meter();
  assert.equal(meter.speed, null);
  meter.note(0, 0);
  meter.note(500, 100);
  assert.equal(meter.speed, null);
  meter.note(1500, 300);
  assert.equal(meter.speed, 200);
  meter.note(2000, 0);
  meter.note(2500, 100);
  assert.equal(meter.speed, null);
  for (let second = 3; second <= 20; second += 1) meter.note(second * 1000, 100);
  assert.equal(meter.speed, null);
  meter.reset();
  assert.equal(meter.speed, null);
});
