/**
 * Tells others where the person's caret is. Must not know who listens.
 *
 * At most 20 times a second while the caret only wanders; at once with every edit, so that a caret
 * arrives together with the text it stands in.
 */
import type { Extension } from "@codemirror/state";
import { type EditorView, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { RelativePosition } from "../wasm/collab_wasm.js";
import type { Identity } from "./identity.js";

/** Between two entries while nothing is edited, in milliseconds: 20 a second. */
const INTERVAL_MS = 50;

export interface Publisher {
  /** Watches the caret of one editor. */
  readonly extension: Extension;
  /** Name or colour changed. */
  setIdentity(identity: Identity): void;
}

export interface PublisherOptions {
  readonly identity: Identity;
  /** Positions that hold on to the text, for two offsets. */
  readonly sticky: (offsets: readonly number[]) => readonly (RelativePosition | undefined)[];
  readonly publish: (state: string) => void;
}

export function createPublisher(options: PublisherOptions): Publisher {
  let { identity } = options;
  let published: string | undefined;
  let cursor: { readonly anchor: RelativePosition; readonly head: RelativePosition } | null = null;

  function publish(): void {
    // The keys that y-codemirror and its relatives read.
    const user = { name: identity.name, color: identity.color, colorLight: `${identity.color}33` };
    const state = JSON.stringify({ user, cursor });
    if (state === published) return;
    published = state;
    options.publish(state);
  }

  function look(view: EditorView): void {
    if (view.hasFocus) {
      const { anchor, head } = view.state.selection.main;
      const [from, to] = options.sticky([anchor, head]);
      if (from && to) cursor = { anchor: from, head: to };
    }
    // A caret that was left stays where it was: its owner looked away, and comes back to it.
    publish();
  }

  const extension = ViewPlugin.define((view) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = 0;
    const now = () => {
      clearTimeout(timer);
      timer = undefined;
      last = Date.now();
      look(view);
    };
    const soon = () => {
      timer ??= setTimeout(now, Math.max(0, last + INTERVAL_MS - Date.now()));
    };
    soon();
    return {
      update(update: ViewUpdate) {
        if (update.docChanged && update.selectionSet) now();
        else if (update.docChanged || update.selectionSet || update.focusChanged) soon();
      },
      destroy: () => clearTimeout(timer),
    };
  });

  return {
    extension,
    setIdentity(next) {
      identity = next;
      publish();
    },
  };
}
