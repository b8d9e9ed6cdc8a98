/** A text of the past beside what has become of it: one text with what was added since, and what was
 *  removed. Must not know where either comes from. */
import { getChunks, goToNextChunk, goToPreviousChunk, unifiedMergeView } from "@codemirror/merge";
import type { Extension, Text } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { mountReading } from "./reading.js";

export interface ComparisonOptions {
  readonly then: Text;
  readonly now: Text;
  readonly label: string;
  readonly wrap: boolean;
  readonly language: Extension;
}

export interface Comparison {
  readonly view: EditorView;
  /** Lines, since then. */
  readonly added: number;
  readonly removed: number;
  /** Shows the next difference, or the one before. */
  go(direction: "next" | "previous"): void;
}

/** Lines around a difference that are shown, and how many more there must be for them to be folded. */
const CONTEXT = { margin: 3, minSize: 4 } as const;

/** Bounds of the search for differences: more changed code units in one stretch, or more
 *  milliseconds, and the rest of the stretch is one difference. */
const SEARCH = { scanLimit: 1_000, timeout: 200 } as const;

const look = EditorView.theme({
  "& .cm-changedLine, & .cm-insertedLine": { backgroundColor: "color-mix(in srgb, var(--good) 10%, transparent)" },
  "&.cm-merge-b .cm-changedText": { background: "none", boxShadow: "inset 0 -2px color-mix(in srgb, var(--good) 70%, transparent)" },
  "& .cm-deletedChunk": { paddingLeft: "10px", backgroundColor: "color-mix(in srgb, var(--bad) 8%, transparent)" },
  "&.cm-merge-b .cm-deletedChunk .cm-deletedText": { background: "none", boxShadow: "inset 0 -2px color-mix(in srgb, var(--bad) 70%, transparent)" },
  "& .cm-deletedLine": { textDecoration: "none" },
  "& .cm-changeGutter": { width: "4px", paddingLeft: "0" },
  "&.cm-merge-b .cm-changedLineGutter": { background: "var(--good)" },
  "& .cm-deletedLineGutter": { background: "var(--bad)" },
  "& .cm-collapsedLines": { color: "var(--muted)", background: "var(--surface)", borderBlock: "1px solid var(--line)", fontFamily: "var(--sans)", fontSize: "12px" },
  "& .cm-collapsedLines:before, & .cm-collapsedLines:after": { content: '"⋯"' },
  // Without the grounds, signs say what happened.
  "@media (forced-colors: active)": {
    ".cm-changedLineGutter, .cm-deletedLineGutter": { forcedColorAdjust: "none" },
    ".cm-changedLine, .cm-insertedLine": { textDecoration: "underline" },
    ".cm-deletedChunk .cm-deletedLine": { textDecoration: "line-through" },
  },
});

export function mountComparison(parent: HTMLElement, { then, now, label, wrap, language }: ComparisonOptions): Comparison {
  const view = mountReading(parent, now, {
    label,
    wrap,
    extensions: [
      language,
      unifiedMergeView({ original: then, mergeControls: false, collapseUnchanged: CONTEXT, diffConfig: SEARCH }),
      look,
    ],
  });
  let added = 0;
  let removed = 0;
  for (const { fromA, endA, fromB, endB, toA, toB } of getChunks(view.state)?.chunks ?? []) {
    if (toA > fromA) removed += lines(then, fromA, endA);
    if (toB > fromB) added += lines(now, fromB, endB);
  }
  return {
    view,
    added,
    removed,
    go(direction) {
      (direction === "next" ? goToNextChunk : goToPreviousChunk)(view);
    },
  };
}

function lines(text: Text, from: number, to: number): number {
  return text.lineAt(Math.min(to, text.length)).number - text.lineAt(Math.min(from, text.length)).number + 1;
}
