/** Where the caret is, as people count. Must not know where that is shown. */
import type { EditorState, Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import type { Position } from "../ui/status-bar.js";

export function watchPosition(tell: (position: Position) => void): Extension {
  return EditorView.updateListener.of(({ state, selectionSet, docChanged }) => {
    if (selectionSet || docChanged) tell(positionIn(state));
  });
}

export function positionIn({ doc, selection: { main, ranges } }: EditorState): Position {
  const line = doc.lineAt(main.head);
  return {
    line: line.number,
    column: main.head - line.from + 1,
    selected: ranges.reduce((sum, range) => sum + range.to - range.from, 0),
  };
}
