/**
 * From what people say of themselves to carets in texts: looks their positions up and hands them
 * on, once per frame however many messages came. Must not know the editor.
 */
import type { Disposable } from "../dom.js";
import type { Place } from "../wasm/collab_wasm.js";
import type { Caret, CaretChange, Range } from "./carets.js";
import type { Peer } from "./peers.js";

/** When nobody typed for this long every position is looked up again, in milliseconds: moving with
 *  the text is right but for text deleted and brought back around a caret. */
const SETTLE_MS = 500;

export interface CaretFeedOptions {
  readonly peers: () => readonly Peer[];
  readonly resolve: (positions: readonly unknown[]) => readonly (Place | undefined)[];
  /** For the editor state of this file, if there is one. */
  readonly show: (file: string, changes: readonly CaretChange[]) => void;
  /** Somebody is in another place now (asked at most once per frame). */
  readonly moved: () => void;
}

/** Where somebody is; as of the last time they said so. */
export interface Whereabouts {
  readonly file: string;
  /** Of their main caret; `undefined` while they have none. */
  readonly offset: number | undefined;
}

export interface CaretFeed extends Disposable {
  /** This person came, went, or said something new. */
  peer(replica: number): void;
  /** Others edited a text: call after it is in the editor. */
  textChanged(): void;
  /** Looks everybody up again: a text was replaced. */
  again(): void;
  /** Everybody's carets in one file, for an editor state that is new. */
  inFile(file: string): readonly CaretChange[];
  whereabouts(replica: number): Whereabouts | undefined;
}

export function createCaretFeed(options: CaretFeedOptions): CaretFeed {
  const places = new Map<number, Whereabouts>();
  /** By replica: whether they said something themselves. */
  const due = new Map<number, boolean>();
  /** Whose positions were not found: what they refer to has yet to come. */
  const waiting = new Set<number>();
  let frame: number | undefined;
  let settling: ReturnType<typeof setTimeout> | undefined;

  function soon(replica: number, said: boolean): void {
    due.set(replica, said || (due.get(replica) ?? false));
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      flush();
    });
  }

  function flush(): void {
    const here = new Map(options.peers().map((peer) => [peer.replica, peer]));
    const changes = new Map<string, CaretChange[]>();
    const change = (file: string, one: CaretChange) => {
      const list = changes.get(file);
      if (list) list.push(one);
      else changes.set(file, [one]);
    };
    const asked = [...due];
    due.clear();
    const found = lookUp(asked.flatMap(([replica]) => here.get(replica) ?? []), options.resolve);
    for (const [replica, said] of asked) {
      const before = places.get(replica);
      const peer = here.get(replica);
      const now = peer && found.get(replica);
      waiting.delete(replica);
      if (peer?.cursor && now?.ranges === undefined) waiting.add(replica);
      const file = now?.file ?? peer?.file ?? (peer?.cursor ? before?.file : undefined);
      if (before && before.file !== file) change(before.file, { replica, caret: undefined });
      if (peer && file !== undefined) {
        change(file, { replica, caret: peer.cursor ? caretOf(peer, now?.ranges) : undefined, unmoved: !said });
        places.set(replica, { file, offset: now?.ranges?.[0]?.head ?? (peer.cursor ? before?.offset : undefined) });
      } else {
        places.delete(replica);
      }
    }
    for (const [file, list] of changes) options.show(file, list);
    options.moved();
  }

  function again(): void {
    for (const { replica } of options.peers()) soon(replica, false);
  }

  return {
    peer: (replica) => soon(replica, true),
    textChanged() {
      for (const replica of waiting) soon(replica, false);
      clearTimeout(settling);
      settling = setTimeout(again, SETTLE_MS);
    },
    again,
    inFile(file) {
      const peers = options.peers().filter((peer) => peer.cursor);
      const found = lookUp(peers, options.resolve);
      return peers.flatMap((peer): CaretChange[] => {
        const at = found.get(peer.replica);
        return at?.file === file ? [{ replica: peer.replica, caret: caretOf(peer, at.ranges), unmoved: true }] : [];
      });
    },
    whereabouts: (replica) => places.get(replica),
    dispose() {
      if (frame !== undefined) cancelAnimationFrame(frame);
      clearTimeout(settling);
    },
  };
}

interface Found {
  readonly file: string;
  readonly ranges: readonly Range[];
}

/** Where these people's carets are, in one question. The main caret decides the file. */
function lookUp(peers: readonly Peer[], resolve: CaretFeedOptions["resolve"]): ReadonlyMap<number, Found> {
  const asked = peers.flatMap(({ replica, cursor, ranges }) => (cursor ? [{ replica, all: [cursor, ...ranges] }] : []));
  const places = resolve(asked.flatMap(({ all }) => all.flatMap(({ anchor, head }) => [anchor, head])));
  const found = new Map<number, Found>();
  let next = 0;
  for (const { replica, all } of asked) {
    const pairs = all.map((_, i) => [places[next + 2 * i], places[next + 2 * i + 1]] as const);
    next += 2 * all.length;
    const file = pairs[0]?.[1]?.file;
    if (file === undefined || pairs[0]?.[0]?.file !== file) continue;
    const ranges = pairs.flatMap(([anchor, head]) =>
      anchor?.file === file && head?.file === file ? [{ anchor: anchor.offset, head: head.offset }] : [],
    );
    found.set(replica, { file, ranges });
  }
  return found;
}

function caretOf({ replica, name, color, idle }: Peer, ranges: readonly Range[] | undefined): Caret {
  return { replica, name, color, idle, ranges };
}
