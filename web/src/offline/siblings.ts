/**
 * The other tabs of this browser that show the same room. Each keeps a copy of it on the device, so
 * whoever discards theirs has the others do so too, or it would come back. Must not know what is kept.
 */
import { type Disposable, listen } from "../dom.js";

/** Milliseconds for all of them to answer; a tab may be frozen, and its copy then stays. */
const ANSWER_MS = 3_000;

type Said = readonly [what: "here" | "gone" | "discard" | "discarded", tab: string, to?: string];

export interface Siblings extends Disposable {
  /** Resolves when all others have discarded what they keep. */
  discard(): Promise<void>;
}

export interface SiblingsOptions {
  /** Another tab discards: forget what is kept, and keep nothing more. */
  readonly discard: () => Promise<void>;
  /** All is forgotten. */
  readonly discarded: () => unknown;
}

export function watchSiblings(room: string, options: SiblingsOptions): Siblings {
  const channel = new BroadcastChannel(`collab.room ${room}`);
  const me = String(crypto.getRandomValues(new Uint32Array(2)));
  const others = new Set<string>();
  let waiting: Set<string> | undefined;
  let answered: () => void = () => {};
  const say = (...said: Said) => channel.postMessage(said);

  channel.onmessage = ({ data }: MessageEvent<Said>) => {
    const [what, tab, to] = data;
    if (what === "here") {
      // Whoever is new does not know this one.
      if (!others.has(tab)) say("here", me);
      others.add(tab);
    } else if (what === "gone" || what === "discarded") {
      others.delete(tab);
      if (what === "discarded" && to !== me) return;
      waiting?.delete(tab);
      if (waiting?.size === 0) answered();
    } else {
      void options
        .discard()
        .catch(() => {})
        .then(() => {
          say("discarded", me, tab);
          options.discarded();
        });
    }
  };
  say("here", me);
  const leaving = listen(window, "pagehide", (event) => {
    if (!event.persisted) say("gone", me);
  });

  return {
    async discard() {
      if (others.size === 0) return;
      waiting = new Set(others);
      await new Promise<void>((done) => {
        answered = done;
        setTimeout(done, ANSWER_MS);
        say("discard", me);
      });
    },
    dispose() {
      leaving.dispose();
      say("gone", me);
      channel.close();
    },
  };
}
