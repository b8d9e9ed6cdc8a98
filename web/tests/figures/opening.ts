/**
 * How long a first visit takes on a slow machine and line, and what it fetches.
 *
 * A person who cannot wait is played: from the start on, a key is pressed every few hundredths of a
 * second, and what counts is when the first of them stands in the painted text.
 */
import type { Browser, CDPSession } from "playwright-core";
import { pause, visit } from "./browser.js";
import { MARKER } from "./rooms.js";
import { addressOf, type Subject } from "./subjects.js";

/** A cheap phone on a slow mobile network. */
export const SLOW = { cpu: 4, downBytesPerSecond: 1_600_000 / 8, upBytesPerSecond: 750_000 / 8, roundTripMs: 150 } as const;

/** Between two keys. The figures are wrong by as much. */
const KEY_EVERY_MS = 25;

/** A page that takes longer is broken. */
const LONGEST_MS = 60_000;

export interface Opening {
  /** Milliseconds since the navigation began. */
  readonly readable: number;
  readonly editable: number;
  /** The pill says "Saved" of what was typed; not a number where there is none. */
  readonly saved: number;
  /** Bytes as they came over the line, headers and all: what was there before the first keystroke
   *  was possible, */
  readonly bytesBefore: number;
  /** and all that a first visit brings, by kind. The room's text is not among them. */
  readonly bytes: ReadonlyMap<string, number>;
  readonly requests: readonly Request[];
}

export interface Request {
  readonly what: string;
  readonly bytes: number;
  /** Milliseconds since the navigation began. */
  readonly asked: number;
  readonly answered: number;
  readonly done: number;
}

interface Seen {
  readable: number;
  editable: number;
  saved: number;
}

declare global {
  interface Window {
    figures: Seen;
  }
}

export async function measureOpening(browser: Browser, subject: Subject, room: string, slow = true): Promise<Opening> {
  const { context, page, protocol } = await visit(browser);
  try {
    await context.addInitScript(watch, MARKER);
    if (slow) {
      await protocol.send("Emulation.setCPUThrottlingRate", { rate: SLOW.cpu });
      await protocol.send("Network.enable");
      await protocol.send("Network.emulateNetworkConditions", {
        offline: false,
        latency: SLOW.roundTripMs,
        downloadThroughput: SLOW.downBytesPerSecond,
        uploadThroughput: SLOW.upBytesPerSecond,
      });
    }
    const requests = await watchRequests(protocol);
    await page.goto(addressOf(subject, room), { waitUntil: "commit" });
    const deadline = performance.now() + LONGEST_MS;
    const seen = () => page.evaluate(() => window.figures);
    while ((await seen()).editable === 0) {
      if (performance.now() > deadline) throw new Error(`${subject.name} could not be edited: ${JSON.stringify(await seen())}`);
      await page.keyboard.press("x");
      await pause(KEY_EVERY_MS);
    }
    if (subject.saysSaved) await page.waitForFunction(() => window.figures.saved > 0, undefined, { timeout: LONGEST_MS });
    // What comes last: colours, and what is fetched for later.
    await page.waitForLoadState("networkidle");
    const { readable, editable, saved } = await seen();
    const files = requests().filter(({ what }) => !what.includes("/api/"));
    const bytes = new Map<string, number>();
    for (const { what, bytes: size } of files) bytes.set(kindOf(what), (bytes.get(kindOf(what)) ?? 0) + size);
    return {
      readable,
      editable,
      saved: saved || Number.NaN,
      bytesBefore: files.filter(({ done }) => done <= editable).reduce((sum, file) => sum + file.bytes, 0),
      bytes,
      requests: requests(),
    };
  } finally {
    await context.close();
  }
}

function kindOf(path: string): string {
  if (path.endsWith(".wasm")) return "WASM";
  if (path.endsWith(".js")) return "JavaScript";
  if (path.endsWith(".css")) return "CSS";
  return "HTML and pictures";
}

/** Everything that the page itself asks for. */
async function watchRequests(protocol: CDPSession): Promise<() => readonly Request[]> {
  const open = new Map<string, { what: string; asked: number; answered: number }>();
  const done: Request[] = [];
  let start: number | undefined;
  await protocol.send("Network.enable");
  protocol.on("Network.requestWillBeSent", ({ requestId, request, timestamp }) => {
    start ??= timestamp;
    open.set(requestId, { what: new URL(request.url).pathname, asked: (timestamp - start) * 1_000, answered: 0 });
  });
  protocol.on("Network.responseReceived", ({ requestId, timestamp }) => {
    const request = open.get(requestId);
    if (request) request.answered = (timestamp - (start ?? timestamp)) * 1_000;
  });
  protocol.on("Network.loadingFinished", ({ requestId, encodedDataLength, timestamp }) => {
    const request = open.get(requestId);
    if (!request) return;
    done.push({ ...request, bytes: encodedDataLength, done: (timestamp - (start ?? timestamp)) * 1_000 });
  });
  return () => done;
}

/** In the page, before anything of it runs. */
function watch(marker: string): void {
  const seen: Seen = { readable: 0, editable: 0, saved: 0 };
  window.figures = seen;
  let typedBefore = 0;
  /** Calls back after the frame that shows what is there now. */
  const painted = (then: (now: number) => void) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => then(performance.now());
      port2.postMessage(null);
    });
  };
  let reading = false;
  let editing = false;
  new MutationObserver(() => {
    const first = document.querySelector(".cm-line")?.textContent ?? "";
    const typed = first.length - marker.length;
    if (!reading && first.includes(marker)) {
      reading = true;
      typedBefore = typed;
      painted((now) => (seen.readable = now));
    } else if (!editing && reading && typed > typedBefore) {
      editing = true;
      painted((now) => (seen.editable = now));
    }
    const pill = document.querySelector(".pill-text")?.textContent ?? "";
    // "Saved" again after "Saving".
    if (!pill.startsWith("Saved")) seen.saved = 0;
    else if (editing && seen.saved === 0) seen.saved = performance.now();
  }).observe(document, { subtree: true, childList: true, characterData: true });
}
