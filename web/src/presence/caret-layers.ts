/**
 * Draws other people's carets and selections in two layers that take no clicks: selections below
 * the text, carets and names above it. Must not know where carets come from.
 *
 * Only what is in the viewport is measured and drawn: the work depends on what is seen, not on the
 * text.
 */
import { type EditorState, EditorSelection, type Extension, StateEffect, StateField } from "@codemirror/state";
import { type EditorView, layer, type LayerMarker, RectangleMarker, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { type Box, caretPlaces } from "./caret-places.js";
import { caretStyles, LABEL_HEIGHT_PX } from "./caret-styles.js";
import { caretField, caretsIn, type Range, type ShownCaret } from "./carets.js";
import { initials } from "./identity.js";

/** When names are shown: whenever their owner is not idle, for a while after they did something,
 *  or only to a pointer. */
export type LabelMode = "always" | "activity" | "never";

export interface CaretOptions {
  /** Asked at each drawing; dispatch `redrawCarets` when it changes. */
  readonly labels?: () => LabelMode;
}

/** Draws again, because something outside the editor's state changed. */
export const redrawCarets = StateEffect.define<null>();

/** How near the pointer must be to show a name, in characters. */
const HOVER_CHARACTERS = 3;

/** Names that fade within this time of each other go together, in milliseconds. */
const FADE_TOGETHER_MS = 50;

/** Where a name stands: beside its caret (above the line where it can), or, where it would cover
 *  the line that the person here is in, shrunk to initials in the caret's own line. */
type LabelPlace = "above" | "below" | "inline";

interface Label {
  readonly place: LabelPlace;
  /** To the left of the caret rather than to the right. */
  readonly leftward: boolean;
  /** Room for it before the edge, in CSS pixels. */
  readonly room: number;
}

interface Drawing {
  readonly caret: ShownCaret;
  /** The main caret of its owner: this one has the name. */
  readonly main: boolean;
  readonly left: number;
  readonly top: number;
  readonly height: number;
  /** Whether its name is shown, */
  readonly labelled: boolean;
  /** and where it stands when it is; only of the main caret. */
  readonly label: Label | undefined;
}

class CaretMarker implements LayerMarker {
  constructor(private readonly it: Drawing) {}

  eq({ it: other }: CaretMarker): boolean {
    const { it } = this;
    return (
      it.caret.replica === other.caret.replica &&
      it.caret.name === other.caret.name &&
      it.caret.color === other.caret.color &&
      it.caret.idle === other.caret.idle &&
      it.caret.flashedUntil === other.caret.flashedUntil &&
      it.main === other.main &&
      it.left === other.left &&
      it.top === other.top &&
      it.height === other.height &&
      it.labelled === other.labelled &&
      // Where a name would stand matters only while it does.
      (!it.labelled || (isAlike(it.label, other.label) && it.label?.room === other.label?.room))
    );
  }

  draw(): HTMLElement {
    const line = document.createElement("div");
    if (this.it.main) line.append(document.createElement("span"));
    this.paint(line, undefined);
    return line;
  }

  update(line: HTMLElement, { it: before }: CaretMarker): boolean {
    if (before.caret.replica !== this.it.caret.replica || before.main !== this.it.main) return false;
    this.paint(line, before);
    return true;
  }

  private paint(line: HTMLElement, before: Drawing | undefined): void {
    const { caret, main, left, top, height, labelled, label } = this.it;
    const classes = ["collab-caret"];
    if (!main) classes.push("collab-caret-further");
    if (caret.idle) classes.push("collab-caret-idle");
    // It slides where its owner moved it a little; with the text it goes as the text goes. A name
    // that turns would hang out of the editor on the way.
    const moved = before && caret.moves !== before.caret.moves && Math.abs(top - before.top) <= 1.5 * height;
    if (moved && isAlike(label, before.label)) classes.push("collab-caret-sliding");
    if (labelled && label) {
      classes.push("collab-caret-labelled", `collab-caret-${label.place}`);
      if (label.leftward) classes.push("collab-caret-leftward");
    }
    line.className = classes.join(" ");
    line.style.transform = `translate(${left}px, ${top}px)`;
    line.style.height = `${height}px`;
    if (before?.caret.color !== caret.color) line.style.setProperty("--person", caret.color);
    const name = line.firstElementChild;
    if (!(name instanceof HTMLElement)) return;
    if (before?.caret.name !== caret.name) {
      name.className = "collab-caret-name";
      name.textContent = caret.name;
      name.dataset["initials"] = initials(caret.name);
    }
    if (labelled && label) name.style.maxWidth = `${label.room}px`;
    if (before && caret.flashedUntil > before.caret.flashedUntil) flash(name);
  }
}

function isAlike(a: Label | undefined, b: Label | undefined): boolean {
  return a?.place === b?.place && a?.leftward === b?.leftward;
}

function flash(name: HTMLElement): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  name.animate?.([{ transform: "scale(1.35)" }, { transform: "scale(1)" }, { transform: "scale(1.35)" }, { transform: "scale(1)" }], 500);
}

class SelectionMarker implements LayerMarker {
  private readonly place: RectangleMarker;

  constructor(
    { left, top, width, height }: Box,
    private readonly color: string,
  ) {
    this.place = new RectangleMarker("collab-selection", left, top, width, height);
  }

  eq(other: SelectionMarker): boolean {
    return this.color === other.color && this.place.eq(other.place);
  }

  draw(): HTMLElement {
    const box = this.place.draw();
    box.style.setProperty("--person", this.color);
    return box;
  }

  update(box: HTMLElement, before: SelectionMarker): boolean {
    if (box.style.getPropertyValue("--person") !== this.color) box.style.setProperty("--person", this.color);
    return this.place.update(box, before.place);
  }
}

/** The replicas whose carets are under the pointer. */
const setHovered = StateEffect.define<readonly number[]>();

const hovered = StateField.define<readonly number[]>({
  create: () => [],
  update(replicas, transaction) {
    for (const effect of transaction.effects) if (effect.is(setHovered)) replicas = effect.value;
    return replicas;
  },
});

function hasChanged(update: ViewUpdate): boolean {
  const { startState, state } = update;
  if (caretsIn(startState).length === 0 && caretsIn(state).length === 0) return false;
  return (
    update.docChanged ||
    update.geometryChanged ||
    update.viewportChanged ||
    // Names make way for the caret of the person here.
    update.selectionSet ||
    update.focusChanged ||
    caretsIn(startState) !== caretsIn(state) ||
    startState.field(hovered) !== state.field(hovered) ||
    update.transactions.some((one) => one.effects.some((effect) => effect.is(redrawCarets)))
  );
}

function isVisible(view: EditorView, { anchor, head }: Range): boolean {
  return Math.max(anchor, head) >= view.viewport.from && Math.min(anchor, head) <= view.viewport.to;
}

const selectionLayer = layer({
  above: false,
  class: "collab-selections",
  update: hasChanged,
  markers(view) {
    const places = view.plugin(caretPlaces);
    const markers = caretsIn(view.state).flatMap(({ replica, ranges, color }) =>
      ranges.flatMap((range, i) =>
        range.anchor === range.head || !isVisible(view, range)
          ? []
          : (places?.of(view, `selection ${replica} ${i}`, range) ?? []).map((box) => new SelectionMarker(box, color)),
      ),
    );
    places?.drawn("selection");
    return markers;
  },
});

/** What is seen of the text, in the layer's terms. */
interface Window {
  readonly top: number;
  readonly left: number;
  readonly right: number;
  /** The line that the person here is in, while they are. */
  readonly mine: { readonly top: number; readonly bottom: number } | undefined;
}

function windowOf(view: EditorView): Window {
  const { scrollTop, scrollLeft, clientWidth } = view.scrollDOM;
  const [mine] = view.hasFocus ? RectangleMarker.forRange(view, "", EditorSelection.cursor(view.state.selection.main.head)) : [];
  return {
    top: scrollTop,
    // The gutter lies over the text when that is scrolled sideways.
    left: scrollLeft + view.contentDOM.offsetLeft,
    right: scrollLeft + clientWidth,
    mine: mine && { top: mine.top, bottom: mine.top + mine.height },
  };
}

function labelAt(left: number, top: number, height: number, { top: edge, left: start, right: end, mine }: Window): Label {
  const leftward = left > (start + end) / 2;
  const room = Math.max(Math.floor(leftward ? left - start : end - left), 0);
  const below = top - LABEL_HEIGHT_PX < edge;
  const from = below ? top + height : top - LABEL_HEIGHT_PX;
  const covers = mine !== undefined && from < mine.bottom && from + LABEL_HEIGHT_PX > mine.top;
  return { place: covers ? "inline" : below ? "below" : "above", leftward, room };
}

function isLabelled(caret: ShownCaret, state: EditorState, mode: LabelMode, now: number): boolean {
  // A pointer asks who this is; that is answered even of people who are away.
  if (state.field(hovered).includes(caret.replica)) return true;
  if (caret.flashedUntil > now) return true;
  if (caret.idle || mode === "never") return false;
  return mode === "always" || caret.labelUntil > now;
}

function drawingsOf(view: EditorView, mode: LabelMode): Drawing[] {
  const all = caretsIn(view.state);
  if (all.length === 0) return [];
  const seen = windowOf(view);
  const now = Date.now();
  const places = view.plugin(caretPlaces);
  const drawings = all.flatMap((caret) => {
    const labelled = isLabelled(caret, view.state, mode, now);
    return caret.ranges.flatMap(({ head }, i): Drawing[] => {
      if (!isVisible(view, { anchor: head, head })) return [];
      const main = i === 0;
      const boxes = places?.of(view, `caret ${caret.replica} ${i}`, { anchor: head, head }) ?? [];
      return boxes.map(({ left, top, height }) => ({
        caret,
        main,
        left,
        top,
        height,
        labelled: labelled && main,
        label: main ? labelAt(left, top, height, seen) : undefined,
      }));
    });
  });
  places?.drawn("caret");
  return drawings;
}

function caretLayer(mode: () => LabelMode): Extension {
  return layer({
    above: true,
    class: "collab-carets",
    update: hasChanged,
    markers: (view) => drawingsOf(view, mode()).map((drawing) => new CaretMarker(drawing)),
  });
}

/** Lets names fade in time, shows them to the pointer, and turns them when the text is scrolled. */
function labels(mode: () => LabelMode): Extension {
  return ViewPlugin.define(
    (view) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      let edges = edgesOf(view);
      const redraw = () => view.dispatch({ effects: redrawCarets.of(null) });
      const arm = () => {
        clearTimeout(timer);
        const now = Date.now();
        const ends = caretsIn(view.state).flatMap(({ labelUntil, flashedUntil }) => [labelUntil, flashedUntil]);
        const next = Math.min(...ends.filter((end) => end > now));
        if (next === Infinity) return;
        timer = setTimeout(() => {
          redraw();
          arm();
        }, next - now + FADE_TOGETHER_MS);
      };
      // Names only depend on where the text is scrolled to while there are any.
      const scrolled = {
        key: "collab-caret-labels",
        read: () => {
          const before = edges;
          edges = edgesOf(view);
          if (edges.left === before.left && edges.top === before.top) return false;
          const now = Date.now();
          return caretsIn(view.state).some((caret) => isLabelled(caret, view.state, mode(), now));
        },
        write: (isDue: boolean) => {
          // The editor takes no change while it measures.
          if (isDue) queueMicrotask(() => view.dom.isConnected && redraw());
        },
      };
      const scroll = () => {
        if (caretsIn(view.state).length > 0) view.requestMeasure(scrolled);
      };
      view.scrollDOM.addEventListener("scroll", scroll, { passive: true });
      arm();
      return {
        update(update) {
          if (caretsIn(update.startState) !== caretsIn(update.state)) arm();
        },
        destroy() {
          clearTimeout(timer);
          view.scrollDOM.removeEventListener("scroll", scroll);
        },
      };
    },
    {
      eventHandlers: {
        mousemove(event, view) {
          if (caretsIn(view.state).length === 0) return;
          point(view, view.posAtCoords({ x: event.clientX, y: event.clientY }) ?? undefined);
        },
        mouseleave(_event, view) {
          point(view, undefined);
        },
      },
    },
  );
}

function edgesOf({ scrollDOM }: EditorView): { readonly top: number; readonly left: number } {
  return { top: scrollDOM.scrollTop, left: scrollDOM.scrollLeft };
}

function point(view: EditorView, offset: number | undefined): void {
  const near = caretsIn(view.state).flatMap(({ replica, ranges: [main] }) =>
    offset !== undefined && main && Math.abs(main.head - offset) <= HOVER_CHARACTERS ? [replica] : [],
  );
  const before = view.state.field(hovered);
  if (near.length === before.length && near.every((replica, i) => replica === before[i])) return;
  view.dispatch({ effects: setHovered.of(near) });
}

/** The extension; feed it with `changeCarets`. One for each `EditorView`, in all its states. */
export function remoteCarets({ labels: mode = () => "activity" }: CaretOptions = {}): Extension {
  return [caretField, hovered, caretPlaces, selectionLayer, caretLayer(mode), labels(mode), caretStyles];
}
