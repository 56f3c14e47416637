/** What a widget asks before it does what cannot be undone. No DOM. */

import { clashesOf } from "./state.js";
import { bytes, many } from "./words.js";

const MOST_SHOWN = 50;

/** The question before all files are discarded. */
export function discardQuestion(count, title) {
  const files = many(count, "file");
  return {
    title: `Discard ${files}?`,
    text: `They are taken off “${title}”, and off the server unless an entry has them. Uploads that are still running are stopped; files of other categories stay.`,
    items: [],
    confirm: `Discard ${files}`,
    cancel: count === 1 ? "Keep it" : "Keep them",
  };
}

/**
 * The action that adds `items`, of those with names that are here already only what the person wants; `questions` as in
 * `dialog.js`.
 */
export async function settledClashes(state, items, questions) {
  const clashes = clashesOf(state, items);
  if (!clashes.length) return { type: "added", items };
  if (await questions.ask(replaceQuestion(clashes))) {
    return { type: "added", items, replacing: clashes.flatMap(({ rows }) => rows.map((row) => row.key)) };
  }
  const refused = new Set(clashes.map(({ row }) => row.key));
  return { type: "added", items: items.filter(({ key }) => !refused.has(key)) };
}

/** The question before files are replaced by others of the same name; `clashes` as in `state.js`. */
export function replaceQuestion(clashes) {
  const isOne = clashes.length === 1;
  const items = clashes.slice(0, MOST_SHOWN).map((clash) => clashLine(clash));
  const more = clashes.length - items.length;
  return {
    title: isOne ? `Replace ${clashes[0].row.name}?` : `Replace ${many(clashes.length, "file")}?`,
    text: isOne ? "A file of this name is here already." : "Files of these names are here already.",
    items: more ? [...items, `and ${more.toLocaleString("en")} more`] : items,
    confirm: isOne ? "Replace" : `Replace ${many(clashes.length, "file")}`,
    cancel: isOne ? "Keep the present one" : "Keep the present ones",
  };
}

function clashLine({ row, rows }) {
  const [here] = rows;
  const where = row.entry === null ? "" : `${row.entry}: `;
  const sizes = `${bytes(here.size)} here, ${bytes(row.size)} chosen now`;
  const isChanged = here.size === row.size && here.modified !== null && here.modified !== row.modified;
  return `${where}${row.name}, ${sizes}${isChanged ? `, ${ageOf(here, row)}` : ""}`;
}

function ageOf(here, row) {
  return row.modified > here.modified ? "changed later" : "changed earlier";
}
