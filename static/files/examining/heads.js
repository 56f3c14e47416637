/** What the first and last bytes of a file tell. No DOM. */

import { BamCheck, bamTailFault } from "./bam.js";
import { checkFor } from "./checks.js";
import { CramCheck, cramTailFault } from "./cram.js";
import { CheckFailedError } from "./failing.js";
import { loadCrc32, sha256Of } from "./hashing.js";
import { PIECE, readPiece } from "./reading.js";
import { wholeOf } from "./wholes.js";

/** So much text is looked at: hundreds of reads, in a few milliseconds. */
const ENOUGH_TEXT = 256 << 10;
const ENOUGH_BAM = 128 << 10;
/** A file so small is read to its end at once: to read it a second time would cost more. */
const SMALL = 256 << 10;

/**
 * `{fingerprint, head: {problem, firstRead}, whole}` of a file, `problem` as `{code, detail, line?, offset?}` or null.
 * What cannot be told from these bytes for certain is no problem. `whole` is what `examineWhole` would find where the
 * file is small, else null. Rejects with a `NotReadableError`.
 */
export async function examineHead(file, contentCheck) {
  const size = file.size;
  const first = await readPiece(file, 0, Math.min(size, PIECE));
  const last = size > PIECE ? await readPiece(file, size - PIECE, size) : first;
  // SHA-256 over the size in decimal digits, the first MiB and the last MiB, which may overlap.
  const fingerprint = await sha256Of([new TextEncoder().encode(`${size}`), first, last]);
  await loadCrc32();
  const head = await headOf(file, contentCheck, { first, last });
  const whole = size <= SMALL && !head.problem ? await smallWhole(first, contentCheck) : null;
  return { fingerprint, head, whole };
}

async function smallWhole(bytes, contentCheck) {
  const digest = await sha256Of([bytes]);
  return wholeOf([bytes], bytes.length, contentCheck, { update: () => undefined, digest: () => digest });
}

async function headOf(file, contentCheck, { first, last }) {
  const size = file.size;
  const made = checkFor(contentCheck, size);
  if (!made) return { problem: null, firstRead: null };
  const fault = await faultOf(made.check, { file, size, first, last });
  return { problem: fault?.of(contentCheck) ?? null, firstRead: made.names?.first ?? null };
}

async function faultOf(check, { file, size, first, last }) {
  const isWhole = size <= PIECE;
  let stopped = false;
  try {
    const start = check instanceof BamCheck && !isWhole ? first.subarray(0, ENOUGH_BAM) : first;
    check.feed(start, () => (stopped = check.textBytes >= ENOUGH_TEXT));
    if (isWhole && !stopped) check.finish();
    // What is wrong with the packing ends the text, whatever follows.
    else if (check.ended) check.finish();
  } catch (fault) {
    if (!(fault instanceof CheckFailedError)) throw fault;
    return fault;
  }
  if (isWhole) return null;
  if (check instanceof BamCheck) return bamTailFault(last, size);
  if (check instanceof CramCheck)
    return cramTailFault(check, last, size, (from, to) => readPiece(file, from, to));
  return null;
}
