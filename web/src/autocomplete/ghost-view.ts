/** How a suggestion looks: its first line after the caret, the others below, nothing of it in the
 *  text. Must not know when it is shown. */
import { type EditorState, type Extension, type Range, RangeSet } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";
import { type Ghost, ghostField, shownCandidate } from "./ghost-state.js";

/** Blanks that nobody could see otherwise: all of a blank line, and those that end one. */
export function visible(line: string): string {
  return line.replace(/[ \t]+$/, (blanks) => blanks.replaceAll(" ", "·").replaceAll("\t", "→"));
}

/** After the caret. */
class FirstLine extends WidgetType {
  constructor(private readonly text: string) {
    super();
  }

  override eq(other: FirstLine): boolean {
    return this.text === other.text;
  }

  override toDOM(): HTMLElement {
    const place = document.createElement("span");
    place.className = "collab-ghost";
    // Not a part of the text: it is announced, and read on demand.
    place.setAttribute("aria-hidden", "true");
    place.textContent = this.text;
    return place;
  }

  override ignoreEvent(): boolean {
    return false;
  }
}

/** Below the caret's line. */
class OtherLines extends WidgetType {
  constructor(private readonly lines: readonly string[]) {
    super();
  }

  override eq(other: OtherLines): boolean {
    return this.lines.join("\n") === other.lines.join("\n");
  }

  override toDOM(view: EditorView): HTMLElement {
    const block = document.createElement("div");
    block.className = "collab-ghost collab-ghost-block";
    block.setAttribute("aria-hidden", "true");
    const line = view.contentDOM.querySelector(".cm-line");
    // In line with the text, whatever the theme says.
    if (line) block.style.paddingLeft = getComputedStyle(line).paddingLeft;
    for (const text of this.lines) {
      const row = document.createElement("div");
      // A line with nothing in it has a height all the same.
      row.textContent = text || "\u200b";
      block.append(row);
    }
    return block;
  }

  override get estimatedHeight(): number {
    return -1;
  }

  override get lineBreaks(): number {
    return 0;
  }

  override ignoreEvent(): boolean {
    return false;
  }
}

/** Blanks that go when it is accepted. */
const going = Decoration.mark({ class: "collab-ghost-going" });

function decorate(ghost: Ghost | undefined, state: EditorState): DecorationSet {
  if (!ghost) return Decoration.none;
  const { insert, replaceBefore } = shownCandidate(ghost);
  const [first = "", ...others] = insert.split("\n").map(visible);
  const marks: Range<Decoration>[] = [];
  if (replaceBefore > 0) marks.push(going.range(Math.max(ghost.at - replaceBefore, 0), ghost.at));
  const inline = first || (others.some((line) => line !== "") ? "" : "↵");
  if (inline) marks.push(Decoration.widget({ widget: new FirstLine(inline), side: 1 }).range(ghost.at));
  if (others.some((line) => line !== "")) {
    const end = state.doc.lineAt(ghost.at).to;
    marks.push(Decoration.widget({ widget: new OtherLines(others), side: 1, block: true }).range(end));
  }
  return RangeSet.of(marks, true);
}

const looks = EditorView.theme({
  ".collab-ghost": { color: "var(--ghost)", fontStyle: "italic", whiteSpace: "pre" },
  ".collab-ghost-block": { overflow: "hidden" },
  ".collab-ghost-going": { textDecoration: "line-through var(--ghost)" },
  // An empty text that is asked for a suggestion says one thing at a time.
  ".cm-content:has(.collab-ghost) .cm-placeholder": { display: "none" },
  "@media (forced-colors: active)": { ".collab-ghost": { color: "GrayText" } },
});

export function ghostView(): Extension {
  return [
    // From the state, because a plugin may not add lines to the screen.
    EditorView.decorations.compute([ghostField], (state) => decorate(state.field(ghostField), state)),
    looks,
  ];
}
