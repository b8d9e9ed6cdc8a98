/** Carets stay with the text they stand in, whoever types and however late messages come. */
import { EditorState, Transaction, type TransactionSpec } from "@codemirror/state";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createCaretFeed } from "../../src/presence/caret-feed.js";
import { type Caret, type CaretChange, caretField, caretsIn, changeCarets, flashCaret, LABEL_MS } from "../../src/presence/carets.js";
import { type Peer, Peers } from "../../src/presence/peers.js";

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

const ana = (...heads: readonly number[]): Caret => ({
  replica: 1,
  name: "Ana",
  color: "#0871c2",
  idle: false,
  ranges: heads.map((head) => ({ anchor: head, head })),
});

const said = (caret: Caret, more: Partial<CaretChange> = {}) => ({ effects: changeCarets.of([{ replica: caret.replica, caret, ...more }]) });

function editor(doc: string): { state: EditorState; do(...specs: TransactionSpec[]): void; heads(): number[][]; named(): boolean } {
  return {
    state: EditorState.create({ doc, extensions: caretField }),
    do(...specs) {
      for (const spec of specs) this.state = this.state.update(spec).state;
    },
    heads() {
      return caretsIn(this.state).map(({ ranges }) => ranges.map(({ head }) => head));
    },
    named() {
      return caretsIn(this.state).some(({ labelUntil }) => labelUntil > Date.now());
    },
  };
}

const remote = (changes: NonNullable<TransactionSpec["changes"]>): TransactionSpec => ({ changes, annotations: Transaction.remote.of(true) });

describe("between messages", () => {
  test("all carets of a person move with the text; one at the place of an insertion goes after it", () => {
    const it = editor("0123456789");
    it.do(said(ana(5, 0, 9)), { changes: { from: 5, insert: "ab" } }, { changes: { from: 1, to: 3 } });
    expect(it.heads()).toEqual([[5, 0, 9]]);
  });

  test("a caret stays before the same character, whatever is typed elsewhere", () => {
    fc.assert(
      fc.property(fc.array(fc.record({ at: fc.nat(200), insert: fc.stringMatching(/^[a-z]{1,3}$/) }), { maxLength: 40 }), fc.nat(9), (edits, head) => {
        const it = editor("0123456789");
        it.do(said(ana(head)));
        for (const { at, insert } of edits) it.do({ changes: { from: at % (it.state.doc.length + 1), insert } });
        expect(it.state.sliceDoc(it.heads()[0]?.[0]).at(0)).toBe(String(head));
      }),
    );
  });

  test("somebody whose place is not known yet stays where they were, and offsets past the end are cut", () => {
    const it = editor("0123456789");
    it.do(said(ana(4)), said({ ...ana(), ranges: undefined, name: "Anna" }));
    expect(it.heads()).toEqual([[4]]);
    expect(caretsIn(it.state)[0]?.name).toBe("Anna");
    it.do(said(ana(400)));
    expect(it.heads()).toEqual([[10]]);
    it.do({ effects: changeCarets.of([{ replica: 1, caret: undefined }]) });
    expect(it.heads()).toEqual([]);
    it.do(said({ ...ana(), ranges: undefined }));
    expect(it.heads()).toEqual([]);
  });

  test("news of one person leave the others as they are", () => {
    const it = editor("0123456789");
    it.do(said({ ...ana(7), replica: 2 }), said(ana(3)));
    expect(it.heads()).toEqual([[3], [7]]);
  });
});

describe("names are shown", () => {
  test("when somebody moves, types, is renamed or comes back, and not when the text moves them", () => {
    const it = editor("0123456789");
    const fades = () => {
      expect(it.named()).toBe(true);
      vi.advanceTimersByTime(LABEL_MS);
      expect(it.named()).toBe(false);
    };
    it.do(said(ana(5)));
    fades();
    it.do(said(ana(6)));
    fades();
    it.do(said({ ...ana(6), name: "Anna" }));
    fades();
    // She types: her caret's place in the text is the same, before the same character.
    it.do(remote({ from: 6, insert: "x" }));
    fades();
    it.do(remote({ from: 6, to: 7 }));
    fades();
    it.do(said({ ...ana(6), name: "Anna", idle: true }));
    expect(it.named()).toBe(false);
    it.do(said({ ...ana(6), name: "Anna" }));
    fades();
    it.do({ changes: { from: 0, insert: "mine" } }, remote({ from: 1, insert: "other" }), said({ ...ana(3), name: "Anna" }, { unmoved: true }));
    expect(it.named()).toBe(false);
    it.do({ effects: flashCaret.of(1) });
    expect(caretsIn(it.state)[0]?.flashedUntil).toBeGreaterThan(Date.now());
  });
});

describe("the feed", () => {
  const at = (file: string, offset: number) => ({ at: { file, offset } });

  function feed() {
    const peers = new Peers();
    let moved = 0;
    const shown: [string, readonly CaretChange[]][] = [];
    const resolved: (readonly unknown[])[] = [];
    let known = true;
    const it = createCaretFeed({
      peers: () => peers.list(),
      resolve(positions) {
        resolved.push(positions);
        return positions.map((position) => (known ? (position as ReturnType<typeof at>).at : undefined));
      },
      show: (file, changes) => shown.push([file, changes]),
      moved: () => (moved += 1),
    });
    const says = (replica: number, state: object | undefined): Peer | undefined => {
      const { after } = peers.update(replica, state && JSON.stringify({ user: { name: "Ana", color: "#0871c2" }, ...state }));
      it.peer(replica);
      return after;
    };
    const frame = () => vi.advanceTimersByTime(20);
    return { it, says, frame, shown, resolved, moved: () => moved, know: (now: boolean) => (known = now) };
  }

  const cursor = (file: string, anchor: number, head = anchor) => ({ anchor: at(file, anchor), head: at(file, head) });

  beforeEach(() => {
    vi.stubGlobal("requestAnimationFrame", (run: () => void) => setTimeout(run, 16));
    vi.stubGlobal("cancelAnimationFrame", (id: ReturnType<typeof setTimeout>) => clearTimeout(id));
  });
  afterEach(() => vi.unstubAllGlobals());

  test("asks once per frame, however many messages came, and only for those who said something", () => {
    const { says, frame, shown, resolved, moved } = feed();
    for (let i = 0; i < 50; i += 1) {
      says(1, { cursor: cursor("main", i), ranges: [[at("main", 90)], [at("main", 70), at("main", 80)], [at("other", 1)]] });
      says(2, { cursor: cursor("main", i, 3) });
    }
    frame();
    expect(resolved.length).toBe(1);
    expect(moved()).toBe(1);
    expect(shown).toMatchObject([
      ["main", [
        { replica: 1, caret: { ranges: [{ anchor: 49, head: 49 }, { anchor: 90, head: 90 }, { anchor: 70, head: 80 }] } },
        { replica: 2, caret: { ranges: [{ anchor: 49, head: 3 }] } },
      ]],
    ]);
    says(2, { cursor: cursor("main", 4) });
    frame();
    expect(resolved[1]).toHaveLength(2);
  });

  test("a caret leaves one file when it comes into another, and both when its owner goes", () => {
    const { it, says, frame, shown } = feed();
    says(1, { file: "a", cursor: cursor("a", 1) });
    frame();
    says(1, { file: "b", cursor: cursor("b", 2) });
    frame();
    expect(shown.splice(0)).toMatchObject([
      ["a", [{ replica: 1, caret: { ranges: [{ head: 1 }] } }]],
      ["a", [{ replica: 1, caret: undefined }]],
      ["b", [{ replica: 1, caret: { ranges: [{ head: 2 }] } }]],
    ]);
    expect(it.whereabouts(1)).toEqual({ file: "b", offset: 2 });
    expect(it.inFile("b")).toHaveLength(1);
    expect(it.inFile("a")).toHaveLength(0);
    says(1, { file: "c", cursor: null });
    frame();
    expect(it.whereabouts(1)).toEqual({ file: "c", offset: undefined });
    expect(shown.splice(0)).toMatchObject([["b", [{ caret: undefined }]], ["c", [{ caret: undefined }]]]);
    says(1, undefined);
    frame();
    expect(it.whereabouts(1)).toBeUndefined();
  });

  test("a place in text that has yet to come is asked for again when text comes", () => {
    const { it, says, frame, shown, know } = feed();
    says(1, { file: "main", cursor: cursor("main", 1) });
    frame();
    know(false);
    says(1, { file: "main", cursor: cursor("main", 7) });
    frame();
    expect(shown.at(-1)).toMatchObject(["main", [{ caret: { ranges: undefined } }]]);
    know(true);
    it.textChanged();
    frame();
    expect(shown.at(-1)).toMatchObject(["main", [{ caret: { ranges: [{ head: 7 }] } }]]);
  });

  test("once nobody types any more everybody is looked up again, quietly", () => {
    const { it, says, frame, shown, resolved } = feed();
    says(1, { cursor: cursor("main", 1) });
    says(2, { cursor: cursor("main", 2) });
    frame();
    for (let i = 0; i < 100; i += 1) {
      it.textChanged();
      vi.advanceTimersByTime(100);
    }
    expect(resolved).toHaveLength(1);
    vi.advanceTimersByTime(600);
    expect(resolved).toHaveLength(2);
    expect(shown.at(-1)?.[1].map(({ unmoved }) => unmoved)).toEqual([true, true]);
  });
});
