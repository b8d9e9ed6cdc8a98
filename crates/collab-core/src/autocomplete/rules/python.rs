//! Python.

use crate::autocomplete::context::Context;
use crate::autocomplete::imports::Imports;
use crate::autocomplete::language::{CODE, Language, Lexis, Quote};
use crate::autocomplete::rank::EXACT;
use crate::autocomplete::search::is_word;
use crate::autocomplete::{Kind, Suggestion};

/// Python.
pub static PYTHON: Language = Language {
    id: "python",
    aliases: &["py", "python3", "pyw", "pyi", "pyx", "text/x-python"],
    lexis: &Lexis {
        line_comments: &["#"],
        quotes: &[
            Quote::lines("\"\"\""),
            Quote::lines("'''"),
            Quote::line("\""),
            Quote::line("'"),
        ],
        ..Lexis::NONE
    },
    indent: "    ",
    remark: ("# ", ""),
    modifiers: &["async"],
    anchors: &[
        "def ",
        "class ",
        "import ",
        "from ",
        "@",
        "if __name__",
        "async def ",
    ],
    keywords: "and assert async await break class continue def elif else except False finally for from global import \
        lambda None nonlocal not pass raise return True try while with yield self super print range enumerate len \
        isinstance sorted append property staticmethod classmethod Exception ValueError TypeError KeyError",
    starter: "def main():\n\tprint(\"Hello, world!\")\n\n\nif __name__ == \"__main__\":\n\tmain()\n",
    tests: ["‹›", "‹› > 0", "‹›", "‹›"],
    phrases: &[DEFINITIONS, FLOW, LINES],
    imports: IMPORTS,
    rules: &[init_body],
    ..CODE
};

/// Functions and classes. In a class a function is a method: first of all `__init__`, and it
/// takes `self`.
const DEFINITIONS: &[&str] = &[
    "in class, above @staticmethod ¦ def ‹method_name›(‹*›):\n\tpass",
    "in class, above @classmethod ¦ def ‹method_name›(cls‹*›):\n\tpass",
    "in class, first def __init__ ¦ def __init__(self‹*›):\n\tpass",
    "in class, has ) ->  ¦ def ‹method_name›(self‹*›) -> None:\n\tpass",
    "in class ¦ def ‹method_name›(self‹*›):\n\tpass",
    "has ) ->  ¦ def ‹function_name›(‹*args›) -> None:\n\tpass",
    "def ‹function_name›(‹*args›):\n\tpass",
    "def ‹function_name›(‹*args›) ·-> ‹*None›:\n\tpass",
    "above @dataclass ¦ class ‹ClassName›:\n\tname: str",
    "ends Error ¦ class ‹ClassName›(Exception):\n\tpass",
    "class ‹ClassName›:\n\tdef __init__(self‸):\n\t\tpass",
    "class ‹ClassName›·(‹type›):\n\tpass",
    "blank, above class, opened ¦ def __init__(self‸):\n\tpass",
    "in class ¦ @·property",
    "in class ¦ @·staticmethod",
    "in class ¦ @·classmethod",
    "top ¦ @·dataclass",
    "@·cache",
    "@·contextmanager",
];

/// Loops, conditions and what belongs to them.
const FLOW: &[&str] = &[
    "for i· in range(‹*10›):\n\tpass",
    "for ‹one› in ‹many›:\n\tpass",
    "for ‹i› in range(‹*10›):\n\tpass",
    "for i·, ‹one› in enumerate(‹many›):\n\tpass",
    "for ‹key›, ‹item› ·in ‹many›.items():\n\tpass",
    "for ‹key›, ‹item› ·in ‹*pairs›:\n\tpass",
    "if ‹cond›:\n\tpass",
    "top ¦ if __·name__ == \"__main__\":\n\tmain()",
    "blank, top, has def main(, no __name__ ¦ if __name__ == \"__main__\":\n\tmain()",
    "elif ‹cond›:\n\tpass",
    "else:\n\tpass",
    "while True:\n\tpass",
    "while ‹cond›:\n\tpass",
    "try:\n\t‸pass\nexcept Exception as error:\n\traise",
    "except ‹Exception› as ‹error›:\n\traise",
    "except ·‹*Exception›:\n\traise",
    "finally:\n\tpass",
    "with open(‹*path›) as ‹file›:\n\tpass",
    "with ·‹*context› as ‹name›:\n\tpass",
    "match ·‹value›:\n\tcase ‸:\n\t\tpass\n\tcase _:\n\t\tpass",
    "case ·‹*value›:\n\tpass",
];

/// Statements and expressions on one line.
const LINES: &[&str] = &[
    "return ·‹value›",
    "yield ·‹value›",
    "raise ValueError(\"‸\")",
    "print(‹value›)",
    "in def __init__ ¦ super().__init__()",
    "any ¦ lambda ‹item›: ‸",
    "any, bracket ¦ for ‹one› in ‹many›",
];

/// What modules are used for, most wanted first.
const IMPORTS: &[Imports] = &[
    Imports {
        prefix: "import ",
        suffix: "",
        inside: "",
        known: &[
            "os",
            "sys",
            "json",
            "re",
            "time",
            "math",
            "random",
            "datetime",
            "logging",
            "pathlib",
            "collections",
            "itertools",
            "functools",
            "subprocess",
            "asyncio",
            "argparse",
            "csv",
            "sqlite3",
            "unittest",
            "np=numpy as np",
            "pd=pandas as pd",
            "requests",
            "pytest",
            "plt=matplotlib.pyplot as plt",
        ],
    },
    Imports {
        prefix: "from ",
        suffix: "",
        inside: "",
        known: &[
            "Path=pathlib import Path",
            "defaultdict=collections import defaultdict",
            "dataclass=dataclasses import dataclass",
            "datetime=datetime import datetime",
            "Any=typing import Any",
            "partial=functools import partial",
            "chain=itertools import chain",
            "Enum=enum import Enum",
            "ABC=abc import ABC",
            "contextmanager=contextlib import contextmanager",
            "Iterable=collections.abc import Iterable",
            "Flask=flask import Flask",
            "FastAPI=fastapi import FastAPI",
        ],
    },
];

/// Below `def __init__(self, a, b):` → `self.a = a`, one line for each parameter.
pub fn init_body(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let line = context.trimmed();
    let (header, inside) = match context.previous() {
        _ if line.starts_with("def __init__") && line.ends_with(':') => (line, "\n\t"),
        Some((above, indent)) if line.is_empty() && indent < context.columns() => (above, ""),
        _ => return,
    };
    let Some(parameters) = header.strip_prefix("def __init__(self") else {
        return;
    };
    if !context.at_code_end() || context.has_body() {
        return;
    }
    let parameters = parameters.trim_end_matches([':', ')']);
    let mut lines = String::new();
    for parameter in parameters.split(',') {
        // A type with a comma in it leaves pieces that are no names.
        let name = parameter
            .split([':', '='])
            .next()
            .unwrap_or("")
            .trim()
            .trim_start_matches('*');
        if is_word(name) {
            let start = if lines.is_empty() {
                inside
            } else if inside.is_empty() {
                "\n"
            } else {
                inside
            };
            lines.extend([start, "self.", name, " = ", name]);
        }
    }
    if lines.is_empty() {
        lines.extend([inside, "pass"]);
    }
    context.offer(found, Kind::Block, EXACT + 99, &[&lines]);
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{first, has};

    #[test]
    fn functions() {
        assert_eq!(first("python", "def ‸"), "function_name(args):⏎    pass");
        assert_eq!(first("python", "def‸"), " function_name(args):⏎    pass");
        assert_eq!(first("python", "def foo‸"), "(args):⏎    pass");
        assert_eq!(first("python", "def foo(a, b‸"), "):⏎    pass");
        assert_eq!(first("python", "def foo(a)‸"), ":⏎    pass");
        assert_eq!(first("python", "def foo(a):‸"), "⏎    pass");
        assert_eq!(first("python", "async def foo‸"), "(args):⏎    pass");
        assert_eq!(
            first("python", "def f() -> int:\n    return 1\n\ndef g‸"),
            "(args) -> None:⏎    pass"
        );
        assert_eq!(first("python", "def f(a) -> int‸"), ":⏎    pass");
        assert_eq!(first("python", "def foo(a)‸\n    return a"), ":");
        assert_eq!(first("python", "def foo(‸)"), "args");
    }

    #[test]
    fn methods() {
        assert_eq!(
            first("python", "class A:\n    def ‸"),
            "__init__(self):⏎        pass"
        );
        let second = "class A:\n    def __init__(self):\n        pass\n\n    def ‸";
        assert_eq!(first("python", second), "method_name(self):⏎        pass");
        assert_eq!(first("python", "class A:\n\tdef go‸"), "(self):⏎→→pass");
        assert_eq!(
            first("python", "class A:\n  @staticmethod\n  def go‸"),
            "():⏎    pass"
        );
        assert_eq!(
            first("python", "class A:\n    def go(self, x‸"),
            "):⏎        pass"
        );
    }

    #[test]
    fn classes() {
        assert_eq!(
            first("python", "class ‸"),
            "ClassName:⏎    def __init__(self‸):⏎        pass"
        );
        assert_eq!(
            first("python", "class Foo‸"),
            ":⏎    def __init__(self‸):⏎        pass"
        );
        assert_eq!(first("python", "class FooError‸"), "(Exception):⏎    pass");
        assert_eq!(
            first("python", "@dataclass\nclass Point‸"),
            ":⏎    name: str"
        );
        assert_eq!(
            first("python", "class A:\n    pass\n\nclass B(‸"),
            "A):⏎    pass"
        );
        assert_eq!(first("python", "class B(A‸"), "):⏎    pass");
        assert_eq!(
            first("python", "class A:\n    ‸"),
            "def __init__(self‸):⏎        pass"
        );
    }

    #[test]
    fn init_keeps_what_it_is_given() {
        let class = "class A:\n    def __init__(self, name: str, age=1, *rest):";
        let body = "self.name = name⏎        self.age = age⏎        self.rest = rest";
        assert_eq!(first("python", &format!("{class}\n        ‸")), body);
        assert_eq!(
            first("python", &format!("{class}‸")),
            format!("⏎        {body}")
        );
    }

    #[test]
    fn decorators() {
        assert_eq!(first("python", "class A:\n    @‸"), "property");
        assert_eq!(first("python", "@da‸"), "taclass");
        assert!(!has("python", "class A:\n    @‸", "dataclass"));
    }

    #[test]
    fn loops() {
        assert_eq!(first("python", "for ‸"), "i in range(10):⏎    pass");
        assert_eq!(
            first("python", "users = []\nfor ‸"),
            "user in users:⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nrows = []\nfor user‸"),
            " in users:⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nrows = []\nfor user in ‸"),
            "users:⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nfor i in ‸"),
            "range(10):⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nfor i, user in ‸"),
            "enumerate(users):⏎    pass"
        );
        assert_eq!(
            first("python", "users = {}\nfor key, user in‸"),
            " users.items():⏎    pass"
        );
        assert_eq!(
            first("python", "users = []\nfor user in users‸"),
            ":⏎    pass"
        );
        assert_eq!(first("python", "for x in range(3‸"), "):⏎    pass");
    }

    #[test]
    fn conditions() {
        assert_eq!(first("python", "if ‸"), "condition:⏎    pass");
        assert_eq!(
            first("python", "count = 1\nis_open = f()\nx = 1\nif ‸"),
            "is_open:⏎    pass"
        );
        assert_eq!(first("python", "count = 1\nif ‸"), "count > 0:⏎    pass");
        assert_eq!(first("python", "count = 1\nif count‸"), ":⏎    pass");
        assert_eq!(first("python", "count = 1\nif co‸"), "unt");
        assert_eq!(first("python", "if a == ‸"), "");
        assert_eq!(first("python", "if f(a‸"), "):⏎    pass");
        assert_eq!(first("python", "while ‸"), "True:⏎    pass");
        assert_eq!(first("python", "if a:\n    b()\nelse‸"), ":⏎    pass");
    }

    #[test]
    fn main_is_called_once() {
        let guard = "if __name__ == \"__main__\":⏎    main()";
        assert_eq!(first("python", "def main():\n    f()\n\n\n‸"), guard);
        assert!(!has(
            "python",
            "def main():\n    f()\n\nif __name__ == 'x':\n    f()\n\n‸",
            guard
        ));
        assert_eq!(
            first("python", "if __na‸"),
            "me__ == \"__main__\":⏎    main()"
        );
    }

    #[test]
    fn headers_with_partners() {
        assert_eq!(first("python", "with ‸"), "open(path) as file:⏎    pass");
        assert_eq!(first("python", "with open(p)‸"), " as file:⏎    pass");
        assert_eq!(
            first("python", "try‸"),
            ":⏎    ‸pass⏎except Exception as error:⏎    raise"
        );
        assert_eq!(
            first("python", "try:\n    f()\nexcept ‸"),
            "Exception as error:⏎    raise"
        );
        assert_eq!(
            first("python", "match x‸"),
            ":⏎    case ‸:⏎        pass⏎    case _:⏎        pass"
        );
        assert_eq!(first("python", "match = ‸"), "");
    }

    #[test]
    fn lines() {
        assert_eq!(
            first("python", "def f(x):\n    total = x\n    return ‸"),
            "total"
        );
        assert_eq!(first("python", "def f(x):\n    return ‸"), "x");
        assert_eq!(first("python", "total = 1\nprint(‸"), "total)");
        assert_eq!(first("python", "total = 1\nprint(‸)"), "total");
        assert_eq!(first("python", "raise ‸"), "ValueError(\"‸\")");
        assert_eq!(
            first("python", "users = []\nx = [f(user) for ‸"),
            "user in users]"
        );
        assert_eq!(
            first("python", "users = []\nrows = []\nx = sum(u for u in ‸"),
            "rows)"
        );
        assert_eq!(first("python", "sorted(rows, key=lambda‸"), " item: ‸)");
        assert_eq!(
            first(
                "python",
                "class A(B):\n    def __init__(self):\n        super‸"
            ),
            "().__init__()"
        );
    }

    #[test]
    fn imports() {
        assert_eq!(first("python", "import ‸"), "os");
        assert_eq!(first("python", "import ‸\nx = json.loads(y)"), "json");
        assert_eq!(first("python", "import ‸\nx = np.zeros(3)"), "numpy as np");
        assert_eq!(first("python", "import ma‸"), "th");
        assert_eq!(
            first("python", "import os, sys\nimport json as j\nimport ‸"),
            "re"
        );
        assert!(!has("python", "from os import path\nimport ‸", "os"));
        assert_eq!(first("python", "from ‸"), "pathlib import Path");
        assert_eq!(
            first("python", "from ‸\n@dataclass\nclass A:\n    pass"),
            "dataclasses import dataclass"
        );
        assert_eq!(first("python", "from collections import ‸"), "defaultdict");
    }
}
