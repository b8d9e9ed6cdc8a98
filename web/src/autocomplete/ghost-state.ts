/**
 * What is suggested at the caret, as a CodeMirror state field: shown, shrunk, moved, gone. Pure.
 * Must not know where suggestions come from, how they look, or which keys there are.
 *
 * A suggestion is never part of the text. It stands while the caret and the caret's line stand:
 * typing what it says shrinks it, other people's edits of other lines move it, all else ends it.
 */
import { completionStatus } from "@codemirror/autocomplete";
import { type EditorState, StateEffect, StateField, Transaction } from "@codemirror/state";
import type { Suggestion } from "../wasm/collab_suggest.js";

/** What is left to write of one suggestion. */
export type Candidate = Pick<Suggestion, "insert" | "replaceBefore" | "caret">;

export interface Ghost {
  /** The caret that it was made for. */
  readonly at: number;
  /** Best first, never empty. */
  readonly candidates: readonly Candidate[];
  /** The one that is shown. */
  readonly index: number;
  /** The person asked for it by a key, or has written some of it. */
  readonly wanted: boolean;
  /** The caret's line, before and after the caret: what the suggestion was made for. */
  readonly before: string;
  readonly after: string;
}

/** Shows this from now on, or nothing. Its offsets are those of the text after the transaction. */
export const setGhost = StateEffect.define<Ghost | undefined>();

export const ghostField = StateField.define<Ghost | undefined>({
  create: () => undefined,
  update(ghost, transaction) {
    let next = ghost;
    if (next && transaction.docChanged) {
      next = transaction.annotation(Transaction.remote) ? moved(next, transaction) : shrunk(next, transaction);
    }
    for (const effect of transaction.effects) if (effect.is(setGhost)) next = effect.value;
    return next && stands(next, transaction.state) ? next : undefined;
  },
});

export function ghostAt(state: EditorState, candidates: readonly Candidate[], wanted: boolean): Ghost | undefined {
  const at = state.selection.main.head;
  return candidates.length === 0 ? undefined : { at, candidates, index: 0, wanted, ...around(state, at) };
}

/** The suggestion that is on the screen, if there is one. */
export function shownCandidate(ghost: Ghost): Candidate {
  const shown = ghost.candidates[ghost.index];
  if (!shown) throw new Error("a ghost without a candidate");
  return shown;
}

/** What is left of a candidate once its first `units` have been written; nothing when all has. */
export function rest({ insert, caret }: Candidate, units: number): Candidate | undefined {
  if (units >= insert.length) return undefined;
  // A caret that lies in what is written already has been passed.
  return { insert: insert.slice(units), replaceBefore: 0, caret: caret === undefined || caret < units ? undefined : caret - units };
}

/** Whether it may still be shown, and accepted: one caret, in the place and the line it is for. */
export function stands(ghost: Ghost, state: EditorState): boolean {
  const { ranges, main } = state.selection;
  if (state.readOnly || ranges.length !== 1 || !main.empty || main.head !== ghost.at) return false;
  if (completionStatus(state) === "active") return false;
  const { before, after } = around(state, ghost.at);
  return before === ghost.before && after === ghost.after;
}

/** The person typed: characters, Enter, a bracket that brings its partner. Not paste, not Tab. */
export function isTyping(transaction: Transaction): boolean {
  return transaction.isUserEvent("input.type") || transaction.annotation(Transaction.userEvent) === "input";
}

/** Whether a change touches the line that the caret was in. */
export function touchesCaretLine(transaction: Transaction): boolean {
  const { doc, selection } = transaction.startState;
  const line = doc.lineAt(selection.main.head);
  return transaction.changes.touchesRange(line.from, line.to) !== false;
}

function moved(ghost: Ghost, transaction: Transaction): Ghost | undefined {
  if (touchesCaretLine(transaction)) return undefined;
  return { ...ghost, at: transaction.changes.mapPos(ghost.at) };
}

function shrunk(ghost: Ghost, transaction: Transaction): Ghost | undefined {
  if (!isTyping(transaction) || transaction.isUserEvent("input.type.compose")) return undefined;
  const typed = typedAt(ghost.at, transaction);
  if (typed === undefined) return undefined;
  const shown = shownCandidate(ghost);
  const candidates: Candidate[] = [];
  let index: number | undefined;
  for (const candidate of ghost.candidates) {
    if (candidate.replaceBefore > 0 || !candidate.insert.startsWith(typed)) continue;
    const left = rest(candidate, typed.length);
    if (!left) continue;
    if (candidate === shown) index = candidates.length;
    candidates.push(left);
  }
  if (index === undefined) return undefined;
  const at = ghost.at + typed.length;
  return { at, candidates, index, wanted: true, ...around(transaction.state, at) };
}

/** What was inserted exactly there, when nothing else was done. */
function typedAt(at: number, { changes }: Transaction): string | undefined {
  let typed: string | undefined;
  let alone = true;
  changes.iterChanges((from, to, _fromNew, _toNew, inserted) => {
    if (from === at && to === at) typed = inserted.toString();
    else alone = false;
  });
  return alone ? typed : undefined;
}

function around(state: EditorState, at: number): Pick<Ghost, "before" | "after"> {
  const line = state.doc.lineAt(at);
  return { before: line.text.slice(0, at - line.from), after: line.text.slice(at - line.from) };
}
