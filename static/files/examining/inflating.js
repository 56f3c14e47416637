/** DEFLATE (RFC 1951) by pako's port of zlib, whose inner interface says where the data end. No DOM. */

import {
  Z_NO_FLUSH,
  Z_OK,
  Z_STREAM_END,
  ZStream,
  zlibInflate,
  zlibInflateInit2,
  zlibInflateReset,
} from "../../vendor/pako-3.0.3/pako.mjs";

const RAW = -15;
const OUTPUT_BYTES = 2 << 20;
const Z_BUF_ERROR = -5;

// Shared by all: what is unpacked is looked at before the next call.
const output = new Uint8Array(OUTPUT_BYTES);

/** The data are not DEFLATE. */
export class DeflateError extends Error {}

/** Unpacks one DEFLATE stream, and after `begin()` another. */
export class Inflater {
  #stream = new ZStream();

  constructor() {
    zlibInflateInit2(this.#stream, RAW);
  }

  /** Begins with the next stream. */
  begin() {
    zlibInflateReset(this.#stream);
    this.ended = false;
  }

  /** The data to unpack next; `rest` is what was not used of them. */
  set input(bytes) {
    this.#stream.input = bytes;
    this.#stream.next_in = 0;
    this.#stream.avail_in = bytes.length;
  }

  get rest() {
    return this.#stream.input.subarray(this.#stream.next_in);
  }

  /**
   * The next bytes, at most `most`, which the next call overwrites; fewer once the stream has `ended` or all input
   * is used. Throws a `DeflateError`; what came before the damage in this call is then lost.
   */
  next(most = OUTPUT_BYTES) {
    const stream = this.#stream;
    stream.output = output;
    stream.next_out = 0;
    stream.avail_out = most;
    const status = zlibInflate(stream, Z_NO_FLUSH);
    this.ended = status === Z_STREAM_END;
    if (!this.ended && status !== Z_OK && status !== Z_BUF_ERROR) throw new DeflateError(stream.msg);
    return output.subarray(0, stream.next_out);
  }
}
