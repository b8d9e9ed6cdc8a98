/** Ghost text as two people see it: one has it on the screen, the other never does. */
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { launchBrowser, PATIENCE_MS, Person } from "./harness/person.js";
import { Server } from "./harness/server.js";

/** The longest pause that a suggestion may take, in milliseconds. */
const LONGEST_IDLE_MS = 600;

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

async function enter(name: string, room: string, options: BrowserContextOptions = {}): Promise<Person> {
  const person = await Person.enter(browser, name, options);
  present.push(person);
  await person.open(new URL(`room/${room}`, server.url));
  await person.reads(/^Saved$/);
  // CodeMirror says there what it colours the text as.
  await person.page.locator('.cm-content[data-language="python"]').waitFor();
  await person.goToEnd();
  return person;
}

async function pythonRoom(): Promise<string> {
  const response = await fetch(new URL("api/rooms", server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ language: "python" }),
  });
  expect(response.status).toBeLessThan(300);
  const { roomId } = (await response.json()) as { roomId: string };
  return roomId;
}

/** What of the ghost is on the screen, line by line. */
async function ghost(person: Person): Promise<string[]> {
  return person.page.locator(".collab-ghost").evaluateAll((parts) =>
    parts.flatMap((part) => (part.children.length > 0 ? [...part.children] : [part]).map((line) => line.textContent ?? "")),
  );
}

async function seesGhost(person: Person, wanted: readonly string[]): Promise<void> {
  await person.page.locator(".collab-ghost").first().waitFor({ timeout: PATIENCE_MS });
  expect(await ghost(person)).toEqual(wanted);
}

async function seesNoGhost(person: Person): Promise<void> {
  await person.page.locator(".collab-ghost").first().waitFor({ state: "detached", timeout: PATIENCE_MS });
}

/** Lets more time go by than any suggestion may take, and sees none in all of it. */
async function staysWithout(person: Person): Promise<void> {
  const shown = await person.page.evaluate(
    (ms) =>
      new Promise<boolean>((done) => {
        const end = performance.now() + ms;
        const look = () => {
          if (document.querySelector(".collab-ghost")) done(true);
          else if (performance.now() > end) done(false);
          else requestAnimationFrame(look);
        };
        look();
      }),
    LONGEST_IDLE_MS + 200,
  );
  expect(shown).toBe(false);
}

async function clear(person: Person): Promise<void> {
  await person.page.keyboard.press("Control+a");
  await person.page.keyboard.press("Backspace");
}

/** Keeps all that a page ever shows as text. */
async function watchText(person: Person): Promise<void> {
  await person.page.evaluate(() => {
    const content = document.querySelector(".cm-content");
    if (!content) throw new Error("no editor");
    const all: string[] = [];
    new MutationObserver(() => all.push(content.textContent ?? "")).observe(content, { subtree: true, childList: true, characterData: true });
    Object.assign(window, { everShown: all });
  });
}

async function everShown(person: Person): Promise<string> {
  return person.page.evaluate(() => (window as unknown as { everShown: string[] }).everShown.join("\n"));
}

/** Measures from each last key to the ghost that follows it. */
async function timeGhosts(person: Person): Promise<void> {
  await person.page.evaluate(() => {
    const took: number[] = [];
    let key = 0;
    addEventListener("keydown", () => (key = performance.now()), { capture: true });
    let before = false;
    new MutationObserver(() => {
      const now = document.querySelector(".collab-ghost") !== null;
      if (now && !before) took.push(performance.now() - key);
      before = now;
    }).observe(document.body, { subtree: true, childList: true });
    Object.assign(window, { took });
  });
}

test("it comes within the idle time, and nobody else ever sees it before it is accepted", async () => {
  const room = await pythonRoom();
  const ana = await enter("Ana", room);
  const ben = await enter("Ben", room);
  await watchText(ben);
  // The engine is fetched with the first keystroke; that once is not what is measured.
  await ana.type("def ");
  await seesGhost(ana, ["function_name(args):", "    pass"]);
  await ana.page.keyboard.press("Escape");
  await clear(ana);
  await timeGhosts(ana);
  const prompts: [string, string[]][] = [
    ["def ", ["function_name(args):", "    pass"]],
    ["for ", ["i in range(10):", "    pass"]],
    ["if ", ["condition:", "    pass"]],
    ["class ", ["ClassName:", "    def __init__(self):", "        pass"]],
    ["import ", ["os"]],
    ["height = 1\n# The heig", ["ht"]],
  ];
  for (const [typed, wanted] of prompts) {
    await ana.type(typed);
    await seesGhost(ana, wanted);
    expect(await ana.text()).toBe(typed);
    await ben.sees(typed);
    const stored = await fetch(new URL(`api/rooms/${room}/files/main`, server.url));
    expect(await stored.text()).toBe(typed);
    await ana.page.keyboard.press("Escape");
    await seesNoGhost(ana);
    await clear(ana);
    await ben.sees("");
  }
  const took = await ana.page.evaluate(() => (window as unknown as { took: number[] }).took);
  expect(took).toHaveLength(prompts.length);
  // The middle one: a machine that is busy with other tests may hold up one, not all.
  expect(took.sort((a, b) => a - b)[3]).toBeLessThanOrEqual(LONGEST_IDLE_MS);
  expect(took[0]).toBeGreaterThanOrEqual(300);
  const shown = await everShown(ben);
  expect(shown).toContain("The heig");
  expect(shown).not.toMatch(/function_name|range|condition|__init__|pass|os|The height/);

  await ana.type("def ");
  await seesGhost(ana, prompts[0]?.[1] ?? []);
  await ana.page.keyboard.press("Tab");
  await ben.sees("def function_name(args):\n    pass");
});

test("it is italic, pale but readable in light and dark, and the caret stands before it", async () => {
  const ana = await enter("Ana", await pythonRoom());
  for (const colorScheme of ["light", "dark"] as const) {
    await ana.page.emulateMedia({ colorScheme });
    await clear(ana);
    await ana.type("def ");
    await seesGhost(ana, ["function_name(args):", "    pass"]);
    const looks = await ana.page.locator(".collab-ghost").first().evaluate((part) => {
      const luminance = (color: string) => {
        const [r = 0, g = 0, b = 0] = (color.match(/[\d.]+/g) ?? []).map((v) => {
          const c = Number(v) / 255;
          return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const line = part.closest(".cm-line");
      const editor = part.closest(".cm-editor");
      if (!line || !editor) throw new Error("outside a line");
      const own = getComputedStyle(line).backgroundColor;
      const paper = /rgba\(.*, 0\)/.test(own) ? getComputedStyle(editor).backgroundColor : own;
      const [dark = 0, light = 0] = [luminance(getComputedStyle(part).color), luminance(paper)].sort((a, b) => a - b);
      const block = document.querySelector(".collab-ghost-block")?.getBoundingClientRect();
      return {
        contrast: (light + 0.05) / (dark + 0.05),
        style: getComputedStyle(part).fontStyle,
        left: part.getBoundingClientRect().left,
        caret: document.querySelector(".cm-cursor-primary")?.getBoundingClientRect().left ?? Infinity,
        below: (block?.top ?? 0) - line.getBoundingClientRect().bottom,
        indent: document.querySelector(".collab-ghost-block > div")?.textContent,
      };
    });
    expect(looks.contrast).toBeGreaterThanOrEqual(3);
    expect(looks.style).toBe("italic");
    expect(Math.abs(looks.caret - looks.left)).toBeLessThanOrEqual(2);
    expect(looks.below).toBeGreaterThanOrEqual(0);
    await ana.page.keyboard.press("Escape");
  }
});

test("word, line, all; one Ctrl+Z takes the whole block back", async () => {
  const room = await pythonRoom();
  const ana = await enter("Ana", room);
  await ana.type("class ");
  await seesGhost(ana, ["ClassName:", "    def __init__(self):", "        pass"]);
  await ana.page.keyboard.press("Control+ArrowRight");
  expect(await ana.text()).toBe("class ClassName");
  await seesGhost(ana, [":", "    def __init__(self):", "        pass"]);
  await ana.page.keyboard.press("Control+Alt+ArrowRight");
  await ana.page.keyboard.press("Control+Alt+ArrowRight");
  expect(await ana.text()).toBe("class ClassName:\n    def __init__(self):");
  await ana.page.keyboard.press("Tab");
  await ana.sees("class ClassName:\n    def __init__(self):\n        pass");
  await clear(ana);

  await ana.type("for ");
  await seesGhost(ana, ["i in range(10):", "    pass"]);
  await ana.page.keyboard.press("Tab");
  await ana.sees("for i in range(10):\n    pass");
  await ana.page.keyboard.press("Control+z");
  await ana.sees("for ");
  await staysWithout(ana);
  await ana.page.keyboard.press("Control+y");
  await ana.sees("for i in range(10):\n    pass");
  await staysWithout(ana);
});

test("Escape dismisses it and Tab stays in the editor; Alt+\\ brings it, Alt+] another", async () => {
  const room = await pythonRoom();
  const ana = await enter("Ana", room);
  await ana.type("def ");
  await seesGhost(ana, ["function_name(args):", "    pass"]);
  await ana.page.keyboard.press("Escape");
  await seesNoGhost(ana);
  await staysWithout(ana);
  await ana.page.keyboard.press("Alt+\\");
  await seesGhost(ana, ["function_name(args):", "    pass"]);
  await ana.page.keyboard.press("Escape");
  await ana.page.keyboard.press("Tab");
  expect(await ana.text()).toBe("    def ");
  expect(await ana.page.evaluate(() => document.activeElement?.classList.contains("cm-content"))).toBe(true);

  await clear(ana);
  await ana.type("import ");
  await seesGhost(ana, ["os"]);
  await ana.page.keyboard.press("Alt+]");
  await seesGhost(ana, ["sys"]);
  await ana.page.keyboard.press("Alt+[");
  await seesGhost(ana, ["os"]);

  // Too weak for a pause, good enough for a question.
  await clear(ana);
  await ana.type("def f():\n");
  await staysWithout(ana);
  await ana.page.keyboard.press("Alt+\\");
  await ana.page.locator(".collab-ghost").waitFor();
  const weak = (await ghost(ana)).join("\n");
  await ana.page.keyboard.press("Tab");
  await ana.sees(`def f():\n    ${weak}`);
});

test("what somebody else writes in my line hides it, elsewhere it moves; typing it shrinks it", async () => {
  const room = await pythonRoom();
  const ana = await enter("Ana", room);
  await ana.type("# top\n");
  const ben = await enter("Ben", room);
  await ben.page.keyboard.press("Control+Home");
  await ana.type("def ");
  await seesGhost(ana, ["function_name(args):", "    pass"]);
  await ben.type("# theirs\n");
  await ana.sees("# theirs\n# top\ndef ");
  await seesGhost(ana, ["function_name(args):", "    pass"]);
  await ana.type("func");
  await seesGhost(ana, ["tion_name(args):", "    pass"]);
  await ben.page.keyboard.press("Control+End");
  await ben.type("t");
  await ana.sees("# theirs\n# top\ndef funct");
  await seesNoGhost(ana);
  await staysWithout(ana);
  // Ben's typing shows Ben one, in his own line.
  await seesGhost(ben, await ghost(ben));
});

test("paste, undo, redo and deletion bring none", async () => {
  const room = await pythonRoom();
  const ana = await enter("Ana", room);
  await ana.type("def ");
  await seesGhost(ana, ["function_name(args):", "    pass"]);
  await ana.page.keyboard.press("Control+a");
  await ana.page.keyboard.press("Control+x");
  await ana.sees("");
  await staysWithout(ana);
  await ana.page.keyboard.press("Control+v");
  await ana.sees("def ");
  await staysWithout(ana);
  await ana.page.keyboard.press("Control+z");
  await ana.sees("");
  await staysWithout(ana);
  await ana.page.keyboard.press("Control+y");
  await ana.sees("def ");
  await staysWithout(ana);
  await ana.type("xx");
  await ana.page.keyboard.press("Backspace");
  await ana.page.keyboard.press("Backspace");
  await ana.sees("def ");
  await staysWithout(ana);
});

test("the list opens on Ctrl+Space, takes Tab while it is open, and the ghost goes", async () => {
  const room = await pythonRoom();
  const ana = await enter("Ana", room);
  await ana.type("height = 1\nwidth = 2\nhe");
  await seesGhost(ana, ["ight"]);
  await ana.page.keyboard.press("Control+Space");
  const list = ana.page.locator(".cm-tooltip-autocomplete [role=option]");
  await list.first().waitFor();
  await seesNoGhost(ana);
  expect((await list.allTextContents()).filter((label) => label === "height")).toHaveLength(1);
  await ana.page.keyboard.press("Tab");
  // A list takes no choice in its first moments, lest it take a key that was meant for the text.
  while ((await list.count()) > 0) await ana.page.keyboard.press("Tab");
  await ana.sees("height = 1\nwidth = 2\nheight");
});

test("a finger accepts it by a button, or dismisses it", async () => {
  const room = await pythonRoom();
  const cem = await enter("Cem", room, { hasTouch: true, isMobile: true, viewport: { width: 390, height: 760 } });
  await cem.type("for ");
  const accept = cem.page.getByRole("button", { name: "Accept suggestion" });
  const dismiss = cem.page.getByRole("button", { name: "Dismiss suggestion" });
  await accept.waitFor();
  for (const button of [accept, dismiss]) {
    const box = await button.boundingBox();
    expect(box?.height).toBeGreaterThanOrEqual(44);
    expect(box?.width).toBeGreaterThanOrEqual(44);
    expect(box?.x).toBeGreaterThanOrEqual(0);
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(390);
  }
  await dismiss.tap();
  await seesNoGhost(cem);
  await cem.sees("for ");
  await cem.type("x");
  await cem.page.keyboard.press("Backspace");
  await clear(cem);
  await cem.type("for ");
  await accept.tap();
  await cem.sees("for i in range(10):\n    pass");
  await accept.waitFor({ state: "detached" });
  expect(await cem.page.evaluate(() => document.activeElement?.classList.contains("cm-content"))).toBe(true);
});
