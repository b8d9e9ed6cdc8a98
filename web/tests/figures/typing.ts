/**
 * From a key to what it does on the screen, while ten people type around it in a text of 1 MB.
 *
 * From the key event's own time (when the browser received it, before the page had a moment to
 * handle it) to the end of the frame that shows it: `requestAnimationFrame` begins that frame, and a
 * message posted from there comes after its styles, layout and painting. What the compositor does
 * then is not in it; the browser's own Event Timing, in steps of 8 ms, is asked beside it.
 *
 * Measured twice: with frames that begin at once, which is what the page is to blame for, and with
 * those of a 60 Hz screen, for whose next frame any page waits up to 16.7 ms.
 */
import type { CDPSession, Page } from "playwright-core";
import { Guest } from "../e2e/harness/guest.js";
import { clockOf, launch, pause, visit } from "./browser.js";
import { Crowd } from "./crowd.js";
import { addressOf, type Subject } from "./subjects.js";

const KEYS = 100;

/** Between two keys: 8 a second. */
const KEY_EVERY_MS = 120;

/** Then a moment's thought, in which completion has its say, and Enter, which does not count. */
const WRITING = "total = count + index * 2";
const THOUGHT_MS = 700;

export interface Typing {
  /** Milliseconds from key to paint. */
  readonly paint: readonly number[];
  /** Of those, until the page began to handle the key, and until it had done so. */
  readonly wait: readonly number[];
  readonly handle: readonly number[];
  /** What the browser itself says, until presentation; only those of 16 ms or more. */
  readonly slow: readonly number[];
  /** How much of the time the page's own thread was at work, and with what, in per cent. */
  readonly busy: Readonly<Record<string, number>>;
}

interface Keys {
  paint: number[];
  wait: number[];
  handle: number[];
  slow: number[];
}

declare global {
  interface Window {
    keys: Keys;
  }
}

/** The lines people are in: half of them on the screen. */
export function places(text: string, count: number): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return Array.from({ length: count }, (_, i) => {
    const line = i % 2 === 0 ? 3 + i * 2 : Math.floor((starts.length * i) / count);
    // The end of a line.
    return (starts[line + 1] ?? text.length) - 1;
  });
}

export async function measureTyping(subject: Subject, room: string, text: string, frames: "at once" | "60 Hz", crowdSize = 10): Promise<Typing> {
  const browser = await launch(frames);
  try {
    const { page, protocol } = await visit(browser, { still: frames === "at once" });
    await page.goto(addressOf(subject, room));
    await ready(page, subject);
    await page.keyboard.press("Control+Home");
    for (let i = 0; i < 12; i += 1) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("End");
    const crowd = await Crowd.enter(subject.server.url, room, places(text, crowdSize));
    try {
      if (crowdSize > 0) await page.waitForFunction(({ selector, wanted }) => document.querySelectorAll(selector).length >= wanted, { selector: subject.caret, wanted: crowdSize / 2 }, { timeout: 60_000 });
      await page.evaluate(record);
      const work = await watchWork(protocol);
      let due = performance.now();
      for (let i = 0; i < KEYS; i += 1) {
        const at = i % WRITING.length;
        if (at === 0) await page.keyboard.press("Enter");
        await page.keyboard.press(WRITING.charAt(at));
        due += at === WRITING.length - 1 ? THOUGHT_MS : KEY_EVERY_MS;
        await pause(Math.max(due - performance.now(), 0));
      }
      const busy = await work();
      // The last ones may still be on their way.
      await page.waitForFunction((wanted) => window.keys.paint.length >= wanted, KEYS, { polling: 100, timeout: 60_000 });
      const keys = await page.evaluate(() => window.keys);
      return { ...keys, busy };
    } finally {
      await crowd.leave();
    }
  } finally {
    await browser.close();
  }
}

/** Processor time, so that other programs do not count. */
async function watchWork(protocol: CDPSession): Promise<() => Promise<Record<string, number>>> {
  await protocol.send("Performance.enable", { timeDomain: "threadTicks" });
  const read = async () => new Map((await protocol.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
  const before = await read();
  const start = performance.now();
  return async () => {
    const after = await read();
    const wall = (performance.now() - start) / 1_000;
    const names = ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration", "V8CompileDuration"];
    return Object.fromEntries(names.map((name) => [name, (100 * ((after.get(name) ?? 0) - (before.get(name) ?? 0))) / wall]));
  };
}

/** Resolves once the text is here and can be edited. */
export async function ready(page: Page, { saysSaved }: Subject): Promise<void> {
  await page.locator(".cm-content[contenteditable=true]").waitFor();
  if (saysSaved) await page.locator(".pill-text").filter({ hasText: /^Saved/ }).waitFor();
  await page.waitForLoadState("networkidle");
}

/** In the page: every key from now on. */
function record(): void {
  const keys: Keys = { paint: [], wait: [], handle: [], slow: [] };
  window.keys = keys;
  let pressed = 0;
  addEventListener(
    "keydown",
    (event) => {
      pressed = event.timeStamp;
      keys.wait.push(performance.now() - pressed);
    },
    { capture: true },
  );
  addEventListener(
    "input",
    () => {
      const from = pressed;
      const began = performance.now();
      // The editor reads the change in a microtask after this event; this one comes after that.
      const { port1: handled, port2: ask } = new MessageChannel();
      handled.onmessage = () => keys.handle.push(performance.now() - began);
      ask.postMessage(null);
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => keys.paint.push(performance.now() - from);
        port2.postMessage(null);
      });
    },
    { capture: true },
  );
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (entry.name === "keydown") keys.slow.push(entry.duration);
  }).observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit);
}

/** Somebody else's edit: from just before they send it to the end of the frame that shows it. */
export async function measureRemote(subject: Subject, room: string, text: string, edits: number): Promise<readonly number[]> {
  const browser = await launch("60 Hz");
  try {
    const { page } = await visit(browser);
    await page.goto(addressOf(subject, room));
    await ready(page, subject);
    const guest = new Guest(subject.server.url, room);
    try {
      await guest.synced();
      const at = places(text, 1)[0] ?? 0;
      await page.evaluate(watchMarks);
      const { offset, error } = await clockOf(page);
      if (error > 2) throw new Error(`the page's clock is known only to ${error.toFixed(1)} ms`);
      const times: number[] = [];
      let last = "";
      for (let i = 0; i < edits; i += 1) {
        const mark = `⟨${i}⟩`;
        const sent = performance.now() + offset;
        guest.doc.transact(() => {
          guest.text().delete(at, last.length);
          guest.text().insert(at, mark);
        });
        last = mark;
        const shown = await page.waitForFunction((wanted) => window.marks.get(wanted), mark, { polling: 20 });
        times.push(Number(await shown.jsonValue()) - sent);
        // Not in step with the screen's frames.
        await pause(50 + Math.random() * 50);
      }
      return times;
    } finally {
      await guest.leave();
    }
  } finally {
    await browser.close();
  }
}

declare global {
  interface Window {
    marks: Map<string, number>;
  }
}

/** In the page: when each mark was painted. */
function watchMarks(): void {
  const marks = new Map<string, number>();
  window.marks = marks;
  const content = document.querySelector(".cm-content");
  if (!content) return;
  const seen = new Set<string>();
  new MutationObserver(() => {
    const mark = /⟨\d+⟩/.exec(content.textContent ?? "")?.[0];
    if (mark === undefined || seen.has(mark)) return;
    seen.add(mark);
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => marks.set(mark, performance.now());
      port2.postMessage(null);
    });
  }).observe(content, { subtree: true, childList: true, characterData: true });
}
