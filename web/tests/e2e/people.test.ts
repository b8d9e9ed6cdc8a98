/** Who is here and where: carets, names, chips, following, idle people, coming and going. */
import type { Browser, Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
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
  for (const one of open.splice(0)) await (one.leave?.() ?? one.dispose?.());
});

afterAll(async () => {
  await browser?.close();
  await server?.dispose();
});

const COLOR = "#0871c2";

async function guest(room: string): Promise<Guest> {
  const one = new Guest(server.url, room);
  open.push(one);
  await one.synced();
  return one;
}

async function person(name: string, room: string, options: Parameters<typeof Person.enter>[2] = {}, url = server.url): Promise<Person> {
  const one = await Person.enter(browser, name, options);
  open.push(one);
  await one.open(new URL(`room/${room}`, url));
  await one.reads(/^Saved$/);
  return one;
}

/** A room whose text has so many numbered lines, each with a guest's help. */
async function roomWith(room: string, lines: readonly string[]): Promise<Guest> {
  const host = await guest(room);
  host.text().insert(0, lines.join("\n"));
  return host;
}

const numbered = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1} of ${count}, some words to fill it`);

/** The offset at which a line begins; the first is 1. */
const lineStart = (lines: readonly string[], line: number) => lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);

async function box(of: Locator): Promise<{ x: number; y: number; width: number; height: number }> {
  const found = await of.boundingBox();
  if (!found) throw new Error(`not on the screen: ${of}`);
  return found;
}

async function insideEditor(who: Person, what: Locator): Promise<void> {
  const inner = await box(what);
  const outer = await box(who.page.locator(".cm-scroller"));
  expect(inner.x).toBeGreaterThanOrEqual(outer.x);
  expect(inner.y).toBeGreaterThanOrEqual(outer.y);
  expect(inner.x + inner.width).toBeLessThanOrEqual(outer.x + outer.width);
  expect(inner.y + inner.height).toBeLessThanOrEqual(outer.y + outer.height);
}

const label = (who: Person) => who.page.locator(".collab-caret-labelled > .collab-caret-name");

describe("carets", () => {
  test("every caret of a multi-selection: the main one thick and named, the others thin, selections below the text", async () => {
    await roomWith("multi", numbered(6));
    const ana = await person("Ana", "multi");
    const ben = await person("Ben", "multi");
    const line = (who: Person, at: number) => who.page.locator(".cm-line").nth(at);
    await line(ana, 1).click({ position: { x: 40, y: 10 } });
    await line(ana, 3).click({ position: { x: 60, y: 10 }, modifiers: ["Control"] });
    await line(ana, 5).click({ position: { x: 80, y: 10 }, modifiers: ["Control"] });
    await ana.page.keyboard.press("Shift+ArrowRight");
    await expect.poll(() => ben.page.locator(".collab-caret").count(), { timeout: PATIENCE_MS }).toBe(3);
    await expect.poll(() => ben.page.locator(".collab-selection").count(), { timeout: PATIENCE_MS }).toBe(3);
    const widths = await ben.page.locator(".collab-caret").evaluateAll((all) => all.map((one) => getComputedStyle(one).borderLeftWidth));
    expect(widths.sort()).toEqual(["1px", "1px", "2px"]);
    expect(await ben.carets()).toEqual(["Ana"]);
    // The carets stand where hers do.
    const tops = async (who: Person, what: string) => (await Promise.all((await who.page.locator(what).all()).map(box))).map(({ y }) => Math.round(y)).sort();
    expect(await tops(ben, ".collab-caret")).toEqual(await tops(ana, ".cm-cursor"));
    const layers = await ben.page.evaluate(() => [".collab-selections", ".collab-carets"].map((one) => Number(getComputedStyle(document.querySelector(one) ?? document.body).zIndex)));
    expect(layers[0]).toBeLessThan(0);
    expect(layers[1]).toBeGreaterThan(0);
    expect([...ana.complaints, ...ben.complaints]).toEqual([]);
  });

  test("a caret stays with its character in every painted frame, though the line is slow", async () => {
    const lines = ["first", "second X third", "fourth"];
    const host = await roomWith("slow", lines);
    const link = await Link.to(() => server.port);
    open.push(link);
    const ben = await person("Ben", "slow", {}, link.url);
    host.is("Ana", COLOR, lineStart(lines, 2) + 7);
    await ben.seesCarets(["Ana"]);
    link.delay = 400;
    // Looked at where nothing more happens before the frame is painted: when sizes are told.
    await ben.page.evaluate(() => {
      const gaps: number[] = [];
      (globalThis as { gaps?: number[] }).gaps = gaps;
      const probe = document.body.appendChild(document.createElement("div"));
      probe.style.position = "fixed";
      new ResizeObserver(() => {
        const walker = document.createTreeWalker(document.querySelector(".cm-content") ?? document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
          const at = node.textContent?.indexOf("X") ?? -1;
          if (at < 0) continue;
          const range = document.createRange();
          range.setStart(node, at);
          range.setEnd(node, at + 1);
          const character = range.getBoundingClientRect();
          const caret = document.querySelector(".collab-caret")?.getBoundingClientRect();
          gaps.push(caret ? Math.max(Math.abs(caret.left + 1 - character.left), Math.abs(caret.top - character.top)) : 1e9);
        }
      }).observe(probe);
      let size = 0;
      const frame = () => {
        size = 1 - size;
        probe.style.width = `${size + 1}px`;
        requestAnimationFrame(frame);
      };
      frame();
    });
    await ben.page.locator(".cm-content").focus();
    await ben.page.keyboard.press("Control+Home");
    await ben.type("pushes it down\n\nand ", 15);
    await ben.page.keyboard.press("ArrowDown");
    await ben.page.keyboard.press("Home");
    await ben.type("pushes it right ", 15);
    // She types meanwhile, far away in time: her text and her caret come together.
    host.text().insert(host.text().toString().indexOf("X"), "new ");
    host.is("Ana", COLOR, host.text().toString().indexOf("X"));
    await ben.page.locator(".cm-content", { hasText: "new X" }).waitFor();
    await ben.reads(/^Saved$/);
    const gaps = await ben.page.evaluate(() => (globalThis as { gaps?: number[] }).gaps ?? []);
    expect(gaps.length).toBeGreaterThan(20);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.5);
    expect(ben.complaints).toEqual([]);
  });
});

describe("names", () => {
  test("stand inside the editor: below on the first line that is seen, to the left at the right edge", async () => {
    const lines = ["x".repeat(50), "", "x".repeat(50), "y".repeat(300), ...numbered(200)];
    const host = await roomWith("edges", lines);
    const name = "Bartholomew Featherstonehaugh II";
    const ben = await person("Ben", "edges", { viewport: { width: 600, height: 400 } });
    for (const [line, column, place] of [[1, 0, "below"], [1, 49, "below"], [3, 0, "above"], [3, 49, "above"]] as const) {
      host.is(name, COLOR, lineStart(lines, line) + column);
      await ben.page.locator(`.collab-caret-labelled.collab-caret-${place}${column > 20 ? ".collab-caret-leftward" : ":not(.collab-caret-leftward)"}`).waitFor();
      await insideEditor(ben, label(ben));
    }
    // A long line widens the editor's own scroll, and nothing else.
    expect(await ben.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    // Scrolled until its line is the first that is seen, a name turns.
    host.is(name, COLOR, lineStart(lines, 100));
    await ben.page.getByRole("button", { name: `Go to ${name}, line 100` }).click();
    await ben.page.locator(".collab-caret-labelled.collab-caret-above").waitFor();
    await ben.page.evaluate(() => {
      const scroller = document.querySelector(".cm-scroller");
      const caret = document.querySelector(".collab-caret");
      if (scroller && caret) scroller.scrollTop += caret.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 4;
    });
    await ben.page.locator(".collab-caret-labelled.collab-caret-below").waitFor();
    await insideEditor(ben, label(ben));
    expect(ben.complaints).toEqual([]);
  });

  test("never cover the line that I type in: initials instead", async () => {
    const lines = numbered(20);
    const host = await roomWith("cover", lines);
    const ben = await person("Ben", "cover");
    await ben.page.locator(".cm-line").nth(9).click();
    host.is("Ana Maria Lopez", COLOR, lineStart(lines, 11) + 5);
    await ben.page.locator(".collab-caret-labelled.collab-caret-inline").waitFor();
    const shown = await label(ben).evaluate((one) => getComputedStyle(one, "::after").content);
    expect(shown).toBe('"AL"');
    const covered = async () => {
      // My caret is as high as the letters beside it.
      const mine = await box(ben.page.locator(".cm-cursor-primary"));
      const name = await box(label(ben));
      return name.y < mine.y + mine.height - 0.5 && name.y + name.height > mine.y + 0.5;
    };
    expect(await covered()).toBe(false);
    host.is("Ana Maria Lopez", COLOR, lineStart(lines, 10) + 30);
    await ben.page.locator(".collab-caret-labelled.collab-caret-above").waitFor();
    // It slides there.
    await expect.poll(covered, { timeout: PATIENCE_MS }).toBe(false);
    expect(ben.complaints).toEqual([]);
  });

  test("fade when nothing happens, and are there for the pointer", async () => {
    const lines = numbered(20);
    const host = await roomWith("fade", lines);
    const ben = await person("Ben", "fade");
    host.is("Ana", COLOR, lineStart(lines, 8) + 4);
    await label(ben).waitFor();
    await label(ben).waitFor({ state: "detached" });
    const caret = await box(ben.page.locator(".collab-caret"));
    await ben.page.mouse.move(caret.x + 9, caret.y + 8);
    await label(ben).waitFor();
    await ben.page.mouse.move(caret.x + 90, caret.y + 8);
    await label(ben).waitFor({ state: "detached" });
    // Typing counts, though her caret stays before the same character.
    host.text().insert(lineStart(lines, 8) + 4, "z");
    await label(ben).waitFor();
    expect(ben.complaints).toEqual([]);
  });
});

describe("chips", () => {
  test("say who is above and below, the nearest three; a click goes there", async () => {
    const lines = numbered(400);
    const host = await roomWith("chips", lines);
    const names = ["Cem", "Dia", "Eli", "Fay", "Gus"];
    const guests = await Promise.all(names.map(() => guest("chips")));
    guests.forEach((one, i) => one.is(names[i] ?? "", COLOR, lineStart(lines, 200 + 10 * i)));
    host.is("Ana", COLOR, 0);
    const ben = await person("Ben", "chips");
    const chips = ben.page.locator(".collab-chip");
    await expect.poll(() => chips.allTextContents(), { timeout: PATIENCE_MS }).toEqual(["↓ Cem 200", "↓ Dia 210", "↓ Eli 220", "+2"]);
    for (const chip of await chips.all()) await insideEditor(ben, chip);
    expect(await ben.page.locator(".collab-tick").count()).toBe(6);
    await ben.page.locator(".cm-line").nth(3).click();
    await ben.page.getByRole("button", { name: "Go to Eli, line 220" }).click();
    await ben.page.locator(".collab-caret-labelled", { hasText: "Eli" }).waitFor();
    const caret = await box(ben.page.locator(".collab-caret", { hasText: "Eli" }));
    const editor = await box(ben.page.locator(".cm-scroller"));
    expect(Math.abs(caret.y + caret.height / 2 - editor.y - editor.height / 2)).toBeLessThan(30);
    await expect.poll(() => chips.allTextContents(), { timeout: PATIENCE_MS }).toContain("↑ Ana 1");
    // Only the view went there: the person types where they were.
    await ben.type("here ");
    await expect.poll(() => host.text().toString().split("\n")[3], { timeout: PATIENCE_MS }).toContain("here ");
    expect(ben.complaints).toEqual([]);
  });
});

test("a caret slides to where it moved a little, not with reduced motion; it is seen with forced colours", async () => {
  const lines = numbered(8);
  const host = await roomWith("senses", lines);
  const moves = async (options: Parameters<typeof Person.enter>[2]) => {
    const ben = await person("Ben", "senses", options);
    const caret = ben.page.locator(".collab-caret");
    host.is("Ana", COLOR, lineStart(lines, 3) + 2);
    await caret.waitFor();
    // It slides for a moment only, so the page itself looks out for it.
    const slides = await ben.page.evaluateHandle(() => {
      const seen = new Promise<{ transitionDuration: string; isSeen: boolean }>((found) => {
        const watch = new MutationObserver(() => {
          const one = document.querySelector(".collab-caret-sliding");
          if (!one) return;
          watch.disconnect();
          const { transitionDuration, borderLeftColor } = getComputedStyle(one);
          const { backgroundColor } = getComputedStyle(one.closest(".cm-editor") ?? one);
          found({ transitionDuration, isSeen: borderLeftColor !== backgroundColor });
        });
        watch.observe(document.body, { subtree: true, childList: true, attributes: true });
      });
      // Inside an object, or this would wait for it.
      return { seen };
    });
    host.is("Ana", COLOR, lineStart(lines, 3) + 6);
    const found = await slides.evaluate(({ seen }) => seen);
    // Far away it is at once.
    host.is("Ana", COLOR, lineStart(lines, 7));
    await ben.page.locator(".collab-caret:not(.collab-caret-sliding)").waitFor();
    await insideEditor(ben, label(ben));
    expect(ben.complaints).toEqual([]);
    await ben.leave();
    return found;
  };
  expect(await moves({})).toEqual({ transitionDuration: "0.08s", isSeen: true });
  expect(await moves({ reducedMotion: "reduce" })).toEqual({ transitionDuration: "0s", isSeen: true });
  expect(await moves({ forcedColors: "active", colorScheme: "dark" })).toEqual({ transitionDuration: "0.08s", isSeen: true });
});

describe("idle people", () => {
  test("are dimmed, dashed and unnamed, and come back at the first key", async () => {
    await roomWith("idle", numbered(5));
    const ana = await Person.enter(browser, "Ana");
    open.push(ana);
    await ana.page.clock.install();
    await ana.open(new URL("room/idle", server.url));
    await ana.reads(/^Saved$/);
    const ben = await person("Ben", "idle");
    await ana.page.locator(".cm-line").nth(3).click();
    await ben.page.locator(".collab-caret:not(.collab-caret-idle)").waitFor();
    await ana.page.clock.fastForward(46_000);
    const idle = ben.page.locator(".collab-caret-idle");
    await idle.waitFor();
    expect(await idle.evaluate((one) => getComputedStyle(one).borderLeftStyle)).toBe("dashed");
    expect(await label(ben).count()).toBe(0);
    await ana.page.keyboard.press("ArrowRight");
    await idle.waitFor({ state: "detached" });
    await label(ben).waitFor();
    expect([...ana.complaints, ...ben.complaints]).toEqual([]);
  });
});

describe("following", () => {
  const lines = numbered(500);
  const first = (who: Person) =>
    who.page.evaluate(() => {
      const { top, height } = document.querySelector(".cm-scroller")?.getBoundingClientRect() ?? new DOMRect();
      const middle = [...document.querySelectorAll(".cm-line")].find((line) => line.getBoundingClientRect().bottom > top + height / 2);
      return Number(/^line (\d+)/.exec(middle?.textContent ?? "")?.[1] ?? 0);
    });
  const outlined = (who: Person) => who.page.locator(".cm-editor.collab-following");
  const follow = async (who: Person, name: string) => {
    await who.page.getByRole("button", { name: /^People/ }).click();
    await who.page.getByRole("button", { name: `Follow ${name}` }).click();
    await outlined(who).waitFor();
  };
  const isNear = async (who: Person, other: Person) =>
    expect.poll(async () => Math.abs((await first(who)) - (await first(other))), { timeout: PATIENCE_MS }).toBeLessThanOrEqual(1);
  const scrollTo = (who: Person, fraction: number) =>
    who.page.evaluate((part) => {
      const scroller = document.querySelector(".cm-scroller");
      if (scroller) scroller.scrollTop = part * (scroller.scrollHeight - scroller.clientHeight);
    }, fraction);

  test("the middle of the view is the leader's, whatever the sizes; each act of one's own ends it", async () => {
    await roomWith("follow", lines);
    const ana = await person("Ana", "follow", { viewport: { width: 1200, height: 900 } });
    const ben = await person("Ben", "follow", { viewport: { width: 800, height: 500 } });
    await ana.page.locator(".cm-line").nth(3).click();
    await follow(ben, "Ana");
    await scrollTo(ana, 0.5);
    await expect.poll(() => first(ana), { timeout: PATIENCE_MS }).toBeGreaterThan(200);
    await isNear(ben, ana);
    const color = await ana.page.evaluate(() => document.querySelector<HTMLElement>(".avatars .avatar")?.style.getPropertyValue("--person"));
    const border = await outlined(ben).evaluate((editor) => {
      const style = getComputedStyle(editor, "::after");
      const probe = document.body.appendChild(document.createElement("div"));
      probe.style.color = (editor as HTMLElement).style.getPropertyValue("--leader");
      const leader = getComputedStyle(probe).color;
      probe.remove();
      return [(editor as HTMLElement).style.getPropertyValue("--leader"), style.borderTopWidth, style.borderTopColor === leader];
    });
    expect(border).toEqual([color, "2px", true]);
    // Looking around with the pointer is no act.
    const editor = await box(ben.page.locator(".cm-scroller"));
    await ben.page.mouse.move(editor.x + 100, editor.y + 100);
    await ben.page.mouse.move(editor.x + 200, editor.y + 150);
    await scrollTo(ana, 0.8);
    await isNear(ben, ana);
    // She cannot follow him meanwhile.
    await ana.page.getByRole("button", { name: /^People/ }).click();
    await expect.poll(() => ana.page.getByRole("button", { name: "Follow Ben" }).isDisabled(), { timeout: PATIENCE_MS }).toBe(true);
    await ana.page.keyboard.press("Escape");

    const acts: Record<string, () => Promise<void>> = {
      click: () => ben.page.mouse.click(editor.x + 150, editor.y + 100),
      wheel: () => ben.page.mouse.wheel(0, 120),
      Escape: () => ben.page.keyboard.press("Escape"),
      arrow: () => ben.page.keyboard.press("ArrowDown"),
      edit: () => ben.page.keyboard.type("!"),
    };
    // Wherever the focus is.
    await ben.page.keyboard.press("Escape");
    await outlined(ben).waitFor({ state: "detached" });
    for (const [name, act] of Object.entries(acts)) {
      await ben.page.locator(".cm-content").focus();
      await ben.page.keyboard.press("Control+Alt+f");
      await outlined(ben).waitFor();
      await act();
      await outlined(ben).waitFor({ state: "detached" }).catch((error: unknown) => {
        throw new Error(`still following after: ${name}`, { cause: error });
      });
    }
    // The leader's leaving ends it, too.
    await ben.page.keyboard.press("Control+Alt+f");
    await outlined(ben).waitFor();
    await ana.leave();
    await outlined(ben).waitFor({ state: "detached", timeout: PATIENCE_MS });
    expect([...ana.complaints, ...ben.complaints]).toEqual([]);
  });

  test("Ctrl+Alt+J goes from person to person", async () => {
    const host = await roomWith("jump", lines);
    const other = await guest("jump");
    host.is("Ana", COLOR, lineStart(lines, 100));
    other.is("Cem", "#ac5804", lineStart(lines, 300));
    const ben = await person("Ben", "jump");
    await expect.poll(() => ben.page.locator(".collab-chip").count(), { timeout: PATIENCE_MS }).toBe(2);
    await ben.page.locator(".cm-content").focus();
    const order = host.replica < other.replica ? ["Ana", "Cem"] : ["Cem", "Ana"];
    for (const name of [...order, ...order]) {
      await ben.page.keyboard.press("Control+Alt+j");
      await ben.page.locator(".collab-caret-labelled", { hasText: name }).waitFor();
      await insideEditor(ben, ben.page.locator(".collab-caret", { hasText: name }));
    }
    expect(ben.complaints).toEqual([]);
  });
});

describe("coming and going", () => {
  test("a reload is not told of; those who leave are", async () => {
    await roomWith("reload", numbered(5));
    const ben = await Person.enter(browser, "Ben");
    open.push(ben);
    await ben.page.clock.install();
    await ben.open(new URL("room/reload", server.url));
    await ben.reads(/^Saved$/);
    // Until then everybody is thought to have been here before.
    await ben.page.clock.fastForward(3_000);
    // Everything that is ever announced or shown as news.
    await ben.page.evaluate(() => {
      const heard: string[] = [];
      (globalThis as { heard?: string[] }).heard = heard;
      const place = document.getElementById("announcer");
      if (place) new MutationObserver(() => heard.push(place.textContent ?? "")).observe(place, { childList: true, characterData: true, subtree: true });
    });
    const heard = async () => (await ben.page.evaluate(() => (globalThis as { heard?: string[] }).heard ?? [])).filter((text) => /joined|left/.test(text));
    const ana = await person("Ana", "reload");
    await expect.poll(heard, { timeout: PATIENCE_MS }).toEqual(["Ana joined."]);
    await ana.page.reload();
    await ana.reads(/^Saved$/);
    const cem = await person("Cem", "reload");
    await expect.poll(heard, { timeout: PATIENCE_MS }).toEqual(["Ana joined.", "Cem joined."]);
    await cem.leave();
    await expect.poll(heard, { timeout: PATIENCE_MS }).toEqual(["Ana joined.", "Cem joined.", "Cem left."]);
    await ana.leave();
    await expect.poll(heard, { timeout: PATIENCE_MS }).toEqual(["Ana joined.", "Cem joined.", "Cem left.", "Ana left."]);
    expect([...ana.complaints, ...ben.complaints, ...cem.complaints]).toEqual([]);
  });

  test("people who like the same colour differ in the end, and one of them keeps it", async () => {
    const liking = async (name: string) => {
      const one = await Person.enter(browser, name);
      open.push(one);
      await one.context.addInitScript(() => localStorage.setItem("collab.color", "#008120"));
      await one.open(new URL("room/colours", server.url));
      return one;
    };
    const watcher = await roomWith("colours", numbered(2));
    const people = await Promise.all(["Ana", "Ben", "Cem"].map(liking));
    const colors = () => [...watcher.others().values()].map(({ user }) => (user as { color?: string } | undefined)?.color ?? "");
    await expect.poll(() => new Set(colors()).size, { timeout: PATIENCE_MS }).toBe(3);
    expect(colors()).toContain("#008120");
    for (const one of people) expect(one.complaints).toEqual([]);
  });
});
