/**
 * Follows somebody: the person sees what they see, until the person does something themselves.
 * Must not know the session or how people are listed.
 */
import { type Extension, Prec, Transaction } from "@codemirror/state";
import { EditorView, keymap, ViewPlugin, type ViewUpdate } from "@codemirror/view";
import type { Disposable } from "../dom.js";
import type { Place } from "../wasm/collab_wasm.js";
import type { Whereabouts } from "./caret-feed.js";
import type { Peer } from "./peers.js";

/** Why somebody cannot be followed. */
export type Refusal =
  /** They are not here. */
  | "gone"
  /** They follow the person here, directly or through others: nobody would lead. */
  | "follows you";

/** Why following came to its end. */
export type Stopped =
  /** The person did something themselves, or said so. */
  | "own"
  /** They left. */
  | "gone"
  /** Both began at once: the one with the larger number gives in. */
  | "follows you";

export interface FollowOptions {
  /** The person's own replica; `undefined` before there is one. */
  readonly me: () => number | undefined;
  readonly peer: (replica: number) => Peer | undefined;
  /** Where their caret is, as `CaretFeed` has it. */
  readonly whereabouts: (replica: number) => Whereabouts | undefined;
  readonly resolve: (positions: readonly unknown[]) => readonly (Place | undefined)[];
  /** The file that the editor shows. */
  readonly file: () => string;
  /** Shows another one; may take its time. */
  readonly open: (file: string) => void;
  /** Whom the person follows from now on; `undefined`: nobody, and why. */
  readonly changed: (following: number | undefined, why: Stopped | undefined) => void;
}

export interface Follow extends Disposable {
  /** For every state of the editor. */
  readonly extension: Extension;
  readonly following: number | undefined;
  /** Follows this one instead of whomever before. */
  start(replica: number): Refusal | undefined;
  stop(): void;
  /** This person came, went, or said something new. */
  peer(replica: number): void;
  /** Somebody is in another place now, or another file is shown. */
  moved(): void;
}

export function createFollow(options: FollowOptions): Follow {
  let leader: number | undefined;
  let editor: EditorView | undefined;
  /** Where the view was brought last, so that it is left alone while they stay there. */
  let shown: { readonly file: string; readonly offset: number } | undefined;
  /** The file that was asked for and is not shown yet. */
  let opening: string | undefined;

  function become(next: number | undefined, why: Stopped | undefined): void {
    if (leader === next) return;
    leader = next;
    shown = undefined;
    opening = undefined;
    mark();
    options.changed(leader, why);
  }

  /** The outline, in the leader's colour. */
  function mark(): void {
    if (!editor) return;
    const color = (leader === undefined ? undefined : options.peer(leader)?.color) ?? "";
    if (editor.dom.style.getPropertyValue("--leader") === color) return;
    editor.dom.style.setProperty("--leader", color);
    const view = editor;
    // Often in answer to an event that the editor is still taking in.
    queueMicrotask(() => editor === view && view.dispatch({}));
  }

  function stop(): void {
    become(undefined, "own");
  }

  /** Those who are led by following `replica`: it, whom it follows, and so on. */
  function chain(replica: number): readonly number[] {
    const led: number[] = [];
    for (let next: number | undefined = replica; next !== undefined && next !== options.me() && !led.includes(next); ) {
      led.push(next);
      next = options.peer(next)?.following;
    }
    return led;
  }

  function isRound(replica: number): boolean {
    const me = options.me();
    const last = chain(replica).at(-1);
    return me !== undefined && (replica === me || (last !== undefined && options.peer(last)?.following === me));
  }

  /** Goes where the leader is. */
  function go(): void {
    if (leader === undefined || !editor) return;
    const at = options.whereabouts(leader);
    const file = at?.file ?? options.peer(leader)?.file;
    if (file === undefined) return;
    if (file !== options.file()) {
      if (opening !== file) {
        opening = file;
        options.open(file);
      }
      return;
    }
    opening = undefined;
    const view = options.peer(leader)?.view;
    const [middle] = view === undefined ? [] : options.resolve([view]);
    const offset = middle?.file === file ? middle.offset : at?.offset;
    if (offset === undefined || offset > editor.state.doc.length) return;
    if (shown?.file === file && shown.offset === offset) return;
    shown = { file, offset };
    editor.dispatch({ effects: EditorView.scrollIntoView(offset, { y: "center", x: "nearest" }) });
  }

  const watch = ViewPlugin.define((view) => {
    editor = view;
    shown = undefined;
    const acted = () => {
      if (leader !== undefined) stop();
    };
    const wheel = (event: WheelEvent) => {
      // With Ctrl it is the browser's zoom.
      if (!event.ctrlKey) acted();
    };
    // The text, the gutter, and the scrollbar.
    view.scrollDOM.addEventListener("pointerdown", acted, { passive: true });
    view.scrollDOM.addEventListener("touchmove", acted, { passive: true });
    view.scrollDOM.addEventListener("wheel", wheel, { passive: true });
    if (leader !== undefined) {
      mark();
      // Another file is shown now; a view under construction takes no changes yet.
      queueMicrotask(() => editor === view && go());
    }
    return {
      update(update: ViewUpdate) {
        if (leader !== undefined && update.transactions.some(isOwn)) stop();
      },
      destroy() {
        view.scrollDOM.removeEventListener("pointerdown", acted);
        view.scrollDOM.removeEventListener("touchmove", acted);
        view.scrollDOM.removeEventListener("wheel", wheel);
        editor = undefined;
      },
    };
  });

  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || event.defaultPrevented || leader === undefined) return;
    event.preventDefault();
    stop();
  };
  addEventListener("keydown", escape);

  return {
    extension: [
      watch,
      // Handled here, so that the editor does not take it for "Tab leaves the text"; after others
      // who have something to close.
      Prec.low(keymap.of([{ key: "Escape", run: () => leader !== undefined && (stop(), true) }])),
      EditorView.editorAttributes.of(() => (leader === undefined ? null : { class: "collab-following" })),
      styles,
    ],
    get following() {
      return leader;
    },
    start(replica) {
      if (!options.peer(replica)) return "gone";
      if (isRound(replica)) return "follows you";
      become(replica, undefined);
      go();
      return undefined;
    },
    stop,
    peer(replica) {
      if (leader === undefined) return;
      if (!options.peer(leader)) become(undefined, "gone");
      else if (isRound(leader) && chain(leader).every((other) => other < (options.me() ?? 0))) become(undefined, "follows you");
      else if (replica === leader) {
        // It may have been one that the page had not heard of yet.
        opening = undefined;
        mark();
        go();
      }
    },
    moved: go,
    dispose() {
      leader = undefined;
      removeEventListener("keydown", escape);
    },
  };
}

/** The person edited, or moved their caret. */
function isOwn(transaction: Transaction): boolean {
  if (transaction.annotation(Transaction.remote)) return false;
  return transaction.docChanged || transaction.isUserEvent("select");
}

const styles = EditorView.theme({
  "&.collab-following::after": {
    content: '""',
    position: "absolute",
    inset: "0",
    zIndex: "300",
    border: "2px solid var(--leader)",
    pointerEvents: "none",
  },
});
