/** Rooms with a text in them that was really written: in pieces, and edited since. Must not know
 *  what they are for. */
import { Guest } from "../e2e/harness/guest.js";
import type { Subject } from "./subjects.js";

/** The first line of every text: what is on the screen once the text is. */
export const MARKER = "# The first line of the room's text";

/** UTF-16 code units of one insertion while a text is written. */
const PIECE = 4_096;

/** Python, because it is what most classes write. */
export function pythonOf(length: number): string {
  const lines = [MARKER];
  let size = MARKER.length + 1;
  for (let i = 0; size < length; i += 1) {
    for (const line of [
      `def step_${i}(count, total=${i}):`,
      `    """Adds what is left of step ${i}."""`,
      "    for index in range(count):",
      "        if index % 3 == 0 and total > 10:",
      `            total += index * ${i % 97}`,
      "    return total",
      "",
    ]) {
      lines.push(line);
      size += line.length + 1;
    }
  }
  return lines.join("\n");
}

/** The same with so many lines. */
export function pythonLines(count: number): string {
  return pythonOf(count * 40).split("\n").slice(0, count).join("\n");
}

/** Writes `text` into a new room, then edits it at `edits` places as people would have. */
export async function writeRoom({ server }: Subject, room: string, text: string, edits: number): Promise<void> {
  const guest = new Guest(server.url, room);
  try {
    await guest.synced();
    const main = guest.text();
    for (let at = 0; at < text.length; at += PIECE) main.insert(at, text.slice(at, at + PIECE));
    for (let i = 0; i < edits; i += 1) {
      // Spread over the text, after its first lines; the same places in each run.
      const at = 200 + ((i * 7_919) % (main.length - 400));
      main.insert(at, "e");
    }
    const wanted = main.toString();
    const deadline = Date.now() + 30_000;
    while ((await textOf(server.url, room)) !== wanted) {
      if (Date.now() > deadline) throw new Error(`the text of ${room} never reached the server`);
      await new Promise((passed) => setTimeout(passed, 100));
    }
  } finally {
    await guest.leave();
  }
}

export async function textOf(server: URL, room: string): Promise<string | undefined> {
  const response = await fetch(new URL(`api/rooms/${room}/files/main`, server));
  return response.ok ? response.text() : undefined;
}
