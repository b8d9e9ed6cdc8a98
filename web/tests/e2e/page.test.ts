/** The way in and around: start, rooms, links, names, keyboard. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser, Person } from "./harness/person.js";
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

test("Enter makes a room; its link, its name and the older form of its address lead there", async () => {
  const ana = await Person.enter(browser, "Ana");
  const hosts = new Set<string>();
  ana.page.on("request", (request) => hosts.add(new URL(request.url()).host));
  await ana.page.goto(server.url.href);
  await ana.page.getByRole("button", { name: "New room" }).waitFor();
  await ana.page.keyboard.press("Enter");
  await ana.page.waitForURL(/\/room\/[0-9a-f-]{36}$/);
  await ana.page.locator(".cm-content[contenteditable=true]").waitFor();
  await ana.reads(/^Saved$/);
  await ana.type("hello");
  await ana.reads(/^Saved$/);
  const link = ana.page.url();
  const room = new URL(link).pathname.split("/").at(-1) ?? "";

  const ben = await Person.enter(browser, "Ben");
  await ben.page.goto(server.url.href);
  await ben.page.getByLabel("Join a room").fill(link);
  await ben.page.keyboard.press("Enter");
  await ben.sees("hello");
  await ben.page.goBack();
  await ben.page.getByRole("button", { name: "New room" }).waitFor();
  await ben.page.getByLabel("Join a room").fill(room);
  await ben.page.getByRole("button", { name: "Join" }).click();
  await ben.sees("hello");
  await ben.page.goto(new URL(`?room=${room}`, server.url).href);
  await ben.sees("hello");

  await ana.page.getByRole("button", { name: "People: 2 here" }).click();
  await ana.page.getByRole("listitem", { name: "Ben" }).waitFor();
  await ben.page.getByRole("button", { name: "People: 2 here" }).click();
  await ben.page.getByLabel("Your name").fill("Benedict");
  await ben.page.keyboard.press("Enter");
  await ana.page.getByRole("listitem", { name: "Benedict" }).waitFor();
  await ben.leave();
  await ana.page.getByText("You’re alone here").waitFor();

  // Everything came from the one server.
  expect([...hosts]).toEqual([server.url.host]);
  expect([...ana.complaints, ...ben.complaints]).toEqual([]);
  await ana.leave();
});

test("a name with a slash and a blank is a room like any other", async () => {
  const ana = await Person.enter(browser, "Ana");
  await ana.open(new URL("room/team/notes%201", server.url));
  await ana.reads(/^Saved$/);
  await ana.type("x");
  await ana.reads(/^Saved$/);
  const response = await fetch(new URL(`api/rooms/${encodeURIComponent("team/notes 1")}/files/main`, server.url));
  expect(await response.text()).toBe("x");
  expect(ana.complaints).toEqual([]);
  await ana.leave();
});

test("Share copies the link", async () => {
  const ana = await Person.enter(browser, "Ana", { permissions: ["clipboard-read", "clipboard-write"] });
  await ana.open(new URL("room/shared", server.url));
  await ana.page.getByRole("button", { name: "Share", exact: true }).click();
  await ana.page.getByRole("img", { name: "QR code of the link" }).waitFor();
  await ana.page.getByRole("button", { name: "Copy", exact: true }).click();
  await ana.page.getByRole("button", { name: "Copied ✓" }).waitFor();
  expect(await ana.page.evaluate(() => navigator.clipboard.readText())).toBe(new URL("room/shared", server.url).href);
  await ana.leave();
});

test("the language is recognised, can be chosen, and the choice is everybody's", async () => {
  const ana = await Person.enter(browser, "Ana");
  await ana.open(new URL("room/colours", server.url));
  await ana.type("def greet(name):\nprint(name)\n");
  const picker = (who: Person) => who.page.getByLabel("Language");
  await ana.page.locator("option", { hasText: "Python (detected)" }).waitFor({ state: "attached" });
  const ben = await Person.enter(browser, "Ben");
  await ben.open(new URL("room/colours", server.url));
  await picker(ana).selectOption("rust");
  await expect.poll(() => picker(ben).inputValue(), { timeout: 10_000 }).toBe("rust");
  expect([...ana.complaints, ...ben.complaints]).toEqual([]);
  await ana.leave();
  await ben.leave();
});

test("a name that steers text or carries markup is shown as text", async () => {
  const eve = await Person.enter(browser, "<img src=x onerror=alert(1)>");
  const ana = await Person.enter(browser, "Ana");
  await ana.open(new URL("room/markup", server.url));
  await eve.open(new URL("room/markup", server.url));
  await eve.type("x");
  await ana.seesCarets(["<img src=x onerror=alert(1)>"]);
  expect(await ana.page.locator("img[src=x]").count()).toBe(0);
  expect(ana.complaints).toEqual([]);
  await ana.leave();
  await eve.leave();
});
