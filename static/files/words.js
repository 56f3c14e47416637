/** Sizes, times and counts as people read them. No DOM. */

const UNITS = ["kB", "MB", "GB", "TB"];

/** `16_430_000` → `16.4 MB`; decimal units, as file managers and disks have them. */
export function bytes(count) {
  if (count < 1000) return `${count} ${count === 1 ? "byte" : "bytes"}`;
  const unit = unitOf(count);
  return `${inUnit(count, unit)} ${UNITS[unit]}`;
}

/** `2.1 of 16.4 MB`: a part of a size, in the unit of the whole so that the eye can compare. */
export function bytesOf(part, whole) {
  if (whole < 1000) return `${part} of ${bytes(whole)}`;
  const unit = unitOf(whole);
  return `${inUnit(part, unit)} of ${inUnit(whole, unit)} ${UNITS[unit]}`;
}

function unitOf(count) {
  let unit = 0;
  while (count / 1000 ** (unit + 1) >= 999.5 && unit < UNITS.length - 1) unit += 1;
  return unit;
}

function inUnit(count, unit) {
  const value = count / 1000 ** (unit + 1);
  return value.toFixed(value < 99.95 ? 1 : 0);
}

/** `many(2, "file")` → `2 files`. */
export function many(count, noun) {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** Seconds as a rough time: nobody believes `3 min 17 s` of an upload. */
export function duration(seconds) {
  if (seconds < 10) return "a few seconds";
  if (seconds <= 50) return `about ${Math.ceil(seconds / 10) * 10} seconds`;
  const minutes = Math.round(seconds / 60) || 1;
  if (minutes < 60) return `about ${many(minutes, "minute")}`;
  const rest = minutes % 60;
  return `about ${many(Math.floor(minutes / 60), "hour")}${rest ? ` ${rest} min` : ""}`;
}

/** A key to sort by as people do, `lane2` before `lane10`; for thousands of paths far faster than a collator. */
export function naturalKey(path) {
  return path.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(15, "0"));
}

/** Up to three names, and how many more there are. */
export function listed(names) {
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${(names.length - 3).toLocaleString("en")} more` : shown;
}

/** How fast bytes go out, over the last seconds: a mean since the start would not notice a stall. */
export class Meter {
  #samples = [];

  constructor(windowMs = 8000) {
    this.windowMs = windowMs;
  }

  /** Notes that by `now` (in ms) `sent` bytes had gone out in all; fewer than before starts anew. */
  note(now, sent) {
    const last = this.#samples.at(-1);
    if (last && sent < last.sent) this.#samples = [];
    if (!last || now - last.now >= 250 || sent < last.sent) this.#samples.push({ now, sent });
    while (this.#samples.length > 2 && now - this.#samples[0].now > this.windowMs) this.#samples.shift();
  }

  /** Forgets all: nothing is being sent. */
  reset() {
    this.#samples = [];
  }

  /** Bytes a second, or null while too little was seen to say. */
  get speed() {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || last.now - first.now < 1000 || last.sent <= first.sent) return null;
    return ((last.sent - first.sent) * 1000) / (last.now - first.now);
  }
}
