/**
 * Ghost text, rule by rule: when it comes, what ends it, what is left of it, what taking it does.
 * @vitest-environment happy-dom
 */
import { redo, undo } from "@codemirror/commands";
import { EditorSelection, EditorState } from "@codemirror/state";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Engine } from "../../src/autocomplete/engine.js";
import { MAX_IDLE_MS } from "../../src/autocomplete/ghost.js";
import { ghostField, setGhost } from "../../src/autocomplete/ghost-state.js";
import { visible } from "../../src/autocomplete/ghost-view.js";
import { Desk, FUNCTION, suggestion, UNASKED } from "./ghost-desk.js";

describe("it comes", () => {
  test("after a pause of 350 ms in my own typing, with text, caret and language", async () => {
    const desk = new Desk("# x\n", [FUNCTION]).type("def ");
    await desk.pause(349);
    expect(desk.ghost).toBeUndefined();
    await desk.pause(1);
    expect(desk.ghost).toBe("name(args):\n    pass");
    expect(desk.asked).toEqual([{ text: "# x\ndef ", caret: 8, language: "python" }]);
  });

  test("each key starts the pause again, and the idle time is never over 600 ms", async () => {
    const desk = new Desk("", [FUNCTION], { idleMs: () => 5_000 }).type("de");
    await desk.pause(MAX_IDLE_MS - 1);
    desk.type("f ");
    await desk.pause(MAX_IDLE_MS - 1);
    expect(desk.asked).toEqual([]);
    await desk.pause(1);
    expect(desk.ghost).toBeDefined();
  });

  test("after Enter, and after a character typed over a selection", async () => {
    const desk = new Desk("if x:", [FUNCTION]).type("\n    ", "input");
    await desk.pause();
    expect(desk.ghost).toBeDefined();
    const over = new Desk("abc", [FUNCTION]);
    over.view.dispatch({ selection: { anchor: 0, head: 3 } });
    await over.type("x").pause();
    expect(over.ghost).toBeDefined();
  });

  test("not for a weak suggestion, unless asked by Alt+\\", async () => {
    const desk = await new Desk("", [suggestion("pass", { score: UNASKED - 1 })]).type("def ").pause();
    expect(desk.ghost).toBeUndefined();
    expect(desk.press("\\", { altKey: true })).toBe(true);
    await desk.pause(0);
    expect(desk.ghost).toBe("pass");
    expect(desk.text).toBe("def ");
  });

  test("Alt+\\ says so when there is nothing, or the engine does not load", async () => {
    const desk = new Desk("", []);
    desk.press("\\", { altKey: true });
    await desk.pause(0);
    expect(desk.said).toEqual(["No suggestion here."]);
    const broken = new Desk("", [], { engine: () => Promise.reject(new Error("offline")) });
    broken.press("\\", { altKey: true });
    await broken.pause(0);
    expect(broken.said).toEqual(["Suggestions could not be loaded."]);
  });

  test("not when switched off, and again once it is on", async () => {
    let on = false;
    const desk = await new Desk("", [FUNCTION], { enabled: () => on }).type("def ").pause();
    expect(desk.asked).toEqual([]);
    on = true;
    await desk.type("x").pause();
    expect(desk.ghost).toBeDefined();
  });

  test("an answer that comes after the next key is no answer", async () => {
    let answer: (engine: Engine) => void = () => {};
    const slow: Engine = { unaskedScore: UNASKED, suggest: (text) => [suggestion(`for ${text}`)] };
    const desk = new Desk("", [], { engine: () => new Promise((resolve) => (answer = resolve)) }).type("a");
    await desk.pause();
    const late = answer;
    desk.type("b");
    late(slow);
    await desk.pause(0);
    expect(desk.ghost).toBeUndefined();
    await desk.pause();
    answer(slow);
    await desk.pause(0);
    expect(desk.ghost).toBe("for ab");
  });
});

describe("it does not come", () => {
  const does: Record<string, (desk: Desk) => void> = {
    paste: (desk) => desk.type("def ", "input.paste"),
    drop: (desk) => desk.type("def ", "input.drop"),
    "a deletion": (desk) => desk.view.dispatch({ changes: { from: 0, to: 1 }, userEvent: "delete.backward" }),
    undo: (desk) => void undo(desk.type("x").view),
    redo: (desk) => (desk.type("x"), undo(desk.view), void redo(desk.view)),
    "someone else's typing": (desk) => desk.remote(desk.text.length, "def "),
    "a script's change": (desk) => desk.view.dispatch({ changes: { from: 0, insert: "def " } }),
    "Tab that indents": (desk) => void desk.press("Tab"),
    "a selection": (desk) => (desk.type("x"), desk.view.dispatch({ selection: { anchor: 0, head: 2 } })),
    "two carets": (desk) =>
      (desk.view.dispatch({ selection: EditorSelection.create([EditorSelection.cursor(0), EditorSelection.cursor(2)]) }), desk.type("x")),
    "a caret that moved on": (desk) => (desk.type("x"), desk.view.dispatch({ selection: { anchor: 0 } })),
    "someone else in my line meanwhile": (desk) => desk.type("x").remote(0, "y"),
    "more than 8 characters after the caret": (desk) => (desk.view.dispatch({ selection: { anchor: 4 } }), desk.type("x")),
    composition: (desk) => {
      desk.view.contentDOM.dispatchEvent(new CompositionEvent("compositionstart"));
      desk.type("に", "input.type.compose");
    },
  };

  test.each(Object.entries(does))("after %s", async (_what, act) => {
    const desk = new Desk("x = 1 # a text that is long", [FUNCTION]);
    act(desk);
    await desk.pause(MAX_IDLE_MS);
    expect(desk.asked).toEqual([]);
    expect(desk.screen.ghost).toEqual([]);
  });

  test("in a text that cannot be changed", async () => {
    const desk = new Desk("", [FUNCTION], {}, EditorState.readOnly.of(true)).type("def ");
    desk.press("\\", { altKey: true });
    await desk.pause();
    expect(desk.asked).toEqual([]);
  });

  test("brackets after the caret are no characters that count", async () => {
    const desk = new Desk("f(((([{}])))); ", [FUNCTION]);
    desk.view.dispatch({ selection: { anchor: 2 } });
    await desk.type("x").pause();
    expect(desk.ghost).toBeDefined();
  });

  test("before a composition is over; then it does", async () => {
    const desk = new Desk("", [FUNCTION]);
    desk.view.contentDOM.dispatchEvent(new CompositionEvent("compositionstart"));
    await desk.type("def", "input.type.compose").pause(2_000);
    expect(desk.asked).toEqual([]);
    desk.view.contentDOM.dispatchEvent(new CompositionEvent("compositionend"));
    await desk.pause();
    expect(desk.ghost).toBeDefined();
  });

  test("after it was accepted", async () => {
    const desk = await Desk.with([FUNCTION]);
    desk.press("Tab");
    await desk.pause(2_000);
    expect(desk.asked).toHaveLength(1);
  });
});

describe("on the screen", () => {
  test("the first line stands after the caret, the others below, and none is text", async () => {
    const desk = await Desk.with([suggestion("name(args):\n    x = 1\n    return x")], "# above\n");
    expect(desk.text).toBe("# above\ndef ");
    expect(desk.screen.ghost).toEqual(["name(args):", "    x = 1    return x"]);
    expect(desk.screen.lines).toEqual(["# above", "def name(args):"]);
    expect([...desk.view.contentDOM.querySelectorAll(".collab-ghost")].every((part) => part.getAttribute("aria-hidden") === "true")).toBe(true);
    expect(desk.view.state.selection.main.head).toBe(12);
  });

  test("blanks are dots where nobody could see them", () => {
    expect(visible("    ")).toBe("····");
    expect(visible("\t x  ")).toBe("\t x··");
    expect(visible("a b")).toBe("a b");
  });

  test("a lone line break is a mark", async () => {
    const desk = await Desk.with([suggestion("\n")]);
    expect(desk.screen.ghost).toEqual(["↵"]);
  });

  test("blanks that will be replaced are marked", async () => {
    const desk = new Desk("", [suggestion("}", { replaceBefore: 2 })]).type("{\n    ");
    await desk.pause();
    expect(desk.view.contentDOM.querySelector(".collab-ghost-going")?.textContent).toBe("  ");
  });
});

describe("typing on", () => {
  test("what it says shrinks it and does not ask again", async () => {
    const desk = await Desk.with([FUNCTION]);
    for (const key of "name(") desk.type(key);
    expect(desk.ghost).toBe("args):\n    pass");
    await desk.pause(2_000);
    expect(desk.asked).toHaveLength(1);
    desk.press("Tab");
    expect(desk.text).toBe("def name(args):\n    pass");
  });

  test("something else hides it at once and asks after a pause", async () => {
    const desk = (await Desk.with([FUNCTION])).type("x");
    expect(desk.ghost).toBeUndefined();
    await desk.pause();
    expect(desk.asked).toHaveLength(2);
  });

  test("its last character ends it", async () => {
    const desk = await Desk.with([suggestion("ab")]);
    desk.type("ab");
    expect(desk.ghost).toBeUndefined();
  });

  test("a bracket that brings its partner is not what it says", async () => {
    const desk = await Desk.with([suggestion("()x")]);
    desk.view.dispatch({ changes: { from: 4, insert: "()" }, selection: { anchor: 5 }, userEvent: "input.type" });
    expect(desk.ghost).toBeUndefined();
  });

  test("the other suggestions shrink with it, or go", async () => {
    const desk = await Desk.with([suggestion("main"), suggestion("other"), suggestion("map")]);
    desk.type("ma");
    desk.press("]", { altKey: true });
    expect(desk.ghost).toBe("p");
    desk.press("]", { altKey: true });
    expect(desk.ghost).toBe("in");
  });

  test("any way of typing it gives the same text in the end", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(20), fc.constantFrom("all", "word", "line"), async (typed, piece) => {
        const insert = "naïve 😀(a, b):\n\n    return «a»\n";
        const desk = await Desk.with([suggestion(insert)]);
        for (const key of [...insert].slice(0, typed)) desk.type(key);
        const keys = { all: {}, word: { ctrlKey: true }, line: { ctrlKey: true, altKey: true } }[piece] ?? {};
        for (let presses = 0; desk.ghost !== undefined && presses < 40; presses += 1) {
          expect(desk.press(piece === "all" ? "Tab" : "ArrowRight", keys)).toBe(true);
        }
        expect(desk.text).toBe(`def ${insert}`);
        expect(desk.asked).toHaveLength(1);
      }),
      { numRuns: 60 },
    );
  });
});

describe("other people", () => {
  test("in the caret's line hide it", async () => {
    for (const at of [4, 6, 8]) {
      const desk = await Desk.with([FUNCTION], "abc\n");
      desk.remote(at, "x");
      expect(desk.ghost).toBeUndefined();
    }
  });

  test("who break it, or write it anew, hide it too, though the line reads the same", async () => {
    const below = await Desk.with([FUNCTION], "abc\n");
    below.remote(8, "\n# theirs");
    expect(below.ghost).toBeUndefined();
    const anew = await Desk.with([FUNCTION], "abc\n");
    anew.remote(4, "def", 3);
    expect(anew.ghost).toBeUndefined();
  });

  test("who delete into the caret's line hide it", async () => {
    const desk = await Desk.with([FUNCTION], "abc\n");
    desk.remote(2, "", 3);
    expect(desk.ghost).toBeUndefined();
  });

  test("elsewhere move it, and it is accepted where it then is", async () => {
    const desk = await Desk.with([FUNCTION], "abc\n");
    desk.remote(0, "# two\n# lines\n").remote(2, "", 1);
    expect(desk.ghost).toBeDefined();
    desk.press("Tab");
    expect(desk.text).toBe("# wo\n# lines\nabc\ndef name(args):\n    pass");
  });

  test("whose change was missed make it void: one for another line is neither shown nor accepted", async () => {
    const desk = await Desk.with([FUNCTION]);
    const ghost = desk.view.state.field(ghostField);
    desk.view.dispatch({ effects: setGhost.of(ghost && { ...ghost, before: "class " }) });
    expect(desk.ghost).toBeUndefined();
    expect(desk.press("Tab")).toBe(true);
    expect(desk.text).toBe("  def ");
  });

  test("elsewhere do not put off what I wait for", async () => {
    const desk = new Desk("abc\n", [FUNCTION]).type("def ");
    await desk.pause(200);
    desk.remote(0, "# theirs\n");
    await desk.pause(150);
    expect(desk.ghost).toBeDefined();
    expect(desk.asked[0]?.text).toBe("# theirs\nabc\ndef ");
  });
});

describe("it ends", () => {
  const ends: Record<string, (desk: Desk) => void> = {
    undo: (desk) => void undo(desk.view),
    paste: (desk) => desk.type("name", "input.paste"),
    "a deletion": (desk) => desk.view.dispatch({ changes: { from: 3, to: 4 }, userEvent: "delete.backward" }),
    "a caret that moves": (desk) => desk.view.dispatch({ selection: { anchor: 0 } }),
    "a selection": (desk) => desk.view.dispatch({ selection: { anchor: 0, head: 4 } }),
    composition: (desk) => desk.view.contentDOM.dispatchEvent(new CompositionEvent("compositionstart")),
    "leaving the editor": (desk) => desk.view.contentDOM.dispatchEvent(new FocusEvent("blur")),
  };
  test.each(Object.entries(ends))("with %s", async (_what, act) => {
    const desk = await Desk.with([FUNCTION]);
    act(desk);
    await desk.pause(0);
    expect(desk.ghost).toBeUndefined();
    expect(desk.screen.ghost).toEqual([]);
  });
});
