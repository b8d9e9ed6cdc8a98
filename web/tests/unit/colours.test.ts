/** Colours that can be read, and that no two people share. */
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Claim, settleColor } from "../../src/presence/colours.js";
import { PALETTE } from "../../src/presence/identity.js";

/** Relative luminance, as WCAG 2 defines it. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [dark = 0, light = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light + 0.05) / (dark + 0.05);
}

/** Every value that a variable of the page has, over all themes. */
function valuesOf(variable: string): string[] {
  const css = readFileSync(new URL("../../src/styles/colours.css", import.meta.url), "utf8");
  const declarations = [...css.matchAll(new RegExp(`^\\s*${variable}:([^;]*);`, "gm"))].map(([, value = ""]) => value);
  return declarations.flatMap((value) => value.match(/#[0-9a-f]{6}\b/gi) ?? []);
}

describe("the palette", () => {
  test("contrast is what WCAG says it is", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21);
    expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
  });

  test.each(PALETTE)("%s can be read under a white name, and seen in every editor", (color) => {
    expect(contrast(color, "#ffffff")).toBeGreaterThanOrEqual(4.5);
    for (const variable of ["--paper", "--active-line"]) {
      const backgrounds = valuesOf(variable);
      // A light and a dark one, or this looks at nothing.
      expect(backgrounds.some((one) => luminance(one) > 0.5) && backgrounds.some((one) => luminance(one) < 0.1)).toBe(true);
      for (const background of backgrounds) expect(contrast(color, background), `on ${background}`).toBeGreaterThanOrEqual(3);
    }
  });
});

interface Person extends Claim {
  color: string;
  /** What this one knows of the others, by their place in the room. */
  readonly sees: Map<number, string>;
}

const room = (most: number) =>
  fc.uniqueArray(fc.record({ replica: fc.nat(2 ** 32 - 1), since: fc.nat(3), color: fc.constantFrom(...PALETTE.slice(0, 4)) }), {
    minLength: 1,
    maxLength: most,
    selector: ({ replica }) => replica,
  });

/** The person at this place looks at what they know; true when they took another colour. */
function look(people: readonly Person[], at: number): boolean {
  const me = people[at];
  if (!me) return false;
  const others = [...me.sees].flatMap(([i, color]): Claim[] => (people[i] ? [{ ...people[i], color }] : []));
  const color = settleColor(me, others);
  if (color === me.color) return false;
  me.color = color;
  return true;
}

describe("two of one colour", () => {
  test("the one who came first keeps it", () => {
    const [color = ""] = PALETTE;
    const old = { replica: 9, since: 1, color };
    const young = { replica: 1, since: 2, color };
    expect(settleColor(old, [young])).toBe(color);
    expect(settleColor(young, [old])).toBe(PALETTE[1]);
    // Other Yjs editors say nothing of when they came, and never give way.
    expect(settleColor(old, [{ replica: 10, since: 0, color }])).toBe(PALETTE[1]);
  });

  test("any ten people who all choose at once differ after as many rounds at most", () => {
    fc.assert(
      fc.property(room(PALETTE.length), (claims) => {
        const people: Person[] = claims.map((claim) => ({ ...claim, sees: new Map() }));
        let rounds = 0;
        for (; ; rounds += 1) {
          for (const [i, one] of people.entries()) for (const [j, other] of people.entries()) if (i !== j) one.sees.set(j, other.color);
          const moved = people.map((_, i) => look(people, i));
          if (!moved.includes(true)) break;
          expect(rounds).toBeLessThan(people.length);
        }
        expect(new Set(people.map(({ color }) => color)).size).toBe(people.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test("and however late they hear of each other, they settle without end-to-end turns", () => {
    fc.assert(
      fc.property(room(PALETTE.length), fc.infiniteStream(fc.nat(2 ** 30)), (claims, chance) => {
        const people: Person[] = claims.map((claim) => ({ ...claim, sees: new Map() }));
        const draw = (below: number) => Number(chance.next().value) % below;
        // In order on each way, as frames are; in any order between them.
        const ways = new Map<string, string[]>();
        const tell = (from: number) => {
          for (const to of people.keys()) if (to !== from) ways.set(`${from} ${to}`, [...(ways.get(`${from} ${to}`) ?? []), people[from]?.color ?? ""]);
        };
        for (const from of people.keys()) tell(from);
        let moves = 0;
        for (let open = [...ways.keys()]; open.length > 0; open = [...ways].filter(([, queue]) => queue.length > 0).map(([way]) => way)) {
          const way = open[draw(open.length)] ?? "";
          const [from = 0, to = 0] = way.split(" ").map(Number);
          const color = ways.get(way)?.shift();
          if (color !== undefined) people[to]?.sees.set(from, color);
          if (look(people, to)) {
            moves += 1;
            tell(to);
          }
          expect(moves).toBeLessThan(200);
        }
        expect(new Set(people.map(({ color }) => color)).size).toBe(people.length);
      }),
      { numRuns: 300 },
    );
  });

  test("more people than colours share some, and stand still", () => {
    const people = Array.from({ length: 25 }, (_, i) => ({ replica: i, since: 0, color: PALETTE[i % 3] ?? "" }));
    for (let round = 0; round < 30; round += 1) {
      for (const one of people) one.color = settleColor(one, people.filter((other) => other !== one));
    }
    expect(new Set(people.map(({ color }) => color)).size).toBe(PALETTE.length);
    for (const one of people) expect(settleColor(one, people.filter((other) => other !== one))).toBe(one.color);
  });
});
