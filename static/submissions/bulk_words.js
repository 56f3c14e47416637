/** What the preview of the bulk page says of a plan (`files/planning.js`) and its rows. No DOM. */

import { totals } from "../files/selectors.js";
import { bytes, many } from "../files/words.js";

/** Counts and bytes of a category: entries with files, of all entries, and the files that are linked with them. */
export function sumsOf(state, entries) {
  const { plan } = state;
  const withFiles = new Set();
  const sum = { entries, entriesWithFiles: 0, files: 0, bytes: 0, folders: new Map() };
  for (const row of state.rows.values()) {
    const place = plan?.places.get(row.path);
    if (!place || place.folder === null) continue;
    const key = folderKey(place);
    sum.folders.set(key, (sum.folders.get(key) ?? 0) + row.size);
    if (place.entry === null) continue;
    withFiles.add(place.entry);
    sum.files += 1;
    sum.bytes += row.size;
  }
  return { ...sum, entriesWithFiles: withFiles.size };
}

/** One key for a folder of the plan and for the places in it. */
export function folderKey({ folder, entry, problem }) {
  return JSON.stringify([folder, entry, problem?.detail ?? null]);
}

/** A folder of the plan as people call it. */
export function nameOf({ folder }) {
  return folder || "Files in no subfolder";
}

/** `unknown (2 files)`. */
export function countedOf(folder) {
  return `${nameOf(folder)} (${many(folder.files, "file")})`;
}

/** The folders that the person has left out, but for those that were chosen again. */
export function stillLeftOut(leftOut, { folders }) {
  const here = new Set(folders.map(nameOf));
  return leftOut.filter((folder) => !here.has(nameOf(folder)));
}

/** `96 of 96 entries have Raw reads · 192 files · 3.4 GB`. */
export function headlineOf(sum, title) {
  const have = sum.entriesWithFiles === 1 && sum.entries === 1 ? "entry has" : "entries have";
  const [some, all] = [sum.entriesWithFiles, sum.entries].map((count) => count.toLocaleString("en"));
  return `${some} of ${all} ${have} ${title} · ${many(sum.files, "file")} · ${bytes(sum.bytes)}`;
}

/** The line for all categories together; `sums` are pairs of a title and what `sumsOf` found. */
export function summaryOf(sums) {
  const [first, ...others] = sums.filter(([, sum]) => sum.files);
  if (!first) return "";
  const have = ([title, sum]) => `${sum.entriesWithFiles.toLocaleString("en")} have ${title}`;
  const total = (name) => sums.reduce((count, [, sum]) => count + sum[name], 0);
  const start = headlineOf(first[1], first[0]).split(" · ")[0];
  return [start, ...others.map(have), many(total("files"), "file"), bytes(total("bytes"))].join(" · ");
}

/** The rows whose own names or kinds are refused, as `{name, folder, detail}`, not those of refused folders. */
export function refusedOf({ rows, plan }) {
  return [...rows.values()]
    .filter((row) => row.problem?.own && !plan?.places.get(row.path)?.problem)
    .map((row) => ({ key: row.key, path: row.path, detail: row.problem.detail }));
}

/** Whether there are files, and each of them is uploaded. */
export function isAllSent(state) {
  return state.rows.size > 0 && totals(state).ready === state.rows.size;
}

/** What comes of a complete plan. */
function comingOf(state) {
  const { failed } = totals(state);
  if (failed === 1) return "1 file failed: discard it, or choose a file of the same name in its place.";
  if (failed) return `${many(failed, "file")} failed: discard them, or choose files of the same names in their place.`;
  return isAllSent(state) ? "Everything is uploaded." : "Everything is clear; uploading goes by itself.";
}

/** What the person does next: mend, wait, or nothing. */
export function nextStepOf(state, refused) {
  const { plan, rows } = state;
  if (plan.hold) return plan.hold;
  if (!rows.size) return plan.unmatched.length ? "Choose the folder that the table speaks of." : "";
  if (plan.isComplete && !refused.length) return comingOf(state);
  const isBegun = [...rows.values()].some((row) => row.fileId);
  const nothing = isBegun ? "No further file is sent for now." : "Nothing is uploaded yet.";
  return `${nothing} Mend what is listed here, or leave it out; uploading then starts by itself.`;
}
