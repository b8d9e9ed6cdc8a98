/**
 * Writes beside each file of the built page its compressed forms, `.br` and `.gz`, which the server
 * sends instead where a browser takes them. Must not know what is in the page.
 *
 * Both, because browsers take brotli over HTTPS and from localhost only: in a local network over
 * plain HTTP they ask for gzip.
 */
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

/** What compresses. Images and fonts in their usual formats are compressed already. */
const COMPRESSIBLE = /\.(?:css|html|js|json|mjs|svg|txt|wasm|webmanifest|xml)$/;

/** Bytes. A smaller file fits into one packet with its headers, whatever its form. */
const WORTH_IT = 1_024;

/** The folder of the built page: `dist`, unless another one is named. */
const [, , folder] = process.argv;
const dist = folder ? pathToFileURL(`${folder}/`) : new URL("../dist/", import.meta.url);

/** @type {Record<string, (raw: Buffer) => Buffer>} */
const FORMS = {
  ".br": (raw) =>
    brotliCompressSync(raw, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
    }),
  ".gz": (raw) => gzipSync(raw, { level: 9 }),
};

const totals = { raw: 0, ".br": 0, ".gz": 0 };
for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  const file = new URL(name, dist);
  // Names that begin with a dot are the build's own notes and have no address.
  if (name.startsWith(".") || !COMPRESSIBLE.test(name) || !statSync(file).isFile()) continue;
  const raw = readFileSync(file);
  totals.raw += raw.length;
  for (const form of /** @type {(".br" | ".gz")[]} */ (Object.keys(FORMS))) {
    const compressed = new URL(name + form, dist);
    // What an earlier run left must not outlive its file.
    rmSync(compressed, { force: true });
    if (raw.length < WORTH_IT) continue;
    const small = FORMS[form]?.(raw) ?? raw;
    if (small.length >= raw.length) continue;
    writeFileSync(compressed, small);
    totals[form] += small.length;
  }
}
console.log(`compressed ${totals.raw} bytes of the page: ${totals[".br"]} as brotli, ${totals[".gz"]} as gzip`);
