/**
 * Ghost text under the keys: taken whole, by word or line, dismissed, asked for; beside the list, for
 * screen readers and by touch.
 * @vitest-environment happy-dom
 */
import { completionStatus, currentCompletions, startCompletion } from "@codemirror/autocomplete";
import { undo } from "@codemirror/commands";
import { EditorState } from "@codemirror/state";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { pieceLength } from "../../src/autocomplete/ghost-accept.js";
import { engineWindow } from "../../src/autocomplete/window.js";
import { Desk, FUNCTION, suggestion } from "./ghost-desk.js";

describe("keys", () => {
  test("Tab takes all in one undo step, marked as the engine's", async () => {
    const desk = await Desk.with([suggestion("name(args):\n    pass", { caret: 5 })]);
    expect(desk.press("Tab")).toBe(true);
    expect(desk.events.at(-1)).toBe("input.complete.ai");
    expect(desk.text).toBe("def name(args):\n    pass");
    expect(desk.view.state.selection.main.head).toBe(9);
    // Typing on at once is a step of its own.
    desk.type("x");
    undo(desk.view);
    expect(desk.text).toBe("def name(args):\n    pass");
    undo(desk.view);
    expect(desk.text).toBe("def ");
    undo(desk.view);
    expect(desk.text).toBe("");
  });

  test("Ctrl+→ takes a word, Ctrl+Alt+→ a line, and the rest stays", async () => {
    const desk = await Desk.with([suggestion("name(args):\n    pass\n    more")]);
    desk.press("ArrowRight", { ctrlKey: true });
    expect(desk.text).toBe("def name");
    desk.press("ArrowRight", { ctrlKey: true });
    expect(desk.text).toBe("def name(");
    desk.press("ArrowRight", { ctrlKey: true, altKey: true });
    expect(desk.text).toBe("def name(args):");
    desk.press("ArrowRight", { ctrlKey: true, altKey: true });
    expect(desk.text).toBe("def name(args):\n    pass");
    expect(desk.ghost).toBe("\n    more");
    expect(desk.asked).toHaveLength(1);
    undo(desk.view);
    expect(desk.text).toBe("def name(args):");
  });

  test("words and lines", () => {
    expect(pieceLength("foo bar", "word")).toBe(3);
    expect(pieceLength("  été(x)", "word")).toBe(5);
    expect(pieceLength("(a", "word")).toBe(1);
    expect(pieceLength("😀 x", "word")).toBe(2);
    expect(pieceLength("\n\n", "word")).toBe(2);
    expect(pieceLength("a\nb", "line")).toBe(1);
    expect(pieceLength("\nb\nc", "line")).toBe(2);
  });

  test("Escape is handled, so that Tab does not leave the editor", async () => {
    const desk = await Desk.with([FUNCTION]);
    expect(desk.press("Escape")).toBe(true);
    expect(desk.ghost).toBeUndefined();
    expect(desk.press("Escape")).toBe(false);
    await desk.pause(2_000);
    expect(desk.ghost).toBeUndefined();
  });

  test("Alt+] and Alt+[ go round", async () => {
    const desk = await Desk.with([suggestion("a"), suggestion("b", { score: 1 }), suggestion("c")]);
    const seen = ["]", "]", "]", "[", "["].map((key) => (desk.press(key, { altKey: true }), desk.ghost));
    expect(seen).toEqual(["b", "c", "a", "c", "b"]);
  });

  test("are the editor's own without a ghost", () => {
    const desk = new Desk("", [FUNCTION]).type("def ");
    expect(desk.press("Tab")).toBe(true);
    expect(desk.text).toBe("  def ");
    expect(desk.press("]", { altKey: true })).toBe(false);
  });

  test("Tab indents in the blanks that begin a line, unless asked", async () => {
    const desk = new Desk("{", [suggestion("}", { score: 900 })]).type("\n  ", "input");
    await desk.pause();
    expect(desk.ghost).toBe("}");
    desk.press("Tab");
    expect(desk.text).toBe("{\n    ");
    desk.press("\\", { altKey: true });
    await desk.pause(0);
    desk.press("Tab");
    expect(desk.text).toBe("{\n    }");
  });

  test("`replaceBefore` and `caret` are honoured", async () => {
    const desk = new Desk("", [suggestion("else:\n  x\n", { replaceBefore: 2, caret: 8 })]).type("if a:\n  b\n  ");
    await desk.pause();
    desk.press("ArrowRight", { ctrlKey: true });
    expect(desk.text).toBe("if a:\n  b\nelse");
    expect(desk.ghost).toBe(":\n  x\n");
    desk.press("Tab", {});
    expect(desk.text).toBe("if a:\n  b\nelse:\n  x\n");
    expect(desk.view.state.selection.main.head).toBe("if a:\n  b\nelse:\n  ".length);
    undo(desk.view);
    undo(desk.view);
    expect(desk.text).toBe("if a:\n  b\n  ");
  });
});

describe("beside the list", () => {
  async function list(desk: Desk): Promise<void> {
    startCompletion(desk.view);
    await desk.pause(200);
    expect(completionStatus(desk.view.state)).toBe("active");
  }

  test("typing does not open it, Ctrl+Space does, and the ghost goes", async () => {
    const desk = await Desk.with([suggestion("name", { kind: "word", label: "name" })]);
    expect(completionStatus(desk.view.state)).toBeNull();
    await list(desk);
    expect(desk.ghost).toBeUndefined();
  });

  test("Tab belongs to it while it is open, also in its first moments", async () => {
    const desk = new Desk("", [suggestion("name", { kind: "word", label: "name" })]).type("na");
    desk.answers = [suggestion("me", { kind: "word" })];
    startCompletion(desk.view);
    await desk.pause(60);
    desk.press("Tab");
    expect(desk.text).toBe("na");
    await desk.pause(200);
    desk.press("Tab");
    expect(desk.text).toBe("name");
  });

  test("what is made for this place comes first, and a word that the language knows too comes once", async () => {
    const autocomplete = ["aaa", "width"];
    const known = EditorState.languageData.of(() => [{ autocomplete }]);
    const answers = [suggestion("def name():\n  pass"), suggestion("width", { kind: "word" })];
    const desk = new Desk("", answers, {}, known);
    await list(desk);
    expect(currentCompletions(desk.view.state).map(({ label }) => label)).toEqual(["def name():", "aaa", "width"]);
  });

  test("what is chosen is written as the engine means it", async () => {
    const desk = new Desk("", [suggestion("else:\n  x", { replaceBefore: 2, caret: 8 })]).type("if a:\n  b\n  ");
    await list(desk);
    desk.press("Enter");
    expect(desk.text).toBe("if a:\n  b\nelse:\n  x");
    expect(desk.view.state.selection.main.head).toBe(desk.text.length - 1);
    undo(desk.view);
    expect(desk.text).toBe("if a:\n  b\n  ");
  });
});

describe("screen readers", () => {
  test("hear once that there is one, always when they asked, and its words on Alt+F2", async () => {
    const desk = await Desk.with([FUNCTION]);
    expect(desk.said).toEqual(["Suggestion available, Tab to accept, Alt+F2 to hear it."]);
    await desk.type("x").pause();
    expect(desk.said).toHaveLength(1);
    desk.press("F2", { altKey: true });
    expect(desk.said.at(-1)).toBe(FUNCTION.insert);
    desk.press("Escape");
    desk.press("\\", { altKey: true });
    await desk.pause(0);
    expect(desk.said).toHaveLength(3);
  });
});

describe("by touch", () => {
  const buttons = (desk: Desk) => [...desk.view.dom.querySelectorAll<HTMLButtonElement>(".collab-ghost-chip button")];

  test("two buttons with names, that accept and dismiss", async () => {
    const desk = await Desk.with([FUNCTION], "", { touch: true });
    expect(buttons(desk).map((button) => button.getAttribute("aria-label"))).toEqual(["Accept suggestion", "Dismiss suggestion"]);
    buttons(desk)[0]?.click();
    expect(desk.text).toBe("def name(args):\n    pass");
    expect(buttons(desk)).toEqual([]);
    const other = await Desk.with([FUNCTION], "", { touch: true });
    buttons(other)[1]?.click();
    expect(other.text).toBe("def ");
    expect(other.ghost).toBeUndefined();
  });

  test("none where there is a keyboard", async () => {
    expect(buttons(await Desk.with([FUNCTION]))).toEqual([]);
  });
});

test("the engine is shown a bounded part of the text, with the caret in its place", () => {
  const doc = EditorState.create({ doc: "import os\n" + "x = 12345\n".repeat(100_000) }).doc;
  fc.assert(
    fc.property(fc.nat(doc.length), (caret) => {
      const { text, caret: there } = engineWindow(doc, caret);
      expect(text.length).toBeLessThan(50 * 1024);
      expect(text.startsWith("import os\n")).toBe(true);
      expect(text.slice(there, there + 30)).toBe(doc.sliceString(caret, caret + 30));
      const line = doc.lineAt(caret);
      expect(text.slice(0, there).endsWith(`\n${doc.sliceString(line.from, caret)}`) || line.number === 1).toBe(true);
    }),
    { numRuns: 300 },
  );
});
