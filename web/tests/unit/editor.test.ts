/**
 * The editor as the room uses it, in moments when CodeMirror takes no changes.
 * @vitest-environment happy-dom
 */
import { expect, test } from "vitest";
import { type Editor, mountEditor } from "../../src/editor/editor.js";

test("an edit that ends in read-only neither fails nor keeps later edits from being told", async () => {
  const told: string[] = [];
  const editor: Editor = mountEditor(document.body, {
    label: (file) => file,
    edited(_file, edits) {
      told.push(edits.map(({ insert }) => insert).join());
      editor.setReadOnly(told.length === 1);
    },
    tooLarge: () => {},
    caughtUp: () => {},
  });
  editor.open("main", () => "");
  editor.view.dispatch({ changes: { from: 0, insert: "a" } });
  await Promise.resolve();
  expect(editor.view.state.readOnly).toBe(true);
  editor.view.dispatch({ changes: { from: 1, insert: "b" } });
  await Promise.resolve();
  expect(editor.view.state.readOnly).toBe(false);
  expect(told).toEqual(["a", "b"]);
});
