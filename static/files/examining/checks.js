/**
 * The checks by name, as in files/content of the server, which reads every file again. Each has `feed(bytes, enough)`
 * and `finish()`, which throw a `CheckFailedError` at the first thing wrong. No DOM.
 */

import { BamCheck } from "./bam.js";
import { CramCheck } from "./cram.js";
import { FastaScanner } from "./fasta.js";
import { FastqScanner } from "./fastq.js";
import { GzipCheck } from "./gzip.js";
import { TextCheck } from "./text.js";

/**
 * `{check, names}` for a file of `size` bytes, or null for a name that is no check: `names` are the `ReadNames` of a
 * FASTQ file, else null.
 */
export function checkFor(name, size) {
  if (name === "fastq") {
    const scanner = new FastqScanner();
    return { check: new TextCheck(scanner, size), names: scanner.names };
  }
  if (name === "fasta") return { check: new TextCheck(new FastaScanner(), size), names: null };
  if (name === "gzip") return { check: new GzipCheck(size), names: null };
  if (name === "bam") return { check: new BamCheck(size), names: null };
  if (name === "cram") return { check: new CramCheck(), names: null };
  return null;
}
