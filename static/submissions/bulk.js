/** The page for many entries: brings the checked table, the plans of the categories and the form together. */

import { widgetsOf } from "../files/extra_files.js";
import { plannerOf } from "../files/planning.js";
import { Preview } from "./bulk_preview.js";
import { Sending } from "./bulk_sending.js";
import { nextStepOf, refusedOf, summaryOf } from "./bulk_words.js";
import { CHOOSE_TABLE, Documents } from "./documents.js";
import { listenToDrops } from "./drops.js";

class BulkPage {
  #form;
  #boxes;
  #sending;
  #checked = { rows: null, hold: CHOOSE_TABLE };

  constructor(form) {
    this.#form = form;
    this.#boxes = widgetsOf(form).map((widget) => this.#box(widget));
    this.#sending = new Sending(form, this.#boxes);
    const documents = new Documents(form, (checked) => this.#plan(checked));
    const stray = form.querySelector("[data-check-line]");
    listenToDrops(form, documents, {
      onTaken: (element, names) => this.#boxes.find((box) => box.element === element).taken.push(...names),
      onStray: (sentence) => {
        form.querySelector("[data-check]").hidden = false;
        stray.textContent = sentence;
      },
    });
    form.addEventListener("submit", (event) => this.#onSubmit(event));
    this.#plan(this.#checked);
    documents.check(); // what the browser has kept over a reload
  }

  #box(widget) {
    const { element } = widget;
    const box = { widget, element, title: element.dataset.title, taken: [], sum: null };
    box.preview = new Preview(element.querySelector("[data-preview]"), widget, box.title);
    widget.onChange(() => this.#onChange(box));
    return box;
  }

  /** The table says something else than before: all categories are planned anew. */
  #plan({ rows, hold }) {
    this.#checked = { rows, hold };
    for (const { widget, element } of this.#boxes) {
      widget.plan(plannerOf({ rows, category: element.dataset.category, rules: widget.state.rules, hold }));
    }
  }

  #onChange(box) {
    if (box.taken.length && this.#takeOut(box)) return;
    const sum = box.preview.render(box.widget.state, this.#checked.rows?.length ?? 0);
    if (!sum) return;
    box.sum = sum;
    const summary = this.#form.querySelector("[data-bulk-summary]");
    const known = this.#boxes.filter((other) => other.sum?.files).map((other) => [other.title, other.sum]);
    summary.textContent = known.length > 1 ? summaryOf(known) : "";
    summary.hidden = !summary.textContent;
  }

  /** Table and sequences that were dropped together with a folder are no files of the category. */
  #takeOut(box) {
    const names = new Set(box.taken);
    const keys = [...box.widget.state.rows.values()].filter(({ path }) => names.has(path)).map(({ key }) => key);
    if (!keys.length) return false;
    box.taken.length = 0;
    box.widget.discard(keys);
    return true;
  }

  /** Comes after the form's hold, which lets only complete files through. */
  #onSubmit(event) {
    event.preventDefault();
    const open = this.#boxes.filter(({ widget: { state } }) => {
      const matters = state.rows.size > 0 || state.plan?.unmatched.length;
      return matters && !state.plan?.isComplete;
    });
    const problems = open.map(({ widget: { state }, title, element }) => ({
      detail: `${title}: ${nextStepOf(state, refusedOf(state))}`,
      category: element.dataset.category,
    }));
    if (problems.length) this.#sending.showProblems(problems);
    else this.#sending.send();
  }
}

for (const form of document.querySelectorAll("[data-bulk-form]")) new BulkPage(form);
