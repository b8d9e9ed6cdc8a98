/** Somebody's own computer: a browser whose disk outlives it, and which can be killed. (Playwright's
 *  persistent contexts close politely only.) Must not know what is done with it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { Person } from "./person.js";

/** How long a browser may take to start on a busy machine, in milliseconds. */
const START_MS = 60_000;

export class Device {
  private readonly profile = mkdtempSync(join(tmpdir(), "collab-device-"));
  private process: ChildProcess | undefined;
  private browser: Browser | undefined;

  /** Starts the browser, as it was left. Resolves to the person in a new tab. */
  async start(): Promise<Person> {
    const child = spawn(
      process.env["COLLAB_TEST_CHROMIUM"] ?? "/usr/bin/chromium",
      [
        "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--no-default-browser-check",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        "--remote-debugging-port=0", `--user-data-dir=${this.profile}`,
      ],
      // A group of its own, so that its helpers go with it.
      { stdio: ["ignore", "ignore", "pipe"], detached: true },
    );
    this.process = child;
    const address = await new Promise<string>((found, failed) => {
      let said = "";
      const timer = setTimeout(() => failed(new Error(`the browser did not start:\n${said}`)), START_MS);
      child.stderr.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
        if (!address) return;
        clearTimeout(timer);
        found(address);
      });
      child.once("exit", (code) => failed(new Error(`the browser ended with ${code}:\n${said}`)));
    });
    this.browser = await chromium.connectOverCDP(address);
    const [context] = this.browser.contexts();
    if (!context) throw new Error("the browser has no profile");
    return Person.in(context);
  }

  /** The power goes: no page and no browser has a chance to do anything. */
  async crash(): Promise<void> {
    const child = this.process;
    this.process = undefined;
    if (!child?.pid || child.exitCode !== null) return;
    const ended = once(child, "exit");
    process.kill(-child.pid, "SIGKILL");
    await ended;
    await this.browser?.close().catch(() => {});
  }

  /** Ends it and wipes its disk. */
  async dispose(): Promise<void> {
    await this.crash();
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}
