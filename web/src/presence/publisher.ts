/**
 * Tells others where the person's carets are. Must not know who listens.
 *
 * A few times a second while carets only wander; at once with every edit, so that a caret arrives
 * together with the text it stands in. One publisher serves one `EditorView`, whichever file's
 * state is in it: put `extension` into each of them.
 */
import { type Extension, Transaction } from "@codemirror/state";
import { type EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { RelativePosition } from "../wasm/collab_wasm.js";
import { MAX_FURTHER_RANGES, type StickyRange, writeEntry } from "./entry.js";
import type { Identity, Tab } from "./identity.js";

/** Between two entries while nothing is edited, in milliseconds: 20 a second, */
const INTERVAL_MS = 50;

/** and 4 a second when more than so many others would each get every one of them. */
const CROWDED_INTERVAL_MS = 250;
const CROWD = 8;

export interface Publisher {
  /** Watches the carets of one editor. */
  readonly extension: Extension;
  /** Name or colour changed. */
  setIdentity(identity: Identity): void;
  setIdle(idle: boolean): void;
  /** Whose view the person follows. */
  setFollowing(replica: number | undefined): void;
  /** Looks again soon: somebody began to follow, or the file changed without the editor's doing. */
  refresh(): void;
}

export interface PublisherOptions {
  readonly identity: Identity;
  readonly tab: Tab;
  /** The file that the editor shows now. */
  readonly file: () => string;
  /** Positions that hold on to the text, one for each offset. */
  readonly sticky: (file: string, offsets: readonly number[]) => readonly (RelativePosition | undefined)[];
  /** False when there is nobody yet to pass it on. */
  readonly publish: (state: string) => boolean;
  /** How many others are here. */
  readonly others: () => number;
  /** Whether anybody follows this person: only then is it said what they see. */
  readonly followed: () => boolean;
}

export function createPublisher(options: PublisherOptions): Publisher {
  let { identity } = options;
  let idle = false;
  let following: number | undefined;
  let published: string | undefined;
  /** Unknown before the editor is there: until then nothing is told. */
  let file: string | undefined;
  let ranges: readonly StickyRange[] = [];
  let middle: RelativePosition | undefined;
  let editor: EditorView | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let last = 0;

  function publish(): void {
    if (file === undefined) return;
    const state = writeEntry({ identity, tab: options.tab, file, ranges, idle, following, view: middle });
    if (state === published || !options.publish(state)) return;
    published = state;
    last = Date.now();
  }

  function look(view: EditorView): void {
    const shown = options.file();
    if (file !== shown) {
      file = shown;
      ranges = [];
      middle = undefined;
    }
    // A caret that was left stays where it was: its owner looked away, and comes back to it.
    if (!view.hasFocus) return;
    const { main, ranges: all } = view.state.selection;
    const told = [main, ...all.filter((range) => range !== main).slice(0, MAX_FURTHER_RANGES)];
    const places = options.sticky(shown, told.flatMap(({ anchor, head }) => [anchor, head]));
    ranges = told.flatMap((_, i): StickyRange[] => {
      const [anchor, head] = [places[2 * i], places[2 * i + 1]];
      return anchor && head ? [{ anchor, head }] : [];
    });
  }

  /** Reads the layout, so not while the editor takes in a change. */
  function lookAtView(view: EditorView): void {
    middle = file !== undefined && options.followed() ? options.sticky(file, [middleOf(view)])[0] : undefined;
  }

  function now(): void {
    clearTimeout(timer);
    timer = undefined;
    if (editor) look(editor);
    publish();
  }

  function soon(): void {
    const interval = options.others() > CROWD ? CROWDED_INTERVAL_MS : INTERVAL_MS;
    timer ??= setTimeout(() => {
      timer = undefined;
      if (editor) {
        look(editor);
        lookAtView(editor);
      }
      publish();
    }, Math.max(0, last + interval - Date.now()));
  }

  const extension = ViewPlugin.define((view) => {
    editor = view;
    const scrolled = () => {
      if (options.followed()) soon();
    };
    view.scrollDOM.addEventListener("scroll", scrolled, { passive: true });
    soon();
    return {
      update(update: ViewUpdate) {
        if (update.transactions.some((one) => one.docChanged && !one.annotation(Transaction.remote))) now();
        else if (update.docChanged || update.selectionSet || update.focusChanged) soon();
      },
      destroy() {
        view.scrollDOM.removeEventListener("scroll", scrolled);
        clearTimeout(timer);
        timer = undefined;
        editor = undefined;
      },
    };
  });

  return {
    extension,
    setIdentity(next) {
      identity = next;
      publish();
    },
    setIdle(next) {
      idle = next;
      publish();
    },
    setFollowing(replica) {
      following = replica;
      publish();
    },
    refresh: soon,
  };
}

/** The offset of the line in the middle of what is seen. */
function middleOf(view: EditorView): number {
  const seen = view.scrollDOM.getBoundingClientRect();
  return view.lineBlockAtHeight(seen.top + seen.height / 2 - view.documentTop).from;
}
