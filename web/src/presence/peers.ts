/** Who else is here, from what they say of themselves. What they say is anything at all: here it
 *  becomes a `Peer` or nothing. Must not know the editor or the screen. */
import { type Ends, FILE_ID, MAX_ENTRY_LENGTH, MAX_FURTHER_RANGES, TAB_ID } from "./entry.js";
import { cleanName, colorFor } from "./identity.js";

/** One other replica in the room. Positions are relative ones, not yet looked at. */
export interface Peer {
  readonly replica: number;
  readonly name: string;
  /** `#rrggbb`. */
  readonly color: string;
  /** The tab behind it, the same after a reload; other Yjs editors do not say. */
  readonly id: string | undefined;
  /** Since when they are here, in milliseconds since 1970 by their clock; 0 when they do not say. */
  readonly since: number;
  /** The file they look at; `undefined` when they do not say. */
  readonly file: string | undefined;
  /** Both ends of their main selection; absent while they have no caret in the text. */
  readonly cursor: Ends | undefined;
  /** Their other selections. */
  readonly ranges: readonly Ends[];
  readonly idle: boolean;
  /** The replica whose view they follow. */
  readonly following: number | undefined;
  /** The middle of what they see; said only while somebody follows them. */
  readonly view: unknown;
}

const ANONYMOUS = "Guest";

/** Reads a presence entry: `{"user": {name, color}, "cursor": {anchor, head}}` as y-codemirror and
 *  other Yjs editors write it, and what `writeEntry` adds. `undefined` when it is not an object. */
export function readPeer(replica: number, json: string): Peer | undefined {
  if (json.length > MAX_ENTRY_LENGTH) return undefined;
  let state: unknown;
  try {
    state = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isRecord(state)) return undefined;
  const user = isRecord(state["user"]) ? state["user"] : {};
  const { name, color, id, since } = user;
  const { cursor, file, ranges, idle, following, view } = state;
  return {
    replica,
    name: (typeof name === "string" ? cleanName(name) : undefined) ?? ANONYMOUS,
    color: typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color) ? color.toLowerCase() : colorFor(replica),
    id: typeof id === "string" && TAB_ID.test(id) ? id : undefined,
    since: isCount(since) ? since : 0,
    file: typeof file === "string" && FILE_ID.test(file) ? file : undefined,
    cursor: isRecord(cursor) ? ends(cursor["anchor"], cursor["head"]) : undefined,
    ranges: Array.isArray(ranges) ? ranges.slice(0, MAX_FURTHER_RANGES).flatMap(furtherRange) : [],
    idle: idle === true,
    following: isCount(following) && following !== replica ? following : undefined,
    view: isRecord(view) ? view : undefined,
  };
}

/** `[caret]` or `[anchor, head]`. */
function furtherRange(range: unknown): Ends[] {
  if (!Array.isArray(range)) return [];
  const [anchor, head = anchor] = range as readonly unknown[];
  const both = ends(anchor, head);
  return both ? [both] : [];
}

function ends(anchor: unknown, head: unknown): Ends | undefined {
  return isRecord(anchor) && isRecord(head) ? { anchor, head } : undefined;
}

/** The peers of a room, by replica. */
export class Peers {
  private readonly byReplica = new Map<number, Peer>();

  /** Takes one presence entry, `undefined` when its owner is gone. Tells who that was before. */
  update(replica: number, json: string | undefined): { readonly before: Peer | undefined; readonly after: Peer | undefined } {
    const before = this.byReplica.get(replica);
    const after = json === undefined ? undefined : readPeer(replica, json);
    if (after) this.byReplica.set(replica, after);
    else this.byReplica.delete(replica);
    return { before, after };
  }

  get(replica: number): Peer | undefined {
    return this.byReplica.get(replica);
  }

  /** In an order that does not change while people stay. */
  list(): readonly Peer[] {
    return [...this.byReplica.values()];
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
