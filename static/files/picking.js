/** Files that a person chose or dropped, as `[{file, path}]`; the path is relative to what was chosen. */

import { naturalKey } from "./words.js";

const LONGEST_TASK_MS = 30;

/** The files of an input; those of a folder know their place in it. */
export function filesOfInput(input) {
  return Array.from(input.files, (file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/**
 * The files as items of the action `added` in `state.js`, each with the key that `keyOf(file)` gives it, in the order in
 * which people look for them. The browser asks the disk for size and time of each file, and the page stands still
 * meanwhile: so it gets a breath first, and in between.
 */
export async function itemsOf(picked, keyOf) {
  const items = [];
  await breath();
  let since = performance.now();
  for (const { file, path } of inOrder(picked)) {
    items.push({ key: keyOf(file), path, size: file.size, modified: file.lastModified });
    if (performance.now() - since < LONGEST_TASK_MS) continue;
    await breath();
    since = performance.now();
  }
  return items;
}

const breath = () => new Promise((resolve) => setTimeout(resolve));

/** Folders come in the order of the disk. */
function inOrder(picked) {
  const keyed = picked.map((one) => ({ one, key: naturalKey(one.path) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
  return keyed.map(({ one }) => one);
}

/** Makes `element` take drops of files and folders; `onDrop` gets the promise of `filesOfDrop`, at once. */
export function listenToDrops(element, onDrop) {
  const mark = (isOver) => element.classList.toggle("is-over", isOver);
  element.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    mark(true);
  });
  element.addEventListener("dragleave", (event) => {
    if (!element.contains(event.relatedTarget)) mark(false);
  });
  element.addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(false);
    onDrop(filesOfDrop(event.dataTransfer));
  });
}

/** Stops the browser from leaving the page, and all uploads, for a file that is dropped beside a widget. */
export function keepPageOnStrayDrops() {
  for (const type of ["dragover", "drop"]) {
    addEventListener(type, (event) => {
      if (event.defaultPrevented || !carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "none";
    });
  }
}

/** Whether a drag carries files, and not text or a link. */
function carriesFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/**
 * The files of a drop, folders walked through: `{picked, unreadable}`; the latter are paths.
 * Has to be called in the drop's own event handler: the browser empties the transfer afterwards.
 */
async function filesOfDrop(dataTransfer) {
  const entries = Array.from(dataTransfer.items, (item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = entries.length ? [] : Array.from(dataTransfer.files, (file) => ({ file, path: file.name }));
  const found = { picked: loose, unreadable: [] };
  for (const entry of entries) await walk(entry, found);
  return found;
}

async function walk(entry, found) {
  const path = entry.fullPath.replace(/^\//, "");
  try {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      found.picked.push({ file, path });
    } else {
      for (const child of await childrenOf(entry)) await walk(child, found);
    }
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    found.unreadable.push(path);
  }
}

/** All entries of a folder; the browser hands out at most 100 at a time, and an empty list at the end. */
async function childrenOf(folder) {
  const reader = folder.createReader();
  const children = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return children;
    children.push(...some);
  }
}
