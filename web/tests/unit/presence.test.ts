/** What others say of themselves is anything at all. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanName, freeColor, MAX_NAME_LENGTH, PALETTE } from "../../src/presence/identity.js";
import { Peers, readPeer } from "../../src/presence/peers.js";

describe("presence from outside", () => {
  test("an entry as y-codemirror writes it", () => {
    const anchor = { type: null, tname: null, item: { client: 1, clock: 2 }, assoc: 0 };
    const json = JSON.stringify({ user: { name: "Ana", color: "#30BCED", colorLight: "#30bced33" }, cursor: { anchor, head: anchor } });
    expect(readPeer(7, json)).toEqual({ replica: 7, name: "Ana", color: "#30bced", cursor: { anchor, head: anchor } });
  });

  test("an entry that says nothing is still somebody", () => {
    expect(readPeer(3, "{}")).toEqual({ replica: 3, name: "Guest", color: PALETTE[3], cursor: undefined });
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

  test("a colour of one's own, as long as there is one", () => {
    expect(freeColor("#0871c2", new Set())).toBe("#0871c2");
    expect(freeColor("#0871c2", new Set(["#0871c2"]))).toBe("#ac5804");
    expect(freeColor("#0871c2", new Set(PALETTE))).toBe("#0871c2");
  });
});
