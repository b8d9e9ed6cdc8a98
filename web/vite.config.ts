/** How the page is built, and served while it is being worked on. */
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

export default defineConfig({
  // Relative, so that the page works under any path; `<base>` in index.html says which.
  base: "./",
  plugins: [preloadClient],
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
