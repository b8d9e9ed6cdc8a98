/** What makes writing code comfortable, as somebody meets it: find and replace, brackets, folds, several
 *  carets, indentation, colours. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
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

/** Ana in a new room with this text. */
async function write(text: string, language?: string): Promise<Person> {
  const response = await fetch(new URL("api/rooms", server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ text, language }),
  });
  const { roomId } = (await response.json()) as { roomId: string };
  const ana = await Person.enter(browser, "Ana");
  present.push(ana);
  await ana.open(new URL(`room/${roomId}`, server.url));
  await ana.reads(/^Saved$/);
  if (language) await ana.page.locator(`.cm-content[data-language="${language}"]`).waitFor();
  await ana.page.locator(".cm-content").focus();
  return ana;
}

test("the first function of a new, empty room is recognised while it is typed, and all of it is indented", async () => {
  for (const [language, head, step] of [
    ["python", "def area(width, height):", "    "],
    ["javascript", "function area(width, height) {", "  "],
    ["rust", "fn area(width: u32, height: u32) -> u32 {", "    "],
    ["go", "func area(width int, height int) int {", "\t"],
  ] as const) {
    const ana = await Person.enter(browser, "Ana");
    present.push(ana);
    await ana.page.goto(server.url.href);
    await ana.page.getByRole("button", { name: "New room" }).click();
    await ana.page.locator(".cm-content[contenteditable=true]").waitFor();
    await ana.type(head);
    await ana.page.locator(`.cm-content[data-language="${language}"]`).waitFor({ timeout: PATIENCE_MS });
    await ana.page.keyboard.press("Enter");
    await ana.type("for ");
    const lines = async () => (await ana.text()).split("\n");
    expect((await lines())[1]).toBe(`${step}for `);
    await ana.page.keyboard.press("Alt+\\");
    await ana.page.locator(".collab-ghost-block").waitFor({ timeout: PATIENCE_MS });
    await ana.page.keyboard.press("Tab");
    // What was completed goes one step further in than the line it was completed in.
    const [, loop = "", body = ""] = await lines();
    expect(loop, language).toMatch(new RegExp(`^${step}for \\S`));
    expect(/^\s*/.exec(body)?.[0], language).toBe(step.repeat(2));
  }
});

test("find and replace", async () => {
  const ana = await write("one cat\ntwo cats\nthree dogs\n");
  await ana.page.keyboard.press("Control+f");
  const find = ana.page.locator(".cm-search input[name=search]");
  await find.fill("cat");
  await ana.page.keyboard.press("Enter");
  await ana.page.locator(".cm-searchMatch").nth(1).waitFor();
  await ana.page.locator(".cm-search input[name=replace]").fill("hen");
  await ana.page.getByRole("button", { name: "replace all" }).click();
  await ana.sees("one hen\ntwo hens\nthree dogs\n");
  await find.press("Escape");
  await ana.page.locator(".cm-search").waitFor({ state: "detached" });
  await ana.page.keyboard.press("Control+z");
  await ana.sees("one cat\ntwo cats\nthree dogs\n");
});

test("brackets are closed, matched and folded", async () => {
  const ana = await write("def area(width):\n    if width:\n        return 1\n    return 2\n", "python");
  await ana.page.keyboard.press("Control+Home");
  for (let i = 0; i < "def area".length; i += 1) await ana.page.keyboard.press("ArrowRight");
  await ana.page.locator(".cm-matchingBracket").nth(1).waitFor();
  await ana.page.keyboard.press("Control+Shift+BracketLeft");
  await ana.page.locator(".cm-foldPlaceholder").waitFor();
  expect(await ana.page.locator(".cm-line").count()).toBeLessThan(5);
  await ana.page.keyboard.press("Control+Shift+BracketRight");
  await ana.page.locator(".cm-foldPlaceholder").waitFor({ state: "detached" });
  await ana.goToEnd();
  await ana.type("area([1");
  await ana.sees("def area(width):\n    if width:\n        return 1\n    return 2\narea([1])");
});

test("several carets write at once, and one Ctrl+Z takes it back", async () => {
  const ana = await write("red\nred\nred\n");
  await ana.page.keyboard.press("Control+Home");
  for (let i = 0; i < 3; i += 1) await ana.page.keyboard.press("Control+d");
  await ana.page.locator(".cm-selectionBackground").nth(2).waitFor();
  await ana.type("blue");
  await ana.sees("blue\nblue\nblue\n");
  await ana.page.keyboard.press("Escape");
  await ana.page.keyboard.press("Control+z");
  await ana.sees("red\nred\nred\n");
});

test("a text is indented as it is indented already, or as one chooses", async () => {
  const ana = await write("function a() {\n\tb();\n\tif (c) {\n\t\td();\n\t}\n}\n", "javascript");
  const indent = ana.page.getByLabel("Indentation");
  expect(await indent.inputValue()).toBe("tab");
  await ana.goToEnd();
  await ana.page.keyboard.press("Tab");
  await ana.type("x");
  await expect.poll(async () => (await ana.text()).endsWith("\n\tx")).toBe(true);
  await indent.selectOption("2");
  await ana.goToEnd();
  await ana.page.keyboard.press("Enter");
  await ana.page.keyboard.press("Tab");
  await ana.type("y");
  expect((await ana.text()).split("\n").at(-1)).toMatch(/ {2}y$/);
});

test("light, dark, like the system; and how long a completion waits, kept on this device", async () => {
  const ana = await write("x\n");
  const paper = () => ana.page.locator(".cm-editor").evaluate((editor) => getComputedStyle(editor).backgroundColor);
  await ana.page.emulateMedia({ colorScheme: "light" });
  const light = await paper();
  await ana.page.getByRole("button", { name: "Settings" }).click();
  await ana.page.getByLabel("Theme").selectOption("dark");
  const dark = await paper();
  expect(dark).not.toBe(light);
  await ana.page.getByLabel("Theme").selectOption("system");
  expect(await paper()).toBe(light);
  await ana.page.emulateMedia({ colorScheme: "dark" });
  expect(await paper()).toBe(dark);
  await ana.page.getByLabel("Theme").selectOption("light");
  expect(await paper()).toBe(light);
  const delay = ana.page.getByLabel("Offer after (ms)");
  await delay.fill("5000");
  await delay.press("Enter");
  expect(await delay.inputValue()).toBe("600");
  await ana.page.reload();
  await ana.page.locator(".cm-content[contenteditable=true]").waitFor();
  expect(await paper()).toBe(light);
  await ana.page.getByRole("button", { name: "Settings" }).click();
  expect(await delay.inputValue()).toBe("600");
});
