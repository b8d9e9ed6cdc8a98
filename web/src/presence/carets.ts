/**
 * Other people's carets and selections in an editor. Must not know where they come from.
 *
 * Positions are set from outside whenever they are known anew, and move with the text in between,
 * so a caret never jumps while the network is slow. Everything is drawn in two layers that take no
 * clicks: selections below the text, carets and names above it.
 */
import { EditorSelection, type Extension, StateEffect, StateField } from "@codemirror/state";
import { type EditorView, layer, type LayerMarker, RectangleMarker, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { caretStyles } from "./caret-styles.js";

/** One peer's selection in this text, in its offsets. */
export interface Caret {
  readonly replica: number;
  readonly name: string;
  readonly color: string;
  readonly anchor: number;
  readonly head: number;
}

/** Shows exactly these from now on. */
export const setCarets = StateEffect.define<readonly Caret[]>();

/** How long a name stays after its owner did something, in milliseconds. */
const LABEL_MS = 2_000;

/** How near the pointer must be to show a name, in characters. */
const HOVER_CHARACTERS = 3;

interface Shown extends Caret {
  /** Until when the name is shown, on `Date.now`'s clock. */
  readonly labelUntil: number;
}

const carets = StateField.define<readonly Shown[]>({
  create: () => [],
  update(shown, transaction) {
    let next = shown;
    if (transaction.docChanged) {
      next = next.map((caret) => ({
        ...caret,
        anchor: transaction.changes.mapPos(caret.anchor, 1),
        head: transaction.changes.mapPos(caret.head, 1),
      }));
    }
    for (const effect of transaction.effects) {
      if (effect.is(setCarets)) next = merge(next, effect.value, transaction.newDoc.length);
      else if (effect.is(labelsExpired)) next = [...next];
    }
    return next;
  },
});

/** Redraws once a name's time is over. */
const labelsExpired = StateEffect.define<null>();

function merge(before: readonly Shown[], now: readonly Caret[], length: number): readonly Shown[] {
  return now.map((caret) => {
    const anchor = Math.min(caret.anchor, length);
    const head = Math.min(caret.head, length);
    const old = before.find(({ replica }) => replica === caret.replica);
    const moved = !old || old.anchor !== anchor || old.head !== head || old.name !== caret.name;
    return { ...caret, anchor, head, labelUntil: moved ? Date.now() + LABEL_MS : old.labelUntil };
  });
}

class CaretMarker implements LayerMarker {
  constructor(
    private readonly caret: Shown,
    private readonly place: RectangleMarker,
    private readonly labelled: boolean,
    private readonly below: boolean,
    private readonly leftward: boolean,
  ) {}

  eq(other: CaretMarker): boolean {
    return (
      this.place.eq(other.place) &&
      this.caret.replica === other.caret.replica &&
      this.caret.name === other.caret.name &&
      this.caret.color === other.caret.color &&
      this.labelled === other.labelled &&
      this.below === other.below &&
      this.leftward === other.leftward
    );
  }

  draw(): HTMLElement {
    const line = document.createElement("div");
    line.append(document.createElement("span"));
    this.paint(line);
    return line;
  }

  update(line: HTMLElement, before: CaretMarker): boolean {
    if (before.caret.replica !== this.caret.replica) return false;
    this.paint(line);
    return true;
  }

  private paint(line: HTMLElement): void {
    line.className = "collab-caret";
    line.classList.toggle("collab-caret-labelled", this.labelled);
    line.classList.toggle("collab-caret-below", this.below);
    line.classList.toggle("collab-caret-leftward", this.leftward);
    line.style.setProperty("--person", this.caret.color);
    line.style.left = `${this.place.left}px`;
    line.style.top = `${this.place.top}px`;
    line.style.height = `${this.place.height}px`;
    const label = line.firstElementChild;
    if (label) {
      label.className = "collab-caret-name";
      label.textContent = this.caret.name;
    }
  }
}

class SelectionMarker implements LayerMarker {
  constructor(
    private readonly place: RectangleMarker,
    private readonly color: string,
  ) {}

  eq(other: SelectionMarker): boolean {
    return this.color === other.color && this.place.eq(other.place);
  }

  draw(): HTMLElement {
    const box = this.place.draw();
    box.style.setProperty("--person", this.color);
    return box;
  }

  update(box: HTMLElement, before: SelectionMarker): boolean {
    box.style.setProperty("--person", this.color);
    return this.place.update(box, before.place);
  }
}

function changed(update: ViewUpdate): boolean {
  return (
    update.docChanged ||
    update.geometryChanged ||
    update.viewportChanged ||
    update.startState.field(carets) !== update.state.field(carets) ||
    update.startState.field(hovered) !== update.state.field(hovered)
  );
}

const selectionLayer = layer({
  above: false,
  class: "collab-selections",
  update: changed,
  markers: (view) =>
    view.state.field(carets).flatMap(({ anchor, head, color }) =>
      anchor === head || !isVisible(view, Math.min(anchor, head), Math.max(anchor, head))
        ? []
        : RectangleMarker.forRange(view, "collab-selection", EditorSelection.range(anchor, head)).map(
            (place) => new SelectionMarker(place, color),
          ),
    ),
});

const caretLayer = layer({
  above: true,
  class: "collab-carets",
  update: changed,
  markers(view) {
    const now = Date.now();
    const near = view.state.field(hovered);
    // Room above the text for a name, and where the right half begins; both in the layer's terms.
    const lineHeight = view.defaultLineHeight;
    const middle = view.contentDOM.offsetLeft + view.contentDOM.clientWidth / 2;
    return view.state.field(carets).flatMap((caret) => {
      if (!isVisible(view, caret.head, caret.head)) return [];
      const labelled = caret.labelUntil > now || (near !== undefined && Math.abs(near - caret.head) <= HOVER_CHARACTERS);
      return RectangleMarker.forRange(view, "", EditorSelection.cursor(caret.head)).map(
        (place) => new CaretMarker(caret, place, labelled, place.top < lineHeight, place.left > middle),
      );
    });
  },
});

function isVisible(view: EditorView, from: number, to: number): boolean {
  return to >= view.viewport.from && from <= view.viewport.to;
}

/** The offset under the pointer. */
const setHovered = StateEffect.define<number | undefined>();

const hovered = StateField.define<number | undefined>({
  create: () => undefined,
  update(offset, transaction) {
    for (const effect of transaction.effects) if (effect.is(setHovered)) offset = effect.value;
    return offset;
  },
});

const names = ViewPlugin.define(
  (view) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const arm = () => {
      clearTimeout(timer);
      const now = Date.now();
      const ends = view.state.field(carets).map((caret) => caret.labelUntil).filter((end) => end > now);
      if (ends.length === 0) return;
      timer = setTimeout(() => view.dispatch({ effects: labelsExpired.of(null) }), Math.min(...ends) - now + 1);
    };
    return {
      update(update) {
        if (update.startState.field(carets) !== update.state.field(carets)) arm();
      },
      destroy: () => clearTimeout(timer),
    };
  },
  {
    eventHandlers: {
      mousemove(event, view) {
        if (view.state.field(carets).length === 0) return;
        const offset = view.posAtCoords({ x: event.clientX, y: event.clientY }) ?? undefined;
        if (offset !== view.state.field(hovered)) view.dispatch({ effects: setHovered.of(offset) });
      },
      mouseleave(_event, view) {
        if (view.state.field(hovered) !== undefined) view.dispatch({ effects: setHovered.of(undefined) });
      },
    },
  },
);

/** The extension; feed it with `setCarets`. */
export function remoteCarets(): Extension {
  return [carets, hovered, selectionLayer, caretLayer, names, caretStyles];
}
