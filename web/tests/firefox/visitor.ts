/** Somebody at a Firefox: types, looks, reads the pill. The same as `Person` of the other browser
 *  tests, over WebDriver BiDi, the only way to drive the Firefox that distributions ship. */
import { existsSync } from "node:fs";
import puppeteer, { type Browser, type KeyInput, type Page } from "puppeteer-core";

/** How long anything that depends on the network may take on a busy machine, in milliseconds. */
export const PATIENCE_MS = 30_000;

/** How long a browser may take to start on a busy machine, in milliseconds. */
const START_MS = 60_000;

const USUAL_PLACES = ["/usr/bin/firefox-esr", "/usr/bin/firefox"] as const;

async function launchFirefox(): Promise<Browser> {
  const asked = process.env["COLLAB_TEST_FIREFOX"];
  const executablePath = (asked ? [asked] : USUAL_PLACES).find(existsSync);
  if (!executablePath) throw new Error("Firefox is missing: install the package firefox-esr, or set COLLAB_TEST_FIREFOX to its program");
  return puppeteer.launch({ browser: "firefox", executablePath, headless: true, timeout: START_MS, protocolTimeout: START_MS });
}

export class Visitor {
  /** Errors in scripts. */
  readonly complaints: string[] = [];

  private constructor(
    private readonly browser: Browser,
    readonly page: Page,
  ) {}

  /** Starts a browser of their own: of two windows in one, only that in front takes keys. */
  static async enter(name: string): Promise<Visitor> {
    const browser = await launchFirefox();
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    await page.setViewport({ width: 1_000, height: 700 });
    await page.evaluateOnNewDocument((mine) => {
      if (location.protocol === "http:") localStorage.setItem("collab.name", mine);
    }, name);
    const visitor = new Visitor(browser, page);
    page.on("pageerror", (error) => {
      // A lost line is a part of the test; Firefox reports it as an error of the page.
      if (!/establish a connection|connection to .* was interrupted/.test(String(error))) visitor.complaints.push(String(error));
    });
    return visitor;
  }

  async open(url: URL): Promise<void> {
    await this.page.goto(url.href);
    await this.hasEditor();
  }

  async hasEditor(): Promise<void> {
    await this.page.waitForSelector(".cm-content[contenteditable=true]");
  }

  /** The text as it stands on the screen, without what is only shown. */
  async text(): Promise<string> {
    return this.page.evaluate(() =>
      [...document.querySelectorAll(".cm-line")]
        .map((line) => {
          const copy = line.cloneNode(true) as Element;
          for (const hint of copy.querySelectorAll(".cm-placeholder, .collab-ghost")) hint.remove();
          return copy.textContent ?? "";
        })
        .join("\n"),
    );
  }

  /** Resolves once the text is as wanted; rejects with what it is instead. */
  async sees(wanted: string): Promise<void> {
    await this.until(async () => {
      const text = await this.text();
      return text === wanted ? undefined : `sees ${JSON.stringify(text)} instead of ${JSON.stringify(wanted)}`;
    });
  }

  /** Resolves once the pill has this text. */
  async reads(wanted: RegExp): Promise<void> {
    await this.until(async () => {
      const text = await this.page.$eval(".pill-text", (pill) => pill.textContent ?? "");
      return wanted.test(text) ? undefined : `reads ${JSON.stringify(text)} instead of ${wanted}`;
    });
  }

  /** Resolves once exactly these people's carets are on the screen. */
  async seesCarets(names: readonly string[]): Promise<void> {
    const wanted = [...names].sort().join();
    await this.until(async () => {
      const carets = await this.page.$$eval(".collab-caret-name", (all) => all.map((name) => name.textContent ?? ""));
      return carets.sort().join() === wanted ? undefined : `sees carets of ${carets.join()} instead of ${wanted}`;
    });
  }

  /** Presses the button that a screen reader calls so. */
  async click(name: string): Promise<void> {
    await this.page.locator(`::-p-aria([name="${name}"][role="button"])`).click();
  }

  async type(text: string, delay = 0): Promise<void> {
    await this.page.keyboard.type(text, { delay });
  }

  /** One key, or several held together: "Control+z". */
  async press(keys: string): Promise<void> {
    const all = keys.split("+") as KeyInput[];
    for (const key of all) await this.page.keyboard.down(key);
    for (const key of all.reverse()) await this.page.keyboard.up(key);
  }

  async goToEnd(): Promise<void> {
    await this.page.focus(".cm-content");
    await this.press("Control+End");
  }

  async leave(): Promise<void> {
    await this.browser.close();
  }

  /** Asks each frame until nothing is wrong any more; rejects with what is. */
  private async until(wrong: () => Promise<string | undefined>): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const what = await wrong();
      if (what === undefined) return;
      if (Date.now() > deadline) throw new Error(what);
      await this.page.evaluate(() => new Promise((next) => setTimeout(next, 16)));
    }
  }
}
