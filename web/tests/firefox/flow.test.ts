/** The main flow in the second browser: two people, from the start page on. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Link } from "../e2e/harness/link.js";
import { Server } from "../e2e/harness/server.js";
import { Visitor } from "./visitor.js";

let server: Server;
const open: Visitor[] = [];
/** Keeps its address while the server gets another one. */
let link: Link;

beforeAll(async () => {
  server = await Server.start();
  link = await Link.to(() => server.port);
});

afterAll(async () => {
  for (const visitor of open) await visitor.leave();
  await link?.dispose();
  await server?.dispose();
});

test("two people: a room, one line at once, carets, undo, a suggestion, the link, and nothing lost offline", async () => {
  const ana = await Visitor.enter("Ana");
  open.push(ana);
  const ben = await Visitor.enter("Ben");
  open.push(ben);

  // A room by Enter; the other comes by its link.
  await ana.page.goto(link.url.href);
  await ana.page.waitForFunction(() => document.activeElement?.textContent === "New room");
  await ana.press("Enter");
  await ana.hasEditor();
  await ana.reads(/^Saved$/);
  await ana.type("left | right");
  await ana.reads(/^Saved$/);
  await ana.click("Share");
  const room = await ana.page.$eval("[aria-label='Link to this room']", (field) => (field as HTMLInputElement).value);
  expect(room).toBe(ana.page.url());
  await ana.page.waitForSelector("[aria-label='QR code of the link']");
  await ana.click("Copy");
  await ana.page.waitForFunction(() => /Copied ✓|The link is selected/.test(document.querySelector("#share")?.textContent ?? ""));
  await ana.press("Escape");
  await ben.open(new URL(room));
  await ben.sees("left | right");

  // Both at once, in one line.
  await ana.page.focus(".cm-content");
  await ana.press("Control+Home");
  await ben.goToEnd();
  await Promise.all([ana.type("from the left "), ben.type(" from the right")]);
  const both = "from the left left | right from the right";
  await ana.sees(both);
  await ben.sees(both);
  await ana.seesCarets(["Ben"]);
  await ben.seesCarets(["Ana"]);

  // Ctrl+Z takes back one's own, only.
  await ana.press("Control+z");
  await ana.sees("left | right from the right");
  await ben.sees("left | right from the right");
  await ana.press("Control+y");
  await ben.sees(both);

  // A suggestion, of which the other sees nothing before it is accepted.
  await ana.page.select("[aria-label='Language']", "python");
  await ana.page.waitForSelector('.cm-content[data-language="python"]');
  await ana.goToEnd();
  await ana.press("Enter");
  await ana.type("import ");
  await ana.page.waitForSelector(".collab-ghost");
  await ben.sees(`${both}\nimport `);
  await ana.press("Tab");
  await ben.sees(`${both}\nimport os`);
  await ana.reads(/^Saved$/);

  // The server goes, both go on, it comes back, and so does everything.
  await server.terminate();
  await ana.reads(/^(Reconnecting|Offline)/);
  await ben.reads(/^(Reconnecting|Offline)/);
  await ana.type("\nana meanwhile");
  await ben.page.focus(".cm-content");
  await ben.press("Control+Home");
  await ben.type("ben meanwhile ");
  await ana.reads(/^(Reconnecting|Offline)/);
  await server.restart();
  await Promise.all([ana.reads(/^Saved$/), ben.reads(/^Saved$/)]);
  const all = `ben meanwhile ${both}\nimport os\nana meanwhile`;
  await ana.sees(all);
  await ben.sees(all);

  // And is there after a reload.
  await ana.page.reload();
  await ana.hasEditor();
  await ana.sees(all);
  await ana.seesCarets(["Ben"]);
  expect([...ana.complaints, ...ben.complaints]).toEqual([]);
});
