/** The extra-files widgets of a page: makes one of each `[data-extra-files]`, and hands them out to other scripts. */

import { Examiner } from "./examiner.js";
import { holdOf } from "./form_hold.js";
import { keepPageOnStrayDrops } from "./picking.js";
import { Uploader } from "./protocol.js";
import { totals } from "./selectors.js";
import { tokenOf } from "./token.js";
import { send, sleep } from "./transport.js";
import { ExtraFiles } from "./widget.js";

/** The widgets of a form, in the order of the page. */
export function widgetsOf(form) {
  return widgets.filter(({ element }) => element.form === form);
}

/** Makes the widgets work; they share one uploader and one examiner, and so their bounds. */
function enhance(elements) {
  const { apiUrl, examinerUrl } = elements[0].dataset;
  const csrfToken = () => tokenOf(elements[0].form);
  const examiner = new Examiner({ workerUrl: examinerUrl });
  examiner.prepare();
  const uploader = new Uploader({ apiUrl, csrfToken, send, sleep, examiner });
  addEventListener("beforeunload", (event) => {
    if (widgets.some(({ state }) => totals(state).pending)) event.preventDefault();
  });
  keepPageOnStrayDrops();
  return elements.map((element) => new ExtraFiles(element, uploader, holdOf(element.form)));
}

const elements = [...document.querySelectorAll("[data-extra-files]")];
const widgets = elements.length ? enhance(elements) : [];
