/** What a text looks like, and that finding out takes no time, whatever the text. */
import { expect, test } from "vitest";
import { languageNamed, languageOf, LANGUAGES } from "../../src/editor/languages.js";

const EXAMPLES: Readonly<Record<string, string>> = {
  c: '#include <stdio.h>\n\nint main(void) {\n  printf("hi\\n");\n}\n',
  css: "body > main {\n  color: red;\n}\n@media print {\n  .x {\n    display: none;\n  }\n}\n",
  go: 'package main\n\nfunc main() {\n\tx := 1\n\tprintln(x)\n}\n',
  html: "<!doctype html>\n<html>\n<body><p>hi</p></body>\n</html>\n",
  java: 'import java.util.List;\n\npublic class A {\n  public static void main(String[] args) {\n    System.out.println("hi");\n  }\n}\n',
  javascript: 'const x = 1;\nfunction f(a) {\n  console.log(a);\n}\n',
  json: '{\n  "a": 1,\n  "b": [true]\n}\n',
  markdown: "# Title\n\nSome text with a [link](x).\n\n- one\n- two\n",
  plaintext: "Dear all,\n\nlet us meet from 3 to 4, if you can: it is important.\n",
  python: "import os\n\ndef f(x):\n    if x:\n        print(x)\n",
  rust: 'use std::fmt;\n\npub fn main() {\n    let mut x = 1;\n    println!("{x}");\n}\n',
  shell: '#!/bin/sh\nif [ -f x ]; then\n  echo hi\nfi\n',
  sql: "create table t (id int primary key);\nselect * from t where id = 1;\n",
  typescript: 'import { a } from "./a.js";\n\nexport interface B {\n  readonly c: string;\n}\n\nconst f = (b: B): void => {};\n',
  yaml: "---\nname: x\nsteps:\n  - run: y\n",
};

test("every language has an example, and is known by it", () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual(LANGUAGES.map(({ id }) => id).sort());
  for (const [id, text] of Object.entries(EXAMPLES)) expect(languageOf(text).id, text).toBe(id);
});

test("a first function is enough, while it is typed and as long as nothing speaks for another language", () => {
  const begun = {
    c: "int area(int width",
    go: "func area(width int",
    java: "public class Area {",
    javascript: "function area(width",
    python: "def area(width",
    rust: "fn area(width: u32",
  };
  for (const [id, text] of Object.entries(begun)) expect(languageOf(text).id, text).toBe(id);
  expect(languageOf("# How to\n\n- call it\n\ndef area(width, height):\n").id).toBe("markdown");
  expect(languageOf("def area(width\nfunction area(width\n").id).toBe("plaintext");
  expect(languageOf("function follows form\nint eger\n").id).toBe("plaintext");
});

test("ids and aliases are unambiguous", () => {
  const names = LANGUAGES.flatMap(({ id, aliases }) => [id, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
  expect(languageNamed("TSX")?.id).toBe("typescript");
  expect(languageNamed("brainfuck")).toBeUndefined();
});

test("text that regular expressions choke on", () => {
  const units = ["a", " ", "a ", "[", "((", "let ", "def f(", "from a", "if ", "function ", "a: ", "<", '"', "#", "- ", ".a", "a-", "::", "select "];
  for (const unit of units) {
    for (const text of [unit.repeat(4_096 / unit.length), `${unit.repeat(60)}\n`.repeat(80)]) {
      const began = performance.now();
      languageOf(text);
      // Takes well under a millisecond; what it must not take is minutes.
      expect(performance.now() - began, unit).toBeLessThan(1_000);
    }
  }
});
