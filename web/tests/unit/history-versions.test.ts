/** The list of versions: pages, refreshes and names, against a server that answers in its own time. */
import { expect, test } from "vitest";
import type { Version, VersionPage } from "../../src/history/answers.js";
import { createVersions } from "../../src/history/versions.js";

const version = (id: number, name?: string): Version => ({ id, at: id * 1_000, kind: name ? "named" : "automatic", name, authors: [], insertions: 0, deletions: 0 });

/** A server with these versions, three to a page. */
function serverWith(ids: readonly number[]) {
  let known = ids.map((id) => version(id));
  return {
    add: (id: number) => known.push(version(id)),
    fails: false,
    async versions(before = Infinity): Promise<VersionPage> {
      if (this.fails) throw new Error("The server does not answer.");
      const older = known.filter(({ id }) => id < before).sort((a, b) => b.id - a.id);
      const page = older.slice(0, 3);
      return { versions: page, next: older.length > 3 ? page.at(-1)?.id : undefined };
    },
    async name(name: string) {
      const made = version(Math.max(...known.map(({ id }) => id)) + 1, name);
      known.push(made);
      return made;
    },
    async rename(id: number, name: string | undefined) {
      const renamed = version(id, name);
      known = known.map((one) => (one.id === id ? renamed : one));
      return renamed;
    },
  };
}

const ids = (list: readonly Version[] | undefined) => list?.map(({ id }) => id);

test("older pages stay when newer versions come", async () => {
  const server = serverWith([1, 2, 3, 4, 5, 6, 7]);
  const versions = createVersions(server);
  await versions.refresh();
  expect(ids(versions.list.value)).toEqual([7, 6, 5]);
  await versions.older();
  expect([ids(versions.list.value), versions.more.value]).toEqual([[7, 6, 5, 4, 3, 2], true]);
  server.add(8);
  await versions.refresh();
  expect(ids(versions.list.value)).toEqual([8, 7, 6, 5, 4, 3, 2]);
  await versions.older();
  expect([ids(versions.list.value), versions.more.value]).toEqual([[8, 7, 6, 5, 4, 3, 2, 1], false]);
});

test("when more came than one page has, no gap is left", async () => {
  const server = serverWith([1, 2, 3, 4]);
  const versions = createVersions(server);
  await versions.refresh();
  await versions.older();
  for (const id of [5, 6, 7, 8, 9]) server.add(id);
  await versions.refresh();
  while (versions.more.value) await versions.older();
  expect(ids(versions.list.value)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1]);
});

test("names are given, changed and taken away", async () => {
  const server = serverWith([1, 2]);
  const versions = createVersions(server);
  await versions.refresh();
  await versions.name("before");
  expect(versions.list.value?.[0]).toMatchObject({ id: 3, name: "before" });
  const named = versions.list.value?.[0];
  if (!named) throw new Error("no version");
  await versions.rename(named, "after");
  expect(versions.list.value?.[0]).toMatchObject({ id: 3, name: "after" });
  await versions.rename(named, undefined);
  expect(versions.list.value?.[0]).toMatchObject({ id: 3, name: undefined });
});

test("a failure is said and leaves the list; the next answer takes it back", async () => {
  const server = serverWith([1]);
  const versions = createVersions(server);
  await versions.refresh();
  server.fails = true;
  await versions.refresh();
  expect([versions.problem.value, ids(versions.list.value)]).toEqual(["The server does not answer.", [1]]);
  server.fails = false;
  await versions.refresh();
  expect(versions.problem.value).toBeUndefined();
});
