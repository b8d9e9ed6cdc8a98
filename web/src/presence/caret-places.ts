/**
 * Where selections are on the screen, measured once and kept while their lines stay as they are:
 * measuring asks the browser for its layout, and with fifty people that is more than a keystroke
 * has time for. Must not know whose selections they are.
 */
import { type ChangeDesc, EditorSelection } from "@codemirror/state";
import { type EditorView, RectangleMarker, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Range } from "./carets.js";

/** In CSS pixels from the beginning of the text that is scrolled. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number | null;
  readonly height: number;
}

interface Kept {
  readonly anchor: number;
  readonly head: number;
  /** The lines it lies in: while nothing changes in them its boxes only move up and down. */
  readonly from: number;
  readonly to: number;
  /** Where the first of them began when it was measured. */
  readonly lineTop: number;
  readonly boxes: readonly Box[];
}

class Places {
  private kept = new Map<string, Kept>();
  /** Drawn since the last look at what is kept. */
  private readonly used = new Set<string>();
  private textChanged = false;

  update(update: ViewUpdate): void {
    this.textChanged ||= update.docChanged;
    if (update.geometryChanged && !update.docChanged) this.forget();
    else if (update.docChanged) this.move(update.changes, update.heightChanged);
  }

  /** Called for whatever redraws lines. What is no edit may move text in any of them: a fold, a
   *  suggestion shown in a line, colours with other letters. */
  docViewUpdate(): void {
    if (!this.textChanged) this.forget();
    this.textChanged = false;
  }

  forget(): void {
    this.kept.clear();
  }

  /** The boxes of a selection, or of a caret when it is empty. `key` names it from drawing to drawing. */
  of(view: EditorView, key: string, { anchor, head }: Range): readonly Box[] {
    this.used.add(key);
    const { doc } = view.state;
    const lineTop = view.lineBlockAt(Math.min(anchor, head)).top;
    const kept = this.kept.get(key);
    if (kept?.anchor === anchor && kept.head === head) {
      const by = lineTop - kept.lineTop;
      return by === 0 ? kept.boxes : kept.boxes.map((box) => ({ ...box, top: box.top + by }));
    }
    const selection = anchor === head ? EditorSelection.cursor(head) : EditorSelection.range(anchor, head);
    const boxes = RectangleMarker.forRange(view, "", selection).map(({ left, top, width, height }) => ({ left, top, width, height }));
    const from = doc.lineAt(selection.from).from;
    const to = doc.lineAt(selection.to).to;
    this.kept.set(key, { anchor, head, from, to, lineTop, boxes });
    return boxes;
  }

  /** Forgets what is drawn no more. */
  drawn(prefix: string): void {
    for (const key of this.kept.keys()) if (key.startsWith(prefix) && !this.used.has(key)) this.kept.delete(key);
    for (const key of [...this.used]) if (key.startsWith(prefix)) this.used.delete(key);
  }

  private move(changes: ChangeDesc, heightChanged: boolean): void {
    const moved = new Map<string, Kept>();
    for (const [key, kept] of this.kept) {
      const { from, to } = kept;
      // Of several lines one in between may have got another height.
      if (changes.touchesRange(from, to) || (heightChanged && kept.boxes.length > 1)) continue;
      moved.set(key, {
        ...kept,
        anchor: changes.mapPos(kept.anchor, 1),
        head: changes.mapPos(kept.head, 1),
        from: changes.mapPos(from, 1),
        to: changes.mapPos(to, -1),
      });
    }
    this.kept = moved;
  }
}

/** Add it before the layers that ask it. */
export const caretPlaces = ViewPlugin.fromClass(Places);
