/** Typing with an input method (Japanese, Chinese, Korean, dead keys) while somebody else types in
 *  the same line. */
import type { Browser, CDPSession } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, PATIENCE_MS, Person } from "./harness/person.js";
import { Guest } from "./harness/guest.js";
import { Server } from "./harness/server.js";

let browser: Browser;
let server: Server;

beforeAll(async () => {
  browser = await launchBrowser();
  server = await Server.start();
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

/** What an input method does: shows this as not yet decided. */
async function compose(keyboard: CDPSession, text: string): Promise<void> {
  await keyboard.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
}

test("a composition given up leaves nothing, though somebody typed meanwhile", async () => {
  const ana = await Person.enter(browser, "Ana");
  await ana.open(new URL("room/giving-up", server.url));
  await ana.reads(/^Saved$/);
  const ben = new Guest(server.url, "giving-up");
  await ben.synced();
  await ana.type("ab");
  await ana.page.keyboard.press("ArrowLeft");
  const keyboard = await ana.context.newCDPSession(ana.page);
  await compose(keyboard, "に");
  await ana.sees("aにb");
  await expect.poll(() => ben.text().toString(), { timeout: PATIENCE_MS }).toBe("aにb");
  ben.text().insert(0, "> ");
  await compose(keyboard, "");
  await ana.sees("> ab");
  await expect.poll(() => ben.text().toString(), { timeout: PATIENCE_MS }).toBe("> ab");
  expect(ana.complaints).toEqual([]);
  await ben.leave();
  await ana.leave();
});
