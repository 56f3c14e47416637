/** Holds a form back while files of its widgets are missing, and its group while files belong to it. */

import { holdReason, shortfallOf } from "./sentences.js";
import { blockingRows, fileIdsOf, totals } from "./selectors.js";
import { tokenOf } from "./token.js";

const holds = new WeakMap();

/** The one hold of a form, shared by its widgets. */
export function holdOf(form) {
  if (!holds.has(form)) holds.set(form, new FormHold(form));
  return holds.get(form);
}

class FormHold {
  #form;
  #controls = new Map();
  #widgets = [];
  #button;
  #message;
  #group;
  #groupNote;
  #groupBefore;
  #refusal = "";

  constructor(form) {
    this.#form = form;
    this.#button = form.querySelector("[type=submit], button:not([type])");
    this.#message = this.#note("files-hold", form.querySelector("[data-files-hold]"), this.#button);
    this.#message.tabIndex = -1;
    const group = this.#control("groupId");
    if (group instanceof HTMLSelectElement) {
      this.#group = group;
      this.#groupNote = this.#note("files-group-held", null, group);
      this.#groupBefore = group.value;
      group.addEventListener("change", () => this.#onGroup());
    }
    // In the capturing phase, before any other script of the page acts on a form that is not complete.
    form.addEventListener("submit", (event) => this.#onSubmit(event), { capture: true });
    // `form.submit()` passes by the submit event, but not by this one: what is missing goes out as missing.
    form.addEventListener("formdata", (event) => {
      event.formData.set("csrfmiddlewaretoken", tokenOf(form));
      for (const widget of this.#widgets) event.formData.set(widget.inputName, widget.value);
    });
  }

  /** `widget` is `{title, inputName, state, value, flush(), focusRow(key), say(text)}`. */
  join(widget) {
    this.#widgets.push(widget);
  }

  /** The group that files are to belong to, or the empty string. */
  get groupId() {
    return this.#control("groupId")?.value ?? "";
  }

  /** A control of the page as it came; the form's own list has the buttons of thousands of rows to go through. */
  #control(name) {
    if (!this.#controls.has(name)) this.#controls.set(name, this.#form.elements.namedItem(name));
    return this.#controls.get(name);
  }

  /** The IDs of all files of the form's widgets: one may be in several. */
  fileIds() {
    return new Set(this.#widgets.flatMap(({ state }) => [...fileIdsOf(state)]));
  }

  /** Brings the button, its reason and the group in line with the widgets' states. */
  update() {
    const reason = this.#reason();
    if (!this.#shortfalls().length) this.#refusal = "";
    const hadFocus = this.#message === document.activeElement;
    show(this.#message, reason || this.#refusal);
    if (this.#message.hidden && hadFocus) this.#button?.focus(); // who waited for this to submit can go on
    if (this.#button) {
      this.#button.setAttribute("aria-disabled", String(Boolean(reason)));
      describe(this.#button, this.#message);
    }
    this.#holdGroup();
  }

  /** What the network has told since the page was last shown may hold the group: then it stays what it was. */
  #onGroup() {
    const chosen = this.#group.value;
    this.#group.value = this.#groupBefore;
    this.#widgets.forEach((widget) => widget.flush());
    if (this.#isGroupHeld()) return;
    this.#group.value = chosen;
    this.#widgets.forEach((widget) => widget.flush());
  }

  #onSubmit(event) {
    for (const widget of this.#widgets) widget.flush();
    const [short] = this.#shortfalls();
    const reason = this.#reason() || short?.sentence;
    if (!reason) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.#refusal = reason;
    show(this.#message, reason);
    if (this.#focusProblem()) this.#widgets[0].say(reason);
    else this.#message.focus();
  }

  #reason() {
    const states = this.#widgets.map((widget) => widget.state);
    return holdReason(states, this.#button?.textContent.trim());
  }

  /** Moves the focus to the first row that failed; rows still on their way need no hand. */
  #focusProblem() {
    return this.#widgets.some((widget) => {
      const failed = blockingRows(widget.state).find((row) => row.status === "failed");
      return failed ? widget.focusRow(failed.key) : false;
    });
  }

  #shortfalls() {
    return this.#widgets
      .map((widget) => ({ widget, sentence: shortfallOf(widget.state, widget.title) }))
      .filter(({ sentence }) => sentence);
  }

  /** Options cannot be chosen while files were sent for another; a disabled select would not be submitted. */
  #holdGroup() {
    if (!this.#group) return;
    this.#groupBefore = this.#group.value;
    const isHeld = this.#isGroupHeld();
    for (const option of this.#group.options) option.disabled = isHeld && !option.selected;
    const why = "The files below belong to this group. To choose another group, discard them first.";
    show(this.#groupNote, isHeld ? why : "");
    describe(this.#group, this.#groupNote);
  }

  #isGroupHeld() {
    return this.#widgets.some(({ state }) => {
      const sum = totals(state);
      return sum.uploading + sum.ready > 0 || fileIdsOf(state).size > 0;
    });
  }

  /** A paragraph for a sentence of ours: the page's own place for it, or one behind its control. */
  #note(className, place, control) {
    const note = place ?? document.createElement("p");
    note.classList.add(className);
    note.id ||= `${className}-${document.querySelectorAll(`.${className}`).length}`;
    note.hidden = true;
    if (!place) control?.after(note);
    return note;
  }
}

function show(element, text) {
  if (element.textContent !== text) element.textContent = text;
  element.hidden = !text;
}

/** Lets `control` be described by `note` too, while there is something to say. */
function describe(control, note) {
  const ids = (control.getAttribute("aria-describedby") ?? "")
    .split(" ")
    .filter((id) => id && id !== note.id);
  if (!note.hidden) ids.push(note.id);
  if (ids.length) control.setAttribute("aria-describedby", ids.join(" "));
  else control.removeAttribute("aria-describedby");
}
