/**
 * Brings an earlier text back as an edit like any other: the smallest change from what the person has
 * looked at, carried over what others have written since, so that their text stays. Must not know
 * where either text comes from.
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { ChangeSet, Text, type TransactionSpec } from "@codemirror/state";
import { type DiffConfig, presentableDiff } from "@codemirror/merge";

/** Bounds of the search for the smallest change: more changed code units in one stretch, or more
 *  milliseconds, and the rest of the stretch is replaced as a whole. */
const SEARCH: DiffConfig = { scanLimit: 2_000, timeout: 500 };

/** What happened to a text since somebody began to look at it. */
export class Since {
  private changes: ChangeSet;
  private readonly count = signal(0);

  constructor(
    /** The text as it was when they began. */
    readonly base: Text,
  ) {
    this.changes = ChangeSet.empty(base.length);
  }

  /** How many edits. */
  get edits(): ReadonlySignal<number> {
    return this.count;
  }

  add(edits: readonly ChangeSet[]): void {
    for (const edit of edits) this.changes = this.changes.compose(edit);
    this.count.value += edits.length;
  }

  /** A change of `base`, as one of the text as it is now. Where others wrote in the midst of what it
   *  removes, what they wrote stays. */
  carry(change: ChangeSet): ChangeSet {
    return change.map(this.changes);
  }
}

/** The smallest change that makes `before` into `after`. It never begins or ends inside a surrogate
 *  pair: a document cannot hold half of one. */
export function smallestChange(before: Text, after: string): ChangeSet {
  const old = before.sliceString(0, undefined, "\n");
  return ChangeSet.of(
    presentableDiff(old, after, SEARCH).map(({ fromA, toA, fromB, toB }) => {
      // What stands beside a change is the same in both texts, so both may be widened by it.
      const left = isPair(old, fromA) || isPair(after, fromB) ? 1 : 0;
      const right = isPair(old, toA) || isPair(after, toB) ? 1 : 0;
      const insert = Text.of(after.slice(fromB - left, toB + right).split("\n"));
      return { from: fromA - left, to: toA + right, insert };
    }),
    before.length,
  );
}

/** One step of the person's own: it is sent, and undone, like something they typed. */
export function restoring(change: ChangeSet): TransactionSpec {
  return { changes: change, userEvent: "restore", scrollIntoView: true };
}

/** Whether an offset lies between the two halves of a character. */
function isPair(text: string, at: number): boolean {
  return at > 0 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
