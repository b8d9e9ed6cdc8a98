/** What the server says of a room's past, read strictly: whatever is not as it should be is an error
 *  or left out. Must not know how it was asked for. */
import { cleanName } from "../presence/identity.js";
import { shownName } from "../room/files.js";

/** Somebody who wrote. */
export interface Author {
  readonly name: string;
  /** `#rrggbb`. */
  readonly color: string;
}

/** A point of the room's past that can be looked at. */
export interface Version {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly kind: VersionKind;
  /** What people call it. */
  readonly name: string | undefined;
  /** Who wrote since the version before. */
  readonly authors: readonly Author[];
  /** UTF-16 code units since the version before. */
  readonly insertions: number;
  readonly deletions: number;
}

export type VersionKind = "automatic" | "named" | "restored";

export interface VersionPage {
  /** Newest first. */
  readonly versions: readonly Version[];
  /** Where the next page begins; absent on the last. */
  readonly next: number | undefined;
}

/** Who wrote some lines that follow one another. */
export interface BlameRun {
  readonly lines: number;
  /** Absent where nobody is known. */
  readonly author: Author | undefined;
  /** Milliseconds since 1970; absent where that is not known. */
  readonly at: number | undefined;
}

/** How much everybody wrote, in stretches of time of the same length. */
export interface Activity {
  /** Milliseconds since 1970: where the first stretch begins. */
  readonly from: number;
  readonly bucketMs: number;
  readonly authors: readonly Author[];
  /** By stretch: who, into `authors`, and how many UTF-16 code units they inserted and deleted. */
  readonly buckets: readonly (readonly (readonly [author: number, units: number])[])[];
}

/** How a replay begins. */
export interface ReplayHead {
  /** Milliseconds since 1970. */
  readonly from: number;
  readonly text: string;
  readonly authors: readonly Author[];
  /** How many changes follow, at most. */
  readonly changes: number;
}

/** One replacement, in the text after those before it. */
export interface Replacement {
  readonly at: number;
  readonly removed: number;
  readonly inserted: string;
}

export interface Change {
  /** Milliseconds since the change before. */
  readonly after: number;
  /** Into `ReplayHead.authors`; out of it where nobody is known. */
  readonly author: number;
  readonly replacements: readonly Replacement[];
}

/** Most authors of one answer; the rest are left out. */
const MAX_AUTHORS = 10_000;

/** Who wrote what nobody is known for. */
const SOMEBODY: Author = { name: "Somebody", color: "#6a7281" };

/** What an answer that does not fit is called. */
export class Unreadable extends Error {
  constructor(what: string) {
    super(`The server told the history in a way this page does not understand (${what}). Reload the page.`);
  }
}

export function readVersionPage(value: unknown): VersionPage {
  const page = record(value, "versions");
  return { versions: list(page["versions"], "versions").map(readVersion), next: optional(page["next"], (id) => whole(id, "next")) };
}

export function readVersion(value: unknown): Version {
  const version = record(value, "version");
  const kind = version["kind"];
  const name = version["name"];
  return {
    id: whole(version["id"], "id"),
    at: time(version["at"]),
    // One that a newer server makes is a version all the same.
    kind: kind === "named" || kind === "restored" ? kind : "automatic",
    name: typeof name === "string" ? shownName(name) || undefined : undefined,
    authors: readAuthors(version["authors"]),
    insertions: whole(version["insertions"] ?? 0, "insertions"),
    deletions: whole(version["deletions"] ?? 0, "deletions"),
  };
}

export function readAuthors(value: unknown): readonly Author[] {
  return list(value ?? [], "authors").slice(0, MAX_AUTHORS).map(readAuthor);
}

function readAuthor(value: unknown): Author {
  const { name, color } = record(value, "author");
  return {
    name: (typeof name === "string" ? cleanName(name) : undefined) ?? SOMEBODY.name,
    color: typeof color === "string" && /^#[0-9a-f]{6}$/i.test(color) ? color.toLowerCase() : SOMEBODY.color,
  };
}

export function readBlame(value: unknown): readonly BlameRun[] {
  const blame = record(value, "blame");
  const authors = readAuthors(blame["authors"]);
  return list(blame["runs"], "runs").map((one) => {
    const run = record(one, "run");
    const author = optional(run["author"], (index) => whole(index, "author"));
    return {
      lines: whole(run["lines"], "lines"),
      author: author === undefined ? undefined : authors[author],
      at: optional(run["at"], time),
    };
  });
}

export function readActivity(value: unknown): Activity {
  const activity = record(value, "activity");
  return {
    from: time(activity["from"]),
    bucketMs: whole(activity["bucketMs"], "bucketMs"),
    authors: readAuthors(activity["authors"]),
    buckets: list(activity["buckets"], "buckets").map((bucket) =>
      list(bucket, "bucket").map((one) => {
        const [author, inserted, deleted] = list(one, "sum");
        return [author === null ? Number.MAX_SAFE_INTEGER : whole(author, "author"), whole(inserted, "inserted") + whole(deleted, "deleted")] as const;
      }),
    ),
  };
}

export function readReplayHead(value: unknown): ReplayHead {
  const head = record(value, "replay");
  const { text } = head;
  if (typeof text !== "string") throw new Unreadable("text");
  return {
    from: time(head["from"]),
    text,
    authors: readAuthors(head["authors"]),
    changes: whole(head["changes"], "changes"),
  };
}

/** A line behind the first: a change as `[dtMs, author, [[at, removed, inserted], …]]`, or, as the last one, how
 *  many there were. */
export function readChange(value: unknown): Change | number {
  if (!Array.isArray(value)) return whole(record(value, "change")["changes"], "changes");
  const [after, author, replacements] = list(value, "change");
  return {
    after: whole(after, "time"),
    // Nobody is known.
    author: author === null ? Number.MAX_SAFE_INTEGER : whole(author, "author"),
    replacements: list(replacements, "replacements").map((one) => {
      const [at, removed, inserted] = list(one, "replacement");
      if (typeof inserted !== "string") throw new Unreadable("inserted");
      return { at: whole(at, "offset"), removed: whole(removed, "removed"), inserted };
    }),
  };
}

/** The author of a change. */
export function authorAt(authors: readonly Author[], index: number): Author {
  return authors[index] ?? SOMEBODY;
}

function record(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Unreadable(what);
  return value as Readonly<Record<string, unknown>>;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unreadable(what);
  return value;
}

/** A whole number that counts something. */
function whole(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) throw new Unreadable(what);
  return value;
}

/** RFC 3339, or milliseconds since 1970. */
function time(value: unknown): number {
  const at = typeof value === "string" ? Date.parse(value) : value;
  if (typeof at !== "number" || !Number.isFinite(at)) throw new Unreadable("time");
  return at;
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === null || value === undefined ? undefined : read(value);
}
