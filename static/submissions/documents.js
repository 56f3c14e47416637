/** Metadata table and sequences of the bulk page: dropped or chosen, and checked by the server before files move. */

import { tokenOf } from "../files/token.js";
import { bytes, many } from "../files/words.js";
import { gathered } from "./gathering.js";
import { post, refusalOf } from "./posting.js";

const CHECKED = ["metadataFile", "sequenceFile"];
const PROBLEMS_SHOWN = 100;

export const CHOOSE_TABLE = "Choose the metadata table: it says which folders are expected.";
const CHECKING = "The metadata table is being checked.";
const NOT_CHECKED = "The metadata table could not be checked.";
const HAS_PROBLEMS = "Mend what is wrong with the table or the sequences, and choose the file again.";

/** Which part of the form a dropped file is meant for, by its name; null where that cannot be told. */
export function documentOf(name) {
  if (/\.(tsv|xlsx)(\.gz)?$/i.test(name)) return "metadataFile";
  if (/\.(fasta|fas|fa|fna|ffn)(\.gz)?$/i.test(name)) return "sequenceFile";
  if (/(sha256|md5)(sums?)?(\.txt)?$/i.test(name)) return "checksumFile";
  return null;
}

export class Documents {
  #form;
  #onChecked;
  #running = null;

  /** `onChecked` gets `{rows, hold}`, as planners want them, whenever that changes. */
  constructor(form, onChecked) {
    this.#form = form;
    this.#onChecked = onChecked;
    for (const name of CHECKED) this.#input(name)?.addEventListener("change", () => this.check());
    form.querySelector("[data-check-again]").addEventListener("click", () => this.check());
  }

  /** Checks what is chosen; a check that is still running is given up. */
  async check() {
    this.#running?.abort(new DOMException("Another file was chosen.", "AbortError"));
    this.#running = null;
    const [table] = this.#input("metadataFile").files;
    if (!table) return this.#tell({ rows: null, hold: CHOOSE_TABLE }, "");
    const running = (this.#running = new AbortController());
    this.#tell({ rows: null, hold: CHECKING }, `Checking ${this.#names()} …`);
    try {
      const onProgress = (sent, total) => this.#say(progressOf(this.#names(), sent, total));
      const answer = await post(this.#form.dataset.checkUrl, this.#data(), { onProgress, signal: running.signal });
      this.#hear(answer, table);
    } catch (error) {
      if (error !== running.signal.reason) throw error;
    }
  }

  /** Puts a file into the input of this name, as if it had been chosen there. */
  take(name, file) {
    const input = this.#input(name);
    if (!input) return;
    const transfer = new DataTransfer();
    transfer.items.add(file);
    input.files = transfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #hear({ status, body }, table) {
    if (body?.rows) {
      const hold = body.problemCount ? HAS_PROBLEMS : "";
      const found = `${many(body.rows.length, "row")} in ${table.name}`;
      const line = body.problemCount ? `${found}, and ${many(body.problemCount, "problem")}.` : `${found}, all well.`;
      return this.#tell({ rows: body.rows, hold }, line, body);
    }
    const line = body?.detail ?? refusalOf(status, this.#names());
    this.#tell({ rows: null, hold: NOT_CHECKED }, line);
    this.#part("again").hidden = false;
  }

  #tell(checked, line, { problems = [], problemCount = 0 } = {}) {
    this.#part("again").hidden = true;
    this.#form.querySelector("[data-check]").hidden = !line;
    this.#say(line);
    const list = this.#part("problems");
    const gatheredProblems = gathered(problems);
    const sentences = gatheredProblems.slice(0, PROBLEMS_SHOWN).map(({ detail }) => detail);
    const shown = gatheredProblems.slice(0, PROBLEMS_SHOWN).reduce((sum, { count }) => sum + count, 0);
    if (problemCount > shown) sentences.push(`… and ${many(problemCount - shown, "more problem")}.`);
    list.replaceChildren(...sentences.map(item));
    list.hidden = !sentences.length;
    this.#onChecked(checked);
  }

  #say(line) {
    this.#part("line").textContent = line;
  }

  #data() {
    const data = new FormData();
    for (const name of CHECKED) {
      const file = this.#input(name)?.files[0];
      if (file) data.set(name, file);
    }
    data.set("csrfmiddlewaretoken", tokenOf(this.#form));
    return data;
  }

  #names() {
    return CHECKED.map((name) => this.#input(name)?.files[0]?.name).filter(Boolean).join(" and ");
  }

  #input(name) {
    return this.#form.elements.namedItem(name);
  }

  #part(name) {
    return this.#form.querySelector(`[data-check-${name}]`);
  }
}

function progressOf(names, sent, total) {
  return sent < total ? `Checking ${names}: ${bytes(sent)} of ${bytes(total)} sent …` : `Checking ${names} …`;
}

function item(sentence) {
  const element = document.createElement("li");
  element.textContent = sentence;
  return element;
}
