/** The page's screens, as far as nobody waits for them in order to read and type: what a room has around
 *  its text, and the start. Fetched after the first text. Must not know which screen an address means. */
import { effect } from "@preact/signals";
import { render } from "preact";
import { roomFromInput, roomUrl } from "./address.js";
import { createRoom } from "./api.js";
import type { Disposable } from "./dom.js";
import { registerWorker } from "./offline/register.js";
import { openStore, type Store } from "./offline/store.js";
import { mountRoom } from "./room.js";
import type { First } from "./room/first.js";
import { createSettings } from "./settings.js";
import { createAnnouncer } from "./ui/announcer.js";
import { Start } from "./ui/start.js";
import { loadWasm } from "./wasm.js";

export interface Screens {
  room(first: First): Disposable;
  /** `go` shows a room, which may have been `made` just now. */
  start(parent: HTMLElement, problem: string | undefined, go: (room: string, made: boolean) => void): Disposable;
}

/** Once for each page. */
export function createScreens(root: URL, announcer: HTMLElement): Screens {
  const announce = createAnnouncer(announcer);
  const settings = createSettings();
  /** What this device keeps; `undefined` where the browser keeps nothing. */
  const store: Promise<Store | undefined> = openStore(root).catch(() => undefined);
  effect(() => {
    document.documentElement.dataset["theme"] = settings.theme.value;
  });
  let registered = false;
  /** What people wait for is here: the line is free for what makes the next visit quick. */
  function arrived(): void {
    if (!registered) registerWorker(root);
    registered = true;
  }
  return {
    room: (first) => mountRoom(first, { root, settings, store, announce, arrived }),
    start(parent, problem, go) {
      document.title = "Collab";
      render(
        <Start
          create={async () => go(await createRoom(root), true)}
          join={(input) => {
            // A room of another server, or of this one under another name, is there and not here.
            const link = input.trim();
            if (/^https?:/i.test(link) && URL.canParse(link) && new URL(link).origin !== root.origin) {
              location.assign(link);
              return true;
            }
            const wanted = roomFromInput(input, root);
            if (wanted !== undefined) go(wanted, false);
            return wanted !== undefined;
          }}
          problem={problem}
          recent={async () => (await (await store)?.recentRooms()) ?? []}
          forget={async (room) => (await store)?.forgetRoom(room)}
          linkTo={(room) => roomUrl(room, root).href}
        />,
        parent,
      );
      // Whoever is here goes to a room next.
      loadWasm()
        .catch(() => {})
        .finally(arrived);
      return { dispose: () => render(null, parent) };
    },
  };
}
