/** That nobody is left out: what axe says of every screen, what is spoken, calm, few colours, and
 *  fingers. The keyboard is in `keyboard.test.ts`, odd addresses in `address.test.ts`. */
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SETTLE_MS } from "../../src/presence/announcements.js";
import { axeFindsNothing } from "./harness/axe.js";
import { Guest } from "./harness/guest.js";
import { Link } from "./harness/link.js";
import { launchBrowser, PATIENCE_MS, Person } from "./harness/person.js";
import { Server } from "./harness/server.js";

let browser: Browser;
let server: Server;
const open: { leave?(): Promise<void>; dispose?(): Promise<void> }[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
  server = await Server.start();
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await (one.leave?.() ?? one.dispose?.());
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };

/** The least side of what a finger shall hit, in CSS pixels (WCAG 2.5.5). */
const FINGER_PX = 44;

const COLORS = ["#0871c2", "#ac5804", "#008120"] as const;

async function enter(options: BrowserContextOptions = {}): Promise<Person> {
  const ana = await Person.enter(browser, "Ana", options);
  open.push(ana);
  return ana;
}

async function inRoom(room: string, options: BrowserContextOptions = {}, url = server.url): Promise<Person> {
  const ana = await enter(options);
  await ana.open(new URL(`room/${room}`, url));
  await ana.reads(/^Saved$/);
  return ana;
}

/** Somebody in the room with a caret and a selection. */
async function guest(room: string, name: string, color: string, head: number, anchor = head): Promise<Guest> {
  const one = new Guest(server.url, room);
  open.push(one);
  await one.synced();
  one.is(name, color, head, anchor);
  return one;
}

/** A room with code, two guests in it, and Ana before a suggestion. */
async function busyRoom(room: string, options: BrowserContextOptions = {}): Promise<Person> {
  const made = await fetch(new URL("api/rooms", server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: room, language: "python", text: PROGRAM }),
  });
  const { roomId } = (await made.json()) as { roomId: string };
  await guest(roomId, "Ben", COLORS[1], 6);
  await guest(roomId, "Cleo", COLORS[2], 60, 40);
  const ana = await enter(options);
  // Names that come and go would be found half faded.
  await ana.context.addInitScript(() => localStorage.setItem("collab.settings", JSON.stringify({ labels: "always" })));
  await ana.open(new URL(`room/${roomId}`, server.url));
  await ana.reads(/^Saved$/);
  await ana.seesCarets(["Ben", "Cleo"]);
  await ana.page.locator('.cm-content[data-language="python"]').waitFor();
  await ana.goToEnd();
  await ana.type("def ");
  await ana.page.locator(".collab-ghost").first().waitFor({ timeout: PATIENCE_MS });
  return ana;
}

const PROGRAM = `import sys

# Greets everybody by name.
class Greeter:
    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.count = 10

    @property
    def all(self):
        return ", ".join(self.names)

`;

const SCHEMES = ["light", "dark"] as const;

describe("axe finds nothing", () => {
  for (const colorScheme of SCHEMES) {
    test(`on the start, ${colorScheme}`, async () => {
      const ana = await enter({ colorScheme });
      await ana.page.goto(server.url.href);
      await ana.page.getByRole("button", { name: "New room" }).waitFor();
      await axeFindsNothing(ana.page, "start");
      await ana.page.getByLabel("Join a room").fill("http://[");
      await ana.page.keyboard.press("Enter");
      await ana.page.getByText("neither a link").waitFor();
      await axeFindsNothing(ana.page, "start with a problem");
      await ana.open(new URL("room/been-here", server.url));
      await ana.type("x");
      await ana.reads(/^Saved$/);
      await ana.page.goto(server.url.href);
      await ana.page.getByRole("link", { name: "been-here" }).waitFor();
      await axeFindsNothing(ana.page, "start with recent rooms");
      expect(ana.complaints).toEqual([]);
    });

    test(`in a room: empty, busy, and whatever opens, ${colorScheme}`, async () => {
      const lonely = await inRoom(`lonely-${colorScheme}`, { colorScheme });
      await axeFindsNothing(lonely.page, "empty room");
      await lonely.page.getByRole("button", { name: "People: only you" }).click();
      await lonely.page.getByText("You’re alone here").waitFor();
      await axeFindsNothing(lonely.page, "people, alone");
      await lonely.leave();

      const { page, complaints } = await busyRoom("busy", { colorScheme });
      await axeFindsNothing(page, "busy room with ghost text");
      await page.keyboard.press("Escape");
      for (const [button, dialog] of [
        ["People: 3 here", "People"],
        ["Settings", "Settings"],
        ["Share", "Share this room"],
        ["What to do with main", "main"],
        ["New file", "New file"],
      ] as const) {
        await page.getByRole("button", { name: button, exact: true }).click();
        await page.getByRole("dialog", { name: dialog }).waitFor();
        if (button === "Share") await page.getByRole("img", { name: "QR code of the link" }).waitFor();
        await axeFindsNothing(page, dialog);
        await page.keyboard.press("Escape");
        await page.getByRole("dialog", { name: dialog }).waitFor({ state: "hidden" });
      }
      await page.keyboard.press("F1");
      await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
      await axeFindsNothing(page, "shortcuts");
      await page.keyboard.press("Escape");
      await page.locator(".cm-content").focus();
      await page.keyboard.press("Control+f");
      await page.keyboard.type("name");
      await page.locator(".cm-searchMatch").first().waitFor();
      await axeFindsNothing(page, "find");
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+Home");
      await page.keyboard.press("Control+Space");
      await page.locator(".cm-tooltip-autocomplete [role=option]").first().waitFor();
      await axeFindsNothing(page, "list of completions");
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+a");
      await page.keyboard.press("Control+s");
      await page.locator(".toast").waitFor();
      await axeFindsNothing(page, "toast, everything selected");
      await page.getByRole("button", { name: "Rename this room" }).or(page.getByTitle("Rename this room")).click();
      await axeFindsNothing(page, "room being renamed");
      expect(complaints).toEqual([]);
    });

    test(`when the line is cut, and when the page's code does not come, ${colorScheme}`, async () => {
      const link = await Link.to(() => server.port);
      open.push(link);
      const ana = await inRoom(`cut-${colorScheme}`, { colorScheme, serviceWorkers: "block" }, link.url);
      link.sever();
      await ana.reads(/^(Offline|Reconnecting)/);
      await ana.type("x");
      await ana.page.getByRole("button", { name: "Try now" }).waitFor();
      await axeFindsNothing(ana.page, "cut off");
      await ana.reads(/^Offline — 1 change/);
      await axeFindsNothing(ana.page, "offline");

      const ben = await enter({ colorScheme, serviceWorkers: "block" });
      await ben.page.route("**/*.wasm", (route) => route.abort());
      await ben.page.goto(new URL(`room/cut-${colorScheme}`, server.url).href);
      await ben.reads(/^Can’t sync/);
      await axeFindsNothing(ben.page, "attention");
    });

    test(`on a phone, ${colorScheme}`, async () => {
      const { page } = await busyRoom("phone", { ...PHONE, colorScheme });
      await page.getByRole("button", { name: "Accept suggestion" }).waitFor();
      await axeFindsNothing(page, "phone");
      await page.keyboard.press("Escape");
      for (const [button, dialog] of [
        ["People: 3 here", "People"],
        ["Share", "Share this room"],
        ["New file", "New file"],
      ] as const) {
        await page.getByRole("button", { name: button, exact: true }).tap();
        await page.getByRole("dialog", { name: dialog }).waitFor();
        await axeFindsNothing(page, `${dialog} on a phone`);
        await page.keyboard.press("Escape");
      }
    });
  }
});

test("what happens is spoken: people who come and go, files, and how the text stands", async () => {
  const link = await Link.to(() => server.port);
  open.push(link);
  const ana = await inRoom("spoken", { serviceWorkers: "block" }, link.url);
  const said = await ana.page.evaluateHandle(() => {
    const place = document.querySelector("#announcer");
    const all: string[] = [];
    if (place) new MutationObserver(() => all.push(place.textContent ?? "")).observe(place, { childList: true, characterData: true, subtree: true });
    return all;
  });
  const hears = (what: RegExp) => expect.poll(() => said.evaluate((all) => all.join("\n")), { timeout: PATIENCE_MS }).toMatch(what);
  // Whoever was here before is no news, so Ben comes when Ana has been here for a moment.
  await ana.page.waitForFunction((until) => Date.now() > until, Date.now() + SETTLE_MS + 500);
  const ben = new Guest(server.url, "spoken");
  await ben.synced();
  ben.is("Ben", COLORS[1], 0);
  await hears(/Ben joined/);
  await ben.leave();
  await hears(/Ben left/);
  link.sever();
  await ana.type("x");
  await hears(/Offline|Reconnecting/);
  link.mend();
  await ana.reads(/^Saved$/);
  await hears(/Connected\. Saved\./);
  expect(await ana.page.locator(".toasts [role=status], .toasts [aria-live]").count()).toBe(0);
});

test("who asked for less motion sees none", async () => {
  const ana = await enter({ reducedMotion: "reduce" });
  await ana.context.addInitScript(() => {
    const moved: string[] = [];
    Object.assign(window, { moved });
    for (const kind of ["transitionrun", "animationstart"] as const) {
      addEventListener(kind, ({ target }) => moved.push(`${kind} of ${(target as Element).className}`), { capture: true });
    }
  });
  const ben = await guest("calm", "Ben", COLORS[1], 0);
  ben.text().insert(0, "one\ntwo\nthree\n");
  await ana.open(new URL("room/calm", server.url));
  await ana.seesCarets(["Ben"]);
  for (let offset = 0; offset < 12; offset += 3) {
    ben.is("Ben", COLORS[1], offset);
    await ana.page.locator(".collab-caret-labelled").waitFor();
  }
  await ana.page.getByRole("button", { name: "Share", exact: true }).click();
  await ana.page.getByRole("img", { name: "QR code of the link" }).waitFor();
  await ana.page.keyboard.press("Escape");
  await ana.page.locator(".cm-gutters").hover();
  await ana.page.keyboard.press("F1");
  await ana.page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  expect(await ana.page.evaluate(() => (window as unknown as { moved: string[] }).moved)).toEqual([]);
  const running = await ana.page.evaluate(() => document.getAnimations().map((one) => (one.effect as KeyframeEffect).target?.className));
  expect(running).toEqual([]);
});

test("with the few colours that somebody chose, carets, people and states can be told apart", async () => {
  const { page } = await busyRoom("few", { forcedColors: "active" });
  // What is selected oneself is outlined, because its ground is not painted.
  await page.keyboard.press("Control+Home");
  await page.keyboard.press("Shift+End");
  const own = page.locator(".cm-selectionBackground").first();
  await own.waitFor();
  expect(await own.evaluate((box) => getComputedStyle(box).outlineStyle)).toBe("solid");
  await page.keyboard.press("Control+End");
  await page.keyboard.press("Alt+\\");
  await page.locator(".collab-ghost").first().waitFor({ timeout: PATIENCE_MS });
  const seen = await page.evaluate(() => {
    const style = (selector: string, pseudo?: string) => {
      const found = document.querySelector(selector);
      if (!found) throw new Error(`no ${selector}`);
      return getComputedStyle(found, pseudo);
    };
    const paper = style(".cm-editor").backgroundColor;
    return {
      paper,
      caret: style(".collab-caret").borderLeftColor,
      caretWidth: style(".collab-caret").borderLeftWidth,
      own: style(".cm-cursor-primary").borderLeftColor,
      name: style(".collab-caret-name").borderTopWidth,
      selection: style(".collab-selection").outlineStyle,
      avatars: [...document.querySelectorAll(".avatars .avatar")].map((one) => getComputedStyle(one).backgroundColor),
      ghost: style(".collab-ghost").color,
      text: style(".cm-content").color,
    };
  });
  expect(seen.caret).not.toBe(seen.paper);
  expect(seen.own).not.toBe(seen.paper);
  expect(parseFloat(seen.caretWidth)).toBeGreaterThanOrEqual(1);
  expect(seen.name).toBe("1px");
  expect(seen.selection).toBe("dotted");
  expect(new Set(seen.avatars).size).toBe(3);
  expect(seen.ghost).not.toBe(seen.text);
  await axeFindsNothing(page, "forced colours");
});

test("every control on a phone is large enough for a finger", async () => {
  const start = await enter(PHONE);
  await start.open(new URL("room/before", server.url));
  await start.type("x");
  await start.reads(/^Saved$/);
  await start.page.goto(server.url.href);
  await start.page.getByRole("link", { name: "before" }).waitFor();
  expect.soft(await tooSmall(start)).toEqual([]);

  const ana = await busyRoom("fingers", PHONE);
  const { page } = ana;
  await page.getByRole("button", { name: "Accept suggestion" }).waitFor();
  expect.soft(await tooSmall(ana)).toEqual([]);
  await page.getByRole("button", { name: "Dismiss suggestion" }).tap();
  for (const name of ["People: 3 here", "Settings", "Share", "What to do with main", "New file"]) {
    await page.getByRole("button", { name, exact: true }).tap();
    await page.locator(".popover:popover-open").waitFor();
    expect.soft(await tooSmall(ana)).toEqual([]);
    await page.keyboard.press("Escape");
  }
  await page.getByRole("button", { name: "Find" }).tap();
  await page.locator(".cm-search").waitFor();
  expect.soft(await tooSmall(ana)).toEqual([]);
  // Nothing makes the page wider than the phone.
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
});

/** Controls that a finger could miss: smaller than it in either direction. A label counts as part
 *  of its control. */
async function tooSmall(who: Person): Promise<string[]> {
  return who.page.evaluate((least) => {
    const all = document.querySelectorAll<HTMLElement>("a[href], button, input, select, [role=button]");
    return [...all].flatMap((control) => {
      const target = control.closest("label") ?? control;
      const { width, height } = target.getBoundingClientRect();
      if (width === 0 || height === 0 || getComputedStyle(control).visibility === "hidden") return [];
      const name = control.getAttribute("aria-label") ?? control.textContent ?? control.tagName;
      return Math.round(width) < least || Math.round(height) < least ? [`${name.trim()}: ${Math.round(width)} × ${Math.round(height)}`] : [];
    });
  }, FINGER_PX);
}
