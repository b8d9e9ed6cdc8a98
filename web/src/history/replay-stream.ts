/** Reads a replay as it comes: lines of JSON into a tape, a little at a time, so that the page never
 *  stands still for it. Must not know how it is asked for or shown. */
import { readChange, readReplayHead, Unreadable } from "./answers.js";
import { Tape } from "./tape.js";

/** Longest line in UTF-16 code units: a text of the largest document the server takes, written as
 *  JSON. */
const MAX_LINE = 256 * 1_048_576;

/** So long the page reads before it does anything else, in milliseconds: less than a frame. */
const TURN_MS = 8;

export interface ReplayReader {
  /** The beginning is here. */
  readonly began: (tape: Tape) => void;
  /** There is more of it; called once in a turn. */
  readonly grew: () => void;
}

/** Resolves when all is here. */
export async function readReplay(stream: ReadableStream<Uint8Array>, { began, grew }: ReplayReader): Promise<void> {
  let tape: Tape | undefined;
  let turn = performance.now();
  for await (const line of lines(stream)) {
    const value = parsed(line);
    if (!tape) {
      tape = new Tape(readReplayHead(value));
      began(tape);
    } else {
      const change = readChange(value);
      if (typeof change === "number") tape.end(change);
      else if (tape.ended) throw new Unreadable("a change behind the end");
      else if (!tape.push(change)) break;
    }
    if (performance.now() - turn < TURN_MS) continue;
    grew();
    await new Promise((next) => setTimeout(next));
    turn = performance.now();
  }
  if (!tape) throw new Unreadable("an empty replay");
  if (!tape.cut && !tape.ended) tape.cut = "The replay broke off. Open it again to see the rest.";
  grew();
}

/** `undefined` stands for the end. */
function decoded(decoder: TextDecoder, bytes: Uint8Array | undefined): string {
  try {
    return decoder.decode(bytes, { stream: bytes !== undefined });
  } catch {
    throw new Unreadable("bytes that are not text");
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Unreadable("a line that is not JSON");
  }
}

/** The lines of a stream, without their ends; empty ones are left out. */
async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = stream.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  // In pieces, because one line may come in a thousand.
  let begun: string[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      const text = decoded(decoder, value);
      let start = 0;
      for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", start)) {
        const line = begun.join("") + text.slice(start, end);
        begun = [];
        length = 0;
        start = end + 1;
        if (line) yield line;
      }
      begun.push(text.slice(start));
      length += text.length - start;
      if (length > MAX_LINE) throw new Unreadable("a line without end");
      if (done) break;
    }
    const rest = begun.join("");
    if (rest) yield rest;
  } finally {
    // Also when the reader of the lines has had enough.
    await reader.cancel().catch(() => {});
  }
}
