/** Who wrote each line, in the gutter of the live text: asked of the server when it is switched on and
 *  when the text has been at rest for a moment. Between, the marks move with the text. Must not know
 *  the drawer. */
import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Compartment, type EditorState, type Extension, Prec, RangeSet, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import { EditorView, gutter, GutterMarker, type ViewUpdate } from "@codemirror/view";
import type { Disposable } from "../dom.js";
import type { Editor } from "../editor/editor.js";
import type { Author, BlameRun } from "./answers.js";
import type { HistoryApi } from "./api.js";
import { momentOf, shortly } from "./moments.js";

export interface BlameOptions {
  readonly api: Pick<HistoryApi, "blame">;
  readonly editor: Editor;
  /** The file on the screen. */
  readonly active: ReadonlySignal<string>;
  readonly say: (text: string) => void;
}

export interface Blame extends Disposable {
  readonly on: Signal<boolean>;
  /** Who wrote the line of the caret, and when; absent where it is not known, and while it is off. */
  readonly here: ReadonlySignal<string | undefined>;
  updated(update: ViewUpdate): void;
}

/** The text must be at rest for so long before the server is asked again, in milliseconds: it has
 *  stored it by then. */
const REST_MS = 1_500;

const setRuns = StateEffect.define<readonly BlameRun[]>();

const runsOf = StateField.define<RangeSet<LineMark>>({
  create: () => RangeSet.empty,
  update(shown, transaction) {
    for (const effect of transaction.effects) {
      if (effect.is(setRuns)) return marksOf(transaction.state, effect.value);
    }
    return shown.map(transaction.changes);
  },
});

/** One line's mark: a stripe in its author's colour, and at the first of them who and when. */
class LineMark extends GutterMarker {
  constructor(
    readonly author: Author,
    readonly when: number | undefined,
    private readonly isFirst: boolean,
  ) {
    super();
  }

  override eq(other: LineMark): boolean {
    return this.author.name === other.author.name && this.author.color === other.author.color && this.when === other.when && this.isFirst === other.isFirst;
  }

  override toDOM(): HTMLElement {
    const line = document.createElement("div");
    line.className = "collab-blame-line";
    line.style.setProperty("--person", this.author.color);
    if (this.when !== undefined) line.title = `${this.author.name}, ${momentOf(this.when, Date.now())}`;
    if (!this.isFirst) return line;
    const name = document.createElement("span");
    name.className = "collab-blame-name";
    name.textContent = this.author.name;
    line.append(name);
    if (this.when !== undefined) line.append(shortly(this.when, Date.now()));
    return line;
  }
}

function marksOf(state: EditorState, runs: readonly BlameRun[]): RangeSet<LineMark> {
  const marks = new RangeSetBuilder<LineMark>();
  let number = 1;
  let said = "";
  for (const { lines, author, at } of runs) {
    // What would be said again stays unsaid: lines typed one after the other read as one.
    const says = author ? `${author.name}\n${author.color}\n${at === undefined ? "" : shortly(at, Date.now())}` : "";
    for (let i = 0; i < lines && number <= state.doc.lines; i += 1, number += 1) {
      const { from } = state.doc.line(number);
      if (author) marks.add(from, from, new LineMark(author, at, i === 0 && says !== said));
    }
    said = says;
  }
  return marks.finish();
}

const look = EditorView.theme({
  ".collab-blame": { minWidth: "13ch", fontFamily: "var(--sans)", fontSize: "11px", color: "var(--muted)" },
  ".collab-blame .cm-gutterElement": { padding: "0" },
  ".collab-blame-line": {
    display: "flex",
    gap: "6px",
    height: "100%",
    maxWidth: "15em",
    paddingInline: "6px",
    borderInlineStart: "4px solid var(--person)",
    alignItems: "center",
    justifyContent: "space-between",
    whiteSpace: "nowrap",
    overflow: "hidden",
  },
  ".collab-blame-name": { overflow: "hidden", textOverflow: "ellipsis", color: "var(--text)" },
  "@media (forced-colors: active)": { ".collab-blame-line": { forcedColorAdjust: "none", color: "CanvasText" } },
  // There is no room for names.
  "@media (max-width: 640px)": { ".collab-blame": { minWidth: "4px" }, ".collab-blame-line": { fontSize: "0", paddingInline: "0" } },
});

const shown: Extension = [
  runsOf,
  look,
  Prec.high(gutter({ class: "collab-blame", markers: (view) => view.state.field(runsOf, false) ?? RangeSet.empty })),
];

export function createBlame({ api, editor, active, say }: BlameOptions): Blame {
  const on = signal(false);
  const here = signal<string | undefined>(undefined);
  const place = new Compartment();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked: AbortController | undefined;

  /** Puts the gutter into the file on the screen, or takes it away. */
  function put(extension: Extension): void {
    const { state } = editor.view;
    const effects = place.get(state) === undefined ? StateEffect.appendConfig.of(place.of(extension)) : place.reconfigure(extension);
    editor.dispatch(editor.file, effects);
  }

  async function ask(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    asked?.abort();
    const mine = new AbortController();
    asked = mine;
    const { file } = editor;
    const before = editor.view.state.doc;
    try {
      const runs = await api.blame(file, mine.signal);
      if (mine.signal.aborted || file !== editor.file) return;
      // What was written meanwhile is asked for in its turn.
      if (editor.view.state.doc.eq(before)) editor.dispatch(file, setRuns.of(runs));
      else restart();
      look();
    } catch (error) {
      if (mine.signal.aborted) return;
      on.value = false;
      say(`Who wrote each line cannot be shown. ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  function restart(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), REST_MS);
  }

  function look(): void {
    const { state } = editor.view;
    const line = state.doc.lineAt(state.selection.main.head);
    let found: string | undefined;
    state.field(runsOf, false)?.between(line.from, line.from, (_from, _to, { author, when }) => {
      found = `Line ${line.number}: ${author.name}${when === undefined ? "" : `, ${momentOf(when, Date.now())}`}`;
    });
    here.value = found;
  }

  const stop = effect(() => {
    active.value;
    if (on.value) {
      put(shown);
      void ask();
      return;
    }
    asked?.abort();
    clearTimeout(timer);
    here.value = undefined;
    if (place.get(editor.view.state) !== undefined) put([]);
  });

  return {
    on,
    here,
    updated({ docChanged }) {
      if (!on.peek()) return;
      if (docChanged) restart();
      // Told from within the view's own update, which it is not to be asked in.
      queueMicrotask(look);
    },
    dispose() {
      stop();
      asked?.abort();
      clearTimeout(timer);
    },
  };
}
