/** The gzip check: the whole file unpacks, and nothing else is in it (files/content/gzip.py). No DOM. */

import { CheckFailedError } from "./failing.js";
import { Unpacker } from "./text.js";

export class GzipCheck {
  #unpacker;

  constructor(size) {
    this.#unpacker = new Unpacker(size);
    this.textBytes = 0;
  }

  feed(chunk, enough) {
    this.#unpacker.feed(chunk, (piece) => this.#take(piece), enough);
  }

  finish() {
    this.#unpacker.finish((piece) => this.#take(piece));
    if (this.#unpacker.failure) throw this.#unpacker.failure;
    if (this.#unpacker.received) return;
    throw new CheckFailedError("empty", "The file is empty: pack the original file and upload that.", { offset: 0 });
  }

  get ended() {
    return Boolean(this.#unpacker.failure);
  }

  #take(piece) {
    this.textBytes += piece.length;
    if (this.#unpacker.gunzip) return;
    const detail = "The file is not in gzip format: pack it with gzip and upload that.";
    throw new CheckFailedError("not_gzip", detail, { offset: 0 });
  }
}
