/** Chromium as the figures need it: a fresh profile for each visit, its developer protocol, and its
 *  clock. Must not know what is measured. */
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from "playwright-core";

/** CSS pixels. */
const WINDOW = { width: 1280, height: 800 };

/** A frame as soon as there is something to paint, rather than when a screen asks for one. */
const NO_SCREEN = ["--disable-frame-rate-limit", "--disable-gpu-vsync"];

export async function launch(frames: "at once" | "60 Hz"): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["COLLAB_TEST_CHROMIUM"] ?? "/usr/bin/chromium",
    args: frames === "at once" ? NO_SCREEN : [],
  });
}

export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly protocol: CDPSession;
}

/** Somebody's first visit: nothing cached, nothing kept. `still`: nothing blinks, slides or fades. Without
 *  a screen that says when, such things ask for one frame after the other, as many as the machine can
 *  draw, and all else would be measured beside that. */
export async function visit(browser: Browser, { still = false } = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: WINDOW, locale: "en-GB", reducedMotion: still ? "reduce" : "no-preference" });
  const page = await context.newPage();
  const protocol = await context.newCDPSession(page);
  if (still) {
    // The editor's caret blinks all the same.
    await protocol.send("Animation.enable");
    await protocol.send("Animation.setPlaybackRate", { playbackRate: 0 });
  }
  return { context, page, protocol };
}

/**
 * What to add to this process' `performance.now()` for the page's: measured across the shortest of
 * some questions, so it is wrong by at most half of that one's time.
 */
export async function clockOf(page: Page): Promise<{ readonly offset: number; readonly error: number }> {
  let best = { offset: 0, error: Infinity };
  for (let i = 0; i < 50; i += 1) {
    const before = performance.now();
    const there = await page.evaluate(() => performance.now());
    const after = performance.now();
    const error = (after - before) / 2;
    if (error < best.error) best = { offset: there - (before + after) / 2, error };
  }
  return best;
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((passed) => setTimeout(passed, milliseconds));
}
