/** SHA-256 and CRC-32 of bytes that come in pieces, which the browser's own `crypto` cannot do. No DOM. */

import "../../vendor/hash-wasm-4.13.0/sha256.umd.min.js";
import "../../vendor/hash-wasm-4.13.0/crc32.umd.min.js";

// They are no modules and leave what they have here.
const { createSHA256, createCRC32 } = globalThis.hashwasm;

let checksum = null;

/** To be awaited once before `crc32` is called: WebAssembly is compiled in the background. */
export async function loadCrc32() {
  checksum ??= await createCRC32();
}

/** The CRC-32 of bytes, as RFC 1952 and CRAM have it. */
export function crc32(bytes) {
  const crc = new Crc32();
  crc.add(bytes);
  return crc.value;
}

/** A running CRC-32, of which there may be several at once: they share the one that is compiled. */
export class Crc32 {
  static #present = null;
  #state = null;

  add(piece) {
    this.#takeOver();
    checksum.update(piece);
  }

  /** The checksum of all that was added; nothing can be added after that. */
  get value() {
    this.#takeOver();
    Crc32.#present = null;
    return Number.parseInt(checksum.digest("hex"), 16);
  }

  #takeOver() {
    const present = Crc32.#present;
    if (present === this) return;
    if (present) present.#state = checksum.save();
    if (this.#state) checksum.load(this.#state);
    else checksum.init();
    Crc32.#present = this;
  }
}

/** Hashers that are done with; making one costs more than hashing a small file. */
const idle = [];

/** A new `{update(bytes), digest()}`; its digest is in hexadecimal digits, and the last thing to be asked of it. */
export async function sha256() {
  const hasher = idle.pop() ?? (await createSHA256());
  hasher.init();
  return {
    update: (bytes) => hasher.update(bytes),
    digest: () => {
      const digest = hasher.digest();
      idle.push(hasher);
      return digest;
    },
  };
}

/**
 * The SHA-256 of pieces that are all there, in hexadecimal digits. The browser's own is several times as fast as ours;
 * it has none where the page came over plain HTTP from another machine.
 */
export async function sha256Of(pieces) {
  const own = globalThis.crypto?.subtle;
  if (own) return hexadecimal(await own.digest("SHA-256", joined(pieces)));
  const hasher = await sha256();
  for (const piece of pieces) hasher.update(piece);
  return hasher.digest();
}

function joined(pieces) {
  if (pieces.length === 1) return pieces[0];
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let start = 0;
  for (const piece of pieces) {
    all.set(piece, start);
    start += piece.length;
  }
  return all;
}

function hexadecimal(buffer) {
  return Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Compiles what hashing needs, so that the first file does not wait for it. */
export async function prepareHashing() {
  idle.push(await createSHA256());
  await loadCrc32();
}
