/** Reads pieces of a file of the submitter's. No DOM. */

/** In bytes; the verifier reads in the same pieces, and so loses the same text before damaged data. */
export const PIECE = 1 << 20;

/** The file was changed, moved or deleted since it was chosen. */
export class NotReadableError extends Error {
  name = "NotReadableError";
}

/** Promises the bytes from `start` to before `end`; rejects with a `NotReadableError`. */
export async function readPiece(file, start, end) {
  let buffer;
  try {
    const isAll = start === 0 && end === file.size;
    buffer = await (isAll ? file : file.slice(start, end)).arrayBuffer(); // a slice costs as much as a read
  } catch (error) {
    throw new NotReadableError(`The file cannot be read any more: ${error.message}`, { cause: error });
  }
  if (buffer.byteLength !== end - start) throw new NotReadableError("The file has become shorter.");
  return new Uint8Array(buffer);
}
