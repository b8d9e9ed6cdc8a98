/** How a room comes onto the screen: text first, editable at once, attached without a jump; and
 *  large texts. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, PATIENCE_MS, Person } from "./harness/person.js";
import { Link } from "./harness/link.js";
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

/** Pastes so many times the same, made in the page: it need not come all the way from here. */
async function pasteInto({ page }: Person, text: string, times: number): Promise<void> {
  await page.evaluate(
    ({ pasted, repeat }) => {
      const clipboard = new DataTransfer();
      clipboard.setData("text/plain", pasted.repeat(repeat));
      const content = document.querySelector(".cm-content");
      content?.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true, cancelable: true }));
    },
    { pasted: text, repeat: times },
  );
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

test("nothing moves when the bars come, on a screen, a tablet and a phone", async () => {
  const touch = { hasTouch: true, isMobile: true };
  for (const options of [{}, { viewport: { width: 820, height: 1_180 }, ...touch }, { viewport: { width: 390, height: 844 }, ...touch }]) {
    const { url } = await roomWith("first line\nlast line");
    const ana = await Person.enter(browser, "Ana", options);
    let letGo = () => {};
    const held = new Promise<void>((resolve) => (letGo = resolve));
    await ana.page.route(/screens-.*\.js/, async (route) => {
      await held;
      await route.continue();
    });
    await ana.open(url);
    await ana.sees("first line\nlast line");
    const top = () => ana.page.locator(".cm-line").first().evaluate((line) => line.getBoundingClientRect().top);
    const before = await top();
    letGo();
    await ana.reads(/^Saved$/);
    expect(await top()).toBe(before);
    // Nor is more kept free than they need.
    for (const place of [".above", ".below"]) {
      const free = await ana.page.locator(place).evaluate((all) => {
        const last = [...all.children].filter((one) => getComputedStyle(one).position === "static").at(-1);
        return all.getBoundingClientRect().bottom - (last?.getBoundingClientRect().bottom ?? 0);
      });
      expect(free, place).toBe(0);
    }
    await ana.leave();
  }
});

test("5 MB are pasted without a stall or a dead end; more than fits is refused at once", async () => {
  const { url, file } = await roomWith("");
  const ana = await Person.enter(browser, "Ana");
  await ana.open(url);
  await ana.reads(/^Saved$/);
  const line = "x".repeat(99) + "\n";
  const paste = (text: string) => pasteInto(ana, text, 1);
  await paste(line.repeat(52_429));
  await ana.reads(/^Saved$/);
  expect((await stored(file)).length).toBe(5_242_900);
  // It can be typed in as before.
  await ana.page.locator(".cm-content").focus();
  await ana.page.keyboard.press("Control+Home");
  await ana.type("first");
  await ana.reads(/^Saved$/);
  expect((await stored(file)).startsWith("firstx")).toBe(true);

  await paste("ä".repeat(17 << 20));
  await ana.page.locator(".toast", { hasText: /34 MB at once is more than the 32 MB that can be inserted; nothing was/ }).waitFor();
  await ana.reads(/^Saved$/);
  expect((await stored(file)).length).toBe(5_242_905);
  expect(ana.complaints).toEqual([]);
  await ana.leave();
});

test("pastes larger than the server takes in one message arrive, made offline or not", async () => {
  const { url, file } = await roomWith("");
  const link = await Link.to(() => server.port);
  try {
    const ana = await Person.enter(browser, "Ana");
    await ana.open(new URL(url.pathname, link.url));
    await ana.reads(/^Saved$/);
    // Two that each fit, made while cut off: what is sent then is one answer.
    link.sever();
    await ana.reads(/^(Reconnecting|Offline)/);
    const line = "y".repeat(99) + "\n";
    const half = 12 << 20;
    for (let times = 0; times < 2; times += 1) await pasteInto(ana, line, Math.floor(half / line.length));
    link.mend();
    await ana.reads(/^Saved$/);
    const both = 2 * Math.floor(half / line.length) * line.length;
    expect((await stored(file)).length).toBe(both);
    // One that does not fit.
    await pasteInto(ana, "z".repeat(99) + "\n", 180_000);
    await ana.reads(/^Saved$/);
    const all = await stored(file);
    expect(all.length).toBe(both + 18_000_000);
    expect(all.endsWith(`${"z".repeat(99)}\n`)).toBe(true);
    expect(ana.complaints).toEqual([]);
    await ana.leave();
  } finally {
    await link.dispose();
  }
});

test("a room that was deleted leaves its text to be read and copied, and nothing more to be typed", async () => {
  const { url, file } = await roomWith("still here");
  const ana = await Person.enter(browser, "Ana");
  await ana.open(url);
  await ana.reads(/^Saved$/);
  const other = await Person.in(ana.context);
  await other.open(url);
  await other.reads(/^Saved$/);
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
  // To go on with what the server has, which is an empty room of that name: here and in another tab,
  // which has the same copy.
  await other.reads(/^Can’t sync this file$/);
  await other.sees("still here");
  await ana.page.getByRole("button", { name: "Discard my copy" }).click();
  for (const tab of [ana, other]) {
    await tab.reads(/^Saved$/);
    await tab.sees("");
  }
  await ana.leave();
});
