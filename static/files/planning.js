/**
 * Which chosen file goes to which entry, told before a byte is sent: a pure function from paths to a plan. No DOM.
 *
 * A plan is `{isComplete, places, folders, missing, unmatched, short, hold}`:
 * - `places`: a Map from each path to `{entry, problem, folder}`; `entry` is a submission ID or null, `problem` null or
 *   `{code, detail}`, `folder` the folder's name as the plan lists it;
 * - `folders`: `[{folder, entry, files, problem}]`, in the order of their names; `""` is for files in no subfolder;
 * - `missing`: the submission IDs without files; `unmatched`: `[{submissionId, token, detail}]`, what the column
 *   `files.<category>` names and was not chosen; `short`: `[{entry, files, detail}]`, entries with too few files;
 * - `hold`: why nothing is planned yet, or goes on, for a reason outside of the folders; else the empty string.
 */

import { entryFoldersIn, filesBelow, holdersOf, treeOf } from "./folders.js";
import { many } from "./words.js";

const FILE_ID_PAIR = /:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const BY_NAME = new Intl.Collator("en", { numeric: true });
const FILES_OF_A_PAIR = 2;

/**
 * A planner of one category: a function from relative paths to a plan.
 *
 * `rows` are those of the checked table, `[{submissionId, line, files: {category: text}}]`, or null while there is
 * none; `rules` are the category's (`required`, `minFiles`, `pairing`); while `hold` has a sentence, no plan is
 * complete.
 */
export function plannerOf({ rows = null, category, rules = {}, hold = "" }) {
  if (!rows) return (paths) => waiting(paths, hold);
  const table = tableOf(rows, category);
  return (paths) => finished(linked(paths, table), table, rules, hold);
}

function waiting(paths, hold) {
  const place = { entry: null, problem: null, folder: null };
  const places = new Map(paths.map((path) => [path, place]));
  return { isComplete: false, places, folders: [], missing: [], unmatched: [], short: [], hold };
}

/** The rows as they are looked up: IDs after NFC, and what the cells of the category name. */
function tableOf(rows, category) {
  const links = rows
    .filter(({ files }) => files?.[category]?.trim())
    .map(({ submissionId, files }) => ({ submissionId, text: files[category].trim() }));
  const column = `files.${category}`;
  return {
    column,
    links,
    ids: new Map(rows.map(({ submissionId }) => [submissionId.normalize("NFC"), submissionId])),
    alike: new Map(rows.map(({ submissionId }) => [withoutCase(submissionId), submissionId])),
    byCell: new Map(links.map(({ submissionId, text }) => [submissionId, text])),
    named: new Set(links.flatMap(({ text }) => tokensOf(text).map((token) => partsOf(token)[0]))),
    hasFileIds: links.some(({ text }) => text.split(/\s+/).every((word) => FILE_ID_PAIR.test(word))),
  };
}

const withoutCase = (name) => name.normalize("NFC").replace(/\s+/g, "").toLowerCase();
const partsOf = (token) =>
  token.normalize("NFC").replaceAll("\\", "/").split("/").filter((part) => part && part !== ".");
const tokensOf = (text) => [text, ...text.split(/\s+/)];

/** Places of all paths, and what of the cells was not found. */
function linked(paths, table) {
  const places = new Map();
  if (table.hasFileIds) {
    const problem = paths.length ? problemOf("file_mapping_invalid", byFileId(table.column)) : null;
    for (const path of paths) places.set(path, { entry: null, problem, folder: "" });
    return { places, unmatched: [] };
  }
  const root = treeOf(paths);
  const holders = holdersOf(root, (name) => table.ids.has(name) || table.named.has(name));
  const unmatched = linkCells([...holders, root], table, places);
  const { folders, loose } = entryFoldersIn(holders);
  for (const { holder, node } of folders) {
    const folder = holders.length > 1 && holder !== root ? node.path : node.name;
    const place = { ...judge(node.name, table), folder };
    for (const path of filesBelow(node)) if (!places.has(path)) places.set(path, place);
  }
  const outside = { entry: null, problem: problemOf("submission_id_unknown", OUTSIDE), folder: "" };
  for (const path of loose) if (!places.has(path)) places.set(path, outside);
  return { places, unmatched };
}

const OUTSIDE =
  "This file is in no subfolder. Move it into the folder of its entry and choose it again, or leave it out.";

function byFileId(column) {
  return `The column ${column} of the table names uploaded files by their file IDs, so no folder can be chosen here. Leave these files out, or empty the column.`;
}

function problemOf(code, detail) {
  return { code, detail };
}

/** Where the files of an entry's folder go, by the folder's name. */
function judge(name, table) {
  const entry = table.ids.get(name.normalize("NFC"));
  if (entry === undefined) {
    const alike = table.alike.get(withoutCase(name));
    const meant = alike === undefined ? "" : ` Did you mean “${alike}”?`;
    const detail = `No row of the table has the ID “${name}”.${meant} Rename the folder, add the row, or leave it out.`;
    return { entry: null, problem: problemOf("submission_id_unknown", detail) };
  }
  if (!table.byCell.has(entry)) return { entry, problem: null };
  const detail = `The column ${table.column} gives “${entry}” other files: ${table.byCell.get(entry)}. Name this folder there too, or leave it out.`;
  return { entry: null, problem: problemOf("submission_id_unknown", detail) };
}

/** Links what the cells name, folders or files; a file of two entries is refused. */
function linkCells(roots, table, places) {
  const unmatched = [];
  for (const { submissionId, text } of table.links) {
    const whole = filesOf(text, roots);
    for (const token of whole.length ? [text] : text.split(/\s+/)) {
      const found = whole.length ? whole : filesOf(token, roots);
      if (!found.length) unmatched.push(notFound(submissionId, token, table.column));
      const place = { entry: submissionId, problem: null, folder: token };
      for (const path of found) places.set(path, together(places.get(path), place));
    }
  }
  return unmatched;
}

function notFound(submissionId, token, column) {
  const detail = `The column ${column} names “${token}” for “${submissionId}”, and no such folder or file was chosen.`;
  return { submissionId, token, detail };
}

function together(before, place) {
  if (!before || before.entry === place.entry) return before ?? place;
  const detail = `The table gives this file to “${before.entry}” and to “${place.entry}”; here it can go to one entry only. Scripts can give it to both.`;
  return { entry: null, problem: problemOf("file_mapping_invalid", detail), folder: place.folder };
}

/** The files that a token names below any of these folders: those of a folder, or one file. */
function filesOf(token, roots) {
  const parts = partsOf(token);
  for (const root of parts.length ? roots : []) {
    const parent = parts.slice(0, -1).reduce((node, name) => node?.folders.get(name), root);
    const folder = parent?.folders.get(parts.at(-1));
    if (folder) return filesBelow(folder);
    const files = parent?.files.get(parts.at(-1));
    if (files) return files;
  }
  return [];
}

/** The plan, with what follows from the places: folders, entries without files and with too few. */
function finished({ places, unmatched }, table, rules, hold) {
  const counts = new Map();
  for (const { entry } of places.values()) if (entry !== null) counts.set(entry, (counts.get(entry) ?? 0) + 1);
  const missing = table.hasFileIds ? [] : [...table.ids.values()].filter((id) => !counts.has(id));
  const short = tooFew(counts, rules);
  const folders = foldersOf(places);
  const isRefused = folders.some(({ problem }) => problem) || unmatched.length > 0 || short.length > 0;
  const isComplete = !hold && !isRefused && !(rules.required && missing.length);
  return { isComplete, places, folders, missing, unmatched, short, hold };
}

function foldersOf(places) {
  const found = new Map();
  for (const { folder, entry, problem } of places.values()) {
    const key = JSON.stringify([folder, entry, problem?.detail]);
    const known = found.get(key);
    if (known) known.files += 1;
    else found.set(key, { folder, entry, files: 1, problem });
  }
  return [...found.values()].sort((a, b) => BY_NAME.compare(a.folder, b.folder));
}

function tooFew(counts, { minFiles = 1, pairing = false }) {
  const fewest = pairing ? FILES_OF_A_PAIR : minFiles;
  const wanted = pairing ? "two, read 1 and read 2 of a pair" : `at least ${fewest}`;
  return [...counts]
    .filter(([, files]) => files < fewest)
    .map(([entry, files]) => ({ entry, files, detail: `“${entry}” has ${many(files, "file")}; it needs ${wanted}.` }));
}
