import assert from "node:assert/strict";
import { test } from "node:test";

import { faultOf, isHidden, lastPart, nameFault, nameKey, rulesOf } from "../../static/files/rules.js";

test("the name of a file is the last part of its path", () => {
  assert.equal(lastPart("run 1/lane/reads.fastq.gz"), "reads.fastq.gz");
  assert.equal(lastPart("reads.fastq.gz"), "reads.fastq.gz");
});

test("names are the same after NFC and case folding", () => {
  assert.equal(nameKey("Gru\u0308n.TXT"), nameKey("gr\u00fcn.txt"));
  assert.equal(nameKey("Straße.txt"), nameKey("STRASSE.TXT"));
  assert.equal(nameKey("ΟΔΟΣ.txt"), nameKey("οδοσ.txt"));
  assert.equal(nameKey("GROẞ.txt"), nameKey("gross.txt"));
  assert.notEqual(nameKey("a.txt"), nameKey("b.txt"));
  assert.notEqual(nameKey("sınır.txt"), nameKey("sinir.txt"));
});

test("dot files, Thumbs.db and all below a dot folder are hidden", () => {
  for (const path of [
    ".DS_Store",
    "s1/.DS_Store",
    "s1/Thumbs.db",
    "THUMBS.DB",
    "s1/.git/config",
    ".cache/x/y",
  ]) {
    assert.equal(isHidden(path), true, path);
  }
  for (const path of ["a.txt", "s1/reads.fastq.gz", "s1/my thumbs.db", "a..b/c"]) {
    assert.equal(isHidden(path), false, path);
  }
});

for (const name of ["a<b", "a>b", "a:b", 'a"b', "a\\b", "a|b", "a?b", "a*b", "a/b"]) {
  test(`a name with ${name[1]} is refused and the character named`, () => {
    assert.ok(nameFault(name).includes(`contains ${name[1]},`));
  });
}

test("names that are empty, too long, padded or not what they seem are refused", () => {
  assert.match(nameFault(""), /empty/);
  assert.match(nameFault("x".repeat(256)), /256 characters; at most 255/);
  assert.match(nameFault(" a.txt"), /white space/);
  assert.match(nameFault("a.txt "), /white space/);
  assert.match(nameFault("a\u0007.txt"), /control character U\+0007/);
  assert.match(nameFault("a\u0085.txt"), /control character U\+0085/);
  assert.match(nameFault("a\u202egpj.exe"), /bidirectional override U\+202E/);
  assert.match(nameFault("a\u2066.exe"), /bidirectional override U\+2066/);
  assert.match(nameFault("a\ud800.txt"), /lone surrogate U\+D800/);
});

test("the length of a name counts code points, and unusual letters are fine", () => {
  assert.equal(nameFault("🦠".repeat(255)), null);
  assert.equal(nameFault("Probe ü #1 100%.fastq.gz"), null);
});

test("the rules of a category are read from the widget's attributes", () => {
  const none = { maxFiles: "", maxFileSize: "", minFiles: "1", extensions: "[]", required: "false" };
  assert.deepEqual(rulesOf(none), {
    maxFiles: null,
    maxFileSize: null,
    minFiles: 1,
    extensions: [],
    required: false,
    pairing: false,
  });
  const some = { maxFiles: "2", maxFileSize: "50", minFiles: "2", extensions: '[".gz"]', required: "true" };
  assert.deepEqual(rulesOf(some), {
    maxFiles: 2,
    maxFileSize: 50,
    minFiles: 2,
    extensions: [".gz"],
    required: true,
    pairing: false,
  });
  const { minFiles, maxFiles, pairing } = rulesOf({ ...some, maxFiles: "9", pairing: "true" });
  assert.deepEqual([minFiles, maxFiles, pairing], [2, 2, true]);
});

test("a file is measured against name, extension and size, in that order", () => {
  const rules = { extensions: [".fastq.gz", ".fq.gz"], maxFileSize: 1000 };
  assert.equal(faultOf({ name: "A.FASTQ.GZ", size: 1000 }, rules), null);
  assert.equal(faultOf({ name: "a.fastq.gz", size: 1001 }, rules).code, "file_too_large");
  assert.equal(faultOf({ name: "a.gz", size: 1001 }, rules).code, "extension_not_allowed");
  assert.equal(faultOf({ name: "a:b.gz", size: 1001 }, rules).code, "file_name_invalid");
  assert.equal(faultOf({ name: "anything", size: 0 }, { extensions: [], maxFileSize: null }), null);
});
