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

/** Resolves once the page has taken in a message with this in it, whether it shows it or lets it wait. */
function watchMessages({ page }: Person): (text: string) => Promise<void> {
  const heard: Buffer[] = [];
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => heard.push(Buffer.from(payload))));
  return async (text) => {
    await expect.poll(() => heard.some((frame) => frame.includes(text)), { timeout: PATIENCE_MS }).toBe(true);
    // After the message's own task.
    await page.evaluate(() => new Promise((next) => setTimeout(next)));
  };
}

test("a composition is neither broken nor doubled by others in its line, before it and after it", async () => {
  const ana = await Person.enter(browser, "Ana");
  const hears = watchMessages(ana);
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
  ben.text().insert(0, "mehr ");
  await hears("mehr ");
  await compose(keyboard, "か");
  const has = (text: string) => expect.poll(() => ben.text().toString(), { timeout: PATIENCE_MS }).toBe(text);
  await has("mehr left か right");
  ben.text().insert(ben.text().length, " ende");
  await hears(" ende");
  await compose(keyboard, "かn");
  await has("mehr left かn right ende");
  // Right beside it, on both sides, and in a word of the same line.
  ben.doc.transact(() => {
    ben.text().delete("m".length, 1);
    ben.text().insert(ben.text().toString().indexOf("か"), "⟦");
    ben.text().insert(ben.text().toString().indexOf(" right"), "⟧");
  });
  await hears("⟧");
  await compose(keyboard, "かんじ");
  await has("mhr left ⟦かんじ⟧ right ende");
  // In another line, where his caret is too: further than Ana's text reaches at the moment.
  ben.text().insert(ben.text().length, "\nbelow");
  ben.is("Ben", "#0871c2", ben.text().length);
  await hears("\nbelow");
  await ana.page.getByRole("button", { name: "People: 2 here" }).waitFor();
  await compose(keyboard, "かんじを");
  await has("mhr left ⟦かんじを⟧ right ende\nbelow");
  // Still one and the same.
  expect(await ended.evaluate((ends) => [...ends])).toEqual([]);
  await compose(keyboard, "漢字");
  await keyboard.send("Input.insertText", { text: "漢字" });
  // Behind what was composed, before anything else can happen.
  await ana.type("!");
  const last = "mhr left ⟦漢字!⟧ right ende\nbelow";
  await ana.sees(last);
  await ana.seesCarets(["Ben"]);
  await has(last);
  expect(await ended.evaluate((ends) => [...ends])).toEqual(["漢字"]);
  await ana.reads(/^Saved$/);
  await ana.page.reload();
  await ana.sees(last);
  expect(ana.complaints).toEqual([]);
  await ben.leave();
  await ana.leave();
});

// Chance (whose id is smaller) decides what comes first where two write at one place; here it must not.
test.each([1, 0xffff_fffe])("what somebody writes around a composition while cut off stays around it (replica %i)", async (replica) => {
  const room = `apart-${replica}`;
  const ana = await Person.enter(browser, "Ana");
  await ana.open(new URL(`room/${room}`, server.url));
  await ana.reads(/^Saved$/);
  const ben = new Guest(server.url, room, replica);
  await ben.synced();
  await ana.type("a ");
  const keyboard = await ana.context.newCDPSession(ana.page);
  await compose(keyboard, "かn");
  const has = (text: string) => expect.poll(() => ben.text().toString(), { timeout: PATIENCE_MS }).toBe(text);
  await has("a かn");
  ben.away();
  ben.text().insert("a ".length, "⟦");
  ben.text().insert(ben.text().length, "⟧");
  await compose(keyboard, "かんじ");
  await compose(keyboard, "漢字");
  await ana.sees("a 漢字");
  await ana.reads(/^Saved$/);
  ben.back();
  await has("a ⟦漢字⟧");
  await keyboard.send("Input.insertText", { text: "漢字" });
  await ana.sees("a ⟦漢字⟧");
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
