/** Asking for many files in one call, which is refused as a whole: those that may be had are had all the same. No DOM. */

/** Refusals of a call whose files would not all fit, while some may. */
const NO_ROOM = ["quota_exceeded", "too_many_open_uploads"];
const UNPROCESSABLE = 422;

/**
 * One result an item, what is wrong with it being an `Error` in its place. `request(items)` makes the call, and `sizeOf`
 * tells what an item takes. Throws what is wrong with the call, or with its only item.
 */
export async function requestThoseThatMay(items, request, sizeOf) {
  try {
    return await request(items);
  } catch (error) {
    if (items.length === 1) throw error;
    if (NO_ROOM.includes(error.problem?.code)) return thoseThatFit(items, request, sizeOf);
    if (error.status !== UNPROCESSABLE) throw error;
    const each = await Promise.allSettled(items.map((item) => request([item])));
    return each.map(({ value, reason }) => reason ?? value[0]);
  }
}

/** The smaller half first, and the other only where any of that was taken: no room at all takes few calls to learn. */
async function thoseThatFit(items, request, sizeOf) {
  const bySize = [...items].sort((one, other) => sizeOf(one) - sizeOf(other));
  const middle = Math.ceil(bySize.length / 2);
  const smaller = await resultsOf(bySize.slice(0, middle), request, sizeOf);
  const isFull = smaller.every((result) => result instanceof Error);
  const rest = bySize.slice(middle);
  const larger = isFull ? rest.map(() => smaller[0]) : await resultsOf(rest, request, sizeOf);
  const found = [...smaller, ...larger];
  const results = new Map(bySize.map((item, index) => [item, found[index]]));
  return items.map((item) => results.get(item));
}

async function resultsOf(items, request, sizeOf) {
  try {
    return await requestThoseThatMay(items, request, sizeOf);
  } catch (error) {
    return items.map(() => error);
  }
}
