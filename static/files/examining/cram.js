/** The CRAM check: every container and block, from the file definition to the end (files/content/cram.py). No DOM. */

import { alike } from "./bgzf.js";
import { BinaryCheck, Source, readNow } from "./binary.js";
import { AGAIN, isSupported, readContainer, readContainerHeader, truncated } from "./cram_containers.js";
import { CheckFailedError, counted, mayBecome, startsWith } from "./failing.js";
import { LONGEST_MARK, looksLike } from "./kinds.js";

const MAGIC = "CRAM";
const DEFINITION = 26;
/** The container that marks the end of a file, by major version. */
const ENDS = {
  2: bytesOf("0b000000ffffffff0fe0454f460000000001000001000606010001000100"),
  3: bytesOf("0f000000ffffffff0fe0454f4600000000010005bdd94f0001000606010001000100ee63014b"),
};
/** Headers of containers are shorter, having at most 10,000 slices. */
const HEADER_BYTES = 64 << 10;
/** Of containers that are passed over in search of the end; a file has one for some megabytes. */
const MOST_STEPS = 50_000;

function bytesOf(digits) {
  return Uint8Array.from(digits.match(/../g), (two) => Number.parseInt(two, 16));
}

export class CramCheck extends BinaryCheck {
  constructor() {
    super();
    this.version = null;
    /** Where the container behind the last whole one begins; null before the first is read. */
    this.next = null;
  }

  *read() {
    this.version = yield* readDefinition(this.source);
    let isFirst = true;
    while (isFirst || !(yield* readEnd(this.source, this.version))) {
      if (!(yield* this.source.peek(1)).length) throw endMissing(this.source.position);
      yield* readContainer(this.source, this.version, isFirst);
      this.next = this.source.position;
      isFirst = false;
    }
  }
}

/** The first 26 bytes: magic, version, and an ID that may be anything. */
function* readDefinition(source) {
  const start = yield* source.peek(LONGEST_MARK);
  if (!start.length) {
    const detail = "The file is empty: upload the original, and look whether there was room on the disk.";
    throw new CheckFailedError("empty", detail, { offset: 0 });
  }
  if (!mayBecome(start.subarray(0, MAGIC.length), MAGIC)) {
    const detail = `The file is not in CRAM format. ${looksLike(start)}Upload a CRAM file.`;
    throw new CheckFailedError("not_cram", detail, { offset: 0 });
  }
  const definition = yield* source.take(DEFINITION);
  if (definition.length < DEFINITION) throw truncated(source);
  const version = `${definition[4]}.${definition[5]}`;
  if (isSupported(version)) return version;
  const detail =
    `The file is of CRAM version ${version}: upload version 2.1, 3.0 or 3.1, as samtools view writes ` +
    "with --output-fmt cram,version=3.0.";
  throw new CheckFailedError("version_unsupported", detail, { offset: MAGIC.length });
}

/** Whether the end container stands here, with nothing behind it; false if there is another container. */
function* readEnd(source, version) {
  const marker = ENDS[version[0]];
  const start = yield* source.peek(marker.length);
  if (!start.length) throw endMissing(source.position);
  if (!alike(start, marker)) return false;
  yield* source.take(marker.length);
  const following = yield* source.peek(LONGEST_MARK);
  if (following.length) throw trailing(source.position, following);
  return true;
}

function endMissing(end) {
  const detail =
    `The file ends after ${counted(end)} bytes without the container that marks the end: it is cut short, or the ` +
    "program that wrote it was. Compare its size with the original's, or write it again.";
  return new CheckFailedError("eof_missing", detail, { offset: end });
}

function trailing(end, following) {
  const what = startsWith(following, MAGIC)
    ? "a second CRAM file follows: join CRAM files with samtools cat or samtools merge."
    : `other bytes follow: ${AGAIN}`;
  return new CheckFailedError("trailing_bytes", `The file ends at byte ${counted(end)}, but ${what}`, { offset: end });
}

/**
 * What is wrong with the end of a CRAM file, as an error, or null. Its `tail` has to end in the container that marks
 * the end; where it does not, the headers of the containers, from `check.next` on, lead to the reason. `readAt(start,
 * end)` promises bytes of the file.
 */
export async function cramTailFault(check, tail, size, readAt) {
  const marker = check.version && ENDS[check.version[0]];
  if (!marker || check.next === null || alike(tail.subarray(-marker.length), marker)) return null;
  let at = check.next;
  for (let steps = 0; steps < MOST_STEPS && at <= size; steps += 1) {
    const source = new Source(at);
    source.add(await readAt(at, Math.min(at + HEADER_BYTES, size)));
    source.ended = true;
    try {
      // It throws where the end is, whether missing or followed by something.
      readNow(readEnd(source, check.version));
      at = readNow(readContainerHeader(source, check.version, false)).end;
    } catch (fault) {
      if (!(fault instanceof CheckFailedError)) throw fault;
      return fault;
    }
  }
  if (at <= size) return null;
  const end = new Source(size);
  return truncated(end);
}
