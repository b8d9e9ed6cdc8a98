/**
 * Carries out what the WASM client decides: opens sockets, sets the alarm clock, hands changes
 * on. Makes no decision of its own, and must not know the editor.
 */
import type { Client, Edit, Effect, File, Kept, Place, RelativePosition, SaveState } from "./wasm/collab_wasm.js";
import type { OpenSocket, Socket } from "./socket.js";

/** What a session tells the page. */
export interface Listeners {
  /** Other people's edits of a file that was opened; offsets before any of them. */
  readonly changed: (file: string, edits: readonly Edit[]) => void;
  /** The editor shows what the document does not have: show this instead. */
  readonly reset: (file: string, text: string) => void;
  /** The list of files or the room's own description changed. */
  readonly described: () => void;
  /** A file or a value of the room could not be changed, for this reason; `described` follows. */
  readonly refused: (reason: string) => void;
  /** Somebody's presence as JSON, or `undefined` when they are gone. */
  readonly peer: (replica: number, state: string | undefined) => void;
  readonly status: (state: SaveState) => void;
  /** The client itself failed; nothing will be sent any more. */
  readonly broken: (error: unknown) => void;
}

/** Keeps edits on this device, so that they outlive the page. */
export interface Keeper {
  /** What earlier stays in this room left: the session begins with it. */
  readonly kept: Kept | undefined;
  /** One more unsaved edit, with what it rests on. */
  keep(record: Kept): void;
  /** The document changed: `copy` yields all of it, now or at any time before `close`. */
  changed(copy: () => Kept | undefined): void;
  /** The session ends: the last chance to call `copy`. */
  close(): void;
}

/** One person's stay in one room. */
export interface Session {
  /** This stay's number among the replicas of the room. */
  readonly replica: number;
  start(listeners: Listeners): void;
  /** Watches the file, and returns its text as it is now. */
  openFile(file: string): string;
  edit(file: string, edits: readonly Edit[]): void;
  /** Adds a file, or gives it another path or language; what is not given stays. */
  putFile(file: string, description: { readonly path?: string; readonly language?: string }): void;
  /** Takes a file from the list, and its text with it. */
  removeFile(file: string): void;
  /** Sets a value of the room, such as its `name`. */
  setMeta(key: string, value: string): void;
  /** The whole presence entry as JSON. */
  presence(state: string): void;
  /** The person or the network is back: do not wait any longer. */
  retry(): void;
  state(): SaveState;
  files(): readonly File[];
  meta(key: string): string | undefined;
  /** Positions that hold on to the text around them, one per offset. */
  sticky(file: string, offsets: readonly number[]): readonly (RelativePosition | undefined)[];
  /** Where such positions are now; input from peers, so anything may be in it. */
  resolve(positions: readonly unknown[]): readonly (Place | undefined)[];
  stop(): void;
}

/** `setTimeout` takes no more; a later deadline is looked at again then. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const IGNORE: Listeners = {
  changed: () => {},
  reset: () => {},
  described: () => {},
  refused: () => {},
  peer: () => {},
  status: () => {},
  broken: () => {},
};

export function createSession(client: Client, openSocket: OpenSocket, keeper?: Keeper): Session {
  let listeners = IGNORE;
  let socket: Socket | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let lastState: SaveState = { kind: "connecting" };
  let alive = true;
  let revision = client.revision();
  const queue: Effect[] = [];
  let draining = false;

  /** Runs one call of the client and carries out its effects, in order. Effects of calls made
   *  meanwhile (a caret that moves because text did) wait behind those of this one. */
  function run(call: (now: number) => Effect[]): void {
    if (!alive) return;
    try {
      queue.push(...call(Date.now()));
      if (draining) return;
      draining = true;
      try {
        for (let effect = queue.shift(); effect; effect = queue.shift()) carryOut(effect);
      } finally {
        draining = false;
      }
      if (client.revision() !== revision) copyIsDue();
      arm();
    } catch (error) {
      fail(error);
    }
  }

  function carryOut(effect: Effect): void {
    switch (effect.kind) {
      case "connect":
        connect();
        return;
      case "send":
        socket?.send(effect.frame);
        return;
      case "disconnect":
        socket?.close();
        socket = undefined;
        return;
      case "changed":
        listeners.changed(effect.file, effect.edits);
        return;
      case "reset":
        listeners.reset(effect.file, effect.text);
        return;
      case "keep":
        keeper?.keep(effect.record);
        return;
      case "described":
        listeners.described();
        return;
      case "refused":
        listeners.refused(effect.reason);
        return;
      case "peer":
        listeners.peer(effect.replica, effect.state);
        return;
      case "status":
        lastState = effect.state;
        // The next copy can say so.
        if (lastState.kind === "saved") copyIsDue();
        listeners.status(effect.state);
        return;
      default:
        effect satisfies never;
    }
  }

  function copyIsDue(): void {
    if (!alive) return;
    revision = client.revision();
    keeper?.changed(copy);
  }

  function copy(): Kept | undefined {
    if (!alive) return undefined;
    try {
      return client.copy();
    } catch (error) {
      fail(error);
      return undefined;
    }
  }

  function connect(): void {
    socket?.close();
    const mine: Socket = openSocket({
      opened: () => run((now) => client.opened(now)),
      frame: (bytes) => run((now) => client.frame(now, bytes)),
      closed: (code, reason) => {
        if (socket === mine) socket = undefined;
        run((now) => client.closed(now, code, reason));
      },
    });
    socket = mine;
  }

  function arm(): void {
    clearTimeout(timer);
    timer = undefined;
    const deadline = alive ? client.nextDeadline() : undefined;
    if (deadline === undefined) return;
    const wait = Math.min(Math.max(deadline - Date.now(), 0), LONGEST_TIMER_MS);
    timer = setTimeout(() => run((now) => client.tick(now)), wait);
  }

  /** After a trap the client's memory cannot be trusted: stop, and say so. */
  function fail(error: unknown): void {
    if (!alive) return;
    const unsaved = "unsaved" in lastState ? lastState.unsaved : 0;
    end();
    lastState = { kind: "attention", unsaved, reason: "The editor's engine failed. Download a copy, then reload." };
    listeners.status(lastState);
    listeners.broken(error);
  }

  function end(): void {
    alive = false;
    clearTimeout(timer);
    socket?.close();
    socket = undefined;
    queue.length = 0;
  }

  const kept = keeper?.kept;
  if (kept) run((now) => client.restore(now, kept));

  return {
    replica: client.replica(),
    start(to) {
      listeners = to;
      // It may have failed already, over what was kept.
      if (!alive) listeners.status(lastState);
      run((now) => client.start(now));
    },
    openFile: (file) => client.openFile(file),
    edit: (file, edits) => run((now) => client.edit(now, file, edits)),
    putFile: (file, { path, language }) => run((now) => client.putFile(now, file, path, language)),
    removeFile: (file) => run((now) => client.removeFile(now, file)),
    setMeta: (key, value) => run((now) => client.setMeta(now, key, value)),
    presence: (state) => run((now) => client.presence(now, state)),
    retry: () => run((now) => client.retry(now)),
    state: () => lastState,
    files: () => (alive ? client.files() : []),
    meta: (key) => (alive ? client.meta(key) : undefined),
    sticky: (file, offsets) => (alive ? client.sticky(file, Uint32Array.from(offsets)) : []),
    resolve: (positions) => (alive ? client.resolve(positions) : []),
    stop() {
      listeners = IGNORE;
      run((now) => client.stop(now));
      if (!alive) return;
      keeper?.close();
      end();
      client.free();
    },
  };
}
