/** The blocks of BGZF, the gzip that BAM files are packed with: what files/content/bgzf.py does. No DOM. */

import { CheckFailedError, counted, mayBecome } from "./failing.js";
import { crc32 } from "./hashing.js";
import { DeflateError, Inflater } from "./inflating.js";

const MAGIC = "\x1f\x8b\x08\x04";
const FIXED_HEADER = 12;
const TRAILER = 8;
const MAX_UNPACKED = 64 << 10;
const FREE_OUTPUT = 1 << 30;
const RATIO = 200;
const AGAIN = "compare it with the original and upload that, or write the file again.";

/** The block that marks the end of a file. */
export const END_BLOCK = Uint8Array.from(
  "1f8b08040000000000ff0600424302001b0003000000000000000000".match(/../g),
  (digits) => Number.parseInt(digits, 16),
);

/** Whether both have the same bytes. */
export function alike(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** Unpacks a file block by block, with every size and checksum compared; `blocks` is how many were good. */
export class BlockReader {
  #source;
  #size;
  #start = 0;
  #unpacked = 0;
  #atEnd = false;
  #inflater = new Inflater();

  /** `size` is that of the file, in bytes. */
  constructor(source, size) {
    this.#source = source;
    this.#size = size;
    this.blocks = 0;
  }

  /** The data of the next block, overwritten by the next call, or null once the file has rightly ended. */
  *read() {
    this.#start = this.#source.position;
    const fixed = yield* this.#source.peek(FIXED_HEADER);
    if (!fixed.length) {
      this.#checkEnd();
      return null;
    }
    if (!mayBecome(fixed.subarray(0, MAGIC.length), MAGIC)) throw this.#noBlock();
    const dataStart = FIXED_HEADER + ((fixed[10] ?? 0) | ((fixed[11] ?? 0) << 8));
    const header = yield* this.#source.peek(dataStart);
    if (header.length < dataStart) throw this.#truncated(header.length);
    const block = yield* this.#readBlock(header);
    const data = this.#unpack(block, dataStart);
    this.#atEnd = alike(block, END_BLOCK);
    this.blocks += 1;
    this.#unpacked += data.length;
    this.#checkRatio();
    return data;
  }

  *#readBlock(header) {
    const size = blockSize(header.subarray(FIXED_HEADER));
    if (size === null) throw this.#noBlock();
    if (size < header.length + TRAILER) throw this.#invalid(`tells a size of ${counted(size)} bytes, which is too small`);
    const block = yield* this.#source.take(size);
    if (block.length < size) throw this.#truncated(0);
    return block;
  }

  #unpack(block, dataStart) {
    const trailerAt = block.length - TRAILER;
    const data = this.#inflated(block.subarray(dataStart, trailerAt));
    if (data.length > MAX_UNPACKED) throw this.#invalid(`unpacks to more than ${counted(MAX_UNPACKED)} bytes`);
    if (!this.#inflater.ended || this.#inflater.rest.length)
      throw this.#invalid("has compressed data of another size than it tells");
    const stored = new DataView(block.buffer, block.byteOffset + trailerAt, TRAILER);
    const offset = this.#start + trailerAt;
    if (stored.getUint32(0, true) !== crc32(data))
      throw differing("crc_mismatch", offset, "the data before byte", "differ from their checksum");
    if (stored.getUint32(4, true) !== data.length)
      throw differing("length_mismatch", offset + 4, "the length stored at byte", "is wrong");
    return data;
  }

  #inflated(packed) {
    this.#inflater.begin();
    this.#inflater.input = packed;
    try {
      // One byte more than may be, so that too much is seen without unpacking all of it.
      return this.#inflater.next(MAX_UNPACKED + 1);
    } catch (error) {
      if (!(error instanceof DeflateError)) throw error;
      throw this.#invalid("has damaged compressed data");
    }
  }

  #checkRatio() {
    if (this.#unpacked <= Math.max(FREE_OUTPUT, RATIO * this.#size)) return;
    const more = `more than ${RATIO} times its size and more than ${counted(FREE_OUTPUT)} bytes`;
    const detail = `The file unpacks to ${more}, which sequencing data do not: see what is in it.`;
    throw new CheckFailedError("bomb", detail, { offset: this.#start });
  }

  #checkEnd() {
    if (this.#atEnd) return;
    const end = `The file ends after ${counted(this.#start)} bytes without the block that marks the end`;
    const detail =
      `${end}: it is cut short, or the program that wrote it was. Compare its size with the original's, ` +
      "or write it again.";
    throw new CheckFailedError("eof_missing", detail, { offset: this.#start });
  }

  /** The file ends here, but for `left` bytes that were looked at and not taken. */
  #truncated(left) {
    const end = this.#source.position + left;
    const detail =
      `The file is cut short: it ends after ${counted(end)} bytes, within a block. Compare its size with the ` +
      "original's and upload the whole file.";
    return new CheckFailedError("truncated", detail, { offset: end });
  }

  #noBlock() {
    if (!this.blocks) {
      const detail =
        "The file is packed with gzip, but not in blocks (BGZF) as BAM files are: if a BAM file was packed " +
        "once more, unpack it; if not, write it with samtools or another program for BAM.";
      return new CheckFailedError("not_bgzf", detail, { offset: 0 });
    }
    if (!this.#atEnd) return this.#invalid("does not begin as blocks do");
    const detail = `The file ends at byte ${counted(this.#start)}, but other bytes follow: ${AGAIN}`;
    return new CheckFailedError("trailing_bytes", detail, { offset: this.#start });
  }

  #invalid(what) {
    const detail = `The file is damaged: the block that begins at byte ${counted(this.#start)} ${what}; ${AGAIN}`;
    return new CheckFailedError("block_invalid", detail, { offset: this.#start });
  }
}

function differing(problem, offset, what, how) {
  const detail = `The file is damaged: ${what} ${counted(offset)} ${how}; ${AGAIN}`;
  return new CheckFailedError(problem, detail, { offset });
}

/** The size in bytes that a block tells in its extra field, or null if that does not tell it. */
function blockSize(extra) {
  let at = 0;
  while (at + 4 <= extra.length) {
    const length = extra[at + 2] | (extra[at + 3] << 8);
    if (extra[at] === 0x42 && extra[at + 1] === 0x43 && length === 2 && at + 6 <= extra.length)
      return (extra[at + 4] | (extra[at + 5] << 8)) + 1;
    at += 4 + length;
  }
  return null;
}
