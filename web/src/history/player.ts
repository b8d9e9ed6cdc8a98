/** Where a replay is, and how it goes on: play, pause, step, speed. Must not look at a clock, nor know
 *  how the text is shown. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Tape } from "./tape.js";

/** How many times faster than it was written, pauses aside. */
export const SPEEDS: readonly number[] = [1, 4, 16, 64, 256];

/** Changes that a large step goes. */
export const LARGE_STEP = 100;

export interface Player {
  /** How many changes of the tape are in the text. */
  readonly position: ReadonlySignal<number>;
  readonly playing: ReadonlySignal<boolean>;
  readonly speed: ReadonlySignal<number>;
  /** Starts, from the beginning when it is at the end; or stops. */
  toggle(): void;
  /** Goes to a place; playing goes on from there. */
  seek(position: number): void;
  /** Goes so many changes on, or back, and stops. */
  step(changes: number): void;
  setSpeed(speed: number): void;
  /** So much time has passed, in milliseconds. */
  passed(ms: number): void;
}

export function createPlayer(tape: Tape): Player {
  const position = signal(0);
  const playing = signal(false);
  const speed = signal(SPEEDS[0] ?? 1);
  /** How much has been played, in milliseconds of the tape. */
  let played = 0;

  function seek(wanted: number): void {
    const to = Math.min(Math.max(Math.trunc(wanted), 0), tape.length);
    position.value = to;
    played = tape.playedAt(to);
  }

  return {
    position,
    playing,
    speed,
    toggle() {
      if (!playing.peek() && position.peek() === tape.length) seek(0);
      playing.value = !playing.peek() && tape.expected > 0;
    },
    seek,
    step(changes) {
      playing.value = false;
      seek(position.peek() + changes);
    },
    setSpeed: (wanted) => (speed.value = wanted),
    passed(ms) {
      if (!playing.peek()) return;
      // What is not here yet is waited for, not skipped.
      played = Math.min(played + ms * speed.peek(), tape.playedAt(tape.length));
      position.value = Math.max(position.peek(), tape.countAt(played));
      if (position.peek() === tape.length && (tape.length >= tape.expected || tape.cut !== undefined)) playing.value = false;
    },
  };
}
