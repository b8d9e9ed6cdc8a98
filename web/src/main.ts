/** Wires the page: which screen an address means, and how to get from one to the other. */
import "./styles/colours.css";
import "./styles/page.css";
import { roomFromInput, roomOf, roomUrl } from "./address.js";
import { createRoom } from "./api.js";
import { type Disposable, element } from "./dom.js";
import { mountRoom } from "./room.js";
import { createAnnouncer } from "./ui/announcer.js";
import { mountStart } from "./ui/start.js";
import { loadWasm } from "./wasm.js";

const root = new URL("./", document.baseURI);
const page = required("page");
const announce = createAnnouncer(required("announcer"));

let screen: Disposable | undefined;
let visit = 0;

/** Shows the screen that the address bar means. */
async function show(): Promise<void> {
  const mine = ++visit;
  screen?.dispose();
  screen = undefined;
  const here = new URL(location.href);
  const room = roomOf(here, root);
  if (room === undefined) {
    const lost = here.pathname.startsWith(new URL("room", root).pathname);
    screen = mountStart(page, {
      create: async () => go(await createRoom(root)),
      join(input) {
        const wanted = roomFromInput(input, root);
        if (wanted !== undefined) go(wanted);
        return wanted !== undefined;
      },
      problem: lost ? "This address does not lead to a room." : undefined,
    });
    // Whoever is here goes to a room next.
    loadWasm().catch(() => {});
    return;
  }
  try {
    await loadWasm();
    if (mine === visit) screen = mountRoom(page, { root, room, announce });
  } catch (error) {
    if (mine === visit) screen = mountFailure(error);
  }
}

function go(room: string): void {
  history.pushState(null, "", roomUrl(room, root));
  void show();
}

function mountFailure(error: unknown): Disposable {
  console.error(error);
  const again = element("button", { type: "button", class: "button primary" }, "Reload");
  again.addEventListener("click", () => location.reload());
  const message = element(
    "main",
    { class: "start" },
    element("h1", {}, "The editor could not start"),
    element("p", { class: "lead" }, "Its code could not be loaded. The text of the room is not affected."),
    again,
  );
  page.append(message);
  return { dispose: () => message.remove() };
}

function required(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element "${id}"`);
  return found;
}

addEventListener("popstate", () => void show());
void show();
