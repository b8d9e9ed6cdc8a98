/** Shows the text of a replay and who writes where in it. Must not know when it moves on. */
import { type Extension, StateEffect, StateField, type TransactionSpec } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";
import type { Replacement } from "./answers.js";
import { mountReading } from "./reading.js";
import type { Tape } from "./tape.js";

export interface ReplayViewOptions {
  readonly label: string;
  readonly wrap: boolean;
  readonly language: Extension;
}

export interface ReplayView {
  readonly view: EditorView;
  /** Shows the text after so many changes. */
  show(position: number): void;
}

/** So many changes are played one by one; for more, the text is put there as a whole. */
const ONE_BY_ONE = 256;

/** The writer's caret keeps this far from the edges, in CSS pixels. */
const MARGIN_PX = 60;

/** What the change shown last did: what it wrote, in the text after it, and where it ended. */
interface Mark {
  readonly wrote: readonly Range[];
  readonly caret: number;
  readonly name: string;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

const setMark = StateEffect.define<Mark | undefined>();

const marks = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(shown, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setMark)) return drawn(effect.value);
    }
    return shown.map(transaction.changes);
  },
  provide: (field) => EditorView.decorations.from(field),
});

const wrote = Decoration.mark({ class: "collab-replay-wrote" });

function drawn(mark: Mark | undefined): DecorationSet {
  if (!mark) return Decoration.none;
  const caret = Decoration.widget({ widget: new Writer(mark.name), side: 1 });
  return Decoration.set([...mark.wrote.map(({ from, to }) => wrote.range(from, to)), caret.range(mark.caret)], true);
}

/** Whoever made the change, beside what they did. */
class Writer extends WidgetType {
  constructor(private readonly name: string) {
    super();
  }

  override eq(other: Writer): boolean {
    return other.name === this.name;
  }

  toDOM(): HTMLElement {
    const caret = document.createElement("span");
    caret.className = "collab-replay-caret";
    caret.setAttribute("aria-hidden", "true");
    caret.dataset["name"] = this.name;
    return caret;
  }
}

/** `--person` is set on the whole view: only one person's change is marked at a time. */
const look = EditorView.theme({
  ".collab-replay-wrote": { backgroundColor: "color-mix(in srgb, var(--person) 24%, transparent)", borderRadius: "2px" },
  ".collab-replay-caret": { position: "relative", display: "inline-block", width: "0", height: "1.2em", verticalAlign: "text-bottom", outline: "1px solid var(--person)" },
  ".collab-replay-caret::after": {
    content: "attr(data-name)",
    position: "absolute",
    bottom: "100%",
    left: "-1px",
    padding: "1px 6px 2px",
    borderRadius: "5px 5px 5px 0",
    backgroundColor: "var(--person)",
    color: "#fff",
    font: "600 11px/15px var(--sans)",
    whiteSpace: "nowrap",
    pointerEvents: "none",
  },
  // In the first line there is nothing above.
  ".cm-line:first-child .collab-replay-caret::after": { bottom: "auto", top: "100%", borderRadius: "0 5px 5px 5px" },
  "@media (forced-colors: active)": {
    ".collab-replay-wrote": { textDecoration: "underline" },
    ".collab-replay-caret": { outlineColor: "CanvasText" },
    ".collab-replay-caret::after": { backgroundColor: "Canvas", color: "CanvasText", border: "1px solid CanvasText" },
  },
});

export function mountReplayView(parent: HTMLElement, tape: Tape, { label, wrap, language }: ReplayViewOptions): ReplayView {
  const view = mountReading(parent, tape.textAt(0), { label, wrap, extensions: [marks, look, language] });
  let shown = 0;
  return {
    view,
    show(position) {
      if (position === shown) return;
      const mark = position > 0 ? markOf(tape, position - 1) : undefined;
      if (mark) view.dom.style.setProperty("--person", tape.author(position - 1).color);
      const end: TransactionSpec = {
        effects: [setMark.of(mark), ...(mark ? [EditorView.scrollIntoView(mark.caret, { y: "nearest", yMargin: MARGIN_PX })] : [])],
        sequential: true,
      };
      view.dispatch(...between(tape, shown, position, view.state.doc.length), end);
      shown = position;
    },
  };
}

/** What leads from one place of the tape to another. */
function between(tape: Tape, from: number, to: number, length: number): TransactionSpec[] {
  if (to < from || to - from > ONE_BY_ONE) return [{ changes: { from: 0, to: length, insert: tape.textAt(to) } }];
  const specs: TransactionSpec[] = [];
  for (let change = from; change < to; change += 1) {
    for (const { at, removed, inserted } of tape.replacements(change)) {
      specs.push({ changes: { from: at, to: at + removed, insert: inserted }, sequential: true });
    }
  }
  return specs;
}

function markOf(tape: Tape, change: number): Mark {
  let ranges: Range[] = [];
  let caret = 0;
  for (const one of tape.replacements(change)) {
    const end = one.at + one.inserted.length;
    ranges = ranges.map(({ from, to }) => ({ from: moved(from, one), to: moved(to, one) }));
    ranges.push({ from: one.at, to: end });
    caret = end;
  }
  return { wrote: ranges.filter(({ from, to }) => from < to), caret, name: tape.author(change).name };
}

/** Where an offset is after a replacement. */
function moved(offset: number, { at, removed, inserted }: Replacement): number {
  if (offset <= at) return offset;
  return Math.max(offset - removed, at) + inserted.length;
}
