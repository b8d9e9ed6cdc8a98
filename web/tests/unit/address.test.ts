/** Rooms in addresses, both ways, with the names that y-websocket clients use. */
import { describe, expect, test } from "vitest";
import { roomFromInput, roomOf, roomUrl, socketUrl } from "../../src/address.js";

const root = new URL("http://localhost:8000/");
const below = new URL("https://example.org/tools/collab/");

describe("rooms in addresses", () => {
  test.each(["a", "my room", "team/notes 1", "größe?#%", "😀", "a+b&c=d"])("%s survives the way there and back", (room) => {
    for (const base of [root, below]) {
      expect(roomOf(roomUrl(room, base), base)).toBe(room);
      expect(roomFromInput(roomUrl(room, base).href, base)).toBe(room);
    }
  });

  test("the older form of the address", () => {
    expect(roomOf(new URL("/?room=abc", root), root)).toBe("abc");
    expect(roomOf(new URL("?room=x%2Fy", below), below)).toBe("x/y");
  });

  test("addresses that are no room's", () => {
    for (const path of ["/", "/room/", "/rooms/a", "/room/a%ff", "/?room=", "/room/a%00b"]) {
      expect(roomOf(new URL(path, root), root)).toBeUndefined();
    }
    expect(roomOf(new URL("https://example.org/room/a"), below)).toBeUndefined();
  });

  test("sockets beside the page", () => {
    expect(socketUrl("team/notes 1", root).href).toBe("ws://localhost:8000/yjs/team/notes%201");
    expect(socketUrl("a", below).href).toBe("wss://example.org/tools/collab/yjs/a");
  });

  test("what people type", () => {
    expect(roomFromInput("  standup ", root)).toBe("standup");
    expect(roomFromInput("http://192.168.1.5:8000/room/standup", root)).toBe("standup");
    expect(roomFromInput("http://localhost:8000/", root)).toBeUndefined();
    expect(roomFromInput("   ", root)).toBeUndefined();
    expect(roomFromInput("..", root)).toBeUndefined();
    expect(roomFromInput("é".repeat(128), root)).toBeDefined();
    expect(roomFromInput("é".repeat(129), root)).toBeUndefined();
  });
});
