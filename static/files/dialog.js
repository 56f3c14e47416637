/** Questions in a `<dialog>`, one after the other. */

export class Questions {
  #dialog;
  #last = Promise.resolve();

  /** `dialog` has the parts title, text, list, cancel and confirm, each as `[data-dialog-<name>]`. */
  constructor(dialog) {
    this.#dialog = dialog;
    for (const name of ["cancel", "confirm"]) {
      this.#part(name).addEventListener("click", () => dialog.close(name));
    }
  }

  /** Asks `{title, text, items, confirm, cancel}`; resolves with whether it was confirmed. Escape is a no. */
  ask(question) {
    this.#last = this.#last.then(() => this.#ask(question));
    return this.#last;
  }

  #ask({ title, text, items, confirm, cancel }) {
    this.#part("title").textContent = title;
    this.#part("text").textContent = text;
    this.#part("list").replaceChildren(...items.map(listItem));
    this.#part("list").hidden = !items.length;
    this.#part("confirm").textContent = confirm;
    this.#part("cancel").textContent = cancel;
    this.#dialog.returnValue = "";
    this.#dialog.showModal();
    this.#part("cancel").focus();
    return new Promise((resolve) => {
      const answer = () => resolve(this.#dialog.returnValue === "confirm");
      this.#dialog.addEventListener("close", answer, { once: true });
    });
  }

  #part(name) {
    return this.#dialog.querySelector(`[data-dialog-${name}]`);
  }
}

function listItem(text) {
  const item = document.createElement("li");
  item.textContent = text;
  return item;
}
