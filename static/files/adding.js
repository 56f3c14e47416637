/** What becomes of chosen files: which are new, which are here already, which ask for another's place. No DOM. */

import { isJudged, placed } from "./judging.js";
import { isHidden, nameKey } from "./rules.js";

/**
 * Sorts `items`, `[{key, path, size, modified}]`, out against the rows of `state`; `newRow` makes a row of an item.
 *
 * - `kept`: the rows that stay: a failed one goes where its file, or a corrected one, is chosen again,
 * - `fresh`: new rows; `hidden`: paths that are left out; `same`: rows for files that are here already,
 * - `clashes`: `[{row, rows}]`, a new row and those that have its name in its entry.
 */
export function sortedOut(state, items, newRow) {
  const before = [...state.rows.values()];
  const seen = items.filter((item) => !isHidden(item.path)).map(newRow);
  const wanted = placed(seen, state.planner?.([...before, ...seen].map((row) => row.path)) ?? null);
  const kept = keptBeside(wanted, before);
  const here = new Set(kept.map(identity));
  const isHere = (row) => here.has(identity(row));
  const fresh = wanted.filter((row) => !isHere(row));
  const hidden = items.filter((item) => isHidden(item.path)).map((item) => item.path);
  return { kept, fresh, hidden, same: wanted.filter(isHere), clashes: clashesOf(kept, fresh, state) };
}

function keptBeside(wanted, before) {
  const byPath = new Map(wanted.map((row) => [row.path, row]));
  const names = new Set(wanted.map(nameInEntry));
  const isReplaced = (row) => {
    if (row.status !== "failed") return false;
    if (row.modified === null) return !isJudged(row) && names.has(nameInEntry(row));
    const other = byPath.get(row.path);
    return Boolean(other) && !(isJudged(row) && identity(other) === identity(row));
  };
  return before.filter((row) => !isReplaced(row));
}

function clashesOf(kept, fresh, { planner }) {
  if (!kept.length) return [];
  const seat = seatOf(planner);
  const taken = Map.groupBy(kept, seat);
  return fresh.filter((row) => taken.has(seat(row))).map((row) => ({ row, rows: taken.get(seat(row)) }));
}

/**
 * The `fresh` rows, those that take the place of one of `gone` with its `fileId`: what was sent of that may be theirs, if
 * they are of its size. Whether it is, the uploader finds out.
 */
export function heirs(fresh, gone, { planner }) {
  const seat = seatOf(planner);
  const ours = gone.filter((row) => row.fileId && !row.attached);
  const left = new Map(ours.map((row) => [`${seat(row)}\0${row.size}`, row.fileId]));
  return fresh.map((row) => {
    const fileId = left.get(`${seat(row)}\0${row.size}`);
    return fileId ? { ...row, fileId } : row;
  });
}

/** What only one row may have: a name in an entry; a row without an entry stands for its path. */
function seatOf(planner) {
  const isPlaced = (row) => !planner || row.entry !== null;
  return (row) => (isPlaced(row) ? `${row.entry}\0${nameKey(row.name)}` : row.path);
}

/** The same file, chosen once more. When one that came with the form was changed is not known: it is none of those. */
function identity({ path, size, modified }) {
  return `${path}\0${size}\0${modified}`;
}

function nameInEntry({ entry, name }) {
  return `${entry}\0${name}`;
}
