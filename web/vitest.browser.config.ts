/** Tests that drive a real Chromium against a real server; see `tests/e2e/harness`. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    // Each file starts its own server and browser; two at once would only slow each other down.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
