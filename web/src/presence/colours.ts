/**
 * Which colour each person has, so that no two look alike. Must not know the editor or the network.
 *
 * Everybody decides for themselves, from what they see of the others, and only ever gives way to
 * those who came before them. So the first one never moves, the second one moves until it differs
 * from the first, and so on: people settle in order of coming, and nobody is asked twice by
 * somebody who came later. There is no ping-pong.
 */
import { PALETTE } from "./identity.js";

/** One person's colour, and since when they are here. */
export interface Claim {
  readonly replica: number;
  /** `#rrggbb`. */
  readonly color: string;
  /** Milliseconds since 1970 by their own clock. 0 for those who do not say: other Yjs editors
   *  never give way, so we do. */
  readonly since: number;
}

/** The colour that `me` should have from now on: its own, unless somebody who came before has it;
 *  then a free one, as long as there is one. */
export function settleColor(me: Claim, others: readonly Claim[]): string {
  const same = others.filter((other) => other.color === me.color);
  if (!same.some((other) => isBefore(other, me))) return me.color;
  const taken = new Set(others.map((other) => other.color));
  const own = PALETTE.indexOf(me.color);
  const inOrder = PALETTE.map((_, i) => PALETTE[(own + 1 + i) % PALETTE.length] ?? me.color);
  const free = inOrder.filter((color) => !taken.has(color));
  // Several may have to move at once, and see the same free ones: each takes the one at its place
  // in their row, so that they seldom meet again.
  const place = same.filter((other) => isBefore(other, me)).length - 1;
  return free[place % Math.max(free.length, 1)] ?? me.color;
}

/** Whether `a` came before `b`; a total order, the same in every browser. */
function isBefore(a: Claim, b: Claim): boolean {
  return a.since !== b.since ? a.since < b.since : a.replica < b.replica;
}
