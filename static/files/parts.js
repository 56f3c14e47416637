/** Into which parts a file goes. No DOM. */

import { PUTS_AT_ONCE } from "./puts.js";

const MIB = 1024 * 1024;
/** Below, one PUT; from here on several connections at once pay. */
export const MULTIPART_FROM = 16 * MIB;
/** S3 takes no smaller part, but for the last. */
const SMALLEST_PART = 5 * MIB;
/** S3 takes 10,000; part 10000 breaks the listing of parts in SeaweedFS. */
const MOST_PARTS = 9_999;
/** A part takes about so long: what a cut connection costs at most. */
const SECONDS_A_PART = 10;
const USUAL_PART = 16 * MIB;
const [LEAST_USUAL, MOST_USUAL] = [SMALLEST_PART, 64 * MIB];
/** With so few parts it shows when some connections are done before the others. */
const FEW_PARTS = 10 * PUTS_AT_ONCE;

/**
 * Bytes of each part but the last, for a file of `size` bytes from `MULTIPART_FROM` up to 5 TiB.
 *
 * `bytesPerSecond` is what one connection was measured to carry, null if it was not: on a slow line parts are small, so
 * that a reload late in the upload finds many of them there. Where the parts are few, their number is a multiple of the
 * connections', so that these are done together.
 */
export function partSizeFor(size, bytesPerSecond = null) {
  const wanted = bytesPerSecond ? bytesPerSecond * SECONDS_A_PART : USUAL_PART;
  const usual = Math.min(Math.max(wanted, LEAST_USUAL), MOST_USUAL);
  const most = Math.min(Math.floor(size / SMALLEST_PART), MOST_PARTS);
  const parts = Math.min(Math.ceil(size / usual), most);
  return Math.ceil(size / (parts > FEW_PARTS ? parts : evenly(parts, most)));
}

/** About so many parts, but as many for each connection, where that is possible. */
function evenly(parts, most) {
  const even = Math.ceil(parts / PUTS_AT_ONCE) * PUTS_AT_ONCE;
  return even <= most ? even : Math.floor(most / PUTS_AT_ONCE) * PUTS_AT_ONCE || most;
}

/** From and to which byte the part goes. */
export function boundsOf(number, partSize, size) {
  return [(number - 1) * partSize, Math.min(number * partSize, size)];
}
