/** What the widget says: on the page, to screen readers, and where it holds the form back. No DOM. */

import { pairNamesProblem } from "./pairs.js";
import { FILES_OF_A_PAIR } from "./rules.js";
import { blockingRows, canSend, isPending, totals } from "./selectors.js";
import { bytes, bytesOf, duration, listed, many } from "./words.js";

/** The state of one row in words, beside its mark. */
export function stateOf(row) {
  switch (row.status) {
    case "queued":
      return row.note || "Waiting";
    case "uploading":
      return row.note || uploadingOf(row);
    case "uploaded":
      if (row.note) return `Uploaded. ${row.note}`;
      return `${isAllHere(row) ? "Already here" : "Uploaded"}, verifying`;
    case "verified":
      return isAllHere(row) ? "Already here, verified" : "Verified";
    default:
      return "Failed";
  }
}

function uploadingOf(row) {
  if (isAllHere(row)) return "Already here, comparing";
  if (row.sentBytes >= row.size) return "Finishing";
  const share = `${Math.floor((row.sentBytes / row.size) * 100)} %`;
  return row.recognised ? `Recognised, only the rest is sent, ${share}` : `Uploading, ${share}`;
}

function isAllHere({ recognised, size }) {
  return size > 0 && recognised >= size;
}

/** Size of a row's file; while it is on its way, how much of it has gone. */
export function sizeOf({ status, size, sentBytes }) {
  return status === "uploading" && sentBytes < size ? bytesOf(sentBytes, size) : bytes(size);
}

/** What is wrong, where in the file, unless the words have that already, and what to do about a file that will not do. */
export function detailOf({ detail, line, offset, retryable, own }) {
  const place = Object.entries({ Line: line, Byte: offset })
    .filter(([, number]) => number)
    .map(([unit, number]) => [unit, number.toLocaleString("en")])
    .filter(([unit, number]) => !new RegExp(`\\b${unit} ${number}\\b|(?<![\\d,])${number} ${unit}s\\b`, "i").test(detail))
    .map((one) => one.join(" "));
  const isAdvised = retryable || own || /\b(choose|discard)\b/i.test(detail);
  const advice = isAdvised ? [] : ["Discard it, or choose a file of the same name in its place."];
  return [detail, ...place.map((one) => `${one}.`), ...advice].join(" ");
}

/** Speed and time left of one file, `speed` in bytes a second; empty for what is over soon anyway. */
export function paceOf({ size, sentBytes }, speed) {
  if (!speed || (size - sentBytes) / speed < WORTH_TELLING_S) return "";
  return joined([`${bytes(Math.round(speed))}/s`, `${duration((size - sentBytes) / speed)} left`]);
}

const WORTH_TELLING_S = 5;

/** The line above the rows; `speed` in bytes a second, or null while it is not known. */
export function summaryOf(state, speed = null) {
  const sum = totals(state);
  if (!sum.files) return "";
  const failed = sum.failed ? `${sum.failed.toLocaleString("en")} failed` : "";
  if (!sum.pending) return joined([doneOf(sum), failed, sum.bytes || sum.ready ? bytes(sum.bytes) : ""]);
  if (!canSend(state) && !sum.ready && !sum.uploading)
    return joined([many(sum.files, "file"), failed, bytes(sum.bytes), "not uploaded yet"]);
  const moving = [
    speed ? `${bytes(Math.round(speed))}/s` : "",
    speed ? `${duration((sum.bytes - sum.sentBytes) / speed)} left` : "",
  ];
  return joined([
    `${sum.ready.toLocaleString("en")} of ${many(sum.files, "file")} uploaded`,
    failed,
    bytesOf(sum.sentBytes, sum.bytes),
    ...(sum.note ? [sum.note] : moving),
  ]);
}

function doneOf({ ready, verified }) {
  if (!ready) return "";
  if (verified === ready) return `${many(ready, "file")} uploaded and verified`;
  const also = verified ? `, ${verified.toLocaleString("en")} verified` : "";
  return `${many(ready, "file")} uploaded${also}`;
}

function joined(parts) {
  return parts.filter(Boolean).join(" · ");
}

/** What is said below the rows: files left out, files that were here already, a group to be chosen. */
export function noticesOf(state, { hasGroup }) {
  const notices = [];
  const { leftOut, sameAgain, planner } = state;
  // Where files are planned there is a preview, which says what is left out.
  if (leftOut.length && !(planner && totals(state).files))
    notices.push(`${many(leftOut.length, "hidden file")} left out: ${listed(leftOut)}.`);
  if (sameAgain.length) {
    notices.push(
      `${many(sameAgain.length, "file")} ${sameAgain.length === 1 ? "was" : "were"} here already.`,
    );
  }
  if (!hasGroup && totals(state).queued)
    notices.push("Choose a group: files belong to one, and wait for it.");
  return notices;
}

/** What a screen reader is told: that uploading began or halts, what failed (many as one), that all is done. */
export function announcementOf(before, after) {
  const [was, is] = [totals(before), totals(after)];
  const isAllowed = canSend(after);
  const parts = [];
  if (is.pending && isAllowed && !(was.pending && canSend(before))) parts.push(`Uploading ${many(is.pending, "file")}.`);
  if (is.note && is.note !== was.note) parts.push(`${is.note}.`);
  const failed = is.failed ? newlyFailed(before, after) : [];
  const names = failed.map(nameIn(after));
  if (failed.length === 1) parts.push(`${names[0]} failed: ${failed[0].problem.detail}`);
  else if (failed.length) parts.push(`${many(failed.length, "file")} failed: ${listed(names)}.`);
  if (was.pending && !is.pending && is.ready) parts.push(`${many(is.ready, "file")} uploaded.`);
  const isAll = (sum) => sum.files > 0 && sum.verified === sum.files;
  if (isAll(is) && (!isAll(was) || is.files > was.files))
    parts.push(is.files === 1 ? "Verified." : "All files verified.");
  return parts.join(" ");
}

function newlyFailed(before, after) {
  const rows = [...after.rows.values()];
  return rows.filter((row) => row.status === "failed" && before.rows.get(row.key)?.status !== "failed");
}

/** Why the form cannot be sent yet, over all its widgets; empty when it can. `action` is what its button says. */
export function holdReason(states, action = "Submit") {
  const isWaiting = states.some((state) => !canSend(state) && totals(state).queued);
  const namesOf = (isMeant) => states.flatMap((state) => blockingRows(state).filter(isMeant).map(nameIn(state)));
  const pending = namesOf(isPending);
  const failed = namesOf((row) => row.status === "failed");
  const parts = [];
  if (states.some(({ choosing }) => choosing)) parts.push(`${action} is held until the chosen files are read.`);
  if (pending.length) {
    const are = pending.length === 1 ? "is" : "are";
    parts.push(
      `${action} is held until ${many(pending.length, "file")} ${are} uploaded: ${listed(pending)}.`,
    );
  }
  if (isWaiting) parts.push("Uploading starts once the preview of the files has no problem.");
  if (failed.length) {
    const start = parts.length ? "" : `${action} is held: `;
    parts.push(
      `${start}${many(failed.length, "file")} failed, to be discarded or replaced: ${listed(failed)}.`,
    );
  }
  return parts.join(" ");
}

/** What files of this widget are called: where there are many entries, they all may have names in common. */
function nameIn({ planner }) {
  return ({ name, path }) => (planner ? path : name);
}

/** Why the files are too few for what the category asks for, or no pair; empty when they are as they should be. */
export function shortfallOf(state, title) {
  const { required, minFiles, pairing } = state.rules;
  if (state.planner) return shortfallOfPlan(state, title);
  const rows = [...state.rows.values()];
  const count = rows.length;
  if (pairing && count === FILES_OF_A_PAIR) return pairNamesProblem(rows.map(({ name }) => name))?.detail ?? "";
  if (count ? count >= (minFiles ?? 1) : !required) return "";
  const wanted = `${title} needs at least ${many(minFiles ?? 1, "file")}`;
  return count ? `${wanted}, and has ${count}.` : `${wanted}.`;
}

/** With a plan numbers are judged entry by entry; what lacks files that it needs is left to say. */
function shortfallOfPlan({ rules, plan }, title) {
  const missing = (rules.required && plan.missing) || [];
  if (!missing.length) return "";
  const have = missing.length === 1 ? "1 entry has" : `${missing.length.toLocaleString("en")} entries have`;
  return `${title} is required, and ${have} no files there: ${listed(missing)}.`;
}
