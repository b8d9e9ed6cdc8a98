/**
 * What others are told of this person, and how often.
 * @vitest-environment happy-dom
 */
import { EditorSelection, EditorState, Transaction } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { IDLE_MS, watchActivity } from "../../src/presence/activity.js";
import { readPeer } from "../../src/presence/peers.js";
import { createPublisher, type Publisher } from "../../src/presence/publisher.js";
import type { RelativePosition } from "../../src/wasm/collab_wasm.js";

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

// Browsers tell of a selection some time after it changed; happy-dom in the middle of it.
document.addEventListener("selectionchange", (event) => event.stopImmediatePropagation(), true);

interface Room {
  file: string;
  others: number;
  followed: boolean;
  session: boolean;
  readonly view: EditorView;
  readonly publisher: Publisher;
  readonly said: string[];
  readonly last: () => ReturnType<typeof readPeer>;
}

/** An editor whose positions are the offsets themselves. */
function room(): Room {
  const said: string[] = [];
  const it = { file: "main", others: 1, followed: false, session: true };
  const publisher = createPublisher({
    identity: { name: "Ana", color: "#0871c2" },
    tab: { id: "0123456789abcdef", since: 5 },
    file: () => it.file,
    sticky: (file, offsets) => offsets.map((clock): RelativePosition => ({ type: null, tname: file, item: { client: 1, clock }, assoc: 0 })),
    publish: (state) => it.session && said.push(state) > 0,
    others: () => it.others,
    followed: () => it.followed,
  });
  const view = new EditorView({ parent: document.body, state: stateOf(publisher, "0123456789") });
  view.focus();
  expect(view.hasFocus).toBe(true);
  vi.advanceTimersByTime(1_000);
  said.length = 0;
  return Object.assign(it, { view, publisher, said, last: () => readPeer(2, said.at(-1) ?? "") });
}

function stateOf({ extension }: Publisher, doc: string): EditorState {
  return EditorState.create({ doc, extensions: [extension, EditorState.allowMultipleSelections.of(true)] });
}

const at = (file: string, clock: number) => ({ type: null, tname: file, item: { client: 1, clock }, assoc: 0 });

test("what nobody could pass on yet is told when somebody can, though nothing changed since", () => {
  const it = room();
  it.session = false;
  it.file = "other";
  it.publisher.refresh();
  vi.advanceTimersByTime(1_000);
  it.session = true;
  it.publisher.refresh();
  vi.advanceTimersByTime(1_000);
  expect(it.said).toHaveLength(1);
  expect(it.last()?.file).toBe("other");
});

describe("a caret that wanders", () => {
  test.each([[8, 20], [9, 4]])("with %i others it is told at most %i times a second, and where it ends", (others, most) => {
    const it = room();
    it.others = others;
    for (let i = 0; i < 100; i += 1) {
      it.view.dispatch({ selection: { anchor: i % 10 } });
      vi.advanceTimersByTime(10);
    }
    expect(it.said.length).toBeLessThanOrEqual(most + 1);
    expect(it.said.length).toBeGreaterThanOrEqual(most - 1);
    vi.advanceTimersByTime(1_000);
    expect(it.last()?.cursor).toEqual({ anchor: at("main", 9), head: at("main", 9) });
    const before = it.said.length;
    vi.advanceTimersByTime(10_000);
    expect(it.said.length).toBe(before);
  });

  test("an edit takes the caret with it at once, other people's edits do not", () => {
    const it = room();
    it.others = 20;
    it.view.dispatch({ changes: { from: 0, insert: "a" }, selection: { anchor: 1 } });
    expect(it.said.length).toBe(1);
    it.view.dispatch({ changes: { from: 1, insert: "b" }, selection: { anchor: 2 } });
    expect(it.said.length).toBe(2);
    expect(it.last()?.cursor?.head).toEqual(at("main", 2));
    it.view.dispatch({ changes: { from: 0, insert: "cccc" }, annotations: Transaction.remote.of(true) });
    expect(it.said.length).toBe(2);
  });

  test("every caret of a multi-selection, the main one first", () => {
    const it = room();
    it.view.dispatch({ selection: EditorSelection.create([EditorSelection.cursor(1), EditorSelection.range(6, 4), EditorSelection.cursor(8)], 1) });
    vi.advanceTimersByTime(1_000);
    expect(it.last()).toMatchObject({
      cursor: { anchor: at("main", 6), head: at("main", 4) },
      ranges: [{ anchor: at("main", 1), head: at("main", 1) }, { anchor: at("main", 8), head: at("main", 8) }],
    });
  });

  test("a caret that was left stays; in another file there is none before the person is in its text", () => {
    const it = room();
    it.view.contentDOM.blur();
    it.view.dispatch({ selection: { anchor: 5 } });
    vi.advanceTimersByTime(1_000);
    it.publisher.setIdle(true);
    expect(it.last()).toMatchObject({ idle: true, file: "main", cursor: { head: at("main", 0) } });
    it.file = "other";
    it.view.setState(stateOf(it.publisher, "xyz"));
    vi.advanceTimersByTime(1_000);
    expect(it.last()).toMatchObject({ file: "other", cursor: undefined });
    it.view.focus();
    vi.advanceTimersByTime(1_000);
    expect(it.last()).toMatchObject({ file: "other", cursor: { head: at("other", 0) } });
    it.view.dispatch({ changes: { from: 0, insert: "a" }, selection: { anchor: 1 } });
    expect(it.last()).toMatchObject({ cursor: { head: at("other", 1) } });
  });

  test("what is seen is told only to whoever follows", () => {
    const it = room();
    it.view.scrollDOM.dispatchEvent(new Event("scroll"));
    vi.advanceTimersByTime(1_000);
    expect(it.said.length).toBe(0);
    it.followed = true;
    it.publisher.refresh();
    vi.advanceTimersByTime(1_000);
    expect(it.last()?.view).toMatchObject({ tname: "main" });
    it.followed = false;
    it.publisher.refresh();
    vi.advanceTimersByTime(1_000);
    expect(it.last()?.view).toBeUndefined();
  });

  test("name, colour and whom one follows are told at once, and only when they change", () => {
    const it = room();
    it.publisher.setIdentity({ name: "Anna", color: "#ac5804" });
    it.publisher.setFollowing(7);
    it.publisher.setFollowing(7);
    expect(it.said.length).toBe(2);
    expect(it.last()).toMatchObject({ name: "Anna", color: "#ac5804", following: 7, id: "0123456789abcdef", since: 5 });
  });
});

describe("idle", () => {
  function watch() {
    const heard: boolean[] = [];
    return { heard, watching: watchActivity((idle) => heard.push(idle)) };
  }

  test("without input for a while, and no longer at the first", () => {
    const { heard, watching } = watch();
    vi.advanceTimersByTime(IDLE_MS - 1);
    dispatchEvent(new Event("keydown"));
    vi.advanceTimersByTime(IDLE_MS - 1);
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(heard).toEqual([true]);
    vi.advanceTimersByTime(10 * IDLE_MS);
    dispatchEvent(new Event("pointermove"));
    expect(heard).toEqual([true, false]);
    vi.advanceTimersByTime(IDLE_MS);
    expect(heard).toEqual([true, false, true]);
    watching.dispose();
    dispatchEvent(new Event("pointermove"));
    vi.advanceTimersByTime(10 * IDLE_MS);
    expect(heard).toEqual([true, false, true]);
  });

  test("at once when the tab is hidden, until it is seen again", () => {
    const { heard, watching } = watch();
    const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(true);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(heard).toEqual([true]);
    vi.advanceTimersByTime(2 * IDLE_MS);
    hidden.mockReturnValue(false);
    document.dispatchEvent(new Event("visibilitychange"));
    expect(heard).toEqual([true, false]);
    vi.advanceTimersByTime(IDLE_MS);
    expect(heard).toEqual([true, false, true]);
    watching.dispose();
    hidden.mockRestore();
  });
});
