/**
 * Weighs what a browser must fetch before the first keystroke is possible, and fails when it is
 * more than the budget. Must not know how the page is built, beyond vite's manifest.
 */
import { readFileSync } from "node:fs";
import { brotliCompressSync, constants } from "node:zlib";

/** Brotli bytes. Languages are fetched later and do not count. */
const BUDGETS = { "JS and CSS": 170_000, WASM: 150_000 };

const dist = new URL("../dist/", import.meta.url);
/** @type {Record<string, { file: string, css?: string[], imports?: string[], assets?: string[] }>} */
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", dist), "utf8"));

/** @type {Set<string>} */
const files = new Set(["index.html"]);
/** @type {Set<string>} */
const seen = new Set();

/** Everything that a chunk needs before it runs. */
function follow(/** @type {string} */ name) {
  if (seen.has(name)) return;
  seen.add(name);
  const chunk = manifest[name];
  if (!chunk) throw new Error(`vite's manifest does not know ${name}`);
  for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(file);
  for (const next of chunk.imports ?? []) follow(next);
}
follow("index.html");
const first = new Set(files);
// Fetched once the text is painted, and what makes of it a document.
follow("src/screens.tsx");

const totals = { "JS and CSS": 0, WASM: 0 };
let beforeText = 0;
for (const file of [...files].sort()) {
  const raw = readFileSync(new URL(file, dist));
  const small = brotliCompressSync(raw, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
  }).length;
  totals[file.endsWith(".wasm") ? "WASM" : "JS and CSS"] += small;
  if (first.has(file)) beforeText += small;
  console.log(`${String(raw.length).padStart(9)} raw ${String(small).padStart(8)} brotli  ${file}${first.has(file) ? "" : "  (after the text)"}`);
}

console.log(`before a text can be typed in: ${beforeText} bytes`);
let over = false;
for (const kind of /** @type {(keyof typeof BUDGETS)[]} */ (Object.keys(BUDGETS))) {
  const isOver = totals[kind] > BUDGETS[kind];
  over ||= isOver;
  console.log(`${kind}: ${totals[kind]} of ${BUDGETS[kind]} bytes${isOver ? ": TOO MUCH" : ""}`);
}
if (totals.WASM === 0) throw new Error("no WASM among what is fetched: the manifest is not what it was");
if (over) process.exit(1);
