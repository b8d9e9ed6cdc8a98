/** Buttons for a suggestion near the caret, for those without a Tab key. Must not know what else
 *  there is on the screen. */
import { type Extension } from "@codemirror/state";
import { EditorView, showTooltip, type Tooltip } from "@codemirror/view";
import { acceptGhost, dismissGhost } from "./ghost-keys.js";
import { ghostField } from "./ghost-state.js";

function button(label: string, text: string, press: () => void): HTMLButtonElement {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  // The editor keeps the focus, so the keyboard of a phone stays where it is.
  made.addEventListener("pointerdown", (event) => event.preventDefault());
  made.addEventListener("mousedown", (event) => event.preventDefault());
  made.addEventListener("click", press);
  return made;
}

const create: Tooltip["create"] = (view) => {
  const dom = document.createElement("div");
  dom.className = "collab-ghost-chip";
  dom.append(
    button("Accept suggestion", "✓ Accept", () => {
      acceptGhost(view);
      view.focus();
    }),
    button("Dismiss suggestion", "✕", () => {
      dismissGhost(view);
      view.focus();
    }),
  );
  return { dom, offset: { x: 0, y: 6 } };
};

/** Fingers need 44 CSS pixels (WCAG 2.5.5). */
const looks = EditorView.theme({
  ".cm-tooltip.collab-ghost-chip": {
    display: "flex",
    overflow: "hidden",
    border: "1px solid var(--control-line)",
    borderRadius: "22px",
    backgroundColor: "var(--surface)",
    boxShadow: "0 2px 10px rgb(0 0 0 / 25%)",
  },
  ".collab-ghost-chip button": {
    minWidth: "44px",
    minHeight: "44px",
    padding: "0 16px",
    border: "0",
    background: "none",
    color: "var(--text)",
    font: "600 15px/1 var(--sans)",
    touchAction: "manipulation",
  },
  ".collab-ghost-chip button + button": { padding: "0 14px", borderLeft: "1px solid var(--line)", color: "var(--muted)" },
});

export function ghostChip(): Extension {
  return [
    // Above the line: the rest of the suggestion stands below it.
    showTooltip.compute([ghostField], (state) => {
      const ghost = state.field(ghostField);
      return ghost ? { pos: ghost.at, above: true, create } : null;
    }),
    looks,
  ];
}
