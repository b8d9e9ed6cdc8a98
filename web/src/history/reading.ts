/** An editor's look without its hands: what every text of the past is shown in. Must not know which
 *  text it is. */
import { highlightSpecialChars, EditorView, lineNumbers } from "@codemirror/view";
import { EditorState, type Extension, type Text } from "@codemirror/state";
import { plainOffsets } from "../editor/binding.js";
import { theme } from "../editor/theme.js";

export interface ReadingOptions {
  /** What a screen reader calls the text. */
  readonly label: string;
  readonly wrap: boolean;
  /** The colours of the text's language, and what else is drawn. */
  readonly extensions: Extension;
}

/** Shows a text that can be read, selected and copied. */
export function mountReading(parent: HTMLElement, text: Text, { label, wrap, extensions }: ReadingOptions): EditorView {
  return new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        plainOffsets,
        lineNumbers(),
        highlightSpecialChars(),
        EditorState.readOnly.of(true),
        EditorView.editable.of(false),
        EditorView.contentAttributes.of({ "aria-label": label, "aria-readonly": "true", tabindex: "0" }),
        wrap ? EditorView.lineWrapping : [],
        theme(),
        extensions,
      ],
    }),
  });
}
