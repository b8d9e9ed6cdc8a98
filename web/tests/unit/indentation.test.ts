/** How a text is indented is found out from the text. */
import { expect, test } from "vitest";
import { indentationOf, usualIndentation } from "../../src/editor/indentation.js";

test("the commonest step inward decides", () => {
  expect(indentationOf("def f():\n    a\n    if b:\n        c\n")?.id).toBe("4");
  expect(indentationOf("a {\n  b {\n    c\n  }\n}\n")?.id).toBe("2");
  expect(indentationOf("func f() {\n\ta\n\tb\n}\n")?.id).toBe("tab");
  expect(indentationOf("no\nsteps\n")).toBeUndefined();
});

test("a text that does not say is indented as its language usually is", () => {
  expect(usualIndentation("go").unit).toBe("\t");
  expect(usualIndentation("typescript").unit).toBe("  ");
  expect(usualIndentation("python").unit).toBe("    ");
});
