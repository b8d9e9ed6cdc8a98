/** What the server says of the past is read strictly, and its refusals are words. */
import { afterEach, expect, test, vi } from "vitest";
import { readBlame, readChange, readReplayHead, readVersion, readVersionPage, Unreadable } from "../../src/history/answers.js";
import { historyApi } from "../../src/history/api.js";

afterEach(() => vi.unstubAllGlobals());

const VERSION = {
  id: 7,
  at: "2026-11-28T10:32:05.250Z",
  kind: "named",
  name: "before refactor",
  authors: [{ name: "Ana", color: "#0871C2" }],
  insertions: 12,
  deletions: 3,
};

test("a version as the server writes it", () => {
  expect(readVersion(VERSION)).toEqual({
    id: 7,
    at: Date.UTC(2026, 10, 28, 10, 32, 5, 250),
    kind: "named",
    name: "before refactor",
    authors: [{ name: "Ana", color: "#0871c2" }],
    insertions: 12,
    deletions: 3,
  });
  expect(readVersionPage({ versions: [VERSION], next: null })).toMatchObject({ versions: [{ id: 7 }], next: undefined });
});

test("what people wrote into it cannot steer the page", () => {
  const hostile = { ...VERSION, kind: "new kind", name: "a\u202eb\u0000\n", authors: [{ name: "\u202e", color: "red; background: url(x)" }, { name: 7 }] };
  const { name, kind, authors } = readVersion(hostile);
  expect(name).toBe("ab");
  expect(kind).toBe("automatic");
  for (const author of authors) expect(author).toEqual({ name: "Somebody", color: expect.stringMatching(/^#[0-9a-f]{6}$/) });
});

test("what is not as it should be is an error that says so", () => {
  for (const wrong of [null, [], "x", {}, { ...VERSION, id: -1 }, { ...VERSION, id: 1.5 }, { ...VERSION, at: "yesterday" }, { ...VERSION, insertions: "1" }]) {
    expect(() => readVersion(wrong)).toThrow(Unreadable);
  }
  expect(() => readVersionPage({ versions: {} })).toThrow(Unreadable);
  for (const wrong of [{}, [1], [1, 0], [1, 0, [[0, 0]]], [1, 0, [[0, -1, ""]]], [1, 0, [[0, 0, 5]]], [-1, 0, []]]) {
    expect(() => readChange(wrong)).toThrow(Unreadable);
  }
  expect(() => readReplayHead({ from: 0, changes: 1 })).toThrow(Unreadable);
  expect(() => readBlame({ runs: [{ lines: "2" }] })).toThrow(Unreadable);
});

test("blame names the author of each run, as far as one is known", () => {
  const blame = { authors: [{ name: "Ana", color: "#0871c2" }], runs: [{ lines: 2, author: 0, at: 5 }, { lines: 1, author: null, at: null }, { lines: 1, author: 9, at: 5 }] };
  expect(readBlame(blame).map(({ lines, author }) => [lines, author?.name])).toEqual([[2, "Ana"], [1, undefined], [1, undefined]]);
});

function answer(status: number, body: string): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: URL, { method = "GET", body: sent = "" }: RequestInit) => {
    asked.push(`${method} ${url.pathname}${url.search} ${String(sent)}`.trim());
    return new Response(status === 204 ? null : body, { status });
  });
  return asked;
}

test("the questions are as docs/HISTORY.md has them", async () => {
  const asked = answer(200, JSON.stringify(VERSION));
  const api = historyApi(new URL("http://here/collab/"), "a room/1");
  const { signal } = new AbortController();
  await api.name("x");
  await api.rename(3, "y");
  await api.rename(3, undefined);
  await api.text(3, "main", signal);
  await api.replay("main", "t0", signal);
  const room = "/collab/api/rooms/a%20room%2F1";
  expect(asked).toEqual([
    `POST ${room}/versions {"name":"x"}`,
    `PATCH ${room}/versions/3 {"name":"y"}`,
    `PATCH ${room}/versions/3 {"name":null}`,
    `GET ${room}/versions/3/files/main`,
    `GET ${room}/replay?file=main&from=t0&to=now`,
  ]);
});

test("a refusal is the server's own sentence; silence and nonsense are sentences too", async () => {
  const api = historyApi(new URL("http://here/"), "room");
  answer(422, JSON.stringify({ title: "Unprocessable", detail: "A name has at most 100 characters." }));
  await expect(api.name("x")).rejects.toThrow("A name has at most 100 characters.");
  answer(502, "<html>");
  await expect(api.versions()).rejects.toThrow("The server answered 502.");
  answer(200, "<html>");
  await expect(api.versions()).rejects.toThrow("Reload the page");
  answer(404, JSON.stringify({ type: "about:version-not-found", title: "Not found" }));
  await expect(api.text(3, "main", new AbortController().signal)).rejects.toThrow("Not found");
  answer(404, JSON.stringify({ type: "/problems/file-not-found", title: "Not found" }));
  expect(await api.text(3, "main", new AbortController().signal)).toBeUndefined();
  vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("fetch failed")));
  await expect(api.versions()).rejects.toThrow("The server does not answer.");
});
