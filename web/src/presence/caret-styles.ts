/** How other people's carets look. `--person` is set on each by `carets`. */
import { EditorView } from "@codemirror/view";

export const caretStyles = EditorView.theme({
  ".collab-selections, .collab-carets": { pointerEvents: "none", contain: "size style" },
  ".collab-selection": { backgroundColor: "color-mix(in srgb, var(--person) 24%, transparent)", borderRadius: "2px" },
  ".collab-caret": {
    position: "absolute",
    width: "2px",
    marginLeft: "-1px",
    backgroundColor: "var(--person)",
    borderRadius: "1px",
  },
  // A small head makes the caret visible, and its owner recognisable, when the name is hidden.
  ".collab-caret::before": {
    content: '""',
    position: "absolute",
    top: "-2px",
    left: "-2px",
    width: "6px",
    height: "6px",
    borderRadius: "2px",
    backgroundColor: "var(--person)",
  },
  ".collab-caret-name": {
    position: "absolute",
    bottom: "100%",
    left: "-2px",
    padding: "1px 6px 2px",
    borderRadius: "5px 5px 5px 0",
    backgroundColor: "var(--person)",
    color: "#fff",
    font: "600 11px/15px var(--sans)",
    whiteSpace: "nowrap",
    opacity: "0",
    transition: "opacity 150ms ease-out",
  },
  ".collab-caret-labelled > .collab-caret-name": { opacity: "1" },
  ".collab-caret-below > .collab-caret-name": { bottom: "auto", top: "100%", borderRadius: "0 5px 5px 5px" },
  ".collab-caret-leftward > .collab-caret-name": { left: "auto", right: "-2px", borderRadius: "5px 5px 0 5px" },
  ".collab-caret-leftward.collab-caret-below > .collab-caret-name": { borderRadius: "5px 0 5px 5px" },
  "@media (prefers-reduced-motion: reduce)": { ".collab-caret-name": { transition: "none" } },
});
