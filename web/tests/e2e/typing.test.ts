/** Two people, one line, a line that breaks: nothing typed is lost, and "Saved" is true. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
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

async function person(name: string): Promise<{ who: Person; link: Link }> {
  const link = await Link.to(() => server.port);
  const who = await Person.enter(browser, name);
  open.push(who, link);
  return { who, link };
}

/** What the server has on disk and in memory, by its HTTP interface. */
async function stored(room: string): Promise<string> {
  const response = await fetch(new URL(`api/rooms/${room}/files/main`, server.url));
  expect(response.status).toBe(200);
  return response.text();
}

/** Letters from one alphabet, so that every character tells who typed it. */
function keystrokes(alphabet: string, count: number): string {
  return Array.from({ length: count }, (_, i) => alphabet[(i * 7 + Math.trunc(i / 5)) % alphabet.length]).join("");
}

const only = (text: string, alphabet: string) => [...text].filter((c) => alphabet.includes(c)).join("");

test("two people in one line, one of them cut off for 5 s: every keystroke arrives, and stays", async () => {
  const room = "one-line";
  const ana = await person("Ana");
  const ben = await person("Ben");
  await ana.who.open(new URL(`room/${room}`, ana.link.url));
  await ben.who.open(new URL(`room/${room}`, ben.link.url));
  await ana.who.reads(/^Saved$/);
  await ben.who.reads(/^Saved$/);
  await ana.who.goToEnd();
  await ana.who.type("= =");
  await ana.who.page.keyboard.press("ArrowLeft");
  await ana.who.page.keyboard.press("ArrowLeft");
  await ben.who.sees("= =");
  await ben.who.goToEnd();
  await ben.who.page.keyboard.press("ArrowLeft");

  const [hers, his] = ["abcdefghijklm", "nopqrstuvwxyz"];
  const anas = keystrokes(hers, 200);
  const bens = keystrokes(his, 200);
  const cut = async () => {
    await ben.who.page.waitForFunction(
      (letters) => [...(document.querySelector(".cm-content")?.textContent ?? "")].filter((c) => letters.includes(c)).length >= 50,
      his,
      { timeout: PATIENCE_MS },
    );
    ben.link.sever();
    await ben.who.reads(/^(Reconnecting|Offline)/);
    const began = Date.now();
    const before = only(await ben.who.text(), his).length;
    while (Date.now() - began < 5_000) {
      expect(await ben.who.pill()).not.toBe("Saved");
      await ben.who.page.evaluate(() => new Promise((next) => requestAnimationFrame(next)));
    }
    expect(only(await ben.who.text(), his).length).toBeGreaterThan(before);
    ben.link.mend();
  };
  await Promise.all([ana.who.type(anas, 45), ben.who.type(bens, 45), cut()]);

  await ana.who.reads(/^Saved$/);
  await ben.who.reads(/^Saved$/);
  const text = await stored(room);
  expect(only(text, hers)).toBe(anas);
  expect(only(text, his)).toBe(bens);
  expect(text.length).toBe(403);
  await ana.who.sees(text);
  await ben.who.sees(text);

  await ben.who.page.reload();
  await ben.who.sees(text);

  expect(await server.terminate()).toBe(0);
  await server.restart();
  expect(await stored(room)).toBe(text);
  await ana.who.reads(/^Saved$/);
  await ana.who.page.reload();
  await ana.who.sees(text);

  await server.kill();
  await server.restart();
  expect(await stored(room)).toBe(text);
  await ana.who.reads(/^Saved$/);
  await ana.who.type("!");
  await ben.who.page.waitForFunction(() => document.querySelector(".cm-content")?.textContent?.includes("!"));
  expect([...ana.who.complaints, ...ben.who.complaints]).toEqual([]);
});

test("Saved is not said while the server cannot write, and what it was said of survives kill -9", async () => {
  const room = "truth";
  const { who, link } = await person("Cem");
  await who.open(new URL(`room/${room}`, link.url));
  await who.reads(/^Saved$/);
  let typed = "";
  for (let round = 0; round < 4; round += 1) {
    // A server that is stopped in its tracks can commit nothing.
    server.signal("SIGSTOP");
    await who.goToEnd();
    const word = `round${round} `;
    for (const key of word) {
      await who.type(key);
      expect(await who.pill()).not.toBe("Saved");
    }
    typed += word;
    server.signal("SIGCONT");
    await who.reads(/^Saved$/);
    await server.kill();
    await server.restart();
    expect(await stored(room)).toBe(typed);
    await who.reads(/^Saved$/);
  }
  await who.sees(typed);
  expect(who.complaints).toEqual([]);
});

test("Ctrl+Z takes back my own typing and leaves the other's", async () => {
  const ana = await person("Ana");
  const ben = await person("Ben");
  await ana.who.open(new URL("room/undo", ana.link.url));
  await ben.who.open(new URL("room/undo", ben.link.url));
  await ana.who.goToEnd();
  await ana.who.type("mine ");
  await ben.who.sees("mine ");
  await ben.who.goToEnd();
  await ben.who.type("theirs");
  await ana.who.sees("mine theirs");
  await ana.who.page.keyboard.press("Control+z");
  await ben.who.sees("theirs");
  await ana.who.sees("theirs");
  await ana.who.page.keyboard.press("Control+y");
  await ben.who.sees("mine theirs");
});
