/** Drops on the bulk page: table, sequences and folders may come all at once, on any part of the form. */

import { documentOf } from "./documents.js";

const FOLDERS = "Folders go to the box of their category: drop them there.";
const UNKNOWN = "What was dropped could be the table, the sequences or anything else: drop it on its own field.";

/**
 * Takes documents out of drops on the form, into their inputs; folders are left to the box that they fall on, and
 * those that fall beside one go to the only box there is. `onTaken` gets the names of documents that fell on a box
 * together with folders, and will come up among its files; `onStray` gets a sentence about what was not taken.
 */
export function listenToDrops(form, documents, { onTaken, onStray }) {
  const boxes = form.querySelectorAll("[data-extra-files]");
  const panel = form.querySelector("[data-documents]");
  const mark = (isOver) => panel.classList.toggle("is-over", isOver);
  form.addEventListener("dragover", (event) => {
    if (!carriesFiles(event) || boxOf(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    mark(true);
  });
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) mark(false);
  });
  // In the capturing phase, before the box reads the same drop.
  form.addEventListener("drop", (event) => {
    if (!event.isTrusted || !carriesFiles(event)) return;
    mark(false);
    const { files, hasFolders } = contentOf(event.dataTransfer);
    const field = event.target.closest("[data-document]")?.dataset.document;
    const box = boxOf(event);
    const known = files.filter((file) => documentOf(file.name));
    if (box && !hasFolders && known.length < files.length) return; // which the box refuses in its own words
    if (box) onTaken(box, known.map((file) => file.name));
    else event.preventDefault();
    if (field && files.length === 1 && !hasFolders) documents.take(field, files[0]);
    else for (const file of known) documents.take(documentOf(file.name), file);
    if (hasFolders && !box) hand(event.dataTransfer, boxes, { onTaken, onStray, known });
    else if (!box && !field && known.length < files.length) onStray(UNKNOWN);
  }, { capture: true });
}

/** Hands a drop on to the only box; the browser lets it be read until this event has been dealt with. */
function hand(dataTransfer, boxes, { onTaken, onStray, known }) {
  if (boxes.length !== 1) return onStray(FOLDERS);
  onTaken(boxes[0], known.map((file) => file.name));
  const again = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  boxes[0].dispatchEvent(again);
}

const boxOf = (event) => event.target.closest("[data-extra-files]");
const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") ?? false;

function contentOf(dataTransfer) {
  const entries = Array.from(dataTransfer.items, (item) => [item.webkitGetAsEntry?.(), item.getAsFile()]);
  const files = entries.filter(([entry, file]) => file && !entry?.isDirectory).map(([, file]) => file);
  return { files, hasFolders: entries.some(([entry]) => entry?.isDirectory) };
}
