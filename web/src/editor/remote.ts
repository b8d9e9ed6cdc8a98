/** Other people's side of an editor: `Edit` list → one CodeMirror transaction. Must not know how
 *  the person's own edits leave. */
import { Annotation, Transaction, type TransactionSpec } from "@codemirror/state";
import type { Edit } from "../wasm/collab_wasm.js";

/** Marks a transaction that brings in what others did: it is not reported as ours. */
export const remote = Annotation.define<boolean>();

/**
 * The transaction for one turn of other people's edits. It stays out of the undo history, so that
 * Ctrl+Z undoes the person's own edits only, and past every filter, because it has happened.
 */
export function remoteTransaction(edits: readonly Edit[]): TransactionSpec {
  return {
    changes: edits.map(({ at, delete: units, insert }) => ({ from: at, to: at + units, insert })),
    annotations: [remote.of(true), Transaction.addToHistory.of(false), Transaction.remote.of(true)],
    filter: false,
  };
}
