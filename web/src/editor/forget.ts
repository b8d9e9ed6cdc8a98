/**
 * Lets go of lines that are no longer on the screen. Must not know what was in them.
 *
 * Chromium remembers a thousand steps of typing for an undo of its own, which nobody here ever asks
 * for, by the nodes that the letters went into. CodeMirror hangs its description of a line on the
 * line's nodes, and from each of those the whole screen as it was can be reached. So every pause in
 * typing would keep one more copy of the screen, some megabytes in ten minutes.
 */
import type { Extension } from "@codemirror/state";
import { ViewPlugin } from "@codemirror/view";

/** Where CodeMirror hangs it; it sets it anew on every node that it puts into the text. */
const DESCRIPTION = "cmTile";

export function forgetOldLines(): Extension {
  return ViewPlugin.define(({ contentDOM }) => {
    // Called after the editor has finished: what is not in the text by then comes no more.
    const observer = new MutationObserver((records) => {
      for (const { removedNodes } of records) for (const node of removedNodes) if (!contentDOM.contains(node)) release(node);
    });
    observer.observe(contentDOM, { childList: true, subtree: true });
    return { destroy: () => observer.disconnect() };
  });
}

function release(node: Node): void {
  if (DESCRIPTION in node) node[DESCRIPTION] = undefined;
  for (const child of node.childNodes) release(child);
}
