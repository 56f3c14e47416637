/** One extra-files widget: brings state, uploads, form and page together. */

import { listenToButtons } from "./buttons.js";
import { HiddenValue } from "./hidden_value.js";
import { Jobs } from "./jobs.js";
import { filesOfInput, itemsOf, listenToDrops } from "./picking.js";
import { settledClashes } from "./questions.js";
import { rulesOf } from "./rules.js";
import { canSend, hiddenValue } from "./selectors.js";
import { initialState, reduce, reduceRows } from "./state.js";
import { View } from "./view.js";
import { listed, many } from "./words.js";

/** What the network says is shown this often: enough for the eye, and not too much for 5,000 rows. */
const SHOW_EVERY_MS = 100;

let keys = 0;
const newKey = () => `row-${(keys += 1)}`;

/** While nobody has planned yet, nothing is sent; a page with plans brings its own. */
function unplanned(paths) {
  const places = new Map(paths.map((path) => [path, { entry: null, problem: null }]));
  return { isComplete: false, places };
}

export class ExtraFiles {
  #uploader;
  #hold;
  #view;
  #jobs;
  #value;
  #heard = [];
  #extra = [];
  #listeners = [];
  #told;
  #timer;
  #shownAt = 0;

  constructor(element, uploader, hold) {
    this.element = element;
    this.#uploader = uploader;
    this.#hold = hold;
    this.#view = new View(element);
    this.#value = new HiddenValue(this.#view.part("value"));
    this.#jobs = new Jobs({ uploader, dataset: element.dataset, hear: (action) => this.#hear(action) });
    const planner = "bulk" in element.dataset ? unplanned : null;
    this.state = this.#told = initialState(rulesOf(element.dataset), planner);
    this.#hold.join(this);
    this.#restore();
    this.#listen();
  }

  get title() {
    return this.element.dataset.title;
  }

  get inputName() {
    return this.#value.name;
  }

  get value() {
    return hiddenValue(this.state);
  }

  /** Has the files planned by `planner`, as in `state.js`, from now on. */
  plan(planner) {
    this.#act({ type: "planned", planner });
  }

  /** Calls back after each change of the state, before uploads that it allows begin. */
  onChange(callback) {
    this.#listeners.push(callback);
  }

  /** Takes rows off the list, as if each had been discarded. */
  discard(keys) {
    this.#act({ type: "discarded", keys });
  }

  /** Sends files of rows that have failed again. */
  retry(keys) {
    this.#heard.push(...keys.map((key) => ({ type: "retried", key })));
    this.flush();
  }

  /** Has a row take the place of the one whose name it has. */
  replace(key) {
    this.#act({ type: "replaced", key });
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
    this.#shownAt = performance.now();
    this.state = reduceRows(this.state, this.#heard.splice(0));
    this.#tell();
    const { groupId } = this.#hold;
    const isMore = this.#jobs.run(this.state, groupId, canSend(this.state));
    if (isMore) this.#hear();
    this.#value.write(this.state);
    this.#view.render(this.state, { hasGroup: Boolean(groupId), extra: this.#extra });
    this.#hold.update();
  }

  /** Tells the listeners, and the server of files that are not wanted any more. */
  #tell() {
    if (this.state === this.#told) return;
    const before = this.#told;
    const after = (this.#told = this.state);
    for (const listener of this.#listeners) listener();
    this.#jobs.stop(this.state);
    const gone = [...before.rows.values()].filter(
      (row) => row.fileId && !row.attached && after.rows.get(row.key)?.fileId !== row.fileId,
    );
    if (gone.length) this.#discardFiles(gone.map((row) => row.fileId));
  }

  async #discardFiles(fileIds) {
    const inUse = this.#hold.fileIds();
    const left = await this.#uploader.discard([...new Set(fileIds)].filter((fileId) => !inUse.has(fileId)));
    if (!left.length) return;
    const are = `${many(left.length, "discarded file")} ${left.length === 1 ? "is" : "are"}`;
    this.#extra = [`${are} still on the server; the group’s page lists what is not attached.`];
    this.flush();
  }

  /** An action of the person: shown at once. */
  #act(action) {
    this.state = reduce(reduceRows(this.state, this.#heard.splice(0)), action);
    this.flush();
  }

  /** An action of the network, or none where only jobs have ended: shown at once, or soon and with others. */
  #hear(action) {
    if (action) this.#heard.push(action);
    const rest = this.#shownAt + SHOW_EVERY_MS - performance.now();
    this.#timer ??= setTimeout(() => this.flush(), Math.max(rest, 0));
  }

  /** Adds what was chosen, `{picked, unreadable}`, or what is being found of a drop; until it has rows, the form is held. */
  async #add(finding) {
    this.#act({ type: "choosing" });
    try {
      await this.#addFound(await finding);
    } finally {
      this.#act({ type: "chosen" });
    }
  }

  async #addFound({ picked, unreadable = [] }) {
    this.#extra = unreadable.length
      ? [`Could not be read and is not among the files: ${listed(unreadable)}.`]
      : [];
    if (!picked.length && !unreadable.length) this.#extra = ["There are no files in what you chose."];
    const files = [];
    const items = await itemsOf(picked, (file) => {
      const key = newKey();
      files.push([key, file]);
      return key;
    });
    const action = await settledClashes(this.state, items, this.#view.questions);
    // Only now, when their rows come: of files without rows nothing is kept.
    for (const [key, file] of files) this.#jobs.files.set(key, file);
    this.#act(action);
  }

  /** The files that an entry has, or those of a form that the server sent back. */
  #restore() {
    try {
      const items = this.#value.read().map((item) => ({ ...item, key: newKey() }));
      this.#act({ type: "restored", items });
    } catch (error) {
      if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
      this.#extra = ["The list of files that were sent before cannot be read. Choose the files again."];
      this.flush();
    }
  }

  #listen() {
    for (const input of this.#view.inputs) {
      const take = () => {
        this.#add({ picked: filesOfInput(input) });
        input.value = ""; // so that choosing the same file again is a change
      };
      input.addEventListener("change", take);
      if (input.files.length) take(); // somebody was faster than this script
    }
    listenToDrops(this.element, (finding) => this.#add(finding));
    listenToButtons(this, this.#view);
  }
}
