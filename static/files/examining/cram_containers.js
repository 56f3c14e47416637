/** Containers and blocks of CRAM (specification, 2.1 to 3.1), as files/content/cram.py reads them. No DOM. */

import { CheckFailedError, counted } from "./failing.js";
import { Crc32 } from "./hashing.js";

// For each version the highest number of a compression method.
const METHODS = { "2.1": 2, "3.0": 4, "3.1": 8 };
const RAW = 0;
const [FILE_HEADER, COMPRESSION_HEADER, SLICE_HEADER, EXTERNAL_DATA, CORE_DATA] = [0, 1, 2, 4, 5];
const CONTENT_TYPES = [FILE_HEADER, COMPRESSION_HEADER, SLICE_HEADER, EXTERNAL_DATA, CORE_DATA];
const MAX_SLICES = 10_000;
export const AGAIN = "compare it with the original and upload that, or write the file again.";

/** Whether files of this version, such as "3.0", are taken. */
export function isSupported(version) {
  return Object.hasOwn(METHODS, version);
}

/** Reads the numbers of one header and keeps their checksum; `start` is its offset. */
class Header {
  constructor(source) {
    this.start = source.position;
    this.crc = new Crc32();
    this.source = source;
  }

  *some(number) {
    const data = yield* this.source.take(number);
    if (data.length < number) throw truncated(this.source);
    this.crc.add(data);
    return data;
  }

  *int32() {
    const [a, b, c, d] = yield* this.some(4);
    return a | (b << 8) | (c << 16) | (d << 24);
  }

  /** A number of 32 bits in one to five bytes: ones at the start of the first tell how many follow it. */
  *itf8() {
    const [first] = yield* this.some(1);
    if (first >= 0xf0) {
      const [a, b, c, d] = yield* this.some(4);
      return ((first & 0x0f) << 28) | (a << 20) | (b << 12) | (c << 4) | (d & 0x0f);
    }
    const following = (first >= 0x80) + (first >= 0xc0) + (first >= 0xe0);
    const data = yield* this.some(following);
    return data.reduce((number, byte) => (number << 8) | byte, first & (0x7f >> following));
  }

  /** Passes over a number of 64 bits in one to nine bytes, written in the same way. */
  *passLtf8() {
    const [first] = yield* this.some(1);
    yield* this.some(Math.clz32(first ^ 0xff) - 24);
  }
}

/**
 * The header of a container, as `{isFirst, start, dataStart, end, blocks, slices}`: places from the start of the
 * file, `slices` those, from `dataStart`, where slices should begin. Throws a `CheckFailedError`.
 */
export function* readContainerHeader(source, version, isFirst) {
  const header = new Header(source);
  const length = yield* header.int32();
  // The reference, where on it the records begin, and how far they reach.
  for (let number = 0; number < 3; number += 1) yield* header.itf8();
  const records = yield* header.itf8();
  if (version === "2.1") yield* header.itf8();
  else yield* header.passLtf8();
  yield* header.passLtf8();
  const blocks = yield* header.itf8();
  const slices = yield* readSlices(header);
  const what = `the header of the container that begins at byte ${counted(header.start)}`;
  yield* checkCrc(source, version, header.crc, what);
  if (records < 0 || !(blocks > 0 && blocks <= length)) {
    const told = `${counted(blocks)} blocks in ${counted(length)} bytes, and ${counted(records)} records`;
    throw containerInvalid(header.start, `tells ${told}, which cannot be`);
  }
  const dataStart = source.position;
  return { isFirst, start: header.start, dataStart, end: dataStart + length, blocks, slices };
}

function* readSlices(header) {
  const number = yield* header.itf8();
  if (number < 0 || number > MAX_SLICES)
    throw containerInvalid(header.start, `tells ${counted(number)} slices, which cannot be`);
  const slices = new Set();
  for (let index = 0; index < number; index += 1) slices.add(yield* header.itf8());
  return slices;
}

/**
 * One container with all its blocks. Of the first one the length is not held against the blocks: there may be room
 * behind them, and samtools writes a length 2 bytes too small in version 2.1.
 */
export function* readContainer(source, version, isFirst) {
  const container = yield* readContainerHeader(source, version, isFirst);
  for (let index = 0; index < container.blocks; index += 1) {
    const firstKind = isFirst ? FILE_HEADER : COMPRESSION_HEADER;
    yield* readBlock(source, version, container, index ? null : firstKind);
  }
  if (container.slices.size && !isFirst)
    throw containerInvalid(container.start, "has no slice where it says that one begins");
  const left = container.end - source.position;
  if (left > 0 && !isFirst)
    throw containerInvalid(container.start, `has ${counted(left)} bytes behind its last block`);
  if (!(yield* source.passOver(Math.max(left, 0)))) throw truncated(source);
}

function* readBlock(source, version, container, kind) {
  const header = new Header(source);
  const [method, type] = yield* header.some(2);
  yield* header.itf8();
  const size = yield* header.itf8();
  const rawSize = yield* header.itf8();
  const invalid = (what) => blockInvalid(header.start, what);
  if (method > METHODS[version] || !CONTENT_TYPES.includes(type))
    throw invalid(`has method ${method} and content type ${type}, unknown ones`);
  if (kind !== null && type !== kind) throw invalid(`has content type ${type} where there has to be ${kind}`);
  if (Math.min(size, rawSize) < 0 || (method === RAW && size !== rawSize))
    throw invalid(`tells ${counted(size)} bytes, and ${counted(rawSize)} unpacked, which cannot be`);
  const checksumBytes = hasChecksums(version) ? 4 : 0;
  if (source.position + size + checksumBytes > container.end && !container.isFirst)
    throw invalid("goes on behind the end of its container");
  if (type === SLICE_HEADER) container.slices.delete(header.start - container.dataStart);
  const look = hasChecksums(version) ? (piece) => header.crc.add(piece) : null;
  if (!(yield* source.passOver(size, look))) throw truncated(source);
  yield* checkCrc(source, version, header.crc, `the block that begins at byte ${counted(header.start)}`);
}

/** Compares with the checksum that stands here, if this version has any. */
function* checkCrc(source, version, crc, what) {
  if (!hasChecksums(version)) return;
  const offset = source.position;
  const stored = yield* source.take(4);
  if (stored.length < 4) throw truncated(source);
  if (new DataView(stored.buffer, stored.byteOffset, 4).getUint32(0, true) === crc.value) return;
  const detail = `The file is damaged: ${what} differs from its checksum; ${AGAIN}`;
  throw new CheckFailedError("crc_mismatch", detail, { offset });
}

function hasChecksums(version) {
  return version !== "2.1";
}

/** The file ends within a container, where the source stands. */
export function truncated(source) {
  const end = `it ends after ${counted(source.position)} bytes, within a container`;
  const detail =
    `The file is cut short: ${end}. Compare its size with the original's ` + "and upload the whole file.";
  return new CheckFailedError("truncated", detail, { offset: source.position });
}

function containerInvalid(start, what) {
  const detail = `The file is damaged: the container that begins at byte ${counted(start)} ${what}; ${AGAIN}`;
  return new CheckFailedError("container_invalid", detail, { offset: start });
}

function blockInvalid(start, what) {
  const detail = `The file is damaged: the block that begins at byte ${counted(start)} ${what}; ${AGAIN}`;
  return new CheckFailedError("block_invalid", detail, { offset: start });
}
