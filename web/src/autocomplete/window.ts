/** The part of a text that the engine is shown. Must not know what for. */
import type { Text } from "@codemirror/state";

/**
 * UTF-16 units at the beginning of the text (imports), before and after the caret. The engine
 * reads less than that (`autocomplete/window.rs`), and a text of megabytes would take longer to
 * hand over than to complete.
 */
const HEAD = 8 * 1024;
const BEFORE = 32 * 1024;
const AFTER = 8 * 1024;

export interface EngineWindow {
  readonly text: string;
  /** The caret in `text`. */
  readonly caret: number;
}

export function engineWindow(doc: Text, caret: number): EngineWindow {
  const end = Math.min(caret + AFTER, doc.length);
  if (caret <= HEAD + BEFORE) return { text: doc.sliceString(0, end, "\n"), caret };
  // Whole lines, unless a line is longer than all that is looked at.
  const head = `${doc.sliceString(0, doc.lineAt(HEAD).to, "\n").slice(0, HEAD)}\n`;
  const start = Math.min(doc.lineAt(caret - BEFORE).to + 1, doc.lineAt(caret).from);
  const from = Math.max(start, caret - BEFORE);
  return { text: head + doc.sliceString(from, end, "\n"), caret: head.length + caret - from };
}
