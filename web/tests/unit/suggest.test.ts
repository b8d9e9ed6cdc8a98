/** The completion engine across the WASM boundary. What it should say is tested beside its rules. */
import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { initSync, suggest, unaskedScore } from "../../src/wasm/collab_suggest.js";

beforeAll(() => {
  initSync({ module: readFileSync(new URL("../../src/wasm/collab_suggest_bg.wasm", import.meta.url)) });
});

test("candidates come with all they need", () => {
  const text = "# 😀\ndef area(width, height):\n    return wid";
  const found = suggest(text, text.length, "python", 5);
  expect(found.map(({ insert }) => insert)).toContain("th");
  expect(found.length).toBeLessThanOrEqual(5);
  const [best] = found;
  expect(best?.score).toBeGreaterThanOrEqual(unaskedScore());
  expect(Object.keys(best ?? {}).sort()).toEqual(["caret", "insert", "kind", "label", "replaceBefore", "score"]);
});

test("what makes no sense gets no candidates", () => {
  expect(suggest("😀", 1, "python", 5)).toEqual([]);
  expect(suggest("let x = ", 8, "no such language", 0)).toEqual([]);
  expect(suggest("\ud83d broken", 3, "rust", 3)).toBeInstanceOf(Array);
});
