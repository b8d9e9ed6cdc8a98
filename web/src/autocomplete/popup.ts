/**
 * The list of completions: what the language knows and what the engine says, on Ctrl+Space. Must
 * not know ghost text; the two meet in `completionStatus` only.
 *
 * It does not open by itself. Ghost text answers to typing already; a list that opened beside it
 * would hide it each time, and take Tab, Enter and the arrow keys from somebody who only types.
 * While it is open those keys are its own, because the person asked for it.
 */
import {
  acceptCompletion,
  autocompletion,
  type Completion,
  type CompletionContext,
  type CompletionResult,
  completionStatus,
} from "@codemirror/autocomplete";
import { isolateHistory } from "@codemirror/commands";
import { EditorState, type Extension, Prec } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import type { Suggestion } from "../wasm/collab_suggest.js";
import type { Engine } from "./engine.js";
import { engineWindow } from "./window.js";

export interface PopupOptions {
  readonly engine: () => Promise<Engine>;
  /** Id of the text's language. */
  readonly language: () => string;
}

/** How many of the engine's suggestions the list takes. */
const LONGEST_LIST = 20;

/** CodeMirror takes no more. */
const MOST_BOOST = 99;

export function completionPopup(options: PopupOptions): Extension {
  const source = (context: CompletionContext) => fromEngine(context, options);
  return [
    autocompletion({ activateOnTyping: false, icons: false }),
    EditorState.languageData.of(() => [{ autocomplete: source }]),
    Prec.highest(
      keymap.of([
        // In the first moments of a list `acceptCompletion` declines; Tab must not indent then.
        { key: "Tab", run: (view) => completionStatus(view.state) !== null && (acceptCompletion(view) || true) },
      ]),
    ),
    looks,
  ];
}

async function fromEngine(context: CompletionContext, options: PopupOptions): Promise<CompletionResult | null> {
  const { state, pos } = context;
  if (!context.explicit) return null;
  const engine = await options.engine();
  if (context.aborted) return null;
  const { text, caret } = engineWindow(state.doc, pos);
  // What is typed of a word already is what the list is filtered by.
  const from = context.matchBefore(/[\p{L}\p{N}_$]+/u)?.from ?? pos;
  const typed = state.sliceDoc(from, pos);
  const found = engine.suggest(text, caret, options.language(), LONGEST_LIST);
  return found.length === 0 ? null : { from, options: found.map((suggestion, rank) => asOption(suggestion, typed, rank)) };
}

function asOption(suggestion: Suggestion, typed: string, rank: number): Completion {
  const { insert, kind } = suggestion;
  // Nothing but the label, so that the same word from the language's own list is shown once.
  if (kind === "word" || kind === "keyword") return { label: typed + insert };
  const [first = "", ...others] = insert.trimStart().split("\n");
  return {
    label: typed + first,
    // Made for this very place, so before all that would do anywhere.
    boost: MOST_BOOST - rank,
    displayLabel: others.length > 0 ? `${typed}${first} …` : typed + first,
    apply: (view, _completion, from) => write(view, suggestion, from + typed.length),
  };
}

/** One transaction and one undo step, as for ghost text, but not the engine's idea alone. */
function write(view: EditorView, { insert, replaceBefore, caret }: Suggestion, at: number): void {
  const from = at - replaceBefore;
  view.dispatch({
    changes: { from, to: view.state.selection.main.head, insert },
    selection: { anchor: from + (caret ?? insert.length) },
    annotations: isolateHistory.of("full"),
    userEvent: "input.complete",
    scrollIntoView: true,
  });
}

const looks = EditorView.theme({
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxHeight: "14em" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "4px 10px", color: "var(--text)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
});
