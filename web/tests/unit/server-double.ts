/** The server's end of the wire, made of the published Yjs packages: what our client says is read
 *  by them, not by our own code. Must not know our client. */
import * as decoding from "lib0/decoding";
import * as encoding from "lib0/encoding";
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from "y-protocols/awareness";
import * as sync from "y-protocols/sync";
import * as Y from "yjs";

const SYNC = 0;
const AWARENESS = 1;
const CONTROL = 112;

export class ServerDouble {
  readonly doc = new Y.Doc();
  readonly text = this.doc.getText("file:main");
  readonly awareness = new Awareness(this.doc);
  /** State-changing messages heard on this connection. */
  heard = 0;

  constructor() {
    this.awareness.setLocalState(null);
  }

  /** What it says first: who it is, and what it wants. */
  hello(): Uint8Array[] {
    this.heard = 0;
    return [
      control((out) => {
        for (const value of [0, 1]) encoding.writeVarUint(out, value);
        encoding.writeUint8Array(out, new Uint8Array(16).fill(7));
        for (const value of [1, 1, 0, 1 << 24]) encoding.writeVarUint(out, value);
      }),
      frame(SYNC, (out) => sync.writeSyncStep1(out, this.doc)),
    ];
  }

  /** Takes one frame; what it answers. */
  take(bytes: Uint8Array): Uint8Array[] {
    const decoder = decoding.createDecoder(bytes);
    const kind = decoding.readVarUint(decoder);
    if (kind === AWARENESS) {
      applyAwarenessUpdate(this.awareness, decoding.readVarUint8Array(decoder), "client");
      return [];
    }
    if (kind !== SYNC) throw new Error(`a message of type ${kind}`);
    const answer = encoding.createEncoder();
    encoding.writeVarUint(answer, SYNC);
    const length = encoding.length(answer);
    const step = sync.readSyncMessage(decoder, answer, this.doc, "client");
    if (step !== sync.messageYjsSyncStep1) this.heard += 1;
    return encoding.length(answer) > length ? [encoding.toUint8Array(answer)] : [];
  }

  /** "Your first so many are saved." */
  saved(frames = this.heard): Uint8Array {
    return control((out) => {
      for (const value of [1, frames, 1]) encoding.writeVarUint(out, value);
    });
  }

  /** Changes the text as another editor would; the update for the client. */
  edit(change: (text: Y.Text) => void): Uint8Array {
    const before = Y.encodeStateVector(this.doc);
    this.doc.transact(() => change(this.text));
    const update = Y.encodeStateAsUpdate(this.doc, before);
    return frame(SYNC, (out) => sync.writeUpdate(out, update));
  }

  /** Takes an update that may have overtaken others; the frames that bring the client what is
   *  complete by now. */
  relay(update: Uint8Array): Uint8Array[] {
    const frames: Uint8Array[] = [];
    const pass = (complete: Uint8Array) => void frames.push(frame(SYNC, (out) => sync.writeUpdate(out, complete)));
    this.doc.on("update", pass);
    Y.applyUpdate(this.doc, update, "relay");
    this.doc.off("update", pass);
    return frames;
  }

  /** Somebody else's presence; `null` when they leave. */
  presence(state: object | null): Uint8Array {
    this.awareness.setLocalState(state as Record<string, unknown> | null);
    return frame(AWARENESS, (out) =>
      encoding.writeVarUint8Array(out, encodeAwarenessUpdate(this.awareness, [this.doc.clientID])));
  }
}

function frame(kind: number, write: (out: encoding.Encoder) => void): Uint8Array {
  const out = encoding.createEncoder();
  encoding.writeVarUint(out, kind);
  write(out);
  return encoding.toUint8Array(out);
}

function control(write: (out: encoding.Encoder) => void): Uint8Array {
  const payload = encoding.createEncoder();
  write(payload);
  return frame(CONTROL, (out) => encoding.writeVarUint8Array(out, encoding.toUint8Array(payload)));
}
