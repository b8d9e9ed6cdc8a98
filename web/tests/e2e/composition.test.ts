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

test("a composition is neither broken nor doubled by others in its line, before it and after it", async () => {
  const ana = await Person.enter(browser, "Ana");
  await ana.open(new URL("room/composing", server.url));
  await ana.reads(/^Saved$/);
  const ben = new Guest(server.url, "composing");
  await ben.synced();
  await ana.type("left  right");
  await expect.poll(() => ben.text().toString(), { timeout: PATIENCE_MS }).toBe("left  right");
  for (let i = 0; i < " right".length; i += 1) await ana.page.keyboard.press("ArrowLeft");
  const ended = await ana.page.evaluateHandle(() => {
    const ends: string[] = [];
    document.querySelector(".cm-content")?.addEventListener("compositionend", (event) => ends.push((event as CompositionEvent).data));
    return ends;
  });
  const keyboard = await ana.context.newCDPSession(ana.page);

  await compose(keyboard, "k");
  await ana.sees("left k right");
  ben.text().insert(0, "more ");
  await compose(keyboard, "か");
  const has = (text: string) => expect.poll(() => ben.text().toString(), { timeout: PATIENCE_MS }).toBe(text);
  await has("more left か right");
  ben.text().insert(ben.text().length, " end");
  await compose(keyboard, "かn");
  await has("more left かn right end");
  // Right beside it, on both sides, and in a word of the same line.
  ben.text().insert("more left ".length, "[");
  ben.text().insert(ben.text().toString().indexOf(" right"), "]");
  ben.text().delete("mo".length, 1);
  await compose(keyboard, "かんじ");
  await has("moe left [かんじ] right end");
  // In another line, where his caret is too: further than Ana's text reaches at the moment.
  ben.text().insert(ben.text().length, "\nbelow");
  ben.is("Ben", "#0871c2", ben.text().length);
  await ana.page.getByRole("button", { name: "People: 2 here" }).waitFor();
  await compose(keyboard, "かんじを");
  await has("moe left [かんじを] right end\nbelow");
  // Still one and the same.
  expect(await ended.evaluate((ends) => [...ends])).toEqual([]);
  await compose(keyboard, "漢字");
  await keyboard.send("Input.insertText", { text: "漢字" });
  const whole = "moe left [漢字] right end\nbelow";
  await ana.sees(whole);
  await ana.seesCarets(["Ben"]);
  await expect.poll(() => ben.text().toString(), { timeout: PATIENCE_MS }).toBe(whole);
  expect(await ended.evaluate((ends) => [...ends])).toEqual(["漢字"]);

  // The caret is behind what was composed.
  await ana.type("!");
  const last = "moe left [漢字!] right end\nbelow";
  await ana.sees(last);
  await has(last);
  await ana.reads(/^Saved$/);
  await ana.page.reload();
  await ana.sees(last);
  expect(ana.complaints).toEqual([]);
  await ben.leave();
  await ana.leave();
});

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
