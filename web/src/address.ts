/** Which room an address means, and the other way. Must not know what a room is. */

/** The longest room name in bytes; the server refuses longer ones. */
const MAX_ROOM_BYTES = 256;

/** The room that `url` leads to, for a page whose root is `root`; `undefined` for the start. */
export function roomOf(url: URL, root: URL): string | undefined {
  const asked = url.searchParams.get("room");
  if (asked) return checked(asked);
  if (!url.pathname.startsWith(root.pathname)) return undefined;
  const rest = url.pathname.slice(root.pathname.length);
  if (!rest.startsWith("room/")) return undefined;
  return checked(decoded(rest.slice("room/".length)));
}

/** The room that somebody typed or pasted: a link to it, or its name. */
export function roomFromInput(input: string, root: URL): string | undefined {
  const text = input.trim();
  if (/^https?:\/\//i.test(text)) {
    if (!URL.canParse(text)) return undefined;
    const url = new URL(text);
    // Links may have been copied from another host name of the same server; only the path counts.
    return roomOf(url, root) ?? roomOf(url, new URL("/", url));
  }
  return checked(text);
}

/** The address to share. */
export function roomUrl(room: string, root: URL): URL {
  return new URL(`room/${encodedRoom(room)}`, root);
}

/** The address to connect to. */
export function socketUrl(room: string, root: URL): URL {
  const url = new URL(`yjs/${encodedRoom(room)}`, root);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url;
}

/** A room's path segment(s): "/" stays, as in the addresses of y-websocket. */
export function encodedRoom(room: string): string {
  return room.split("/").map(encodeURIComponent).join("/");
}

function checked(room: string | undefined): string | undefined {
  if (!room || /\p{Cc}/u.test(room) || !room.isWellFormed()) return undefined;
  // Such segments vanish from every address, so no address leads to such a room.
  if (room.split("/").some((segment) => segment === "." || segment === "..")) return undefined;
  return new TextEncoder().encode(room).length <= MAX_ROOM_BYTES ? room : undefined;
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}
