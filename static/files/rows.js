/** The list of file rows: a node a row, updated in place, made a few at a time so that nothing freezes. */

import { detailOf, paceOf, sizeOf, stateOf } from "./sentences.js";
import { Meter, bytes } from "./words.js";

const NEW_ROWS_A_FRAME = 60;
/** More rows than are seen at once: those out of sight are neither laid out nor painted. */
const LONG_LIST = 20;
/** Smaller files are over before anybody has read how fast they go. */
const PACED_FROM = 5_000_000;

export class RowList {
  #list;
  #template;
  #shown = new Map();
  #rows = new Map();
  #isScheduled = false;

  constructor(list, template) {
    this.#list = list;
    this.#template = template;
  }

  /** Shows these rows; new ones beyond the first come in later frames. */
  render(rows) {
    this.#rows = rows;
    this.#list.classList.toggle("is-long", rows.size > LONG_LIST);
    for (const [key, { node }] of this.#shown) {
      if (rows.has(key)) continue;
      node.remove();
      this.#shown.delete(key);
    }
    for (const [key, shown] of this.#shown) this.#update(shown, rows.get(key));
    this.#append();
  }

  /** The key of the row that an element is in. */
  keyOf(element) {
    return element.closest("[data-file-row]")?.dataset.key;
  }

  /** The key of the row after this one, or before it, or undefined. */
  neighbourOf(key) {
    const node = this.#shown.get(key)?.node;
    return (node?.nextElementSibling ?? node?.previousElementSibling)?.dataset.key;
  }

  /** Moves the focus to the row's first button; says whether the row is there. */
  focus(key) {
    if (this.#rows.has(key) && !this.#shown.has(key)) this.#append(Infinity);
    const parts = this.#shown.get(key);
    [parts?.retry, parts?.replace, parts?.discard].find((button) => button && !button.hidden)?.focus();
    return Boolean(parts);
  }

  /** Moves the focus to the row's discard button; says whether the row is there. */
  focusDiscard(key) {
    const parts = this.#shown.get(key);
    parts?.discard.focus();
    return Boolean(parts);
  }

  #append(most = NEW_ROWS_A_FRAME) {
    if (this.#shown.size === this.#rows.size) return undefined;
    let room = most;
    for (const [key, row] of this.#rows) {
      if (this.#shown.has(key)) continue;
      if (room === 0) return this.#appendLater();
      const shown = this.#create(row);
      this.#shown.set(key, shown);
      this.#list.append(shown.node);
      room -= 1;
    }
    return undefined;
  }

  #appendLater() {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    requestAnimationFrame(() => {
      this.#isScheduled = false;
      this.#append();
    });
  }

  #create(row) {
    const node = this.#template.content.firstElementChild.cloneNode(true);
    const part = (name) => node.querySelector(`[data-${name}]`);
    const shown = {
      node,
      row: null,
      meter: row.size >= PACED_FROM ? new Meter() : null,
    };
    for (const name of ["size", "state", "way", "progress", "pace", "problem", "detail", "code"]) shown[name] = part(name);
    for (const name of ["retry", "replace", "discard"]) shown[name] = part(name);
    node.dataset.key = row.key;
    node.dataset.fileName = row.path;
    part("folder").textContent = row.path.slice(0, row.path.length - row.name.length);
    part("name").textContent = row.name;
    shown.size.textContent = bytes(row.size);
    shown.progress.setAttribute("aria-label", `Upload of ${row.path}`);
    for (const label of node.querySelectorAll("[data-which]")) label.textContent = ` ${row.path}`;
    this.#update(shown, row);
    return shown;
  }

  #update(shown, row) {
    if (shown.row === row) return;
    shown.row = row;
    shown.node.dataset.fileStatus = row.status;
    setText(shown.state, stateOf(row));
    setText(shown.size, sizeOf(row));
    shown.way.hidden = row.status !== "uploading";
    shown.progress.value = row.size ? row.sentBytes / row.size : 1;
    this.#updatePace(shown, row);
    shown.problem.hidden = !row.problem;
    if (row.problem) {
      setText(shown.detail, detailOf(row.problem));
      setText(shown.code, row.problem.code);
      shown.code.parentElement.hash = row.problem.code;
    }
    show(shown.retry, row.problem?.retryable === true, shown.discard);
    show(
      shown.replace,
      row.problem?.own === true && row.problem.code === "file_name_duplicate",
      shown.discard,
    );
  }

  #updatePace({ meter, pace }, row) {
    if (!meter) return;
    if (row.status === "uploading") meter.note(performance.now(), row.sentBytes - row.recognised);
    else meter.reset();
    setText(pace, row.status === "uploading" ? paceOf(row, meter.speed) : "");
  }
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows or hides a button; one that hides with the focus on it hands the focus on. */
function show(button, isShown, heir) {
  const loses = !isShown && button === document.activeElement;
  button.hidden = !isShown;
  if (loses) heir.focus();
}
