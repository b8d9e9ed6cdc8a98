/**
 * What a page holds while five people work in a room: the person at it, who types, and four others.
 * JavaScript's own heap after a collection, what it has in array buffers, and the memory of WASM,
 * which never gets smaller.
 */
import { launch, pause, visit, type Visit } from "./browser.js";
import { Crowd } from "./crowd.js";
import { addressOf, type Subject } from "./subjects.js";
import { places, ready } from "./typing.js";

/** Between two samples. */
const SAMPLE_MS = 30_000;

/** Between two keys of the person at the page. */
const KEY_EVERY_MS = 200;

export interface Sample {
  /** Since the beginning. */
  readonly seconds: number;
  /** Bytes. */
  readonly heap: number;
  readonly wasm: number;
}

declare global {
  interface Window {
    wasmMemories: WebAssembly.Memory[];
  }
}

/** At the same time for all, so that they have the same machine. */
export async function measureMemory(subjects: readonly Subject[], room: string, text: string, minutes: number): Promise<readonly (readonly Sample[])[]> {
  const browser = await launch("60 Hz");
  const ends: (() => Promise<void>)[] = [() => browser.close()];
  try {
    const visits: Visit[] = [];
    for (const subject of subjects) {
      const here = await visit(browser);
      await here.context.addInitScript(watchWasm);
      await here.page.goto(addressOf(subject, room));
      await ready(here.page, subject);
      const crowd = await Crowd.enter(subject.server.url, room, places(text, 4));
      ends.unshift(() => crowd.leave());
      visits.push(here);
    }
    const start = performance.now();
    const end = start + minutes * 60_000;
    const samples: Sample[][] = subjects.map(() => []);
    const typists = visits.map((here) => type(here, end));
    for (let due = start; due <= end; due += SAMPLE_MS) {
      await pause(Math.max(due - performance.now(), 0));
      for (const [i, here] of visits.entries()) samples[i]?.push({ seconds: Math.round((performance.now() - start) / 1_000), ...(await weigh(here)) });
    }
    await Promise.all(typists);
    return samples;
  } finally {
    for (const close of ends) await close();
  }
}

/** A word, and back again, in a line of one's own. */
async function type({ page }: Visit, end: number): Promise<void> {
  await page.locator(".cm-content").focus();
  await page.keyboard.press("Control+Home");
  for (let i = 0; i < 8; i += 1) await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  for (let i = 0; performance.now() < end; i += 1) {
    const at = i % 40;
    await page.keyboard.press(at >= 20 ? "Backspace" : at % 6 === 5 ? "Space" : "abcdefghij".charAt(at % 10));
    await pause(KEY_EVERY_MS);
  }
}

async function weigh({ page, protocol }: Visit): Promise<{ readonly heap: number; readonly wasm: number }> {
  await protocol.send("HeapProfiler.collectGarbage");
  const usage = (await protocol.send("Runtime.getHeapUsage")) as { usedSize: number; backingStorageSize?: number; embedderHeapUsedSize?: number };
  const wasm = await page.evaluate(() => window.wasmMemories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0));
  return { heap: usage.usedSize + (usage.embedderHeapUsedSize ?? 0), wasm };
}

/** In the page, before anything of it runs: remembers the memory of each WASM module. */
function watchWasm(): void {
  window.wasmMemories = [];
  const { instantiate, instantiateStreaming } = WebAssembly;
  const remember = (exports: WebAssembly.Exports) => {
    for (const value of Object.values(exports)) if (value instanceof WebAssembly.Memory) window.wasmMemories.push(value);
  };
  WebAssembly.instantiateStreaming = async (source, imports) => {
    const made = await instantiateStreaming(source, imports);
    remember(made.instance.exports);
    return made;
  };
  WebAssembly.instantiate = (async (source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) => {
    const made: unknown = await (instantiate as (source: unknown, imports?: WebAssembly.Imports) => Promise<unknown>)(source, imports);
    const instance = made instanceof WebAssembly.Instance ? made : (made as WebAssembly.WebAssemblyInstantiatedSource).instance;
    remember(instance.exports);
    return made;
  }) as typeof WebAssembly.instantiate;
}
