/** Builds the page that the figures are compared with, as `vite.config.ts` builds the real one. */
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  // Relative to the build's own folder, which the caller gives.
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
