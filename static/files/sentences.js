/** What the widget says: on the page, to screen readers, and where it holds the form back. No DOM. */

import { blockingRows, isPending, totals } from "./state.js";
import { bytes, duration, listed, many } from "./words.js";

/** The state of one row in words, beside its mark. */
export function stateOf(row) {
  switch (row.status) {
    case "queued":
      return row.note || "Waiting";
    case "uploading":
      if (row.note) return row.note;
      if (row.sentBytes >= row.size) return "Finishing";
      return `Uploading, ${Math.floor((row.sentBytes / row.size) * 100)} %`;
    case "uploaded":
      return row.note ? `Uploaded. ${row.note}` : "Uploaded, verifying";
    case "verified":
      return "Verified";
    default:
      return "Failed";
  }
}

/** The line above the rows; `speed` in bytes a second, or null while it is not known. */
export function summaryOf(state, speed = null) {
  const sum = totals(state);
  if (!sum.files) return "";
  const failed = sum.failed ? `${sum.failed.toLocaleString("en")} failed` : "";
  if (!sum.pending) return joined([doneOf(sum), failed, sum.bytes || sum.ready ? bytes(sum.bytes) : ""]);
  const left = speed ? `${duration((sum.bytes - sum.sentBytes) / speed)} left` : "";
  return joined([
    `${sum.ready.toLocaleString("en")} of ${many(sum.files, "file")} uploaded`,
    failed,
    `${bytes(sum.sentBytes)} of ${bytes(sum.bytes)}`,
    speed ? `${bytes(Math.round(speed))}/s` : "",
    left,
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
  const { leftOut, sameAgain } = state;
  if (leftOut.length) notices.push(`${many(leftOut.length, "hidden file")} left out: ${listed(leftOut)}.`);
  if (sameAgain.length) {
    notices.push(
      `${many(sameAgain.length, "file")} ${sameAgain.length === 1 ? "was" : "were"} here already.`,
    );
  }
  if (!hasGroup && totals(state).queued)
    notices.push("Choose a group: files belong to one, and wait for it.");
  return notices;
}

/** What a screen reader is told: that uploading began, what failed (many as one), that all is done. */
export function announcementOf(before, after) {
  const [was, is] = [totals(before), totals(after)];
  const parts = [];
  if (!was.pending && is.pending) parts.push(`Uploading ${many(is.pending, "file")}.`);
  const failed = [...after.rows.values()].filter(
    (row) => row.status === "failed" && before.rows.get(row.key)?.status !== "failed",
  );
  if (failed.length === 1) parts.push(`${failed[0].name} failed: ${failed[0].problem.detail}`);
  else if (failed.length)
    parts.push(`${many(failed.length, "file")} failed: ${listed(failed.map((row) => row.name))}.`);
  if (was.pending && !is.pending && is.ready) parts.push(`${many(is.ready, "file")} uploaded.`);
  const allVerified = is.files > 0 && is.verified === is.files;
  if (allVerified && was.verified !== was.files)
    parts.push(is.files === 1 ? "Verified." : "All files verified.");
  return parts.join(" ");
}

/** Why the form cannot be submitted yet, over all its widgets; empty when it can. */
export function holdReason(states) {
  const rows = states.flatMap(blockingRows);
  const pending = rows.filter(isPending);
  const failed = rows.filter((row) => row.status === "failed");
  const parts = [];
  if (pending.length) {
    const are = pending.length === 1 ? "is" : "are";
    parts.push(
      `Submit is held until ${many(pending.length, "file")} ${are} uploaded: ${listed(names(pending))}.`,
    );
  }
  if (failed.length) {
    const start = parts.length ? "" : "Submit is held: ";
    parts.push(
      `${start}${many(failed.length, "file")} failed, to be discarded or replaced: ${listed(names(failed))}.`,
    );
  }
  return parts.join(" ");
}

function names(rows) {
  return rows.map((row) => row.name);
}

/** Why the files are too few for what the category asks for; empty when they are enough. */
export function shortfallOf(state, title) {
  const { required, minFiles } = state.rules;
  const count = state.rows.size;
  if (count ? count >= (minFiles ?? 1) : !required) return "";
  const wanted = `${title} needs at least ${many(minFiles ?? 1, "file")}`;
  return count ? `${wanted}, and has ${count}.` : `${wanted}.`;
}
