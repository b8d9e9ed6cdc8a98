/**
 * Weighs the built page as a browser would fetch it, brotli-compressed, and fails over the budget.
 *
 * Counts what is needed before the first keystroke: what index.html asks for, what those scripts import
 * statically, and every WASM module they name. Must not know what is in the page. Run in web/.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

// Bytes of brotli at its highest level, which is how the server sends them. 1 KB = 1,024 bytes.
const BUDGET = { 'JS and CSS': 170 * 1024, WASM: 150 * 1024 };

const dist = 'dist';
const found = new Set();
const waiting = [];

function add(name) {
  const path = posix.normalize(name);
  if (!found.has(path) && existsSync(join(dist, path))) {
    found.add(path);
    waiting.push(path);
  }
}

const index = readFileSync(join(dist, 'index.html'), 'utf8');
for (const tag of index.match(/<(?:script|link)\b[^>]*>/g) ?? []) {
  const asks = /<script\b/.test(tag) || /rel="?(?:stylesheet|modulepreload|preload)/.test(tag);
  const target = /(?:src|href)=["']([^"']+)["']/.exec(tag);
  if (asks && target) add(target[1].replace(/^\.?\//, ''));
}
while (waiting.length > 0) {
  const path = waiting.pop();
  if (!path.endsWith('.js')) continue;
  const code = readFileSync(join(dist, path), 'utf8');
  const folder = posix.dirname(path);
  // `import"./a.js"`, `import{b}from"./a.js"`, `export*from"./a.js"`; not `import("./a.js")`.
  for (const [, target] of code.matchAll(/(?:\bfrom|\bimport)\s*["'](\.{1,2}\/[^"']+\.js)["']/g)) {
    add(posix.join(folder, target));
  }
  for (const [, target] of code.matchAll(/["'`]([^"'`\s]*\.wasm)["'`]/g)) {
    add(posix.join(folder, posix.basename(target)));
  }
}

const weigh = (path) =>
  brotliCompressSync(readFileSync(join(dist, path)), {
    params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
  }).length;
const kb = (bytes) => `${(bytes / 1024).toFixed(1)} KB`;

const weights = { 'JS and CSS': 0, WASM: 0 };
for (const path of found) {
  if (/\.(js|css)$/.test(path)) weights['JS and CSS'] += weigh(path);
  if (path.endsWith('.wasm')) weights.WASM += weigh(path);
}
let over = false;
for (const [part, weight] of Object.entries(weights)) {
  const bad = weight > BUDGET[part] ? '  OVER BUDGET' : weight === 0 ? '  NOT FOUND' : '';
  over ||= bad !== '';
  console.log(`${part}: ${kb(weight)} of ${kb(BUDGET[part])}${bad}`);
}
process.exitCode = over ? 1 : 0;
