/** The records of FASTQ text, line by line: the rules and words of files/content/fastq_records.py. No DOM. */

import { CheckFailedError, counted, letters, shown } from "./failing.js";
import { HeldLine, LONGEST_LINE, LONGEST_TITLE, scanLetters } from "./lines.js";
import { ReadNames } from "./reads.js";

const LF = 10;
const SEQUENCE = letters("ACGTURYSWKMBDHVNacgturyswkmbdhvn.-");
const QUALITIES = letters(Array.from({ length: 94 }, (_, at) => String.fromCharCode(33 + at)).join(""));
/** The lines of a record. */
const [TITLE_LINE, SEQUENCE_LINE, SEPARATOR_LINE, QUALITIES_LINE] = [0, 1, 2, 3];
const MARKS = ["@", "", "+", ""];

export class FastqScanner {
  #step = TITLE_LINE;
  #line = 1;
  #length = 0;
  #sequenceLength = 0;
  #title = new HeldLine();
  #separator = new HeldLine();

  constructor() {
    this.reads = 0;
    this.names = new ReadNames();
  }

  /** Checks the next piece of text; throws a `CheckFailedError`. */
  feed(text) {
    let at = 0;
    while (at < text.length) at = this.#step % 2 ? this.#letters(text, at) : this.#text(text, at);
  }

  /** Checks that the text may end here. */
  finish() {
    if (this.#step === QUALITIES_LINE && this.#length >= this.#sequenceLength) this.#endQualities();
    if (this.#step !== TITLE_LINE || this.#title.length) throw this.#truncated();
    if (!this.reads) throw new CheckFailedError("empty", "The file has no reads: upload the one that has.");
  }

  /** A piece of a title or of the line with the +; returns where the next piece begins. */
  #text(text, at) {
    const held = this.#step === TITLE_LINE ? this.#title : this.#separator;
    const found = text.indexOf(LF, at);
    const end = found < 0 ? text.length : found;
    if (end > at) {
      held.add(text.subarray(at, end));
      if (held.bytes[0] !== MARKS[this.#step].charCodeAt(0)) throw this.#markMissing();
      if (held.length > LONGEST_TITLE) throw this.#tooLong(LONGEST_TITLE);
    }
    if (found < 0) return end;
    if (this.#step === TITLE_LINE) this.#endTitle();
    else this.#endSeparator();
    return found + 1;
  }

  /** A piece of a sequence or of qualities; returns where the next piece begins. */
  #letters(text, at) {
    const allowed = LONGEST_LINE - this.#length;
    const end = scanLetters(text, at, this.#step === SEQUENCE_LINE ? SEQUENCE : QUALITIES);
    if (end < text.length && text[end] !== LF && end - at < allowed)
      throw this.#wrongLetter(text[end], this.#length + end - at + 1);
    if (end - at > allowed || (end < text.length && text[end] !== LF)) throw this.#tooLong(LONGEST_LINE);
    this.#length += end - at;
    if (end === text.length) return end;
    if (this.#step === QUALITIES_LINE) {
      this.#endQualities();
    } else {
      this.#sequenceLength = this.#length;
      this.#nextLine(SEPARATOR_LINE);
    }
    return end + 1;
  }

  #nextLine(step) {
    this.#step = step;
    this.#line += 1;
    this.#length = 0;
  }

  #endTitle() {
    if (!this.#title.length) throw this.#failure("blank_line", "is blank; take blank lines out of the file");
    if (this.#title.nameLength === 1)
      throw this.#failure("name_missing", "has no name behind the @; give every read its name");
    this.names.note(this.#title);
    this.#nextLine(SEQUENCE_LINE);
  }

  #endSeparator() {
    if (!this.#separator.length) throw this.#markMissing();
    if (!this.#separatorFits()) {
      const what = "has another name behind the + than behind the @; repeat the name or leave the + alone";
      throw this.#failure("name_differs", what);
    }
    this.#separator.clear();
    this.#nextLine(QUALITIES_LINE);
  }

  #separatorFits() {
    const length = this.#separator.length;
    if (length === 1) return true;
    if (length !== this.#title.length && length !== this.#title.nameLength) return false;
    for (let at = 1; at < length; at += 1) if (this.#separator.bytes[at] !== this.#title.bytes[at]) return false;
    return true;
  }

  #endQualities() {
    if (this.#length !== this.#sequenceLength) {
      const found = `has ${counted(this.#length)} qualities for ${counted(this.#sequenceLength)} letters of sequence`;
      throw this.#failure("quality_length", `${found}; each letter needs one`);
    }
    this.reads += 1;
    this.#title.clear();
    this.#nextLine(TITLE_LINE);
  }

  #failure(problem, what) {
    const detail = `Line ${counted(this.#line)}, in record ${counted(this.reads + 1)}, ${what}.`;
    return new CheckFailedError(problem, detail, { line: this.#line });
  }

  #markMissing() {
    if (this.#step === TITLE_LINE) {
      const isFirst = this.#line === 1;
      const told = isFirst
        ? "this is no FASTQ file, which may be right in another category"
        : "a FASTQ record is four lines, @name first";
      return this.#failure("header", `does not begin with @; ${told}`);
    }
    const what =
      "does not begin with +; sequence and qualities must stand on one line each, with a + line between";
    return this.#failure("separator", what);
  }

  #wrongLetter(wrong, position) {
    const found = `has ${shown(wrong)} at position ${counted(position)}`;
    return this.#step === SEQUENCE_LINE
      ? this.#failure("sequence_letters", `${found}; sequences are written in IUPAC codes, as in ACGTN`)
      : this.#failure("quality_letters", `${found}; qualities are the characters from ! to ~`);
  }

  #tooLong(limit) {
    const what = `has over ${counted(limit)} bytes; see whether its line ends are right`;
    return this.#failure("line_too_long", what);
  }

  #truncated() {
    const inLine = this.#length || (this.#step === TITLE_LINE ? this.#title : this.#separator).length;
    const line = inLine ? this.#line : this.#line - 1;
    const place = `line ${counted(line)}, within record ${counted(this.reads + 1)}`;
    const detail = `The file ends at ${place}: compare its size with the original's and upload the whole file.`;
    return new CheckFailedError("truncated", detail, { line });
  }
}
