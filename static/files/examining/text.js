/** What the checks of text formats have in common: the text is read, gzipped or plain (files/content/text.py). No DOM. */

import { CheckFailedError, joined, mayBecome, startsWith } from "./failing.js";
import { GZIP_MAGIC, Gunzip, GzipError } from "./gunzip.js";
import { LONGEST_MAGIC, packerOf } from "./kinds.js";

const NOTHING = new Uint8Array(0);
const [LF, CR] = [10, 13];
const NEVER = () => false;

/**
 * Turns the bytes of a file as stored into pieces of its text. What is wrong with the gzip data is kept in
 * `failure` and ends the text there; each check says itself what it makes of that.
 */
export class Unpacker {
  #size;
  #start = NOTHING;

  constructor(size) {
    this.#size = size;
    this.gunzip = null;
    this.failure = null;
    this.received = 0;
  }

  /** Hands the text of the next bytes to `take`, until `enough()`. */
  feed(chunk, take, enough = NEVER) {
    this.received += chunk.length;
    const start = this.#start;
    const bytes = start ? joined(start, chunk) : chunk;
    if (start) {
      this.#start = bytes.length < GZIP_MAGIC.length ? bytes.slice() : null;
      if (this.#start) return;
      if (startsWith(bytes, GZIP_MAGIC)) this.gunzip = new Gunzip(this.#size);
    }
    if (!this.gunzip) take(bytes);
    else if (!this.failure) this.#keeping(() => this.gunzip.feed(bytes, take, enough));
  }

  /** The last of the text, once the whole file was fed; a file that may not end there has a `failure` then. */
  finish(take) {
    const start = this.#start;
    this.#start = null;
    if (start?.length && mayBecome(start, GZIP_MAGIC)) {
      this.gunzip = new Gunzip(this.#size);
      this.#keeping(() => this.gunzip.feed(start, take, NEVER));
    } else if (start?.length) {
      take(start);
    }
    if (this.gunzip && !this.failure) this.#keeping(() => this.gunzip.finish());
  }

  #keeping(step) {
    try {
      step();
    } catch (error) {
      if (!(error instanceof GzipError)) throw error;
      this.failure = error;
    }
  }
}

/**
 * A check of text. `scanner` has `feed(text)` and `finish()`, which throw a `CheckFailedError`; its text has LF for
 * CRLF, and pieces that are overwritten after the call. `textBytes` is how much of the text was looked at.
 */
export class TextCheck {
  #unpacker;
  #scanner;
  #start = NOTHING;
  #heldReturn = false;

  constructor(scanner, size) {
    this.#unpacker = new Unpacker(size);
    this.#scanner = scanner;
    this.textBytes = 0;
  }

  /** Checks the next bytes of the file, until `enough()`; throws a `CheckFailedError`. */
  feed(chunk, enough) {
    this.#unpacker.feed(chunk, (piece) => this.#take(piece), enough);
  }

  /** Checks that the file may end here. */
  finish() {
    this.#unpacker.finish((piece) => this.#take(piece));
    if (this.#start) this.#begin(this.#start);
    const failure = this.#unpacker.failure;
    if (failure) throw new CheckFailedError(`gzip_${failure.problem}`, failure.message, failure.place);
    this.#scanner.finish();
  }

  /** Whether what is wrong with the packing is known already; what is wrong with the text before it goes first. */
  get ended() {
    return Boolean(this.#unpacker.failure);
  }

  #take(piece) {
    this.textBytes += piece.length;
    if (!this.#start) {
      this.#takeText(piece);
      return;
    }
    this.#start = joined(this.#start, piece);
    if (this.#start.length >= LONGEST_MAGIC) this.#begin(this.#start);
    else this.#start = this.#start.slice();
  }

  #begin(start) {
    this.#start = null;
    const packer = packerOf(start);
    if (packer) throw new CheckFailedError("compression_unsupported", this.#packedDetail(packer), { offset: 0 });
    this.#takeText(start);
  }

  #packedDetail(packer) {
    if (this.#unpacker.gunzip)
      return `The file is packed with gzip and, within that, with ${packer}: pack it once, with gzip.`;
    if (packer === "gzip")
      // Its third byte names another method of compression than the one that gzip has.
      return "The file begins as gzip files do, but does not go on so: pack the original again and upload that.";
    return `The file is packed with ${packer}: upload it plain, or packed once with gzip.`;
  }

  /** Passes the text on with LF for CRLF, also where a piece ends between the two. */
  #takeText(piece) {
    const text = this.#heldReturn ? joined(Uint8Array.of(CR), piece) : piece;
    this.#heldReturn = text.at(-1) === CR;
    const end = this.#heldReturn ? text.length - 1 : text.length;
    const whole = text.subarray(0, end);
    this.#scanner.feed(whole.includes(CR) ? withoutReturns(whole) : whole);
  }
}

function withoutReturns(text) {
  const out = new Uint8Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === CR && text[at + 1] === LF) continue;
    out[length] = text[at];
    length += 1;
  }
  return out.subarray(0, length);
}
