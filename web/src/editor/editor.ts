/** One text on the screen: CodeMirror, set up and bound. Must not know the session, presence or
 *  the rest of the page; they come in as extensions and go out as callbacks. */
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension } from "@codemirror/state";
import {
  crosshairCursor,
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  placeholder,
  rectangularSelection,
} from "@codemirror/view";
import type { Disposable } from "../dom.js";
import type { Edit } from "../wasm/collab_wasm.js";
import { plainOffsets, reportEdits } from "./binding.js";
import type { Language } from "./languages.js";
import { remoteTransaction } from "./remote.js";
import { adoptEditorStyles } from "./stylesheets.js";
import { followSystemTheme, theme } from "./theme.js";

export interface EditorOptions {
  /** What a screen reader calls the text. */
  readonly label: string;
  readonly text: string;
  /** The person's own edits, at once and in order. */
  readonly edited: (edits: readonly Edit[]) => void;
  /** What else watches or decorates the text. */
  readonly extensions: Extension;
}

export interface Editor extends Disposable {
  readonly view: EditorView;
  /** Brings in what others did. */
  applyRemote(edits: readonly Edit[]): void;
  /** Shows this text, because what is shown is not what the document has. */
  show(text: string): void;
  /** Resolves once the colours are there; the text is never in the way of them. */
  setLanguage(language: Language): Promise<void>;
}

/** The one edit that makes `before` into `after`, as small as a common beginning and end allow. */
function difference(before: string, after: string): Edit[] {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end += 1;
  return [{ at: start, delete: before.length - start - end, insert: after.slice(start, after.length - end) }];
}

const PLACEHOLDER = "Start typing here.\nPress Share and send the link: whoever opens it writes with you.";

export function mountEditor(parent: HTMLElement, options: EditorOptions): Editor {
  adoptEditorStyles();
  const language = new Compartment();
  const view = new EditorView({
    parent,
    state: EditorState.create({
      // The separator must be known before the text is split into lines.
      doc: EditorState.create({ extensions: plainOffsets }).toText(options.text),
      extensions: [
        plainOffsets,
        reportEdits(options.edited),
        history(),
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightSpecialChars(),
        foldGutter(),
        drawSelection(),
        dropCursor(),
        EditorState.allowMultipleSelections.of(true),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        rectangularSelection(),
        crosshairCursor(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        indentUnit.of("    "),
        EditorView.contentAttributes.of({ "aria-label": options.label, "data-gramm": "false" }),
        placeholder(PLACEHOLDER),
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, indentWithTab]),
        theme(),
        language.of([]),
        options.extensions,
      ],
    }),
  });
  const systemTheme = followSystemTheme(view);
  let wanted: Language | undefined;
  return {
    view,
    applyRemote(edits) {
      view.dispatch(remoteTransaction(edits));
    },
    show(text) {
      // Asked for in answer to an edit, while the view is still taking that in.
      queueMicrotask(() => {
        const shown = view.state.sliceDoc();
        view.dispatch(remoteTransaction(difference(shown, text)));
      });
    },
    async setLanguage(next) {
      if (wanted === next) return;
      wanted = next;
      const extension = await next.load();
      // Another one may have been chosen while this one was on its way.
      if (wanted === next) view.dispatch({ effects: language.reconfigure(extension) });
    },
    dispose() {
      wanted = undefined;
      systemTheme.dispose();
      view.destroy();
    },
  };
}
