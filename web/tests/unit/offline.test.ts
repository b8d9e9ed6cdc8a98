/** What is kept on this device: the database, when it is written, and a page that comes back. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { readFileSync } from "node:fs";
import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { COPY_AFTER_MS, COPY_AT_LEAST_EVERY_MS, GIVE_UP_MS, LOAD_MS, openKeeper, RETRY_MS, type RoomKeeper } from "../../src/offline/keeper.js";
import { type Bounds, openStore, type Store } from "../../src/offline/store.js";
import { createSession, type Listeners, type Session } from "../../src/session.js";
import { Client, initSync, type Kept, type SaveState } from "../../src/wasm/collab_wasm.js";

const ROOT = new URL("http://localhost/");
const OLD = "0".repeat(32);
const NEW = "f".repeat(32);

beforeAll(() => {
  initSync({ module: readFileSync(new URL("../../src/wasm/collab_wasm_bg.wasm", import.meta.url)) });
  vi.stubGlobal("document", Object.assign(new EventTarget(), { visibilityState: "visible" }));
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("removeEventListener", page.removeEventListener.bind(page));
  vi.stubGlobal("dispatchEvent", page.dispatchEvent.bind(page));
});

beforeEach(() => {
  indexedDB = new IDBFactory();
  vi.spyOn(console, "warn").mockImplementation(() => {});
});

function record(bytes: readonly number[], unsaved = 1, lineage = OLD): Kept {
  return { updates: [Uint8Array.from(bytes)], unsaved, lineage };
}

function bytesOf(kept: Kept | undefined): number[][] {
  return (kept?.updates ?? []).map((update) => [...update]);
}

describe("the store", () => {
  test("gives back what was written, in order, by whichever tab", async () => {
    const one = await openStore(ROOT);
    const other = await openStore(ROOT);
    await one.append("room", "one", [record([1], 1), record([2], 2)]);
    await other.append("room", "other", [record([3], 1)]);
    await one.append("elsewhere", "stay", [record([9])]);
    const { kept } = await other.load("room");
    expect(bytesOf(kept)).toEqual([[1], [2], [3]]);
    expect(kept).toMatchObject({ unsaved: 3, lineage: OLD });
    expect((await one.load("nowhere")).kept).toBeUndefined();
  });

  test("a copy replaces what it holds and nothing that another tab wrote meanwhile", async () => {
    const store = await openStore(ROOT);
    await store.append("room", "one", [record([1]), record([2])]);
    const { keys } = await store.load("room");
    await store.append("room", "other", [record([3])]);
    await store.replace("room", "one", record([1, 2], 0), keys);
    const { kept } = await store.load("room");
    expect(bytesOf(kept)).toEqual([[3], [1, 2]]);
    expect(kept?.unsaved).toBe(1);
  });

  test("of two documents of one name, the one with an edit that is not saved comes back", async () => {
    const store = await openStore(ROOT);
    // The first stay had saved all when it ended, the last one had never reached a server.
    await store.append("room", "first", [record([1], 1, NEW), record([2], 0, NEW)]);
    await store.append("room", "second", [record([3], 0, OLD), record([4], 1, OLD)]);
    await store.append("room", "last", [{ ...record([5]), lineage: undefined }]);
    const { kept, keys } = await store.load("room");
    expect(kept).toMatchObject({ lineage: OLD, unsaved: 2 });
    expect(bytesOf(kept)).toEqual([[3], [4], [5]]);
    // What is saved of the other one may go, too: the server has it.
    expect(keys).toHaveLength(5);
    await store.forget(keys);
    await store.append("room", "first", [record([1], 1, OLD)]);
    await store.append("room", "second", [record([5], 1, NEW)]);
    const first = await store.load("room");
    expect(bytesOf(first.kept)).toEqual([[1]]);
    await store.forget(first.keys);
    expect(bytesOf((await store.load("room")).kept)).toEqual([[5]]);
  });

  test("rooms go when there are too many, the oldest first, and never one with an unsaved edit", async () => {
    const now = vi.spyOn(Date, "now");
    const store = await withRooms({ rooms: 2, bytes: 1_000 });
    await store.tidy("d");
    expect((await store.recentRooms()).map(({ room }) => room)).toEqual(["d", "a"]);
    expect(bytesOf((await store.load("a")).kept)).toEqual([[1, 1]]);
    expect((await store.load("b")).kept).toBeUndefined();
    now.mockRestore();

    async function withRooms(bounds: Bounds): Promise<Store> {
      const made = await openStore(ROOT, bounds);
      for (const [at, room] of ["a", "b", "c", "d"].entries()) {
        now.mockReturnValue(at);
        await made.visit(room, room.toUpperCase());
        await made.append(room, "stay", [record([at + 1, at + 1], room === "a" ? 1 : 0)]);
      }
      return made;
    }
  });

  test("rooms go when there are too many bytes, but not the one that is open", async () => {
    const store = await openStore(ROOT, { rooms: 9, bytes: 5 });
    for (const room of ["a", "b", "c"]) {
      await store.visit(room, undefined);
      await store.append(room, "stay", [record([0, 0, 0], 0)]);
    }
    await store.tidy("a");
    expect((await store.recentRooms()).map(({ room }) => room)).toEqual(["a"]);
  });

  test("the list of rooms says what they are called and what they hold", async () => {
    const store = await openStore(ROOT);
    await store.visit("room", "Plans");
    await store.visit("room", undefined);
    await store.append("room", "one", [record([1], 2), record([2], 1)]);
    await store.append("room", "other", [record([3], 4)]);
    expect(await store.recentRooms()).toMatchObject([{ room: "room", name: "Plans", unsaved: 5 }]);
    await store.forgetRoom("room");
    expect(await store.recentRooms()).toEqual([]);
    expect((await store.load("room")).kept).toBeUndefined();
  });

  test("two servers under one origin do not mix", async () => {
    await (await openStore(new URL("http://localhost/one/"))).append("room", "stay", [record([1])]);
    expect((await (await openStore(new URL("http://localhost/two/"))).load("room")).kept).toBeUndefined();
  });
});

describe("the keeper", () => {
  test("an edit is kept once the database has it", async () => {
    const said: boolean[] = [];
    const store = await openStore(ROOT);
    const keeper = await openKeeper({ store: Promise.resolve(store), room: "room", keptChanged: (kept) => said.push(kept) });
    expect(keeper.isKept()).toBe(true);
    keeper.keep(record([1]));
    keeper.keep(record([2]));
    expect(keeper.isKept()).toBe(false);
    await keeper.idle();
    expect(keeper.isKept()).toBe(true);
    expect(said).toEqual([false, true]);
    expect(bytesOf((await store.load("room")).kept)).toEqual([[1], [2]]);
  });

  test("a copy comes when it is quiet, and now and then when it is not", async () => {
    const store = await openStore(ROOT);
    const replace = vi.spyOn(store, "replace");
    const keeper = await openKeeper({ store: Promise.resolve(store), room: "room" });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const copy = () => record([7], 0);
    keeper.changed(copy);
    vi.advanceTimersByTime(COPY_AFTER_MS - 1);
    expect(replace).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    await keeper.idle();
    expect(replace).toHaveBeenCalledTimes(1);
    for (let waited = 0; waited < COPY_AT_LEAST_EVERY_MS; waited += COPY_AFTER_MS / 2) {
      keeper.changed(copy);
      vi.advanceTimersByTime(COPY_AFTER_MS / 2);
    }
    await keeper.idle();
    expect(replace).toHaveBeenCalledTimes(2);
    vi.useRealTimers();
    expect(bytesOf((await store.load("room")).kept)).toEqual([[7]]);
  });

  test("a page that is hidden or closed writes its copy at once", async () => {
    const store = await openStore(ROOT);
    const keeper = await openKeeper({ store: Promise.resolve(store), room: "room" });
    keeper.keep(record([1]));
    keeper.changed(() => record([2]));
    dispatchEvent(new Event("pagehide"));
    await keeper.idle();
    expect(bytesOf((await store.load("room")).kept)).toEqual([[2]]);
    keeper.changed(() => record([3]));
    keeper.close();
    keeper.changed(() => record([4]));
    await keeper.idle();
    expect(bytesOf((await store.load("room")).kept)).toEqual([[3]]);
  });

  test("edits made while a copy is written are not taken for part of it", async () => {
    const store = await openStore(ROOT);
    const keeper = await openKeeper({ store: Promise.resolve(store), room: "room" });
    const { replace } = store;
    vi.spyOn(store, "replace").mockImplementationOnce((room, stay, copy, held) => {
      keeper.keep(record([9]));
      return replace(room, stay, copy, held);
    });
    keeper.keep(record([1]));
    keeper.changed(() => record([1]));
    dispatchEvent(new Event("pagehide"));
    await keeper.idle();
    expect(bytesOf((await store.load("room")).kept)).toEqual([[1], [9]]);
    expect(keeper.isKept()).toBe(true);
  });

  test("a full disk is not kept, and made good by a copy when there is room", async () => {
    const store = await openStore(ROOT);
    const keeper = await openKeeper({ store: Promise.resolve(store), room: "room" });
    const full = () => Promise.reject(new DOMException("no", "QuotaExceededError"));
    vi.spyOn(store, "append").mockImplementationOnce(full);
    vi.spyOn(store, "replace").mockImplementationOnce(full);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    keeper.keep(record([1]));
    keeper.changed(() => record([1, 2]));
    await keeper.idle();
    expect(keeper.isKept()).toBe(false);
    keeper.keep(record([2]));
    vi.advanceTimersByTime(RETRY_MS);
    await keeper.idle();
    expect(keeper.isKept()).toBe(false);
    vi.advanceTimersByTime(RETRY_MS);
    vi.useRealTimers();
    await keeper.idle();
    expect(keeper.isKept()).toBe(true);
    expect(bytesOf((await store.load("room")).kept)).toEqual([[1, 2]]);
  });

  test("an edit made while a failure is made good is not taken for kept", async () => {
    const store = await openStore(ROOT);
    const keeper = await openKeeper({ store: Promise.resolve(store), room: "room" });
    vi.spyOn(store, "append").mockImplementationOnce(() => Promise.reject(new DOMException("no", "QuotaExceededError")));
    const written = store.replace;
    vi.spyOn(store, "replace").mockImplementationOnce(async (...copy) => {
      const key = await written(...copy);
      keeper.keep(record([2]));
      keeper.changed(() => record([1, 2]));
      return key;
    });
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    keeper.keep(record([1]));
    keeper.changed(() => record([1]));
    await keeper.idle();
    vi.advanceTimersByTime(RETRY_MS);
    vi.useRealTimers();
    await keeper.idle();
    expect(keeper.isKept()).toBe(true);
    expect(bytesOf((await store.load("room")).kept)).toEqual([[1, 2]]);
  });

  test("without a database nothing is kept, and it says so", async () => {
    const keeper = await openKeeper({ store: Promise.resolve(undefined), room: "room" });
    keeper.keep(record([1]));
    expect(keeper.isKept()).toBe(false);
    const broken = { ...(await openStore(ROOT)), load: () => Promise.reject(new Error("broken")) };
    expect((await openKeeper({ store: Promise.resolve(broken), room: "room" })).isKept()).toBe(false);
  });

  test("a database that is slow holds nobody up, and has every edit in the end", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    let found: (store: Store) => void = () => {};
    const opening = openKeeper({ store: new Promise((resolve) => (found = resolve)), room: "room" });
    await vi.advanceTimersByTimeAsync(LOAD_MS);
    const keeper = await opening;
    keeper.keep(record([1]));
    expect(keeper.isKept()).toBe(false);
    vi.useRealTimers();
    const store = await openStore(ROOT);
    await store.append("room", "before", [record([0])]);
    found(store);
    await keeper.idle();
    expect(keeper.isKept()).toBe(true);
    // What was there was not part of this stay: it is for the next one, and no copy replaces it.
    keeper.changed(() => record([1, 1], 0));
    keeper.close();
    await keeper.idle();
    expect(bytesOf((await store.load("room")).kept)).toEqual([[0], [1, 1]]);
  });

  test("a database that never opens is given up", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] });
    const opening = openKeeper({ store: new Promise(() => {}), room: "room" });
    await vi.advanceTimersByTimeAsync(LOAD_MS);
    const keeper = await opening;
    keeper.keep(record([1]));
    await vi.advanceTimersByTimeAsync(GIVE_UP_MS);
    await keeper.idle();
    vi.useRealTimers();
    keeper.keep(record([2]));
    expect(keeper.isKept()).toBe(false);
  });

  test("what is dropped is gone, and nothing more is written", async () => {
    const store = await openStore(ROOT);
    await store.append("room", "stay", [record([1])]);
    const keeper = await openKeeper({ store: Promise.resolve(store), room: "room" });
    expect(bytesOf(keeper.kept)).toEqual([[1]]);
    keeper.keep(record([2]));
    keeper.changed(() => record([3]));
    await keeper.drop();
    keeper.keep(record([4]));
    await keeper.idle();
    expect((await store.load("room")).kept).toBeUndefined();
  });
});

describe("a page that comes back", () => {
  /** A page whose socket never opens. */
  async function visit(store: Store, replica: number): Promise<{ session: Session; keeper: RoomKeeper; states: SaveState[] }> {
    const keeper = await openKeeper({ store: Promise.resolve(store), room: "room" });
    const session = createSession(new Client(replica, 1), () => ({ send: () => {}, close: () => {} }), keeper);
    const states: SaveState[] = [];
    const ignore = () => {};
    const listeners: Listeners = {
      changed: ignore, reset: ignore, described: ignore, refused: ignore, peer: ignore, broken: ignore,
      status: (state) => void states.push(state),
    };
    session.openFile("main");
    session.start(listeners);
    return { session, keeper, states };
  }

  test("after a crash it shows what was typed, and after a proper end as well", async () => {
    const store = await openStore(ROOT);
    const first = await visit(store, 1);
    for (const [at, letter] of [..."three hundred"].entries()) first.session.edit("main", [{ at, delete: 0, insert: letter }]);
    first.session.edit("main", [{ at: 0, delete: 6, insert: "" }]);
    first.session.setMeta("name", "Plans");
    await first.keeper.idle();
    expect(first.keeper.isKept()).toBe(true);
    // It crashes: nobody calls anything any more.
    const second = await visit(store, 2);
    expect(second.session.openFile("main")).toBe("hundred");
    expect(second.session.meta("name")).toBe("Plans");
    second.session.edit("main", [{ at: 7, delete: 0, insert: "!" }]);
    second.session.stop();
    await second.keeper.idle();
    const third = await visit(store, 3);
    expect(third.session.openFile("main")).toBe("hundred!");
    // A frame lost, a socket never opened: every one of them is still unsaved.
    expect(third.keeper.kept?.unsaved).toBe(16);
    expect(third.keeper.kept?.updates).toHaveLength(1);
    third.session.stop();
    await third.keeper.idle();
  });
});

test("a page that fails over what was kept says so", () => {
  const kept = { ...record([1]), unsaved: -1 };
  const keeper = { kept, keep: () => {}, changed: () => {}, close: () => {} };
  const session = createSession(new Client(9, 9), () => ({ send: () => {}, close: () => {} }), keeper);
  const states: SaveState[] = [];
  const ignore = () => {};
  session.start({ changed: ignore, reset: ignore, described: ignore, refused: ignore, peer: ignore, broken: ignore, status: (state) => states.push(state) });
  expect(states.map(({ kind }) => kind)).toEqual(["attention"]);
});
