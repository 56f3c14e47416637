/**
 * A Worker that examines files: takes `{id, task, file, contentCheck}` and `{id, task: "abort"}`, answers
 * `{id, answer}` or `{id, error: {name, message}}`.
 */

import { prepareHashing } from "./hashing.js";
import { examineHead } from "./heads.js";
import { examineWhole } from "./wholes.js";

const TASKS = { head: examineHead, whole: examineWhole };
const running = new Map();

async function examine({ id, task, file, contentCheck }) {
  const controller = new AbortController();
  running.set(id, controller);
  try {
    postMessage({ id, answer: await TASKS[task](file, contentCheck, controller.signal) });
  } catch ({ name, message }) {
    postMessage({ id, error: { name, message } });
  }
  running.delete(id);
}

// Where WebAssembly is not to be had, the first file hears of it.
prepareHashing().catch(() => undefined);

addEventListener("message", ({ data }) => {
  if (data.task === "abort") running.get(data.id)?.abort();
  else examine(data);
});
