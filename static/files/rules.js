/**
 * What a file category takes, told before a byte is sent: codes and rules are the server's, which looks again
 * when the form is submitted. No DOM.
 */

import { bytes, many } from "./words.js";

const LONGEST_NAME = 255;
export const FILES_OF_A_PAIR = 2;
const FORBIDDEN = /[<>:"/\\|?*]/;
const INVISIBLE = [
  [/\p{Cc}/u, "control character"],
  [/[\u202a-\u202e\u2066-\u2069]/u, "bidirectional override"],
  [/\p{Cs}/u, "lone surrogate"],
];

/** The name of a file: the last part of its path in the folder that was chosen. */
export function lastPart(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}

/**
 * What two names have in common when they count as the same: NFC and case folding. Upper case and back again
 * folds what lower case alone leaves apart (ß and ss, σ and ς), but would make ı an i, which it is not.
 */
export function nameKey(name) {
  const folded = name.toLowerCase().replace(/[^ı]+/g, (part) => part.toUpperCase().toLowerCase());
  return folded.normalize("NFC");
}

/** Files that computers make for themselves: `Thumbs.db`, dot files, and all below a dot folder. */
export function isHidden(path) {
  return path.split("/").some((part) => part.startsWith(".")) || lastPart(path).toLowerCase() === "thumbs.db";
}

/** Why a file cannot have this name, in a sentence; null if it can. */
export function nameFault(name) {
  const length = [...name].length;
  if (!name) return "The file name is empty.";
  if (length > LONGEST_NAME)
    return `The file name has ${length} characters; at most ${LONGEST_NAME} are allowed.`;
  const forbidden = FORBIDDEN.exec(name);
  if (forbidden)
    return `The file name contains ${forbidden[0]}, which is not allowed in file names. Rename the file.`;
  for (const [pattern, kind] of INVISIBLE) {
    const found = pattern.exec(name);
    if (found) {
      const number = found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
      return `The file name contains the ${kind} U+${number}. Rename the file.`;
    }
  }
  if (/^\p{White_Space}|\p{White_Space}$/u.test(name))
    return "The file name begins or ends with white space. Rename the file.";
  return null;
}

/**
 * The rules of a category from the `data-` attributes of its widget; null or an empty list is no limit. A pair is two
 * files, whatever the numbers.
 */
export function rulesOf({ maxFiles, maxFileSize, minFiles, extensions, required, pairing }) {
  const isPair = pairing === "true";
  return {
    maxFiles: isPair ? FILES_OF_A_PAIR : Number(maxFiles) || null,
    maxFileSize: Number(maxFileSize) || null,
    minFiles: isPair ? FILES_OF_A_PAIR : Number(minFiles) || 1,
    extensions: JSON.parse(extensions || "[]"),
    required: required === "true",
    pairing: isPair,
  };
}

/** What is wrong with one file by itself, as `{code, detail}`, or null; `rules` as from `rulesOf`. */
export function faultOf({ name, size }, rules) {
  const fault = nameFault(name);
  if (fault) return { code: "file_name_invalid", detail: fault };
  const endings = rules.extensions ?? [];
  if (endings.length && !endings.some((ending) => name.toLowerCase().endsWith(ending.toLowerCase()))) {
    return {
      code: "extension_not_allowed",
      detail: `Only files ending in ${endings.join(", ")} are taken here.`,
    };
  }
  if (rules.maxFileSize && size > rules.maxFileSize) {
    const limit = `at most ${bytes(rules.maxFileSize)} are taken here`;
    return { code: "file_too_large", detail: `The file has ${bytes(size)}; ${limit}.` };
  }
  return null;
}

/** The problem of a file whose name another one has. */
export function duplicateOf(name) {
  const detail = `Another file here is named ${name} too; the folder is no part of the name.`;
  return { code: "file_name_duplicate", detail: `${detail} Keep one of the two.` };
}

/** The problem of a file beyond the most that the category takes. */
export function tooMany(maxFiles) {
  return { code: "too_many_files", detail: `At most ${many(maxFiles, "file")} can be handed in here.` };
}
