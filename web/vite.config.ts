/** How the page is built, and served while it is being worked on. */
import { defineConfig } from "vite";

export default defineConfig({
  // Relative, so that the page works under any path; `<base>` in index.html says which.
  base: "./",
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
