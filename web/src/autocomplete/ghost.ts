/**
 * Ghost text: what the engine would write at the caret, shown after a pause in typing. Asks, and
 * puts the parts together; what is shown and for how long is `ghost-state`'s. Must not know the
 * engine's rules, nor who else edits.
 */
import type { Extension } from "@codemirror/state";
import { type EditorView, type PluginValue, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Engine } from "./engine.js";
import { ghostChip } from "./ghost-chip.js";
import { askNow, dismissGhost, ghostKeys } from "./ghost-keys.js";
import { ghostAt, ghostField, setGhost } from "./ghost-state.js";
import { ghostView } from "./ghost-view.js";
import { mayShow, verdictOn } from "./ghost-when.js";
import { engineWindow } from "./window.js";

export { acceptGhost, askForGhost, dismissGhost, turnGhost } from "./ghost-keys.js";

export interface GhostOptions {
  /** Called when the person first types, and again until it succeeds. */
  readonly engine: () => Promise<Engine>;
  /** Id of the text's language. */
  readonly language: () => string;
  /** How long a pause asks for a suggestion, in milliseconds: at most `MAX_IDLE_MS`. */
  readonly idleMs?: () => number;
  /** Whether a suggestion is welcome: not while following, nor when switched off. */
  readonly enabled?: () => boolean;
  /** Speaks to those who do not see the screen. */
  readonly announce: (text: string) => void;
  /** Shows buttons beside a suggestion, for fingers. */
  readonly touch?: boolean;
}

export const DEFAULT_IDLE_MS = 350;
export const MAX_IDLE_MS = 600;

/** How many suggestions Alt+] goes through. */
const CANDIDATES = 8;

export function ghostText(options: GhostOptions): Extension {
  return [
    ghostField,
    ghostView(),
    ghostKeys({ announce: options.announce }),
    options.touch ? ghostChip() : [],
    ViewPlugin.define((view) => new Asker(view, options), {
      eventHandlers: {
        compositionstart() {
          this.composing = true;
          dismissLater(this);
        },
        compositionend() {
          this.composing = false;
          this.resume();
        },
        blur(event, view) {
          // To press a button beside the suggestion is not to leave it.
          if (!(event.relatedTarget instanceof Node && view.dom.contains(event.relatedTarget))) dismissLater(this);
        },
      },
    }),
  ];
}

class Asker implements PluginValue {
  composing = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** Grows with everything that makes an answer on its way one to another question. */
  private question = 0;
  /** A pause during a composition counts from its end. */
  private postponed = false;
  private saidOnce = false;

  constructor(
    readonly view: EditorView,
    private readonly options: GhostOptions,
  ) {}

  update(update: ViewUpdate): void {
    for (const transaction of update.transactions) {
      switch (verdictOn(transaction)) {
        case "ask":
          this.wait();
          break;
        case "stop":
          this.stop();
          break;
        case "goOn":
          break;
      }
      if (transaction.effects.some((effect) => effect.is(askNow))) this.askAtOnce();
    }
    const shown = update.state.field(ghostField);
    if (shown && !update.startState.field(ghostField)) this.say(shown.wanted);
  }

  /** The composition is over: what was typed in it was typing. */
  resume(): void {
    if (this.postponed) this.wait();
  }

  destroy(): void {
    this.stop();
  }

  private wait(): void {
    this.stop();
    if (!this.welcome()) return;
    // On its way while the person types on. Whether it comes is looked at when it is needed.
    this.options.engine().catch(() => {});
    const idle = this.options.idleMs?.() ?? DEFAULT_IDLE_MS;
    this.timer = setTimeout(() => {
      if (this.composing) this.postponed = true;
      else void this.ask(false);
    }, Math.min(Math.max(idle, 0), MAX_IDLE_MS));
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.postponed = false;
    this.question += 1;
  }

  private askAtOnce(): void {
    this.stop();
    void this.ask(true);
  }

  /** Asks for the text as it is when the engine is there: others may have edited elsewhere. */
  private async ask(asked: boolean): Promise<void> {
    this.question += 1;
    const mine = this.question;
    const { options, view } = this;
    let engine: Engine;
    try {
      engine = await options.engine();
    } catch {
      if (asked) options.announce("Suggestions could not be loaded.");
      return;
    }
    if (mine !== this.question || this.composing) return;
    const { state } = view;
    const { text, caret } = engineWindow(state.doc, state.selection.main.head);
    const found = this.welcome() && mayShow(state) ? engine.suggest(text, caret, options.language(), CANDIDATES) : [];
    const [best] = found;
    const good = best !== undefined && (asked || best.score >= engine.unaskedScore);
    if (good) view.dispatch({ effects: setGhost.of(ghostAt(state, found, asked)) });
    else if (asked) options.announce("No suggestion here.");
  }

  private welcome(): boolean {
    return !this.view.state.readOnly && (this.options.enabled?.() ?? true);
  }

  /** Once for those that come by themselves, so that nobody is talked to while typing. */
  private say(asked: boolean): void {
    if (this.saidOnce && !asked) return;
    this.saidOnce = true;
    const how = this.options.touch ? "the Accept button takes it." : "Tab to accept, Alt+F2 to hear it.";
    this.options.announce(`Suggestion available, ${how}`);
  }
}

/** An event may come while the view is taking in a transaction. */
function dismissLater({ view }: Asker): void {
  if (view.state.field(ghostField, false)) queueMicrotask(() => dismissGhost(view));
}
