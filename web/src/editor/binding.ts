/**
 * The person's side of an editor: CodeMirror transaction → `Edit` list. Must not know where the
 * edits go, nor how other people's come in (`remote`), except by the mark they carry.
 *
 * Offsets are the same on both sides because the editor is told that only "\n" ends a line
 * (`plainOffsets`): a "\r" in a text made elsewhere stays a character that counts.
 */
import { EditorState, type Extension, type Text, Transaction, type TransactionSpec } from "@codemirror/state";
import { EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Edit } from "../wasm/collab_wasm.js";
import { remote } from "./remote.js";

/** Makes CodeMirror count as the document does, and brings pasted line ends to "\n". */
export const plainOffsets: Extension = [
  EditorState.lineSeparator.of("\n"),
  EditorView.clipboardInputFilter.of((text) => text.replace(/\r\n?/g, "\n")),
];

/** A transaction's changes, as edits of the text before it: ascending and disjoint. */
export function editsOf(transaction: Transaction): Edit[] {
  const edits: Edit[] = [];
  transaction.changes.iterChanges((from, to, _fromNew, _toNew, inserted) => {
    edits.push({ at: from, delete: to - from, insert: inserted.sliceString(0, inserted.length, "\n") });
  });
  return edits;
}

/** Hands the person's edits on, transaction by transaction, before anything else can happen. */
export function reportEdits(report: (edits: readonly Edit[]) => void): Extension {
  return [
    wholeCharacters,
    ViewPlugin.define(() => ({
      update(update: ViewUpdate) {
        for (const transaction of update.transactions) {
          if (transaction.docChanged && !transaction.annotation(remote)) report(editsOf(transaction));
        }
      },
    })),
  ];
}

/**
 * The document's text is Unicode: half a surrogate pair cannot be stored in it. A transaction
 * that would leave one (a broken paste, an input method that deletes by code unit) is widened so
 * that it replaces the whole character, and each lone half becomes U+FFFD.
 */
export const wholeCharacters = EditorState.transactionFilter.of((transaction) => {
  if (!transaction.docChanged || transaction.annotation(remote)) return transaction;
  const before = transaction.startState.doc;
  const edits = editsOf(transaction);
  const whole = widened(before, edits);
  if (whole === edits) return transaction;
  const userEvent = transaction.annotation(Transaction.userEvent);
  const spec: TransactionSpec = {
    changes: whole.map(({ at, delete: units, insert }) => ({ from: at, to: at + units, insert })),
    scrollIntoView: transaction.scrollIntoView,
    effects: transaction.effects,
    ...(userEvent === undefined ? {} : { userEvent }),
  };
  return spec;
});

/** The edits with no boundary inside a surrogate pair and nothing but whole characters in them;
 *  the very same array when that is so already. */
export function widened(before: Text, edits: Edit[]): Edit[] {
  if (edits.every((edit) => isWhole(before, edit))) return edits;
  // No two can meet in one pair: CodeMirror joins changes that touch.
  return edits.map((edit) => {
    let { at, insert } = edit;
    let end = at + edit.delete;
    if (splitsPair(before, at)) {
      at -= 1;
      insert = before.sliceString(at, at + 1) + insert;
    }
    if (splitsPair(before, end)) {
      insert += before.sliceString(end, end + 1);
      end += 1;
    }
    return { at, delete: end - at, insert: insert.toWellFormed() };
  });
}

function isWhole(text: Text, edit: Edit): boolean {
  return !splitsPair(text, edit.at) && !splitsPair(text, edit.at + edit.delete) && edit.insert.isWellFormed();
}

function splitsPair(text: Text, offset: number): boolean {
  if (offset <= 0 || offset >= text.length) return false;
  const around = text.sliceString(offset - 1, offset + 1);
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(around);
}
