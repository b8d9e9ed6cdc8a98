/**
 * What the figures are compared with: the same editor with the published Yjs packages as its
 * binding (`yjs`, `y-websocket`, `y-codemirror.next`), on the same server. Never shipped.
 *
 * It is the least that edits: no list of people, sharing, settings, completion, nor anything kept
 * on the device, all of which the page has. What it shows of the text comes from the same modules.
 */
import "../../../src/styles/colours.css";
import "./page.css";
import { autocompletion, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, foldGutter, foldKeymap, indentOnInput } from "@codemirror/language";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
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
  rectangularSelection,
} from "@codemirror/view";
import { yCollab, yUndoManagerKeymap } from "y-codemirror.next";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { adoptEditorStyles } from "../../../src/editor/stylesheets.js";
import { theme } from "../../../src/editor/theme.js";

const room = decodeURIComponent(location.pathname.replace(/^\/room\//, ""));
const doc = new Y.Doc();
const provider = new WebsocketProvider(`${location.origin.replace(/^http/, "ws")}/yjs`, room, doc, { disableBc: true });
const text = doc.getText("file:main");
provider.awareness.setLocalStateField("user", { name: "Yjs page", color: "#1a7f37", colorLight: "#1a7f3733" });

const language = new Compartment();
const editable = new Compartment();

adoptEditorStyles();
const view = new EditorView({
  parent: document.getElementById("page") ?? document.body,
  state: EditorState.create({
    extensions: [
      EditorState.lineSeparator.of("\n"),
      // Nobody shall type into an empty text that is not empty.
      editable.of(EditorView.editable.of(false)),
      yCollab(text, provider.awareness, { undoManager: new Y.UndoManager(text) }),
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
      autocompletion({ activateOnTyping: false, icons: false }),
      keymap.of([...closeBracketsKeymap, ...yUndoManagerKeymap, ...defaultKeymap, ...searchKeymap, ...historyKeymap, ...foldKeymap, indentWithTab]),
      theme(),
      language.of([]),
    ],
  }),
});

// Fetched after the text, as the page does.
async function colour(): Promise<void> {
  const { python } = await import("@codemirror/lang-python");
  view.dispatch({ effects: language.reconfigure(python()) });
}

provider.once("sync", () => {
  view.dispatch({ effects: editable.reconfigure([]) });
  view.focus();
  void colour();
});
