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

/** The edits that make `before` into `after`, ascending and disjoint: those of lines that both have, once
 *  each, stay as they are, so a caret between two changes does too. None is inside a surrogate pair. */
export function difference(before: string, after: string): Edit[] {
  const edits: Edit[] = [];
  let [from, to] = [0, 0];
  for (const common of [...commonLines(before, after), { before: before.length, after: after.length, length: 0 }]) {
    const edit = replacement(before.slice(from, common.before), after.slice(to, common.after));
    if (edit) edits.push({ ...edit, at: from + edit.at });
    from = common.before + common.length;
    to = common.after + common.length;
  }
  return edits;
}

/** A line that stands in both texts, and where. */
interface Common {
  readonly before: number;
  readonly after: number;
  readonly length: number;
}

/** Lines that each text has once, with their ends: the longest series of them that is in the same order
 *  in both. */
function commonLines(before: string, after: string): readonly Common[] {
  const mine = onlyLines(before);
  const both: Common[] = [];
  for (const [line, at] of onlyLines(after)) {
    const there = mine.get(line);
    if (there !== undefined && at !== undefined) both.push({ before: there, after: at, length: line.length });
  }
  // They ascend in `after`. The last of the best series of each length so far, and who came before it.
  const best: number[] = [];
  const previous: number[] = [];
  for (const [i, { before: place }] of both.entries()) {
    let low = 0;
    let high = best.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((both[best[middle] ?? 0]?.before ?? 0) < place) low = middle + 1;
      else high = middle;
    }
    previous[i] = best[low - 1] ?? -1;
    best[low] = i;
  }
  const series: Common[] = [];
  for (let i = best.at(-1) ?? -1; i >= 0; i = previous[i] ?? -1) {
    const one = both[i];
    if (one) series.push(one);
  }
  return series.reverse();
}

/** Where each line begins; `undefined` for those that come twice. Lines have their "\n". */
function onlyLines(text: string): Map<string, number | undefined> {
  const lines = new Map<string, number | undefined>();
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at) + 1 || text.length;
    const line = text.slice(at, end);
    lines.set(line, lines.has(line) ? undefined : at);
    at = end;
  }
  return lines;
}

/** One edit, as small as a common beginning and end allow; none when the texts are equal. */
function replacement(before: string, after: string): Edit | undefined {
  if (before === after) return undefined;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  if (isHighSurrogate(before, start - 1)) start -= 1;
  let end = 0;
  while (end < shorter - start && before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)) end += 1;
  if (end > 0 && isHighSurrogate(before, before.length - end - 1)) end -= 1;
  return { at: start, delete: before.length - start - end, insert: after.slice(start, after.length - end) };
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
