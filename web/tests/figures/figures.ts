/**
 * Measures the page in Chromium, beside a page with the published Yjs packages as its binding, and
 * prints a table for each measure; `--write` puts them into `docs/PAGE_FIGURES.md`.
 *
 *     npm run figures -- [--only opening,typing,remote,large,memory] [--runs 7] [--minutes 10] [--write]
 *
 * COLLAB_TEST_BIN and COLLAB_TEST_CHROMIUM say which server and which browser.
 */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { parseArgs } from "node:util";
import { launch } from "./browser.js";
import { measureLarge } from "./large.js";
import { measureMemory, type Sample } from "./memory.js";
import { kilobytes, median, medianAndP95, megabytes, ms, p95, seconds } from "./numbers.js";
import { measureOpening, SLOW } from "./opening.js";
import { type Row, table, write } from "./report.js";
import { pythonLines, pythonOf, writeRoom } from "./rooms.js";
import { openSubjects, type Subject } from "./subjects.js";
import { measureRemote, measureTyping, type Typing } from "./typing.js";

const MEASURES = ["opening", "typing", "remote", "large", "memory"] as const;
type Measure = (typeof MEASURES)[number];

interface Task {
  readonly subjects: readonly Subject[];
  readonly runs: number;
  readonly minutes: number;
  readonly verbose: boolean;
}

export async function main(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string", default: MEASURES.join(",") },
      runs: { type: "string", default: "7" },
      minutes: { type: "string", default: "10" },
      verbose: { type: "boolean", default: false },
      write: { type: "boolean", default: false },
    },
  });
  const wanted = values.only.split(",");
  for (const one of wanted) if (!MEASURES.some((known) => known === one)) throw new Error(`there is no measure ${one}`);
  const { subjects, dispose } = await openSubjects();
  try {
    const task: Task = { subjects, runs: positive(values.runs), minutes: positive(values.minutes), verbose: values.verbose };
    const names = subjects.map(({ name }) => name);
    for (const measure of MEASURES) {
      if (!wanted.includes(measure)) continue;
      console.error(`measuring ${measure} …`);
      const load = loadavg()[0] ?? 0;
      const rows = await MEASURE[measure](task);
      const text = `${table(names, rows)}\n\n${await circumstances(measure, load)}`;
      console.log(`${text}\n`);
      if (values.write) write(measure, text);
    }
  } finally {
    await dispose();
  }
}

const MEASURE: { readonly [measure in Measure]: (task: Task) => Promise<Row[]> } = {
  async opening({ subjects, runs, verbose }) {
    for (const subject of subjects) await writeRoom(subject, "opening", pythonOf(100_000), 200);
    const browser = await launch("60 Hz");
    try {
      const all = subjects.map((): Awaited<ReturnType<typeof measureOpening>>[] => []);
      // By turns, so that whatever else the machine does meets both.
      for (let run = 0; run < runs; run += 1) {
        for (const [i, subject] of subjects.entries()) all[i]?.push(await measureOpening(browser, subject, "opening"));
      }
      if (verbose) {
        for (const [i, subject] of subjects.entries()) {
          const one = all[i]?.[0];
          console.error(subject.name, one && { readable: one.readable, editable: one.editable, saved: one.saved });
          console.table(one?.requests.map((r) => ({ ...r, asked: Math.round(r.asked), answered: Math.round(r.answered), done: Math.round(r.done) })));
        }
      }
      const of = (pick: (one: Awaited<ReturnType<typeof measureOpening>>) => number) => all.map((list) => list.map(pick).filter((value) => !Number.isNaN(value)));
      const sum = (bytes: ReadonlyMap<string, number>) => [...bytes.values()].reduce((a, b) => a + b, 0);
      return [
        ["First visit: bytes before the first keystroke", "≤ 320 kB", ...of((one) => one.bytesBefore).map((list) => kilobytes(median(list)))],
        ["First visit: bytes in all", "", ...of((one) => sum(one.bytes)).map((list) => kilobytes(median(list)))],
        ...["JavaScript", "WASM", "CSS"].map((kind): Row => [`… of which ${kind}`, "", ...of((one) => one.bytes.get(kind) ?? 0).map((list) => kilobytes(median(list)))]),
        ["Slow first visit: text can be read", "", ...of((one) => one.readable).map((list) => medianAndP95(list, seconds))],
        ["Slow first visit: **a key stands in the painted text**", "≤ 1.5 s", ...of((one) => one.editable).map((list) => medianAndP95(list, seconds))],
        ["Slow first visit: the pill says Saved", "", ...of((one) => one.saved).map((list) => medianAndP95(list, seconds))],
      ];
    } finally {
      await browser.close();
    }
  },

  async typing({ subjects, verbose }) {
    const text = pythonOf(1_048_576);
    for (const subject of subjects) await writeRoom(subject, "typing", text, 2_000);
    const cells: Record<"at once" | "60 Hz", Typing[]> = { "at once": [], "60 Hz": [] };
    for (const frames of ["at once", "60 Hz"] as const) {
      for (const subject of subjects) {
        const keys = await measureTyping(subject, "typing", text, frames);
        cells[frames].push(keys);
        if (verbose) console.error(subject.name, frames, "wait", ms(p95(keys.wait)), "handle", ms(p95(keys.handle)), "paint", ms(p95(keys.paint)), "busy", keys.busy);
      }
    }
    const slow = ({ slow, paint }: Typing) => {
      const late = slow.filter((duration) => duration > 24).length;
      return `${((100 * late) / paint.length).toFixed(1)} %`;
    };
    return [
      ["Key to paint, 1 MB, 10 carets: **p95**", "≤ 16 ms", ...cells["at once"].map(({ paint }) => `${ms(p95(paint))} (median ${ms(median(paint))})`)],
      ["… of which handling the key: p95", "", ...cells["at once"].map(({ handle }) => ms(p95(handle)))],
      ["… with the frames of a 60 Hz screen: p95", "", ...cells["60 Hz"].map(({ paint }) => `${ms(p95(paint))} (median ${ms(median(paint))})`)],
      ["… keys shown later than the next frame but one", "", ...cells["60 Hz"].map(slow)],
    ];
  },

  async remote({ subjects }) {
    const text = pythonOf(100_000);
    const cells: string[] = [];
    for (const subject of subjects) {
      await writeRoom(subject, "remote", text, 200);
      const times = await measureRemote(subject, "remote", text, 200);
      cells.push(`${ms(p95(times))} (median ${ms(median(times))})`);
    }
    return [["Somebody's edit to paint, loopback: **p95**", "≤ 50 ms", ...cells]];
  },

  async large({ subjects, runs }) {
    const text = pythonLines(10_000);
    for (const subject of subjects) await writeRoom(subject, "large", text, 500);
    const browser = await launch("60 Hz");
    try {
      const all = subjects.map((): Awaited<ReturnType<typeof measureLarge>>[] => []);
      for (let run = 0; run < runs; run += 1) {
        for (const [i, subject] of subjects.entries()) all[i]?.push(await measureLarge(browser, subject, "large"));
      }
      return [
        ["10,000 lines: **text here → first screen painted**", "≤ 200 ms", ...all.map((list) => medianAndP95(list.map((one) => one.painting), ms))],
        ["10,000 lines: opened again, from the navigation on", "", ...all.map((list) => medianAndP95(list.map((one) => one.again), ms))],
      ];
    } finally {
      await browser.close();
    }
  },

  async memory({ subjects, minutes, verbose }) {
    const text = pythonOf(100_000);
    for (const subject of subjects) await writeRoom(subject, "memory", text, 200);
    const samples = await measureMemory(subjects, "memory", text, minutes);
    if (verbose) for (const [i, subject] of subjects.entries()) console.error(subject.name, JSON.stringify(samples[i]));
    const at = (list: readonly Sample[], second: number) => list.find((sample) => sample.seconds >= second) ?? list.at(-1);
    const told = (sample: Sample | undefined) =>
      sample ? `${megabytes(sample.heap + sample.wasm)} (${megabytes(sample.heap)} heap, ${megabytes(sample.wasm)} WASM)` : "–";
    const growth = (list: readonly Sample[]) => {
      const [from, to] = [at(list, 60), list.at(-1)];
      return from && to ? `${to.heap + to.wasm >= from.heap + from.wasm ? "+" : "−"}${megabytes(Math.abs(to.heap + to.wasm - from.heap - from.wasm))}` : "–";
    };
    return [
      ["Memory, five people typing: after 1 minute", "", ...samples.map((list) => told(at(list, 60)))],
      [`Memory: after ${minutes} minutes`, "", ...samples.map((list) => told(list.at(-1)))],
      ["Memory: **growth after the first minute**", "flat", ...samples.map(growth)],
    ];
  },
};

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${text} is not a number greater than 0`);
  return value;
}

async function circumstances(measure: Measure, load: number): Promise<string> {
  const [cpu] = cpus();
  const browser = await launch("60 Hz");
  const chromium = browser.version();
  await browser.close();
  const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { devDependencies: Record<string, string> };
  const yjs = ["yjs", "y-websocket", "y-codemirror.next"].map((name) => `${name} ${devDependencies[name]}`).join(", ");
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  return [
    `${new Date().toISOString().slice(0, 10)}, \`npm run figures -- --only ${measure}\` on commit ${commit}; ${cpus().length} × ${cpu?.model.trim()}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB,`,
    `load average ${load.toFixed(1)} before and ${(loadavg()[0] ?? 0).toFixed(1)} after; Chromium ${chromium}, headless; Node ${process.version};`,
    `${yjs}.`,
    ...(measure === "opening" ? [`Slow: ${SLOW.cpu}× CPU slowdown, ${SLOW.downBytesPerSecond * 8 / 1e6} Mbit/s down, ${SLOW.upBytesPerSecond * 8 / 1e3} kbit/s up, ${SLOW.roundTripMs} ms round trip, nothing cached, a text of 100 kB.`] : []),
  ].join("\n");
}
