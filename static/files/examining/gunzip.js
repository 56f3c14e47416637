/**
 * Unpacks gzip (RFC 1952) in bounded steps, with every rule checked: what files/content/gunzip.py does, with its
 * words. Headers and trailers are read here, so that what is wrong can be told with its place. No DOM.
 */

import { CheckFailedError, counted, joined, mayBecome } from "./failing.js";
import { Crc32, crc32 } from "./hashing.js";
import { DeflateError, Inflater } from "./inflating.js";

export const GZIP_MAGIC = "\x1f\x8b\x08";

// The verifier's own, so that both lose the same text before damaged data.
const LARGEST_SLICE = 1 << 20;
const SMALLEST_SLICE = 32 << 10;
const FIXED_HEADER = 10;
const MAX_HEADER = 256 << 10;
const FREE_OUTPUT = 1 << 30;
const RATIO = 200;
const [HEADER_CRC, EXTRA, NAME, COMMENT, RESERVED] = [0x02, 0x04, 0x08, 0x10, 0xe0];
const NOTHING = new Uint8Array(0);
const AGAIN = "pack the original file again and upload that.";

/** What is wrong with the packing, not with what is packed. */
export class GzipError extends CheckFailedError {}

export class Gunzip {
  #size;
  #inflater = new Inflater();
  #step = "header";
  #partial = NOTHING;
  #received = 0;
  #members = 0;
  #unpacked = 0;
  #memberStart = 0;
  #crc = null;
  #length = 0;
  #slice = SMALLEST_SLICE;

  /** `size` is that of the file, in bytes. */
  constructor(size) {
    this.#size = size;
  }

  /** Unpacks the next bytes into pieces for `take`, until `enough()`; throws a `GzipError`. */
  feed(chunk, take, enough) {
    let start = 0;
    while (start < chunk.length && !enough()) {
      let data = chunk.subarray(start, start + this.#slice);
      start += data.length;
      this.#received += data.length;
      const members = this.#members;
      while (data.length) data = this.#read(data, take);
      const same = this.#members === members;
      this.#slice = same
        ? Math.min(2 * this.#slice, LARGEST_SLICE)
        : Math.max(this.#slice >> 1, SMALLEST_SLICE);
    }
  }

  /** Checks that the file may end here: after a whole member. */
  finish() {
    if (this.#step === "header" && !this.#partial.length) return;
    const end = `it ends after ${counted(this.#received)} bytes, before its compressed data do`;
    const detail = `The gzip file is cut short: ${end}. Compare its size with the original's and upload the whole file.`;
    throw new GzipError("truncated", detail, { offset: this.#received });
  }

  #read(data, take) {
    if (this.#step === "data") return this.#inflate(data, take);
    const all = joined(this.#partial, data);
    this.#partial = NOTHING;
    return this.#step === "header" ? this.#readHeader(all) : this.#readTrailer(all);
  }

  /** Begins a member once its header is whole; returns the bytes behind it. */
  #readHeader(data) {
    this.#memberStart = this.#received - data.length;
    if (!mayBecome(data.subarray(0, GZIP_MAGIC.length), GZIP_MAGIC)) throw this.#trailing(data);
    const end = this.#headerEnd(data);
    if (end === null) {
      if (data.length > MAX_HEADER) throw this.#invalid(`has a header of over ${counted(MAX_HEADER)} bytes`);
      this.#partial = data.slice();
      return NOTHING;
    }
    this.#step = "data";
    this.#inflater.begin();
    this.#crc = new Crc32();
    this.#length = 0;
    return data.subarray(end);
  }

  /** Where the member's header ends, or null if it goes on behind the data. */
  #headerEnd(data) {
    if (data.length < FIXED_HEADER) return null;
    const flags = data[3];
    if (flags & RESERVED) throw this.#invalid("has a header with unknown flags");
    let end = FIXED_HEADER;
    if (flags & EXTRA) end += 2 + ((data[end] ?? 0) | ((data[end + 1] ?? 0) << 8));
    for (const flag of [NAME, COMMENT]) {
      if (!(flags & flag)) continue;
      const zero = data.indexOf(0, end);
      if (zero < 0) return null;
      end = zero + 1;
    }
    if (flags & HEADER_CRC) {
      end += 2;
      const stored = data[end - 2] | (data[end - 1] << 8);
      if (data.length >= end && stored !== (crc32(data.subarray(0, end - 2)) & 0xffff))
        throw this.#invalid("has a header that differs from its own checksum");
    }
    return data.length >= end ? end : null;
  }

  #inflate(data, take) {
    const inflater = this.#inflater;
    inflater.input = data;
    for (;;) {
      const piece = this.#nextPiece();
      if (piece.length) {
        this.#crc.add(piece);
        this.#length += piece.length;
        this.#unpacked += piece.length;
        this.#checkRatio();
        take(piece);
      }
      if (inflater.ended) {
        this.#step = "trailer";
        return inflater.rest;
      }
      if (!piece.length) return NOTHING;
    }
  }

  #nextPiece() {
    try {
      return this.#inflater.next();
    } catch (error) {
      if (!(error instanceof DeflateError)) throw error;
      throw this.#invalid("has damaged compressed data");
    }
  }

  #checkRatio() {
    if (this.#unpacked <= Math.max(FREE_OUTPUT, RATIO * this.#size)) return;
    const more = `more than ${RATIO} times its size and more than ${counted(FREE_OUTPUT)} bytes`;
    const detail = `The gzip file unpacks to ${more}, which sequencing data do not: upload it unpacked.`;
    throw new GzipError("bomb", detail, { offset: this.#memberStart });
  }

  /** Compares the member with its checksum and length; returns the bytes behind them. */
  #readTrailer(data) {
    if (data.length < 8) {
      this.#partial = data.slice();
      return NOTHING;
    }
    const offset = this.#received - data.length;
    const stored = new DataView(data.buffer, data.byteOffset, 8);
    if (stored.getUint32(0, true) !== this.#crc.value)
      throw this.#differing("crc_mismatch", offset, "the data before byte", "differ from their checksum");
    if (stored.getUint32(4, true) !== this.#length % 2 ** 32)
      throw this.#differing("length_mismatch", offset + 4, "the length stored at byte", "is wrong");
    this.#members += 1;
    this.#step = "header";
    return data.subarray(8);
  }

  #differing(problem, offset, what, how) {
    const detail = `The gzip file is damaged: ${what} ${counted(offset)} ${how}; ${AGAIN}`;
    return new GzipError(problem, detail, { offset });
  }

  /** What follows the last member; that the file begins with one was seen before. */
  #trailing(data) {
    const what = data[0] === 0 ? "zero bytes" : "bytes that are no gzip data";
    const detail = `The gzip data end at byte ${counted(this.#memberStart)}, but ${what} follow: ${AGAIN}`;
    return new GzipError("trailing_bytes", detail, { offset: this.#memberStart });
  }

  #invalid(what) {
    const start = counted(this.#memberStart);
    const detail = `The gzip file is damaged: the member that begins at byte ${start} ${what}; ${AGAIN}`;
    return new GzipError("invalid_data", detail, { offset: this.#memberStart });
  }
}
