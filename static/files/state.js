/**
 * The state of one extra-files widget: a pure reducer. What can be read off it is in `selectors.js`. No DOM, no network.
 *
 * A row is `{key, path, name, size, modified, status, sentBytes, recognised, problem, fileId, note, entry, firstRead,
 * attached}`; `modified` is null where it is not known; `status` is one of `queued | uploading | uploaded | verified | failed`. `entry` is the submission ID that a
 * plan gives the file to, null without one; `recognised` are bytes that the server had before; `firstRead` is what the
 * examiner found; `attached` says that the file belongs to an entry already. `problem` is `{code, detail, line, offset,
 * retryable}`, and where `judging.js` found it, it goes away when the rows that cause it do.
 *
 * `choosing` says how many choices of files are still being read, and have no rows yet.
 *
 * A planner is a pure function from the rows' paths to a plan, `{isComplete, places}`; `places` is a Map from path to
 * `{entry, problem}`. It is asked whenever rows come or go, and the plan is kept in `state.plan`.
 */

import { heirs, sortedOut } from "./adding.js";
import { judged, placed } from "./judging.js";
import { lastPart, nameKey } from "./rules.js";
import { isPending } from "./selectors.js";

/** A file that is looked at is not on its way yet; with any other note it waits for something on its way. */
const CHECKING = "Checking";

/** An empty widget; `rules` as in `rules.js`; without a planner all files are of one entry. */
export function initialState(rules = {}, planner = null) {
  const rows = new Map();
  return { rules, planner, plan: planner?.([]) ?? null, rows, choosing: 0, leftOut: [], sameAgain: [] };
}

/** The state after `action`; an action about a row that has been discarded changes nothing. */
export function reduce(state, action) {
  return WIDGET_ACTIONS[action.type]?.(state, action) ?? reduceRows(state, [action]);
}

/** The state after several actions about rows: thousands of rows are copied once, not for each. */
export function reduceRows(state, actions) {
  const rows = new Map(state.rows);
  for (const action of actions) {
    const change = ROW_ACTIONS[action.type];
    if (!change) throw new Error(`no such action: ${action.type}`);
    const row = rows.get(action.key);
    if (row) rows.set(action.key, changed(row, change(row, action)));
  }
  const isSame = actions.every(({ key }) => rows.get(key) === state.rows.get(key));
  if (isSame) return state;
  const isPairRead = state.rules.pairing && actions.some(({ type }) => type === "examined");
  return { ...state, rows: isPairRead ? judged([...rows.values()], state) : rows };
}

const WIDGET_ACTIONS = {
  choosing: (state) => ({ ...state, choosing: state.choosing + 1 }),
  chosen: (state) => ({ ...state, choosing: state.choosing - 1 }),
  added: (state, { items, replacing = [] }) => add(state, items, new Set(replacing)),
  restored: (state, { items }) => withRows(state, [...state.rows.values(), ...items.map(restoredRow)]),
  discarded: (state, { keys }) => without(state, new Set(keys)),
  replaced: (state, { key }) => without(state, new Set(sameName(state, key))),
  planned: (state, { planner }) => withRows({ ...state, planner }, [...state.rows.values()]),
};

/** What changes in the row; progress that comes late does not bring a failed row back. */
const ROW_ACTIONS = {
  started: (row) => isPending(row) && { status: "uploading" },
  progress: (row, { sentBytes }) =>
    isPending(row) && {
      status: "uploading",
      sentBytes,
      recognised: sentBytes < row.recognised ? 0 : row.recognised,
      note: "",
    },
  note: (row, { note }) => ({
    note,
    status: row.status === "queued" && note && note !== CHECKING ? "uploading" : row.status,
  }),
  requested: (row, { fileId }) => ({ fileId }),
  examined: (row, { firstRead }) => ({ firstRead }),
  recognised: (row, { sentBytes }) =>
    isPending(row) && { status: "uploading", sentBytes, recognised: sentBytes, note: "" },
  uploaded: (row, { fileId }) => ({
    status: "uploaded",
    fileId,
    sentBytes: row.size,
    note: "",
    problem: null,
  }),
  verified: () => ({ status: "verified", note: "" }),
  failed: (row, { problem }) => ({ status: "failed", problem, note: "" }),
  retried: () => ({ status: "queued", problem: null, sentBytes: 0, recognised: 0 }),
};

function changed(row, changes) {
  const isSame = Object.entries(changes || {}).every(([name, value]) => row[name] === value);
  return isSame ? row : { ...row, ...changes };
}

const START = {
  status: "queued",
  sentBytes: 0,
  recognised: 0,
  problem: null,
  fileId: null,
  note: "",
  entry: null,
  firstRead: null,
  attached: false,
};

function newRow({ key, path, size, modified }) {
  return { ...START, key, path, name: lastPart(path), size, modified };
}

/** A row from the form's hidden value: of files that an entry has, or after the server sent the form back. */
function restoredRow({ key, path, name, size, fileId, attached = false }) {
  const row = { ...newRow({ key, path: path ?? name, size, modified: null }), name, attached };
  if (fileId) return { ...row, status: "uploaded", fileId, sentBytes: size };
  const detail = "The form was sent before this file was uploaded. Discard it here and choose it again.";
  return { ...row, status: "failed", problem: { code: "file_not_uploaded", detail } };
}

function add(state, items, replacing) {
  const rows = new Map([...state.rows].filter(([key]) => !replacing.has(key)));
  const { kept, fresh, hidden, same } = sortedOut({ ...state, rows }, items, newRow);
  const leftOut = [...new Set([...state.leftOut, ...hidden])];
  const staying = new Set(kept);
  const gone = [...state.rows.values()].filter((row) => !staying.has(row));
  return { ...withRows(state, [...kept, ...heirs(fresh, gone, state)]), leftOut, sameAgain: same.map((row) => row.path) };
}

/** The rows that chosen files would push aside: `[{row, rows}]`, by name and entry; the same files are none. */
export function clashesOf(state, items) {
  return sortedOut(state, items, newRow).clashes;
}

function without(state, keys) {
  const rows = [...state.rows.values()].filter((row) => !keys.has(row.key));
  return withRows({ ...state, leftOut: rows.length ? state.leftOut : [], sameAgain: [] }, rows);
}

/** The keys of the other rows that have this row's name in its entry. */
function sameName(state, key) {
  const row = state.rows.get(key);
  if (!row) return [];
  const others = [...state.rows.values()].filter((other) => other.key !== key && other.entry === row.entry);
  return others.filter((other) => nameKey(other.name) === nameKey(row.name)).map((other) => other.key);
}

/** The state with these rows, planned and judged anew: discarding one can free its name for another. */
function withRows(state, rows) {
  const plan = state.planner?.(rows.map((row) => row.path)) ?? null;
  const next = { ...state, plan };
  return { ...next, rows: judged(placed(rows, plan), next) };
}

