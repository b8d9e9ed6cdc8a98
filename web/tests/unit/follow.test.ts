/**
 * Following somebody: where it brings the person, and everything that ends it.
 * @vitest-environment happy-dom
 */
import { EditorState, Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { afterEach, describe, expect, test } from "vitest";
import { createFollow, type Follow, type Stopped } from "../../src/presence/follow.js";
import { round } from "../../src/presence/jump.js";
import { Peers } from "../../src/presence/peers.js";

// Browsers tell of a selection some time after it changed; happy-dom in the middle of it.
document.addEventListener("selectionchange", (event) => event.stopImmediatePropagation(), true);

const ME = 5;
const LEADER = 3;

interface Scene {
  file: string;
  readonly peers: Peers;
  readonly follow: Follow;
  readonly view: EditorView;
  readonly heard: (readonly [number | undefined, Stopped | undefined])[];
  readonly opened: string[];
  /** Offsets that the view was brought to, since last asked. */
  readonly scrolled: () => number[];
  readonly says: (replica: number, state: object | undefined) => void;
}

const open: { destroy?(): void; dispose?(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) (one.destroy ?? one.dispose)?.call(one);
});

/** Positions are `{at: {file, offset}}`. */
function scene(): Scene {
  const peers = new Peers();
  const heard: [number | undefined, Stopped | undefined][] = [];
  const opened: string[] = [];
  const scrolls: number[] = [];
  const it = { file: "main" };
  const place = (position: unknown) => (position as { at: { file: string; offset: number } } | undefined)?.at;
  const follow = createFollow({
    me: () => ME,
    peer: (replica) => peers.get(replica),
    whereabouts(replica) {
      const at = place(peers.get(replica)?.cursor?.head);
      return at && { file: at.file, offset: at.offset };
    },
    resolve: (positions) => positions.map(place),
    file: () => it.file,
    open: (file) => opened.push(file),
    changed: (following, why) => heard.push([following, why]),
  });
  const view = new EditorView({
    parent: document.body,
    state: stateOf(follow),
    dispatchTransactions(transactions, own) {
      for (const { effects } of transactions) {
        for (const { value } of effects) scrolls.push((value as { range: { head: number } }).range.head);
      }
      own.update(transactions);
    },
  });
  open.push(view, follow);
  return Object.assign(it, {
    peers,
    follow,
    view,
    heard,
    opened,
    scrolled: () => scrolls.splice(0),
    says(replica: number, state: object | undefined) {
      peers.update(replica, state && JSON.stringify({ user: { name: `P${replica}`, color: "#0871c2" }, ...state }));
      follow.peer(replica);
      follow.moved();
    },
  });
}

const stateOf = (follow: Follow) => EditorState.create({ doc: "0123456789\n".repeat(20), extensions: follow.extension });
const at = (file: string, offset: number) => ({ at: { file, offset } });
const cursor = (file: string, offset: number) => ({ anchor: at(file, offset), head: at(file, offset) });

describe("following", () => {
  test("goes to what the leader sees, to their caret while that is not known, and nowhere twice", () => {
    const { follow, says, scrolled, heard } = scene();
    says(LEADER, { cursor: cursor("main", 30) });
    expect(follow.start(LEADER)).toBeUndefined();
    expect(heard).toEqual([[LEADER, undefined]]);
    expect(scrolled()).toEqual([30]);
    says(LEADER, { cursor: cursor("main", 30), view: at("main", 88) });
    expect(scrolled()).toEqual([88]);
    says(LEADER, { cursor: cursor("main", 35), view: at("main", 88) });
    says(4, { cursor: cursor("main", 99) });
    expect(scrolled()).toEqual([]);
    says(LEADER, { cursor: cursor("main", 35), view: at("main", 400_000) });
    expect(scrolled()).toEqual([]);
  });

  test("opens the leader's file once, and goes to their place when it is shown", async () => {
    const it = scene();
    it.says(LEADER, { file: "other", cursor: cursor("other", 44) });
    it.follow.start(LEADER);
    it.follow.moved();
    expect(it.opened).toEqual(["other"]);
    expect(it.scrolled()).toEqual([]);
    it.file = "other";
    it.view.setState(stateOf(it.follow));
    await Promise.resolve();
    expect(it.scrolled()).toEqual([44]);
    expect(it.view.dom.classList.contains("collab-following")).toBe(true);
  });

  test("a file that could not be opened yet is tried again when the leader says more", () => {
    const it = scene();
    it.says(LEADER, { file: "other" });
    it.follow.start(LEADER);
    it.says(LEADER, { file: "other", cursor: cursor("other", 1) });
    expect(it.opened).toEqual(["other", "other"]);
  });

  test("is marked in the leader's colour, and no longer than it lasts", async () => {
    const { follow, says, view } = scene();
    says(LEADER, {});
    follow.start(LEADER);
    await Promise.resolve();
    expect(view.dom.classList.contains("collab-following")).toBe(true);
    expect(view.dom.style.getPropertyValue("--leader")).toBe("#0871c2");
    says(LEADER, { user: { name: "P", color: "#ac5804" } });
    await Promise.resolve();
    expect(view.dom.style.getPropertyValue("--leader")).toBe("#ac5804");
    follow.stop();
    await Promise.resolve();
    expect(view.dom.classList.contains("collab-following")).toBe(false);
  });
});

describe("following ends", () => {
  const escape = () => new KeyboardEvent("keydown", { key: "Escape", keyCode: 27, bubbles: true, cancelable: true });
  const own: Record<string, (scene: Scene) => void> = {
    "with an edit": ({ view }) => view.dispatch({ changes: { from: 0, insert: "x" }, userEvent: "input.type" }),
    "with an undo": ({ view }) => view.dispatch({ changes: { from: 0, to: 1 }, userEvent: "undo" }),
    "with a move of the caret": ({ view }) => view.dispatch({ selection: { anchor: 3 }, userEvent: "select" }),
    "with a click": ({ view }) => void view.contentDOM.dispatchEvent(new Event("pointerdown", { bubbles: true })),
    "with the scrollbar": ({ view }) => void view.scrollDOM.dispatchEvent(new Event("pointerdown")),
    "with the wheel": ({ view }) => void view.contentDOM.dispatchEvent(new WheelEvent("wheel", { bubbles: true })),
    "with a swipe": ({ view }) => void view.contentDOM.dispatchEvent(new Event("touchmove", { bubbles: true })),
    "with Escape in the text": ({ view }) => void view.contentDOM.dispatchEvent(escape()),
    "with Escape elsewhere": () => void document.body.dispatchEvent(escape()),
  };
  for (const [how, act] of Object.entries(own)) {
    test(how, () => {
      const it = scene();
      it.says(LEADER, {});
      it.follow.start(LEADER);
      act(it);
      expect(it.heard.slice(1)).toEqual([[undefined, "own"]]);
      it.says(LEADER, { cursor: cursor("main", 50) });
      expect(it.scrolled()).toEqual([]);
    });
  }

  test("when the leader leaves", () => {
    const { follow, says, heard } = scene();
    says(LEADER, {});
    follow.start(LEADER);
    says(LEADER, undefined);
    expect(heard.slice(1)).toEqual([[undefined, "gone"]]);
  });

  test("not by hovering, zooming, other people's edits, or other keys", () => {
    const { follow, says, heard, view } = scene();
    says(LEADER, {});
    says(2, {});
    follow.start(LEADER);
    view.contentDOM.dispatchEvent(new Event("pointermove", { bubbles: true }));
    view.contentDOM.dispatchEvent(new Event("mousemove", { bubbles: true }));
    view.contentDOM.dispatchEvent(Object.assign(new Event("wheel", { bubbles: true }), { ctrlKey: true }));
    view.dispatch({ changes: { from: 0, insert: "x" }, annotations: Transaction.remote.of(true) });
    view.scrollDOM.dispatchEvent(new Event("scroll"));
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "Shift", bubbles: true }));
    says(2, undefined);
    expect(heard).toEqual([[LEADER, undefined]]);
  });
});

describe("nobody follows their follower", () => {
  test("directly or in a round, and nobody follows who is not here", () => {
    const { follow, says, heard } = scene();
    says(LEADER, { following: ME });
    says(2, { following: LEADER });
    says(1, { following: 2 });
    says(7, { following: 8 });
    says(8, { following: 7 });
    expect(follow.start(LEADER)).toBe("follows you");
    expect(follow.start(1)).toBe("follows you");
    expect(follow.start(ME)).toBe("gone");
    expect(follow.start(99)).toBe("gone");
    // Two that follow each other are their own affair.
    expect(follow.start(7)).toBeUndefined();
    expect(heard).toEqual([[7, undefined]]);
  });

  test("when both begin at once, exactly one gives in", () => {
    const younger = scene();
    younger.says(LEADER, {});
    younger.follow.start(LEADER);
    younger.says(LEADER, { following: ME });
    expect(younger.heard.slice(1)).toEqual([[undefined, "follows you"]]);
    const elder = scene();
    elder.says(9, {});
    elder.follow.start(9);
    elder.says(9, { following: ME });
    expect(elder.heard).toEqual([[9, undefined]]);
  });
});

test("going round meets everybody, whoever comes and goes", () => {
  let here = [30, 10, 20];
  const next = round(() => here);
  expect([next(), next(), next(), next()]).toEqual([10, 20, 30, 10]);
  here = [20, 30];
  expect(next()).toBe(20);
  here = [];
  expect(next()).toBeUndefined();
  here = [7];
  expect([next(), next()]).toEqual([7, 7]);
});
