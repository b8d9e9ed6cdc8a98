/** Wires the page: which screen an address means, and how to get from one to the other. A room's text
 *  comes first, all else when that is painted. */
import "./styles/colours.css";
import "./styles/page.css";
import "./styles/room.css";
import { roomOf, roomUrl } from "./address.js";
import type { Disposable } from "./dom.js";
import { type First, showFirst } from "./room/first.js";
import { textFirst } from "./room/opening.js";
import type { Screens } from "./screens.js";
import { storedLook } from "./stored.js";

const root = new URL("./", document.baseURI);
const page = required("page");

/** What is shown, and what of it is shown already. */
let screen: Disposable | undefined;

/** The rest of the page's code, fetched once. */
let screens: Promise<Screens> | undefined;

function rest(): Promise<Screens> {
  screens ??= import("./screens.js").then(({ createScreens }) => createScreens(root, required("announcer")));
  return screens;
}

/** Shows the screen that the address bar means. `made`: the room was made just now, so it is
 *  empty. */
function show(made: boolean): void {
  screen?.dispose();
  const here = new URL(location.href);
  const room = roomOf(here, root);
  if (room === undefined) showStart(here.pathname === root.pathname ? undefined : "This address leads nowhere.");
  else showRoom(showFirst(page, root, room, made));
}

function showRoom(first: First): void {
  screen = first;
  const load = async () => {
    await textFirst(first.text);
    const { room } = await rest();
    // Somebody may have gone elsewhere meanwhile.
    if (screen === first) screen = room(first);
  };
  load().catch((error: unknown) => {
    console.error(error);
    screens = undefined;
    first.fail("The rest of the page could not be loaded, so nothing can be changed. Reload to try again.");
  });
}

function showStart(problem: string | undefined): void {
  const waiting: Disposable = { dispose: () => {} };
  screen = waiting;
  const load = async () => {
    const { start } = await rest();
    if (screen === waiting) screen = start(page, problem, go);
  };
  load().catch((error: unknown) => {
    console.error(error);
    screens = undefined;
    page.textContent = "The page could not be loaded. Reload to try again.";
  });
}

function go(room: string, made: boolean): void {
  history.pushState(null, "", roomUrl(room, root));
  show(made);
}

function required(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no element "${id}"`);
  return found;
}

document.documentElement.dataset["theme"] = storedLook().theme;
addEventListener("popstate", () => show(false));
show(false);
