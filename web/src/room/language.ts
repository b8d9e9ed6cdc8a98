/** Which language and indentation each file of a room is shown in: what somebody said, or what its
 *  name or its text looks like. Must not know the session. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { EditorView } from "@codemirror/view";
import type { Extension } from "@codemirror/state";
import type { Editor } from "../editor/editor.js";
import { type Indentation, indentationOf, INDENTATIONS, usualIndentation } from "../editor/indentation.js";
import { type Language, languageForPath, languageNamed, languageOf, PLAIN } from "../editor/languages.js";

/** How much of a text is looked at, in UTF-16 code units. */
const BEGINNING = 4_096;

/** How long after a change it is looked at, in milliseconds: */
const DETECT_MS = 500;
/** soon while nothing is known of a text that has just begun, so that its first function is indented. */
const DETECT_FIRST_MS = 30;

/** What the file on the screen is shown as. */
export interface Shown {
  /** What somebody said; absent when nobody did. */
  readonly chosen: Language | undefined;
  /** What it looks like. */
  readonly found: Language;
}

export interface LanguageOptions {
  readonly editor: () => Editor;
  /** What is said about the file on the screen; "" where nothing is. */
  readonly said: () => { readonly path: string; readonly language: string };
  readonly failed: () => void;
}

export interface LanguageWatch {
  readonly language: ReadonlySignal<Shown>;
  readonly indentation: ReadonlySignal<Indentation>;
  /** Looks again now and then while the text changes. */
  readonly extension: Extension;
  /** Looks again now: another file is on the screen, or something else was said about it. */
  look(): void;
  /** The person's own choice for the file on the screen, for this visit. */
  chooseIndentation(id: string): void;
  /** The language on the screen. */
  shown(): Language;
  /** Its id, as the completion engine calls it. */
  id(): string;
  dispose(): void;
}

export function watchLanguage(options: LanguageOptions): LanguageWatch {
  const language = signal<Shown>({ chosen: undefined, found: PLAIN });
  const indentation = signal<Indentation>(INDENTATIONS[0]);
  const chosenIndents = new Map<string, Indentation>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function look(): void {
    clearTimeout(timer);
    timer = undefined;
    const editor = options.editor();
    const { path, language: named } = options.said();
    const beginning = editor.view.state.sliceDoc(0, BEGINNING);
    const found = languageForPath(path) ?? languageOf(beginning);
    const chosen = named ? languageNamed(named) : undefined;
    const before = language.peek();
    if (before.chosen !== chosen || before.found !== found) language.value = { chosen, found };
    editor.setLanguage(shown()).catch(options.failed);
    const indent = chosenIndents.get(editor.file) ?? indentationOf(beginning) ?? usualIndentation(shown().id);
    editor.setIndentation(indent);
    indentation.value = indent;
  }

  function shown(): Language {
    const { chosen, found } = language.peek();
    return chosen ?? found;
  }

  return {
    language,
    indentation,
    extension: EditorView.updateListener.of((update) => {
      if (!update.docChanged) return;
      const begins = update.state.doc.length < BEGINNING && language.peek().found === PLAIN;
      timer ??= setTimeout(look, begins ? DETECT_FIRST_MS : DETECT_MS);
    }),
    look,
    chooseIndentation(id) {
      const wanted = INDENTATIONS.find((one) => one.id === id);
      if (!wanted) return;
      chosenIndents.set(options.editor().file, wanted);
      look();
    },
    shown,
    id: () => shown().id,
    dispose: () => clearTimeout(timer),
  };
}
