/** Who else is here, from what they say of themselves. What they say is anything at all: here it
 *  becomes a `Peer` or nothing. Must not know the editor or the screen. */
import { cleanName, colorFor } from "./identity.js";

/** One other replica in the room. */
export interface Peer {
  readonly replica: number;
  readonly name: string;
  /** `#rrggbb`. */
  readonly color: string;
  /** Both ends of their selection, as relative positions not yet looked at; absent while they
   *  have no caret in the text. */
  readonly cursor: { readonly anchor: unknown; readonly head: unknown } | undefined;
}

const ANONYMOUS = "Guest";

/** Reads a presence entry, `{"user": {name, color}, "cursor": {anchor, head}}` as y-codemirror and
 *  other Yjs editors write it. `undefined` when it is not an object at all. */
export function readPeer(replica: number, json: string): Peer | undefined {
  let state: unknown;
  try {
    state = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isRecord(state)) return undefined;
  const user = isRecord(state["user"]) ? state["user"] : {};
  const cursor = isRecord(state["cursor"]) ? state["cursor"] : undefined;
  const { name, color } = user;
  return {
    replica,
    name: (typeof name === "string" ? cleanName(name) : undefined) ?? ANONYMOUS,
    color: typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color) ? color.toLowerCase() : colorFor(replica),
    cursor: cursor && isRecord(cursor["anchor"]) && isRecord(cursor["head"])
      ? { anchor: cursor["anchor"], head: cursor["head"] }
      : undefined,
  };
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

  /** In an order that does not change while people stay. */
  list(): readonly Peer[] {
    return [...this.byReplica.values()];
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
