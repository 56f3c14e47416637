import assert from "node:assert/strict";
import { test } from "node:test";

import { discardQuestion, settledClashes } from "../../static/files/questions.js";
import { initialState, reduce } from "../../static/files/state.js";

const file = (key, path, size, modified) => ({ key, path, size, modified });
const here = reduce(initialState(), {
  type: "added",
  items: [file("a", "run/reads_1.fq", 12e6, 1), file("b", "run/reads_2.fq", 5e6, 1)],
});

/** Questions that are answered with `answer` and noted in `asked`. */
const answering = (answer, asked = []) => ({ ask: async (question) => (asked.push(question), answer) });

test("files with new names are added without a question", async () => {
  const items = [file("c", "c.fq", 1, 1)];
  assert.deepEqual(await settledClashes(here, items, answering(true)), { type: "added", items });
});

test("a file whose name is here takes its place when that is confirmed, and stays out when it is not", async () => {
  const asked = [];
  const items = [file("new", "other/reads_1.fq", 13e6, 2), file("c", "c.fq", 1, 1)];
  const replaced = await settledClashes(here, items, answering(true, asked));
  assert.deepEqual(replaced, { type: "added", items, replacing: ["a"] });
  assert.deepEqual(await settledClashes(here, items, answering(false)), { type: "added", items: [items[1]] });
  const [{ title, items: lines }] = asked;
  assert.equal(title, "Replace reads_1.fq?");
  assert.deepEqual(lines, ["reads_1.fq, 12.0 MB here, 13.0 MB chosen now"]);
});

test("several files are one question, and those of the same size say which is later", async () => {
  const asked = [];
  const items = [file("1", "reads_1.fq", 12e6, 2), file("2", "run/reads_2.fq", 5e6, 0.5)];
  await settledClashes(here, items, answering(true, asked));
  assert.equal(asked.length, 1);
  assert.equal(asked[0].title, "Replace 2 files?");
  assert.deepEqual(asked[0].items, [
    "reads_1.fq, 12.0 MB here, 12.0 MB chosen now, changed later",
    "reads_2.fq, 5.0 MB here, 5.0 MB chosen now, changed earlier",
  ]);
});

test("discarding all says how many, and that other categories stay", () => {
  const { title, text, confirm } = discardQuestion(1200, "Raw reads");
  assert.deepEqual([title, confirm], ["Discard 1,200 files?", "Discard 1,200 files"]);
  assert.match(text, /“Raw reads”.*other categories stay/);
});
