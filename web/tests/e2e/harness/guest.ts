/** Somebody in another editor: a y-websocket client as its users make one, who says what they like
 *  of themselves. Cheaper than a page. */
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { PATIENCE_MS } from "./person.js";

export class Guest {
  readonly doc = new Y.Doc();
  private readonly provider: WebsocketProvider;

  /** `replica` where it must not be drawn by lot. */
  constructor(server: URL, room: string, replica?: number) {
    if (replica !== undefined) this.doc.clientID = replica;
    this.provider = new WebsocketProvider(new URL("yjs", server).href.replace(/^http/, "ws"), room, this.doc, {
      WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
      disableBc: true,
    });
    // Nobody sees them before they say who they are.
    this.provider.awareness.setLocalState(null);
  }

  get replica(): number {
    return this.doc.clientID;
  }

  text(file = "main"): Y.Text {
    return this.doc.getText(`file:${file}`);
  }

  /** Resolves once the room's text is here. */
  async synced(): Promise<void> {
    if (this.provider.synced) return;
    await new Promise<void>((done, failed) => {
      const timer = setTimeout(() => failed(new Error("the guest never got the text")), PATIENCE_MS);
      this.provider.on("sync", (here: boolean) => {
        if (!here) return;
        clearTimeout(timer);
        done();
      });
    });
  }

  /** A relative position. */
  at(offset: number, file = "main"): Y.RelativePosition {
    return Y.createRelativePositionFromTypeIndex(this.text(file), offset);
  }

  /** Says this of themselves; a selection from `anchor` to `head` in offsets. */
  is(name: string, color: string, head: number, anchor = head, more: object = {}): void {
    this.provider.awareness.setLocalState({ user: { name, color, colorLight: `${color}33` }, cursor: { anchor: this.at(anchor), head: this.at(head) }, ...more });
  }

  /** What the others say of themselves, by replica. */
  others(): ReadonlyMap<number, Readonly<Record<string, unknown>>> {
    const states = new Map(this.provider.awareness.getStates());
    states.delete(this.replica);
    return states;
  }

  /** Is cut off until `back`, and may go on writing. */
  away(): void {
    this.provider.disconnect();
  }

  back(): void {
    this.provider.connect();
  }

  async leave(): Promise<void> {
    this.provider.destroy();
    this.doc.destroy();
  }
}
