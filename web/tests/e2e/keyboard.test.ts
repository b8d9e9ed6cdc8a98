/** The way through the page without a mouse: every step reachable, and what has the focus seen. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { PALETTE } from "../../src/presence/identity.js";
import { launchBrowser, PATIENCE_MS, Person } from "./harness/person.js";
import { Server } from "./harness/server.js";

/** What comes of the first keys; a suggestion ends it. */
const PROGRAM = "#!/usr/bin/env python3\nimport os";

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

/** What has the focus, as a screen reader would call it; fails when nobody could see that it has. */
async function focused(who: Person): Promise<string> {
  const found = await who.page.evaluate(async () => {
    // The editor draws its caret in the frame after it got the focus.
    for (let frame = 0; frame < 2; frame += 1) await new Promise((next) => requestAnimationFrame(next));
    const element = document.activeElement;
    if (!(element instanceof HTMLElement) || element === document.body) return { name: "nothing", seen: false };
    const name = element.getAttribute("aria-label") ?? element.closest("label")?.textContent ?? element.textContent ?? "";
    const { width, height, top, left } = element.getBoundingClientRect();
    const onScreen = width > 0 && height > 0 && top < innerHeight && left < innerWidth && top + height > 0 && left + width > 0;
    if (element.classList.contains("cm-content")) {
      const caret = document.querySelector(".cm-cursor-primary");
      return { name, seen: onScreen && caret !== null && caret.getBoundingClientRect().height > 0 };
    }
    // A ring that is there only while it has the focus.
    const ring = () => {
      const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(element);
      return JSON.stringify([outlineStyle, outlineWidth, outlineColor, boxShadow]);
    };
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const withFocus = ring();
    // Compared with a sibling in all but focus: the same element as a copy beside it.
    const copy = element.cloneNode(true) as HTMLElement;
    copy.removeAttribute("id");
    copy.setAttribute("inert", "");
    if (copy instanceof HTMLInputElement) copy.name = "";
    element.after(copy);
    const without = JSON.stringify(((style) => [style.outlineStyle, style.outlineWidth, style.outlineColor, style.boxShadow])(getComputedStyle(copy)));
    copy.remove();
    return { name, seen: onScreen && outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && withFocus !== without };
  });
  const name = found.name.trim().replace(/\s+/g, " ");
  expect(found.seen, `the focus on "${name}" can be seen`).toBe(true);
  return name;
}

/** Presses a key until this has the focus; every stop on the way must be seen. */
async function reach(who: Person, wanted: string, key = "Tab"): Promise<void> {
  const passed: string[] = [];
  for (let presses = 0; presses < 40; presses += 1) {
    const name = await focused(who);
    if (name === wanted) return;
    passed.push(name);
    await who.page.keyboard.press(key);
  }
  throw new Error(`${key} never reaches "${wanted}", only: ${passed.join(", ")}`);
}

/** Resolves once this has the focus. */
async function gets(who: Person, wanted: string): Promise<void> {
  const name = () => who.page.evaluate(() => (document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "").trim());
  await expect.poll(name, { timeout: PATIENCE_MS }).toBe(wanted);
  expect(await focused(who)).toBe(wanted);
}

test("from the start to the start again, with the keyboard alone", async () => {
  const ana = await Person.enter(browser, "Ana", { permissions: ["clipboard-read", "clipboard-write"] });
  // Tab goes to the colour one has.
  await ana.context.addInitScript((color) => localStorage.setItem("collab.color", color ?? ""), PALETTE[0]);
  const { page } = ana;
  const { keyboard } = page;
  const press = (key: string) => keyboard.press(key);
  await page.goto(server.url.href);

  // A room.
  await gets(ana, "New room");
  await press("Enter");
  await page.locator(".cm-content[contenteditable=true]").waitFor();
  await ana.reads(/^Saved$/);
  await gets(ana, "Text of main");

  // Text, and a suggestion.
  await ana.type("#!/usr/bin/env python3\n");
  await page.locator('.cm-content[data-language="python"]').waitFor();
  await ana.type("import ");
  await page.locator(".collab-ghost").waitFor({ timeout: PATIENCE_MS });
  await press("Tab");
  await ana.sees(PROGRAM);
  await ana.reads(/^Saved$/);

  // The link.
  await press("Control+Alt+s");
  await gets(ana, "Copy");
  await press("Enter");
  await page.getByRole("button", { name: "Copied ✓" }).waitFor();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(page.url());
  await press("Escape");
  await page.getByRole("dialog", { name: "Share this room" }).waitFor({ state: "hidden" });

  // Out of the text, and a name of one's own.
  await page.keyboard.press("F6");
  await reach(ana, "People: only you");
  await press("Enter");
  await reach(ana, "Your name");
  await press("Control+a");
  await ana.type("Ana Maria");
  await press("Enter");
  expect(await page.evaluate(() => localStorage.getItem("collab.name"))).toBe("Ana Maria");
  await reach(ana, "Colour 1");
  await press("ArrowRight");
  expect(await focused(ana)).toBe("Colour 2");
  await press("Escape");
  await gets(ana, "People: only you");

  // A file, another name for it, and back to the first.
  await reach(ana, "New file");
  await press("Enter");
  await gets(ana, "File name");
  await ana.type("notes.md");
  await press("Enter");
  await gets(ana, "Text of notes.md");
  await ana.type("# Notes");
  await press("Escape");
  await press("Shift+Tab");
  await reach(ana, "notes.md", "Shift+Tab");
  await press("F2");
  await gets(ana, "File name");
  await press("Control+a");
  await ana.type("todo.md");
  await press("Enter");
  await gets(ana, "todo.md");
  await reach(ana, "main", "Shift+Tab");
  await press("Enter");
  await gets(ana, "Text of main");
  await ana.sees(PROGRAM);

  // Find, and back into the text.
  await press("Control+f");
  await gets(ana, "Find");
  await ana.type("os");
  await press("Enter");
  await page.locator(".cm-searchMatch-selected").waitFor();
  for (const wanted of ["next", "previous", "all", "match case", "regexp", "by word", "Replace", "replace", "replace all", "close"]) {
    await reach(ana, wanted);
  }
  await press("Escape");
  await gets(ana, "Text of main");

  // Tab is a key of the text, until Escape says otherwise.
  await press("Tab");
  await gets(ana, "Text of main");
  await press("Control+z");
  await press("End");
  await press("Escape");
  await press("Tab");
  expect(await focused(ana)).toBe(await page.locator(".bottom select").first().getAttribute("aria-label"));

  // Round the parts of the page, both ways.
  const parts: string[] = [];
  for (let i = 0; i < 4; i += 1) {
    await press("F6");
    parts.push(await focused(ana));
  }
  expect(new Set(parts).size).toBe(4);
  expect(parts).toContain("Text of main");
  const back: string[] = [];
  for (let i = 0; i < 4; i += 1) {
    await press("Shift+F6");
    back.push(await focused(ana));
  }
  expect(back).toEqual([parts[2], parts[1], parts[0], parts[3]]);

  // Help, and home.
  await press("F1");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  await gets(ana, "Close");
  await press("Enter");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor({ state: "hidden" });
  await press("F1");
  await gets(ana, "Close");
  await press("Escape");
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor({ state: "hidden" });
  await reach(ana, "Start page", "F6");
  await press("Enter");
  await gets(ana, "New room");
  await reach(ana, "Join");
  expect(ana.complaints).toEqual([]);
  await ana.leave();
});
