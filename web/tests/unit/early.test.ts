/** A painted text that was edited before its document came: both end in the same text, and no
 *  letter typed is missing. */
import { Text } from "@codemirror/state";
import fc from "fast-check";
import { expect, test } from "vitest";
import { difference, EarlyEdits } from "../../src/editor/early.js";
import type { Edit } from "../../src/wasm/collab_wasm.js";

function applied(text: string, edits: readonly Edit[]): string {
  let done = text;
  for (const { at, delete: units, insert } of edits.toReversed()) done = done.slice(0, at) + insert + done.slice(at + units);
  return done;
}

const words = fc.string({ unit: fc.constantFrom("a", "b", "\n", "😀", "é"), maxLength: 30 });

test("a difference leads from one text to the other and never splits a character", () => {
  fc.assert(
    fc.property(words, words, (before, after) => {
      const edits = difference(before, after);
      expect(applied(before, edits)).toBe(after);
      for (const edit of edits) {
        expect(edit.insert.isWellFormed()).toBe(true);
        expect(before.slice(edit.at, edit.at + edit.delete).isWellFormed()).toBe(true);
      }
    }),
    { numRuns: 2_000 },
  );
  expect(difference("same", "same")).toEqual([]);
  expect(difference("😀", "😁")).toEqual([{ at: 0, delete: 2, insert: "😁" }]);
});

test("texts that differ in two places differ in two places", () => {
  const [one, two] = ["a\nb\nc\nd\n", "A\nb\nc\nD\n"];
  expect(difference(one, two)).toEqual([
    { at: 0, delete: 1, insert: "A" },
    { at: 6, delete: 1, insert: "D" },
  ]);
  // A line taken from one place to another, and lines that come twice.
  expect(applied(one, difference(one, "b\na\nc\nd\n"))).toBe("b\na\nc\nd\n");
  expect(difference("x\nx\ny\nx", "x\nx\nx\ny\nx\n")).toEqual([
    { at: 4, delete: 0, insert: "x\n" },
    { at: 7, delete: 0, insert: "\n" },
  ]);
  const long = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
  const other = long.with(10, "ten").with(19_990, "the end");
  expect(difference(long.join("\n"), other.join("\n")).length).toBe(2);
});

test("what was typed before the document came is in both, whatever the document says", () => {
  const typing = fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.constantFrom("x", "yy", "\n", "")), { maxLength: 8 });
  fc.assert(
    fc.property(words, words, typing, (painted, document, keys) => {
      const early = new EarlyEdits(Text.of(painted.split("\n")));
      let shown = painted;
      for (const [where, units, insert] of keys) {
        const at = where % (shown.length + 1);
        const edits = [{ at, delete: Math.min(units, shown.length - at), insert }];
        early.add(edits);
        shown = applied(shown, edits);
      }
      const { remote, own } = early.attach(document);
      const merged = applied(shown, remote);
      expect(applied(document, own)).toBe(merged);
      // Nobody else types "x": each that was typed and not deleted again is there.
      expect([...merged].filter((letter) => letter === "x").length).toBe([...shown].filter((letter) => letter === "x").length);
    }),
    { numRuns: 2_000 },
  );
});

test("an untouched text takes the document's without a detour", () => {
  const early = new EarlyEdits(Text.of(["one", "two"]));
  expect(early.isEmpty).toBe(true);
  expect(early.attach("one\ntwo")).toEqual({ remote: [], own: [] });
});
