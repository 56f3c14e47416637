/** What is said of a try in the administration. */

import assert from "node:assert/strict";
import test from "node:test";

import { reasonNotToSend, understood } from "../../static/files/trying.js";

const LIMITS = { mostBytes: 1000, mostFiles: 2 };
const NOWHERE = { name: null, code: "", line: null, offset: null };

function answer(body, status = 200) {
  return understood({ status, text: JSON.stringify({ ruleProblems: [], findings: [], ...body }) });
}

test("files are sent if there are any, not too many, not too large together", () => {
  assert.equal(reasonNotToSend([{ size: 400 }, { size: 600 }], LIMITS), "");
  assert.match(reasonNotToSend([], LIMITS), /Choose a file first/);
  assert.match(reasonNotToSend([{ size: 1 }, { size: 1 }, { size: 1 }], LIMITS), /Try 2 files at a time at most/);
  assert.match(reasonNotToSend([{ size: 1001 }], LIMITS), /This file is too large to try, .* 1\.0 kB .* a smaller one/);
  assert.match(reasonNotToSend([{ size: 600 }, { size: 401 }], LIMITS), /Together these files are too large .* fewer/);
});

test("a finding has its mark, its word and where it is", () => {
  const refused = { verdict: "refused", name: "a.fq", detail: "Bad.", code: "fastq_header", line: 1234, offset: 0 };

  const { summary, lines, isTold } = answer({ findings: [refused] });

  assert.match(summary, /^Refused/);
  assert.deepEqual(lines, [
    {
      verdict: "refused",
      mark: "✗",
      word: "Refused",
      name: "a.fq",
      detail: "Bad.",
      where: "fastq_header, line 1,234, byte 0",
    },
  ]);
  assert.equal(isTold, true);
});

test("the summary is that of the worst finding", () => {
  const summaryOf = (...verdicts) =>
    answer({ findings: verdicts.map((verdict) => ({ ...NOWHERE, verdict, detail: "" })) }).summary;

  assert.match(summaryOf("accepted", "accepted"), /^Accepted/);
  assert.match(summaryOf("accepted", "undecided"), /^Not judged/);
  assert.match(summaryOf("undecided", "refused", "accepted"), /^Refused/);
});

test("rules that cannot be are told with their fields", () => {
  const { summary, lines } = answer({ ruleProblems: [{ label: "Most files", detail: "Too few." }] });

  assert.match(summary, /there can be no such rules/);
  assert.deepEqual(
    lines.map(({ word, detail }) => [word, detail]),
    [["Most files", "Too few."]],
  );
});

test("what went wrong on the way is told in words, the server's where it has some", () => {
  const summary = (status, text) => understood({ status, text }).summary;

  assert.match(summary(0, ""), /connection broke off/);
  assert.match(summary(403, "<html>"), /no longer logged in/);
  assert.match(summary(413, ""), /more than the server takes/);
  assert.match(summary(500, "<html>"), /went wrong on the server/);
  assert.match(summary(200, "<html>"), /went wrong on the server/);
  assert.equal(summary(413, '{"detail": "Try less."}'), "Try less.");
});
