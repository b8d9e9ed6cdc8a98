/** Wires the page: which screen an address means, and how to get from one to the other. */
import "./styles/colours.css";
import "./styles/page.css";
import "./styles/room.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { roomFromInput, roomOf, roomUrl } from "./address.js";
import { createRoom } from "./api.js";
import type { Disposable } from "./dom.js";
import { registerWorker } from "./offline/register.js";
import { openStore, type Store } from "./offline/store.js";
import { mountRoom } from "./room.js";
import { createSettings } from "./settings.js";
import { createAnnouncer } from "./ui/announcer.js";
import { Start } from "./ui/start.js";
import { loadWasm } from "./wasm.js";

const root = new URL("./", document.baseURI);
const page = required("page");
const announce = createAnnouncer(required("announcer"));
const settings = createSettings();
/** What this device keeps; `undefined` where the browser keeps nothing. */
const store: Promise<Store | undefined> = openStore(root).catch(() => undefined);

effect(() => {
  document.documentElement.dataset["theme"] = settings.theme.value;
});

let screen: Disposable | undefined;

/** Shows the screen that the address bar means. `made`: the room was made just now, so it is
 *  empty. */
function show(made: boolean): void {
  screen?.dispose();
  const here = new URL(location.href);
  const room = roomOf(here, root);
  if (room === undefined) {
    const lost = here.pathname.startsWith(new URL("room", root).pathname);
    screen = mountStart(lost ? "This address does not lead to a room." : undefined);
    // Whoever is here goes to a room next.
    loadWasm().catch(() => {});
    return;
  }
  screen = mountRoom(page, { root, room, made, settings, store, announce });
}

function go(room: string, made: boolean): void {
  history.pushState(null, "", roomUrl(room, root));
  show(made);
}

function mountStart(problem: string | undefined): Disposable {
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
    page,
  );
  return { dispose: () => render(null, page) };
}

function required(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element "${id}"`);
  return found;
}

addEventListener("popstate", () => show(false));
show(false);
registerWorker(root);
