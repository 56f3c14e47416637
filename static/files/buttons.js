/** The buttons of one extra-files widget: those of its rows, and those for all rows. */

import { discardQuestion } from "./questions.js";
import { totals } from "./selectors.js";

/** Has clicks done to `widget`, which `view` shows; what loses its button hands the focus on. */
export function listenToButtons(widget, view) {
  const keysOf = (isMeant) => [...widget.state.rows.values()].filter(isMeant).map(({ key }) => key);
  const focusInput = () => view.inputs[0].focus();

  const discardOne = (key) => {
    const neighbour = view.rows.neighbourOf(key);
    widget.discard([key]);
    if (!neighbour || !view.rows.focusDiscard(neighbour)) focusInput();
  };

  view.part("rows").addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    const key = button && view.rows.keyOf(button);
    if (!key) return;
    if (button.matches("[data-retry]")) widget.retry([key]);
    if (button.matches("[data-replace]")) widget.replace(key);
    if (button.matches("[data-discard]")) discardOne(key);
  });

  view.part("discard-all").addEventListener("click", async () => {
    if (!(await view.questions.ask(discardQuestion(totals(widget.state).files, widget.title)))) return;
    widget.discard([...widget.state.rows.keys()]);
    focusInput();
  });

  view.part("discard-failed").addEventListener("click", async () => {
    const failed = keysOf((row) => row.status === "failed");
    if (!(await view.questions.ask(discardQuestion(failed.length, widget.title)))) return;
    widget.discard(failed);
    view.part("discard-all").focus();
  });

  view.part("retry-all").addEventListener("click", () => {
    widget.retry(keysOf((row) => row.problem?.retryable));
    view.part("discard-all").focus();
  });
}
