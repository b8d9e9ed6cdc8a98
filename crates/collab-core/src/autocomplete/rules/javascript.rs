//! JavaScript and TypeScript, with and without JSX.

use super::{Rule, markup};
use crate::autocomplete::Suggestion;
use crate::autocomplete::context::Context;
use crate::autocomplete::imports::Imports;
use crate::autocomplete::language::{CODE, Language, Lexis, Quote};

static LEXIS: Lexis = Lexis {
    line_comments: &["//"],
    block_comments: &[("/*", "*/")],
    quotes: &[
        Quote {
            open: "`",
            close: "`",
            escapes: true,
            lines: true,
            code: "${",
        },
        Quote::line("\""),
        Quote::line("'"),
    ],
    regex: true,
    word: b"$",
    ..Lexis::NONE
};

const RULES: &[Rule] = &[tags];

const KEYWORDS: &str = "async await break case catch class const constructor continue default delete else export \
    extends false finally for function if import instanceof let new null return static super switch this throw true \
    try typeof undefined while yield console document window length Array Object Promise JSON Math require";

const TYPED_KEYWORDS: &str = "async await break case catch class const constructor continue default delete else \
    export extends false finally for function if import instanceof let new null return static super switch this \
    throw true try typeof undefined while yield console document window length Array Object Promise JSON Math \
    interface implements readonly private public protected keyof string number boolean unknown Record Partial";

const fn language(
    id: &'static str,
    aliases: &'static [&'static str],
    keywords: &'static str,
    phrases: &'static [&'static [&'static str]],
    starter: &'static str,
) -> Language {
    Language {
        id,
        aliases,
        lexis: &LEXIS,
        indent: "  ",
        remark: ("// ", ""),
        modifiers: &[
            "export",
            "default",
            "async",
            "public",
            "private",
            "protected",
            "static",
            "readonly",
            "abstract",
            "declare",
            "await",
        ],
        anchors: &[
            "function ",
            "export ",
            "import ",
            "class ",
            "const ",
            "async function ",
            "interface ",
        ],
        keywords,
        end: ";",
        starter,
        tests: ["‹›.length > 0", "‹› > 0", "‹›", "‹›"],
        phrases,
        imports: IMPORTS,
        rules: RULES,
        ..CODE
    }
}

/// JavaScript.
pub static JAVASCRIPT: Language = language(
    "javascript",
    &["js", "mjs", "cjs", "node", "ecmascript", "text/javascript"],
    KEYWORDS,
    &[PHRASES],
    "function main() {\n\tconsole.log('Hello, world!');\n}\n\nmain();\n",
);

/// JavaScript with tags in it.
pub static JSX: Language = language("jsx", &["javascriptreact"], KEYWORDS, &[PHRASES], APP);

/// TypeScript.
pub static TYPESCRIPT: Language = language(
    "typescript",
    &["ts", "mts", "cts", "text/typescript"],
    TYPED_KEYWORDS,
    &[TYPES, PHRASES],
    "function main(): void {\n\tconsole.log('Hello, world!');\n}\n\nmain();\n",
);

/// TypeScript with tags in it.
pub static TSX: Language = language(
    "tsx",
    &["typescriptreact"],
    TYPED_KEYWORDS,
    &[TYPES, PHRASES],
    APP,
);

const APP: &str = "export default function App() {\n\treturn <h1>Hello, world!</h1>;\n}\n";

/// Functions, classes, control flow, and the calls everybody makes.
const PHRASES: &[&str] = &[
    "function ‹functionName›(‹*args›) {\n\t‸\n}",
    "class ‹ClassName› {\n\tconstructor(‸) {\n\t\t\n\t}\n}",
    "class ‹ClassName› ·extends ‹type› {\n\tconstructor(‸) {\n\t\tsuper();\n\t}\n}",
    "in class, first constructor, blank ¦ constructor(‸) {\n\t\n}",
    "in class ¦ constructor(‹*›) {\n\t‸\n}",
    "in class ¦ ‹method›·(‹*›) {\n\t‸\n}",
    "for (const ‹one› of ‹many›) {\n\t‸\n}",
    "for (let ‹i› = 0; ‹i› < ‹many›.length; ‹i›++) {\n\t‸\n}",
    "for (let i = 0; i < 10; i++) {\n\t‸\n}",
    "for (const [‹key›, ‹item›] of ·Object.entries(‹many›)) {\n\t‸\n}",
    "for (‹*condition›·) {\n\t‸\n}",
    "if (‹cond›) {\n\t‸\n}",
    "else if (‹cond›) {\n\t‸\n}",
    "else {\n\t‸\n}",
    "while (‹cond›) {\n\t‸\n}",
    "do {\n\t‸\n} while (condition);",
    "switch (‹value›) {\n\tcase ‸:\n\t\tbreak;\n\tdefault:\n\t\tbreak;\n}",
    "try {\n\t‸\n} catch (error) {\n\t\n}",
    "catch (‹error›) {\n\t‸\n}",
    "finally {\n\t‸\n}",
    "return ·‹value›;",
    "throw new Error('‸');",
    "console.·log(‹value›);",
    "console.error(·‹value›);",
    "const [‹name›·, ‹setter›] = useState(‸);",
    "const ‹name› = (‹*›)· => {\n\t‸\n};",
    "const ‹name› = async (‹*›)· => {\n\t‸\n};",
    "export default ·‹function›;",
    "export ·function ‹functionName›(‹*args›) {\n\t‸\n}",
    "import { ‸ } from '';",
    "import ·‹name› from './‹name›';",
    "import { ‹*names› }· from './‸';",
    "describe(·'‸', () => {\n\t\n});",
    "it(·'‸', () => {\n\t\n});",
    "test(·'‸', () => {\n\t\n});",
    "any ¦ .then(·(result) => ‸)",
    "any ¦ .catch(·(error) => ‸)",
    "any ¦ .map(·(‹item›) => ‸)",
    "any ¦ .filter(·(‹item›) => ‸)",
    "any ¦ .find(·(‹item›) => ‸)",
    "any ¦ .some(·(‹item›) => ‸)",
    "any ¦ .every(·(‹item›) => ‸)",
    "any ¦ .forEach(·(‹item›) => {\n\t‸\n});",
    "any ¦ addEventListener(·'click', (event) => {\n\t‸\n});",
    "any ¦ setTimeout(·() => {\n\t‸\n}, 1000);",
    "any ¦ setInterval(·() => {\n\t‸\n}, 1000);",
    "any ¦ useEffect(·() => {\n\t‸\n}, []);",
    "any ¦ => ·{\n\t‸\n}",
    "any ¦ new ·‹type›(‸)",
    "any ¦ new ·Promise((resolve, reject) => {\n\t‸\n})",
    "any ¦ new ·Map()",
    "any ¦ new ·Set()",
    "any ¦ new ·Date()",
];

/// What only TypeScript has.
const TYPES: &[&str] = &[
    "interface ‹Name› {\n\t‸\n}",
    "enum ‹Name› {\n\t‸\n}",
    "type ‹Name› = {\n\t‸\n};",
    "function ‹functionName›(‹*args›): ·‹*void› {\n\t‸\n}",
    "in interface ¦ ‹name›: ·string;",
    "in interface ¦ ‹name›: ·number;",
    "in class ¦ ‹name›: ·string;",
    "const ‹name›: ·string = '‸';",
    "let ‹name›: ·string = '‸';",
];

/// Modules by the name they are used under; the double name is React's way.
const IMPORTS: &[Imports] = &[Imports {
    prefix: "import ",
    suffix: ";",
    inside: "",
    known: &[
        "useState={ useState } from 'react'",
        "useEffect={ useEffect } from 'react'",
        "fs=fs from 'node:fs'",
        "path=path from 'node:path'",
        "os=os from 'node:os'",
        "http=http from 'node:http'",
        "crypto=crypto from 'node:crypto'",
        "express=express from 'express'",
        "React=React from 'react'",
        "axios=axios from 'axios'",
    ],
}];

/// Tags, where the file may hold any: in plain JavaScript a `<` compares.
fn tags(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if matches!(context.language.id, "jsx" | "tsx") {
        markup::in_jsx(context, found);
    }
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn functions() {
        assert_eq!(first("js", "function ‸"), "functionName(args) {⏎  ‸⏎}");
        assert_eq!(first("js", "function go‸"), "(args) {⏎  ‸⏎}");
        assert_eq!(first("js", "export async function go(a, b‸"), ") {⏎  ‸⏎}");
        assert_eq!(first("js", "function go(a) ‸"), "{⏎  ‸⏎}");
        assert_eq!(first("js", "function go(a) {‸"), "⏎  ‸⏎}");
    }

    #[test]
    fn arrows() {
        assert_eq!(first("js", "const f = (a, b)‸"), " => {⏎  ‸⏎};");
        assert_eq!(first("js", "const f = (a, b) =>‸"), " {⏎  ‸⏎};");
        assert_eq!(first("js", "users.forEach((user) => ‸"), "{⏎  ‸⏎});");
    }

    #[test]
    fn classes() {
        assert_eq!(
            first("js", "class ‸"),
            "ClassName {⏎  constructor(‸) {⏎    ⏎  }⏎}"
        );
        assert_eq!(first("js", "class A‸"), " {⏎  constructor(‸) {⏎    ⏎  }⏎}");
        assert_eq!(
            first("js", "class A {}\nclass B extends ‸"),
            "A {⏎  constructor(‸) {⏎    super();⏎  }⏎}"
        );
        assert_eq!(
            first("js", "class A {\n  ‸\n}"),
            "constructor(‸) {⏎    ⏎  }"
        );
        assert_eq!(
            first("js", "class A {\n  constructor‸\n}"),
            "() {⏎    ‸⏎  }"
        );
        assert_eq!(first("js", "class A {\n  go(x‸\n}"), ") {⏎    ‸⏎  }");
    }

    #[test]
    fn loops() {
        assert_eq!(first("js", "for ‸"), "(let i = 0; i < 10; i++) {⏎  ‸⏎}");
        assert_eq!(
            first("js", "const users = [];\nfor ‸"),
            "(const user of users) {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (‸"),
            "const user of users) {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (‸)"),
            "const user of users"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (const u‸"),
            " of users) {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (const u of ‸"),
            "users) {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (const u of users‸"),
            ") {⏎  ‸⏎}"
        );
        assert_eq!(
            first("js", "const users = [];\nfor (let j‸"),
            " = 0; j < users.length; j++) {⏎  ‸⏎}"
        );
    }

    #[test]
    fn conditions() {
        assert_eq!(first("js", "if ‸"), "(condition) {⏎  ‸⏎}");
        assert_eq!(
            first("js", "const users = [];\nif (‸"),
            "users.length > 0) {⏎  ‸⏎}"
        );
        assert_eq!(first("js", "const n = 1;\nif (n‸"), ") {⏎  ‸⏎}");
        assert_eq!(first("js", "const n = 1;\nif (n)‸"), " {⏎  ‸⏎}");
        assert_eq!(first("js", "if (a) {\n  b();\n} else ‸"), "{⏎  ‸⏎}");
        assert_eq!(first("js", "try ‸"), "{⏎  ‸⏎} catch (error) {⏎  ⏎}");
        let switch = "(kind) {⏎  case ‸:⏎    break;⏎  default:⏎    break;⏎}";
        assert_eq!(first("js", "const kind = f();\nswitch ‸"), switch);
    }

    #[test]
    fn modules() {
        assert_eq!(first("js", "import ‸"), "{ ‸ } from '';");
        assert_eq!(
            first("js", "import ‸\nfs.readFileSync(x);"),
            "fs from 'node:fs';"
        );
        assert_eq!(
            first("jsx", "import ‸\nconst [a, setA] = useState(x);"),
            "{ useState } from 'react';"
        );
        assert_eq!(first("js", "import thing‸"), " from './thing';");
        assert_eq!(first("js", "import { a, b }‸"), " from './‸';");
        assert_eq!(first("js", "function go() {\n}\n\nexport default ‸"), "go;");
        assert_eq!(
            first("js", "export ‸"),
            "function functionName(args) {⏎  ‸⏎}"
        );
    }

    #[test]
    fn calls() {
        assert_eq!(first("js", "const names = users.map(‸"), "(item) => ‸)");
        assert_eq!(first("js", "fetch(url).then(‸"), "(result) => ‸)");
        assert_eq!(first("js", "const total = 1;\nconsole.‸"), "log(total);");
        assert_eq!(
            first("js", "const total = 1\nfoo()\nconsole.log(‸"),
            "total)"
        );
        assert_eq!(first("js", "function f(x) {\n  return ‸\n}"), "x;");
        assert_eq!(first("js", "throw ‸"), "new Error('‸');");
        assert_eq!(first("js", "class A {}\nconst a = new ‸"), "A(‸)");
        assert_eq!(
            first("js", "button.addEventListener(‸"),
            "'click', (event) => {⏎  ‸⏎});"
        );
        assert_eq!(
            first("js", "const a = \"x\";\nit(‸"),
            "\"‸\", () => {⏎  ⏎});"
        );
        assert_eq!(first("jsx", "const [count‸"), ", setCount] = useState(‸);");
    }

    #[test]
    fn types() {
        assert_eq!(first("ts", "interface ‸"), "Name {⏎  ‸⏎}");
        assert_eq!(first("ts", "export type Point‸"), " = {⏎  ‸⏎};");
        assert!(!has("js", "interface ‸", "Name {⏎  ‸⏎}"));
        assert_eq!(first("ts", "interface A {\n  name: ‸\n}"), "string;");
        assert_eq!(first("ts", "const x: ‸"), "string = '‸';");
    }
}
