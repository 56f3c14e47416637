/** What all bytes of a file tell. No DOM. */

import { checkFor } from "./checks.js";
import { CheckFailedError } from "./failing.js";
import { loadCrc32, sha256 } from "./hashing.js";
import { PIECE, readPiece } from "./reading.js";

/** So much is read at once: each time costs a round through the browser's file process. */
const READ_BYTES = 4 * PIECE;

/**
 * `{sha256, problem}` of a file, `problem` as `{code, detail, line?, offset?}` or null; as soon as there is a problem
 * the rest is not read, and `sha256` is null. Rejects with a `NotReadableError`, or with the signal's reason.
 */
export async function examineWhole(file, contentCheck, signal) {
  return wholeOf(piecesOf(file, signal), file.size, contentCheck, await sha256());
}

/** The same of a file whose `pieces`, bytes in order, may come one by one; `hasher` as of `sha256()`. */
export async function wholeOf(pieces, size, contentCheck, hasher) {
  await loadCrc32();
  const check = checkFor(contentCheck, size)?.check ?? null;
  try {
    for await (const piece of pieces) {
      hasher.update(piece);
      check?.feed(piece, () => false);
    }
    check?.finish();
  } catch (fault) {
    if (!(fault instanceof CheckFailedError)) throw fault;
    return { sha256: null, problem: fault.of(contentCheck) };
  }
  return { sha256: hasher.digest(), problem: null };
}

/** The file in pieces; the next bytes are read while the last are looked at. */
async function* piecesOf(file, signal) {
  const read = (start) => {
    const reading = start < file.size && readPiece(file, start, Math.min(start + READ_BYTES, file.size));
    // Nobody may be left to await it; who does gets the rejection all the same.
    if (reading) reading.catch(() => undefined);
    return reading;
  };
  let next = read(0);
  for (let start = 0; start < file.size; start += READ_BYTES) {
    const bytes = await next;
    signal.throwIfAborted();
    next = read(start + READ_BYTES);
    for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
  }
}
