/** The door to the room's history, whose code is fetched when somebody first opens it. Must not know
 *  what is behind it. */
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import type { Disposable } from "../dom.js";
import type { History, HistoryOptions } from "../history/history.js";

export interface HistoryDoor extends Disposable {
  /** Tells what happens to the text meanwhile. */
  readonly extension: Extension;
  /** Opens the drawer, or closes it. */
  toggle(): void;
  /** Takes a key that is the history's; whether it was. */
  key(event: KeyboardEvent): boolean;
}

export function historyDoor(options: () => HistoryOptions): HistoryDoor {
  let history: History | undefined;
  let loading: Promise<void> | undefined;
  let gone = false;

  function enter(then: (history: History) => void): void {
    loading ??= import("../history/history.js").then(({ mountHistory }) => {
      if (!gone) history = mountHistory(options());
    });
    loading.then(
      () => history && then(history),
      () => {
        loading = undefined;
        options().say("The history could not be loaded. Try again when the server is back.");
      },
    );
  }

  return {
    extension: EditorView.updateListener.of((update) => history?.updated(update)),
    toggle: () => enter((inside) => inside.toggle()),
    key({ ctrlKey, altKey, code }) {
      if (!ctrlKey || !altKey || (code !== "KeyH" && code !== "KeyB")) return false;
      enter((inside) => (code === "KeyH" ? inside.toggle() : inside.toggleBlame()));
      return true;
    },
    dispose() {
      gone = true;
      history?.dispose();
    },
  };
}
