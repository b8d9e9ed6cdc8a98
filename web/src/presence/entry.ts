/**
 * What a presence entry says, and how long it may be: the form that `publisher` writes and `peers`
 * reads. Must not know the editor or the network.
 *
 * `user` and `cursor` are as y-codemirror and its relatives have them, so that people in other
 * editors see ours. The rest is our own, and left out where it says nothing:
 *
 * | key | says |
 * |---|---|
 * | `user.id`, `user.since` | the tab (`identity`): the same after a reload |
 * | `file` | the file this person looks at |
 * | `ranges` | selections beside `cursor`: `[caret]` or `[anchor, head]` each |
 * | `idle` | `true` while nobody is at the keyboard |
 * | `following` | the replica whose view this person follows |
 * | `view` | the middle of what this person sees, while somebody follows them |
 */
import type { RelativePosition } from "../wasm/collab_wasm.js";
import type { Identity, Tab } from "./identity.js";

/** Longest entry as JSON, in bytes; the server drops longer ones (`MAX_PRESENCE_BYTES`). */
export const MAX_ENTRY_LENGTH = 4_096;

/** Selections beside the main one. The rest of a multi-selection is not shown to others. */
export const MAX_FURTHER_RANGES = 24;

/** What names a file; the server has the same rule. */
export const FILE_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** What may name a tab. */
export const TAB_ID = /^[\w-]{1,64}$/;

/** Both ends of a selection as somebody says: relative positions, not yet looked at. */
export interface Ends {
  readonly anchor: unknown;
  readonly head: unknown;
}

/** A selection as relative positions. */
export interface StickyRange {
  readonly anchor: RelativePosition;
  readonly head: RelativePosition;
}

export interface Entry {
  readonly identity: Identity;
  readonly tab: Tab;
  readonly file: string;
  /** The main one first; empty when there is no caret in the text. */
  readonly ranges: readonly StickyRange[];
  readonly idle: boolean;
  readonly following: number | undefined;
  readonly view: RelativePosition | undefined;
}

/** The entry as JSON, never longer than others take: selections are left out before anything else. */
export function writeEntry({ identity, tab, file, ranges, idle, following, view }: Entry): string {
  const [cursor = null, ...others] = ranges;
  const further = others.slice(0, MAX_FURTHER_RANGES).map(({ anchor, head }) => (isSame(anchor, head) ? [head] : [anchor, head]));
  const { name, color } = identity;
  const state = {
    user: { name, color, colorLight: `${color}33`, id: tab.id, since: tab.since },
    cursor: cursor && { anchor: cursor.anchor, head: cursor.head },
    file,
    idle: idle || undefined,
    following,
    view,
  };
  let json = JSON.stringify(state);
  let room = MAX_ENTRY_LENGTH - byteLength(json) - ',"ranges":[]'.length;
  const fitting = further.filter((range) => (room -= JSON.stringify(range).length + 1) >= 0);
  if (fitting.length > 0) json = JSON.stringify({ ...state, ranges: fitting });
  return json;
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function isSame(a: RelativePosition, b: RelativePosition): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
