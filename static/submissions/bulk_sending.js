/** Sends the bulk form without leaving the page, and shows what is wrong with it where it can be mended. */

import { tokenOf } from "../files/token.js";
import { bytes } from "../files/words.js";
import { gathered } from "./gathering.js";
import { post, refusalOf } from "./posting.js";

const SHOWN = 100;

export class Sending {
  #form;
  #boxes;
  #isSending = false;

  /** `boxes` are `[{widget, element}]`, one a category. */
  constructor(form, boxes) {
    this.#form = form;
    this.#boxes = boxes;
    form.querySelector("[data-bulk-errors-list]").addEventListener("click", (event) => this.#onLink(event));
  }

  /** Sends the form once, and goes to the submission's page; a second call meanwhile is a slip. */
  async send() {
    if (this.#isSending) return;
    this.#isSending = true;
    this.#say("Submitting …");
    this.showProblems([]);
    const onProgress = (sent, total) => {
      if (sent < total) this.#say(`Submitting: ${bytes(sent)} of ${bytes(total)} sent …`);
    };
    const { status, body } = await post(this.#form.action, this.#data(), { onProgress });
    if (body?.url) {
      location.assign(body.url);
      return;
    }
    this.#isSending = false;
    this.#say("");
    this.showProblems(body ? problemsOf(body) : [{ detail: refusal(status) }], body?.errorCount);
  }

  #data() {
    const data = new FormData(this.#form);
    data.set("csrfmiddlewaretoken", tokenOf(this.#form));
    return data;
  }

  /** Shows these problems above the form and moves the focus there; none takes them away. */
  showProblems(problems, count = problems.length) {
    const box = this.#form.querySelector("[data-bulk-errors]");
    box.hidden = !problems.length;
    const title = count === 1 ? "There is a problem" : `There are ${count.toLocaleString("en")} problems`;
    box.querySelector("[data-bulk-errors-title]").textContent = title;
    const items = gathered(problems).slice(0, SHOWN).map((problem) => this.#item(problem));
    box.querySelector("[data-bulk-errors-list]").replaceChildren(...items);
    if (!problems.length) return;
    box.focus({ preventScroll: true });
    box.scrollIntoView(); // a long list is read from its beginning
  }

  #item(problem) {
    const item = document.createElement("li");
    const target = this.#targetOf(problem);
    const text = document.createElement(target ? "a" : "span");
    text.textContent = [problem.submissionId, problem.detail].filter(Boolean).join(": ");
    if (problem.submissionId && problem.detail.includes(problem.submissionId)) text.textContent = problem.detail;
    if (target) {
      text.href = `#${target}`;
      text.dataset.category = problem.category ?? "";
      text.dataset.entry = problem.submissionId ?? "";
      text.dataset.name = problem.name ?? "";
    }
    item.append(text);
    return item;
  }

  #targetOf({ category, field }) {
    const ids = [category && `folder-${category}`, field && `id_${field}`];
    return ids.find((id) => id && document.getElementById(id));
  }

  /** Leads to the row of a file where the problem is one of a row, else to the input. */
  #onLink(event) {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    const { category, entry, name } = link.dataset;
    const box = this.#boxes.find(({ element }) => element.dataset.category === category);
    const rows = box ? [...box.widget.state.rows.values()] : [];
    const row = rows.find((found) => found.entry === entry && found.name === name);
    if (!row || !box.widget.focusRow(row.key)) document.getElementById(link.hash.slice(1)).focus();
  }

  #say(text) {
    this.#form.querySelector("[data-bulk-sending]").textContent = text;
  }
}

function problemsOf(body) {
  return body.errors ?? [body];
}

/** Of an answer that got lost nobody knows whether it was a submission. */
function refusal(status) {
  const doubt = status === 0 || status >= 500 ? " Look at “My submissions” first: it may have arrived." : "";
  return `${refusalOf(status, "The submission")}${doubt}`;
}
