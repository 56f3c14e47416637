/** One mistake in a column is as many problems as the table has rows: they are told as one. No DOM. */

import { many } from "../files/words.js";

/** So many alike are told one by one. */
const FEW = 2;
const LINE = /^Line (\d(?:[\d,]*\d)?)/;

/**
 * The problems `[{detail, …}]`, each with a `count`; of those that differ only in their line, and in what is quoted, the
 * first stands for all, and says so.
 */
export function gathered(problems) {
  const groups = Map.groupBy(problems, ({ detail }) => (LINE.test(detail) ? alike(detail) : detail));
  return [...groups.values()].flatMap((same) =>
    same.length <= FEW ? same.map((problem) => ({ ...problem, count: 1 })) : [together(same)],
  );
}

/** The column is part of the mistake, the value is not. */
function alike(detail) {
  return detail.replace(LINE, "").replace(/(column )?“[^”]*”/g, (quoted, column) => (column ? quoted : "“…”"));
}

function together([first, ...others]) {
  const [, last] = LINE.exec(others.at(-1).detail) ?? [];
  const upTo = last ? `, up to line ${last}` : "";
  return { ...first, detail: `${first.detail} ${many(others.length, "more row")} like this${upTo}.`, count: others.length + 1 };
}
