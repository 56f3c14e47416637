/** What the checks say of a file, with the codes and in the words of the verifier's. No DOM. */

/** The first thing found wrong with a file; `problem` is the code without the check's name before it. */
export class CheckFailedError extends Error {
  constructor(problem, detail, place = {}) {
    super(detail);
    this.problem = problem;
    this.place = place;
  }

  /** As `{code, detail, line?, offset?}`: `line` from 1 in the unpacked text, `offset` from 0 in the file. */
  of(check) {
    return { code: `${check}_${this.problem}`, detail: this.message, ...this.place };
  }
}

/** `16430` → `16,430`, as the server writes numbers, whatever the browser's language. */
export function counted(number) {
  return number.toLocaleString("en");
}

/** A byte as it is shown: `“x”`, or `the byte 0x0d` for what cannot be seen. */
export function shown(byte) {
  const visible = byte >= 0x21 && byte <= 0x7e;
  return visible ? `“${String.fromCharCode(byte)}”` : `the byte 0x${byte.toString(16).padStart(2, "0")}`;
}

/** Whether the bytes begin with this text of single-byte characters. */
export function startsWith(bytes, text) {
  if (bytes.length < text.length) return false;
  for (let at = 0; at < text.length; at += 1) if (bytes[at] !== text.charCodeAt(at)) return false;
  return true;
}

/** Whether the bytes, as many as there are, are the start of this text. */
export function mayBecome(bytes, text) {
  return startsWith(bytes, text.slice(0, bytes.length));
}

/** Both pieces as one; the one that is not empty itself if there is only one. */
export function joined(one, other) {
  if (!one.length) return other;
  if (!other.length) return one;
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** A table of 256: 1 for the bytes of this text. */
export function letters(text) {
  const table = new Uint8Array(256);
  for (const letter of text) table[letter.charCodeAt(0)] = 1;
  return table;
}
