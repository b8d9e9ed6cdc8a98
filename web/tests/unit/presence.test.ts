/** What others say of themselves is anything at all. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanName, MAX_NAME_LENGTH, PALETTE } from "../../src/presence/identity.js";
import { MAX_ENTRY_LENGTH, writeEntry } from "../../src/presence/entry.js";
import { Peers, readPeer } from "../../src/presence/peers.js";

/** What an entry that says nothing more comes to. */
const NOTHING_MORE = {
  id: undefined,
  since: 0,
  file: undefined,
  cursor: undefined,
  ranges: [],
  idle: false,
  following: undefined,
  view: undefined,
};

const place = fc.record({
  type: fc.constant(null),
  tname: fc.constant(null),
  item: fc.record({ client: fc.nat(2 ** 32 - 1), clock: fc.nat(2 ** 40) }),
  assoc: fc.constantFrom(0, -1),
});

describe("presence from outside", () => {
  test("an entry as y-codemirror writes it", () => {
    const anchor = { type: null, tname: null, item: { client: 1, clock: 2 }, assoc: 0 };
    const json = JSON.stringify({ user: { name: "Ana", color: "#30BCED", colorLight: "#30bced33" }, cursor: { anchor, head: anchor } });
    expect(readPeer(7, json)).toEqual({ ...NOTHING_MORE, replica: 7, name: "Ana", color: "#30bced", cursor: { anchor, head: anchor } });
  });

  test("an entry that says nothing is still somebody", () => {
    expect(readPeer(3, "{}")).toEqual({ ...NOTHING_MORE, replica: 3, name: "Guest", color: PALETTE[3] });
  });

  test("any JSON at all gives a peer fit to be shown, or none", () => {
    fc.assert(
      fc.property(fc.json(), fc.maxSafeNat(), (json, replica) => {
        const peer = readPeer(replica, json);
        if (!peer) return;
        expect(peer.color).toMatch(/^#[0-9a-f]{6}$/);
        expect(peer.name.length).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
    expect(readPeer(1, "{")).toBeUndefined();
    expect(readPeer(1, "[]")).toBeUndefined();
    expect(readPeer(1, JSON.stringify({ user: { color: "red;background:url(//x)" } }))?.color).toBe(PALETTE[1]);
  });

  test("names are cut, and characters that steer or hide text are dropped", () => {
    expect(cleanName("  A\u202e\u0007n\u200ba \n B ")).toBe("Ana B");
    expect(cleanName("\u200b\u202e ")).toBeUndefined();
    expect([...(cleanName("😀".repeat(40)) ?? "")].length).toBe(MAX_NAME_LENGTH);
  });

  test("coming and going", () => {
    const peers = new Peers();
    expect(peers.update(1, "{}").before).toBeUndefined();
    expect(peers.update(1, undefined).before?.replica).toBe(1);
    expect(peers.list()).toEqual([]);
  });

  test("what we write is read again, fits into an entry, and its first part is what Yjs editors read", () => {
    const range = fc.record({ anchor: place, head: place });
    const entry = fc.record({
      identity: fc.record({ name: fc.string({ maxLength: MAX_NAME_LENGTH, unit: "binary" }).map((name) => cleanName(name) ?? "Ana"), color: fc.constantFrom(...PALETTE) }),
      tab: fc.record({ id: fc.string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: 16, maxLength: 16 }), since: fc.nat() }),
      file: fc.constantFrom("main", "a-b_C9", "x".repeat(64)),
      ranges: fc.array(range, { maxLength: 60 }),
      idle: fc.boolean(),
      following: fc.option(fc.nat(2 ** 32 - 1), { nil: undefined }),
      view: fc.option(place, { nil: undefined }),
    });
    fc.assert(
      fc.property(entry, (mine) => {
        const json = writeEntry(mine);
        expect(new TextEncoder().encode(json).length).toBeLessThanOrEqual(MAX_ENTRY_LENGTH);
        const [cursor, ...others] = mine.ranges;
        const peer = readPeer(-1, json);
        expect(peer).toEqual({
          replica: -1,
          name: mine.identity.name,
          color: mine.identity.color,
          id: mine.tab.id,
          since: mine.tab.since,
          file: mine.file,
          cursor,
          ranges: others.slice(0, peer?.ranges.length),
          idle: mine.idle,
          following: mine.following,
          view: mine.view,
        });
        // As many as there is room for.
        expect(peer?.ranges.length).toBeGreaterThanOrEqual(Math.min(others.length, 12));
        expect(JSON.parse(json)).toMatchObject({ user: mine.identity, cursor: cursor ?? null });
      }),
    );
  });

  test("keys of our own with anything in them are no more than missing", () => {
    const anything = fc.oneof(fc.jsonValue(), fc.constantFrom("main", "../x", "", 7, -1, 1e300, 0.5, true, [], {}, [[{}], [{}, {}], [1], null]));
    fc.assert(
      fc.property(fc.record({ user: fc.record({ id: anything, since: anything }), cursor: anything, file: anything, ranges: anything, idle: anything, following: anything, view: anything }), (state) => {
        const peer = readPeer(5, JSON.stringify(state));
        expect(typeof peer?.idle).toBe("boolean");
        expect(peer?.file ?? "main").toMatch(/^[\w-]{1,64}$/);
        expect(peer?.id ?? "x").toMatch(/^[\w-]{1,64}$/);
        expect(Number.isSafeInteger(peer?.since)).toBe(true);
        expect(Number.isSafeInteger(peer?.following ?? 0)).toBe(true);
        for (const { anchor, head } of peer?.ranges ?? []) expect([typeof anchor, typeof head]).toEqual(["object", "object"]);
      }),
      { numRuns: 500 },
    );
    expect(readPeer(5, JSON.stringify({ following: 5 }))?.following).toBeUndefined();
    expect(readPeer(5, JSON.stringify({ ranges: Array(10_000).fill([{}]) }))).toBeUndefined();
    expect(readPeer(5, JSON.stringify({ ranges: Array(500).fill([{}]) }))?.ranges.length).toBe(24);
  });
});
