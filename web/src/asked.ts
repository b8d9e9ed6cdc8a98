/**
 * Asks for the text of the room in the address bar while the rest of the page's code is still on its
 * way: a script of its own, small enough to be there at once. Must not know what is done with it.
 */
import { roomOf } from "./address.js";
import { textOf } from "./api.js";
import { MAIN_FILE } from "./room/main-file.js";

const root = new URL("./", document.baseURI);
const room = roomOf(new URL(location.href), root);
let asked = room === undefined ? undefined : { room, text: textOf(root, room, MAIN_FILE) };

/** The answer, as `textOf` gives it; once, because whoever asks again wants a newer one. */
export function askedText(wanted: string): Promise<string | undefined> | undefined {
  const mine = asked?.room === wanted ? asked.text : undefined;
  asked = undefined;
  return mine;
}
