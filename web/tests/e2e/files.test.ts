/** A room's files: each its own text, undo history and language, the same for everybody. */
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

async function enter(name: string, room: string): Promise<Person> {
  const person = await Person.enter(browser, name);
  await person.open(new URL(`room/${room}`, server.url));
  await person.reads(/^Saved$/);
  return person;
}

const tab = (who: Person, name: string) => who.page.locator(".tab-name", { hasText: name });

async function addFile(who: Person, name: string): Promise<void> {
  await who.page.getByRole("button", { name: "New file" }).click();
  await who.page.getByRole("textbox", { name: "File name" }).fill(name);
  await who.page.keyboard.press("Enter");
  await who.page.locator(".tab.active", { hasText: name }).waitFor();
}

test("files are everybody's: added, written in together, renamed, removed", async () => {
  const ana = await enter("Ana", "shared-files");
  const ben = await enter("Ben", "shared-files");
  await ana.type("in the first");
  await addFile(ana, "notes.md");
  await ana.sees("");
  await ana.type("# Notes");
  // Its name says its language.
  await ana.page.locator("option", { hasText: "Markdown (detected)" }).waitFor({ state: "attached" });
  await tab(ben, "notes.md").click();
  await ben.sees("# Notes");
  await ben.goToEnd();
  await ben.type(" from both");
  await ana.sees("# Notes from both");
  await ana.seesCarets(["Ben"]);

  await tab(ana, "notes.md").press("F2");
  await ana.page.getByRole("textbox", { name: "File name" }).fill("ideas.py");
  await ana.page.keyboard.press("Enter");
  await tab(ben, "ideas.py").waitFor();
  await ben.page.locator("option", { hasText: "Python (detected)" }).waitFor({ state: "attached" });

  await tab(ana, "main").click();
  await ana.sees("in the first");
  // Ben's caret is in the other file; his colour is on its tab.
  await ana.seesCarets([]);
  await expect.poll(() => tab(ana, "ideas.py").locator(".dot").count(), { timeout: PATIENCE_MS }).toBe(1);

  await ana.page.locator(".tab.active .icon-button").click();
  expect(await ana.page.getByRole("button", { name: "Delete" }).isDisabled()).toBe(true);
  await ana.page.keyboard.press("Escape");
  await tab(ana, "ideas.py").focus();
  await ana.page.keyboard.press("Delete");
  await tab(ben, "ideas.py").waitFor({ state: "detached" });
  // Whoever was in it is brought back, and told.
  await ben.sees("in the first");
  await ben.page.locator(".toast", { hasText: "ideas.py was removed by somebody else." }).waitFor();

  // What they type meanwhile is not meant for the text they were brought to.
  await ben.type("lost");
  await ben.sees("in the first");
  // And it can be taken back.
  await ana.page.getByRole("button", { name: "Undo" }).last().click();
  await ana.sees("# Notes from both");
  await tab(ben, "ideas.py").click();
  await ben.sees("# Notes from both");
  // No two files have one name.
  await addFile(ana, "ideas.py");
  await ana.sees("# Notes from both");
  expect(await ana.page.locator(".tab-name").count()).toBe(2);

  await ana.page.reload();
  await ana.sees("# Notes from both");
  expect(await ana.page.locator(".tab-name").count()).toBe(2);
  await tab(ana, "main").click();
  await ana.sees("in the first");
  expect([...ana.complaints, ...ben.complaints]).toEqual([]);
  await ana.leave();
  await ben.leave();
});

test("undo is per file, and survives going to another and back", async () => {
  const ana = await enter("Ana", "undo-files");
  await ana.type("one");
  await addFile(ana, "second.txt");
  await ana.type("two");
  await tab(ana, "main").click();
  await ana.sees("one");
  await ana.page.keyboard.press("Control+z");
  await ana.sees("");
  await tab(ana, "second.txt").click();
  await ana.sees("two");
  await ana.page.keyboard.press("Control+z");
  await ana.sees("");
  await ana.page.keyboard.press("Control+y");
  await ana.sees("two");
  await tab(ana, "main").click();
  await ana.page.keyboard.press("Control+y");
  await ana.sees("one");
  expect(ana.complaints).toEqual([]);
  await ana.leave();
});

test("the room has a name that everybody sees, and is found again on the start page", async () => {
  const ana = await enter("Ana", "named");
  const ben = await enter("Ben", "named");
  await ana.page.locator(".room-name button").click();
  await ana.page.getByRole("textbox", { name: "Name of this room" }).fill("Tuesday kata");
  await ana.page.keyboard.press("Enter");
  await ben.page.locator(".room-name", { hasText: "Tuesday kata" }).waitFor();
  await ana.reads(/^Saved$/);
  expect(await ben.page.title()).toBe("Tuesday kata · Collab");
  await ana.page.goto(server.url.href);
  await ana.page.getByRole("link", { name: "Tuesday kata" }).click();
  await ana.page.locator(".room-name", { hasText: "Tuesday kata" }).waitFor();
  await ana.page.goto(server.url.href);
  // The page may have been left before it heard that its last edit is saved; then it asks.
  ana.page.on("dialog", (dialog) => void dialog.accept());
  await ana.page.getByRole("button", { name: "Forget Tuesday kata" }).click();
  await ana.page.getByRole("link", { name: "Tuesday kata" }).waitFor({ state: "detached" });
  expect([...ana.complaints, ...ben.complaints]).toEqual([]);
  await ana.leave();
  await ben.leave();
});

test("of many files each is within reach, by keys too, and a reload returns to the one that one was in", async () => {
  const ana = await enter("Ana", "many-files");
  for (let i = 1; i <= 30; i += 1) await addFile(ana, `part-${i}.md`);
  await ana.type("the last one");
  const shown = () => ana.page.locator(".tab.active").evaluate((tab) => {
    const { left, right } = tab.getBoundingClientRect();
    return left >= 0 && right <= innerWidth;
  });
  await expect.poll(shown, { timeout: PATIENCE_MS }).toBe(true);
  // The menus of the tabs open below their buttons.
  await ana.page.getByRole("button", { name: "What to do with part-30.md" }).click();
  const below = async () => {
    const button = await ana.page.getByRole("button", { name: "What to do with part-30.md" }).boundingBox();
    const menu = await ana.page.locator("#file-menu").boundingBox();
    return button !== null && menu !== null && menu.x <= button.x + button.width && menu.x + menu.width >= button.x;
  };
  await expect.poll(below, { timeout: PATIENCE_MS }).toBe(true);
  await ana.page.keyboard.press("Escape");

  const all = ana.page.getByRole("button", { name: "All files" });
  await all.focus();
  await ana.page.keyboard.press("Enter");
  const list = ana.page.getByRole("dialog", { name: "All files" });
  await expect.poll(() => list.locator("button:focus").innerText(), { timeout: PATIENCE_MS }).toBe("part-30.md");
  for (const [key, name] of [["Home", "main"], ["ArrowDown", "part-1.md"], ["ArrowDown", "part-2.md"], ["End", "part-30.md"], ["ArrowDown", "main"], ["ArrowDown", "part-1.md"]] as const) {
    await ana.page.keyboard.press(key);
    expect(await list.locator("button:focus").innerText()).toBe(name);
  }
  await ana.page.keyboard.press("Enter");
  await ana.page.locator(".tab.active", { hasText: "part-1.md" }).waitFor();
  await ana.sees("");
  await ana.type("the first one");
  await ana.reads(/^Saved$/);

  await ana.page.reload();
  await ana.page.locator(".tab.active", { hasText: "part-1.md" }).waitFor();
  await ana.sees("the first one");
  expect(ana.complaints).toEqual([]);
  await ana.leave();
});
