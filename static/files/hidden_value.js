/** The form's own value of a widget, in its hidden input. */

import { hiddenValue, itemsOfValue } from "./selectors.js";

/** Written anew with each change while that is cheap, and else this often; a form that is sent asks the state. */
const LONG_LIST = 50;
const WRITE_EVERY_MS = 1000;

export class HiddenValue {
  #input;
  #state;
  #timer;

  constructor(input) {
    this.#input = input;
  }

  get name() {
    return this.#input.name;
  }

  /** What the server, or the browser after a reload, put there; throws where it cannot be read. */
  read() {
    return itemsOfValue(this.#input.value);
  }

  /** Keeps the input in line with the state. */
  write(state) {
    this.#state = state;
    if (state.rows.size <= LONG_LIST) this.#writeNow();
    else this.#timer ??= setTimeout(() => this.#writeNow(), WRITE_EVERY_MS);
  }

  #writeNow() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#input.value = hiddenValue(this.#state);
  }
}
