/** The published Yjs packages and the page in one room. */
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { WebsocketProvider } from "y-websocket";
import * as Y from "yjs";
import { launchBrowser, PATIENCE_MS, Person } from "./harness/person.js";
import { Server } from "./harness/server.js";

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

/** A y-websocket client as its users make one. */
function client(room: string): { doc: Y.Doc; text: Y.Text; provider: WebsocketProvider } {
  const doc = new Y.Doc();
  const provider = new WebsocketProvider(new URL("yjs", server.url).href.replace(/^http/, "ws"), room, doc, {
    WebSocketPolyfill: WebSocket as unknown as typeof globalThis.WebSocket,
    disableBc: true,
  });
  return { doc, text: doc.getText("file:main"), provider };
}

/** Resolves once `done()`; asked again at every change of the document or of who is there. */
async function until(what: string, { doc, provider }: { doc: Y.Doc; provider: WebsocketProvider }, done: () => boolean): Promise<void> {
  await new Promise<void>((reached, failed) => {
    const timer = setTimeout(() => failed(new Error(`waited in vain for: ${what}`)), PATIENCE_MS);
    const look = () => {
      if (!done()) return;
      clearTimeout(timer);
      doc.off("update", look);
      provider.awareness.off("change", look);
      provider.off("sync", look);
      reached();
    };
    doc.on("update", look);
    provider.awareness.on("change", look);
    provider.on("sync", look);
    look();
  });
}

interface Entry {
  readonly user?: { readonly name?: string; readonly color?: string };
  readonly cursor?: { readonly anchor: unknown; readonly head: unknown } | null;
}

test("text and carets go both ways, and people are gone when they leave", async () => {
  const room = "mixed";
  const yjs = client(room);
  const page = await Person.enter(browser, "Page Person");
  await page.open(new URL(`room/${room}`, server.url));
  await page.goToEnd();
  await page.type("from the page 😀\n");
  await until("the page's text", yjs, () => yjs.text.toString() === "from the page 😀\n");
  yjs.text.insert(yjs.text.length, "from yjs 𝕏");
  await page.sees("from the page 😀\nfrom yjs 𝕏");

  // The page's caret, read as y-codemirror.next reads it.
  const entry = () =>
    [...yjs.provider.awareness.getStates().values()].map((state) => state as Entry).find((state) => state.user?.name === "Page Person");
  const index = (position: unknown) =>
    Y.createAbsolutePositionFromRelativePosition(Y.createRelativePositionFromJSON(position), yjs.doc)?.index;
  await until("the page's caret", yjs, () => {
    const cursor = entry()?.cursor;
    return cursor != null && index(cursor.head) === 17 && index(cursor.anchor) === 17;
  });
  expect(entry()?.user?.color).toMatch(/^#[0-9a-f]{6}$/);
  await page.page.keyboard.press("Shift+Control+Home");
  await until("the page's selection", yjs, () => {
    const cursor = entry()?.cursor;
    return cursor != null && index(cursor.head) === 0 && index(cursor.anchor) === 17;
  });

  // A caret as y-codemirror.next writes it: a selection over "yjs".
  yjs.provider.awareness.setLocalState({
    user: { name: "Yjs Person", color: "#0f7c72", colorLight: "#0f7c7233" },
    cursor: {
      anchor: Y.createRelativePositionFromTypeIndex(yjs.text, 22),
      head: Y.createRelativePositionFromTypeIndex(yjs.text, 25),
    },
  });
  await page.seesCarets(["Yjs Person"]);
  const selected = page.page.locator(".collab-selection");
  await selected.waitFor();
  const caretLeft = async () => (await page.page.locator(".collab-caret").boundingBox())?.x ?? 0;
  const before = await caretLeft();
  // Text before it moves it along.
  yjs.text.insert(17, "now ");
  await page.sees("from the page 😀\nnow from yjs 𝕏");
  await expect.poll(caretLeft, { timeout: PATIENCE_MS }).toBeGreaterThan(before);
  // And the end of the text is a place, too.
  yjs.provider.awareness.setLocalStateField("cursor", {
    anchor: Y.createRelativePositionFromTypeIndex(yjs.text, yjs.text.length),
    head: Y.createRelativePositionFromTypeIndex(yjs.text, yjs.text.length),
  });
  await selected.waitFor({ state: "detached" });
  await page.seesCarets(["Yjs Person"]);

  // The room's name is in a map, and anybody's.
  const meta = yjs.doc.getMap("meta");
  await page.page.getByTitle("Rename this room").click();
  await page.page.getByRole("textbox", { name: "Name of this room" }).fill("From the page");
  await page.page.keyboard.press("Enter");
  await until("the name that the page gave", yjs, () => meta.get("name") === "From the page");
  meta.set("name", "From yjs");
  await page.page.getByTitle("Rename this room").filter({ hasText: "From yjs" }).waitFor();

  yjs.provider.awareness.setLocalState(null);
  await page.seesCarets([]);
  yjs.provider.awareness.setLocalState({ user: { name: "Yjs Person" } });
  await page.page.getByRole("button", { name: "People: 2 here" }).click();
  await page.page.getByRole("listitem", { name: "Yjs Person" }).waitFor();
  yjs.provider.destroy();
  await page.page.getByRole("listitem", { name: "Yjs Person" }).waitFor({ state: "detached" });

  const witness = client(room);
  await until("a new client to see the page", witness, () =>
    [...witness.provider.awareness.getStates().values()].some((state) => (state as Entry).user?.name === "Page Person"));
  await page.leave();
  await until("the page to be gone", witness, () => witness.provider.awareness.getStates().size === 1);
  expect(witness.text.toString()).toBe("from the page 😀\nnow from yjs 𝕏");
  expect(page.complaints).toEqual([]);
  witness.provider.destroy();
});

test("edits at the same place converge, and an editor that was away brings its work", async () => {
  const room = "away";
  const yjs = client(room);
  const page = await Person.enter(browser, "Page Person");
  await page.open(new URL(`room/${room}`, server.url));
  await page.goToEnd();
  await page.type("start");
  await until("the start", yjs, () => yjs.text.toString() === "start");
  yjs.provider.disconnect();
  for (let i = 0; i < 1_000; i += 1) yjs.text.insert(i % 7, "y");
  await page.type(" and typed here meanwhile");
  await page.reads(/^Saved$/);
  yjs.provider.connect();
  await until("both", yjs, () => yjs.text.toString().includes("typed here meanwhile"));
  const merged = yjs.text.toString();
  expect([...merged].filter((c) => c === "y").length).toBe(1_001);
  await page.sees(merged);
  yjs.provider.destroy();
  await page.leave();
});
