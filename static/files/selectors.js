/** What can be read off the state of a widget; what goes through all rows is computed once a state. No DOM. */

/** `select(state)`, kept for as long as the state is: page, form and screen reader ask for the same. */
function once(select) {
  const known = new WeakMap();
  return (state) => {
    if (!known.has(state)) known.set(state, select(state));
    return known.get(state);
  };
}

/** Whether the row's file can be submitted: uploaded, and not known to be bad. */
export function isReady(row) {
  return row.status === "uploaded" || row.status === "verified";
}

/** Whether the row's file is still on its way. */
export function isPending(row) {
  return row.status === "queued" || row.status === "uploading";
}

/**
 * Counts of files by state, and bytes in all, sent, and recognised (sent before); failed files count in no sum of bytes.
 * `retryable` of the failed ones can be tried again; `note` is what all that are uploading say of themselves.
 */
export const totals = once((state) => {
  const sum = { files: 0, queued: 0, uploading: 0, uploaded: 0, verified: 0, failed: 0, retryable: 0 };
  Object.assign(sum, { bytes: 0, sentBytes: 0, recognised: 0 });
  let note;
  for (const row of state.rows.values()) {
    sum.files += 1;
    sum[row.status] += 1;
    if (row.problem?.retryable) sum.retryable += 1;
    if (row.status === "failed") continue;
    sum.bytes += row.size;
    sum.sentBytes += row.sentBytes;
    sum.recognised += row.recognised;
    if (row.status === "uploading") note = note === undefined || note === row.note ? row.note : "";
  }
  const pending = sum.queued + sum.uploading;
  return { ...sum, pending, ready: sum.uploaded + sum.verified, note: note ?? "" };
});

/** The rows that hold submit back, in order. */
export const blockingRows = once((state) => [...state.rows.values()].filter((row) => !isReady(row)));

/**
 * Whether uploads may start: with a planner not before its plan is complete and no row is refused. What the reading of
 * a file brings up later does not stop the others.
 */
export const canSend = once((state) => {
  if (!state.planner) return true;
  return state.plan.isComplete && ![...state.rows.values()].some((row) => row.problem?.own);
});

/** Stands for files that were chosen and are still being read. */
const UNREAD = { name: "what was chosen last", size: 0, entry: null, status: "queued" };

/**
 * What the form sends, as JSON: `[{"fileId","name","size"}]`, and with a planner such a list for each entry by its
 * submission ID, under the empty key for files without one. A file that is not ready stands there without `fileId`,
 * which the server refuses: no way of submitting can drop a file silently. So does what was chosen and has no row yet.
 */
export function hiddenValue(state) {
  if (!state.rows.size && !state.choosing) return "";
  const rows = [...state.rows.values()];
  if (state.choosing) rows.push(UNREAD);
  if (!state.planner) return JSON.stringify(rows.map(itemOf));
  const entries = [...Map.groupBy(rows, (row) => row.entry ?? "")];
  return JSON.stringify(Object.fromEntries(entries.map(([entry, some]) => [entry, some.map(itemOf)])));
}

function itemOf(row) {
  const item = { name: row.name, size: row.size };
  if (row.attached) item.attached = true;
  return isReady(row) ? { fileId: row.fileId, ...item } : item;
}

/** What `hiddenValue` wrote, as items of the action `restored` but for their keys; throws where it is no such thing. */
export function itemsOfValue(value) {
  const content = JSON.parse(value || "[]");
  if (Array.isArray(content)) return content;
  return Object.entries(content).flatMap(([entry, items]) =>
    items.map((item) => ({ ...item, path: entry ? `${entry}/${item.name}` : item.name })),
  );
}

/** The IDs under which the server knows files of these rows. */
export const fileIdsOf = once(
  (state) => new Set(Array.from(state.rows.values(), (row) => row.fileId).filter(Boolean)),
);
