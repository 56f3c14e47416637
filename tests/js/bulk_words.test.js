import assert from "node:assert/strict";
import { test } from "node:test";

import { plannerOf } from "../../static/files/planning.js";
import { headlineOf, nextStepOf, refusedOf, stillLeftOut, sumsOf, summaryOf } from "../../static/submissions/bulk_words.js";

const IDS = ["s1", "s2", "s3"];

/** The state of a widget with these files of 1,000 bytes, planned by a table with three entries. */
function stateOf(paths, { hold = "", problems = {} } = {}) {
  const rows = IDS.map((submissionId, index) => ({ submissionId, line: index + 2, files: {} }));
  const row = (path) => [path, { key: path, path, size: 1000, problem: problems[path] ?? null }];
  const plan = plannerOf({ rows, category: "rawReads", hold })(paths);
  return { rows: new Map(paths.map(row)), plan };
}

test("the headline counts entries, files and bytes that are linked, and no others", () => {
  const sum = sumsOf(stateOf(["s1/a", "s1/b", "s2/a", "other/x"]), 3);
  assert.equal(headlineOf(sum, "Raw reads"), "2 of 3 entries have Raw reads · 3 files · 3.0 kB");
  assert.equal(headlineOf({ ...sum, entries: 1, entriesWithFiles: 1 }, "X").split(" ·")[0], "1 of 1 entry has X");
});

test("one line sums up all categories that have files", () => {
  const [reads, notes, none] = [["s1/a", "s2/a"], ["s1/n"], []].map((paths) => sumsOf(stateOf(paths), 3));
  const sums = [["Empty", none], ["Raw reads", reads], ["Notes", notes]];
  assert.equal(summaryOf(sums), "2 of 3 entries have Raw reads · 1 have Notes · 3 files · 3.0 kB");
  assert.equal(summaryOf([["Empty", none]]), "");
});

test("refused files are those whose folders are well", () => {
  const own = { code: "file_name_invalid", detail: "No.", own: true };
  const problems = { "s1/a": own, "other/x": own, "s2/a": { ...own, own: false } };
  const refused = refusedOf(stateOf(["s1/a", "other/x", "s2/a"], { problems }));
  assert.deepEqual(refused, [{ key: "s1/a", path: "s1/a", detail: "No." }]);
});

test("what comes next is said in one sentence", () => {
  assert.equal(nextStepOf(stateOf(["s1/a"], { hold: "Wait." }), []), "Wait.");
  assert.match(nextStepOf(stateOf(["s1/a"]), []), /uploading goes by itself/);
  const sent = stateOf(["s1/a"]);
  sent.rows.get("s1/a").status = "uploaded";
  assert.equal(nextStepOf(sent, []), "Everything is uploaded.");
  sent.rows.get("s1/a").status = "failed";
  assert.equal(
    nextStepOf({ ...sent }, []),
    "1 file failed: discard it, or choose a file of the same name in its place.",
  );
  assert.match(nextStepOf(stateOf(["s1/a"]), [{}]), /Nothing is uploaded yet/);
  assert.match(nextStepOf(stateOf(["other/a"]), []), /Nothing is uploaded yet/);
  const begun = stateOf(["s1/a", "other/a"]);
  begun.rows.get("s1/a").fileId = "f";
  assert.match(nextStepOf(begun, []), /^No further file is sent for now\. Mend/);
  assert.equal(nextStepOf(stateOf([]), []), "");
});

test("what was left out is told until it is chosen again", () => {
  const { folders } = stateOf(["other/a", "more/b", "loose"]).plan;
  assert.deepEqual(stillLeftOut(folders, stateOf(["s1/a"]).plan), folders);
  const left = stillLeftOut(folders, stateOf(["s1/a", "other/b", "more/b"]).plan);
  assert.deepEqual(left.map(({ folder }) => folder), [""]);
});
