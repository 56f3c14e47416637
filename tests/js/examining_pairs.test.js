import assert from "node:assert/strict";
import { test } from "node:test";

import { pairNamesProblem, pairReadsProblem } from "../../static/files/pairs.js";

const file = (name, read, mate) => ({ name, firstRead: read === null ? null : { name: read, mate } });

for (const names of [
  ["a_R1.fastq.gz", "a_R2.fastq.gz"],
  ["a_2.fq", "a_1.fq"],
  ["s11_R1.fq", "s11_R2.fq"],
  ["a_R1.fq"],
  ["a", "b", "c"],
]) {
  test(`nothing is said of ${names.join(" and ")}`, () => {
    assert.equal(pairNamesProblem(names), null);
  });
}

for (const names of [
  ["a_R1.fastq.gz", "a_R3.fastq.gz"],
  ["a_R1.fastq.gz", "a_R2.fq.gz"],
  ["a1_R1.fq", "a2_R2.fq"],
  ["a_R1.fq", "b_R2.fq"],
]) {
  test(`${names.join(" and ")} are no pair`, () => {
    assert.equal(pairNamesProblem(names).code, "pair_file_names");
    assert.ok(pairNamesProblem(names).detail.startsWith(`“${names[0]}” and “${names[1]}” are not named as`));
  });
}

for (const [words, one, other, code] of [
  ["a pair", ["r1", "1"], ["r1", "2"], undefined],
  ["a pair that says nothing of itself", ["r1", null], ["r1", null], undefined],
  ["a pair of which one says it", ["r1", "1"], ["r1", null], undefined],
  ["one that is not FASTQ", ["r1", "1"], [null, null], undefined],
  ["read 1 twice", ["r1", "1"], ["r1", "1"], "pair_same_mate"],
  ["both in one", ["r1", "mixed"], ["r1", "2"], "pair_mixed"],
  ["another sample", ["r1", "1"], ["r2", "2"], "pair_read_names"],
  ["names exchanged", ["r1", "2"], ["r1", "1"], "pair_swapped"],
]) {
  test(`of ${words}, in either order, ${code ?? "nothing"} is told`, () => {
    const files = [file("a_1.fq", ...one), file("a_2.fq", ...other)];
    const problem = pairReadsProblem(...files);
    assert.equal(problem?.code, code);
    assert.deepEqual(pairReadsProblem(...files.reverse()), problem);
  });
}
