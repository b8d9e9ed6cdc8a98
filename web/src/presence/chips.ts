/**
 * Who is above or below what is seen: chips at the edges of the editor, and ticks beside the
 * scrollbar. Must not know where carets come from.
 */
import type { Extension } from "@codemirror/state";
import { EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import { element } from "../dom.js";
import { caretsIn, type ShownCaret } from "./carets.js";

/** Chips at one edge; the nearest ones. The others become a number. */
const MAX_CHIPS = 3;

export interface ChipOptions {
  /** The person pressed somebody's chip. */
  readonly jump: (replica: number) => void;
}

interface Chip {
  readonly replica: number;
  readonly name: string;
  readonly color: string;
  readonly idle: boolean;
  readonly line: number;
}

/** What is to be seen, and of what it is made: drawn again only when it differs. */
interface Measured {
  readonly above: readonly Chip[];
  readonly below: readonly Chip[];
  readonly ticks: readonly { readonly color: string; readonly at: number }[];
  /** The lane's place in the editor, in CSS pixels. */
  readonly box: { readonly top: number; readonly bottom: number; readonly right: number };
}

class Chips {
  private readonly above = element("div", { class: "collab-chips", role: "group", "aria-label": "People above" });
  private readonly below = element("div", { class: "collab-chips", role: "group", "aria-label": "People below" });
  private readonly ticks = element("div", { class: "collab-ticks", "aria-hidden": "true" });
  private readonly request = { key: "collab-chips", read: () => this.measure(), write: (now: Measured | undefined) => now && this.draw(now) };
  private readonly scrolled = () => this.look();
  private drawn = "";

  constructor(
    private readonly view: EditorView,
    private readonly options: ChipOptions,
  ) {
    view.dom.append(this.above, this.below, this.ticks);
    view.scrollDOM.addEventListener("scroll", this.scrolled, { passive: true });
    view.requestMeasure(this.request);
  }

  update(update: ViewUpdate): void {
    if (update.docChanged || update.geometryChanged || update.viewportChanged || caretsIn(update.startState) !== caretsIn(update.state)) {
      this.look();
    }
  }

  destroy(): void {
    this.view.scrollDOM.removeEventListener("scroll", this.scrolled);
    for (const part of [this.above, this.below, this.ticks]) part.remove();
  }

  private look(): void {
    if (this.drawn !== "" || caretsIn(this.view.state).length > 0) this.view.requestMeasure(this.request);
  }

  private measure(): Measured | undefined {
    const { view } = this;
    const { scrollDOM, state } = view;
    const carets = caretsIn(state);
    if (carets.length === 0 && this.drawn === "") return undefined;
    const seen = scrollDOM.getBoundingClientRect();
    const whole = view.dom.getBoundingClientRect();
    const top = seen.top - view.documentTop;
    const bottom = top + scrollDOM.clientHeight;
    const above: { readonly chip: Chip; readonly away: number }[] = [];
    const below: typeof above = [];
    const ticks: { color: string; at: number }[] = [];
    for (const caret of carets) {
      const head = caret.ranges[0]?.head ?? 0;
      const block = view.lineBlockAt(head);
      const middle = (block.top + block.bottom) / 2;
      ticks.push({ color: caret.color, at: Math.round((1_000 * middle) / Math.max(view.contentHeight, scrollDOM.clientHeight)) });
      if (middle < top) above.push({ chip: chipOf(caret, state.doc.lineAt(head).number), away: top - middle });
      else if (middle > bottom) below.push({ chip: chipOf(caret, state.doc.lineAt(head).number), away: middle - bottom });
    }
    const nearestFirst = (list: typeof above) => list.sort((a, b) => a.away - b.away).map(({ chip }) => chip);
    return {
      above: nearestFirst(above),
      below: nearestFirst(below),
      ticks: scrollDOM.scrollHeight > scrollDOM.clientHeight ? ticks : [],
      box: {
        top: Math.round(seen.top - whole.top),
        bottom: Math.round(whole.bottom - seen.top - scrollDOM.clientHeight),
        right: Math.round(scrollDOM.offsetWidth - scrollDOM.clientWidth),
      },
    };
  }

  private draw(now: Measured): void {
    const drawn = now.above.length + now.below.length + now.ticks.length === 0 ? "" : JSON.stringify(now);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const { top, bottom, right } = now.box;
    this.fill(this.above, "↑", now.above);
    this.fill(this.below, "↓", now.below);
    this.above.style.top = `${top}px`;
    this.below.style.bottom = `${bottom}px`;
    this.ticks.style.top = `${top}px`;
    this.ticks.style.bottom = `${bottom}px`;
    this.above.style.right = this.below.style.right = `${right}px`;
    this.ticks.replaceChildren(...now.ticks.map(({ color, at }) => {
      const tick = element("div", { class: "collab-tick" });
      tick.style.setProperty("--person", color);
      tick.style.top = `${at / 10}%`;
      return tick;
    }));
  }

  /** Keeps the buttons that stay: one of them may have the focus. */
  private fill(edge: HTMLElement, arrow: string, chips: readonly Chip[]): void {
    const before = new Map([...edge.querySelectorAll("button")].map((button) => [Number(button.dataset["replica"]), button]));
    const shown = chips.slice(0, MAX_CHIPS).map((chip) => {
      const button = before.get(chip.replica) ?? this.button(chip.replica);
      const text = `${arrow} ${chip.name} ${chip.line}`;
      if (button.textContent !== text) button.textContent = text;
      button.setAttribute("aria-label", `Go to ${chip.name}, line ${chip.line}`);
      button.className = chip.idle ? "collab-chip collab-chip-idle" : "collab-chip";
      button.style.setProperty("--person", chip.color);
      return button;
    });
    const rest = chips.slice(MAX_CHIPS);
    const names = rest.map((chip) => chip.name).join(", ");
    const more = rest.length > 0 ? [element("span", { class: "collab-chip collab-chip-more", title: names }, `+${rest.length}`)] : [];
    const wanted: readonly Element[] = [...shown, ...more];
    const same = more.length === 0 && wanted.length === edge.children.length && wanted.every((one, i) => one === edge.children[i]);
    if (!same) edge.replaceChildren(...wanted);
  }

  private button(replica: number): HTMLButtonElement {
    const button = element("button", { type: "button", "data-replica": String(replica) });
    // The caret of the person here stays where it is, and in the text.
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => this.options.jump(replica));
    return button;
  }
}

function chipOf({ replica, name, color, idle }: ShownCaret, line: number): Chip {
  return { replica, name, color, idle, line };
}

const styles = EditorView.theme({
  ".collab-chips": {
    position: "absolute",
    zIndex: "210",
    display: "flex",
    gap: "6px",
    maxWidth: "calc(100% - 24px)",
    padding: "6px 12px",
    justifyContent: "flex-end",
    pointerEvents: "none",
  },
  ".collab-chip": {
    minWidth: "0",
    minHeight: "24px",
    padding: "2px 10px",
    border: "1px solid transparent",
    borderRadius: "12px",
    backgroundColor: "var(--person, var(--muted))",
    color: "#fff",
    font: "600 12px/18px var(--sans)",
    whiteSpace: "nowrap",
    overflow: "hidden",
    textOverflow: "ellipsis",
    boxShadow: "0 1px 4px rgb(0 0 0 / 25%)",
    pointerEvents: "auto",
    cursor: "pointer",
  },
  ".collab-chip:focus-visible": { outline: "2px solid var(--text)", outlineOffset: "2px" },
  ".collab-chip-idle": { backgroundColor: "var(--paper)", color: "var(--text)", border: "1px dashed var(--person)" },
  ".collab-chip-more": { flexShrink: "0", backgroundColor: "var(--surface)", color: "var(--text)", borderColor: "var(--control-line)", cursor: "default" },
  ".collab-ticks": { position: "absolute", right: "0", width: "6px", pointerEvents: "none", zIndex: "205" },
  ".collab-tick": { position: "absolute", right: "0", width: "6px", height: "3px", marginTop: "-1px", backgroundColor: "var(--person)" },
  "@media (forced-colors: active)": {
    ".collab-chip": { borderColor: "ButtonText" },
    ".collab-tick": { forcedColorAdjust: "none", backgroundColor: "CanvasText" },
  },
});

/** The extension; shows whom `carets` has in this text. */
export function caretChips(options: ChipOptions): Extension {
  return [ViewPlugin.define((view) => new Chips(view, options)), styles];
}
