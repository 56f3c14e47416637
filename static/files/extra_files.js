/** The extra-files widget: brings state, protocol and page together for each `[data-extra-files]`. */

import { holdOf } from "./form_hold.js";
import { filesOfInput, keepPageOnStrayDrops, listenToDrops } from "./picking.js";
import { Uploader } from "./protocol.js";
import { rulesOf } from "./rules.js";
import { hiddenValue, initialState, reduce, reduceRows, totals } from "./state.js";
import { send, sleep } from "./transport.js";
import { View } from "./view.js";
import { listed } from "./words.js";

/** What the network says is shown this often: enough for the eye, and not too much for 5,000 rows. */
const SHOW_EVERY_MS = 100;
/** Folders come in the order of the disk; people look for `lane2` before `lane10`. */
const BY_PATH = new Intl.Collator("en", { numeric: true });

let keys = 0;
const newKey = () => `row-${(keys += 1)}`;

class ExtraFiles {
  #element;
  #uploader;
  #hold;
  #view;
  #input;
  #files = new Map();
  #jobs = new Map();
  #heard = [];
  #extra = [];
  #timer;

  constructor(element, uploader, hold) {
    this.#element = element;
    this.#uploader = uploader;
    this.#hold = hold;
    this.#view = new View(element);
    this.#input = this.#view.part("value");
    this.state = initialState(rulesOf(element.dataset));
    this.#hold.join(this);
    this.#listen();
    this.#restore();
  }

  get title() {
    return this.#element.dataset.title;
  }

  get inputName() {
    return this.#input.name;
  }

  get value() {
    return hiddenValue(this.state);
  }

  say(text) {
    this.#view.say(text);
  }

  focusRow(key) {
    return this.#view.rows.focus(key);
  }

  /** Brings page, form and network in line with the state. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.state = reduceRows(this.state, this.#heard.splice(0));
    this.#input.value = this.value;
    this.#runJobs();
    this.#view.render(this.state, { hasGroup: Boolean(this.#hold.groupId), extra: this.#extra });
    this.#hold.update();
  }

  /** An action of the person: shown at once. */
  #act(action) {
    this.state = reduce(reduceRows(this.state, this.#heard.splice(0)), action);
    this.flush();
  }

  /** An action of the network: shown soon, with others. */
  #hear(action) {
    this.#heard.push(action);
    this.#timer ??= setTimeout(() => this.flush(), SHOW_EVERY_MS);
  }

  #add({ picked, unreadable = [] }) {
    this.#extra = unreadable.length
      ? [`Could not be read and is not among the files: ${listed(unreadable)}.`]
      : [];
    if (!picked.length && !unreadable.length) this.#extra = ["There are no files in what you chose."];
    const items = picked
      .sort((a, b) => BY_PATH.compare(a.path, b.path))
      .map(({ file, path }) => {
        const key = newKey();
        this.#files.set(key, file);
        return { key, path, size: file.size, modified: file.lastModified };
      });
    this.#act({ type: "added", items });
  }

  /** The files of a form that the server sent back. */
  #restore() {
    try {
      const items = JSON.parse(this.#input.value || "[]").map((item) => ({ ...item, key: newKey() }));
      this.#act({ type: "restored", items });
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      this.#extra = ["The list of files that were sent before cannot be read. Choose the files again."];
      this.flush();
    }
  }

  /** Starts what waits, follows what is uploaded, aborts what was discarded. */
  #runJobs() {
    for (const key of this.#files.keys()) if (!this.state.rows.has(key)) this.#files.delete(key);
    for (const [key, { controller }] of this.#jobs) {
      if (this.state.rows.has(key)) continue;
      this.#jobs.delete(key);
      controller.abort();
    }
    for (const row of this.state.rows.values()) {
      if (this.#jobs.has(row.key)) continue;
      if (row.status === "queued" && this.#hold.groupId)
        this.#start(row, (job) => this.#uploader.upload(job));
      if (row.status === "uploaded") this.#start(row, (job) => this.#uploader.watch(job, row.fileId));
    }
  }

  async #start(row, work) {
    const { category, organism, contentCheck } = this.#element.dataset;
    const controller = new AbortController();
    const entry = { controller };
    this.#jobs.set(row.key, entry);
    await work({
      file: this.#files.get(row.key),
      name: row.name,
      groupId: this.#hold.groupId,
      organism,
      category,
      contentCheck,
      signal: controller.signal,
      on: (action) => this.#hear({ ...action, key: row.key }),
    });
    if (this.#jobs.get(row.key) === entry) this.#jobs.delete(row.key);
  }

  #listen() {
    for (const input of this.#view.inputs) {
      input.addEventListener("change", () => {
        this.#add({ picked: filesOfInput(input) });
        input.value = ""; // so that choosing the same file again is a change
      });
    }
    listenToDrops(this.#element, (found) => this.#add(found));
    this.#view.part("rows").addEventListener("click", (event) => this.#onRowButton(event));
    this.#view.part("discard-all").addEventListener("click", () => this.#discardAll());
    for (const name of ["dialog-confirm", "dialog-cancel"]) {
      const button = this.#view.part(name);
      button.addEventListener("click", () => this.#view.part("dialog").close(button.value));
    }
  }

  #onRowButton({ target }) {
    const button = target.closest("button");
    const key = button && this.#view.rows.keyOf(button);
    if (!key) return;
    if (button.matches("[data-retry]")) this.#act({ type: "retried", key });
    if (button.matches("[data-replace]")) this.#act({ type: "replaced", key });
    if (button.matches("[data-discard]")) this.#discard(key);
  }

  #discard(key) {
    const neighbour = this.#view.rows.neighbourOf(key);
    this.#act({ type: "discarded", keys: [key] });
    if (!neighbour || !this.#view.rows.focusDiscard(neighbour)) this.#view.inputs[0].focus();
  }

  async #discardAll() {
    if (!(await this.#view.confirmDiscardAll())) return;
    this.#act({ type: "discarded", keys: [...this.state.rows.keys()] });
    this.#view.inputs[0].focus();
  }
}

/** Makes the widgets of the page work; they share one uploader, and so its bounds. */
function enhance(elements) {
  const { apiUrl } = elements[0].dataset;
  const csrfToken = () => holdOf(elements[0].form).csrfToken;
  const uploader = new Uploader({ apiUrl, csrfToken, send, sleep });
  const widgets = elements.map((element) => new ExtraFiles(element, uploader, holdOf(element.form)));
  addEventListener("beforeunload", (event) => {
    if (widgets.some((widget) => totals(widget.state).pending)) event.preventDefault();
  });
  keepPageOnStrayDrops();
}

const elements = [...document.querySelectorAll("[data-extra-files]")];
if (elements.length) enhance(elements);
