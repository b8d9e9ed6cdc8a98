/** How a text is indented: found out, or chosen. Must not know the editor's other settings. */
import { indentUnit } from "@codemirror/language";
import { EditorState, type Extension } from "@codemirror/state";

export interface Indentation {
  readonly id: string;
  readonly name: string;
  /** What one step inward is. */
  readonly unit: string;
}

const FOUR: Indentation = { id: "4", name: "Spaces: 4", unit: "    " };
const TAB: Indentation = { id: "tab", name: "Tabs", unit: "\t" };

export const INDENTATIONS: readonly [Indentation, ...Indentation[]] = [
  FOUR,
  { id: "2", name: "Spaces: 2", unit: "  " },
  { id: "8", name: "Spaces: 8", unit: "        " },
  TAB,
];

/** Columns that a tab is wide. */
const TAB_WIDTH = 4;

export function indentation({ unit }: Indentation): Extension {
  return [indentUnit.of(unit), EditorState.tabSize.of(unit === "\t" ? TAB_WIDTH : unit.length)];
}

/** As languages without a say in it have it; web languages prefer 2. */
export function usualIndentation(language: string): Indentation {
  const narrow = ["javascript", "typescript", "html", "css", "json", "yaml", "markdown"];
  if (language === "go") return TAB;
  return INDENTATIONS.find(({ id }) => id === (narrow.includes(language) ? "2" : "4")) ?? FOUR;
}

/** Lines that are looked at. */
const LINES = 400;

/** How a text is indented that begins like this: the commonest step inward from one line to the
 *  next. `undefined` when it does not say. */
export function indentationOf(beginning: string): Indentation | undefined {
  const votes = new Map<string, number>();
  let before = 0;
  for (const line of beginning.split("\n", LINES)) {
    if (line.trim() === "") continue;
    if (line.startsWith("\t")) {
      votes.set("tab", (votes.get("tab") ?? 0) + 1);
      continue;
    }
    const depth = line.length - line.trimStart().length;
    const step = depth - before;
    before = depth;
    if (step > 0) votes.set(String(step), (votes.get(String(step)) ?? 0) + 1);
  }
  let best: Indentation | undefined;
  let most = 0;
  for (const candidate of INDENTATIONS) {
    const count = votes.get(candidate.id) ?? 0;
    if (count > most) [best, most] = [candidate, count];
  }
  return best;
}
