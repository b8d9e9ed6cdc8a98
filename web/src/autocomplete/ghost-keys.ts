/** The keys of a suggestion, and the commands behind them. Must not know how one is made. */
import { type EditorState, type Extension, Prec, StateEffect } from "@codemirror/state";
import { type Command, type EditorView, keymap } from "@codemirror/view";
import { accepted, type Piece } from "./ghost-accept.js";
import { ghostField, setGhost, shownCandidate } from "./ghost-state.js";

/** The person wants a suggestion now. */
export const askNow = StateEffect.define<null>();

/** Takes what is suggested, or a piece of it; `false` when nothing is. */
export function acceptGhost(view: EditorView, piece: Piece = "all"): boolean {
  const spec = accepted(view.state, piece);
  if (!spec) return false;
  view.dispatch(spec);
  return true;
}

/** Hides what is suggested. To have handled Escape matters: CodeMirror takes one that nobody
 *  handled for the wish to leave the editor by Tab. */
export const dismissGhost: Command = (view) => {
  if (!view.state.field(ghostField, false)) return false;
  view.dispatch({ effects: setGhost.of(undefined) });
  return true;
};

/** Asks without waiting for a pause; shows what a pause would not. */
export const askForGhost: Command = (view) => {
  view.dispatch({ effects: askNow.of(null) });
  return true;
};

/** The next suggestion for the same place, or the one before. */
export function turnGhost(view: EditorView, by: 1 | -1): boolean {
  const ghost = view.state.field(ghostField, false);
  if (!ghost) return false;
  const count = ghost.candidates.length;
  view.dispatch({ effects: setGhost.of({ ...ghost, index: (ghost.index + by + count) % count }) });
  return true;
}

/** In the blanks that begin a line Tab indents, as it always did, unless the person wants this one. */
function tabIndents(state: EditorState): boolean {
  const ghost = state.field(ghostField, false);
  return ghost !== undefined && !ghost.wanted && ghost.before.trim() === "";
}

export interface GhostKeys {
  readonly announce: (text: string) => void;
}

export function ghostKeys({ announce }: GhostKeys): Extension {
  // Above `indentWithTab` and the caret's own keys. The popup's are as high, but when it is open
  // there is no ghost.
  return Prec.highest(
    keymap.of([
      { key: "Tab", run: (view) => !tabIndents(view.state) && acceptGhost(view) },
      { key: "Mod-ArrowRight", run: (view) => acceptGhost(view, "word") },
      { key: "Mod-Alt-ArrowRight", run: (view) => acceptGhost(view, "line") },
      { key: "Escape", run: dismissGhost },
      { key: "Alt-\\", run: askForGhost, preventDefault: true },
      { key: "Alt-]", run: (view) => turnGhost(view, 1) },
      { key: "Alt-[", run: (view) => turnGhost(view, -1) },
      {
        key: "Alt-F2",
        run(view) {
          const ghost = view.state.field(ghostField, false);
          announce(ghost ? shownCandidate(ghost).insert : "No suggestion here.");
          return true;
        },
      },
    ]),
  );
}
