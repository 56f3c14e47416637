/** Names of reads, and which read of its pair each says to be, as files/content/fastq_records.py has it. No DOM. */

/** So many titles tell what a file is; the verifier looks at all of them. */
const TITLES = 1000;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class ReadNames {
  #first = null;
  #titles = 0;
  #marks = { 1: 0, 2: 0 };

  /** Notes the next title, a `HeldLine`. */
  note(title) {
    if (this.#titles === TITLES) return;
    this.#titles += 1;
    const name = decoder.decode(title.bytes.subarray(1, title.nameLength));
    this.#first ??= name.replace(/\/[12]$/, "");
    const all = decoder.decode(title.bytes.subarray(0, title.length));
    for (const mate of matesOf(name, all)) this.#marks[mate] += 1;
  }

  /**
   * `{name, mate}`: the name of the first read, without `/1` or `/2`, and which read of its pair every title at the
   * beginning of the file says to be: "1", "2", "mixed", or null where not all say it; null before the first title.
   */
  get first() {
    if (this.#first === null) return null;
    const { 1: first, 2: second } = this.#marks;
    const told = first + second === this.#titles;
    const mate = first && second ? "mixed" : first ? "1" : "2";
    return { name: this.#first, mate: told ? mate : null };
  }
}

/** What one title says, by `/1` or ` 1:N:0:…`; more than one where it says it twice. */
function matesOf(name, title) {
  const unfiltered = title.match(/ [12]:N:/g) ?? [];
  // Reads that were filtered out are seldom in a file.
  const filtered = unfiltered.length === 1 ? [] : (title.match(/ [12]:Y:/g) ?? []);
  const slash = /\/[12]$/.test(name) ? [name.at(-1)] : [];
  return [...slash, ...[...unfiltered, ...filtered].map((mark) => mark[1])];
}
