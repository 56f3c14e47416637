/**
 * Judges the rows of a widget before anything is sent, entry by entry: names, numbers, pairs, and what a plan says.
 * The problems found here are marked `own`, or `pair` where they come from reading the files, and have `was`, the status
 * that the row gets back when the rows that cause the problem go. No DOM.
 */

import { pairNamesProblem, pairReadsProblem } from "./pairs.js";
import { FILES_OF_A_PAIR, duplicateOf, faultOf, nameKey, tooMany } from "./rules.js";

/** Whether the row's problem was found here, and not while its file was sent or verified. */
export function isJudged(row) {
  return Boolean(row.problem?.own || row.problem?.pair);
}

/** The rows with the entries that the plan gives them; without a plan all are of one entry, null. */
export function placed(rows, plan) {
  return rows.map((row) => {
    const entry = plan?.places.get(row.path)?.entry ?? null;
    return row.entry === entry ? row : { ...row, entry };
  });
}

/** The rows by key, in their order, each judged anew; `plan` and `rules` as in a widget's state. */
export function judged(rows, { plan, rules }) {
  const entries = new Entries();
  const problems = new Map();
  // What was sent keeps its name and its place against what was not.
  for (const row of [...rows.filter(isSent), ...rows.filter((row) => !isSent(row))]) {
    const problem = row.status === "failed" && !isJudged(row) ? null : problemOf(row, entries, { plan, rules });
    if (problem) problems.set(row.key, { ...problem, own: true });
    else if (isSeated(row, plan)) entries.take(row);
  }
  if (rules.pairing) addPairProblems(entries, problems);
  return new Map(rows.map((row) => [row.key, settled(row, problems.get(row.key))]));
}

/** The names and rows of each entry, as far as they have been let in. */
class Entries {
  #byEntry = new Map();

  of(entry) {
    if (!this.#byEntry.has(entry)) this.#byEntry.set(entry, { names: new Set(), rows: [] });
    return this.#byEntry.get(entry);
  }

  take(row) {
    const { names, rows } = this.of(row.entry);
    names.add(nameKey(row.name));
    rows.push(row);
  }

  rows() {
    return Array.from(this.#byEntry.values(), ({ rows }) => rows);
  }
}

function isSeated(row, plan) {
  return !plan || row.entry !== null;
}

function problemOf(row, entries, { plan, rules }) {
  const found = plan?.places.get(row.path)?.problem ?? faultOf(row, rules);
  if (found || !isSeated(row, plan)) return found;
  const { names, rows } = entries.of(row.entry);
  if (names.has(nameKey(row.name))) return duplicateOf(row.name);
  return rules.maxFiles && rows.length >= rules.maxFiles ? tooMany(rules.maxFiles) : null;
}

/** Of two files that are no pair the one that was not sent is refused, and both where their reads tell it. */
function addPairProblems(entries, problems) {
  for (const rows of entries.rows()) {
    if (rows.length !== FILES_OF_A_PAIR) continue;
    const misnamed = pairNamesProblem(rows.map((row) => row.name));
    const mismatch = misnamed ? null : pairReadsProblem(...rows);
    for (const row of rows) {
      if (row.status === "failed" && !isJudged(row)) continue;
      if (misnamed && !isSent(row)) problems.set(row.key, { ...misnamed, own: true });
      if (mismatch) problems.set(row.key, { ...mismatch, pair: true });
    }
  }
}

/** The status without what was found here; what was on its way begins anew, and finds what was sent of it. */
function standing(row) {
  if (!isJudged(row)) return row.status;
  return row.problem.was === "uploading" ? "queued" : row.problem.was;
}

function isSent(row) {
  return row.fileId !== null || standing(row) !== "queued";
}

function settled(row, problem) {
  if (!problem) return isJudged(row) ? { ...row, status: standing(row), problem: null } : row;
  if (row.problem?.code === problem.code && row.problem.detail === problem.detail) return row;
  return { ...row, status: "failed", note: "", problem: { ...problem, was: standing(row) } };
}
