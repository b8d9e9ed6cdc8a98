/** Unit tests: no browser, no server. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: { include: ["tests/unit/**/*.test.{ts,tsx}"], testTimeout: 60_000 },
});
