import assert from "node:assert/strict";
import { test } from "node:test";

import { gathered } from "../../static/submissions/gathering.js";

const problem = (detail, more = {}) => ({ detail, ...more });
const told = (...details) => gathered(details.map((detail) => problem(detail))).map(({ detail, count }) => [detail, count]);

test("one mistake in a column is told once, with the values of the first row", () => {
  const dates = Array.from({ length: 96 }, (_, n) => `Line ${n + 2}, column “date”: “${n}/03/2025” is no date.`);
  const space = "Line 40: the ID “s 40” has white space.";
  assert.deepEqual(told(...dates.slice(0, 50), space, ...dates.slice(50)), [
    ["Line 2, column “date”: “0/03/2025” is no date. 95 more rows like this, up to line 97.", 96],
    [space, 1],
  ]);
});

test("the same in another column is another mistake", () => {
  const of = (column) => [2, 3, 4].map((line) => `Line ${line}, column “${column}”: “x” is no date.`);
  assert.deepEqual(told(...of("date"), ...of("received")).map(([, count]) => count), [3, 3]);
});

test("few that are alike, and what has no line, stay as they are", () => {
  const two = ["Line 2: “a” is there twice.", "Line 9: “b” is there twice."];
  const none = ["The sequence “a” has no row.", "The sequence “b” has no row.", "The sequence “c” has no row."];
  assert.deepEqual(told(...two, ...none), [...two, ...none].map((detail) => [detail, 1]));
});

test("the first problem stands with all that belongs to it", () => {
  const [first] = gathered([2, 3, 4].map((line) => problem(`Line ${line} is bad.`, { field: "metadataFile", submissionId: `s${line}` })));
  assert.deepEqual([first.field, first.submissionId], ["metadataFile", "s2"]);
});
