/** What a widget shows around its rows: summary, notices, what adds files, what it asks. */

import { Questions } from "./dialog.js";
import { RowList } from "./rows.js";
import { announcementOf, noticesOf, summaryOf } from "./sentences.js";
import { totals } from "./selectors.js";
import { initialState } from "./state.js";
import { Meter, many } from "./words.js";

/** A screen reader hears of what happened in this time at once, and not of each file. */
const ANNOUNCE_EVERY_MS = 1000;

/** Each row has a button: who goes by keyboard has as many steps to the end of the list. */
const WORTH_SKIPPING = 10;

export class View {
  #element;
  #parts = new Map();
  #rows;
  #questions;
  #meter = new Meter();
  #said = initialState();
  #state = initialState();
  #timer;

  constructor(element) {
    this.#element = element;
    this.#rows = new RowList(this.part("rows"), this.part("row-template"));
    this.#questions = new Questions(this.part("dialog"));
    this.part("box").hidden = false;
    for (const input of this.inputs) input.disabled = false;
  }

  /** The part of the widget that carries `data-<name>`. */
  part(name) {
    // Kept, since a search through thousands of rows is not for each change.
    if (!this.#parts.has(name)) this.#parts.set(name, this.#element.querySelector(`[data-${name}]`));
    return this.#parts.get(name);
  }

  /** The inputs for files and for a folder. */
  get inputs() {
    return [...this.#element.querySelectorAll("input[type=file]")];
  }

  /** The rows as shown. */
  get rows() {
    return this.#rows;
  }

  /** What the widget asks the person. */
  get questions() {
    return this.#questions;
  }

  /** Shows the state; `extra` are notices of the moment, beside those that follow from the state. */
  render(state, { hasGroup, extra }) {
    this.#state = state;
    const sum = totals(state);
    if (sum.pending) this.#meter.note(performance.now(), sum.sentBytes - sum.recognised);
    else this.#meter.reset();
    this.#element.classList.toggle("has-files", sum.files > 0);
    this.part("head").hidden = !sum.files;
    setText(this.part("summary"), summaryOf(state, this.#meter.speed));
    this.part("summary").dataset.state = summaryState(sum);
    this.part("overall").hidden = !sum.pending;
    this.part("overall").value = sum.bytes ? sum.sentBytes / sum.bytes : 1;
    this.part("retry-all").hidden = sum.retryable < 2;
    setText(this.part("retry-all"), `Try ${many(sum.retryable, "file")} again`);
    this.part("discard-failed").hidden = !sum.failed || sum.failed === sum.files;
    const those = sum.failed === 1 ? "one" : sum.failed.toLocaleString("en");
    setText(this.part("discard-failed"), `Discard the ${those} that failed`);
    this.part("skip").hidden = sum.files < WORTH_SKIPPING;
    setText(this.part("skip"), `Skip the ${many(sum.files, "file")}`);
    this.#showChoices(sum.files > 0);
    this.#notice([...extra, ...noticesOf(state, { hasGroup })]);
    this.#rows.render(state.rows);
    if (!this.#timer) this.#timer = setTimeout(() => this.#announce(), ANNOUNCE_EVERY_MS);
  }

  /** Says a sentence to screen readers, politely. */
  say(text) {
    setText(this.part("live"), text);
  }

  /** Many entries take one folder of folders; one entry takes files, too. */
  #showChoices(hasFiles) {
    const isBulk = "bulk" in this.#element.dataset;
    setText(this.part("folder-label"), hasFiles ? "Add a folder" : "Upload folder");
    if (!isBulk) setText(this.part("files-label"), hasFiles ? "Add additional files" : "Upload files");
    const dropped = hasFiles ? "or drop files and folders here" : "Select a folder, choose individual files, or drop both here";
    const ofFolders = "with a subfolder for each submission ID; it can be dropped here, too";
    setText(this.part("hint"), isBulk ? ofFolders : dropped);
  }

  #notice(sentences) {
    const list = this.part("notices");
    const shown = Array.from(list.children, (item) => item.textContent);
    list.hidden = !sentences.length;
    if (shown.join("\n") === sentences.join("\n")) return;
    list.replaceChildren(
      ...sentences.map((sentence) => {
        const item = document.createElement("li");
        item.textContent = sentence;
        return item;
      }),
    );
    if (sentences.length) this.say(sentences.join(" "));
  }

  #announce() {
    this.#timer = undefined;
    const text = announcementOf(this.#said, this.#state);
    this.#said = this.#state;
    if (text) this.say(text);
  }
}

function summaryState({ pending, failed, files, verified }) {
  if (failed) return "failed";
  if (pending) return "uploading";
  return files === verified ? "verified" : "uploaded";
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
