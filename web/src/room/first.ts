/**
 * A room's first moment: its text on the screen, ready to be typed in, before the rest of the page's
 * code is here. What is typed until then waits in `opening`. Must not know the rest, except that it
 * takes over (`takeOver`).
 */
import { askedText } from "../asked.js";
import { textOf } from "../api.js";
import { type Disposable, element, listen } from "../dom.js";
import { type Editor, mountEditor } from "../editor/editor.js";
import { storedLook } from "../stored.js";
import type { Edit } from "../wasm/collab_wasm.js";
import { MAIN_FILE } from "./main-file.js";
import { Opening } from "./opening.js";

/** Where the rest of the room's screen goes, around the text. */
export interface Places {
  readonly above: HTMLElement;
  readonly beforeText: HTMLElement;
  readonly afterText: HTMLElement;
  readonly below: HTMLElement;
}

/** What the rest of the room does with what happens in the text. */
export interface TakenOver {
  readonly label: (file: string) => string;
  /** The person edited; `opening` has it already when there is no document yet. */
  readonly edited: (file: string, edits: readonly Edit[]) => void;
  readonly tooLarge: (bytes: number) => void;
  readonly caughtUp: () => void;
  /** The main file's text is on the screen. */
  readonly painted: () => void;
}

export interface First extends Disposable {
  readonly room: string;
  /** All of it, for what lies beside the text. */
  readonly screen: HTMLElement;
  readonly places: Places;
  readonly editor: Editor;
  readonly opening: Opening;
  /** The text as the server told it; `undefined` when it did not. */
  readonly text: Promise<string | undefined>;
  takeOver(by: TakenOver): void;
  /** The rest will not come: says why, and takes no more keys that would be lost. */
  fail(reason: string): void;
}

/** `made`: the room was made just now, so there is no text to wait for. */
export function showFirst(parent: HTMLElement, root: URL, room: string, made: boolean): First {
  let rest: TakenOver | undefined;
  let gone = false;
  const host = element("div", { class: "editor-host" });
  const places: Places = {
    above: element("div", { class: "above" }),
    beforeText: element("div"),
    afterText: element("div"),
    below: element("div", { class: "below" }),
  };
  const text = element("main", { class: "editor" }, places.beforeText, element("div", { class: "editor-place" }, host), places.afterText);
  const screen = element("div", { class: "room" }, places.above, text, places.below);
  parent.replaceChildren(screen);

  const editor = mountEditor(host, {
    label: (file) => rest?.label(file) ?? "Text",
    edited(file, edits) {
      if (!opening.isAttached) opening.edited(edits);
      rest?.edited(file, edits);
    },
    tooLarge: (bytes) => rest?.tooLarge(bytes),
    caughtUp: () => rest?.caughtUp(),
  });
  const look = storedLook();
  editor.setWrap(look.wrap);
  editor.setDark(look.theme === "dark" || (look.theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches));

  const asked = made ? Promise.resolve("") : (askedText(room) ?? textOf(root, room, MAIN_FILE));
  const opening = new Opening({
    painted: asked,
    paint(shown) {
      if (gone) return;
      editor.open(MAIN_FILE, () => shown);
      editor.view.focus();
      rest?.painted();
    },
    applyRemote: (edits) => editor.applyRemote(MAIN_FILE, edits),
  });
  // Until a document has it, it is nowhere but here.
  const leaving = listen(window, "beforeunload", (event) => {
    if (opening.hasEarlyEdits) event.preventDefault();
  });

  return {
    room,
    screen,
    places,
    editor,
    opening,
    text: asked,
    takeOver(by) {
      rest = by;
      if (editor.file !== "") by.painted();
    },
    fail(reason) {
      places.above.append(element("p", { class: "failed", role: "alert" }, reason));
      editor.setReadOnly(true);
    },
    dispose() {
      gone = true;
      leaving.dispose();
      editor.dispose();
      screen.remove();
    },
  };
}
