/**
 * Keeps one room's edits on this device while the page is open: each edit at once, a copy of
 * everything when there is time. Must not know the session, nor how records are written.
 */
import type { Kept } from "../wasm/collab_wasm.js";
import type { Loaded, Store } from "./store.js";

/** Milliseconds that a room waits for what is kept of it. Then it opens without; what is kept stays
 *  for the next visit. */
export const LOAD_MS = 1_500;

/** Milliseconds after which a database that does not open is given up: edits until then wait for
 *  it in memory. */
export const GIVE_UP_MS = 60_000;

/** Milliseconds without a change after which a copy is written. */
export const COPY_AFTER_MS = 1_000;

/** Milliseconds after which one is written although changes go on: a copy of a large document each
 *  second would wear the disk, and the edits since are on it anyway. */
export const COPY_AT_LEAST_EVERY_MS = 15_000;

/** Milliseconds after which what could not be written is tried again. */
export const RETRY_MS = 10_000;

/** Milliseconds between looks at how much is kept in all. */
const TIDY_EVERY_MS = 60_000;

export interface RoomKeeper {
  /** What earlier stays in this room left. */
  readonly kept: Kept | undefined;
  /** One more unsaved edit, with what it rests on. */
  keep(record: Kept): void;
  /** The document changed; `copy` yields all of it. */
  changed(copy: () => Kept | undefined): void;
  /** The stay ends: the last chance to call `copy`. */
  close(): void;
  /** Whether the disk has every edit made so far: closing the page loses nothing. */
  isKept(): boolean;
  /** What people call the room, for the list of recent rooms. */
  named(name: string): void;
  /** Forgets what this stay restored and wrote, and keeps nothing more: for somebody who chose to
   *  begin with what the server has. Resolves when it is gone; then reload. */
  drop(): Promise<void>;
  /** Resolves when nothing waits to be written. */
  idle(): Promise<void>;
}

export interface KeeperOptions {
  /** `undefined` when this browser keeps nothing. It may come late. */
  readonly store: Promise<Store | undefined>;
  readonly room: string;
  /** `isKept` changed. */
  readonly keptChanged?: (kept: boolean) => void;
}

/** Reads what earlier stays left. Never rejects: whoever has no database edits without one. */
export async function openKeeper({ store, room, keptChanged = () => {} }: KeeperOptions): Promise<RoomKeeper> {
  const opened = within(GIVE_UP_MS, store).catch(unavailable);
  void opened.then((found) => found?.visit(room, undefined)).catch(unavailable);
  const loading = opened.then((found) => found?.load(room) ?? NOTHING);
  const loaded = await within(LOAD_MS, loading).catch((error: unknown) => (error === LATE ? { kept: undefined, keys: [] } : unavailable(error)));
  return loaded === NOTHING || !loaded ? keepsNothing() : mountKeeper(opened, room, loaded, keptChanged);
}

/** There is no database. */
const NOTHING: Loaded = { kept: undefined, keys: [] };

const LATE = new Error("the database does not answer");

function mountKeeper(
  opened: Promise<Store | undefined>,
  room: string,
  { kept, keys }: Loaded,
  keptChanged: (kept: boolean) => void,
): RoomKeeper {
  /** Nothing but a name for the records of this stay. */
  const stay = String(crypto.getRandomValues(new Uint32Array(2)));
  /** Records whose content the session holds: those it began with and those it wrote. */
  let held: readonly number[] = keys;
  /** Edits on their way to the disk, in order. */
  let queue: readonly Kept[] = [];
  /** A write failed, and edits are not on their way any more: the next copy will hold them. */
  let failed = false;
  let source: (() => Kept | undefined) | undefined;
  /** The first change that no copy holds was made then. */
  let changedAt: number | undefined;
  let copyIsDue = false;
  let lastCopy: Kept | undefined;
  let working: Promise<void> | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tidiedAt = 0;
  let closed = false;
  let said = true;

  const isKept = () => !failed && queue.length === 0;

  function say(): void {
    if (said === isKept()) return;
    said = isKept();
    keptChanged(said);
  }

  function arm(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(copyNow, ms);
  }

  function copyNow(): void {
    if (changedAt === undefined && !failed) return;
    copyIsDue = true;
    work();
  }

  /** Writes until nothing is left to write: one transaction at a time, so that order is kept. */
  function work(): void {
    working ??= write().finally(() => {
      working = undefined;
      say();
    });
    say();
  }

  async function write(): Promise<void> {
    // What is asked for now is asked for together: one transaction for all edits of this moment.
    const store = await opened;
    try {
      if (!store) throw LATE;
      while (copyIsDue || queue.length > 0) await (copyIsDue ? writeCopy(store) : writeEdits(store));
    } catch (error) {
      unavailable(error);
      failed = true;
      queue = [];
      copyIsDue = false;
      if (!closed && store) arm(RETRY_MS);
    }
  }

  async function writeEdits(store: Store): Promise<void> {
    const edits = queue;
    const written = await store.append(room, stay, edits);
    held = [...held, ...written];
    queue = queue.slice(edits.length);
  }

  async function writeCopy(store: Store): Promise<void> {
    copyIsDue = false;
    clearTimeout(timer);
    const copy = lastCopy ?? source?.();
    lastCopy = undefined;
    changedAt = undefined;
    if (!copy) return;
    const edits = queue.length;
    held = [await store.replace(room, stay, copy, held)];
    queue = queue.slice(edits);
    // Edits made while this was written are in no queue after a failure: another copy has them.
    failed &&= changedAt !== undefined;
    if (failed) copyIsDue = true;
    if (Date.now() - tidiedAt < TIDY_EVERY_MS) return;
    tidiedAt = Date.now();
    await store.tidy(room);
  }

  // The page may be frozen or closed from here on without another word.
  const hidden = () => void (document.visibilityState === "hidden" && copyNow());
  document.addEventListener("visibilitychange", hidden);
  addEventListener("pagehide", copyNow);

  function end(): void {
    closed = true;
    source = undefined;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", hidden);
    removeEventListener("pagehide", copyNow);
  }

  return {
    kept,
    isKept,
    keep(record) {
      if (closed || failed) return;
      queue = [...queue, record];
      work();
    },
    changed(copy) {
      if (closed) return;
      source = copy;
      changedAt ??= Date.now();
      // What this stay began with is its own from now on.
      if (failed) return;
      if (held === keys && keys.length > 0) copyNow();
      else arm(Math.min(COPY_AFTER_MS, Math.max(changedAt + COPY_AT_LEAST_EVERY_MS - Date.now(), 0)));
    },
    close() {
      if (closed) return;
      if (changedAt !== undefined || failed) lastCopy = source?.();
      end();
      copyIsDue = lastCopy !== undefined;
      if (copyIsDue) work();
    },
    named: (name) => void opened.then((store) => store?.visit(room, name)).catch(unavailable),
    async drop() {
      end();
      copyIsDue = false;
      lastCopy = undefined;
      queue = [];
      await working;
      await (await opened)?.forget(held);
    },
    idle: async () => {
      while (working) await working;
    },
  };
}

function keepsNothing(): RoomKeeper {
  return {
    kept: undefined,
    keep: () => {},
    changed: () => {},
    close: () => {},
    isKept: () => false,
    named: () => {},
    drop: async () => {},
    idle: async () => {},
  };
}

function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(LATE), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function unavailable(error: unknown): undefined {
  console.warn("Edits cannot be kept on this device:", error);
  return undefined;
}
