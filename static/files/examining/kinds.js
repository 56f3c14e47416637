/** What a file looks like by its first bytes, in the words of files/content/kinds.py and text.py. No DOM. */

import { startsWith } from "./failing.js";

// The first that fits is told, so that a mark stands before a shorter one that begins it.
const KINDS = [
  ["CRAM", "a CRAM file"],
  ["BAM\x01", "a BAM file that was unpacked"],
  ["BCF\x02", "a BCF file"],
  ["BAI\x01", "the index of a BAM file"],
  ["CSI\x01", "an index"],
  ["TBI\x01", "an index"],
  ["##fileformat=VCF", "a VCF file"],
  ["@HD\t", "a SAM file"],
  ["@SQ\t", "a SAM file"],
  ["@RG\t", "a SAM file"],
  ["@PG\t", "a SAM file"],
  ["@CO\t", "a SAM file"],
  ["@", "a FASTQ file"],
  [">", "a FASTA file"],
  ["NCBI.sra", "an SRA file"],
  ["\x89HDF", "an HDF5 file, as FAST5 is"],
  ["\x8bPOD", "a POD5 file"],
  ["\x1f\x8b", "a gzip file"],
  ["BZh", "a bzip2 file"],
  ["\xfd7zXZ\0", "an xz file"],
  ["\x28\xb5\x2f\xfd", "a Zstandard file"],
  ["PK\x03\x04", "a zip file"],
  ["<", "a web page"],
];

const PACKERS = [
  ["\x1f\x8b", "gzip"],
  ["\x1f\x9d", "compress"],
  ["BZh", "bzip2"],
  ["\xfd7zXZ\0", "xz"],
  ["\x28\xb5\x2f\xfd", "Zstandard"],
  ["\x04\x22\x4d\x18", "LZ4"],
  ["PK\x03\x04", "zip"],
  ["7z\xbc\xaf\x27\x1c", "7z"],
  ["Rar!", "RAR"],
];

/** How many bytes `looksLike` and `packerOf` make use of. */
export const LONGEST_MARK = Math.max(...KINDS.map(([mark]) => mark.length));
export const LONGEST_MAGIC = Math.max(...PACKERS.map(([magic]) => magic.length));

/** A sentence with a space behind it, “It looks like a SAM file. ”, or nothing if there is no telling. */
export function looksLike(start) {
  const found = KINDS.find(([mark]) => startsWith(start, mark));
  return found ? `It looks like ${found[1]}. ` : "";
}

/** The program that packs files beginning so, or undefined. */
export function packerOf(start) {
  return PACKERS.find(([magic]) => startsWith(start, magic))?.[1];
}
