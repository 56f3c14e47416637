/** The records of FASTA text, line by line: the rules and words of files/content/fasta_records.py. No DOM. */

import { CheckFailedError, counted, letters, shown } from "./failing.js";
import { LONGEST_LINE, LONGEST_TITLE, scanLetters } from "./lines.js";

const [LF, TAB, SPACE, MARK, AT] = [10, 9, 32, 62, 64];
const LETTERS = letters("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.*");

export class FastaScanner {
  #line = 1;
  #length = 0;
  #inTitle = false;
  #nameStart = null;
  #titleLine = 0;
  #sequence = 0;
  #blank = 0;
  #records = 0;

  /** Checks the next piece of text; throws a `CheckFailedError`. */
  feed(text) {
    let at = 0;
    while (at < text.length) {
      if (text[at] !== LF) at = this.#piece(text, at);
      if (at === text.length) return;
      this.#endLine();
      at += 1;
    }
  }

  /** Checks that the text may end here. */
  finish() {
    if (this.#length) this.#endLine();
    this.#endRecord();
    if (!this.#records) throw new CheckFailedError("empty", "The file has no sequences: upload the one that has.");
  }

  /** A piece of the present line; returns where it ends. */
  #piece(text, at) {
    if (!this.#length) this.#beginLine(text[at]);
    const end = this.#inTitle ? this.#titlePiece(text, at) : this.#letters(text, at);
    this.#length += end - at;
    return end;
  }

  #beginLine(first) {
    if (first === MARK) {
      this.#endRecord();
      this.#records += 1;
      this.#inTitle = true;
      this.#nameStart = null;
      this.#titleLine = this.#line;
      this.#sequence = 0;
      this.#blank = 0;
    } else if (!this.#records) {
      throw this.#header(first);
    } else if (this.#blank) {
      const what = "is blank, but the sequence goes on behind it; take blank lines out of the file";
      throw this.#failure("blank_line", what, this.#blank);
    }
  }

  #titlePiece(text, at) {
    const found = text.indexOf(LF, at);
    const end = found < 0 ? text.length : found;
    const nameAt = at + 1 - this.#length;
    if (this.#length < 2 && nameAt < end) this.#nameStart = text[nameAt];
    if (this.#length + end - at > LONGEST_TITLE) throw this.#tooLong(LONGEST_TITLE);
    return end;
  }

  #letters(text, at) {
    const allowed = LONGEST_LINE - this.#length;
    const end = scanLetters(text, at, LETTERS);
    if (end < text.length && text[end] !== LF) {
      if (end - at >= allowed) throw this.#tooLong(LONGEST_LINE);
      const found = `has ${shown(text[end])} at position ${counted(this.#length + end - at + 1)}`;
      const what = `${found}; sequences are written in letters, with - for gaps and * for stops`;
      throw this.#failure("sequence_letters", what);
    }
    if (end - at > allowed) throw this.#tooLong(LONGEST_LINE);
    this.#sequence += end - at;
    return end;
  }

  #endLine() {
    if (this.#inTitle) {
      if (this.#nameStart === null || this.#nameStart === SPACE || this.#nameStart === TAB)
        throw this.#failure("name_missing", "has no name behind the >; give every sequence its name");
      this.#inTitle = false;
    } else if (!this.#length && this.#records && !this.#blank) {
      this.#blank = this.#line;
    }
    this.#line += 1;
    this.#length = 0;
  }

  #endRecord() {
    if (!this.#records || this.#sequence) return;
    const what = "has no sequence below it; take the title out, or put its sequence in";
    throw this.#failure("sequence_missing", what, this.#titleLine);
  }

  #failure(problem, what, line = this.#line) {
    const detail = `Line ${counted(line)}, in record ${counted(this.#records)}, ${what}.`;
    return new CheckFailedError(problem, detail, { line });
  }

  #header(first) {
    const seen = first === AT ? "@, as FASTQ does" : shown(first);
    const detail = `Line ${counted(this.#line)} begins with ${seen}; a FASTA record begins with > and its name.`;
    return new CheckFailedError("header", detail, { line: this.#line });
  }

  #tooLong(limit) {
    const what = `has over ${counted(limit)} bytes; see whether its line ends are right`;
    return this.#failure("line_too_long", what);
  }
}
