/**
 * A text that is on the screen before its document is here: it was painted from the server's
 * answer over HTTP, and may have been edited since. Must not know where either comes from.
 *
 * Both the edits made meanwhile and the document's own text start from what was painted, so they
 * are two concurrent changes of one text, and CodeMirror knows how to bring them together
 * (`ChangeSet.map`): others' changes go into the editor, and the person's go into the document.
 */
import { ChangeSet, Text } from "@codemirror/state";
import type { Edit } from "../wasm/collab_wasm.js";

/** Edits made to a painted text, until `attach`. */
export class EarlyEdits {
  private changes: ChangeSet;

  constructor(private readonly painted: Text) {
    this.changes = ChangeSet.empty(painted.length);
  }

  /** One transaction's edits; offsets as in the text before it. */
  add(edits: readonly Edit[]): void {
    this.changes = this.changes.compose(changeSet(edits, this.changes.newLength));
  }

  get isEmpty(): boolean {
    return this.changes.empty;
  }

  /**
   * Brings the editor and a document together. `remote` goes into the editor, `own` into the
   * document; after both, they have the same text.
   */
  attach(document: string): { readonly remote: readonly Edit[]; readonly own: readonly Edit[] } {
    const theirs = changeSet(difference(this.painted.sliceString(0, undefined, "\n"), document), this.painted.length);
    // Where both inserted at one place, the document's text stands first on both sides.
    return { remote: editsOf(theirs.map(this.changes, true)), own: editsOf(this.changes.map(theirs)) };
  }
}

/** The edit that makes `before` into `after`, as small as a common beginning and end allow, and
 *  never inside a surrogate pair; none when they are equal. */
export function difference(before: string, after: string): Edit[] {
  if (before === after) return [];
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  if (isHighSurrogate(before, start - 1)) start -= 1;
  let end = 0;
  while (end < shorter - start && before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)) end += 1;
  if (end > 0 && isHighSurrogate(before, before.length - end - 1)) end -= 1;
  return [{ at: start, delete: before.length - start - end, insert: after.slice(start, after.length - end) }];
}

function isHighSurrogate(text: string, at: number): boolean {
  return at >= 0 && (text.charCodeAt(at) & 0xfc00) === 0xd800;
}

/** Edits as one change of a text of so many code units. */
export function changeSet(list: readonly Edit[], length: number): ChangeSet {
  return ChangeSet.of(
    list.map(({ at, delete: units, insert }) => ({ from: at, to: at + units, insert: Text.of(insert.split("\n")) })),
    length,
  );
}

/** The other way: ascending and disjoint. */
export function editsOf(changes: ChangeSet): Edit[] {
  const list: Edit[] = [];
  changes.iterChanges((from, to, _fromNew, _toNew, inserted) => {
    list.push({ at: from, delete: to - from, insert: inserted.sliceString(0, undefined, "\n") });
  });
  return list;
}
