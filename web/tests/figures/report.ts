/** The figures as tables for people: on the screen, and in `docs/PAGE_FIGURES.md` between the marks
 *  that stand there for each measure. Must not know how anything is measured. */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One line of a table: what, goal, and a cell for each page. */
export type Row = readonly [what: string, goal: string, ...cells: string[]];

const PAPER = fileURLToPath(new URL("../../../docs/PAGE_FIGURES.md", import.meta.url));

export function table(names: readonly string[], rows: readonly Row[]): string {
  const head = ["", "Goal", ...names];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Replaces what the paper says of one measure; its prose stays. */
export function write(measure: string, text: string): void {
  const paper = readFileSync(PAPER, "utf8");
  const [begin, end] = [`<!-- figures of ${measure}: written by npm run figures -- --write -->`, `<!-- end of ${measure} -->`];
  const [from, to] = [paper.indexOf(begin), paper.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${PAPER} has no place for ${measure}`);
  writeFileSync(PAPER, `${paper.slice(0, from + begin.length)}\n${text}\n${paper.slice(to)}`);
}
