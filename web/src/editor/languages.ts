/** The languages the page can colour: their names, how a text gives itself away, and the code for
 *  each, fetched when first needed. Must not know the editor. */
import type { Extension } from "@codemirror/state";
import { StreamLanguage } from "@codemirror/language";

export interface Language {
  /** As the server and the completion engine call it. */
  readonly id: string;
  readonly name: string;
  /** Other ids that mean the same. */
  readonly aliases: readonly string[];
  /** What file names end in after the last dot. */
  readonly endings: readonly string[];
  /** Each one that some line matches speaks for this language. No repetition inside a
   *  repetition: other people choose what these are run on. */
  readonly signs: readonly RegExp[];
  /** How its functions or classes begin, and those of no other language here: enough while nothing
   *  speaks for another one, so that the first function of a new text is indented. */
  readonly begins?: RegExp;
  readonly load: () => Promise<Extension>;
}

export const PLAIN: Language = {
  id: "plaintext",
  name: "Plain text",
  aliases: ["", "text", "plain"],
  endings: ["txt", "text", "log"],
  signs: [],
  load: () => Promise.resolve([]),
};

/** In the order of the picker. */
export const LANGUAGES: readonly Language[] = [
  PLAIN,
  {
    id: "c",
    name: "C / C++",
    aliases: ["cpp", "c++", "cc", "h", "hpp"],
    endings: ["c", "h", "cc", "cpp", "cxx", "hpp", "hh"],
    signs: [/^#include\s*[<"]/, /\bint main\s*\(/, /\bstd::|\bprintf\s*\(/],
    begins: /^(int|void|char|double|float|bool|unsigned|static) \w+\(/,
    load: async () => (await import("@codemirror/lang-cpp")).cpp(),
  },
  {
    id: "css",
    name: "CSS",
    aliases: ["scss", "less"],
    endings: ["css", "scss", "less"],
    signs: [/^\s*([.#:][\w-]+|body|html|div|main|a|p|h[1-6]|ul|li|\*)[^;=()]*\{\s*$/, /^\s+[a-z-]+: [^;{}]+;\s*$/, /^@(media|import|font-face)\b/],
    load: async () => (await import("@codemirror/lang-css")).css(),
  },
  {
    id: "go",
    name: "Go",
    aliases: ["golang"],
    endings: ["go"],
    signs: [/^package \w+\s*$/, /^func (\(\w+ \*?\w+\) )?\w+\(/, /:=/],
    begins: /^func (\(\w+ \*?\w+\) )?\w+\(/,
    load: async () => (await import("@codemirror/lang-go")).go(),
  },
  {
    id: "html",
    name: "HTML",
    aliases: ["htm", "vue", "svelte"],
    endings: ["html", "htm", "vue", "svelte"],
    signs: [/^\s*<!doctype html/i, /<html\b/i, /<\/(div|body|p|span|head)>/i],
    load: async () => (await import("@codemirror/lang-html")).html(),
  },
  {
    id: "java",
    name: "Java",
    aliases: [],
    endings: ["java"],
    signs: [/^import java[.\w]*;/, /\bpublic (static|class|interface)\b/, /\bSystem\.out\./],
    begins: /^public (final |abstract )?(class|interface|enum|record) \w/,
    load: async () => (await import("@codemirror/lang-java")).java(),
  },
  {
    id: "javascript",
    name: "JavaScript",
    aliases: ["js", "jsx", "mjs", "node"],
    endings: ["js", "mjs", "cjs", "jsx"],
    signs: [/^#!.*\bnode\b/, /\b(const|let)\s+[\w{[][^=\n]*=/, /=>|\bfunction\b[^\n]*\{/, /\bconsole\.log\(|\brequire\(/],
    begins: /^(export )?(default )?(async )?function\*? ?\w*\(/,
    load: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true }),
  },
  {
    id: "json",
    name: "JSON",
    aliases: [],
    endings: ["json", "jsonc", "webmanifest"],
    signs: [/^\s*[{[]\s*("|$)/, /^\s*"[^"\n]*"\s*:/],
    load: async () => (await import("@codemirror/lang-json")).json(),
  },
  {
    id: "markdown",
    name: "Markdown",
    aliases: ["md"],
    endings: ["md", "markdown"],
    signs: [/^#{1,6} \S/, /^```/, /^\s*[-*] \S/, /\[[^\]\n]+\]\([^)\n]+\)/],
    load: async () => (await import("@codemirror/lang-markdown")).markdown(),
  },
  {
    id: "python",
    name: "Python",
    aliases: ["py", "python3"],
    endings: ["py", "pyi", "pyw"],
    signs: [/^#!.*\bpython/, /^\s*(async )?def \w+\(/, /^\s*(from \w[\w.]* )?import \w/, /^\s*(if|for|while|class|elif|with)\b.*:\s*$/, /\bprint\(/],
    begins: /^\s*(async )?def \w+\(/,
    load: async () => (await import("@codemirror/lang-python")).python(),
  },
  {
    id: "rust",
    name: "Rust",
    aliases: ["rs"],
    endings: ["rs"],
    signs: [/^\s*(pub )?fn \w+/, /\blet mut\b/, /^use [\w:]+(::\{.*\})?;/, /\bimpl\b.*\{/, /\bprintln!\(/],
    begins: /^\s*(pub )?(async )?fn \w+[(<]/,
    load: async () => (await import("@codemirror/lang-rust")).rust(),
  },
  {
    id: "shell",
    name: "Shell",
    aliases: ["sh", "bash", "zsh"],
    endings: ["sh", "bash", "zsh"],
    signs: [/^#!.*\b(ba|z|da)?sh\b/, /^\s*(if \[|fi|done|esac)\b/, /^\s*(export \w+=|echo )/],
    load: async () => StreamLanguage.define((await import("@codemirror/legacy-modes/mode/shell")).shell),
  },
  {
    id: "sql",
    name: "SQL",
    aliases: ["postgres", "sqlite", "mysql"],
    endings: ["sql"],
    signs: [/^\s*(select|insert into|create table|update|delete from)\b/i, /\b(from|where|values|primary key)\b/i],
    load: async () => (await import("@codemirror/lang-sql")).sql(),
  },
  {
    id: "typescript",
    name: "TypeScript",
    aliases: ["ts", "tsx"],
    endings: ["ts", "tsx", "mts", "cts"],
    signs: [/^\s*(export )?(interface|type) \w+/, /:\s*(string|number|boolean|void|unknown|Promise<)\b/, /^import .* from ["']/, /=>|\bfunction\b[^\n]*\{/],
    load: async () => (await import("@codemirror/lang-javascript")).javascript({ jsx: true, typescript: true }),
  },
  {
    id: "yaml",
    name: "YAML",
    aliases: ["yml"],
    endings: ["yml", "yaml"],
    signs: [/^---\s*$/, /^[\w-]+:\s*$/, /^\s+- [\w-]+:/],
    load: async () => (await import("@codemirror/lang-yaml")).yaml(),
  },
];

/** The language with this id or alias; `undefined` when the page has no colours for it. */
export function languageNamed(id: string): Language | undefined {
  const wanted = id.toLowerCase();
  return LANGUAGES.find((language) => language.id === wanted || language.aliases.includes(wanted));
}

/** The language that a file's name says; `undefined` when it says none. */
export function languageForPath(path: string): Language | undefined {
  const dot = path.lastIndexOf(".");
  if (dot < 0) return undefined;
  const ending = path.slice(dot + 1).toLowerCase();
  return LANGUAGES.find((language) => language.endings.includes(ending));
}

/** Signs of two kinds are needed before a text is taken for a language, or a first line that says
 *  so itself. */
const ENOUGH_SIGNS = 2;

/** How much is looked at: this many lines, and of each this many UTF-16 code units. Together they
 *  bound the work, whatever the text. */
const LINES = 60;
const LINE_LENGTH = 160;

/** What a text looks like that begins like this. */
export function languageOf(beginning: string): Language {
  const lines = beginning.split("\n", LINES).map((line) => line.slice(0, LINE_LENGTH));
  let best = PLAIN;
  let most = 0;
  for (const language of LANGUAGES) {
    const signs = language.signs.filter((sign) => lines.some((line) => sign.test(line))).length;
    if (signs > most) [best, most] = [language, signs];
  }
  const saysSo = /^(#!|\s*<!doctype)/i.test(lines[0] ?? "");
  if (most >= ENOUGH_SIGNS || (saysSo && most > 0)) return best;
  const begun = LANGUAGES.filter(({ begins }) => begins !== undefined && lines.some((line) => begins.test(line)));
  return (begun.length === 1 ? begun[0] : undefined) ?? PLAIN;
}
