/** What is said of a try: what may be sent, and what the answer means, in words. No DOM. */

import { bytes, many } from "./words.js";

const WORD_OF_VERDICT = { accepted: "Accepted", refused: "Refused", undecided: "Not judged" };
const MARK_OF_VERDICT = { accepted: "✓", refused: "✗", undecided: "?" };

/** Why these files cannot be sent to be tried, as a sentence; empty if they can. */
export function reasonNotToSend(files, { mostBytes, mostFiles }) {
  if (!files.length) return "Choose a file first, or several of one entry.";
  if (files.length > mostFiles) return `Try ${many(mostFiles, "file")} at a time at most.`;
  const size = files.reduce((sum, file) => sum + file.size, 0);
  if (size <= mostBytes) return "";
  const are = files.length === 1 ? "This file is" : "Together these files are";
  return `${are} too large to try, which takes ${bytes(mostBytes)} at most. Try ${files.length === 1 ? "a smaller one" : "fewer"}.`;
}

/**
 * What an answer `{status, text}` means: `{summary, lines, isTold}`. Each line has `verdict`, `mark`, `word`, `name`
 * and `detail` and `where` (its code, and line or offset), all but verdict and detail empty where there is none.
 */
export function understood({ status, text }) {
  const body = parsed(text);
  if (status === 200 && body?.ruleProblems?.length) return impossible(body.ruleProblems);
  if (status === 200 && body?.findings) return told(body.findings);
  return { summary: failure(status, body), lines: [], isTold: false };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null; // a page, where something else than our view has answered
    throw error;
  }
}

function told(findings) {
  const verdicts = findings.map(({ verdict }) => verdict);
  const lines = findings.map((finding) => ({
    verdict: finding.verdict,
    mark: MARK_OF_VERDICT[finding.verdict],
    word: WORD_OF_VERDICT[finding.verdict],
    name: finding.name ?? "",
    detail: finding.detail,
    where: whereWords(finding),
  }));
  return { summary: summaryOf(verdicts), lines, isTold: true };
}

function summaryOf(verdicts) {
  if (verdicts.includes("refused")) return "Refused: with these rules, an entry with what was chosen is not taken.";
  if (verdicts.includes("undecided")) return "Not judged to the end: nothing wrong was found as far as was looked.";
  return "Accepted: with these rules, an entry with what was chosen is taken.";
}

function whereWords({ code, line, offset }) {
  const parts = [code];
  if (line !== null) parts.push(`line ${line.toLocaleString("en")}`);
  if (offset !== null) parts.push(`byte ${offset.toLocaleString("en")}`);
  return parts.filter(Boolean).join(", ");
}

function impossible(problems) {
  const lines = problems.map(({ label, detail }) => ({
    verdict: "undecided",
    mark: "",
    word: label,
    name: "",
    detail,
    where: "",
  }));
  return { summary: "Not tried: there can be no such rules.", lines, isTold: true };
}

function failure(status, body) {
  if (body?.detail) return body.detail;
  if (status === 0) return "Not tried: the connection broke off. See whether you are online, and try again.";
  if (status === 403) return "Not tried: you are no longer logged in. Log in and open this page anew.";
  if (status === 413) return "Not tried: this is more than the server takes. Try a smaller file.";
  return "Not tried: something went wrong on the server. Try again in a moment.";
}
