/** Somebody at a browser: types, looks, reads the pill. Sees only what is on the screen. */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** How long anything that depends on the network may take on a busy machine, in milliseconds. */
export const PATIENCE_MS = 30_000;

/** Starts a browser, with more flags than every test needs. */
export async function launchBrowser(...args: string[]): Promise<Browser> {
  return chromium.launch({ executablePath: process.env["COLLAB_TEST_CHROMIUM"] ?? "/usr/bin/chromium", args });
}

export class Person {
  /** What the browser complained of: errors in scripts and breaches of the security policy. */
  readonly complaints: string[] = [];

  private constructor(
    readonly context: BrowserContext,
    readonly page: Page,
  ) {}

  /** Opens a context of their own (storage, cookies, name). */
  static async enter(browser: Browser, name: string, options: Parameters<Browser["newContext"]>[0] = {}): Promise<Person> {
    const context = await browser.newContext(options);
    await context.addInitScript((mine) => localStorage.setItem("collab.name", mine), name);
    return Person.in(context);
  }

  /** A new tab in a context that is there. */
  static async in(context: BrowserContext): Promise<Person> {
    const page = await context.newPage();
    const person = new Person(context, page);
    page.on("pageerror", (error) => person.complaints.push(String(error)));
    page.on("console", (message) => {
      // A lost line is what these tests are about; anything else is a fault.
      // A room that nobody has entered has no text yet, which the page asks for first.
      if (message.location().url.endsWith("/files/main")) return;
      if (message.type() === "error" && !/WebSocket|ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET/.test(message.text())) {
        person.complaints.push(message.text());
      }
    });
    return person;
  }

  async open(url: URL): Promise<void> {
    await this.page.goto(url.href);
    try {
      await this.page.locator(".cm-content[contenteditable=true]").waitFor();
    } catch (error) {
      const screen = await this.page.locator("body").innerText();
      throw new Error(`no editor at ${url}, but: ${screen}\n${this.complaints.join("\n")}`, { cause: error });
    }
  }

  /** The text as it stands on the screen. Only for texts that fit it. */
  async text(): Promise<string> {
    return this.page.locator(".cm-content").evaluate((content) =>
      [...content.querySelectorAll(".cm-line")]
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
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const text = await this.text();
      if (text === wanted) return;
      if (Date.now() > deadline) throw new Error(`sees ${JSON.stringify(text)} instead of ${JSON.stringify(wanted)}`);
      await this.page.evaluate(() => new Promise((next) => requestAnimationFrame(next)));
    }
  }

  async pill(): Promise<string> {
    return this.page.locator(".pill-text").innerText();
  }

  /** Resolves once the pill has this text. */
  async reads(wanted: RegExp): Promise<void> {
    await this.page.locator(".pill-text").filter({ hasText: wanted }).waitFor({ timeout: PATIENCE_MS });
  }

  /** Puts the caret at the end of the text. */
  async goToEnd(): Promise<void> {
    await this.page.locator(".cm-content").focus();
    await this.page.keyboard.press("Control+End");
  }

  /** Types with a pause after each key, in milliseconds. */
  async type(text: string, delay = 0): Promise<void> {
    await this.page.keyboard.type(text, { delay });
  }

  /** The names beside other people's carets. */
  async carets(): Promise<string[]> {
    return this.page.locator(".collab-caret-name").allTextContents();
  }

  /** Resolves once exactly these people's carets are on the screen. */
  async seesCarets(names: readonly string[]): Promise<void> {
    await this.page.waitForFunction(
      (wanted) => {
        const shown = [...document.querySelectorAll(".collab-caret-name")].map((name) => name.textContent);
        return JSON.stringify(shown.sort()) === wanted;
      },
      JSON.stringify([...names].sort()),
      { timeout: PATIENCE_MS },
    );
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}
