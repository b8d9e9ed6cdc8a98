/**
 * Tells the person how their text stands. Must not know how that is found out.
 *
 * It says "Saved" only while the session says so. Towards worse it changes at once; back to
 * "Saved" only after a moment without typing, so that it does not flicker at every keystroke.
 */
import { type Disposable, element } from "../dom.js";
import type { SaveState } from "../wasm/collab_wasm.js";

/** How long everything must have been saved before the pill says so again, in milliseconds. */
const CALM_MS = 400;

export interface PillOptions {
  /** The person does not want to wait for the next try. */
  readonly retry: () => void;
  /** The person wants the text as a file. */
  readonly download: () => void;
  readonly reload: () => void;
  /** For those who do not see the pill; only what matters, not every keystroke. */
  readonly announce: (text: string) => void;
}

export interface Pill extends Disposable {
  show(state: SaveState): void;
}

export function mountPill(parent: HTMLElement, options: PillOptions): Pill {
  const text = element("span", { class: "pill-text" });
  const buttons = element("span", { class: "pill-buttons" });
  const pill = element("div", { class: "pill" }, element("span", { class: "dot", "aria-hidden": "true" }), text, buttons);
  parent.append(pill);

  let shown: SaveState | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let tryAt = 0;

  function paint(state: SaveState): void {
    const before = shown?.kind;
    shown = state;
    pill.dataset["state"] = state.kind;
    // "Saved" exactly, and nothing else, is what the promise is about.
    text.textContent = sentence(state, tryAt - Date.now());
    pill.title = explanation(state);
    if (before !== state.kind) {
      buttons.replaceChildren(...buttonsFor(state));
      if (isTrouble(state)) options.announce(text.textContent);
      else if (before !== undefined && state.kind === "saved" && before !== "saving") options.announce("Connected. Saved.");
    }
    if (state.kind === "reconnecting") timer = setTimeout(() => paint(state), 1_000);
  }

  function buttonsFor(state: SaveState): HTMLElement[] {
    switch (state.kind) {
      case "reconnecting":
      case "offline":
        return [button("Try now", options.retry)];
      case "attention":
        return [button("Download copy", options.download), button("Reload", options.reload)];
      default:
        return [];
    }
  }

  return {
    show(state) {
      clearTimeout(timer);
      timer = undefined;
      if (state.kind === "reconnecting") tryAt = Date.now() + state.inMs;
      if (state.kind === "saved" && shown?.kind === "saving") timer = setTimeout(() => paint(state), CALM_MS);
      else paint(state);
    },
    dispose() {
      clearTimeout(timer);
      pill.remove();
    },
  };
}

function button(label: string, press: () => void): HTMLButtonElement {
  const made = element("button", { type: "button", class: "link" }, label);
  made.addEventListener("click", press);
  return made;
}

function isTrouble(state: SaveState): boolean {
  return state.kind === "reconnecting" || state.kind === "offline" || state.kind === "attention" || state.kind === "notSaved";
}

function sentence(state: SaveState, waitMs: number): string {
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
      return waitMs > 0 ? `Reconnecting in ${Math.ceil(waitMs / 1_000)} s` : "Reconnecting…";
    case "offline":
      return state.unsaved > 0 ? `Offline — ${changes(state.unsaved)} in this tab only` : "Offline";
    case "attention":
      return "Can’t sync this file";
  }
}

function explanation(state: SaveState): string {
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
      return "Go on typing; it will be sent when the server is back. Do not close this tab before.";
    case "attention":
      return state.reason;
  }
}

function changes(count: number): string {
  return count === 1 ? "1 change" : `${count} changes`;
}
