import assert from "node:assert/strict";
import { test } from "node:test";

import { plannerOf } from "../../static/files/planning.js";

const ID = "0b6e4f0e-0000-4000-8000-000000000000";

/** Rows of a table: submission IDs, or pairs of one and its cell in `files.rawReads`. */
function rowsOf(...ids) {
  return ids.map((id, index) => {
    const [submissionId, cell] = [id].flat();
    return { submissionId, line: index + 2, files: cell ? { rawReads: cell } : {} };
  });
}

function planOf(ids, paths, { rules = {}, hold = "" } = {}) {
  return plannerOf({ rows: rowsOf(...ids), category: "rawReads", rules, hold })(paths);
}

/** Each path with its entry, or with the code of its problem. */
const places = (plan) =>
  Object.fromEntries([...plan.places].map(([path, { entry, problem }]) => [path, problem?.code ?? entry]));
const details = (plan) => plan.folders.filter(({ problem }) => problem).map(({ problem }) => problem.detail);

test("while there is no table nothing is judged and nothing is complete", () => {
  const plan = plannerOf({ hold: "Choose the table." })(["run/s1/a"]);
  assert.equal(plan.isComplete, false);
  assert.equal(plan.hold, "Choose the table.");
  assert.deepEqual(places(plan), { "run/s1/a": null });
});

test("subfolders named like submission IDs go to their entries, deeper folders too", () => {
  const plan = planOf(["s1", "s2"], ["run/s1/a_1", "run/s1/lane 2/a_2", "run/s2/b"]);
  assert.deepEqual(places(plan), { "run/s1/a_1": "s1", "run/s1/lane 2/a_2": "s1", "run/s2/b": "s2" });
  assert.deepEqual(plan.folders, [
    { folder: "s1", entry: "s1", files: 2, problem: null },
    { folder: "s2", entry: "s2", files: 1, problem: null },
  ]);
  assert.deepEqual([plan.isComplete, plan.missing, plan.unmatched, plan.short], [true, [], [], []]);
});

for (const [name, ids, paths, expected] of [
  ["side by side", ["s1", "s2"], ["s1/a", "s2/b"], ["s1", "s2"]],
  ["one alone, with deeper folders", ["s1"], ["s1/x/a", "s1/y/b"], ["s1", "s1"]],
  ["in a folder that is named like an ID too", ["run", "s1"], ["run/s1/a", "run/s1/b"], ["s1", "s1"]],
  ["in a folder in a folder, as archives unpack", ["s1", "s2"], ["run/run/s1/a", "run/run/s2/b"], ["s1", "s2"]],
  ["in two folders chosen one after another", ["s1", "s2"], ["run1/s1/a", "run2/s2/b"], ["s1", "s2"]],
  ["in two folders for one ID", ["s1"], ["run1/s1/a", "run2/s1/b"], ["s1", "s1"]],
  ["beside a folder around others", ["s1", "s2"], ["s1/a", "run/s2/b"], ["s1", "s2"]],
  ["with a nested folder named like another ID", ["s1", "s2"], ["run/s1/s2/a", "run/s2/b"], ["s1", "s2"]],
]) {
  test(`entries' folders ${name}`, () => {
    const plan = planOf(ids, paths);
    assert.deepEqual([...plan.places.values()].map(({ entry }) => entry), expected);
    assert.equal(plan.isComplete, true);
  });
}

test("names are compared after NFC and not folded otherwise", () => {
  const [whole, apart] = ["Z\u00fcrich", "Zu\u0308rich"];
  const plan = planOf([whole, "Sample1"], [`run/${apart}/a`, "run/sample 1/b", "run/x/c"]);
  assert.deepEqual(places(plan), {
    [`run/${apart}/a`]: whole,
    "run/sample 1/b": "submission_id_unknown",
    "run/x/c": "submission_id_unknown",
  });
  assert.deepEqual(details(plan), [
    "No row of the table has the ID “sample 1”. Did you mean “Sample1”? Rename the folder, add the row, or leave it out.",
    "No row of the table has the ID “x”. Rename the folder, add the row, or leave it out.",
  ]);
  assert.deepEqual(plan.missing, ["Sample1"]);
  assert.equal(plan.isComplete, false);
});

test("an only folder that matches nothing is told under its own name", () => {
  assert.deepEqual(details(planOf(["s1"], ["run/typo/a"])).length, 1);
  assert.match(details(planOf(["s1"], ["run/typo/a"]))[0], /“typo”/);
  assert.match(details(planOf(["s1"], ["S1/a"]))[0], /“S1”. Did you mean “s1”\?/);
});

test("files outside of any subfolder are refused", () => {
  const plan = planOf(["s1"], ["run/s1/a", "run/notes.txt"]);
  assert.equal(places(plan)["run/notes.txt"], "submission_id_unknown");
  assert.deepEqual(plan.folders.map(({ folder, files }) => [folder, files]), [["", 1], ["s1", 1]]);
  assert.equal(plan.isComplete, false);
});

test("an ID without a folder is told, and is a problem only where files are required", () => {
  const paths = ["run/s1/a"];
  assert.deepEqual(planOf(["s1", "s2"], paths).missing, ["s2"]);
  assert.equal(planOf(["s1", "s2"], paths).isComplete, true);
  assert.equal(planOf(["s1", "s2"], paths, { rules: { required: true } }).isComplete, false);
});

test("too few files for an entry hold the plan", () => {
  const plan = planOf(["s1", "s2"], ["s1/a", "s2/a", "s2/b"], { rules: { minFiles: 2 } });
  assert.deepEqual(plan.short, [{ entry: "s1", files: 1, detail: "“s1” has 1 file; it needs at least 2." }]);
  assert.equal(plan.isComplete, false);
  const pairs = planOf(["s1"], ["s1/a"], { rules: { minFiles: 1, pairing: true } });
  assert.match(pairs.short[0].detail, /needs two, read 1 and read 2 of a pair/);
});

test("a hold keeps a plan from being complete, and the plan is there all the same", () => {
  const plan = planOf(["s1"], ["s1/a"], { hold: "The table has problems." });
  assert.equal(plan.isComplete, false);
  assert.deepEqual(places(plan), { "s1/a": "s1" });
});

test("cells of the column link folders, nested ones and files, by paths below the chosen folder", () => {
  const ids = [["a/b", "plate1/A01"], ["x:y", "plate1/A02 extra/z.gz"], ["r", "run/plate1/A03/"], ["s1"]];
  const plan = planOf(ids, [
    "run/plate1/A01/1.gz",
    "run/plate1/A02/2.gz",
    "run/extra/z.gz",
    "run/plate1/A03/deep/3.gz",
    "run/s1/4.gz",
  ]);
  assert.deepEqual(Object.values(places(plan)), ["a/b", "x:y", "x:y", "r", "s1"]);
  assert.deepEqual([plan.unmatched, plan.isComplete], [[], true]);
});

test("a cell may name one folder with spaces, and backslashes", () => {
  const plan = planOf([["s1", "Sample 1"], ["s2", ".\\deep\\Sample2"]], ["run/Sample 1/a", "run/deep/Sample2/b"]);
  assert.deepEqual(Object.values(places(plan)), ["s1", "s2"]);
});

test("a cell wins over the name of a folder", () => {
  const plan = planOf([["s1", "other"], "other"], ["run/s1/a", "run/other/b"]);
  assert.deepEqual(places(plan), { "run/s1/a": "submission_id_unknown", "run/other/b": "s1" });
  assert.match(details(plan)[0], /files\.rawReads gives “s1” other files: other\./);
  assert.deepEqual(plan.missing, ["other"]);
});

test("what a cell names and was not chosen holds the plan, whether anything was chosen or not", () => {
  for (const paths of [[], ["run/s1/a"]]) {
    const plan = planOf([["s1", "s1 gone"]], paths);
    assert.equal(plan.isComplete, false);
    assert.deepEqual(plan.unmatched.at(-1), {
      submissionId: "s1",
      token: "gone",
      detail: "The column files.rawReads names “gone” for “s1”, and no such folder or file was chosen.",
    });
  }
});

test("a file that two cells name is refused, one that a cell names twice is not", () => {
  const shared = planOf([["s1", "both"], ["s2", "both/a"]], ["run/both/a", "run/both/b"]);
  assert.deepEqual(places(shared), { "run/both/a": "file_mapping_invalid", "run/both/b": "s1" });
  assert.equal(planOf([["s1", "both both/a"]], ["run/both/a"]).isComplete, true);
});

test("file IDs in the column are the other way of naming files, and then no folder can be chosen", () => {
  const ids = [["s1", `a.gz:${ID} b.gz:${ID}`], ["s2"]];
  assert.equal(planOf(ids, []).isComplete, true);
  const plan = planOf(ids, ["run/s2/b"]);
  assert.equal(plan.isComplete, false);
  assert.equal(places(plan)["run/s2/b"], "file_mapping_invalid");
});

test("a thousand entries with five thousand files are planned in the blink of an eye", () => {
  const ids = Array.from({ length: 1000 }, (_, number) => (number % 2 ? [`s${number}`, `s${number}`] : `s${number}`));
  const paths = ids.flatMap((id) => [1, 2, 3, 4, 5].map((file) => `run/${[id].flat()[0]}/${file}.gz`));
  const planner = plannerOf({ rows: rowsOf(...ids), category: "rawReads" });
  const start = performance.now();
  const plan = planner(paths);
  assert.ok(performance.now() - start < 500);
  assert.equal(plan.folders.length, 1000);
  assert.equal(plan.isComplete, true);
});
