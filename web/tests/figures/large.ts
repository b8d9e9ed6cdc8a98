/**
 * How long a text of 10,000 lines takes to open.
 *
 * Two ends: from the moment the text is in the browser (the answer over HTTP or the socket's largest
 * message is complete) to the frame that shows its first screen; and, for somebody who was here
 * before and so has the page's files already, from the navigation to that frame.
 */
import type { Browser, Page } from "playwright-core";
import { visit } from "./browser.js";
import { MARKER } from "./rooms.js";
import { addressOf, type Subject } from "./subjects.js";
import { ready } from "./typing.js";

export interface Large {
  /** Milliseconds from text to paint, at the first visit. */
  readonly painting: number;
  /** Milliseconds from navigation to paint, at the second. */
  readonly again: number;
}

interface Arrival {
  /** The page's milliseconds. */
  text: number;
  shown: number;
}

declare global {
  interface Window {
    arrival: Arrival;
  }
}

export async function measureLarge(browser: Browser, subject: Subject, room: string): Promise<Large> {
  const { context, page } = await visit(browser);
  try {
    await context.addInitScript(watch, MARKER);
    await page.goto(addressOf(subject, room));
    const first = await arrival(page, subject);
    if (subject.kind === "collab") {
      // Once it is kept, the page's own files come from this machine.
      await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    }
    await page.goto("about:blank");
    await page.goto(addressOf(subject, room));
    const second = await arrival(page, subject);
    return { painting: first.shown - first.text, again: second.shown };
  } finally {
    await context.close();
  }
}

async function arrival(page: Page, subject: Subject): Promise<Arrival> {
  await page.waitForFunction(() => window.arrival.shown > 0);
  await ready(page, subject);
  return page.evaluate(() => {
    const [http] = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/files/main")) as PerformanceResourceTiming[];
    return { ...window.arrival, text: http?.responseEnd ?? window.arrival.text };
  });
}

/** In the page, before anything of it runs. */
function watch(marker: string): void {
  const seen: Arrival = { text: 0, shown: 0 };
  window.arrival = seen;
  let largest = 0;
  window.WebSocket = class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      this.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
        const size = data instanceof ArrayBuffer ? data.byteLength : 0;
        if (size <= largest || seen.shown > 0) return;
        largest = size;
        seen.text = performance.now();
      });
    }
  };
  let found = false;
  new MutationObserver(() => {
    if (found || !document.querySelector(".cm-line")?.textContent?.includes(marker)) return;
    found = true;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (seen.shown = performance.now());
      port2.postMessage(null);
    });
  }).observe(document, { subtree: true, childList: true, characterData: true });
}
