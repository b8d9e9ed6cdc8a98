/** One editor with ghost text, and an engine that says what a test wants; its clock is the test's. Must
 *  not know what is tested. */
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { EditorState, type Extension, Transaction } from "@codemirror/state";
import { EditorView, keymap, runScopeHandlers } from "@codemirror/view";
import { afterEach, beforeEach, expect, vi } from "vitest";
import type { Engine } from "../../src/autocomplete/engine.js";
import { ghostText, type GhostOptions } from "../../src/autocomplete/ghost.js";
import { ghostField, shownCandidate } from "../../src/autocomplete/ghost-state.js";
import { completionPopup } from "../../src/autocomplete/popup.js";
import type { Suggestion } from "../../src/wasm/collab_suggest.js";

export const UNASKED = 200;

export function suggestion(insert: string, more: Partial<Suggestion> = {}): Suggestion {
  return { insert, replaceBefore: 0, caret: undefined, label: insert, kind: "block", score: 900, ...more };
}

/** One editor with ghost text and an engine that says what the test wants. */
export class Desk {
  readonly said: string[] = [];
  readonly asked: { text: string; caret: number; language: string }[] = [];
  /** What each change of the text was. */
  readonly events: (string | undefined)[] = [];
  readonly view: EditorView;
  answers: readonly Suggestion[];

  constructor(doc: string, answers: readonly Suggestion[], options: Partial<GhostOptions> = {}, extensions: Extension = []) {
    this.answers = answers;
    const engine: Engine = {
      unaskedScore: UNASKED,
      suggest: (text, caret, language) => {
        this.asked.push({ text, caret, language });
        return this.answers;
      },
    };
    const load = () => Promise.resolve(engine);
    this.view = new EditorView({
      parent: document.body,
      state: EditorState.create({
        doc,
        selection: { anchor: doc.length },
        extensions: [
          history(),
          keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorState.allowMultipleSelections.of(true),
          ghostText({ engine: load, language: () => "python", announce: (text) => void this.said.push(text), ...options }),
          completionPopup({ engine: load, language: () => "python" }),
          EditorView.updateListener.of(({ transactions }) => {
            for (const one of transactions) if (one.docChanged) this.events.push(one.annotation(Transaction.userEvent));
          }),
          extensions,
        ],
      }),
    });
    desks.push(this);
  }

  get text(): string {
    return this.view.state.sliceDoc();
  }

  get ghost(): string | undefined {
    const ghost = this.view.state.field(ghostField);
    return ghost && shownCandidate(ghost).insert;
  }

  /** What of the ghost is on the screen, and of the text. */
  get screen(): { ghost: string[]; lines: string[] } {
    return {
      ghost: [...this.view.contentDOM.querySelectorAll(".collab-ghost")].map((part) => part.textContent ?? ""),
      lines: [...this.view.contentDOM.querySelectorAll(".cm-line")].map((line) => line.textContent ?? ""),
    };
  }

  type(text: string, userEvent = "input.type"): this {
    this.view.dispatch(this.view.state.replaceSelection(text), { userEvent });
    return this;
  }

  remote(at: number, insert: string, units = 0): this {
    this.view.dispatch({
      changes: { from: at, to: at + units, insert },
      annotations: [Transaction.addToHistory.of(false), Transaction.remote.of(true)],
    });
    return this;
  }

  async pause(ms = 350): Promise<this> {
    await vi.advanceTimersByTimeAsync(ms);
    return this;
  }

  /** Whether the editor took the key for itself. */
  press(key: string, modifiers: Partial<KeyboardEventInit> = {}): boolean {
    return runScopeHandlers(this.view, new KeyboardEvent("keydown", { key, ...modifiers }), "editor");
  }

  /** Types `def ` and waits: the ghost is there. */
  static async with(answers: readonly Suggestion[], doc = "", options: Partial<GhostOptions> = {}): Promise<Desk> {
    const desk = await new Desk(doc, answers, options).type("def ").pause();
    expect(desk.ghost).toBe(answers[0]?.insert);
    return desk;
  }
}

const desks: Desk[] = [];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  for (const desk of desks.splice(0)) desk.view.destroy();
  vi.useRealTimers();
});

export const FUNCTION = suggestion("name(args):\n    pass");
