/** The room's versions as far as they are known here, newest first. Must not know how they look. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Version } from "./answers.js";
import type { HistoryApi } from "./api.js";

/** Most versions that are kept here; older ones are reached from the newest again. */
const MAX_KNOWN = 2_000;

/** Longest name of a version, in characters: what the server takes. */
export const MAX_VERSION_NAME = 200;

export interface Versions {
  /** Absent until the server has answered once. */
  readonly list: ReadonlySignal<readonly Version[] | undefined>;
  /** Whether the server has older ones. */
  readonly more: ReadonlySignal<boolean>;
  /** Why the list is not here, or not as new as it could be. */
  readonly problem: ReadonlySignal<string | undefined>;
  /** Looks for newer ones. */
  refresh(): Promise<void>;
  /** Adds the next older ones. */
  older(): Promise<void>;
  /** Makes a version of what is now. */
  name(name: string): Promise<void>;
  /** Gives it a name, or takes it away: then it is kept as long as those that come by themselves. */
  rename(version: Version, name: string | undefined): Promise<void>;
}

export function createVersions(api: Pick<HistoryApi, "versions" | "name" | "rename">): Versions {
  const list = signal<readonly Version[] | undefined>(undefined);
  const next = signal<number | undefined>(undefined);
  const more = signal(false);
  const problem = signal<string | undefined>(undefined);
  let asking: Promise<void> | undefined;

  /** One question at a time: answers come in the order of the questions. */
  function ask(question: () => Promise<void>): Promise<void> {
    const mine = (asking ?? Promise.resolve()).then(async () => {
      try {
        await question();
        problem.value = undefined;
      } catch (error) {
        problem.value = error instanceof Error ? error.message : String(error);
      }
    });
    asking = mine;
    return mine;
  }

  function put(known: readonly Version[]): void {
    const byId = new Map(known.map((version) => [version.id, version]));
    const sorted = [...byId.values()].sort((a, b) => b.at - a.at || b.id - a.id);
    list.value = sorted.slice(0, MAX_KNOWN);
    more.value = next.value !== undefined && sorted.length < MAX_KNOWN;
  }

  async function refresh(): Promise<void> {
    const page = await api.versions();
    const oldest = page.versions.at(-1);
    const before = list.peek() ?? [];
    // What is older than the newest page stays, and with it where the next page begins.
    const meets = before.some(({ id }) => page.versions.some((version) => version.id === id));
    const kept = oldest && page.next !== undefined && meets ? before.filter(({ id }) => id < oldest.id) : [];
    if (kept.length === 0) next.value = page.next;
    put([...kept, ...page.versions]);
  }

  return {
    list,
    more,
    problem,
    refresh: () => ask(refresh),
    older: () =>
      ask(async () => {
        if (next.peek() === undefined) return;
        const page = await api.versions(next.peek());
        next.value = page.next;
        put([...(list.peek() ?? []), ...page.versions]);
      }),
    name: (name) =>
      ask(async () => {
        put([...(list.peek() ?? []), await api.name(name)]);
        await refresh();
      }),
    rename: (version, name) =>
      ask(async () => {
        put([...(list.peek() ?? []), await api.rename(version.id, name)]);
        await refresh();
      }),
  };
}
