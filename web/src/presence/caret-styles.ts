/** How other people's carets, names and chips look. `--person` is set on each by who draws it. */
import { EditorView } from "@codemirror/view";

/** Height of a name beside a caret, in CSS pixels: one line and its padding. */
export const LABEL_HEIGHT_PX = 18;

export const caretStyles = EditorView.theme({
  ".collab-selections, .collab-carets": { pointerEvents: "none", contain: "size style" },
  ".collab-selection": { backgroundColor: "color-mix(in srgb, var(--person) 24%, transparent)", borderRadius: "2px" },
  // Without width: its border is the caret, and lies across the place it stands for.
  ".collab-caret": {
    boxSizing: "border-box",
    left: "0",
    top: "0",
    width: "0",
    marginLeft: "-1px",
    borderLeft: "2px solid var(--person)",
  },
  ".collab-caret-sliding": { transition: "transform 80ms ease-out" },
  ".collab-caret-further": { borderLeftWidth: "1px", marginLeft: "0" },
  ".collab-caret-idle": { borderLeft: "2px dashed color-mix(in srgb, var(--person) 85%, transparent)" },
  // A small head makes the caret visible, and its owner recognisable, when the name is hidden.
  ".collab-caret::before": {
    content: '""',
    position: "absolute",
    top: "-2px",
    left: "-4px",
    width: "6px",
    height: "6px",
    borderRadius: "2px",
    backgroundColor: "var(--person)",
  },
  ".collab-caret-further::before, .collab-caret-idle::before": { display: "none" },
  ".collab-caret-name": {
    boxSizing: "border-box",
    position: "absolute",
    bottom: "100%",
    left: "-2px",
    height: `${LABEL_HEIGHT_PX}px`,
    padding: "1px 6px 2px",
    borderRadius: "5px 5px 5px 0",
    backgroundColor: "var(--person)",
    color: "#fff",
    font: "600 11px/15px var(--sans)",
    whiteSpace: "nowrap",
    overflow: "hidden",
    textOverflow: "ellipsis",
    opacity: "0",
    visibility: "hidden",
    transition: "opacity 150ms ease-out, visibility 150ms",
    transformOrigin: "bottom left",
  },
  ".collab-caret-labelled": { zIndex: "1" },
  ".collab-caret-labelled > .collab-caret-name": { opacity: "1", visibility: "visible" },
  ".collab-caret-leftward > .collab-caret-name": { left: "auto", right: "0", borderRadius: "5px 5px 0 5px", transformOrigin: "bottom right" },
  ".collab-caret-below > .collab-caret-name": { bottom: "auto", top: "100%", borderRadius: "0 5px 5px 5px" },
  ".collab-caret-leftward.collab-caret-below > .collab-caret-name": { borderRadius: "5px 0 5px 5px" },
  // Initials only, in the caret's own line: there the name would cover what is being typed.
  ".collab-caret-inline > .collab-caret-name": {
    bottom: "auto",
    top: "0",
    height: "100%",
    padding: "0 3px",
    borderRadius: "0 4px 4px 0",
    fontSize: "0",
  },
  ".collab-caret-leftward.collab-caret-inline > .collab-caret-name": { borderRadius: "4px 0 0 4px" },
  ".collab-caret-inline > .collab-caret-name::after": { content: "attr(data-initials)", fontSize: "10px" },
  "@media (prefers-reduced-motion: reduce)": {
    ".collab-caret-name, .collab-caret-sliding": { transition: "none" },
  },
  // The person at this page has chosen their own few colours: names tell people apart.
  "@media (forced-colors: active)": {
    // Outside the text, behind which browsers paint a ground of its own.
    ".collab-selection": { forcedColorAdjust: "none", backgroundColor: "transparent", outline: "2px dotted CanvasText", outlineOffset: "1px" },
    ".collab-caret": { forcedColorAdjust: "none", borderLeftColor: "CanvasText" },
    ".collab-caret::before": { backgroundColor: "CanvasText" },
    ".collab-caret-name": { backgroundColor: "Canvas", color: "CanvasText", border: "1px solid CanvasText", padding: "0 5px 1px" },
  },
});
