/**
 * What the checks of binary formats have in common (files/content/binary.py): a reader is a generator that pauses
 * while what it asks for has not come yet, and so reads like the specification of its format. No DOM.
 */

import { joined } from "./failing.js";

const NOTHING = new Uint8Array(0);

/** Bytes that come in pieces. `position` is where in the file the next one stands, `ended` whether no more come. */
export class Source {
  #buffer = NOTHING;

  constructor(position = 0) {
    this.position = position;
    this.ended = false;
  }

  /** The next bytes have come. */
  add(piece) {
    this.#buffer = joined(this.#buffer, piece);
  }

  /** The next bytes, left where they are; fewer only at the end. */
  *peek(number) {
    while (this.#buffer.length < number && !this.ended) yield;
    return this.#buffer.subarray(0, number);
  }

  /** The next bytes; fewer only at the end. */
  *take(number) {
    const data = yield* this.peek(number);
    this.#move(data.length);
    return data;
  }

  /** Takes bytes piece by piece without holding them; tells whether there were so many. */
  *passOver(number, look = null) {
    let left = number;
    while (left) {
      if (!this.#buffer.length) {
        if (this.ended) return false;
        yield;
      }
      const piece = this.#buffer.subarray(0, left);
      if (look && piece.length) look(piece);
      this.#move(piece.length);
      left -= piece.length;
    }
    return true;
  }

  #move(number) {
    this.#buffer = this.#buffer.subarray(number);
    this.position += number;
  }
}

/** A check that is written as a reader of its `source`: `*read()`, to the last byte. */
export class BinaryCheck {
  #running = null;

  constructor() {
    this.source = new Source();
  }

  /** Checks the next bytes of the file; throws a `CheckFailedError`. */
  feed(chunk) {
    this.#running ??= this.read();
    this.source.add(chunk);
    this.#running.next();
  }

  /** Checks that the file may end here. */
  finish() {
    this.#running ??= this.read();
    this.source.ended = true;
    this.#running.next();
  }
}

/** Runs a reader over a source that has all it needs, and returns what it returns. */
export function readNow(reading) {
  return reading.next().value;
}
