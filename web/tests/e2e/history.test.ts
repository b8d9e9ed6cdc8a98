/** The room's past as people use it: found by a key, named, compared, brought back and played again,
 *  while others go on writing. */
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { axeFindsNothing } from "./harness/axe.js";
import { launchBrowser, PATIENCE_MS, Person } from "./harness/person.js";
import { Server } from "./harness/server.js";

let browser: Browser;
let server: Server;
const present: Person[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  server = await Server.start();
});

afterEach(async () => {
  for (const person of present.splice(0)) {
    expect(person.complaints).toEqual([]);
    await person.leave();
  }
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

async function newRoom(text = ""): Promise<string> {
  const response = await fetch(new URL("api/rooms", server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text }),
  });
  expect(response.status).toBeLessThan(300);
  return ((await response.json()) as { roomId: string }).roomId;
}

async function enter(name: string, room: string, options: BrowserContextOptions = {}): Promise<Person> {
  const person = await Person.enter(browser, name, options);
  present.push(person);
  await person.open(new URL(`room/${room}`, server.url));
  await person.reads(/^Saved$/);
  return person;
}

/** Makes a version through the API. */
async function keep(room: string, name: string): Promise<void> {
  const response = await fetch(new URL(`api/rooms/${room}/versions`, server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name }),
  });
  expect(response.status).toBe(201);
}

/** The server is told who writes within a second or two of the first letter. */
async function known(room: string, ...names: string[]): Promise<void> {
  const authors = async () => {
    const response = await fetch(new URL(`api/rooms/${room}/activity`, server.url));
    const { authors } = (await response.json()) as { readonly authors: readonly { readonly name: string }[] };
    return authors.map(({ name }) => name).sort();
  };
  await expect.poll(authors, { timeout: PATIENCE_MS }).toEqual(names);
}

const drawer = ({ page }: Person) => page.getByRole("region", { name: "History" });
const version = (who: Person, name: string) => drawer(who).locator(".version", { hasText: name });

/** The names in the list, newest first. */
const names = (who: Person) => drawer(who).locator(".version strong").allTextContents();

async function openDrawer(who: Person): Promise<void> {
  await who.page.keyboard.press("Control+Alt+h");
  await drawer(who).locator(".version").first().waitFor({ timeout: PATIENCE_MS });
}

test("by keyboard: opened, named, compared, renamed, closed", async () => {
  const ana = await enter("Ana", await newRoom());
  const { page } = ana;
  const { keyboard } = page;
  await page.locator(".cm-content").focus();
  await ana.type("one\ntwo\n");
  await ana.reads(/^Saved$/);
  await keyboard.press("Control+Alt+h");
  await drawer(ana).waitFor();
  await page.getByLabel("Name for the text as it is now").focus();
  await ana.type("two lines");
  await keyboard.press("Enter");
  await version(ana, "two lines").waitFor({ timeout: PATIENCE_MS });
  await keyboard.press("Escape");
  await drawer(ana).waitFor({ state: "hidden" });
  await ana.type("three\n");
  await ana.reads(/^Saved$/);

  // The newest has the focus; Enter compares it.
  await openDrawer(ana);
  await expect.poll(() => page.evaluate(() => document.activeElement?.className ?? ""), { timeout: PATIENCE_MS }).toContain("version");
  await keyboard.press("End");
  await keyboard.press("Home");
  await keyboard.press("Enter");
  await page.getByText("Since then 1 line added, 0 lines removed.").waitFor({ timeout: PATIENCE_MS });
  expect(await page.locator(".stage-text .cm-changedLine").allTextContents()).toContain("three");
  expect(await page.locator(".editor .cm-editor").getAttribute("inert")).not.toBeNull();

  await page.getByRole("button", { name: "Rename" }).click();
  await page.getByLabel("Name of this version").fill("a pair");
  await keyboard.press("Enter");
  await version(ana, "a pair").waitFor({ timeout: PATIENCE_MS });
  // First back to the live text, then out of the drawer.
  await keyboard.press("Escape");
  await page.locator(".history-stage").waitFor({ state: "hidden" });
  await keyboard.press("Escape");
  await drawer(ana).waitFor({ state: "hidden" });
  expect(await page.evaluate(() => document.activeElement?.className)).toContain("cm-content");
  await ana.type("four");
  await ana.sees("one\ntwo\nthree\nfour");
});

test("a restore keeps what another types in its midst, and undo takes it back alone", async () => {
  const room = await newRoom("alpha\nbeta\ngamma\n");
  const ana = await enter("Ana", room);
  const ben = await enter("Ben", room);
  await keep(room, "first");
  // Another text stands where "beta" was.
  await ana.page.locator(".cm-line", { hasText: "beta" }).click();
  await ana.page.keyboard.press("Home");
  await ana.page.keyboard.press("Shift+End");
  await ana.type("a long line of other words");
  await ben.sees("alpha\na long line of other words\ngamma\n");
  await ana.reads(/^Saved$/);

  await openDrawer(ana);
  await version(ana, "first").click();
  await ana.page.getByText("Since then 1 line added, 1 line removed.").waitFor({ timeout: PATIENCE_MS });
  // Ben writes in the middle of what goes, before, while and after it goes.
  await ben.page.locator(".cm-line", { hasText: "other" }).click();
  await ben.page.keyboard.press("Home");
  for (let i = 0; i < "a long line".length; i += 1) await ben.page.keyboard.press("ArrowRight");
  const THEIRS = " Ben was writing here all the time,";
  const typing = ben.type(THEIRS, 30);
  await ana.page.getByRole("button", { name: /new edits?$/ }).waitFor({ timeout: PATIENCE_MS });
  await ana.page.getByRole("button", { name: "Restore", exact: true }).click();
  await typing;
  await ana.reads(/^Saved$/);
  await ben.reads(/^Saved$/);
  const restored = await settled(ana, ben);
  expect(restored).toContain(THEIRS);
  expect(restored.replace(THEIRS, "")).toBe("alpha\nbeta\ngamma\n");

  // The live text has the focus: Ctrl+Z takes back the restore, and not what Ben wrote.
  await ana.page.keyboard.press("Control+z");
  await ana.page.locator(".cm-line", { hasText: "other words" }).first().waitFor();
  const undone = await settled(ana, ben);
  expect(undone).toContain(THEIRS);
  expect(undone.replace(THEIRS, "")).toBe("alpha\na long line of other words\ngamma\n");
  await ana.reads(/^Saved$/);

  // All of it is in the list.
  await ana.page.getByLabel("Name for the text as it is now").fill("restored and undone");
  await ana.page.keyboard.press("Enter");
  await version(ana, "restored and undone").waitFor({ timeout: PATIENCE_MS });
  expect((await names(ana)).filter(Boolean)).toEqual(["restored and undone", "first"]);
});

/** The text that both see in the end. */
async function settled(ana: Person, ben: Person): Promise<string> {
  let text = "";
  await expect
    .poll(async () => {
      text = await ana.text();
      return text === (await ben.text());
    }, { timeout: PATIENCE_MS })
    .toBe(true);
  return text;
}

test("a replay plays, steps and goes to any place by keys; the live text goes on behind it", async () => {
  const room = await newRoom();
  const ana = await enter("Ana", room);
  const ben = await enter("Ben", room);
  const { page } = ana;
  await page.locator(".cm-content").focus();
  await ana.type("Hello", 20);
  await ana.reads(/^Saved$/);
  await ben.sees("Hello");
  await ben.goToEnd();
  await ben.type(" you", 20);
  await ben.reads(/^Saved$/);
  await ana.sees("Hello you");
  await known(room, "Ana", "Ben");
  await page.keyboard.press("Control+Alt+h");
  await page.getByRole("button", { name: "Replay everything" }).click();
  await page.getByRole("button", { name: "Play", exact: true }).waitFor({ timeout: PATIENCE_MS });
  await page.getByText(/% loaded/).waitFor({ state: "hidden" });
  const then = () => page.locator(".stage-text .cm-line").first().evaluate((line) => line.textContent ?? "");
  const place = page.getByRole("slider", { name: "Place in the replay" });
  const { keyboard } = page;
  expect(await then()).toBe("");
  await keyboard.press("End");
  await expect.poll(then).toBe("Hello you");
  const all = Number(await place.inputValue());
  expect(all).toBe(Number(await place.getAttribute("max")));
  expect(await place.getAttribute("aria-valuetext")).toMatch(/Ben wrote/);
  await keyboard.press("ArrowLeft");
  expect(await then()).not.toBe("Hello you");
  expect(Number(await place.inputValue())).toBe(all - 1);
  await keyboard.press("ArrowRight");
  await expect.poll(then).toBe("Hello you");
  await keyboard.press("Home");
  await expect.poll(then).toBe("");
  await page.getByLabel("Speed").selectOption("16");
  await drawer(ana).focus();
  await keyboard.press("Space");
  await page.getByRole("button", { name: "Pause" }).waitFor();
  await expect.poll(then, { timeout: PATIENCE_MS }).toBe("Hello you");
  await page.getByRole("button", { name: "Play", exact: true }).waitFor();
  // The colours of those who wrote are in the scrubber.
  const colours = await page.locator(".scrubber canvas").evaluate((canvas: HTMLCanvasElement) => {
    const pixels = canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    const found = new Set<string>();
    for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3] === 255) found.add(`${pixels[i]},${pixels[i + 1]},${pixels[i + 2]}`);
    return [...found];
  });
  expect(colours.length).toBeGreaterThanOrEqual(2);

  await ben.type("!");
  await page.getByRole("button", { name: "1 new edit" }).click();
  await page.locator(".history-stage").waitFor({ state: "hidden" });
  await ana.sees("Hello you!");
});

test("the gutter says who wrote each line, and follows the text", async () => {
  const room = await newRoom();
  const ana = await enter("Ana", room);
  const ben = await enter("Ben", room);
  await ana.page.locator(".cm-content").focus();
  await ana.type("mine\n");
  await ana.reads(/^Saved$/);
  await ben.sees("mine\n");
  await ben.goToEnd();
  await ben.type("theirs\n");
  await ben.reads(/^Saved$/);
  await ana.sees("mine\ntheirs\n");
  await known(room, "Ana", "Ben");
  await ana.page.keyboard.press("Control+Alt+b");
  const blamed = () => ana.page.locator(".collab-blame-name").allTextContents();
  await expect.poll(blamed, { timeout: PATIENCE_MS }).toEqual(["Ana", "Ben"]);
  await ana.goToEnd();
  await ana.type("and mine");
  await expect.poll(blamed, { timeout: PATIENCE_MS }).toEqual(["Ana", "Ben", "Ana"]);
  await ana.page.keyboard.press("Control+Alt+b");
  await expect.poll(blamed).toEqual([]);
});

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

for (const [where, options] of [
  ["light", { colorScheme: "light" }],
  ["dark", { colorScheme: "dark" }],
  ["on a phone", PHONE],
  ["in few colours", { forcedColors: "active", reducedMotion: "reduce" }],
] as const satisfies readonly (readonly [string, BrowserContextOptions])[]) {
  test(`axe finds nothing in the history, ${where}`, async () => {
    const PROGRAM = "import os\n\n# Says hello.\ndef greet(name):\n    print('hello', name)\n";
    const room = await newRoom(PROGRAM);
    await keep(room, "before refactor");
    const ana = await enter("Ana", room, options);
    const { page } = ana;
    await page.locator(".cm-line", { hasText: "Says" }).click();
    await page.keyboard.press("End");
    await ana.type(" To everybody.");
    await ana.reads(/^Saved$/);
    await page.getByRole("button", { name: "History", exact: true }).click();
    await version(ana, "before refactor").waitFor({ timeout: PATIENCE_MS });
    await axeFindsNothing(page, "the list");
    await version(ana, "before refactor").click();
    await page.getByText("Since then").waitFor({ timeout: PATIENCE_MS });
    await axeFindsNothing(page, "a comparison");
    await page.getByRole("button", { name: "Back to now" }).click();
    await page.getByRole("button", { name: "Replay everything" }).click();
    await page.getByRole("button", { name: "On to the end" }).click({ timeout: PATIENCE_MS });
    await axeFindsNothing(page, "a replay");
    await page.getByRole("button", { name: "Back to now" }).click();
    await page.getByLabel("Who wrote each line").check();
    await page.locator(".collab-blame-line").first().waitFor({ state: "attached", timeout: PATIENCE_MS });
    await axeFindsNothing(page, "who wrote each line");
    // Nothing makes the page wider than it is.
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
  });
}
