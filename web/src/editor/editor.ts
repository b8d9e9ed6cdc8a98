/** The texts of one room on the screen: CodeMirror, set up and bound, one state per file so that
 *  each keeps its undo history, caret and folds. Must not know the session, presence or the rest
 *  of the page; they come in as extensions and go out as callbacks. */
import { defaultKeymap, historyKeymap, indentWithTab } from "@codemirror/commands";
import { foldGutter, foldKeymap } from "@codemirror/language";
import { Compartment, EditorState, type Extension, type StateEffect, Text, type TransactionSpec } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
} from "@codemirror/view";
import type { Disposable } from "../dom.js";
import type { Edit } from "../wasm/collab_wasm.js";
import { plainOffsets, reportEdits } from "./binding.js";
import { difference } from "./early.js";
import { forgetOldLines } from "./forget.js";
import { HeldEdits } from "./held.js";
import { indentation, type Indentation, INDENTATIONS } from "./indentation.js";
import type { Language } from "./languages.js";
import { limitInserts } from "./limit.js";
import { remoteTransaction } from "./remote.js";
import { adoptEditorStyles } from "./stylesheets.js";
import { theme } from "./theme.js";
import { ownUndo } from "./undo.js";

export interface EditorOptions {
  /** What a screen reader calls a file's text. */
  readonly label: (file: string) => string;
  /** The person's own edits, at once and in order. */
  readonly edited: (file: string, edits: readonly Edit[]) => void;
  /** An edit was larger than the server takes, in bytes; it did not happen. */
  readonly tooLarge: (bytes: number) => void;
  /** What others did while an input method was composing is in the text now. */
  readonly caughtUp: () => void;
}

export interface Editor extends Disposable {
  readonly view: EditorView;
  /** The file on the screen. */
  readonly file: string;
  /** Adds what watches, decorates or helps, and was not needed to show a first text. Once. */
  extend(extension: Extension): void;
  /** Whether this file has been shown before. */
  has(file: string): boolean;
  /** Shows a file; `text` is asked for when it was not shown before. */
  open(file: string, text: () => string): void;
  /** Forgets a file that is not on the screen. */
  close(file: string): void;
  /** A file's text; empty when it was not shown before. */
  text(file: string): string;
  /** Brings in what others did. */
  applyRemote(file: string, edits: readonly Edit[]): void;
  /** The same for effects: to the file's state, wherever that is. */
  dispatch(file: string, effects: StateEffect<unknown>): void;
  /** Shows this text, because what is shown is not what the document has. */
  reset(file: string, text: string): void;
  /** For the file on the screen. Resolves once the colours are there; the text is never in the
   *  way of them. */
  setLanguage(language: Language): Promise<void>;
  /** For the file on the screen. */
  setIndentation(indentation: Indentation): void;
  setDark(dark: boolean): void;
  setWrap(wrap: boolean): void;
  setReadOnly(readOnly: boolean): void;
}

const PLACEHOLDER = "Start typing here.\nPress Share and send the link: whoever opens it writes with you.\nPress ? outside the text for the keyboard shortcuts.";

/** The caret keeps this far from the editor's edges, in CSS pixels, so that the lines of a suggestion
 *  below it and a name above it can be seen. */
const CARET_MARGIN_PX = { x: 24, y: 60 } as const;

/** What may change while a text is shown, and what it is at the moment. */
class Setting<T> {
  private readonly compartment = new Compartment();

  constructor(
    public value: T,
    private readonly extension: (value: T) => Extension,
  ) {}

  initial(): Extension {
    return this.compartment.of(this.extension(this.value));
  }

  /** The effect that brings a state up to date. */
  effect(): StateEffect<unknown> {
    return this.compartment.reconfigure(this.extension(this.value));
  }
}

export function mountEditor(parent: HTMLElement, options: EditorOptions): Editor {
  adoptEditorStyles();
  const dark = new Setting(false, (is) => EditorView.darkTheme.of(is));
  const wrap = new Setting(false, (is) => (is ? EditorView.lineWrapping : []));
  const readOnly = new Setting(false, (is) => [EditorState.readOnly.of(is)]);
  const more = new Setting<Extension>([], (extension) => extension);
  const shared = [dark, wrap, readOnly] as const;
  const language = new Compartment();
  const indent = new Compartment();
  /** States of files that are not on the screen, and where they were scrolled to. */
  const away = new Map<string, { state: EditorState; scroll: StateEffect<unknown> | undefined }>();
  /** Which language each file shall have; loading takes time, and another may be chosen. */
  const wanted = new Map<string, Language>();
  let shown = "";
  /** Of the file on the screen. */
  const held = new HeldEdits();

  function stateOf(file: string, text: string): EditorState {
    return EditorState.create({
      doc: Text.of(text.split("\n")),
      extensions: [
        plainOffsets,
        reportEdits((edits) => options.edited(file, held.own(edits))),
        EditorView.domEventObservers({
          // The editor reads what came of it first.
          compositionend: () => void setTimeout(catchUp),
        }),
        limitInserts(options.tooLarge),
        forgetOldLines(),
        ownUndo(),
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightSpecialChars(),
        foldGutter(),
        drawSelection(),
        EditorState.allowMultipleSelections.of(true),
        EditorView.cursorScrollMargin.of(CARET_MARGIN_PX),
        highlightActiveLine(),
        EditorView.contentAttributes.of(() => ({ "aria-label": options.label(file), "data-gramm": "false", tabindex: "0" })),
        placeholder(PLACEHOLDER),
        // Before the default keys, so that Tab is theirs when they want it.
        more.initial(),
        keymap.of([...defaultKeymap, ...historyKeymap, ...foldKeymap, indentWithTab]),
        theme(),
        language.of([]),
        indent.of(indentation(INDENTATIONS[0])),
        shared.map((setting) => setting.initial()),
      ],
    });
  }

  let made: EditorView | undefined;

  /** Made with the first text, because to make it twice takes a tenth of a second on a slow phone; earlier
   *  only for somebody who asks. Until there is a text nobody can type: it would be lost. */
  function view(): EditorView {
    made ??= new EditorView({ parent, state: EditorState.create({ extensions: [EditorView.editable.of(false), EditorState.readOnly.of(true), theme()] }) });
    return made;
  }

  function show(state: EditorState): void {
    if (made) made.setState(state);
    else made = new EditorView({ parent, state });
  }

  function apply(file: string, change: TransactionSpec): void {
    const entry = away.get(file);
    if (file === shown) view().dispatch(change);
    else if (entry) entry.state = entry.state.update(change).state;
  }

  /** Whether an edit lies in the line of a composition, or comes after one that did. */
  function mustWait(file: string, edits: readonly Edit[]): boolean {
    if (file !== shown || !view().compositionStarted) return false;
    const { state } = view();
    const { from, to } = state.doc.lineAt(state.selection.main.head);
    return !held.isEmpty || edits.some((edit) => edit.at <= to && edit.at + edit.delete >= from);
  }

  /** Brings in what had to wait, unless the next composition has begun. */
  function catchUp(now = false): void {
    if (held.isEmpty || (view().compositionStarted && !now)) return;
    view().dispatch(remoteTransaction(held.release()));
    options.caughtUp();
  }

  function update(setting: { effect(): StateEffect<unknown> }): void {
    // What is not shown yet begins with what is set by then.
    if (shown) view().dispatch({ effects: setting.effect() });
  }

  return {
    get view() {
      return view();
    },
    get file() {
      return shown;
    },
    extend(extension) {
      more.value = extension;
      update(more);
      for (const entry of away.values()) entry.state = entry.state.update({ effects: more.effect() }).state;
    },
    has: (file) => file === shown || away.has(file),
    open(file, text) {
      if (file === shown) return;
      catchUp(true);
      if (shown) away.set(shown, { state: view().state, scroll: view().scrollSnapshot() });
      const known = away.get(file);
      away.delete(file);
      const state = known?.state ?? stateOf(file, text());
      shown = file;
      show(state);
      // What was chosen meanwhile.
      if (known) view().dispatch({ effects: [...shared.map((setting) => setting.effect()), ...(known.scroll ? [known.scroll] : [])] });
    },
    close(file) {
      away.delete(file);
      wanted.delete(file);
    },
    text: (file) => (file === shown ? view().state : away.get(file)?.state)?.sliceDoc() ?? "",
    applyRemote(file, edits) {
      if (mustWait(file, edits)) {
        held.hold(edits, view().state.doc.length);
        return;
      }
      if (file === shown) catchUp(true);
      apply(file, remoteTransaction(edits));
    },
    dispatch: (file, effects) => apply(file, { effects }),
    reset(file, text) {
      // Asked for in answer to an edit, while the view is still taking that in.
      queueMicrotask(() => {
        if (file === shown) held.release();
        apply(file, remoteTransaction(difference(this.text(file), text)));
      });
    },
    async setLanguage(next) {
      const file = shown;
      if (wanted.get(file) === next) return;
      wanted.set(file, next);
      const extension = await next.load();
      // Another one may have been chosen while this one was on its way, or another file.
      if (wanted.get(file) !== next) return;
      apply(file, { effects: language.reconfigure(extension) });
    },
    setIndentation(next) {
      view().dispatch({ effects: indent.reconfigure(indentation(next)) });
    },
    setDark(is) {
      if (dark.value === is) return;
      dark.value = is;
      update(dark);
    },
    setWrap(is) {
      if (wrap.value === is) return;
      wrap.value = is;
      update(wrap);
    },
    setReadOnly(is) {
      if (readOnly.value === is) return;
      readOnly.value = is;
      // An edit that cannot be sent ends in this, while the view is still taking it in.
      queueMicrotask(() => update(readOnly));
    },
    dispose() {
      wanted.clear();
      made?.destroy();
    },
  };
}
