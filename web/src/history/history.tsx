/** The room's history on the screen: joins the drawer, what is looked at, blame and the live editor.
 *  The live text goes on behind it. Must not know how any of them works. */
import "../styles/history.css";
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Extension } from "@codemirror/state";
import type { ViewUpdate } from "@codemirror/view";
import { render } from "preact";
import { type Disposable, listen } from "../dom.js";
import type { Editor } from "../editor/editor.js";
import type { Version } from "./answers.js";
import { historyApi } from "./api.js";
import { createBlame } from "./blame.js";
import { Drawer, summary } from "./drawer.js";
import { counted, momentOf } from "./moments.js";
import { LARGE_STEP } from "./player.js";
import { restoring, smallestChange } from "./restore.js";
import { compare, replay, type Stage } from "./stage.js";
import { createVersions } from "./versions.js";

export interface HistoryOptions {
  readonly root: URL;
  readonly room: string;
  /** The room's screen, into which the drawer goes. */
  readonly place: HTMLElement;
  readonly editor: Editor;
  /** The file on the screen. */
  readonly active: ReadonlySignal<string>;
  /** What people call a file. */
  readonly fileName: (id: string) => string;
  /** The colours of the file on the screen. */
  readonly language: () => Promise<Extension>;
  readonly wrap: ReadonlySignal<boolean>;
  /** Shows a sentence for a while, and speaks it. */
  readonly say: (text: string) => void;
  /** Speaks it only. */
  readonly announce: (text: string) => void;
  /** Gives the person a file. */
  readonly save: (name: string, text: string) => void;
}

export interface History extends Disposable {
  /** Opens the drawer, or closes it. */
  toggle(): void;
  toggleBlame(): void;
  /** Something happened to the live text. */
  updated(update: ViewUpdate): void;
}

/** How long the list of an open drawer may be behind, in milliseconds. */
const REFRESH_MS = 10_000;

/** Where the drawer is a sheet (`styles/history.css`). */
const NARROW = "(max-width: 640px)";

export function mountHistory(options: HistoryOptions): History {
  const { editor, active, place } = options;
  const api = historyApi(options.root, options.room);
  const versions = createVersions(api);
  const blame = createBlame({ api, editor, active, say: options.say });
  const stage = signal<Stage | undefined>(undefined);
  const chosen = computed(() => (stage.value?.kind === "comparison" ? stage.value.version.id : undefined));
  const host = document.createElement("div");
  host.className = "history-host";
  let timer: ReturnType<typeof setInterval> | undefined;

  function show(make: (() => Stage) | undefined): void {
    stage.peek()?.dispose();
    stage.value = make?.();
    // Behind something else, nothing must take the focus.
    editor.view.dom.toggleAttribute("inert", make !== undefined);
  }

  const stageOptions = () => ({
    api,
    file: active.peek(),
    fileName: options.fileName(active.peek()),
    now: editor.view.state.doc,
    wrap: options.wrap.peek(),
    language: options.language,
  });

  function choose(version: Version): void {
    show(() => compare(version, stageOptions()));
    // Where the list goes away under it, the focus must not go with it.
    if (matchMedia(NARROW).matches) section()?.focus();
  }

  function play(from: Version | undefined): void {
    show(() => replay(from, stageOptions()));
    section()?.focus();
  }

  function section(): HTMLElement | null {
    return host.querySelector<HTMLElement>(".history");
  }

  /** Back to the live text, with the list still open. */
  function back(): void {
    const id = stage.peek()?.version?.id;
    show(undefined);
    void versions.refresh();
    (host.querySelector<HTMLElement>(`[data-version="${id}"]`) ?? section())?.focus();
  }

  function restore(): void {
    const shown = stage.peek();
    const text = shown?.earlier();
    if (!shown || text === undefined) return;
    const { view } = editor;
    if (view.state.readOnly) {
      options.say("Nothing can be restored while the page cannot send edits.");
      return;
    }
    const change = shown.since.carry(smallestChange(shown.since.base, text));
    if (change.empty) {
      options.say("The text is like that already.");
      return;
    }
    const kept = shown.since.edits.peek();
    const when = shown.kind === "comparison" ? (shown.version.name ?? momentOf(shown.version.at, Date.now())) : "that moment";
    show(undefined);
    const before = view.state.doc;
    view.dispatch(restoring(change));
    view.focus();
    // Else something was in the way, and has said so.
    if (view.state.doc !== before) {
      const others = kept > 0 ? ` ${counted(kept, "new edit")} stayed.` : "";
      options.say(`The text of ${when} is back.${others} Undo takes it away again.`);
    }
    void versions.refresh();
  }

  function download(): void {
    const shown = stage.peek();
    const text = shown?.earlier();
    if (shown && text !== undefined) options.save(options.fileName(shown.file), text);
  }

  function open(): void {
    place.append(host);
    render(
      <Drawer
        versions={versions}
        stage={stage}
        chosen={chosen}
        blame={blame.on}
        author={blame.here}
        choose={choose}
        play={play}
        restore={restore}
        rename={(version, name) => void versions.rename(version, name)}
        download={download}
        back={back}
        close={close}
        keyDown={keyDown}
      />,
      host,
    );
    void versions.refresh().then(() => {
      // Whoever came by the keyboard goes on to the newest.
      if (document.activeElement === section()) host.querySelector<HTMLElement>("[data-version]")?.focus();
    });
    timer = setInterval(() => document.hidden || void versions.refresh(), REFRESH_MS);
    section()?.focus();
  }

  function close(): void {
    show(undefined);
    clearInterval(timer);
    timer = undefined;
    render(null, host);
    host.remove();
    editor.view.focus();
  }

  function keyDown(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      if (stage.peek()) back();
      else close();
    } else if (!steer(event)) return;
    event.preventDefault();
  }

  /** The keys of a replay, wherever in the drawer they are not another's. */
  function steer({ key, target, shiftKey, ctrlKey, altKey, metaKey }: KeyboardEvent): boolean {
    const shown = stage.peek();
    const running = shown?.kind === "replay" ? shown.replay.peek() : undefined;
    if (!running || ctrlKey || altKey || metaKey || !(target instanceof HTMLElement)) return false;
    if (target.closest('select, input:not([type="range"]), .history-panel .version')) return false;
    const { player, tape } = running;
    const large = shiftKey ? LARGE_STEP : 1;
    switch (key) {
      case " ":
        if (target instanceof HTMLButtonElement) return false;
        player.toggle();
        return true;
      case "ArrowLeft":
        player.step(-large);
        return true;
      case "ArrowRight":
        player.step(large);
        return true;
      case "Home":
        player.step(-tape.expected);
        return true;
      case "End":
        player.step(tape.expected);
        return true;
      default:
        return false;
    }
  }

  const ends = [
    effect(() => {
      const shown = stage.value;
      if (shown?.kind === "comparison" && shown.comparison.value) options.announce(summary(shown.comparison.value));
      if (shown?.kind === "replay" && shown.replay.value) options.announce("The replay is ready. Space plays it.");
    }),
    // What is looked at is the file on the screen.
    effect(() => {
      const file = active.value;
      const shown = stage.peek();
      if (!shown || shown.file === file) return;
      if (shown.kind === "comparison") choose(shown.version);
      else play(shown.version);
    }),
    listen(document, "visibilitychange", () => {
      if (timer !== undefined && !document.hidden) void versions.refresh();
    }).dispose,
  ];

  return {
    toggle() {
      if (timer === undefined) open();
      else if (host.contains(document.activeElement)) close();
      else section()?.focus();
    },
    toggleBlame: () => (blame.on.value = !blame.on.peek()),
    updated(update) {
      if (!update.docChanged && !update.selectionSet) return;
      const edits = update.transactions.filter((transaction) => transaction.docChanged);
      if (edits.length > 0) stage.peek()?.since.add(edits.map(({ changes }) => changes));
      blame.updated(update);
    },
    dispose() {
      for (const end of ends) end();
      stage.peek()?.dispose();
      clearInterval(timer);
      blame.dispose();
      render(null, host);
      host.remove();
    },
  };
}
