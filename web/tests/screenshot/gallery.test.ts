/** Takes the pictures of `docs/GALLERY.md`: the same rooms, people and colours each time. Writes
 *  `docs/images/*.png`; not part of the tests. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContextOptions } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { Guest } from "../e2e/harness/guest.js";
import { Link } from "../e2e/harness/link.js";
import { launchBrowser, PATIENCE_MS, Person } from "../e2e/harness/person.js";
import { Server } from "../e2e/harness/server.js";

const FOLDER = fileURLToPath(new URL("../../../docs/images/", import.meta.url));

const SCREEN: BrowserContextOptions = { viewport: { width: 1_280, height: 800 }, deviceScaleFactor: 1, colorScheme: "light" };
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true, colorScheme: "light" };

/** Who is in the pictures, in colours of the page's palette. */
const PEOPLE = { Ana: "#0871c2", Ben: "#ac5804", Cleo: "#904ecc" } as const;

/** Where the pictures' server seems to be: the address is in some of them. */
const HOST = "collab.example";

const ROOM = "word-counter";
/** What the start page lists besides. */
const VISITED = ["interview-maya", "advent-of-code/2026-12-01"] as const;

const PROGRAM = `from collections import Counter
from dataclasses import dataclass, field


def most_common_words(text: str, n: int = 3) -> list[str]:
    """The n words that occur most often, best first."""
    words = text.lower().split()
    return [word for word, _ in Counter(words).most_common(n)]


@dataclass
class Notebook:
    pages: list[str] = field(default_factory=list)

    def write(self, page: str) -> None:
        self.pages.append(page)

    def pages_about(self, topic: str) -> list[str]:
        return [page for page in self.pages if topic in page]

    def summary(self) -> str:
        # Both of us are in here right now
        return ", ".join(most_common_words(" ".join(self.pages)))


notebook = Notebook()
notebook.write("Write code together, in one room, from anywhere.")
notebook.write("Nobody's edits are lost, whoever is offline.")
print(notebook.summary())

`;

let browser: Browser;
let server: Server;
let link: Link;
let guests: readonly Guest[];

beforeAll(async () => {
  mkdirSync(FOLDER, { recursive: true });
  server = await Server.start();
  link = await Link.to(() => server.port);
  browser = await launchBrowser("--hide-scrollbars", `--host-resolver-rules=MAP ${HOST} ${link.url.host}`);
  const ben = new Guest(server.url, ROOM);
  const cleo = new Guest(server.url, ROOM);
  guests = [ben, cleo];
  await Promise.all(guests.map((guest) => guest.synced()));
  ben.text().insert(0, PROGRAM);
  ben.doc.getMap("meta").set("name", "Word counter");
  ben.doc.getMap("meta").set("language", "python");
  while (cleo.text().toString() !== PROGRAM) await new Promise((next) => cleo.doc.once("update", next));
  placeGuests();
});

afterAll(async () => {
  for (const guest of guests ?? []) await guest.leave();
  await browser?.close();
  await link?.dispose();
  await server?.dispose();
});

const START = new URL(`http://${HOST}/`);

const roomAt = (room: string) => new URL(`room/${room}`, START);

/** Ben behind a word that he has selected, Cleo at the end of a line. */
function placeGuests(): void {
  const [ben, cleo] = guests;
  const after = (text: string) => PROGRAM.indexOf(text) + text.length;
  ben?.is("Ben", PEOPLE.Ben, after("for page in self.pages"), after("for page in "));
  cleo?.is("Cleo", PEOPLE.Cleo, after("words = text.lower().split()"));
}

async function ana(options: BrowserContextOptions): Promise<Person> {
  const person = await Person.enter(browser, "Ana", { ...options, serviceWorkers: "block", locale: "en-GB", reducedMotion: "reduce" });
  await person.context.addInitScript((color) => {
    localStorage.setItem("collab.color", color);
    localStorage.setItem("collab.settings", JSON.stringify({ labels: "always" }));
  }, PEOPLE.Ana);
  await person.open(roomAt(ROOM));
  await person.reads(/^Saved$/);
  await person.page.locator('.cm-content[data-language="python"]').waitFor();
  return person;
}

async function withCarets(options: BrowserContextOptions): Promise<Person> {
  const person = await ana(options);
  await person.seesCarets(["Ben", "Cleo"]);
  await person.page.locator(".cm-line", { hasText: "def summary" }).click();
  await person.page.keyboard.press("End");
  await person.page.locator(".collab-selection").first().waitFor();
  return person;
}

async function picture({ page }: Person, name: string): Promise<void> {
  // A caret that blinks would be there in one picture and not in the next.
  await page.addStyleTag({ content: ".cm-cursorLayer { animation: none !important }" }).catch(() => {});
  // Nor may the pointer lie on a button.
  await page.mouse.move(700, 250);
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({ path: `${FOLDER}${name}.png` });
}

async function ghost(person: Person): Promise<void> {
  await person.goToEnd();
  await person.type("for ");
  await person.page.locator(".collab-ghost").first().waitFor({ timeout: PATIENCE_MS });
}

/** Leaves the text as it was for the next picture. */
async function takeBack(person: Person): Promise<void> {
  await person.page.keyboard.press("Escape");
  for (let i = 0; i < "for ".length; i += 1) await person.page.keyboard.press("Backspace");
  await person.reads(/^Saved$/);
}

test("start", async () => {
  const person = await ana(SCREEN);
  for (const room of VISITED) {
    await person.open(roomAt(room));
    await person.reads(/^Saved$/);
  }
  await person.page.goto(START.href);
  await person.page.locator(".recent li").nth(VISITED.length).waitFor();
  await picture(person, "start");
  await person.leave();
});

test("two people with carets, share, people, dark, and few colours", async () => {
  const person = await withCarets(SCREEN);
  const { page } = person;
  await picture(person, "carets");
  await page.getByRole("button", { name: "Share", exact: true }).click();
  await page.getByRole("img", { name: "QR code of the link" }).waitFor();
  await picture(person, "share");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "People: 3 here" }).click();
  await page.getByRole("dialog", { name: "People" }).waitFor();
  await picture(person, "people");
  await page.keyboard.press("Escape");
  await page.locator(".cm-content").focus();
  await page.emulateMedia({ colorScheme: "dark" });
  await picture(person, "dark");
  await page.emulateMedia({ colorScheme: "dark", forcedColors: "active" });
  await picture(person, "high-contrast");
  await person.leave();
});

test("ghost text", async () => {
  const person = await withCarets(SCREEN);
  await ghost(person);
  await picture(person, "ghost");
  await takeBack(person);
  await person.leave();
});

/** Writes in the place of something, letter by letter. */
function rewrite(guest: Guest, was: string, is: string): void {
  const text = guest.text();
  const at = text.toString().indexOf(was);
  text.delete(at, was.length);
  [...is].forEach((letter, i) => text.insert(at + i, letter));
}

test("history: a comparison, a restore while Ben writes, a replay", async () => {
  const [ben, cleo] = guests;
  if (!ben || !cleo) throw new Error("the guests are here");
  const OLD = "words = text.split(' ')";
  const NEW = "words = text.lower().split()";
  const REMINDER = "        # Both of us are in here right now\n";
  const before = PROGRAM.replace(NEW, OLD).replace(REMINDER, "");
  ben.text().delete(PROGRAM.indexOf(REMINDER), REMINDER.length);
  rewrite(ben, NEW, OLD);
  while (cleo.text().toString() !== before) await new Promise((next) => cleo.doc.once("update", next));
  await fetch(new URL(`api/rooms/${ROOM}/versions`, server.url), {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name: "before the summary" }),
  });
  rewrite(ben, OLD, NEW);
  const place = PROGRAM.indexOf(REMINDER);
  while (cleo.text().toString() !== PROGRAM.replace(REMINDER, "")) await new Promise((next) => cleo.doc.once("update", next));
  [...REMINDER].forEach((letter, i) => cleo.text().insert(place + i, letter));
  while (ben.text().toString() !== PROGRAM) await new Promise((next) => ben.doc.once("update", next));
  placeGuests();
  const person = await withCarets(SCREEN);
  const { page } = person;
  await page.keyboard.press("Control+Alt+h");
  await page.locator(".version", { hasText: "before the summary" }).click();
  await page.getByText("Since then").waitFor();
  const REMARK = "  # Ben writes here";
  ben.text().insert(PROGRAM.indexOf("lower().split()") + "lower().split()".length, REMARK);
  await page.getByRole("button", { name: "1 new edit" }).waitFor();
  await picture(person, "history");
  await page.getByRole("button", { name: "Restore", exact: true }).click();
  await page.locator(".cm-line", { hasText: "text.split(' ')" }).waitFor();
  await page.locator(".cm-line", { hasText: REMARK.trim() }).waitFor();
  await person.reads(/^Saved$/);
  await picture(person, "restore");
  await page.keyboard.press("Control+z");
  await page.locator(".cm-line", { hasText: "Both of us" }).waitFor();
  ben.text().delete(ben.text().toString().indexOf(REMARK), REMARK.length);
  await page.getByRole("button", { name: "Replay everything" }).click();
  // Back to where Cleo's reminder is half written.
  await page.getByRole("button", { name: "On to the end" }).click();
  const back = page.getByRole("button", { name: "One change back" });
  const reminder = page.locator(".stage-text .cm-line", { hasText: "# Both of us" });
  while ((await reminder.count()) === 0 || (await reminder.first().textContent())?.includes("here right")) await back.click();
  await page.locator(".collab-replay-caret").waitFor({ state: "attached" });
  await picture(person, "replay");
  await person.leave();
  placeGuests();
});

test("offline", async () => {
  const person = await ana(SCREEN);
  await person.page.locator(".cm-line", { hasText: "def summary" }).click();
  await person.page.keyboard.press("End");
  link.sever();
  await person.reads(/^(Reconnecting|Offline)/);
  await person.type("\n# Written on the train", 5);
  await person.reads(/^Offline .* kept on this device$/);
  await picture(person, "offline");
  await person.leave();
  link.mend();
});

test("phone", async () => {
  const person = await withCarets(PHONE);
  await ghost(person);
  await person.page.getByRole("button", { name: "Accept suggestion" }).waitFor();
  await picture(person, "phone");
  await takeBack(person);
  await person.leave();
});
