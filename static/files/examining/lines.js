/** Lines that come in pieces. No DOM. */

/** In bytes, as files/content/base.py has them. */
export const LONGEST_LINE = 512 << 20;
export const LONGEST_TITLE = 1 << 20;

const [TAB, SPACE] = [9, 32];

/** Where, from `at` on, the first byte stands that the table does not have; the end if there is none. */
export function scanLetters(text, at, table) {
  const length = text.length;
  while (at < length && table[text[at]]) at += 1;
  return at;
}

/** The text of a line, kept beyond the piece that it came in; its storage is used again for the next line. */
export class HeldLine {
  constructor() {
    this.bytes = new Uint8Array(256);
    this.length = 0;
  }

  add(piece) {
    const length = this.length + piece.length;
    if (length > this.bytes.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.bytes.subarray(0, this.length));
      this.bytes = larger;
    }
    this.bytes.set(piece, this.length);
    this.length = length;
  }

  clear() {
    this.length = 0;
  }

  /** How long the first word is, with the mark before it. */
  get nameLength() {
    for (let at = 0; at < this.length; at += 1)
      if (this.bytes[at] === SPACE || this.bytes[at] === TAB) return at;
    return this.length;
  }
}
