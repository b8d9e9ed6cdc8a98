/** A restore is the smallest edit that leads back, and takes nothing from anybody else. */
import fc from "fast-check";
import { history, undo } from "@codemirror/commands";
import { ChangeSet, EditorState, Text, Transaction } from "@codemirror/state";
import { expect, test } from "vitest";
import { editsOf } from "../../src/editor/binding.js";
import { wholeCharacters } from "../../src/editor/binding.js";
import { restoring, Since, smallestChange } from "../../src/history/restore.js";

const text = (value: string) => Text.of(value.split("\n"));

/** Few letters, so that texts have much in common; characters that share one half of their pair. */
const words = fc.array(fc.constantFrom("a", "b", "\n", " ", "word", "😀", "😁", "🀀", "é"), { maxLength: 30 }).map((parts) => parts.join(""));

const isHalf = (value: string, at: number) => at > 0 && /[\ud800-\udbff]/.test(value.charAt(at - 1)) && /[\udc00-\udfff]/.test(value.charAt(at));

test("the change leads back, and never parts a character", () => {
  fc.assert(
    fc.property(words, words, (now, then) => {
      const change = smallestChange(text(now), then);
      expect(change.apply(text(now)).sliceString(0)).toBe(then);
      change.iterChanges((from, to, _fromB, _toB, inserted) => {
        expect(isHalf(now, from)).toBe(false);
        expect(isHalf(now, to)).toBe(false);
        expect(inserted.toString().isWellFormed()).toBe(true);
      });
      // The editor's own guard finds nothing to widen.
      const state = EditorState.create({ doc: text(now), extensions: wholeCharacters });
      expect(state.update(restoring(change)).state.sliceDoc()).toBe(then);
    }),
    { numRuns: 500 },
  );
});

test("what is the same is left alone", () => {
  const change = smallestChange(text("one\ntwo\nthree\nfour"), "one\n2\nthree\nfour");
  expect(change.touchesRange(0, 3)).toBe(false);
  expect(change.touchesRange(9, 18)).toBe(false);
  expect(smallestChange(text("same"), "same").empty).toBe(true);
});

test("what others wrote since, also in the midst of what goes, stays", () => {
  const now = "alpha\nbeta gamma\ndelta\n";
  const then = "alpha\ndelta\n";
  const since = new Since(text(now));
  const theirs = ChangeSet.of({ from: 11, insert: "THEIRS" }, now.length);
  since.add([theirs]);
  const change = since.carry(smallestChange(since.base, then));
  const live = theirs.apply(text(now));
  expect(change.apply(live).sliceString(0)).toBe("alpha\nTHEIRSdelta\n");
  expect(since.edits.value).toBe(1);
});

test("others' insertions survive any restore", () => {
  fc.assert(
    fc.property(words, words, fc.array(fc.nat(100), { maxLength: 5 }), (now, then, places) => {
      const since = new Since(text(now));
      let live = text(now);
      for (const place of places) {
        const at = place % (live.length + 1);
        if (isHalf(live.sliceString(0), at)) continue;
        const theirs = ChangeSet.of({ from: at, insert: "X" }, live.length);
        since.add([theirs]);
        live = theirs.apply(live);
      }
      const count = (value: string) => value.split("X").length - 1;
      const after = since.carry(smallestChange(since.base, then)).apply(live).sliceString(0);
      expect(count(after)).toBe(count(live.sliceString(0)));
      expect(after.replaceAll("X", "")).toBe(then);
    }),
    { numRuns: 300 },
  );
});

test("undo takes back the restore and nothing else", () => {
  const now = "alpha\nbeta\ngamma";
  let state = EditorState.create({ doc: now, extensions: history() });
  const run = (transaction: Transaction) => (state = transaction.state);
  run(state.update(restoring(smallestChange(state.doc, "alpha\ngamma"))));
  const [edit] = editsOf(state.update({ changes: { from: 0, to: 1 } }));
  expect(edit).toBeDefined();
  run(state.update({ changes: { from: 6, insert: "THEIRS " }, annotations: [Transaction.addToHistory.of(false), Transaction.remote.of(true)] }));
  expect(state.sliceDoc()).toBe("alpha\nTHEIRS gamma");
  undo({ state, dispatch: run });
  expect(state.sliceDoc()).toContain("THEIRS ");
  expect(state.sliceDoc().replace("THEIRS ", "")).toBe(now);
});
