/** Answers about a room's past in the server's place, as docs/HISTORY.md has them. Must not know the
 *  page. */
import type { Page } from "playwright-core";

/** Who wrote in it. */
export const AUTHORS = [
  { name: "Ana", color: "#0871c2" },
  { name: "Ben", color: "#ac5804" },
] as const;

export interface Past {
  /** What the text was in every version. */
  readonly text?: string;
  /** Who wrote what, as typed at the end of the text: an index of `AUTHORS` and the characters. */
  readonly typed?: readonly (readonly [number, string])[];
  /** Who wrote the lines of the text, as indexes of `AUTHORS`; asked for each time. */
  readonly blame?: () => readonly number[];
}

/** When it all happened, in milliseconds since 1970. */
const THEN = Date.UTC(2026, 10, 28, 9);

/** From now on the page hears this. */
export async function answerPast(page: Page, { text = "", typed = [], blame = () => [] }: Past): Promise<void> {
  await page.route(/\/api\/rooms\/[^/]+\/versions\/[^/]+\/files\/main$/, (route) => route.fulfill({ body: text, contentType: "text/plain; charset=utf-8" }));
  await page.route(/\/api\/rooms\/[^/]+\/blame\/main$/, (route) =>
    route.fulfill({ json: { authors: AUTHORS, runs: blame().map((author) => ({ lines: 1, author, at: THEN })) } }),
  );
  await page.route(/\/api\/rooms\/[^/]+\/replay\?/, (route) => {
    const changes = typed.flatMap(([author, characters]) => [...characters].map((character) => [author, character] as const));
    let length = 0;
    const lines: unknown[] = [{ file: "main", from: THEN, to: THEN + 60_000, text: "", authors: AUTHORS, changes: changes.length }];
    for (const [author, character] of changes) {
      lines.push([128, author, [[length, 0, character]]]);
      length += character.length;
    }
    return route.fulfill({ body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""), contentType: "application/x-ndjson" });
  });
}
