/**
 * Other people's carets and selections in an editor: where they are, and which show a name. Must
 * not know where they come from, nor how they look (`caret-layers`).
 *
 * Positions are set from outside whenever they are known anew, and move with the text in between,
 * so a caret never jumps while the network is slow.
 */
import {
  type ChangeDesc,
  type EditorState,
  type Extension,
  StateEffect,
  StateField,
  Transaction,
} from "@codemirror/state";

/** One selection, in offsets of this text. */
export interface Range {
  readonly anchor: number;
  readonly head: number;
}

/** One person's carets in this text. */
export interface Caret {
  readonly replica: number;
  readonly name: string;
  readonly color: string;
  readonly idle: boolean;
  /** The main one first. `undefined` when it is not known yet where they are (what they say of the
   *  text came before the text): they stay where they were. */
  readonly ranges: readonly Range[] | undefined;
}

export interface CaretChange {
  readonly replica: number;
  /** `undefined` when they have no caret in this text (any more). */
  readonly caret: Caret | undefined;
  /** They did not act: it was only looked up again. */
  readonly unmoved?: boolean;
}

/** Says anew where these people are; the others stay as they are. */
export const changeCarets = StateEffect.define<readonly CaretChange[]>();

/** Draws attention to one person's caret, by replica. */
export const flashCaret = StateEffect.define<number>();

/** How long a name stays after its owner did something, in milliseconds. */
export const LABEL_MS = 2_000;

/** A caret as the editor keeps it. */
export interface ShownCaret extends Caret {
  readonly ranges: readonly Range[];
  /** Until when the name is shown, on `Date.now`'s clock. */
  readonly labelUntil: number;
  /** How often its owner moved it. What moves without that moves with the text. */
  readonly moves: number;
  /** Until when it is shown to somebody who asked for it, on the same clock. */
  readonly flashedUntil: number;
}

const carets = StateField.define<readonly ShownCaret[]>({
  create: () => [],
  update(shown, transaction) {
    let next = shown;
    if (transaction.docChanged && next.length > 0) next = moved(next, transaction);
    for (const effect of transaction.effects) {
      if (effect.is(changeCarets)) next = merged(next, effect.value, transaction.newDoc.length);
      else if (effect.is(flashCaret)) next = flashed(next, effect.value);
    }
    return next;
  },
});

/** Everybody's carets as they are now, by replica. */
export function caretsIn(state: EditorState): readonly ShownCaret[] {
  return state.field(carets, false) ?? [];
}

/** Keeps carets in a state; `caret-layers` draws them. */
export const caretField: Extension = carets;

function moved(shown: readonly ShownCaret[], transaction: Transaction): readonly ShownCaret[] {
  const { changes } = transaction;
  // Who types is not told: their caret stays with what follows it. But they are seen to.
  const touched = transaction.annotation(Transaction.remote) ? ends(changes) : undefined;
  return shown.map((caret) => {
    const ranges = caret.ranges.map((range) => ({
      anchor: changes.mapPos(range.anchor, 1),
      head: changes.mapPos(range.head, 1),
    }));
    const typed = touched?.has(ranges[0]?.head ?? -1) ?? false;
    return { ...caret, ranges, labelUntil: typed ? Date.now() + LABEL_MS : caret.labelUntil };
  });
}

/** Where each change ends, in the text after it. */
function ends(changes: ChangeDesc): ReadonlySet<number> {
  const places = new Set<number>();
  changes.iterChangedRanges((_fromA, _toA, _fromB, toB) => places.add(toB), true);
  return places;
}

function merged(before: readonly ShownCaret[], changes: readonly CaretChange[], length: number): readonly ShownCaret[] {
  const after = new Map(before.map((caret) => [caret.replica, caret]));
  for (const { replica, caret, unmoved } of changes) {
    const old = after.get(replica);
    const ranges = caret?.ranges?.map(({ anchor, head }) => ({ anchor: Math.min(anchor, length), head: Math.min(head, length) })) ?? old?.ranges;
    if (!caret || !ranges || ranges.length === 0) {
      after.delete(replica);
      continue;
    }
    const acted =
      !old || (!unmoved && !isSame(old.ranges, ranges)) || old.name !== caret.name || (old.idle && !caret.idle);
    after.set(replica, {
      ...caret,
      ranges,
      labelUntil: acted ? Date.now() + LABEL_MS : old.labelUntil,
      moves: (old?.moves ?? 0) + (acted ? 1 : 0),
      flashedUntil: old?.flashedUntil ?? 0,
    });
  }
  // Always in one order, so that what is drawn is found again.
  return [...after.values()].sort((a, b) => a.replica - b.replica);
}

function flashed(shown: readonly ShownCaret[], replica: number): readonly ShownCaret[] {
  return shown.map((caret) =>
    caret.replica === replica ? { ...caret, flashedUntil: Date.now() + LABEL_MS } : caret,
  );
}

function isSame(a: readonly Range[], b: readonly Range[]): boolean {
  return a.length === b.length && a.every((range, i) => range.anchor === b[i]?.anchor && range.head === b[i]?.head);
}
