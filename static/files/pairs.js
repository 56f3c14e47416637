/** Read 1 and read 2 of a pair, by names and first reads: what files/pairs.py says, as far as it is certain. No DOM. */

/**
 * Why two files of these names are no pair, as `{code, detail}`; null if they are, or if there are not two names.
 * Names of a pair differ in one place alone, where one has a 1 and the other a 2.
 */
export function pairNamesProblem(names) {
  if (names.length !== 2 || areNamesOfPair(...names.map((name) => [...name]))) return null;
  const [one, other] = names;
  const detail =
    `“${one}” and “${other}” are not named as read 1 and read 2 of a pair: one has a 1 where the other has a 2, ` +
    "and all else is the same, as in “a_R1.fastq.gz” and “a_R2.fastq.gz”.";
  return { code: "pair_file_names", detail };
}

function areNamesOfPair(one, other) {
  if (one.length !== other.length) return false;
  const differing = one.flatMap((letter, at) => (letter === other[at] ? [] : [letter + other[at]]));
  return differing.length === 1 && ["12", "21"].includes(differing[0]);
}

/**
 * What keeps two files with names of a pair from being one, as `{code, detail}`; null if nothing does that their
 * beginnings show. Each is `{name, firstRead}`, the name that of the file, `firstRead` as the examiner has it; nothing
 * is said while one is null. Their order does not matter.
 */
export function pairReadsProblem(one, other) {
  if (!one.firstRead || !other.firstRead) return null;
  // Names of a pair: the one with the 1 is first.
  const [first, second] = one.name < other.name ? [one, other] : [other, one];
  return mixed(first, second) ?? sameMate(first, second) ?? differing(first, second) ?? swapped(first, second);
}

function mixed(first, second) {
  const names = [first, second].filter(({ firstRead }) => firstRead.mate === "mixed").map(({ name }) => `“${name}”`);
  if (!names.length) return null;
  const has = names.length === 1 ? "has" : "each have";
  const detail = `${names.join(" and ")} ${has} read 1 and read 2 in one file; divide them into a file of each.`;
  return { code: "pair_mixed", detail };
}

function sameMate(first, second) {
  const { mate } = first.firstRead;
  if (mate === null || mate !== second.firstRead.mate) return null;
  const missing = mate === "1" ? "2" : "1";
  const detail =
    `The reads of both “${first.name}” and “${second.name}” say of themselves that they are read ${mate}; ` +
    `put the file with read ${missing} in the place of one.`;
  return { code: "pair_same_mate", detail };
}

/** The verifier also counts the reads and compares all names; it can say more than that the first ones differ. */
function differing(first, second) {
  const [read, otherRead] = [first.firstRead.name, second.firstRead.name];
  if (read === otherRead) return null;
  const detail =
    `“${first.name}” begins with the read “${read}” and “${second.name}” with “${otherRead}”, but both need the same ` +
    "names in the same order; see whether they are of one sample, and whether one was sorted without the other.";
  return { code: "pair_read_names", detail };
}

function swapped(first, second) {
  if (first.firstRead.mate !== "2" || second.firstRead.mate !== "1") return null;
  const detail =
    `The reads of “${first.name}” say of themselves that they are read 2, and those of “${second.name}” that they ` +
    "are read 1; exchange the two names.";
  return { code: "pair_swapped", detail };
}
