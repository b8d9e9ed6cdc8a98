/** How the page is built, and served while it is being worked on. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { type Plugin, defineConfig } from "vite";

/** The client, without which nobody can type. Other WASM files are fetched when they are needed. */
const CLIENT = "collab_wasm_bg.wasm";

/**
 * Has the browser fetch the client while it still parses the scripts that will ask for it.
 * `crossorigin` makes it the same request as that of `fetch`, so that it is made once.
 */
const preloadClient: Plugin = {
  name: "preload-client",
  apply: "build",
  transformIndexHtml: {
    order: "post",
    handler(_html, { bundle }) {
      const clients = Object.values(bundle ?? {}).filter(
        (file) => file.type === "asset" && file.names.includes(CLIENT),
      );
      const [client] = clients;
      if (!client || clients.length > 1) throw new Error(`the page has ${clients.length} files ${CLIENT}`);
      const attrs = {
        rel: "preload",
        as: "fetch",
        type: "application/wasm",
        crossorigin: true,
        href: `./${client.fileName}`,
      };
      return [{ tag: "link", attrs, injectTo: "head" }];
    },
  },
};

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
  plugins: [preloadClient, serviceWorker()],
  build: {
    target: "es2022",
    manifest: true,
    // One WASM file and one font-free stylesheet: nothing is small enough to be worth a data: URL,
    // which the page's content security policy would not load anyway.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    host: "127.0.0.1",
    proxy: {
      "/api": "http://127.0.0.1:8000",
      "/yjs": { target: "ws://127.0.0.1:8000", ws: true },
    },
  },
});
