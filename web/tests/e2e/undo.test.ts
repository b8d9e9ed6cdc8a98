/** Undo as people use it: by keys, in a long text, with somebody else at work. */
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { launchBrowser, Person } from "./harness/person.js";
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

async function enter(name: string, room: string): Promise<Person> {
  const person = await Person.enter(browser, name);
  present.push(person);
  await person.open(new URL(`room/${room}`, server.url));
  await person.reads(/^Saved$/);
  await person.goToEnd();
  return person;
}

async function newRoom(): Promise<string> {
  const response = await fetch(new URL("api/rooms", server.url), { method: "POST" });
  expect(response.status).toBeLessThan(300);
  const { roomId } = (await response.json()) as { roomId: string };
  return roomId;
}

async function undo(person: Person): Promise<string> {
  await person.page.keyboard.press("Control+z");
  return person.text();
}

test("a paste is one step, whatever is typed before and after it", async () => {
  const ana = await enter("Ana", await newRoom());
  await ana.type("xyz ");
  await ana.page.keyboard.press("Control+a");
  await ana.page.keyboard.press("Control+c");
  await ana.page.keyboard.press("End");
  await ana.type("a");
  await ana.page.keyboard.press("Control+v");
  await ana.type("b");
  await ana.sees("xyz axyz b");
  expect(await undo(ana)).toBe("xyz axyz ");
  expect(await undo(ana)).toBe("xyz a");
  expect(await undo(ana)).not.toContain("a");
});

test("undo goes to where the change was, and leaves what another wrote in the midst of it", async () => {
  const room = await newRoom();
  const ana = await enter("Ana", room);
  const ben = await enter("Ben", room);
  await ana.type("[]");
  await ana.page.keyboard.press("ArrowLeft");
  // Longer than typing takes to become another step.
  await ana.page.waitForFunction((end) => performance.now() > end, (await ana.page.evaluate(() => performance.now())) + 600);
  await ana.type("mine");
  await ben.sees("[mine]");
  await ben.page.keyboard.press("Home");
  for (let i = 0; i < 3; i += 1) await ben.page.keyboard.press("ArrowRight");
  await ben.type("THEIRS");
  await ana.sees("[miTHEIRSne]");
  await ben.page.keyboard.press("End");
  await ben.page.keyboard.insertText("\n".repeat(300));
  const line = ana.page.locator(".cm-line", { hasText: "THEIRS" });
  // Until all has come, and the end is so far down that the line is no longer drawn.
  while ((await line.count()) > 0) await ana.page.keyboard.press("Control+End");
  await ana.page.keyboard.press("Control+z");
  await line.waitFor();
  expect(await line.textContent()).toBe("[THEIRS]");
  const box = await line.boundingBox();
  expect(box?.y).toBeGreaterThan(0);
  expect(box?.y).toBeLessThan(ana.page.viewportSize()?.height ?? 0);
  await ana.page.keyboard.press("Control+y");
  await ana.page.locator(".cm-line", { hasText: "[miTHEIRSne]" }).waitFor();
});
