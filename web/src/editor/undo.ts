/**
 * Undo of the person's own edits: which of them are taken back together. Other people's stay out
 * of it by the mark that `remote` gives them. Must not know who else edits, nor how.
 */
import { history, isolateHistory } from "@codemirror/commands";
import { EditorState, type Extension, Transaction } from "@codemirror/state";

/** Typing that goes on within this many milliseconds is one step. */
const GROUP_MS = 500;

/** What goes on as one step while it goes on. All else (paste, drop, cut, a completion, an indent,
 *  a moved line, whatever a command does to the text) is a step of its own, however soon something
 *  precedes or follows it; CodeMirror alone would let typing join the paste before it. */
const GOES_ON = ["input.type", "delete.backward", "delete.forward"];

export function ownUndo(): Extension {
  return [
    history({ newGroupDelay: GROUP_MS }),
    EditorState.transactionExtender.of((transaction) => (isStep(transaction) ? { annotations: isolateHistory.of("full") } : null)),
  ];
}

function isStep(transaction: Transaction): boolean {
  // Other people's edits come between two keystrokes all the time, and must not part them.
  if (!transaction.docChanged || transaction.annotation(Transaction.addToHistory) === false) return false;
  if (transaction.annotation(isolateHistory) !== undefined) return false;
  // Enter is "input" and nothing more.
  const event = transaction.annotation(Transaction.userEvent);
  return event !== "input" && !GOES_ON.some((one) => transaction.isUserEvent(one));
}
