/** People who come and go are told of politely: no flicker, no flood. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Announcements, RETURN_MS, SETTLE_MS, type Somebody } from "../../src/presence/announcements.js";

const someone = (name: string, id: string | undefined = undefined, color = "#0871c2"): Somebody => ({ name, color, id });

/** A page that has been connected for a while, and everything it says, with the time. */
class Listener {
  readonly said: [number, string][] = [];
  readonly announcements = new Announcements();
  now = 0;

  constructor(settled = true) {
    if (!settled) return;
    this.announcements.connected(0, true);
    this.pass(SETTLE_MS);
  }

  seen(replica: number, who: Somebody | undefined): void {
    this.announcements.seen(this.now, replica, who);
  }

  /** Lets time go by, from deadline to deadline. */
  pass(ms: number): void {
    const end = this.now + ms;
    for (;;) {
      const next = this.announcements.nextDeadline();
      if (next === undefined || next > end) break;
      this.now = Math.max(this.now, next);
      const text = this.announcements.due(this.now);
      if (text !== undefined) this.said.push([this.now, text]);
    }
    this.now = end;
  }

  get sentences(): string[] {
    return this.said.map(([, text]) => text);
  }
}

const LONG = 60_000;

describe("people who come and go", () => {
  test("are named", () => {
    const it = new Listener();
    it.seen(1, someone("Ana"));
    it.pass(LONG);
    it.seen(1, undefined);
    it.pass(RETURN_MS - 1);
    expect(it.sentences).toEqual(["Ana joined."]);
    it.pass(LONG);
    expect(it.sentences).toEqual(["Ana joined.", "Ana left."]);
  });

  test("several at once are one sentence", () => {
    const it = new Listener();
    for (const [i, name] of ["Ana", "Ben", "Cem", "Dia", "Eli"].entries()) {
      it.seen(i, someone(name));
      it.pass(50);
    }
    it.pass(LONG);
    it.seen(0, undefined);
    it.seen(1, undefined);
    it.seen(7, someone("Fay"));
    it.seen(8, someone("Gus", undefined, "#ac5804"));
    it.seen(2, undefined);
    it.pass(LONG);
    expect(it.sentences).toEqual(["Ana, Ben and 3 others joined.", "Fay and Gus joined.", "Ana, Ben and Cem left."]);
  });

  test("who was here before, or comes back with the line, is no news", () => {
    const it = new Listener(false);
    it.seen(1, someone("Early"));
    it.announcements.connected(it.now, true);
    it.seen(2, someone("Ana"));
    it.pass(SETTLE_MS - 1);
    it.seen(3, someone("Ben"));
    it.pass(LONG);
    // The page itself is cut off: everybody vanishes, and some are still there later.
    it.announcements.connected(it.now, false);
    it.seen(1, undefined);
    it.seen(2, undefined);
    it.seen(3, undefined);
    it.pass(LONG);
    it.announcements.connected(it.now, true);
    it.announcements.connected(it.now + 500, true);
    it.seen(2, someone("Ana"));
    it.pass(LONG);
    expect(it.sentences).toEqual([]);
    it.seen(4, someone("Cem"));
    it.pass(LONG);
    expect(it.sentences).toEqual(["Cem joined."]);
  });

  test("nobody has left when the page itself is cut off, whichever is told first", () => {
    const it = new Listener();
    it.seen(1, someone("Ana"));
    it.pass(LONG);
    it.seen(1, undefined);
    it.announcements.connected(it.now, false);
    it.pass(LONG);
    it.announcements.connected(it.now, true);
    it.seen(1, someone("Ana"));
    it.pass(LONG);
    expect(it.sentences).toEqual(["Ana joined."]);
  });

  test("a reload is no news, whichever connection ends first", () => {
    const it = new Listener();
    it.seen(1, someone("Ana", "tab"));
    it.seen(2, someone("Yjs"));
    it.pass(LONG);
    it.said.length = 0;
    // She says goodbye and is back under another number and, by then, another name.
    it.seen(1, undefined);
    it.pass(RETURN_MS - 1);
    it.seen(11, someone("Anna", "tab", "#ac5804"));
    it.pass(LONG);
    // Her page crashed: the old connection is only found dead later.
    it.seen(12, someone("Anna", "tab"));
    it.pass(LONG);
    it.seen(11, undefined);
    it.pass(LONG);
    // Other editors have no tab to be known by.
    it.seen(2, undefined);
    it.pass(1_000);
    it.seen(3, someone("Yjs"));
    it.pass(LONG);
    expect(it.sentences).toEqual([]);
    it.seen(12, undefined);
    it.pass(LONG);
    expect(it.sentences).toEqual(["Anna left."]);
  });

  test("who was here only for a moment is not mentioned", () => {
    const it = new Listener();
    it.seen(1, someone("Ana"));
    it.pass(100);
    it.seen(1, undefined);
    it.pass(LONG);
    expect(it.sentences).toEqual([]);
  });

  test("whatever they do, sentences keep their distance and end, and who was told of as come is told of as gone", () => {
    const step = fc.record({ wait: fc.nat(3_000), replica: fc.nat(6), here: fc.boolean(), renamed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const it = new Listener();
        for (const { wait, replica, here, renamed } of steps) {
          it.seen(replica, here ? someone(`P${replica}${renamed ? "x" : ""}`, `tab${replica}`) : undefined);
          it.pass(wait);
        }
        for (let replica = 0; replica <= 6; replica += 1) it.seen(replica, undefined);
        it.pass(LONG);
        const times = it.said.map(([at]) => at);
        for (let i = 1; i < times.length; i += 1) expect((times[i] ?? 0) - (times[i - 1] ?? 0)).toBeGreaterThanOrEqual(3_000);
        expect(it.announcements.nextDeadline()).toBeUndefined();
        // Everybody is gone: as many leavings as comings were told.
        const count = (verb: string) =>
          it.sentences
            .flatMap((text) => text.split(/(?<=\.) /))
            .filter((text) => text.endsWith(` ${verb}.`))
            .reduce((sum, text) => sum + Number(/(\d+) others/.exec(text)?.[1] ?? 0) + [...text.matchAll(/P\d/g)].length, 0);
        expect(count("joined")).toBe(count("left"));
      }),
      { numRuns: 500 },
    );
  });
});
