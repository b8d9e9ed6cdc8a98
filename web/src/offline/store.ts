/**
 * What is kept on this device, in IndexedDB: the edits and copies of each room, and which rooms
 * were visited. Knows how records are written and which may go; must not know when one is due, nor
 * what is inside an update.
 *
 * A record is never changed, and forgotten only in the transaction that writes another one which
 * holds its content. So tabs need not know of each other, and a crash at any moment loses nothing
 * that was written.
 */
import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Kept } from "../wasm/collab_wasm.js";

/** Rooms kept on one device. Beyond them the one visited longest ago goes, unless it holds an edit
 *  that is not saved. */
export const MAX_ROOMS = 50;

/** Bytes of records kept on one device (64 MiB); the same happens beyond them. */
export const MAX_BYTES = 64 << 20;

/** Which form the database has; each step up makes it from the one before. */
const VERSION = 1;

/** One record: an unsaved edit, or a copy of everything. */
interface Record extends Kept {
  readonly room: string;
  /** Which stay wrote it: the last of its records says how much of it is not saved. */
  readonly stay: string;
  readonly bytes: number;
}

type Sizes = [room: string, stay: string, unsaved: number, bytes: number];

interface Visit {
  readonly room: string;
  /** What people call it; empty while it has no name. */
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly visitedAt: number;
}

interface Schema extends DBSchema {
  records: {
    key: number;
    value: Record;
    /** Sizes without the content. */
    indexes: { sizes: Sizes };
  };
  rooms: { key: string; value: Visit };
}

/** A room of this device. */
export interface RecentRoom extends Visit {
  /** Edits made here that the server was not known to have saved. */
  readonly unsaved: number;
}

/** What the records of one room amount to. */
export interface Loaded {
  /** What a stay begins with; `undefined` when there is nothing. */
  readonly kept: Kept | undefined;
  /** Records that a copy made by this stay replaces. */
  readonly keys: readonly number[];
}

export interface Store {
  load(room: string): Promise<Loaded>;
  /** Writes edits down, in order; resolves with their keys when the disk has them. */
  append(room: string, stay: string, records: readonly Kept[]): Promise<number[]>;
  /** Writes a copy down and forgets the records that it holds; resolves with its key. */
  replace(room: string, stay: string, copy: Kept, held: readonly number[]): Promise<number>;
  /** Forgets these records. */
  forget(keys: readonly number[]): Promise<void>;
  /** The person is in this room now, or learns its name. */
  visit(room: string, name: string | undefined): Promise<void>;
  /** The last visited first. */
  recentRooms(): Promise<readonly RecentRoom[]>;
  /** Forgets the room and all that is kept of it, saved or not. */
  forgetRoom(room: string): Promise<void>;
  /** Forgets rooms until what is kept is within bounds; never this one. */
  tidy(current: string): Promise<void>;
  close(): void;
}

/** Bounds, for tests. */
export interface Bounds {
  readonly rooms: number;
  readonly bytes: number;
}

/** One database for each page root: two servers may live under one origin. */
export function databaseName(root: URL): string {
  return `collab:${root.pathname}`;
}

/** Rejects when this browser keeps nothing. A private window or a broken profile may never answer. */
export async function openStore(root: URL, bounds: Bounds = { rooms: MAX_ROOMS, bytes: MAX_BYTES }): Promise<Store> {
  const db = await openDB<Schema>(databaseName(root), VERSION, {
    upgrade(db) {
      const records = db.createObjectStore("records", { autoIncrement: true });
      records.createIndex("sizes", ["room", "stay", "unsaved", "bytes"]);
      db.createObjectStore("rooms", { keyPath: "room" });
    },
    // A newer page wants to change the form: let it. This one then keeps nothing more, and says so.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
  return {
    load: (room) => load(db, room),
    append: (room, stay, records) => append(db, room, stay, records),
    replace: (room, stay, copy, held) => replace(db, room, stay, copy, held),
    forget: (keys) => forget(db, keys),
    visit: (room, name) => visit(db, room, name),
    recentRooms: () => recentRooms(db),
    forgetRoom: (room) => forgetRoom(db, room),
    tidy: (current) => tidy(db, current, bounds),
    close: () => db.close(),
  };
}

async function load(db: IDBPDatabase<Schema>, room: string): Promise<Loaded> {
  const transaction = db.transaction("records");
  const index = transaction.store.index("sizes");
  // In the order they were written: a record may rest on those before it.
  const all = (await index.getAllKeys(ofRoom(room))).toSorted((a, b) => a - b);
  const found = await Promise.all(all.map(async (key) => ({ key, record: await transaction.store.get(key) })));
  const records = found.flatMap(({ key, record }) => (isRecord(record) ? [{ key, record }] : []));
  const stays = new Map(records.map(({ record }) => [record.stay, record.unsaved]));
  const isSaved = ({ record }: { readonly record: Record }) => stays.get(record.stay) === 0;
  const named = records.filter(({ record }) => record.lineage !== undefined);
  // When there are records of several documents: the one with an edit that is not saved, so that
  // its owner gets to see it; otherwise the latest.
  const lineage = (named.find((found) => !isSaved(found)) ?? named.at(-1))?.record.lineage;
  const mine = records.filter(({ record }) => record.lineage === undefined || record.lineage === lineage);
  // A room made anew under the same name leaves copies that nobody needs once they are saved.
  const stale = records.filter((found) => !mine.includes(found) && isSaved(found));
  return {
    kept: mine.length === 0 ? undefined : {
      updates: mine.flatMap(({ record }) => record.updates),
      unsaved: [...new Set(mine.map(({ record }) => record.stay))].reduce((sum, stay) => sum + (stays.get(stay) ?? 0), 0),
      lineage,
    },
    keys: [...mine, ...stale].map(({ key }) => key),
  };
}

async function append(db: IDBPDatabase<Schema>, room: string, stay: string, records: readonly Kept[]): Promise<number[]> {
  const transaction = db.transaction("records", "readwrite", { durability: "strict" });
  const keys = await Promise.all([...records.map((kept) => transaction.store.add(recordOf(room, stay, kept))), transaction.done]);
  return keys.filter((key) => key !== undefined);
}

async function replace(db: IDBPDatabase<Schema>, room: string, stay: string, copy: Kept, held: readonly number[]): Promise<number> {
  const transaction = db.transaction("records", "readwrite", { durability: "strict" });
  const [key] = await Promise.all([
    transaction.store.add(recordOf(room, stay, copy)),
    ...held.map((key) => transaction.store.delete(key)),
    transaction.done,
  ]);
  return key;
}

async function forget(db: IDBPDatabase<Schema>, keys: readonly number[]): Promise<void> {
  const transaction = db.transaction("records", "readwrite", { durability: "strict" });
  await Promise.all([...keys.map((key) => transaction.store.delete(key)), transaction.done]);
}

async function visit(db: IDBPDatabase<Schema>, room: string, name: string | undefined): Promise<void> {
  const transaction = db.transaction("rooms", "readwrite");
  const before = await transaction.store.get(room);
  await transaction.store.put({ room, name: name ?? before?.name ?? "", visitedAt: Date.now() });
  await transaction.done;
}

async function recentRooms(db: IDBPDatabase<Schema>): Promise<readonly RecentRoom[]> {
  const transaction = db.transaction(["rooms", "records"]);
  const visits = await transaction.objectStore("rooms").getAll();
  const rooms = await Promise.all(visits.map(async (visit) => {
    const { unsaved } = await sizeOf(transaction.objectStore("records").index("sizes"), visit.room);
    return { ...visit, unsaved };
  }));
  return rooms.toSorted((a, b) => b.visitedAt - a.visitedAt);
}

async function forgetRoom(db: IDBPDatabase<Schema>, room: string): Promise<void> {
  const transaction = db.transaction(["rooms", "records"], "readwrite");
  const records = transaction.objectStore("records");
  const keys = await records.index("sizes").getAllKeys(ofRoom(room));
  await Promise.all([...keys.map((key) => records.delete(key)), transaction.objectStore("rooms").delete(room), transaction.done]);
}

async function tidy(db: IDBPDatabase<Schema>, current: string, bounds: Bounds): Promise<void> {
  const transaction = db.transaction(["rooms", "records"], "readwrite");
  const rooms = transaction.objectStore("rooms");
  const records = transaction.objectStore("records");
  const visits = (await rooms.getAll()).toSorted((a, b) => a.visitedAt - b.visitedAt);
  const sized = await Promise.all(visits.map(async ({ room }) => ({ room, ...(await sizeOf(records.index("sizes"), room)) })));
  let bytes = sized.reduce((sum, room) => sum + room.bytes, 0);
  let count = sized.length;
  for (const { room, bytes: size, unsaved } of sized) {
    if (count <= bounds.rooms && bytes <= bounds.bytes) break;
    if (unsaved > 0 || room === current) continue;
    count -= 1;
    bytes -= size;
    const keys = await records.index("sizes").getAllKeys(ofRoom(room));
    await Promise.all([...keys.map((key) => records.delete(key)), rooms.delete(room)]);
  }
  await transaction.done;
}

/** The parts of IndexedDB that tell sizes of records without their content. */
interface SizesIndex {
  openKeyCursor(range: IDBKeyRange): Promise<SizesCursor | null>;
}

interface SizesCursor {
  readonly key: Sizes;
  readonly primaryKey: number;
  continue(): Promise<SizesCursor | null>;
}

async function sizeOf(sizes: SizesIndex, room: string): Promise<{ readonly bytes: number; readonly unsaved: number }> {
  let total = 0;
  const last = new Map<string, { readonly key: number; readonly unsaved: number }>();
  for (let cursor = await sizes.openKeyCursor(ofRoom(room)); cursor; cursor = await cursor.continue()) {
    const [, stay, unsaved, bytes] = cursor.key;
    total += bytes;
    if ((last.get(stay)?.key ?? 0) < cursor.primaryKey) last.set(stay, { key: cursor.primaryKey, unsaved });
  }
  return { bytes: total, unsaved: [...last.values()].reduce((sum, { unsaved }) => sum + unsaved, 0) };
}

/** Every key of the index that begins with this room: a list is greater than any number. */
function ofRoom(room: string): IDBKeyRange {
  return IDBKeyRange.bound([room], [room, []]);
}

function recordOf(room: string, stay: string, kept: Kept): Record {
  return { ...kept, room, stay, bytes: kept.updates.reduce((sum, update) => sum + update.length, 0) };
}

/** Whether a record has the form that this version writes: the database outlives the page. */
function isRecord(record: Record | undefined): record is Record {
  return (
    record !== undefined &&
    Array.isArray(record.updates) &&
    record.updates.every((update: unknown) => update instanceof Uint8Array) &&
    typeof record.stay === "string" &&
    Number.isInteger(record.unsaved) &&
    (record.lineage === undefined || /^[0-9a-f]{32}$/.test(record.lineage))
  );
}
