/**
 * The state of one extra-files widget: a pure reducer and its selectors. No DOM, no network.
 *
 * A row is `{key, path, name, size, modified, status, sentBytes, problem, fileId, note}`; `status` is one of
 * `queued | uploading | uploaded | verified | failed`. `problem` is `{code, detail, where, retryable, own}`:
 * `own` problems are found here before anything is sent, and go away when the rows that cause them do.
 */

import { duplicateOf, faultOf, isHidden, lastPart, nameKey, tooMany } from "./rules.js";

/** An empty widget; `rules` as in `rules.js`. */
export function initialState(rules = {}) {
  return { rules, rows: new Map(), leftOut: [], sameAgain: [] };
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
  return isSame ? state : { ...state, rows };
}

const WIDGET_ACTIONS = {
  added: (state, { items }) => add(state, items),
  restored: (state, { items }) => withRows(state, [...state.rows.values(), ...items.map(restoredRow)]),
  discarded: (state, { keys }) => without(state, new Set(keys)),
  replaced: (state, { key }) => without(state, new Set(sameName(state, key))),
};

/** What changes in the row; progress that comes late does not bring a failed row back. */
const ROW_ACTIONS = {
  started: (row) => isPending(row) && { status: "uploading" },
  progress: (row, { sentBytes }) => isPending(row) && { status: "uploading", sentBytes, note: "" },
  note: (row, { note }) => ({ note }),
  uploaded: (row, { fileId }) => ({
    status: "uploaded",
    fileId,
    sentBytes: row.size,
    note: "",
    problem: null,
  }),
  verified: () => ({ status: "verified", note: "" }),
  failed: (row, { problem }) => ({ status: "failed", problem, note: "" }),
  retried: () => ({ status: "queued", problem: null, sentBytes: 0, fileId: null }),
};

function changed(row, changes) {
  const isSame = Object.entries(changes || {}).every(([name, value]) => row[name] === value);
  return isSame ? row : { ...row, ...changes };
}

function newRow({ key, path, size, modified = 0 }) {
  const start = { status: "queued", sentBytes: 0, problem: null, fileId: null, note: "" };
  return { key, path, name: lastPart(path), size, modified, ...start };
}

/** A row from the form's hidden value, after the server sent the form back. */
function restoredRow({ key, name, size, fileId }) {
  const row = { ...newRow({ key, path: name, size }), name };
  if (fileId) return { ...row, status: "uploaded", fileId, sentBytes: size };
  const detail = "The form was sent before this file was uploaded. Discard it here and choose it again.";
  return { ...row, status: "failed", problem: { code: "file_not_uploaded", detail } };
}

function add(state, items) {
  const before = [...state.rows.values()];
  const wanted = items.filter((item) => !isHidden(item.path)).map(newRow);
  const kept = before.filter((row) => !isReplaced(row, wanted));
  const here = new Set(kept.map(identity));
  const isHere = (row) => here.has(identity(row)) || here.has(identity({ ...row, modified: 0 }));
  const hidden = items.filter((item) => isHidden(item.path)).map((item) => item.path);
  const told = {
    leftOut: [...new Set([...state.leftOut, ...hidden])],
    sameAgain: wanted.filter(isHere).map((row) => row.path),
  };
  return { ...withRows(state, [...kept, ...wanted.filter((row) => !isHere(row))]), ...told };
}

/** The same file, chosen once more; of a row that came with the form only name and size are known. */
function identity({ path, name, size, modified }) {
  return modified ? `${path}\0${size}\0${modified}` : `${name}\0${size}`;
}

/** Whether the row's upload failed and its file, or a corrected one, is now chosen in its place. */
function isReplaced(row, wanted) {
  if (row.status !== "failed" || row.problem.own) return false;
  return wanted.some((other) => (row.modified ? other.path === row.path : other.name === row.name));
}

function without(state, keys) {
  const rows = [...state.rows.values()].filter((row) => !keys.has(row.key));
  return withRows({ ...state, leftOut: rows.length ? state.leftOut : [], sameAgain: [] }, rows);
}

/** The keys of the other rows that have this row's name. */
function sameName(state, key) {
  const row = state.rows.get(key);
  if (!row) return [];
  const others = [...state.rows.values()].filter((other) => other.key !== key);
  return others.filter((other) => nameKey(other.name) === nameKey(row.name)).map((other) => other.key);
}

/** The state with these rows, each unsent one judged anew: discarding one can free its name for another. */
function withRows(state, rows) {
  const taken = new Set(rows.filter(isSent).map((row) => nameKey(row.name)));
  let count = rows.filter(isSent).length;
  const judged = rows.map((row) => {
    if (isSent(row)) return row;
    const problem = ownProblem(row, state.rules, taken, count);
    if (!problem) {
      taken.add(nameKey(row.name));
      count += 1;
    }
    return judge(row, problem);
  });
  return { ...state, rows: new Map(judged.map((row) => [row.key, row])) };
}

function isSent(row) {
  return !(row.status === "queued" || row.problem?.own);
}

function ownProblem(row, rules, taken, count) {
  const fault = faultOf(row, rules);
  if (fault) return fault;
  if (taken.has(nameKey(row.name))) return duplicateOf(row.name);
  return rules.maxFiles && count >= rules.maxFiles ? tooMany(rules.maxFiles) : null;
}

function judge(row, problem) {
  if (!problem) return row.problem ? { ...row, status: "queued", problem: null } : row;
  if (row.problem?.code === problem.code) return row;
  return { ...row, status: "failed", problem: { ...problem, own: true } };
}

// --- selectors ------------------------------------------------------------------------------------

/** Whether the row's file can be submitted: uploaded, and not known to be bad. */
export function isReady(row) {
  return row.status === "uploaded" || row.status === "verified";
}

/** Whether the row's file is still on its way. */
export function isPending(row) {
  return row.status === "queued" || row.status === "uploading";
}

/** Counts of files by state, and bytes in all and sent; failed files count in neither sum of bytes. */
export function totals(state) {
  const sum = {
    files: 0,
    queued: 0,
    uploading: 0,
    uploaded: 0,
    verified: 0,
    failed: 0,
    bytes: 0,
    sentBytes: 0,
  };
  for (const row of state.rows.values()) {
    sum.files += 1;
    sum[row.status] += 1;
    if (row.status === "failed") continue;
    sum.bytes += row.size;
    sum.sentBytes += row.sentBytes;
  }
  return { ...sum, pending: sum.queued + sum.uploading, ready: sum.uploaded + sum.verified };
}

/** The rows that hold submit back, in order. */
export function blockingRows(state) {
  return [...state.rows.values()].filter((row) => !isReady(row));
}

/**
 * What the form sends: `[{"fileId","name","size"}]` as JSON. A file that is not ready stands there without
 * `fileId`, which the server refuses: no way of submitting can drop a file silently.
 */
export function hiddenValue(state) {
  const items = [...state.rows.values()].map((row) => {
    const item = { name: row.name, size: row.size };
    return isReady(row) ? { fileId: row.fileId, ...item } : item;
  });
  return items.length ? JSON.stringify(items) : "";
}
