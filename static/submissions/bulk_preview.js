/** The preview of one category on the bulk page: which folder goes to which entry, and what is to be mended first. */

import { totals } from "../files/selectors.js";
import { bytes, listed, many } from "../files/words.js";
import {
  countedOf,
  folderKey,
  headlineOf,
  isAllSent,
  nameOf,
  nextStepOf,
  refusedOf,
  stillLeftOut,
  sumsOf,
} from "./bulk_words.js";

const REFUSED_SHOWN = 20;
const MISSING_SHOWN = 1000;

export class Preview {
  #place;
  #widget;
  #title;
  #plan;
  #size = 0;
  /** What has come of the uploads, as far as the next step depends on it. */
  #came = "";
  #leftOut = [];
  #said = "";

  constructor(place, widget, title) {
    this.#place = place;
    this.#widget = widget;
    this.#title = title;
    place.classList.add("bulk-preview");
    place.addEventListener("click", ({ target }) => this.#onButton(target.closest("button")));
  }

  /** Shows the state where its plan is another one than before; tells the sums, or null where nothing has changed. */
  render(state, entries) {
    const came = `${totals(state).failed} ${isAllSent(state)}`;
    if (state.plan === this.#plan && state.rows.size === this.#size) {
      if (came !== this.#came) this.#tellNext(state);
      this.#came = came;
      return null;
    }
    this.#plan = state.plan;
    this.#size = state.rows.size;
    this.#came = came;
    const sum = sumsOf(state, entries);
    const refused = refusedOf(state);
    const hadFocus = this.#place.contains(document.activeElement);
    this.#place.replaceChildren(...this.#parts(state, sum, refused));
    this.#place.hidden = !this.#place.childElementCount;
    this.#say(["line", "next"].map((name) => this.#place.querySelector(`.bulk-preview-${name}`)?.textContent));
    if (hadFocus) (this.#place.querySelector("button") ?? this.#place.querySelector("[data-preview-line]"))?.focus();
    return sum;
  }

  /** Only that line: what the person has unfolded stays so, and who does not see it hears the same of the widget. */
  #tellNext(state) {
    const next = this.#place.querySelector(".bulk-preview-next");
    next?.replaceWith(nextStep(state, refusedOf(state)));
  }

  /** Who does not see the preview hears what it comes to, and not again while that is the same. */
  #say(lines) {
    const text = lines.filter(Boolean).join(". ");
    if (text && text !== this.#said) this.#widget.say(text);
    this.#said = text;
  }

  #parts(state, sum, refused) {
    const { plan, rows } = state;
    if (!plan || (!rows.size && !plan.unmatched.length)) return [];
    const line = element("p", "bulk-preview-line", plan.folders.length ? headlineOf(sum, this.#title) : "");
    line.dataset.previewLine = "";
    line.tabIndex = -1;
    const next = nextStep(state, refused);
    if (plan.hold && !plan.folders.length) return [next];
    return [line, next, this.#refusedFolders(plan), ...this.#lists(state, refused), this.#table(plan, sum)].filter(
      (part) => part && (part.textContent || part.childElementCount),
    );
  }

  /** Folders that go to no entry, with a button for each and one for all. */
  #refusedFolders({ folders }) {
    const refused = folders.filter(({ problem }) => problem);
    if (!refused.length) return null;
    const list = element("ul", "bulk-problems");
    list.append(
      ...refused.map((folder) => {
        const item = element("li", "", `${countedOf(folder)}: ${folder.problem.detail} `);
        item.append(leaveOutButton(folder, "Leave out", nameOf(folder)));
        return item;
      }),
    );
    const section = this.#section("folders", "Without an entry", list);
    if (refused.length > 1) section.append(leaveOutButton(null, `Leave out all ${refused.length}`));
    return section;
  }

  #lists({ plan, leftOut }, refused) {
    this.#leftOut = stillLeftOut(this.#leftOut, plan);
    const { required } = this.#widget.state.rules;
    const missing = plan.missing.slice(0, MISSING_SHOWN);
    const found = `${plan.missing.length === 1 ? "1 entry" : `${plan.missing.length.toLocaleString("en")} entries`} without ${this.#title}`;
    const more = plan.missing.length - missing.length;
    const names = missing.join(", ") + (more ? ` and ${more.toLocaleString("en")} more` : "");
    return [
      this.#section("unmatched", "Named in the table and not chosen", sentences(plan.unmatched)),
      this.#section("short", "Too few files", sentences(plan.short)),
      missing.length && this.#section("missing", `${found}${required ? ", which they need" : ""}`, element("p", "", names)),
      this.#section("refused", "Refused files", sentences(refused, ({ path }) => `${path}: `)),
      leftOut.length && element("p", "hint", `${many(leftOut.length, "hidden file")} left out: ${listed(leftOut)}.`),
      this.#leftOut.length && element("p", "hint", `Left out by you: ${this.#leftOut.map(countedOf).join(", ")}.`),
    ];
  }

  #section(name, heading, content) {
    if (!content) return null;
    const section = element("section", "bulk-preview-part");
    section.dataset.previewPart = name;
    section.append(element("h3", "", heading), content);
    return section;
  }

  #table({ folders }, sum) {
    const linked = folders.filter(({ entry }) => entry !== null);
    if (!linked.length) return null;
    const details = element("details", "bulk-preview-table");
    details.open = this.#place.querySelector("details")?.open ?? false;
    const table = element("table", "list");
    table.append(element("thead"), element("tbody"));
    table.tHead.append(rowOf("th", ["Folder", "Submission ID", "Files", "Size"]));
    table.tBodies[0].append(
      ...linked.map((folder) => {
        const size = bytes(sum.folders.get(folderKey(folder)) ?? 0);
        return rowOf("td", [nameOf(folder), folder.entry, folder.files.toLocaleString("en"), size]);
      }),
    );
    const scroller = element("div", "bulk-preview-scroller");
    scroller.tabIndex = 0;
    scroller.setAttribute("role", "region");
    scroller.setAttribute("aria-label", `Folders and submission IDs of ${this.#title}`);
    scroller.append(table);
    details.append(element("summary", "", "Which folder goes to which entry"), scroller);
    return details;
  }

  /** Leaving out is asked for, done, and said. */
  #onButton(button) {
    if (!button?.matches("[data-leave-out]")) return;
    const { folder: wanted } = button.dataset;
    const { rows, plan } = this.#widget.state;
    const isMeant = (place) => place?.problem && (!wanted || folderKey(place) === wanted);
    this.#leftOut.push(...plan.folders.filter(isMeant));
    const keys = [...rows.values()].filter((row) => isMeant(plan.places.get(row.path))).map((row) => row.key);
    this.#widget.discard(keys);
  }
}

function nextStep(state, refused) {
  const next = element("p", "bulk-preview-next", nextStepOf(state, refused));
  const isGood = state.plan.isComplete && !refused.length && !totals(state).failed;
  next.dataset.state = isGood ? "good" : "waiting";
  return next;
}

function sentences(problems, prefix = () => "") {
  if (!problems.length) return null;
  const list = element("ul", "bulk-problems");
  const shown = problems.slice(0, REFUSED_SHOWN).map((problem) => `${prefix(problem)}${problem.detail}`);
  const more = problems.length - shown.length;
  if (more) shown.push(`… and ${more.toLocaleString("en")} more.`);
  list.append(...shown.map((sentence) => element("li", "", sentence)));
  return list;
}

function leaveOutButton(folder, text, name = "") {
  const button = element("button", "extra-files-button", text);
  button.type = "button";
  button.dataset.leaveOut = "";
  if (folder) button.dataset.folder = folderKey(folder);
  if (name) button.append(element("span", "visually-hidden", ` ${name}`));
  return button;
}

function rowOf(tag, texts) {
  const row = document.createElement("tr");
  row.append(...texts.map((text) => element(tag, "", text)));
  return row;
}

function element(tag, className = "", text = "") {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
}
