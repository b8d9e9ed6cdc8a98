/** Where a page may live: below a path of another site, and on a machine of the local network that
 *  browsers trust with little. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, Person } from "./harness/person.js";
import { Server } from "./harness/server.js";

/** A name that is not the machine's own, so that plain HTTP to it is not trusted. */
const LAN_HOST = "collab.test";

let browser: Browser;

beforeAll(async () => {
  browser = await launchBrowser(`--host-resolver-rules=MAP ${LAN_HOST} 127.0.0.1`);
});

afterAll(async () => {
  await browser?.close();
});

/** Everything a page asks for, sockets as well. */
function watchRequests(who: Person): URL[] {
  const asked: URL[] = [];
  who.context.on("request", (request) => asked.push(new URL(request.url())));
  who.page.on("websocket", (socket) => asked.push(new URL(socket.url())));
  return asked;
}

/** What two people do first: one makes a room, gives out its link, the other comes; both write. */
async function firstMinute(ana: Person, ben: Person, start: URL): Promise<void> {
  await ana.page.goto(start.href);
  // The start page is there only after the page's load event.
  await ana.page.getByRole("button", { name: "New room" }).waitFor();
  await ana.page.keyboard.press("Enter");
  await ana.page.locator(".cm-content[contenteditable=true]").waitFor();
  await ana.reads(/^Saved$/);
  await ana.type("import ");
  await ana.page.getByLabel("Language").selectOption("python");
  await ana.goToEnd();
  await ana.page.keyboard.press("Alt+\\");
  await ana.page.locator(".collab-ghost").waitFor();
  await ana.page.keyboard.press("Tab");
  await ana.sees("import os");
  await ana.page.getByRole("button", { name: "Share", exact: true }).click();
  await ana.page.getByRole("img", { name: "QR code of the link" }).waitFor();
  const link = await ana.page.getByLabel("Link to this room").inputValue();
  await ana.page.keyboard.press("Escape");

  await ben.page.goto(start.href);
  await ben.page.getByLabel("Join a room").fill(link);
  await ben.page.keyboard.press("Enter");
  await ben.sees("import os");
  await ben.goToEnd();
  await ben.type(" # both");
  await ana.sees("import os # both");
  await ana.seesCarets(["Ben"]);

  await ana.page.getByRole("button", { name: "New file" }).click();
  await ana.page.getByLabel("File name").fill("notes.md");
  await ana.page.keyboard.press("Enter");
  await ana.page.locator('.cm-content[aria-label="Text of notes.md"]').waitFor();
  await ana.type("# Notes");
  await ben.page.getByRole("button", { name: "notes.md", exact: true }).click();
  await ben.sees("# Notes");
  await ana.reads(/^Saved$/);
  await ana.page.reload();
  // Back in the file she was in; the other one is there as well.
  await ana.sees("# Notes");
  await ana.page.getByRole("button", { name: "main", exact: true }).click();
  await ana.sees("import os # both");

  await ana.page.getByRole("link", { name: "Start page" }).click();
  await ana.page.getByRole("heading", { name: "Recent rooms on this device" }).waitFor();
  await ana.page.locator(".recent a").first().click();
  await ana.sees("import os # both");
}

test("below a path: all of it works, and nothing outside the path is asked for", async () => {
  const server = await Server.start("--base-path", "/collab");
  try {
    const ana = await Person.enter(browser, "Ana");
    const ben = await Person.enter(browser, "Ben");
    const lists = [watchRequests(ana), watchRequests(ben)];
    await firstMinute(ana, ben, server.url);
    expect(new URL(ana.page.url()).pathname).toMatch(/^\/collab\/room\//);
    // The worker that keeps the page keeps to the path as well.
    const scope = await ana.page.evaluate(async () => (await navigator.serviceWorker.ready).scope);
    expect(scope).toBe(new URL("/collab/", server.url).href);
    const asked = lists.flat();
    expect(asked.length).toBeGreaterThan(10);
    expect(asked.filter(({ host, pathname }) => host !== server.url.host || !pathname.startsWith("/collab/")).map(String)).toEqual([]);
    expect([...ana.complaints, ...ben.complaints]).toEqual([]);
    await ana.leave();
    await ben.leave();
  } finally {
    await server.dispose();
  }
});

test("over plain HTTP on a local network: all of it works, and Share offers the link to copy by hand", async () => {
  const server = await Server.start();
  try {
    const start = new URL(server.url);
    start.hostname = LAN_HOST;
    const ana = await Person.enter(browser, "Ana");
    const ben = await Person.enter(browser, "Ben");
    const asked = watchRequests(ana);
    await firstMinute(ana, ben, start);
    const trust = await ana.page.evaluate(() => ({
      secure: isSecureContext,
      clipboard: "clipboard" in navigator,
      worker: "serviceWorker" in navigator,
      uuid: "randomUUID" in crypto,
    }));
    expect(trust).toEqual({ secure: false, clipboard: false, worker: false, uuid: false });

    await ana.page.getByRole("button", { name: "Share", exact: true }).click();
    await ana.page.getByRole("button", { name: "Copy", exact: true }).click();
    await ana.page.getByText("The link is selected").waitFor();
    const selected = await ana.page.evaluate(() => {
      const field = document.activeElement;
      return field instanceof HTMLInputElement ? field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0) : "";
    });
    expect(selected).toBe(ana.page.url());
    await ana.page.keyboard.press("Escape");
    expect(asked.filter(({ host }) => host !== start.host).map(String)).toEqual([]);
    expect([...ana.complaints, ...ben.complaints]).toEqual([]);
    await ana.leave();
    await ben.leave();
  } finally {
    await server.dispose();
  }
});
