/** Taking a suggestion, whole or in pieces: one transaction, one undo step each. Must not know
 *  which keys do it. */
import { isolateHistory } from "@codemirror/commands";
import type { EditorState, TransactionSpec } from "@codemirror/state";
import { type Candidate, type Ghost, ghostField, rest, setGhost, shownCandidate, stands } from "./ghost-state.js";

export type Piece = "all" | "word" | "line";

/** Marks what the engine wrote and the person took. */
export const ACCEPTED = "input.complete.ai";

/** The transaction that takes a piece; `undefined` when nothing is shown, or it no longer fits. */
export function accepted(state: EditorState, piece: Piece): TransactionSpec | undefined {
  const ghost = state.field(ghostField, false);
  if (!ghost || !stands(ghost, state)) return undefined;
  const candidate = shownCandidate(ghost);
  const written = candidate.insert.slice(0, pieceLength(candidate.insert, piece));
  const from = ghost.at - Math.min(candidate.replaceBefore, ghost.before.length);
  const left = rest(candidate, written.length);
  const end = from + written.length;
  return {
    changes: { from, to: ghost.at, insert: written },
    selection: { anchor: left ? end : from + (candidate.caret ?? written.length) },
    effects: setGhost.of(left && remaining(ghost, left, from, written)),
    annotations: isolateHistory.of("full"),
    userEvent: ACCEPTED,
    scrollIntoView: true,
  };
}

/** UTF-16 units of the beginning of `insert` that make up a piece; never 0 for a text. */
export function pieceLength(insert: string, piece: Piece): number {
  switch (piece) {
    case "all":
      return insert.length;
    case "word":
      // With the blanks before it; a run of punctuation is a word too, as the caret has it.
      return /^\s*(?:[\p{L}\p{N}\p{M}_$]+|[^\p{L}\p{N}\p{M}_$\s]+)?/u.exec(insert)?.[0].length ?? insert.length;
    case "line":
      // The line break belongs to the line it opens: the next press takes it with its text.
      return /^\n?[^\n]*/.exec(insert)?.[0].length ?? insert.length;
    default:
      return piece satisfies never;
  }
}

/** The rest stays on the screen, without asking again. */
function remaining(ghost: Ghost, left: Candidate, from: number, written: string): Ghost {
  const line = ghost.before.slice(0, ghost.before.length - (ghost.at - from)) + written;
  return {
    at: from + written.length,
    candidates: [left],
    index: 0,
    wanted: true,
    before: line.slice(line.lastIndexOf("\n") + 1),
    after: ghost.after,
  };
}
