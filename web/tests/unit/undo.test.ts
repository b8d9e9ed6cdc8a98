/** Undo and redo of three people at once: each takes back what is their own, and nothing else. */
import { readFileSync } from "node:fs";
import { undo } from "@codemirror/commands";
import { type ChangeSet, type ChangeSpec, StateField, Transaction } from "@codemirror/state";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { remoteTransaction } from "../../src/editor/remote.js";
import { ownUndo } from "../../src/editor/undo.js";
import { initSync } from "../../src/wasm/collab_wasm.js";
import { type Build, commands, type Person, World } from "./three-people.js";

beforeAll(() => {
  initSync({ module: readFileSync(new URL("../../src/wasm/collab_wasm_bg.wasm", import.meta.url)) });
});

const REAL: Build = { extensions: ownUndo(), bringIn: remoteTransaction, back: commands };

/** What happens in the world, one thing after the other. */
type Happening =
  | { readonly kind: "insert" | "delete" | "replace" | "twoCarets"; readonly who: number; readonly at: number; readonly size: number; readonly event: string }
  /** Goes on where the caret is, as in typing: such edits become one step. */
  | { readonly kind: "typeOn" | "backspace"; readonly who: number }
  | { readonly kind: "undo" | "redo"; readonly who: number; readonly times: number }
  | { readonly kind: "arrive"; readonly from: number; readonly to: number; readonly pick: number }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "settle" };

const who = fc.nat(2);
const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom("insert", "insert", "delete", "replace", "twoCarets"),
      who,
      at: fc.nat(999),
      size: fc.integer({ min: 1, max: 5 }),
      event: fc.constantFrom("input.type", "input.type", "delete.backward", "input.paste", "input.complete.ai", "input"),
    }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("typeOn", "typeOn", "backspace"), who }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom("undo", "undo", "redo"), who, times: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("arrive" as const), from: who, to: who, pick: fc.nat(3) }) },
  // Shorter and longer than what makes two keystrokes one step.
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(100, 400, 600) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("settle" as const) }) },
);

const story = fc.array(happening, { minLength: 8, maxLength: 50, size: "max" });

function happen(world: World, event: Happening, seen: Seen): void {
  world.clock.now += 1;
  switch (event.kind) {
    case "insert":
    case "delete":
    case "replace":
    case "twoCarets": {
      const person = world.person(event.who);
      person.edit(changesOf(world, person, event), event.event);
      return;
    }
    case "typeOn": {
      const person = world.person(event.who);
      person.edit({ from: person.caret, insert: world.fresh(1) }, "input.type");
      return;
    }
    case "backspace": {
      const person = world.person(event.who);
      const before = [...person.text.slice(0, person.caret)].at(-1) ?? "";
      person.edit({ from: person.caret - before.length, to: person.caret }, "delete.backward");
      return;
    }
    case "undo":
    case "redo":
      for (let i = 0; i < event.times; i += 1) {
        const person = world.person(event.who);
        const others = person.units().filter(({ writer }) => writer !== person.replica).length;
        if (!person.back(event.kind)) continue;
        seen.steps += 1;
        if (others > 0) seen.amidOthers += 1;
      }
      return;
    case "arrive":
      world.deliver(event.from, event.to, event.pick);
      return;
    case "wait":
      world.clock.now += event.ms;
      return;
    case "settle":
      world.settle();
      return;
    default:
      event satisfies never;
  }
}

function changesOf(world: World, { text }: Person, event: { kind: string; at: number; size: number }): ChangeSpec {
  // Between characters, as carets are.
  const places = [0];
  for (const character of text) places.push((places.at(-1) ?? 0) + character.length);
  const place = (index: number) => places[Math.min(index, places.length - 1)] ?? 0;
  const start = event.at % places.length;
  const [from, to] = [place(start), place(start + event.size)];
  switch (event.kind) {
    case "insert":
      return { from, insert: world.fresh(event.size) };
    case "delete":
      return { from, to };
    case "replace":
      return { from, to, insert: world.fresh(event.size) };
    default:
      return [{ from, insert: world.fresh(1) }, { from: to, to: place(start + event.size + 1), insert: world.fresh(1) }];
  }
}

/** The text before each of the person's own edits: what a naive undo would go back to. */
const versions = StateField.define<readonly string[]>({
  create: () => [],
  update: (before, transaction) =>
    transaction.docChanged && !transaction.annotation(Transaction.remote) ? [...before, transaction.startState.sliceDoc()] : before,
});

function wholeText(person: Person): boolean {
  const before = person.state.field(versions).at(-1);
  if (before === undefined) return false;
  person.dispatch(person.state.update({ changes: { from: 0, to: person.text.length, insert: before } }));
  return true;
}

/** What takes the person's own edits back if nobody else is there. */
const deafHistory = StateField.define<readonly ChangeSet[]>({
  create: () => [],
  update(inverses, transaction) {
    if (!transaction.docChanged || transaction.annotation(Transaction.remote)) return inverses;
    if (transaction.isUserEvent("undo")) return inverses.slice(0, -1);
    return [...inverses, transaction.changes.invert(transaction.startState.doc)];
  },
});

function deafUndo(person: Person): boolean {
  const inverse = person.state.field(deafHistory).at(-1);
  if (!inverse) return false;
  const end = person.text.length;
  const changes: ChangeSpec[] = [];
  inverse.iterChanges((from, to, _fromNew, _toNew, insert) => {
    changes.push({ from: Math.min(from, end), to: Math.min(to, end), insert });
  });
  person.dispatch(person.state.update({ changes, userEvent: "undo" }));
  return true;
}

/** How often something was taken back or brought back, and how often others had written by then. */
interface Seen {
  steps: number;
  amidOthers: number;
}

/** Lets a story happen; throws when an undo overstepped, or the people do not end alike. */
function live(build: Build, events: readonly Happening[], seen: Seen, afterwards: (world: World) => void = () => {}): void {
  const world = new World(build);
  try {
    for (const event of events) happen(world, event, seen);
    world.settle();
    const [first, ...others] = world.people;
    for (const other of others) expect(other.text).toBe(first?.text);
    for (const person of world.people) expect(person.mirror.text.toString()).toBe(person.text);
    afterwards(world);
  } finally {
    world.leave();
  }
}

/** No edit was lost to undo: taken back to the beginning, nothing is left that a person typed. */
function allCanBeTakenBack(world: World): void {
  for (const person of world.people) {
    while (person.back("undo"));
    expect(person.leftovers()).toEqual([]);
  }
}

/** Three editors that have seen the same text so far. */
function together(text: string): World {
  const world = new World(REAL);
  world.person(0).edit({ from: 0, insert: text }, "input.paste");
  world.settle();
  return world;
}

/** Says what every one of them shows in the end. */
function settled(world: World): string {
  world.settle();
  const texts = new Set(world.people.map(({ text }) => text));
  expect(texts.size).toBe(1);
  world.leave();
  return [...texts].join();
}

/** Some 8 s by itself; others may be using the machine. In milliseconds. */
const LONG_MS = 180_000;

const RUNS = Number(process.env["UNDO_RUNS"] ?? 1_000);

describe("three people", () => {
  test("no undo or redo takes away what another wrote, or brings back what another deleted, and all end alike", () => {
    const seen: Seen = { steps: 0, amidOthers: 0 };
    fc.assert(fc.property(story, (events) => live(REAL, events, seen, allCanBeTakenBack)), { numRuns: RUNS });
    // Stories in which nobody is in another's way would prove nothing.
    expect(seen.steps).toBeGreaterThan(2 * RUNS);
    expect(seen.amidOthers).toBeGreaterThan(RUNS / 2);
  }, LONG_MS);

  const broken: Record<string, Build> = {
    "other people's edits are in the history": {
      ...REAL,
      bringIn: (edits) => ({ ...remoteTransaction(edits), annotations: [Transaction.remote.of(true), Transaction.addToHistory.of(true)] }),
    },
    "undo brings back the whole text of before": {
      extensions: [ownUndo(), versions],
      bringIn: remoteTransaction,
      back: { ...commands, undo: wholeText },
    },
    "the history does not hear of other people's edits": {
      extensions: [deafHistory],
      bringIn: remoteTransaction,
      back: { redo: () => false, undo: deafUndo },
    },
  };

  test.each(Object.entries(broken))("the referee notices when %s", (_what, build) => {
    const found = fc.check(fc.property(story, (events) => live(build, events, { steps: 0, amidOthers: 0 })), { numRuns: 300, endOnFailure: true });
    expect(found.failed).toBe(true);
    expect(String(found.errorInstance)).toMatch(/(undo|redo) by \d+ (removed .*, which|brought back)/);
  });
});

describe("where it is easy to go wrong", () => {
  test("someone types inside what I typed: my undo leaves theirs, my redo brings mine back around it", () => {
    const world = together("()");
    const [ana, ben] = [world.person(0), world.person(1)];
    ana.edit({ from: 1, insert: "abcd" }, "input.type");
    world.settle();
    ben.edit({ from: 3, insert: "X" }, "input.type");
    world.settle();
    ana.back("undo");
    expect(ana.text).toBe("(X)");
    ana.back("redo");
    expect(settled(world)).toBe("(abXcd)");
  });

  test("two delete the same text: who undoes brings back what they deleted, once", () => {
    const world = together("one two three");
    const [ana, ben] = [world.person(0), world.person(1)];
    ana.edit({ from: 4, to: 8 }, "delete.backward");
    ben.edit({ from: 2, to: 10 }, "delete.backward");
    world.settle();
    expect(ana.text).toBe("onree");
    ana.back("undo");
    expect(settled(world)).toBe("ontwo ree");
  });

  test("redo after others edited goes where the text has gone", () => {
    const world = together("base");
    const [ana, ben] = [world.person(0), world.person(1)];
    ana.edit({ from: 2, insert: "MINE" }, "input.type");
    ana.back("undo");
    ben.edit({ from: 0, insert: "theirs " }, "input.type");
    world.settle();
    ana.back("redo");
    expect(settled(world)).toBe("theirs baMINEse");
  });

  test("redo brings nothing of mine back that another deleted meanwhile", () => {
    const world = together("");
    const [ana, ben] = [world.person(0), world.person(1)];
    ana.edit({ from: 0, insert: "abcd" }, "input.type");
    world.settle();
    ben.edit({ from: 1, to: 3 }, "delete.backward");
    world.settle();
    ana.back("undo");
    ana.back("redo");
    expect(settled(world)).toBe("ad");
  });

  test("a replacement is one step, whatever others wrote beside it", () => {
    const world = together("old text");
    const [ana, ben] = [world.person(0), world.person(1)];
    ana.edit({ from: 0, to: 3, insert: "new" }, "input.type");
    ben.edit({ from: 8, insert: "!" }, "input.type");
    ben.edit({ from: 0, insert: "¡" }, "input.type");
    world.settle();
    ana.back("undo");
    expect(ana.text).toContain("old text!");
    expect(ana.text).not.toContain("new");
    expect(settled(world)).toContain("¡");
  });
});

describe("steps", () => {
  test("another's edit between two of my keystrokes neither parts them nor joins them", () => {
    const world = together("");
    const [ana, ben] = [world.person(0), world.person(1)];
    ana.edit({ from: 0, insert: "a" }, "input.type");
    world.clock.now += 200;
    world.settle();
    ben.edit({ from: 0, insert: "THEIRS " }, "input.type");
    world.settle();
    world.clock.now += 200;
    ana.edit({ from: ana.text.length, insert: "b" }, "input.type");
    ana.back("undo");
    expect(settled(world)).toBe("THEIRS ");
  });

  test("typing is one step until it rests for 500 ms", () => {
    const world = together("");
    const ana = world.person(0);
    for (const [key, rest] of [["a", 499], ["b", 499], ["c", 500], ["d", 0]] as const) {
      ana.edit({ from: ana.text.length, insert: key }, "input.type");
      world.clock.now += rest;
    }
    ana.back("undo");
    expect(ana.text).toBe("abc");
    ana.back("undo");
    expect(settled(world)).toBe("");
  });

  test.each(["input.paste", "input.drop", "input.complete.ai", "input.complete", "input.indent", "delete.cut", "move.line", "format"])(
    "%s is a step of its own in the midst of typing",
    (event) => {
      const world = together("");
      const ana = world.person(0);
      ana.edit({ from: 0, insert: "a" }, "input.type");
      ana.edit({ from: 1, insert: "<block>" }, event);
      ana.edit({ from: 8, insert: "b" }, "input.type");
      const seen = [ana.text];
      while (ana.back("undo")) seen.push(ana.text);
      expect(seen).toEqual(["a<block>b", "a<block>", "a", ""]);
      world.leave();
    },
  );

  test("undo goes where its change is", () => {
    const world = together("start\nend");
    const ana = world.person(0);
    ana.dispatch(ana.state.update({ selection: { anchor: 5 } }));
    ana.edit({ from: 5, insert: "ed" }, "input.type");
    ana.dispatch(ana.state.update({ selection: { anchor: ana.text.length } }));
    const seen: Transaction[] = [];
    undo({ state: ana.state, dispatch: (transaction) => void seen.push(transaction) });
    expect(seen[0]?.scrollIntoView).toBe(true);
    expect(seen[0]?.newSelection.main.head).toBe(5);
    world.leave();
  });
});
