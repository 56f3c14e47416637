/**
 * What the browser's checks say of files, for tests/files/test_prechecks.py: `{files: [{path, name, check}], pairs:
 * [[number, number]]}` as JSON on stdin, `{files: [{head, whole}], pairs}` on stdout, each of them a problem or null.
 */

import { openAsBlob } from "node:fs";
import { text } from "node:stream/consumers";

import { examineHead } from "../../static/files/examining/heads.js";
import { examineWhole } from "../../static/files/examining/wholes.js";
import { pairNamesProblem, pairReadsProblem } from "../../static/files/pairs.js";

const { signal } = new AbortController();

async function examined({ path, name, check }) {
  const file = await openAsBlob(path);
  const { head } = await examineHead(file, check);
  const { problem } = await examineWhole(file, check, signal);
  return { name, firstRead: head.firstRead, head: head.problem, whole: problem };
}

const { files, pairs } = JSON.parse(await text(process.stdin));
const verdicts = [];
for (const file of files) verdicts.push(await examined(file));
const ofPairs = pairs.map(([first, second]) => {
  const [one, other] = [verdicts[first], verdicts[second]];
  return pairNamesProblem([one.name, other.name]) ?? pairReadsProblem(one, other);
});
process.stdout.write(JSON.stringify({ files: verdicts, pairs: ofPairs }));
