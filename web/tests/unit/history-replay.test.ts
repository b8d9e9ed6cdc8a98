/** A replay's tape: read as it comes, any moment found, and played without a clock. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { Unreadable } from "../../src/history/answers.js";
import { createPlayer } from "../../src/history/player.js";
import { readReplay } from "../../src/history/replay-stream.js";
import { activityOf } from "../../src/history/scrubber.js";
import { Tape } from "../../src/history/tape.js";

const HEAD = { from: 1_000, text: "", authors: [{ name: "Ana", color: "#0871c2" }, { name: "Ben", color: "#ac5804" }], changes: 0 };

type Line = readonly [number, number | null, readonly (readonly [number, number, string])[]];

/** The server's lines, cut into pieces of so many bytes. */
function stream(lines: readonly unknown[], size = 7): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""));
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) controller.close();
      else controller.enqueue(bytes.slice(at, (at += size)));
    },
  });
}

const head = (changes: number, text = "") => ({ file: "main", from: "1970-01-01T00:00:01Z", to: 5_000, text, authors: HEAD.authors, changes });

async function read(lines: readonly unknown[], size?: number): Promise<Tape> {
  let tape: Tape | undefined;
  await readReplay(stream(lines, size), { began: (one) => (tape = one), grew: () => {} });
  if (!tape) throw new Error("it never began");
  return tape;
}

const LINES: readonly Line[] = [
  [5, 0, [[0, 0, "Grüße 😀"]]],
  [2_500, 1, [[5, 1, "\n"], [0, 1, "g"]]],
  [40, null, [[0, 8, ""]]],
];

test("lines come in pieces of any size, characters cut in two among them", async () => {
  for (const size of [1, 2, 3, 7, 1_000]) {
    const tape = await read([head(5), ...LINES, { changes: 3 }], size);
    expect(tape.expected).toBe(3);
    expect(tape.cut).toBeUndefined();
    expect([0, 1, 2, 3].map((at) => tape.textAt(at).sliceString(0))).toEqual(["", "Grüße 😀", "grüße\n😀", ""]);
    expect([0, 1, 2, 3].map((at) => tape.timeAt(at))).toEqual([1_000, 1_005, 3_505, 3_545]);
    expect([0, 1, 2].map((at) => tape.author(at).name)).toEqual(["Ana", "Ben", "Somebody"]);
  }
});

test("what is no replay is an error in words", async () => {
  await expect(read([])).rejects.toThrow(Unreadable);
  await expect(read(["<html>"])).rejects.toThrow(Unreadable);
  await expect(read([head(1), [0, 0, [[1, 0, "x"]]]])).rejects.toThrow("outside of the text");
  await expect(read([head(1, "ab"), [0, 0, [[1, 2, ""]]]])).rejects.toThrow("outside of the text");
  const notText = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array([0xff, 0xfe]));
      controller.close();
    },
  });
  await expect(readReplay(notText, { began: () => {}, grew: () => {} })).rejects.toThrow(Unreadable);
});

test("the last line says how many there were", async () => {
  await expect(read([head(3), ...LINES, { changes: 2 }])).rejects.toThrow(Unreadable);
  await expect(read([head(3), ...LINES, { changes: 3 }, LINES[0]])).rejects.toThrow("behind the end");
});

test("a replay that breaks off says so, and plays what came", async () => {
  const tape = await read([head(9), ...LINES]);
  expect(tape.cut).toMatch(/broke off/);
  expect(tape.length).toBe(3);
});

/** Random edits, as a tape and as the text after each. */
function writing(seed: number, count: number): { tape: Tape; texts: string[] } {
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const tape = new Tape({ ...HEAD, changes: count });
  let text = "";
  const texts = [text];
  for (let i = 0; i < count; i += 1) {
    const at = random(text.length + 1);
    const removed = random(4) === 0 ? Math.min(random(3), text.length - at) : 0;
    const inserted = removed > 0 ? "" : (["a", "b", "\n", "xyz"][random(4)] ?? "");
    text = text.slice(0, at) + inserted + text.slice(at + removed);
    texts.push(text);
    tape.push({ after: random(3_000), author: random(2), replacements: [{ at, removed, inserted }] });
  }
  return { tape, texts };
}

test("any moment is found, in any order, across the texts that are kept", () => {
  const { tape, texts } = writing(7, 6_000);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 6_005 }), { minLength: 1, maxLength: 20 }), (places) => {
      for (const place of places) {
        expect(tape.textAt(place).sliceString(0)).toBe(texts[Math.min(Math.max(place, 0), 6_000)]);
      }
    }),
    { numRuns: 30 },
  );
});

test("a quarter of a million changes are sought in less than 200 ms, with few texts kept", () => {
  const count = 260_000;
  const tape = new Tape({ ...HEAD, changes: count });
  let length = 0;
  for (let i = 0; i < count; i += 1) {
    const inserted = i % 60 === 59 ? "\n" : "e";
    const removed = i % 5 === 4 ? 1 : 0;
    tape.push({ after: 30, author: i % 2, replacements: [{ at: Math.max(length - removed - (i % 1_000), 0), removed, inserted }] });
    length += inserted.length - removed;
  }
  const seeks: number[] = [];
  for (let i = 0; i < 50; i += 1) {
    const start = performance.now();
    tape.textAt((i * 104_729) % count);
    seeks.push(performance.now() - start);
  }
  expect(Math.max(...seeks)).toBeLessThan(200);
});

test("playing follows the time, shortens pauses, and stops at the end", () => {
  const tape = new Tape({ ...HEAD, changes: 3 });
  for (const [after, author, [replacement]] of LINES.slice(0, 2)) {
    const [at, removed, inserted] = replacement ?? [0, 0, ""];
    tape.push({ after, author: author ?? 0, replacements: [{ at, removed, inserted }] });
  }
  const player = createPlayer(tape);
  player.toggle();
  player.passed(4);
  expect(player.position.value).toBe(0);
  player.passed(1);
  expect(player.position.value).toBe(1);
  // A pause of 2.5 s is played in one.
  player.passed(999);
  expect(player.position.value).toBe(1);
  player.passed(1);
  expect(player.position.value).toBe(2);
  // What has not come yet is waited for.
  player.passed(10_000);
  expect([player.position.value, player.playing.value]).toEqual([2, true]);
  tape.push({ after: 40, author: 0, replacements: [{ at: 0, removed: 0, inserted: "x" }] });
  player.setSpeed(4);
  player.passed(10);
  expect([player.position.value, player.playing.value]).toEqual([3, false]);
  // From the end it begins again.
  player.toggle();
  expect([player.position.value, player.playing.value]).toEqual([0, true]);
  player.step(2);
  expect([player.position.value, player.playing.value]).toEqual([2, false]);
  player.step(99);
  expect(player.position.value).toBe(3);
  player.seek(-4);
  expect(player.position.value).toBe(0);
});

test("the scrubber is drawn from what each author did", () => {
  const tape = new Tape({ ...HEAD, changes: 4 });
  tape.push({ after: 0, author: 0, replacements: [{ at: 0, removed: 0, inserted: "abc" }] });
  tape.push({ after: 0, author: 1, replacements: [{ at: 0, removed: 2, inserted: "" }] });
  tape.push({ after: 0, author: 1, replacements: [{ at: 0, removed: 0, inserted: "z" }] });
  const [ana, ben] = HEAD.authors.map(({ color }) => color);
  const columns = activityOf(tape, undefined, 2).map((column) => [...column]);
  expect(columns).toEqual([[[ana, 3], [ben, 2]], [[ben, 1]]]);
});

test("what has not come yet is drawn from what the server says of it", () => {
  const tape = new Tape({ ...HEAD, changes: 8 });
  for (let i = 0; i < 2; i += 1) tape.push({ after: 100, author: 0, replacements: [{ at: 0, removed: 0, inserted: "a" }] });
  const [ana, ben] = HEAD.authors.map(({ color }) => color);
  // The first stretch is over; Ben writes in the third, and then somebody whose name nobody knows.
  const ahead = { from: 1_000, bucketMs: 150, authors: HEAD.authors, buckets: [[[0, 1] as const], [[0, 1] as const], [[1, 40] as const], [[99, 41] as const]] };
  const columns = activityOf(tape, ahead, 4).map((column) => Object.fromEntries(column));
  expect(columns[0]).toEqual({ [ana ?? ""]: 2 });
  expect(columns[1]?.[ben ?? ""]).toBeGreaterThan(0);
  expect(Object.values(columns[3] ?? {}).every((units) => units > 0)).toBe(true);
  const drawn = columns.flatMap((column) => Object.values(column)).reduce((sum, units) => sum + units, 0);
  expect(drawn).toBe(2 + 1 + 40 + 41);
  tape.end(2);
  expect(activityOf(tape, ahead, 1).map((column) => [...column])).toEqual([[[ana, 2]]]);
});
