/** Without a network, and after a crash: what a person typed comes back, and everything merges. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { Device } from "./harness/device.js";
import { Link } from "./harness/link.js";
import { launchBrowser, PATIENCE_MS, Person } from "./harness/person.js";
import { Server } from "./harness/server.js";

/** Where the page was built. */
const DIST = process.env["COLLAB_PAGE_DIR"] ?? fileURLToPath(new URL("../../dist", import.meta.url));

/** How long the pill takes from the lost line to "Offline", in milliseconds, and some patience. */
const OFFLINE_MS = 30_000 + PATIENCE_MS;

let browser: Browser;
let server: Server;
let link: Link;
let device: Device;
let rooms = 0;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(async () => browser.close());

beforeEach(async () => {
  server = await Server.start();
  link = await Link.to(() => server.port);
  device = new Device();
});
afterEach(async () => {
  await device.dispose();
  await link.dispose();
  await server.dispose();
});

/** The same room, over the line that can be cut and past it. */
function room(): { readonly cut: () => URL; readonly direct: () => URL } {
  rooms += 1;
  const path = `room/offline-${rooms}`;
  return { cut: () => new URL(path, link.url), direct: () => new URL(path, server.url) };
}

/** The page itself is on this device from now on. */
async function isInstalled(person: Person): Promise<void> {
  await person.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller) await new Promise((taken) => navigator.serviceWorker.addEventListener("controllerchange", taken, { once: true }));
  });
}

/** The pill says that the tab may be closed. */
async function isKept(person: Person): Promise<void> {
  const pill = person.page.locator(".pill");
  await pill.and(person.page.locator('[title*="kept on this device"]')).waitFor({ timeout: PATIENCE_MS }).catch(async (error: unknown) => {
    throw new Error(`the pill says: ${await pill.innerText()}; ${await pill.getAttribute("title")}`, { cause: error });
  });
}

/** What the pill offers as a copy. */
async function copyOf(person: Person): Promise<string> {
  const [download] = await Promise.all([
    person.page.waitForEvent("download"),
    person.page.getByRole("button", { name: "Download copy" }).click(),
  ]);
  return readFileSync(await download.path(), "utf8");
}

/** Opens the room somewhere else, and reads. */
async function othersSee(url: URL, wanted: string): Promise<void> {
  const witness = await Person.enter(browser, "Cleo");
  await witness.open(url);
  await witness.sees(wanted);
  await witness.leave();
}

/** What a browser complained of, but for the question about a room that is not made yet. */
function complaints(...people: readonly Person[]): string[] {
  return people.flatMap((person) => person.complaints).filter((text) => !text.includes("404 (Not Found)"));
}

test("300 edits without a network, a killed browser and a restarted server: everything merges, nothing twice", { timeout: 240_000 }, async () => {
  const { cut, direct } = room();
  const first = await device.start();
  await first.open(cut());
  await first.goToEnd();
  await first.type("before. ");
  await first.reads(/^Saved$/);
  await isInstalled(first);

  link.sever();
  const words = Array.from({ length: 60 }, (_, i) => `${1000 + i} `).join("");
  expect(words).toHaveLength(300);
  await first.type(words);
  await first.sees(`before. ${words}`);
  await isKept(first);
  await device.crash();

  // Meanwhile somebody else goes on, and the server is killed as well.
  const other = await Person.enter(browser, "Ben");
  await other.open(direct());
  await other.sees("before. ");
  await other.goToEnd();
  await other.page.keyboard.press("Home");
  await other.type("theirs, ");
  await other.reads(/^Saved$/);
  await other.leave();
  await server.kill();
  await server.restart();

  // Still no network: the page, the text and the pill are there, and one can go on.
  const second = await device.start();
  await second.open(cut());
  await second.sees(`before. ${words}`);
  await second.goToEnd();
  await second.type("after.");
  await second.sees(`before. ${words}after.`);
  await second.page.locator(".pill-text").filter({ hasText: "Offline — 306 changes kept on this device" }).waitFor({ timeout: OFFLINE_MS });

  link.mend();
  await second.page.getByRole("button", { name: "Try now" }).click();
  await second.sees(`theirs, before. ${words}after.`);
  await second.reads(/^Saved$/);
  await othersSee(direct(), `theirs, before. ${words}after.`);

  // And once more: what is saved is not sent again as new, and is still there without a network.
  link.sever();
  await device.crash();
  const third = await device.start();
  await third.open(cut());
  await third.sees(`theirs, before. ${words}after.`);
  expect(complaints(first, second, third)).toEqual([]);
});

test("two tabs of one device without a network: the one that comes back has what both typed", async () => {
  const { cut, direct } = room();
  const left = await device.start();
  await left.open(cut());
  await left.type("middle");
  await left.reads(/^Saved$/);
  await isInstalled(left);
  const right = await Person.in(left.context);
  await right.open(cut());
  await right.sees("middle");
  await right.reads(/^Saved$/);

  link.sever();
  await left.page.bringToFront();
  await left.page.keyboard.press("Control+Home");
  await left.type("left ");
  await right.page.bringToFront();
  await right.goToEnd();
  await right.type(" right");
  await right.sees("middle right");
  await isKept(left);
  await isKept(right);
  await device.crash();

  const back = await device.start();
  await back.open(cut());
  await back.sees("left middle right");
  link.mend();
  await back.page.getByRole("button", { name: "Try now" }).click();
  await back.reads(/^Saved$/);
  await othersSee(direct(), "left middle right");
  expect(complaints(left, right, back)).toEqual([]);
});

test("a room that was made anew meanwhile is not mixed with what this device kept of the old one", async () => {
  const { cut, direct } = room();
  const first = await device.start();
  await first.open(cut());
  await first.type("of the old room");
  await first.reads(/^Saved$/);
  await isInstalled(first);
  link.sever();
  await first.type(", and more");
  await isKept(first);
  await device.crash();

  const deleted = await fetch(new URL(`api/rooms/${direct().pathname.split("/").at(-1)}`, server.url), { method: "DELETE" });
  expect(deleted.ok).toBe(true);
  const other = await Person.enter(browser, "Ben");
  await other.open(direct());
  await other.type("of the new room");
  await other.reads(/^Saved$/);

  link.mend();
  for (const _again of [1, 2]) {
    const back = await device.start();
    await back.open(cut());
    await back.reads(/sync/);
    await back.sees("of the old room, and more");
    expect(await copyOf(back)).toBe("of the old room, and more");
    expect(complaints(back)).toEqual([]);
    await device.crash();
  }
  await other.sees("of the new room");
  await other.leave();
});

test("what a device has of a room that was restored to undo damage is offered as a copy, and not merged", async () => {
  const { cut, direct } = room();
  const first = await device.start();
  await first.open(cut());
  await first.type("good");
  await first.reads(/^Saved$/);
  await isInstalled(first);
  const restored = await server.restored("--new-lineage");
  link.sever();
  await first.type(", damaged");
  await isKept(first);
  await device.crash();

  const before = server;
  server = restored;
  await before.dispose();
  link.mend();
  const back = await device.start();
  await back.open(cut());
  await back.reads(/sync/);
  await back.sees("good, damaged");
  expect(await copyOf(back)).toBe("good, damaged");
  await othersSee(direct(), "good");
  // Whoever discards it goes on with what was restored.
  back.page.once("dialog", (dialog) => void dialog.accept());
  await back.page.getByRole("button", { name: "Discard my copy" }).click();
  await back.sees("good");
  await back.reads(/^Saved$/);
  expect(complaints(back)).toEqual([]);
});

test("a new version of the page leaves open tabs what they were built with, and takes over after them", async () => {
  const folder = mkdtempSync(join(tmpdir(), "collab-page-"));
  cpSync(DIST, folder, { recursive: true });
  const before = process.env["COLLAB_PAGE_DIR"];
  process.env["COLLAB_PAGE_DIR"] = folder;
  const served = await Server.start();
  const person = await Person.enter(browser, "Ana");
  try {
    await person.open(new URL("room/version", served.url));
    await person.type("def f():");
    await person.reads(/^Saved$/);
    await isInstalled(person);
    const kept = await person.page.evaluate(async () => {
      const requests = await Promise.all((await caches.keys()).map(async (name) => (await caches.open(name)).keys()));
      return requests.flat().map(({ url }) => new URL(url).pathname);
    });
    expect(kept).toContain("/");
    expect(kept.filter((path) => path !== "/" && !path.startsWith("/assets/") && path !== "/favicon.svg")).toEqual([]);

    // A release: languages are in other files now.
    const gone = readdirSync(join(folder, "assets")).filter((file) => /^dist-.*\.js/.test(file));
    for (const file of gone) rmSync(join(folder, "assets", file));
    const worker = readFileSync(join(folder, "sw.js"), "utf8");
    writeFileSync(join(folder, "sw.js"), worker.replaceAll(/"assets\/dist-[^"]*",/g, "").replace(/"[0-9a-f]{16}"|`[0-9a-f]{16}`/, '"another version"'));
    for (const file of ["sw.js.br", "sw.js.gz"]) rmSync(join(folder, file), { force: true });
    expect((await fetch(new URL(`assets/${gone[0]}`, served.url))).status).toBe(404);
    await person.page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      await registration.update();
      const worker = registration.installing;
      if (worker) await new Promise<void>((installed) => worker.addEventListener("statechange", () => worker.state === "installed" && installed()));
    });
    await person.page.getByLabel("Language").selectOption("python");
    await person.page.locator(".cm-line span", { hasText: "def" }).first().waitFor();

    await person.page.close();
    const later = await Person.in(person.context);
    await later.open(new URL("room/version", served.url));
    await later.page.waitForFunction(async () => {
      const names = await caches.keys();
      return names.length === 1 && names[0]?.endsWith(":another version");
    });
    expect(complaints(person, later)).toEqual([]);
  } finally {
    await person.leave();
    await served.dispose();
    rmSync(folder, { recursive: true });
    if (before === undefined) delete process.env["COLLAB_PAGE_DIR"];
    else process.env["COLLAB_PAGE_DIR"] = before;
  }
});
