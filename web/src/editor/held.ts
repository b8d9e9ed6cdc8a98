/**
 * Others' edits in the line in which an input method is composing. Browsers end a composition when
 * the text around it is replaced, so they wait until it is over; meanwhile the editor is behind the
 * document, and what the person does in it is told to the document in the document's own offsets.
 * Must not know how either takes edits, nor who is composing.
 */
import type { ChangeSet } from "@codemirror/state";
import type { Edit } from "../wasm/collab_wasm.js";
import { changeSet, editsOf } from "./early.js";

export class HeldEdits {
  /** From what the editor shows to what the document has. */
  private changes: ChangeSet | undefined;

  get isEmpty(): boolean {
    return this.changes === undefined;
  }

  /** Others did this to the document; the editor shows `shown` UTF-16 code units. */
  hold(edits: readonly Edit[], shown: number): void {
    if (this.changes) this.changes = this.changes.compose(changeSet(edits, this.changes.newLength));
    else this.changes = changeSet(edits, shown);
  }

  /** The person did this to what the editor shows: the same for the document. */
  own(edits: readonly Edit[]): readonly Edit[] {
    if (!this.changes) return edits;
    const own = changeSet(edits, this.changes.length);
    // Where both inserted at one place: what is added to a composition goes on behind it, so it
    // stands before the others' there; what replaces one stays behind what others put before it.
    const adds = edits.every((edit) => edit.delete === 0);
    const told = own.map(this.changes, adds);
    this.changes = this.changes.map(own, !adds);
    return editsOf(told);
  }

  /** What the editor has to catch up with. */
  release(): readonly Edit[] {
    const edits = this.changes ? editsOf(this.changes) : [];
    this.changes = undefined;
    return edits;
  }
}
