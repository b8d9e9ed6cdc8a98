/** Takes the picture for the README: two people in one room, seen by one of them. Writes
 *  `docs/images/two-people.png`; not part of the tests. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "vitest";
import { launchBrowser, Person } from "../e2e/harness/person.js";
import { Server } from "../e2e/harness/server.js";

const PICTURE = fileURLToPath(new URL("../../../docs/images/two-people.png", import.meta.url));

const PROGRAM = `from collections import Counter


def most_common_words(text: str, n: int = 3) -> list[str]:
    """The n words that occur most often, best first."""
    words = text.lower().split()
    return [word for word, _ in Counter(words).most_common(n)]


class Notebook:
    def __init__(self) -> None:
        self.pages: list[str] = []

    def write(self, page: str) -> None:
        self.pages.append(page)

    def summary(self) -> str:
        # Both of us are in here right now
        return ", ".join(most_common_words(" ".join(self.pages)))
`;

test("two people typing", async () => {
  const server = await Server.start();
  const browser = await launchBrowser();
  try {
    const made = await fetch(new URL("api/rooms", server.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: "Word counter", language: "python", text: PROGRAM }),
    });
    const { roomId } = (await made.json()) as { roomId: string };
    const room = new URL(`room/${roomId}`, server.url);
    const view = { viewport: { width: 1120, height: 620 }, deviceScaleFactor: 2, colorScheme: "light" as const };
    const ana = await Person.enter(browser, "Ana", view);
    const ben = await Person.enter(browser, "Ben", view);
    await ana.open(room);
    await ben.open(room);

    // Ben writes at the end of the class and selects some of it; Ana has her caret in the middle.
    await ben.goToEnd();
    await ben.type("\n    def pages_about(self, topic: str):\n");
    await ana.page.locator(".cm-line", { hasText: "pages_about" }).waitFor();
    await ana.page.locator(".cm-line", { hasText: "words = text" }).click();
    await ana.page.keyboard.press("End");
    await ana.reads(/^Saved$/);
    await ben.type("return [page for page in self.pages if topic in page]", 15);
    await ben.page.keyboard.press("ArrowLeft");
    for (let word = 0; word < 3; word += 1) await ben.page.keyboard.press("Shift+Control+ArrowLeft");
    await ana.seesCarets(["Ben"]);
    await ana.page.locator(".collab-caret-labelled").waitFor();
    await ana.page.locator(".collab-selection").waitFor();
    // The name fades in; the picture is of the end of that.
    await ana.page.waitForFunction(() => {
      const name = document.querySelector(".collab-caret-name");
      return name !== null && getComputedStyle(name).opacity === "1";
    });
    mkdirSync(fileURLToPath(new URL(".", `file://${PICTURE}`)), { recursive: true });
    await ana.page.screenshot({ path: PICTURE });
    await ana.page.emulateMedia({ colorScheme: "dark" });
    const dark = process.env["COLLAB_SCREENSHOT_DARK"];
    if (dark) await ana.page.screenshot({ path: dark });
  } finally {
    await browser.close();
    await server.dispose();
  }
});
