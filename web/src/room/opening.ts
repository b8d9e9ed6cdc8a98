/**
 * From nothing on the screen to an editor bound to the document, as fast as each part comes: the
 * text is painted (and can be edited) as soon as the server has told it over HTTP; the document is
 * attached to it, without a jump, when it is here. Must not know how any of the parts work.
 */
import { Text } from "@codemirror/state";
import { EarlyEdits } from "../editor/early.js";
import type { Edit } from "../wasm/collab_wasm.js";

/** How long the text may keep the client waiting, in milliseconds: the network may be gone, and all
 *  else be on this device. */
const TEXT_FIRST_MS = 1_000;

/** Resolves when the text is here, and with it the line is free for what nobody waits for yet. */
export async function textFirst(painted: Promise<string | undefined>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const enough = new Promise<void>((passed) => (timer = setTimeout(passed, TEXT_FIRST_MS)));
  await Promise.race([painted, enough]);
  clearTimeout(timer);
}

export interface OpeningOptions {
  /** The text as the server tells it before anything else is here; `undefined` when it cannot. */
  readonly painted: Promise<string | undefined>;
  /** Puts a text on the screen, to be edited at once. */
  readonly paint: (text: string) => void;
  /** Puts what others did meanwhile into the painted text. */
  readonly applyRemote: (edits: readonly Edit[]) => void;
}

export class Opening {
  private early: EarlyEdits | undefined;
  private text = "";
  private state: "waiting" | "painted" | "attached" = "waiting";

  constructor(private readonly options: OpeningOptions) {
    void options.painted.then((text) => {
      // The document may have been quicker, from what this device has kept.
      if (text === undefined || this.state !== "waiting") return;
      this.state = "painted";
      this.text = text;
      this.early = new EarlyEdits(Text.of(text.split("\n")));
      options.paint(text);
    });
  }

  /** What was painted, unless something else was quicker. */
  get painted(): string | undefined {
    return this.state === "painted" ? this.text : undefined;
  }

  get isAttached(): boolean {
    return this.state === "attached";
  }

  /** Whether something was typed that no document has yet. */
  get hasEarlyEdits(): boolean {
    return this.early !== undefined && !this.early.isEmpty;
  }

  /** The person edited before the document was here. */
  edited(edits: readonly Edit[]): void {
    this.early?.add(edits);
  }

  /** The document is here, with this text: from now on it has the word. `edit` puts what the person
   *  did meanwhile into it. */
  attach(text: string, edit: (edits: readonly Edit[]) => void): void {
    const { early, state } = this;
    if (state === "attached") return;
    this.state = "attached";
    this.early = undefined;
    if (!early) {
      this.options.paint(text);
      return;
    }
    const { remote, own } = early.attach(text);
    if (remote.length > 0) this.options.applyRemote(remote);
    if (own.length > 0) edit(own);
  }
}
