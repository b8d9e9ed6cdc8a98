/** Random CodeMirror changes ⇄ edits: what leaves one editor, applied to another and to plain
 *  text, gives the same text. */
import { history, redo, undo } from "@codemirror/commands";
import { type ChangeSpec, EditorState, type Transaction } from "@codemirror/state";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { editsOf, plainOffsets, widened, wholeCharacters } from "../../src/editor/binding.js";
import { remote, remoteTransaction } from "../../src/editor/remote.js";
import type { Edit } from "../../src/wasm/collab_wasm.js";

/** Texts with everything that counts differently somewhere: emoji, CR, LF, both, U+2028. */
const piece = fc.constantFrom("a", "b ", "\n", "\r\n", "\r", "😀", "é", "\u2028", "𝕏", "\t", "0");
const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""));

function editor(doc: string): EditorState {
  const extensions = [plainOffsets, wholeCharacters, history()];
  return EditorState.create({ doc: EditorState.create({ extensions }).toText(doc), extensions });
}

/** What `Document::edit` does, on plain text. */
function applied(before: string, edits: readonly Edit[]): string {
  let after = "";
  let at = 0;
  for (const edit of edits) {
    expect(edit.at).toBeGreaterThanOrEqual(at);
    after += before.slice(at, edit.at) + edit.insert;
    at = edit.at + edit.delete;
  }
  expect(at).toBeLessThanOrEqual(before.length);
  return after + before.slice(at);
}

/** Random changes of a text, as a person with several carets makes them. */
function changesOf(before: string): fc.Arbitrary<ChangeSpec[]> {
  const offset = fc.integer({ min: 0, max: before.length });
  return fc
    .array(fc.tuple(offset, offset, text), { minLength: 1, maxLength: 4 })
    .map((ranges) => {
      const specs: { from: number; to: number; insert: string }[] = [];
      const sorted = ranges.map(([a, b, insert]) => ({ from: Math.min(a, b), to: Math.max(a, b), insert }));
      for (const range of sorted.sort((a, b) => a.from - b.from)) {
        if (range.from >= (specs.at(-1)?.to ?? 0)) specs.push(range);
      }
      return specs;
    });
}

const change = text.chain((before) => fc.tuple(fc.constant(before), changesOf(before)));

describe("editsOf", () => {
  test("edits say exactly what a transaction did", () => {
    fc.assert(
      fc.property(change, ([before, changes]) => {
        const transaction = editor(before).update({ changes });
        expect(transaction.startState.sliceDoc()).toBe(before);
        expect(applied(before, editsOf(transaction))).toBe(transaction.state.sliceDoc());
      }),
      { numRuns: 500 },
    );
  });

  test("a second editor that is told the edits shows the same", () => {
    fc.assert(
      fc.property(change, ([before, changes]) => {
        const transaction = editor(before).update({ changes });
        const other = editor(before).update(remoteTransaction(editsOf(transaction)));
        expect(other.state.sliceDoc()).toBe(transaction.state.sliceDoc());
        expect(other.annotation(remote)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("a carriage return counts, so offsets agree with the document's", () => {
    const state = editor("a\r\nb");
    expect(state.doc.length).toBe(4);
    expect(state.doc.lines).toBe(2);
    expect(editsOf(state.update({ changes: { from: 3, insert: "x\r\n" } }))).toEqual([
      { at: 3, delete: 0, insert: "x\r\n" },
    ]);
  });
});

describe("surrogate pairs", () => {
  const isWhole = (text: string) => text.isWellFormed();

  test("nothing that a transaction does leaves half a character", () => {
    const broken = fc.constantFrom("\ud83d", "\ude00", "x", "😀", "");
    fc.assert(
      fc.property(change, broken, ([before, changes], extra) => {
        const ranges = (changes as { from: number; to: number; insert: string }[]).map((range, i) =>
          i === 0 ? { ...range, insert: range.insert + extra } : range,
        );
        const transaction = editor(before).update({ changes: ranges });
        const edits = editsOf(transaction);
        expect(edits.every((edit) => isWhole(edit.insert))).toBe(true);
        expect(isWhole(transaction.state.sliceDoc())).toBe(true);
        expect(applied(before, edits)).toBe(transaction.state.sliceDoc());
      }),
      { numRuns: 500 },
    );
  });

  test("deleting half an emoji replaces it", () => {
    const transaction = editor("a😀b").update({ changes: { from: 2, to: 3 }, userEvent: "delete" });
    expect(transaction.state.sliceDoc()).toBe("a\ufffdb");
    expect(transaction.isUserEvent("delete")).toBe(true);
  });

  test("what is whole stays the very same", () => {
    const edits: Edit[] = [{ at: 1, delete: 2, insert: "𝕏" }];
    expect(widened(editor("a😀b").doc, edits)).toBe(edits);
  });
});

describe("undo", () => {
  test("undoes the person's own edits only, whatever others did in between", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(), fc.constantFrom("x", "yy", "\n")), { maxLength: 20 }), (plan) => {
        // Own text is lower case, other people's upper case.
        let state = editor("");
        const take = (transaction: Transaction) => {
          state = transaction.state;
        };
        for (const [mine, where, what] of plan) {
          const at = where % (state.doc.length + 1);
          if (mine) take(state.update({ changes: { from: at, insert: what }, userEvent: "input" }));
          else take(state.update(remoteTransaction([{ at, delete: 0, insert: what.toUpperCase() }])));
        }
        const theirs = [...state.sliceDoc()].filter((c) => /[XY]/.test(c)).join("");
        const all = [...state.sliceDoc()].filter((c) => /[xy]/i.test(c)).length;
        const target = { get state() { return state; }, dispatch: take };
        while (undo(target));
        expect([...state.sliceDoc()].filter((c) => /[a-z]/i.test(c)).join("")).toBe(theirs);
        while (redo(target));
        expect([...state.sliceDoc()].filter((c) => /[xy]/i.test(c)).length).toBe(all);
      }),
      { numRuns: 200 },
    );
  });
});
