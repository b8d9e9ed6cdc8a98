/** Refuses what is too much for one edit, before it is in the text. Must not know who takes the rest. */
import { EditorState, type Extension, Transaction } from "@codemirror/state";
import { remote } from "./remote.js";

/** What one edit of the person may insert, in UTF-8 bytes. It may be more than the server takes in one
 *  message (the client divides it), but a page holds it several times over until it is sent. */
export const MAX_INSERT_BYTES = 32 * 1024 * 1024;

/** The most bytes that one UTF-16 code unit becomes. */
const BYTES_PER_UNIT = 3;

/** Refuses a larger one, and says so with its size in bytes. */
export function limitInserts(refused: (bytes: number) => void): Extension {
  return EditorState.changeFilter.of((transaction) => {
    if (!transaction.docChanged || transaction.annotation(remote)) return true;
    let units = 0;
    transaction.changes.iterChanges((_from, _to, fromNew, toNew) => {
      units += toNew - fromNew;
    });
    if (units * BYTES_PER_UNIT <= MAX_INSERT_BYTES) return true;
    const bytes = insertedBytes(transaction);
    if (bytes <= MAX_INSERT_BYTES) return true;
    // Not while the editor is in the middle of a transaction.
    queueMicrotask(() => refused(bytes));
    return false;
  });
}

function insertedBytes(transaction: Transaction): number {
  const encoder = new TextEncoder();
  let bytes = 0;
  transaction.changes.iterChanges((_from, _to, _fromNew, _toNew, inserted) => {
    for (let piece = inserted.iter(); !piece.next().done; ) bytes += encoder.encode(piece.value).length;
  });
  return bytes;
}
