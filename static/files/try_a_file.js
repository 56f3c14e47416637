/** The box “Try a file” in each row of file categories in the administration. */

import { send } from "./transport.js";
import { reasonNotToSend, understood } from "./trying.js";
import { bytes } from "./words.js";

const FORMSET = "file_categories";

class TryBox {
  #row;
  #limits;
  #parts;
  #sending = null;

  /** Puts a copy of the template's box at the end of `row`, which its fields' names begin with the ID of. */
  constructor(row, template) {
    const { url, maxBytes, maxFiles } = template.dataset;
    this.#row = row;
    this.#limits = { mostBytes: Number(maxBytes), mostFiles: Number(maxFiles) };
    this.url = url;
    const box = template.content.firstElementChild.cloneNode(true);
    const part = (name) => box.querySelector(`[data-try-${name}]`);
    this.#parts = Object.fromEntries(
      ["files", "button", "stop", "outcome", "progress", "sent", "summary", "findings"].map((name) => [name, part(name)]),
    );
    this.#parts.button.addEventListener("click", () => this.#try());
    this.#parts.stop.addEventListener("click", () => this.#sending?.abort());
    this.#parts.files.addEventListener("change", () => this.#clear());
    row.addEventListener("input", ({ target }) => this.#noteChange(target));
    row.addEventListener("change", ({ target }) => this.#noteChange(target));
    row.append(box);
  }

  async #try() {
    // What is no number reaches nobody: the browser sends the field as if it were empty, which means another rule.
    const unreadable = Array.from(this.#row.querySelectorAll("input")).find(({ validity }) => validity.badInput);
    if (unreadable) return unreadable.reportValidity();
    const files = Array.from(this.#parts.files.files);
    const reason = reasonNotToSend(files, this.#limits);
    this.#clear();
    if (reason) return this.#show({ summary: reason, lines: [], isTold: false });
    this.#sending = new AbortController();
    this.#showSending(files.reduce((sum, file) => sum + file.size, 0));
    try {
      const answer = await this.#send(files, this.#sending.signal);
      this.#show(understood(answer));
    } catch (error) {
      if (!this.#sending.signal.aborted) throw error;
      this.#show({ summary: "Stopped.", lines: [], isTold: false });
    } finally {
      this.#sending = null;
      this.#showBusy(false);
    }
    return undefined;
  }

  #send(files, signal) {
    const { form } = this.#parts.files;
    const body = this.#typedRules(form);
    for (const file of files) {
      body.append("files", file);
      body.append("names", file.name);
    }
    const headers = { "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
    const onProgress = (sent) => this.#showSent(sent);
    return send({ method: "POST", url: this.url, headers, body, onProgress, signal });
  }

  /** The row's fields as they stand; the row's number, and with it their names, may have changed since it was made. */
  #typedRules(form) {
    const prefix = `${this.#row.id}-`;
    const rules = new FormData();
    for (const [name, value] of new FormData(form)) {
      if (name.startsWith(prefix)) rules.append(`rules-${name.slice(prefix.length)}`, value);
    }
    return rules;
  }

  /** A result is one of the rules that it was made with, and says so once they are others. */
  #noteChange(target) {
    const { outcome, summary } = this.#parts;
    if (target === this.#parts.files || outcome.hidden || this.#sending || !outcome.dataset.told) return;
    delete outcome.dataset.told;
    outcome.classList.add("is-old");
    summary.textContent = "The rules have been changed since. Press “Try” again.";
  }

  #clear() {
    const { outcome, summary, findings } = this.#parts;
    summary.textContent = "";
    findings.replaceChildren();
    outcome.hidden = true;
    outcome.classList.remove("is-old");
    delete outcome.dataset.told;
  }

  #showBusy(isBusy) {
    const { button, stop, progress, sent } = this.#parts;
    const hadFocus = [button, stop].includes(document.activeElement);
    button.hidden = isBusy;
    stop.hidden = !isBusy;
    progress.hidden = !isBusy;
    sent.hidden = !isBusy;
    if (hadFocus) (isBusy ? stop : button).focus();
  }

  #showSending(size) {
    const { outcome, progress, summary } = this.#parts;
    progress.max = size || 1;
    outcome.hidden = false;
    summary.textContent = "Sending …";
    this.#showSent(0);
    this.#showBusy(true);
  }

  /** The body is a little more than the files: the bar is full a moment before all is sent. */
  #showSent(count) {
    const { progress, sent, summary } = this.#parts;
    progress.value = Math.min(count, progress.max);
    sent.textContent = `${bytes(progress.value)} of ${bytes(progress.max)} sent`;
    if (count >= progress.max && summary.textContent !== "Checking …") summary.textContent = "Checking …";
  }

  #show({ summary, lines, isTold }) {
    const { outcome, findings } = this.#parts;
    outcome.hidden = false;
    if (isTold) outcome.dataset.told = "true";
    findings.replaceChildren(...lines.map(itemOf));
    this.#parts.summary.textContent = summary;
  }
}

/** `✗ Refused reads.fastq: A sentence. (code, line 3)` */
function itemOf({ verdict, mark, word, name, detail, where }) {
  const item = document.createElement("li");
  item.dataset.verdict = verdict;
  const markElement = element("span", "try-a-file-mark", mark);
  markElement.ariaHidden = "true";
  item.append(markElement, element("strong", "try-a-file-word", [word, name].filter(Boolean).join(" ")));
  item.append(word || name ? ": " : "", detail);
  if (where) item.append(" ", element("span", "try-a-file-where", `(${where})`));
  return item;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

const template = document.querySelector("template[data-try-a-file]");
if (template) {
  for (const row of document.querySelectorAll(`#${FORMSET}-group .inline-related:not(.empty-form)`)) {
    new TryBox(row, template);
  }
  // Django's own event: https://docs.djangoproject.com/en/stable/ref/contrib/admin/javascript/
  document.addEventListener("formset:added", ({ target, detail }) => {
    if (detail.formsetName === FORMSET) new TryBox(target, template);
  });
}
