/** How the page is built, and served while it is being worked on. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { type Plugin, defineConfig } from "vite";

/** The script that asks for the text of the room, with what it needs: a chunk of its own. */
const ASKED = /\/src\/(?:asked|address|api|room\/main-file)\.ts$/;

/**
 * Has the browser run that script as soon as it has it, rather than when all the others are there.
 * They import it too, so it is made once.
 */
function askEarly(): Plugin {
  return {
    name: "ask-early",
    apply: "build",
    transformIndexHtml: {
      order: "post",
      handler(_html, { bundle }) {
        const chunk = Object.values(bundle ?? {}).find((file) => file.type === "chunk" && file.moduleIds.some((id) => ASKED.test(id)));
        if (chunk?.type !== "chunk" || chunk.isEntry) throw new Error("the page has no script that asks for the text");
        // Each import would be a round trip more.
        if (chunk.imports.length > 0) throw new Error(`the script that asks for the text needs ${chunk.imports.join(", ")}`);
        const attrs = { type: "module", async: true, fetchpriority: "high", src: `./${chunk.fileName}` };
        return [{ tag: "script", attrs, injectTo: "head" }];
      },
    },
  };
}

/** The service worker's name at the page's root: it may only serve what lies beside or below it. */
const WORKER = "sw.js";

/**
 * Builds the service worker as a script of its own, and tells it which files it has to keep and a
 * version that changes when one of them does.
 */
function serviceWorker(): Plugin {
  let folder = "public";
  return {
    name: "service-worker",
    apply: "build",
    enforce: "post",
    configResolved({ publicDir }) {
      folder = publicDir;
    },
    buildStart() {
      this.emitFile({ type: "chunk", id: "src/offline/worker.ts", fileName: WORKER });
    },
    generateBundle: {
      order: "post",
      handler(_options, bundle) {
        const worker = bundle[WORKER];
        const html = bundle["index.html"];
        if (worker?.type !== "chunk" || html?.type !== "asset") throw new Error("the page has no service worker");
        // Not every browser takes modules as service workers.
        if (worker.imports.length > 0 || worker.exports.length > 0) throw new Error("the service worker shares code with the page");
        const built = Object.keys(bundle).filter((file) => file.startsWith("assets/"));
        const others = readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((file) => file.isFile())
          .map((file) => `${file.parentPath}/${file.name}`.slice(folder.length + 1));
        const version = createHash("sha256").update(html.source).update(worker.code);
        for (const file of others) version.update(readFileSync(`${folder}/${file}`));
        const files = [...built, ...others].sort();
        for (const file of files) version.update(file);
        worker.code = worker.code
          .replace("__FILES__", () => JSON.stringify(files))
          .replace("__VERSION__", JSON.stringify(version.digest("hex").slice(0, 16)));
        if (/__(FILES|VERSION)__/.test(worker.code)) throw new Error("the service worker was not told its files");
      },
    },
  };
}

export default defineConfig({
  // Relative, so that the page works under any path; `<base>` in index.html says which.
  base: "./",
  plugins: [askEarly(), serviceWorker()],
  build: {
    target: "es2022",
    manifest: true,
    // One WASM file and one font-free stylesheet: nothing is small enough to be worth a data: URL,
    // which the page's content security policy would not load anyway.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "asked", test: ASKED }] } } },
  },
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": "http://127.0.0.1:8000",
      "/yjs": { target: "ws://127.0.0.1:8000", ws: true },
    },
  },
});
