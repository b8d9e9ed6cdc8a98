/** When a suggestion may be asked for. Pure. Must not know how it is asked for or shown. */
import { completionStatus } from "@codemirror/autocomplete";
import { type EditorState, Transaction } from "@codemirror/state";
import { ghostField, isTyping, touchesCaretLine } from "./ghost-state.js";

/** After a transaction: begin to wait for a pause, stop waiting, or go on as before. */
export type Verdict = "ask" | "stop" | "goOn";

export function verdictOn(transaction: Transaction): Verdict {
  if (!transaction.docChanged) {
    return transaction.startState.selection.eq(transaction.newSelection) ? "goOn" : "stop";
  }
  if (transaction.annotation(Transaction.remote)) return touchesCaretLine(transaction) ? "stop" : "goOn";
  if (!isTyping(transaction) || !inserts(transaction)) return "stop";
  // What was typed is what was suggested: the rest of it is on the screen already.
  return transaction.state.field(ghostField) ? "stop" : "ask";
}

/** Characters after the caret, brackets and the like not counted, that leave room for a ghost. */
const MAX_AFTER = 8;

/** Whether this is a place for a suggestion at all, asked for or not. */
export function mayShow(state: EditorState): boolean {
  const { ranges, main } = state.selection;
  if (state.readOnly || ranges.length !== 1 || !main.empty || completionStatus(state) === "active") return false;
  const line = state.doc.lineAt(main.head);
  const after = line.text.slice(main.head - line.from).replaceAll(/[\s()[\]{}<>"'`;:,]/g, "");
  return after.length <= MAX_AFTER;
}

function inserts(transaction: Transaction): boolean {
  let found = false;
  transaction.changes.iterChanges((_from, _to, fromNew, toNew) => {
    if (toNew > fromNew) found = true;
  });
  return found;
}
