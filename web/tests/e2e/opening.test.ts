/** How a room comes onto the screen: text first, editable at once, attached without a jump; and
 *  large texts. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, PATIENCE_MS, Person } from "./harness/person.js";
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

async function roomWith(text: string): Promise<{ readonly url: URL; readonly file: URL }> {
  const made = await fetch(new URL("api/rooms", server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });
  const { roomId } = (await made.json()) as { roomId: string };
  return { url: new URL(`room/${roomId}`, server.url), file: new URL(`api/rooms/${roomId}/files/main`, server.url) };
}

async function stored(file: URL): Promise<string> {
  return (await fetch(file)).text();
}

test("a text can be read and edited before the client is there, and nothing is lost when it comes", async () => {
  const { url, file } = await roomWith("first line\nlast line");
  const ana = await Person.enter(browser, "Ana");
  // The client does not come until it is let go.
  let letGo = () => {};
  const held = new Promise<void>((resolve) => (letGo = resolve));
  await ana.page.route(/collab_wasm.*\.wasm/, async (route) => {
    await held;
    await route.continue();
  });
  await ana.open(url);
  await ana.sees("first line\nlast line");
  expect(await ana.pill()).toBe("Connecting…");
  await ana.goToEnd();
  await ana.type(" and mine");
  await ana.sees("first line\nlast line and mine");

  // Meanwhile somebody else writes, through the server.
  await fetch(file, { method: "PUT", body: "first line\nbetween\nlast line" });
  // Leaving now would lose it, so the page asks.
  let asked = false;
  ana.page.once("dialog", (dialog) => {
    asked = dialog.type() === "beforeunload";
    void dialog.dismiss();
  });
  await ana.page.evaluate(() => {
    location.href = "about:blank";
  }).catch(() => {});
  await expect.poll(() => asked, { timeout: PATIENCE_MS }).toBe(true);

  letGo();
  await ana.reads(/^Saved$/);
  await ana.sees("first line\nbetween\nlast line and mine");
  expect(await stored(file)).toBe("first line\nbetween\nlast line and mine");
  // What was typed early is undone like the rest, and what came in is not.
  await ana.page.keyboard.press("Control+z");
  await ana.sees("first line\nbetween\nlast line");
  expect(ana.complaints).toEqual([]);
  await ana.leave();
});

test("5 MB are pasted without a stall or a dead end; more than the server takes is refused at once", async () => {
  const { url, file } = await roomWith("");
  const ana = await Person.enter(browser, "Ana");
  await ana.open(url);
  await ana.reads(/^Saved$/);
  const paste = (text: string) =>
    ana.page.evaluate((pasted) => {
      const clipboard = new DataTransfer();
      clipboard.setData("text/plain", pasted);
      const content = document.querySelector(".cm-content");
      const before = performance.now();
      content?.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true, cancelable: true }));
      return performance.now() - before;
    }, text);
  const line = "x".repeat(99) + "\n";
  await paste(line.repeat(52_429));
  await ana.reads(/^Saved$/);
  expect((await stored(file)).length).toBe(5_242_900);
  // It can be typed in as before.
  await ana.page.locator(".cm-content").focus();
  await ana.page.keyboard.press("Control+Home");
  await ana.type("first");
  await ana.reads(/^Saved$/);
  expect((await stored(file)).startsWith("firstx")).toBe(true);

  await paste("ä".repeat(9 << 20));
  await ana.page.locator(".toast", { hasText: /18 MB at once is more than the 15 MB the server takes; nothing was inserted/ }).waitFor();
  await ana.reads(/^Saved$/);
  expect((await stored(file)).length).toBe(5_242_905);
  expect(ana.complaints).toEqual([]);
  await ana.leave();
});

test("a room that was deleted leaves its text to be read and copied, and nothing more to be typed", async () => {
  const { url, file } = await roomWith("still here");
  const ana = await Person.enter(browser, "Ana");
  await ana.open(url);
  await ana.reads(/^Saved$/);
  await fetch(new URL(file.href.replace("/files/main", "")), { method: "DELETE" });
  await ana.reads(/^Can’t sync this file$/);
  await ana.sees("still here");
  await ana.page.getByText("Read only").waitFor();
  await ana.goToEnd();
  await ana.type("!");
  await ana.sees("still here");
  const [download] = await Promise.all([
    ana.page.waitForEvent("download"),
    ana.page.getByRole("button", { name: "Download copy" }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/\.txt$/);
  // To go on with what the server has, which is an empty room of that name.
  await ana.page.getByRole("button", { name: "Discard my copy" }).click();
  await ana.sees("");
  await ana.reads(/^Saved$/);
  await ana.leave();
});
