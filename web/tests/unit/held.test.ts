/** Others' edits that wait for an input method: whatever both do meanwhile, the editor and the
 *  document end in the same text, and nobody's letters are missing. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { HeldEdits } from "../../src/editor/held.js";
import type { Edit } from "../../src/wasm/collab_wasm.js";

function applied(text: string, edits: readonly Edit[]): string {
  let done = text;
  for (const { at, delete: units, insert } of edits.toReversed()) done = done.slice(0, at) + insert + done.slice(at + units);
  return done;
}

test("after any edits on both sides, the editor catches up with the document", () => {
  const step = fc.record({ mine: fc.boolean(), where: fc.nat(), units: fc.nat(3), many: fc.nat(2) });
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.array(step, { maxLength: 12 }), (text, steps) => {
      const held = new HeldEdits();
      let shown = text;
      let document = text;
      let mine = 0;
      for (const one of steps) {
        const before = one.mine ? shown : document;
        const at = one.where % (before.length + 1);
        // Nobody deletes what this test counts.
        const doomed = before.slice(at, at + one.units);
        const units = doomed.includes("\u0001") ? 0 : doomed.length;
        const edits: Edit[] = [{ at, delete: units, insert: (one.mine ? "\u0001" : "\u0002").repeat(one.many) }];
        if (one.mine) {
          mine += one.many;
          shown = applied(shown, edits);
          document = applied(document, held.own(edits));
        } else {
          document = applied(document, edits);
          held.hold(edits, shown.length);
        }
      }
      shown = applied(shown, held.release());
      expect(shown).toBe(document);
      expect([...shown].filter((letter) => letter === "\u0001").length).toBe(mine);
      expect(held.isEmpty).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test("nothing held changes nothing", () => {
  const held = new HeldEdits();
  const edits: Edit[] = [{ at: 3, delete: 0, insert: "x" }];
  expect(held.own(edits)).toBe(edits);
  expect(held.release()).toEqual([]);
});

test("brackets that others put around a composition stay around it while it grows and is replaced", () => {
  const held = new HeldEdits();
  // "a|か|b" is shown, and "a[か]b" is the document.
  held.hold([{ at: 1, delete: 0, insert: "[" }], 3);
  held.hold([{ at: 3, delete: 0, insert: "]" }], 3);
  let document = "a[か]b";
  document = applied(document, held.own([{ at: 2, delete: 0, insert: "ん" }]));
  expect(document).toBe("a[かん]b");
  document = applied(document, held.own([{ at: 1, delete: 2, insert: "漢字" }]));
  expect(document).toBe("a[漢字]b");
  expect(applied("a漢字b", held.release())).toBe(document);
});
