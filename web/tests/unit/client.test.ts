/** The WASM client, carried by the session as in the page, against published Yjs. */
import { readFileSync } from "node:fs";
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import * as Y from "yjs";
import { createSession, type Listeners, type Session } from "../../src/session.js";
import type { OpenSocket, SocketEvents } from "../../src/socket.js";
import { Client, type Edit, initSync, type SaveState } from "../../src/wasm/collab_wasm.js";
import { ServerDouble } from "./server-double.js";

beforeAll(() => {
  initSync({ module: readFileSync(new URL("../../src/wasm/collab_wasm_bg.wasm", import.meta.url)) });
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A session whose socket leads to a double, by hand. */
class Stay {
  readonly server = new ServerDouble();
  readonly session: Session;
  /** The text as an editor shows it. */
  shown: string;
  readonly states: SaveState[] = [];
  readonly peers = new Map<number, string>();
  private events: SocketEvents | undefined;
  private readonly outbound: Uint8Array[] = [];
  connects = 0;
  readonly broken: unknown[] = [];

  constructor(replica = 5) {
    const open: OpenSocket = (events) => {
      this.connects += 1;
      this.events = events;
      return {
        send: (bytes) => void this.outbound.push(bytes),
        close: () => {
          if (this.events === events) this.events = undefined;
        },
      };
    };
    this.session = createSession(new Client(replica, 1), open);
    this.shown = this.session.openFile("main");
    this.session.start(this.listeners());
  }

  private listeners(): Listeners {
    return {
      changed: (_file, edits) => (this.shown = applied(this.shown, edits)),
      reset: (_file, text) => (this.shown = text),
      described: () => {},
      refused: (reason) => void this.broken.push(reason),
      peer: (replica, state) => void (state === undefined ? this.peers.delete(replica) : this.peers.set(replica, state)),
      status: (state) => void this.states.push(state),
      broken: (error) => void this.broken.push(error),
    };
  }

  /** Opens the socket, and lets both sides say what they have to. */
  opened(): this {
    this.events?.opened();
    for (const frame of this.server.hello()) this.events?.frame(frame);
    this.settle();
    return this;
  }

  receive(frame: Uint8Array): void {
    this.events?.frame(frame);
    this.settle();
  }

  settle(): void {
    for (let frame = this.outbound.shift(); frame; frame = this.outbound.shift()) {
      for (const answer of this.server.take(frame)) this.events?.frame(answer);
    }
  }

  type(edits: readonly Edit[]): void {
    this.shown = applied(this.shown, edits);
    this.session.edit("main", edits);
  }

  lose(code = 1006, reason = ""): void {
    const events = this.events;
    this.events = undefined;
    this.outbound.length = 0;
    events?.closed(code, reason);
  }

  get state(): SaveState | undefined {
    return this.states.at(-1);
  }
}

function applied(before: string, edits: readonly Edit[]): string {
  return edits.reduceRight((text, { at, delete: units, insert }) => text.slice(0, at) + insert + text.slice(at + units), before);
}

describe("a stay", () => {
  test("what is typed arrives at Yjs, and is saved when the server says so", () => {
    const stay = new Stay().opened();
    expect(stay.connects).toBe(1);
    // The answer to the server's question is the first frame, and it holds no edit.
    expect(stay.state).toEqual({ kind: "saved" });
    stay.type([{ at: 0, delete: 0, insert: "a😀b" }]);
    expect(stay.state).toEqual({ kind: "saving", unsaved: 1 });
    stay.type([{ at: 0, delete: 1, insert: "" }, { at: 3, delete: 1, insert: "𝕏\r\n" }]);
    stay.settle();
    expect(stay.server.text.toString()).toBe("😀𝕏\r\n");
    stay.receive(stay.server.saved(2));
    expect(stay.state).toEqual({ kind: "saving", unsaved: 1 });
    stay.receive(stay.server.saved());
    expect(stay.state).toEqual({ kind: "saved" });
    stay.session.stop();
  });

  test("what others type comes as edits of what is shown", () => {
    const stay = new Stay().opened();
    stay.type([{ at: 0, delete: 0, insert: "one two" }]);
    stay.settle();
    stay.receive(stay.server.edit((text) => {
      text.delete(0, 3);
      text.insert(0, "😀");
      text.insert(text.length, " three");
    }));
    expect(stay.shown).toBe("😀 two three");
    expect(stay.shown).toBe(stay.server.text.toString());
    stay.session.stop();
  });

  test("edits made while cut off are unsaved, offered again and saved", () => {
    const stay = new Stay().opened();
    stay.type([{ at: 0, delete: 0, insert: "kept" }]);
    stay.settle();
    stay.lose();
    expect(stay.state).toMatchObject({ kind: "reconnecting", unsaved: 1 });
    stay.type([{ at: 4, delete: 0, insert: " and more" }]);
    expect(stay.state).toMatchObject({ kind: "reconnecting", unsaved: 2 });
    stay.server.edit((text) => text.insert(0, "theirs "));
    vi.advanceTimersByTime(5_000);
    expect(stay.connects).toBe(2);
    stay.opened();
    expect(stay.server.text.toString()).toContain("kept and more");
    expect(stay.shown).toBe(stay.server.text.toString());
    expect(stay.state).toEqual({ kind: "saving", unsaved: 2 });
    stay.receive(stay.server.saved());
    expect(stay.state).toEqual({ kind: "saved" });
    stay.session.stop();
  });

  test("a refusal is said, and the text stays", () => {
    const stay = new Stay().opened();
    stay.type([{ at: 0, delete: 0, insert: "mine" }]);
    stay.lose(4404, "there is no such room");
    expect(stay.state).toEqual({ kind: "attention", unsaved: 1, reason: "there is no such room" });
    expect(stay.shown).toBe("mine");
    vi.advanceTimersByTime(120_000);
    expect(stay.connects).toBe(1);
    stay.session.stop();
  });

  test("an edit that cannot be is undone on the screen", () => {
    const stay = new Stay().opened();
    stay.type([{ at: 0, delete: 0, insert: "ab" }]);
    stay.session.edit("main", [{ at: 1, delete: 9, insert: "?" }]);
    expect(stay.shown).toBe("ab");
    stay.session.stop();
  });

  test("values that are no edits stop the stay and say so", () => {
    const stay = new Stay().opened();
    stay.type([{ at: 0, delete: 0, insert: "ab" }]);
    stay.session.edit("main", [{ at: -1, delete: 0, insert: "?" }]);
    expect(stay.state).toMatchObject({ kind: "attention", unsaved: 1 });
    expect(stay.broken).toHaveLength(1);
  });

  test("goodbye takes the caret away", () => {
    const stay = new Stay(9).opened();
    stay.session.presence('{"user":{"name":"Ana"}}');
    stay.settle();
    expect(stay.server.awareness.getStates().get(9)).toEqual({ user: { name: "Ana" } });
    stay.session.stop();
    stay.settle();
    expect(stay.server.awareness.getStates().has(9)).toBe(false);
  });
});

describe("positions", () => {
  test("ours are read by Yjs, and Yjs's by us", () => {
    const stay = new Stay().opened();
    stay.type([{ at: 0, delete: 0, insert: "ab😀cd" }]);
    stay.settle();
    const length = stay.shown.length;
    for (const [offset, position] of [0, 1, 2, 4, length].map((at) => [at, stay.session.sticky("main", [at])[0]] as const)) {
      // As JSON, the way awareness carries it.
      const json: unknown = JSON.parse(JSON.stringify(position));
      const absolute = Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(json), stay.server.doc);
      expect(absolute?.index).toBe(offset);
      // And as y-codemirror.next hands it over: the bare object.
      expect(Y.createAbsolutePositionFromRelativePosition(json as Y.RelativePosition, stay.server.doc)?.type).toBe(stay.server.text);
      for (const assoc of [0, -1]) {
        const theirs: unknown = JSON.parse(JSON.stringify(Y.createRelativePositionFromTypeIndex(stay.server.text, offset, assoc)));
        expect(stay.session.resolve([theirs])).toEqual([{ file: "main", offset }]);
      }
    }
    stay.session.stop();
  });

  test("a place holds on to its text", () => {
    const stay = new Stay().opened();
    stay.type([{ at: 0, delete: 0, insert: "one two" }]);
    stay.settle();
    const places = stay.session.sticky("main", [0, 4, 7]);
    stay.receive(stay.server.edit((text) => text.insert(0, "zero ")));
    expect(stay.session.resolve(places)).toEqual([5, 9, 12].map((offset) => ({ file: "main", offset })));
    expect(stay.session.sticky("main", [99])).toEqual([undefined]);
    stay.session.stop();
  });

  test("an empty text has one place", () => {
    const stay = new Stay().opened();
    const [place] = stay.session.sticky("main", [0]);
    expect(stay.session.resolve([place])).toEqual([{ file: "main", offset: 0 }]);
    stay.session.stop();
  });

  test("anything at all in place of a position is nowhere", () => {
    const stay = new Stay().opened();
    const id = { client: 1, clock: 2 };
    const nonsense: unknown[] = [
      null, undefined, 1, "x", [], {}, { item: "x" }, { item: { client: 2 ** 53, clock: 0 } }, { item: { client: -1, clock: 0.5 } },
      { tname: "x".repeat(300) }, { tname: 7 }, { type: id }, { item: { client: {}, clock: [] }, assoc: "z" }, { tname: "elsewhere" },
    ];
    expect(stay.session.resolve(nonsense)).toEqual(nonsense.map(() => undefined));
    stay.session.stop();
  });
});

describe("peers", () => {
  test("come, change and go", () => {
    const stay = new Stay().opened();
    const other = stay.server.doc.clientID;
    stay.receive(stay.server.presence({ user: { name: "Ben" } }));
    expect(stay.peers.get(other)).toBe('{"user":{"name":"Ben"}}');
    stay.receive(stay.server.presence(null));
    expect(stay.peers.has(other)).toBe(false);
    stay.receive(stay.server.presence({ user: { name: "Ben" } }));
    stay.lose();
    expect(stay.peers.size).toBe(0);
    stay.session.stop();
  });
});
