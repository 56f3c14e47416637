/** The BAM check: all blocks, and that they hold BAM (files/content/bam.py; its records are left to the verifier). No DOM. */

import { BinaryCheck, Source } from "./binary.js";
import { END_BLOCK, BlockReader, alike } from "./bgzf.js";
import { CheckFailedError, joined, mayBecome, startsWith } from "./failing.js";
import { LONGEST_MARK, looksLike } from "./kinds.js";

const GZIP_MAGIC = "\x1f\x8b\x08";
const MAGIC = "BAM\x01";
const BLOCK_START = [0x1f, 0x8b, 0x08, 0x04];
/** Some whole blocks, of which each has at most 64 KiB. */
const TAIL_BYTES = 256 << 10;

export class BamCheck extends BinaryCheck {
  #size;
  #start = new Uint8Array(0);

  /** `size` is that of the file, in bytes. */
  constructor(size) {
    super();
    this.#size = size;
  }

  *read() {
    const start = yield* this.source.peek(LONGEST_MARK);
    if (!start.length) {
      const detail = "The file is empty: upload the original, and look whether there was room on the disk.";
      throw new CheckFailedError("empty", detail, { offset: 0 });
    }
    if (!mayBecome(start.subarray(0, GZIP_MAGIC.length), GZIP_MAGIC)) {
      const detail = `The file is not in BAM format. ${looksLike(start)}Upload a BAM file.`;
      throw new CheckFailedError("not_bam", detail, { offset: 0 });
    }
    const blocks = new BlockReader(this.source, this.#size);
    for (let data = yield* blocks.read(); data; data = yield* blocks.read()) this.#look(data);
    if (this.#start.length < LONGEST_MARK) this.#checkMagic();
  }

  /** The first of what is unpacked has to be BAM. */
  #look(data) {
    if (this.#start.length >= LONGEST_MARK) return;
    this.#start = joined(this.#start, data.slice(0, LONGEST_MARK));
    if (this.#start.length >= LONGEST_MARK) this.#checkMagic();
  }

  #checkMagic() {
    const start = this.#start.subarray(0, LONGEST_MARK);
    if (startsWith(start, MAGIC)) return;
    const what = start.length ? looksLike(start) : "It holds nothing. ";
    const detail = `The file is packed as BAM files are, but holds something else. ${what}Upload a BAM file.`;
    throw new CheckFailedError("not_bam", detail, { offset: 0 });
  }
}

/**
 * What is wrong with the end of a BAM file, as an error, or null: `tail` has the last of its `size` bytes. The last
 * block has to be the one that marks the end; where it is not, the blocks before tell why.
 */
export function bamTailFault(tail, size) {
  if (alike(tail.subarray(-END_BLOCK.length), END_BLOCK)) return null;
  const last = tail.subarray(-TAIL_BYTES);
  for (let at = last.indexOf(BLOCK_START[0]); at >= 0; at = last.indexOf(BLOCK_START[0], at + 1)) {
    if (!alike(last.subarray(at, at + BLOCK_START.length), BLOCK_START)) continue;
    const { blocks, fault } = readFrom(last.subarray(at), size);
    // Bytes that unpack to what their checksum says are a block, and no part of one that looks so.
    if (blocks) return fault;
  }
  return null;
}

function readFrom(bytes, size) {
  const source = new Source(size - bytes.length);
  source.add(bytes);
  source.ended = true;
  const reader = new BlockReader(source, size);
  const reading = readAll(reader);
  try {
    reading.next();
  } catch (fault) {
    if (!(fault instanceof CheckFailedError)) throw fault;
    return { blocks: reader.blocks, fault };
  }
  return { blocks: reader.blocks, fault: null };
}

function* readAll(reader) {
  while (yield* reader.read());
}
