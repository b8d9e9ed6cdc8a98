/**
 * Tells the person how their text stands. Must not know how that is found out.
 *
 * It says "Saved" only while the session says so. Towards worse it changes at once; back to
 * "Saved" only after a moment without typing, so that it does not flicker at every keystroke.
 */
import { effect, type ReadonlySignal, signal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { Disposable } from "../dom.js";
import type { SaveState } from "../wasm/collab_wasm.js";

/** How long everything must have been saved before the pill says so again, in milliseconds. */
const CALM_MS = 400;

/** What the pill shows. */
export interface Shown {
  readonly state: SaveState;
  /** Milliseconds until the next try, while reconnecting. */
  readonly waitMs: number;
}

/**
 * What to show while the session's state is this. Not inside the component, whose effects wait for
 * the next frame: until then it would say "Saved" of what was typed in this one.
 */
export function watchStatus(status: ReadonlySignal<SaveState>): ReadonlySignal<Shown> & Disposable {
  const shown = signal<Shown>({ state: status.peek(), waitMs: 0 });
  const stop = effect(() => {
    const state = status.value;
    if (state.kind === "saved" && shown.peek().state.kind === "saving") {
      const timer = setTimeout(() => (shown.value = { state, waitMs: 0 }), CALM_MS);
      return () => clearTimeout(timer);
    }
    if (state.kind !== "reconnecting") {
      shown.value = { state, waitMs: 0 };
      return undefined;
    }
    const tryAt = performance.now() + state.inMs;
    const show = () => (shown.value = { state, waitMs: Math.max(0, tryAt - performance.now()) });
    show();
    const timer = setInterval(show, 1_000);
    return () => clearInterval(timer);
  });
  return Object.assign(shown, { dispose: stop });
}

export interface PillProps {
  readonly shown: ReadonlySignal<Shown>;
  /** Whether every unsaved change is on this device's disk. */
  readonly kept: ReadonlySignal<boolean>;
  /** The person does not want to wait for the next try. */
  readonly retry: () => void;
  /** The person wants the text as a file. */
  readonly download: () => void;
  readonly reload: () => void;
  /** The person gives up what is kept on this device, and goes on with what the server has. */
  readonly discard: () => void;
  /** For those who do not see the pill; only what matters, not every keystroke. */
  readonly announce: (text: string) => void;
}

export function Pill(props: PillProps): JSX.Element {
  const { state, waitMs } = props.shown.value;
  const kept = props.kept.value;
  const text = sentence(state, waitMs, kept);

  const before = useRef<SaveState["kind"] | undefined>(undefined);
  useEffect(() => {
    const was = before.current;
    before.current = state.kind;
    if (was === state.kind) return;
    if (isTrouble(state)) props.announce(text);
    else if (was !== undefined && state.kind === "saved" && was !== "saving") props.announce("Connected. Saved.");
  }, [state.kind]);

  return (
    <div class="pill" data-state={state.kind} title={explanation(state, kept)}>
      <span class="dot" aria-hidden="true" />
      <span class="pill-text">{text}</span>
      {state.kind === "reconnecting" || state.kind === "offline" ? (
        <button type="button" class="link" onClick={props.retry}>
          Try now
        </button>
      ) : null}
      {state.kind === "attention" ? (
        <>
          <button type="button" class="link" onClick={props.download}>
            Download copy
          </button>
          <button type="button" class="link" onClick={props.reload}>
            Reload
          </button>
          <button type="button" class="link" title="Forget the changes kept on this device, and show what the server has" onClick={props.discard}>
            Discard my copy
          </button>
        </>
      ) : null}
    </div>
  );
}

function isTrouble(state: SaveState): boolean {
  return state.kind === "reconnecting" || state.kind === "offline" || state.kind === "attention" || state.kind === "notSaved";
}

/** "Saved" exactly, and nothing else, is what the promise is about. */
function sentence(state: SaveState, waitMs: number, kept: boolean): string {
  switch (state.kind) {
    case "connecting":
      return "Connecting…";
    case "saved":
      return "Saved";
    case "saving":
      return "Saving…";
    case "notSaved":
      return `Not saved — ${changes(state.unsaved)} waiting for the database`;
    case "reconnecting":
      return `${waitMs > 0 ? `Reconnecting in ${Math.ceil(waitMs / 1_000)} s` : "Reconnecting…"}${unsaved(state.unsaved, kept)}`;
    case "offline":
      return `Offline${unsaved(state.unsaved, kept)}`;
    case "attention":
      return "Can’t sync this file";
  }
}

function explanation(state: SaveState, kept: boolean): string {
  switch (state.kind) {
    case "connecting":
      return "Looking for the server.";
    case "saved":
      return "Everything you typed is in the server’s database.";
    case "saving":
      return `${changes(state.unsaved)} on the way to the server.`;
    case "notSaved":
      return "Others see your changes, but the server cannot write them to its database at the moment.";
    case "reconnecting":
    case "offline":
      return kept
        ? "Go on typing; it is kept on this device, and sent when the server is back, even if you close this tab before."
        : "Go on typing; it will be sent when the server is back. Do not close this tab before.";
    case "attention":
      return state.reason;
  }
}

/** Where the changes are that the server does not have. */
function unsaved(count: number, kept: boolean): string {
  return count === 0 ? "" : ` — ${changes(count)} ${kept ? "kept on this device" : "in this tab only"}`;
}

function changes(count: number): string {
  return count === 1 ? "1 change" : `${count} changes`;
}
