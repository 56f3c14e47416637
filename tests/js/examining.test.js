import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { examineHead } from "../../static/files/examining/heads.js";
import { examineWhole } from "../../static/files/examining/wholes.js";

const MIB = 1 << 20;
const GOES_ON = new AbortController().signal;
const READS = "@r1 1:N:0:ACGT\nACGT\n+\nIIII\n";

/** Bytes that follow from their number alone. */
function pattern(size) {
  return Uint8Array.from({ length: size }, (_, at) => at % 251);
}

/** A file that counts what is read of it, and fails where it is told to. */
function counting(bytes, fails = () => false) {
  const blob = new Blob([bytes]);
  const file = { size: blob.size, read: 0 };
  file.slice = (start, end) => ({
    arrayBuffer: async () => {
      file.read += end - start;
      if (fails(start)) throw new DOMException("gone", "NotReadableError");
      return blob.slice(start, end).arrayBuffer();
    },
  });
  return file;
}

// These vectors stand in docs/api.md.
for (const [words, bytes, fingerprint] of [
  ["an empty file", "", "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"],
  ["one line", "hello world\n", "29d658e745396034e6eacaef8693299b16a33d9d5a18f4fdf61ffeaefbec0d63"],
  ["3 MiB of the bytes 0 to 250", pattern(3 * MIB), "f2446c712dab6b39f805c93a6e5e1ee369829f5297ee14a59740bb42bd13f008"],
]) {
  test(`the fingerprint of ${words} is that of the documentation`, async () => {
    assert.equal((await examineHead(new Blob([bytes]), "")).fingerprint, fingerprint);
  });

  test(`the fingerprint of ${words} is the same where the browser has no SHA-256 of its own`, async (context) => {
    context.mock.getter(globalThis.crypto, "subtle", () => undefined);
    assert.equal((await examineHead(new Blob([bytes]), "")).fingerprint, fingerprint);
  });
}

test("first and last MiB overlap in the fingerprint of a file of one and a half", async () => {
  const bytes = pattern(1.5 * MIB);
  const hash = createHash("sha256").update(`${bytes.length}`);
  hash.update(bytes.subarray(0, MIB)).update(bytes.subarray(MIB / 2));
  assert.equal((await examineHead(new Blob([bytes]), "")).fingerprint, hash.digest("hex"));
});

test("the head of a large file reads its first and last MiB and no more", async () => {
  const file = counting(pattern(9 * MIB));
  assert.equal((await examineHead(file, "")).head.problem, null);
  assert.equal(file.read, 2 * MIB);
});

for (const size of [0, 1, 4 * MIB, 9 * MIB + 3]) {
  test(`the sha256 of ${size} bytes is right`, async () => {
    const bytes = pattern(size);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    assert.deepEqual(await examineWhole(new Blob([bytes]), "", GOES_ON), { sha256, problem: null });
    const { whole } = await examineHead(new Blob([bytes]), "");
    assert.deepEqual(whole, size <= MIB / 4 ? { sha256, problem: null } : null);
  });
}

test("a record that the first MiB cuts in two is no problem of the head", async () => {
  const read = `@r\n${"A".repeat(MIB)}\n+\n${"I".repeat(MIB)}\n`;
  assert.equal((await examineHead(new Blob([read.repeat(2)]), "fastq")).head.problem, null);
});

test("the first read is told without the mark of its mate", async () => {
  const firstOf = async (text) => (await examineHead(new Blob([text]), "fastq")).head.firstRead;
  assert.deepEqual(await firstOf(READS), { name: "r1", mate: "1" });
  assert.deepEqual(await firstOf(gzipSync(READS)), { name: "r1", mate: "1" });
  assert.deepEqual(await firstOf("@r1/2\nA\n+\nI\n"), { name: "r1", mate: "2" });
  assert.deepEqual(await firstOf("@r1\tx 1:Y:0:A\nA\n+\nI\n"), { name: "r1", mate: "1" });
  assert.deepEqual(await firstOf("@r1\nA\n+\nI\n"), { name: "r1", mate: null });
  assert.deepEqual(await firstOf(`${READS}@r2\nA\n+\nI\n`), { name: "r1", mate: null });
  assert.deepEqual(await firstOf(`${READS}@r1 2:N:0:A\nA\n+\nI\n`), { name: "r1", mate: "mixed" });
  assert.deepEqual(await firstOf("@r1/1 1:N:0:A\nA\n+\nI\n"), { name: "r1", mate: null });
  assert.equal(await firstOf(">r1\nACGT\n"), null);
});

test("after a problem the rest of a file is not read", async () => {
  const file = counting(new Uint8Array(64 * MIB));
  const { sha256, problem } = await examineWhole(file, "fastq", GOES_ON);
  assert.deepEqual([sha256, problem.code, problem.line], [null, "fastq_header", 1]);
  assert.ok(file.read <= 8 * MIB, `${file.read} bytes were read`);
});

test("an abort stops the reading and rejects with its reason", async () => {
  const controller = new AbortController();
  const file = counting(new Uint8Array(64 * MIB), (start) => {
    if (start) controller.abort(new Error("discarded"));
    return false;
  });
  await assert.rejects(examineWhole(file, "", controller.signal), { message: "discarded" });
  assert.ok(file.read <= 12 * MIB, `${file.read} bytes were read`);
});

test("a file that is gone is told from one that is wrong", async () => {
  const gone = { name: "NotReadableError" };
  await assert.rejects(examineHead(counting(pattern(10), () => true), "fastq"), gone);
  const half = counting(pattern(9 * MIB), (start) => start > 4 * MIB);
  await assert.rejects(examineWhole(half, "", GOES_ON), gone);
  const shorter = counting(pattern(10));
  shorter.size = 20;
  await assert.rejects(examineHead(shorter, ""), gone);
});
