/**
 * A file's changes one after the other, as `replay` plays them: each in a few bytes, with the whole
 * text kept now and then, so that any moment is near one that is known. Must not know where the
 * changes come from, nor how they are shown.
 */
import { Text } from "@codemirror/state";
import { type Author, authorAt, type Change, type ReplayHead, type Replacement, Unreadable } from "./answers.js";

/** Most changes of one tape; what comes after them is not played. */
export const MAX_CHANGES = 1_000_000;

/** Most UTF-16 code units that the changes of one tape insert; what comes after them is not played. */
const MAX_INSERTED = 128 * 1_048_576;

/** So many changes lie between two texts that are kept, at first. At 2 to 4 µs each a text between
 *  them is there in less than 10 ms. */
const KEYFRAME_CHANGES = 2_048;

/** Most texts that are kept; when there are more, every second one goes. They share what is the same
 *  in them, so all together take little more than one. */
const MAX_KEYFRAMES = 256;

/** A pause is played for so long at most, in milliseconds. */
const LONGEST_PAUSE_MS = 1_000;

/** A list of numbers that grows. */
class Column<A extends Float64Array | Uint32Array> {
  length = 0;

  constructor(
    private values: A,
    private readonly make: (length: number) => A,
  ) {}

  push(value: number): void {
    if (this.length === this.values.length) {
      const more = this.make(this.length * 2);
      more.set(this.values);
      this.values = more;
    }
    this.values[this.length] = value;
    this.length += 1;
  }

  /** 0 where there is nothing. */
  at(index: number): number {
    return this.values[index] ?? 0;
  }
}

const floats = () => new Column(new Float64Array(1_024), (length) => new Float64Array(length));
const whole = () => new Column(new Uint32Array(1_024), (length) => new Uint32Array(length));

export class Tape {
  readonly authors: readonly Author[];
  /** When it ends early, why. */
  cut: string | undefined;

  private most: number;
  private all = false;
  private readonly begin: number;
  /** By change: milliseconds since the beginning, as it was and as it is played; who; and where its
   *  replacements end. */
  private readonly times = floats();
  private readonly played = floats();
  private readonly writers = whole();
  private readonly ends = whole();
  /** By replacement. */
  private readonly offsets = whole();
  private readonly removals = whole();
  private readonly insertions: string[] = [];
  private inserted = 0;

  private keyframes: Text[];
  private spacing = KEYFRAME_CHANGES;
  /** The text after all changes so far. */
  private head: Text;
  /** The text that was asked for last. */
  private last: { readonly at: number; readonly text: Text };

  constructor({ from, text, authors, changes }: ReplayHead) {
    this.begin = from;
    this.authors = authors;
    this.most = Math.min(changes, MAX_CHANGES);
    this.head = Text.of(text.split("\n"));
    this.keyframes = [this.head];
    this.last = { at: 0, text: this.head };
  }

  /** How many changes it has. */
  get length(): number {
    return this.ends.length;
  }

  /** How many changes it will have: at most, as long as not all are here. */
  get expected(): number {
    return Math.max(this.most, this.length);
  }

  /** Whether all are here. */
  get ended(): boolean {
    return this.all;
  }

  /** That was all, and so many. */
  end(changes: number): void {
    if (changes !== this.length) throw new Unreadable("a number of changes");
    this.most = changes;
    this.all = true;
  }

  /** Takes the next change; whether there was room for it. Throws when it does not fit the text. */
  push({ after, author, replacements }: Change): boolean {
    let more = 0;
    for (const { inserted } of replacements) more += inserted.length;
    if (this.length >= MAX_CHANGES || this.inserted + more > MAX_INSERTED) {
      this.cut = "There are more changes than this page can play. Replay from a later version to see the rest.";
      return false;
    }
    for (const one of replacements) {
      if (one.at + one.removed > this.head.length) throw new Unreadable("a change outside of the text");
      this.head = applied(this.head, one);
      this.offsets.push(one.at);
      this.removals.push(one.removed);
      this.insertions.push(one.inserted);
    }
    this.inserted += more;
    const before = this.length - 1;
    this.times.push((before < 0 ? 0 : this.times.at(before)) + after);
    this.played.push((before < 0 ? 0 : this.played.at(before)) + Math.min(after, LONGEST_PAUSE_MS));
    this.writers.push(Math.min(author, 0xffff_ffff));
    this.ends.push(this.offsets.length);
    if (this.length % this.spacing === 0) this.keep();
    return true;
  }

  private keep(): void {
    this.keyframes.push(this.head);
    if (this.keyframes.length <= MAX_KEYFRAMES) return;
    this.keyframes = this.keyframes.filter((_, i) => i % 2 === 0);
    this.spacing *= 2;
  }

  /** The text after so many changes. */
  textAt(count: number): Text {
    const wanted = Math.min(Math.max(count, 0), this.length);
    const frame = Math.floor(wanted / this.spacing);
    let at = frame * this.spacing;
    let text = this.keyframes[frame];
    if (text === undefined || (this.last.at <= wanted && this.last.at >= at)) ({ at, text } = this.last);
    for (; at < wanted; at += 1) {
      for (const one of this.replacements(at)) text = applied(text, one);
    }
    this.last = { at: wanted, text };
    return text;
  }

  /** What a change did, each in the text after those before it. */
  replacements(change: number): Replacement[] {
    const found: Replacement[] = [];
    for (let i = change > 0 ? this.ends.at(change - 1) : 0; i < this.ends.at(change); i += 1) {
      found.push({ at: this.offsets.at(i), removed: this.removals.at(i), inserted: this.insertions[i] ?? "" });
    }
    return found;
  }

  /** Who made a change, as a number that `authorAt` knows. */
  writer(change: number): number {
    return this.writers.at(change);
  }

  authorAt(writer: number): Author {
    return authorAt(this.authors, writer);
  }

  author(change: number): Author {
    return this.authorAt(this.writer(change));
  }

  /** How much a change wrote and took away, in UTF-16 code units. */
  size(change: number): { readonly inserted: number; readonly removed: number } {
    let inserted = 0;
    let removed = 0;
    for (let i = change > 0 ? this.ends.at(change - 1) : 0; i < this.ends.at(change); i += 1) {
      inserted += this.insertions[i]?.length ?? 0;
      removed += this.removals.at(i);
    }
    return { inserted, removed };
  }

  /** When the text was as it is after so many changes, in milliseconds since 1970. */
  timeAt(count: number): number {
    return this.begin + (count > 0 ? this.times.at(Math.min(count, this.length) - 1) : 0);
  }

  /** How long it takes to play so many changes, in milliseconds. */
  playedAt(count: number): number {
    return count > 0 ? this.played.at(Math.min(count, this.length) - 1) : 0;
  }

  /** How many changes are played after so many milliseconds. */
  countAt(playedMs: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.played.at(middle) <= playedMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function applied(text: Text, { at, removed, inserted }: Replacement): Text {
  return text.replace(at, at + removed, Text.of(inserted.split("\n")));
}
