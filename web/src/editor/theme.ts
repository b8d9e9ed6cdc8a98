/** How the editor looks. Colours are the page's own variables (`styles/colours.css`), so light and
 *  dark need no second theme. Must not know the document. */
import { HighlightStyle, syntaxHighlighting } from "@codemirror/language";
import type { Extension } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const look = EditorView.theme({
  "&": { height: "100%", color: "var(--text)", backgroundColor: "var(--paper)", fontSize: "var(--code-size)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { padding: "14px 0 40vh", caretColor: "var(--caret)" },
  ".cm-line": { padding: "0 20px 0 10px" },
  ".cm-gutters": { backgroundColor: "var(--paper)", color: "var(--faint)", border: "none", paddingLeft: "8px" },
  ".cm-lineNumbers .cm-gutterElement": { minWidth: "3ch", padding: "0 10px 0 6px" },
  // Fold marks only for whoever points at them.
  ".cm-foldGutter": { opacity: "0", transition: "opacity 150ms" },
  ".cm-gutters:hover .cm-foldGutter": { opacity: "1" },
  ".cm-activeLine": { backgroundColor: "var(--active-line)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--text)" },
  ".cm-cursor, .cm-dropCursor": { borderLeftColor: "var(--caret)", borderLeftWidth: "2px", marginLeft: "-1px" },
  "& > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { background: "var(--selection-idle)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground": { background: "var(--selection)" },
  ".cm-selectionMatch": { backgroundColor: "var(--match)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--match)", outline: "1px solid var(--line)" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", textDecoration: "underline wavy var(--bad)" },
  ".cm-placeholder": { color: "var(--muted)" },
  ".cm-foldPlaceholder": { backgroundColor: "var(--surface)", border: "1px solid var(--line)", color: "var(--muted)" },
  ".cm-panels": { backgroundColor: "var(--surface)", color: "var(--text)", fontFamily: "var(--sans)" },
  ".cm-panels.cm-panels-bottom": { borderTop: "1px solid var(--line)" },
  ".cm-panel.cm-search": { padding: "8px 12px", fontSize: "14px" },
  ".cm-textfield": { backgroundColor: "var(--paper)", border: "1px solid var(--control-line)", borderRadius: "6px", padding: "4px 8px" },
  ".cm-button": { backgroundImage: "none", backgroundColor: "var(--paper)", border: "1px solid var(--control-line)", borderRadius: "6px", padding: "4px 10px" },
  ".cm-panel.cm-search :is(input.cm-textfield, .cm-button, label)": { fontSize: "13px" },
  ".cm-panel.cm-search label": { display: "inline-flex", alignItems: "center", gap: "5px", marginLeft: "6px" },
  ".cm-panel.cm-search input[type=checkbox]": { width: "16px", height: "16px", margin: "0", accentColor: "var(--accent)" },
  ".cm-panel.cm-search [name=close]": { top: "4px", right: "8px", padding: "0 6px", fontSize: "18px", color: "var(--muted)", cursor: "pointer" },
  // Smaller text in a field makes phones zoom in.
  "@media (max-width: 640px)": { ".cm-panel.cm-search input.cm-textfield": { fontSize: "16px", width: "9em" } },
  ".cm-searchMatch": { backgroundColor: "var(--match)", outline: "1px solid var(--control-line)" },
  ".cm-searchMatch-selected": { backgroundColor: "var(--selection)" },
  // Browsers paint a ground of their own behind text; only what is outside it can be seen. ("&" would
  // put this media query in front of the editor's class: no rule at all.)
  "@media (forced-colors: active)": {
    ".cm-selectionLayer .cm-selectionBackground": { forcedColorAdjust: "none", outline: "2px solid Highlight", outlineOffset: "1px" },
  },
  ".cm-tooltip": { backgroundColor: "var(--surface)", border: "1px solid var(--line)", borderRadius: "8px" },
});

const colours = HighlightStyle.define([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword], color: "var(--code-keyword)" },
  { tag: [tags.controlKeyword, tags.moduleKeyword], color: "var(--code-keyword)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string), tags.attributeValue], color: "var(--code-string)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.unit, tags.color], color: "var(--code-number)" },
  { tag: [tags.comment, tags.meta, tags.processingInstruction], color: "var(--code-comment)", fontStyle: "italic" },
  { tag: [tags.typeName, tags.className, tags.namespace, tags.tagName], color: "var(--code-type)" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.macroName, tags.labelName], color: "var(--code-function)" },
  { tag: [tags.propertyName, tags.attributeName], color: "var(--code-property)" },
  { tag: [tags.regexp, tags.escape], color: "var(--code-number)" },
  { tag: [tags.definition(tags.variableName), tags.variableName], color: "var(--text)" },
  { tag: [tags.operator, tags.punctuation, tags.bracket], color: "var(--code-punctuation)" },
  { tag: tags.heading, color: "var(--code-keyword)", fontWeight: "700" },
  { tag: tags.strong, fontWeight: "700" },
  { tag: tags.emphasis, fontStyle: "italic" },
  { tag: [tags.link, tags.url], color: "var(--code-function)", textDecoration: "underline" },
  { tag: tags.strikethrough, textDecoration: "line-through" },
  { tag: tags.invalid, color: "var(--bad)" },
]);

export function theme(): Extension {
  return [look, syntaxHighlighting(colours)];
}
