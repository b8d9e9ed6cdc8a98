/** Asks the server for a room's past. Every failure is an `Error` that a person can read. Must not
 *  know what is done with the answers. */
import { type Activity, type BlameRun, readActivity, readBlame, readVersion, readVersionPage, Unreadable, type Version, type VersionPage } from "./answers.js";

/** A point of the past: a version, or the state at a time in milliseconds since 1970. */
export type Moment = number | `t${number}` | "now";

export interface HistoryApi {
  /** The versions before this one, newest first; without it, the newest. */
  versions(before?: number): Promise<VersionPage>;
  /** Makes a version of what is now. */
  name(name: string): Promise<Version>;
  /** Gives a version a name, or takes it away. */
  rename(id: number, name: string | undefined): Promise<Version>;
  /** A file's text then; `undefined` when there was no such file. */
  text(moment: Moment, file: string, signal: AbortSignal): Promise<string | undefined>;
  /** Who wrote each line of a file as it is now. */
  blame(file: string, signal: AbortSignal): Promise<readonly BlameRun[]>;
  /** How much was written in the room, from its first change to its last. */
  activity(signal: AbortSignal): Promise<Activity>;
  /** Each change of a file, as lines of JSON. */
  replay(file: string, from: Moment, signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

/** Versions of one page. */
const PAGE = 50;

export function historyApi(root: URL, room: string): HistoryApi {
  const base = new URL(`api/rooms/${encodeURIComponent(room)}/`, root);

  async function ask(path: string, options: RequestInit = {}): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, base), { cache: "no-store", ...options });
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new Error("The server does not answer. What is written meanwhile is in the history when it is back.");
    }
    if (response.ok) return response;
    throw await refusal(response);
  }

  async function json(path: string, options: RequestInit = {}): Promise<unknown> {
    const response = await ask(path, { ...options, headers: { accept: "application/json", ...options.headers } });
    try {
      return (await response.json()) as unknown;
    } catch (error) {
      if (options.signal?.aborted) throw error;
      throw new Unreadable("an answer that is not JSON");
    }
  }

  const body = (value: unknown): RequestInit => ({ headers: { "content-type": "application/json" }, body: JSON.stringify(value) });

  return {
    versions: async (before) => readVersionPage(await json(`versions?limit=${PAGE}${before === undefined ? "" : `&before=${before}`}`)),
    name: async (name) => readVersion(await json("versions", { method: "POST", ...body({ name }) })),
    rename: async (id, name) => readVersion(await json(`versions/${id}`, { method: "PATCH", ...body({ name: name ?? null }) })),
    async text(moment, file, signal) {
      try {
        const response = await ask(`versions/${moment}/files/${encodeURIComponent(file)}`, { headers: { accept: "text/plain" }, signal });
        return await response.text();
      } catch (error) {
        if (error instanceof Refused && error.type === "file-not-found") return undefined;
        throw error;
      }
    },
    blame: async (file, signal) => readBlame(await json(`blame/${encodeURIComponent(file)}`, { signal })),
    activity: async (signal) => readActivity(await json("activity", { signal })),
    async replay(file, from, signal) {
      const response = await ask(`replay?file=${encodeURIComponent(file)}&from=${from}&to=now`, { headers: { accept: "application/x-ndjson" }, signal });
      if (!response.body) throw new Error("The server sent an empty replay.");
      return response.body;
    },
  };
}

/** The server said no. */
class Refused extends Error {
  constructor(
    message: string,
    /** Its name for the reason, as the last part of `type`. */
    readonly type: string,
  ) {
    super(message);
  }
}

async function refusal(response: Response): Promise<Refused> {
  const answer: unknown = await response.json().catch(() => undefined);
  const problem = typeof answer === "object" && answer !== null ? (answer as Readonly<Record<string, unknown>>) : {};
  const said = (field: string) => (typeof problem[field] === "string" ? problem[field] : "");
  return new Refused(said("detail") || said("title") || `The server answered ${response.status}.`, said("type").split(/[/:#]/).at(-1) ?? "");
}
