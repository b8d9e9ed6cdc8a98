//! The answers a person would judge us by: one line per situation, the best suggestion behind it.
//! `‸` is the caret, `⏎` a line end, `→` a tab, `⌫` a blank taken back, `·` a blank at either end, `–` nothing. Tests only.

use super::rules::asked::first;

fn table(language: &str, situations: &[&str]) -> String {
    let width = situations
        .iter()
        .map(|text| text.chars().count())
        .max()
        .unwrap_or(0);
    let mut table = String::new();
    for situation in situations {
        let shown = situation.replace('\n', "⏎").replace('\t', "→");
        let answer = first(language, situation);
        let inner = answer.trim_matches(' ');
        let blanks = |count: usize| "·".repeat(count);
        let leading = blanks(answer.len() - answer.trim_start_matches(' ').len());
        let trailing = blanks(answer.len() - answer.trim_end_matches(' ').len());
        let answer = if answer.is_empty() { "–" } else { inner };
        table.push_str(&format!("{shown:width$} │ {leading}{answer}{trailing}\n"));
    }
    table
}

#[test]
fn python() {
    let answers = table(
        "python",
        &[
            "def ‸",
            "def foo‸",
            "def foo(a, b‸",
            "class ‸",
            "class Dog(Animal‸",
            "import ‸",
            "from ‸",
            "for ‸",
            "for x in ‸",
            "users = load()\nfor ‸",
            "users = load()\nfor user in ‸",
            "if ‸",
            "ready = True\nif ‸",
            "while ‸",
            "try‸",
            "with ‸",
            "else‸",
            "elif ‸",
            "lambda‸",
            "@‸",
            "class A:\n    def ‸",
            "class A:\n    def __init__(self, name):\n        ‸",
            "def f(x):\n    return ‸",
            "print(‸",
            "raise ‸",
            "xs = [x for ‸",
            "x = {'a': 1‸",
            "x = 'text‸'",
            "# def ‸",
            "x = 1‸",
            "def main():\n    go()\n\n‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    def ‸                                            │ function_name(args):⏎    pass
    def foo‸                                         │ (args):⏎    pass
    def foo(a, b‸                                    │ ):⏎    pass
    class ‸                                          │ ClassName:⏎    def __init__(self‸):⏎        pass
    class Dog(Animal‸                                │ ):⏎    pass
    import ‸                                         │ os
    from ‸                                           │ pathlib import Path
    for ‸                                            │ i in range(10):⏎    pass
    for x in ‸                                       │ range(10):⏎    pass
    users = load()⏎for ‸                             │ user in users:⏎    pass
    users = load()⏎for user in ‸                     │ users:⏎    pass
    if ‸                                             │ condition:⏎    pass
    ready = True⏎if ‸                                │ ready:⏎    pass
    while ‸                                          │ True:⏎    pass
    try‸                                             │ :⏎    ‸pass⏎except Exception as error:⏎    raise
    with ‸                                           │ open(path) as file:⏎    pass
    else‸                                            │ :⏎    pass
    elif ‸                                           │ condition:⏎    pass
    lambda‸                                          │ ·item:·
    @‸                                               │ dataclass
    class A:⏎    def ‸                               │ __init__(self):⏎        pass
    class A:⏎    def __init__(self, name):⏎        ‸ │ self.name = name
    def f(x):⏎    return ‸                           │ x
    print(‸                                          │ value)
    raise ‸                                          │ ValueError("‸")
    xs = [x for ‸                                    │ item in items]
    x = {'a': 1‸                                     │ }
    x = 'text‸'                                      │ –
    # def ‸                                          │ –
    x = 1‸                                           │ ··# TODO:·
    def main():⏎    go()⏎⏎‸                          │ if __name__ == "__main__":⏎    main()
    ‸                                                │ def main():⏎    print("Hello, world!")⏎⏎⏎if __name__ == "__main__":⏎    main()⏎
    "##);
}

#[test]
fn javascript() {
    let answers = table(
        "javascript",
        &[
            "function ‸",
            "function go‸",
            "class ‸",
            "class A extends ‸",
            "import ‸",
            "import fs‸",
            "for ‸",
            "for (‸",
            "const users = [];\nfor (‸",
            "if ‸",
            "if (a‸",
            "else ‸",
            "while ‸",
            "switch ‸",
            "try ‸",
            "const f = (a)‸",
            "users.map(‸",
            "go(() => {‸",
            "console.‸",
            "return ‸",
            "throw ‸",
            "new ‸",
            "/**‸",
            "log('hi‸",
            "export ‸",
            "// if ‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    function ‸               │ functionName(args) {⏎  ‸⏎}
    function go‸             │ (args) {⏎  ‸⏎}
    class ‸                  │ ClassName {⏎  constructor(‸) {⏎    ⏎  }⏎}
    class A extends ‸        │ Name {⏎  constructor(‸) {⏎    super();⏎  }⏎}
    import ‸                 │ { ‸ } from '';
    import fs‸               │ ·from './fs';
    for ‸                    │ (let i = 0; i < 10; i++) {⏎  ‸⏎}
    for (‸                   │ let i = 0; i < 10; i++) {⏎  ‸⏎}
    const users = [];⏎for (‸ │ const user of users) {⏎  ‸⏎}
    if ‸                     │ (condition) {⏎  ‸⏎}
    if (a‸                   │ ) {⏎  ‸⏎}
    else ‸                   │ {⏎  ‸⏎}
    while ‸                  │ (condition) {⏎  ‸⏎}
    switch ‸                 │ (value) {⏎  case ‸:⏎    break;⏎  default:⏎    break;⏎}
    try ‸                    │ {⏎  ‸⏎} catch (error) {⏎  ⏎}
    const f = (a)‸           │ ·=> {⏎  ‸⏎};
    users.map(‸              │ (item) => ‸)
    go(() => {‸              │ ⏎  ‸⏎});
    console.‸                │ log(value);
    return ‸                 │ value;
    throw ‸                  │ new Error('‸');
    new ‸                    │ Promise((resolve, reject) => {⏎  ‸⏎})
    /**‸                     │ ⏎ * ‸⏎ */
    log('hi‸                 │ ');
    export ‸                 │ function functionName(args) {⏎  ‸⏎}
    // if ‸                  │ –
    ‸                        │ function main() {⏎  console.log('Hello, world!');⏎}⏎⏎main();⏎
    "##);
}

#[test]
fn typescript() {
    let answers = table(
        "typescript",
        &[
            "interface ‸",
            "type Point‸",
            "enum ‸",
            "function f(a: number‸",
            "const x: ‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    interface ‸           │ Name {⏎  ‸⏎}
    type Point‸           │ ·= {⏎  ‸⏎};
    enum ‸                │ Name {⏎  ‸⏎}
    function f(a: number‸ │ ) {⏎  ‸⏎}
    const x: ‸            │ string = '‸';
    ‸                     │ function main(): void {⏎  console.log('Hello, world!');⏎}⏎⏎main();⏎
    "##);
}

#[test]
fn rust() {
    let answers = table(
        "rust",
        &[
            "fn ‸",
            "fn go‸",
            "struct ‸",
            "enum ‸",
            "impl ‸",
            "for ‸",
            "if ‸",
            "match ‸",
            "use ‸",
            "#[‸",
            "mod tests‸",
            "let v = vec‸",
            "println‸",
            "let mut users = ‸",
            "while let ‸",
            "loop ‸",
            "impl A {\n    fn ‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    fn ‸              │ main() {⏎    ‸⏎}
    fn go‸            │ () {⏎    ‸⏎}
    struct ‸          │ Name {⏎    ‸⏎}
    enum ‸            │ Name {⏎    ‸⏎}
    impl ‸            │ Name {⏎    ‸⏎}
    for ‸             │ i in 0..10 {⏎    ‸⏎}
    if ‸              │ condition {⏎    ‸⏎}
    match ‸           │ value {⏎    ‸ => {}⏎    _ => {}⏎}
    use ‸             │ std::collections::HashMap;
    #[‸               │ derive(Debug, Clone)]
    mod tests‸        │ ·{⏎    use super::*;⏎⏎    #[test]⏎    fn ‸() {⏎        ⏎    }⏎}
    let v = vec‸      │ ![‸]
    println‸          │ !("‸");
    let mut users = ‸ │ Vec::new();
    while let ‸       │ Some(it) = value {⏎    ‸⏎}
    loop ‸            │ {⏎    ‸⏎}
    impl A {⏎    fn ‸ │ new() -> Self {⏎        Self {‸}⏎    }
    ‸                 │ fn main() {⏎    println!("Hello, world!");⏎}⏎
    "##);
}

#[test]
fn go() {
    let answers = table(
        "go",
        &[
            "func ‸",
            "package ‸",
            "type ‸",
            "for ‸",
            "if ‸",
            "if err‸",
            "import ‸",
            "switch ‸",
            "defer ‸",
            "fmt.‸",
            "func f() error {\n\terr := g()\n\t‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    func ‸                          │ functionName() {⏎→‸⏎}
    package ‸                       │ main
    type ‸                          │ Name struct {⏎→‸⏎}
    for ‸                           │ i := 0; i < 10; i++ {⏎→‸⏎}
    if ‸                            │ condition {⏎→‸⏎}
    if err‸                         │ ·!= nil {⏎→log.Fatal(err)⏎}
    import ‸                        │ "fmt"
    switch ‸                        │ value {⏎case ‸:⏎→⏎default:⏎→⏎}
    defer ‸                         │ func() {⏎→‸⏎}()
    fmt.‸                           │ Println(value)
    func f() error {⏎→err := g()⏎→‸ │ if err != nil {⏎→→return err⏎→}
    ‸                               │ package main⏎⏎import "fmt"⏎⏎func main() {⏎→fmt.Println("Hello, world!")⏎}⏎
    "##);
}

#[test]
fn java() {
    let answers = table(
        "java",
        &[
            "public class ‸",
            "class Dog‸",
            "import ‸",
            "for ‸",
            "if ‸",
            "while ‸",
            "try ‸",
            "System.‸",
            "List<String> xs = new ‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    public class ‸          │ Main {⏎    public static void main(String[] args) {⏎        ‸⏎    }⏎}
    class Dog‸              │ ·{⏎    ‸⏎}
    import ‸                │ java.util.List;
    for ‸                   │ (int i = 0; i < 10; i++) {⏎    ‸⏎}
    if ‸                    │ (condition) {⏎    ‸⏎}
    while ‸                 │ (condition) {⏎    ‸⏎}
    try ‸                   │ {⏎    ‸⏎} catch (Exception e) {⏎    ⏎}
    System.‸                │ out.println(value);
    List<String> xs = new ‸ │ ArrayList<>();
    ‸                       │ public class Main {⏎    public static void main(String[] args) {⏎        System.out.println("Hello, world!");⏎    }⏎}⏎
    "##);
}

#[test]
fn plain_c() {
    let answers = table(
        "c",
        &[
            "#include ‸",
            "int main‸",
            "for ‸",
            "if ‸",
            "while ‸",
            "struct ‸",
            "switch ‸",
            "printf(‸",
            "int f(int a‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    #include ‸   │ <stdio.h>
    int main‸    │ (void) {⏎    ‸⏎    return 0;⏎}
    for ‸        │ (int i = 0; i < 10; i++) {⏎    ‸⏎}
    if ‸         │ (condition) {⏎    ‸⏎}
    while ‸      │ (condition) {⏎    ‸⏎}
    struct ‸     │ Name {⏎    ‸⏎};
    switch ‸     │ (value) {⏎    case ‸:⏎        break;⏎    default:⏎        break;⏎}
    printf(‸     │ "‸\n");
    int f(int a‸ │ ) {⏎    ‸⏎}
    ‸            │ #include <stdio.h>⏎⏎int main(void) {⏎    printf("Hello, world!\n");⏎    return 0;⏎}⏎
    "##);
}

#[test]
fn cplusplus() {
    let answers = table(
        "cpp",
        &[
            "#include ‸",
            "class ‸",
            "for ‸",
            "template ‸",
            "std::cout ‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    #include ‸  │ <iostream>
    class ‸     │ ClassName {⏎public:⏎    ClassName(‸) {⏎    }⏎};
    for ‸       │ (int i = 0; i < 10; i++) {⏎    ‸⏎}
    template ‸  │ <typename T>
    std::cout ‸ │ << value << std::endl;
    ‸           │ #include <iostream>⏎⏎int main() {⏎    std::cout << "Hello, world!" << std::endl;⏎    return 0;⏎}⏎
    "##);
}

#[test]
fn html() {
    let answers = table(
        "html",
        &[
            "<div‸",
            "<div>‸",
            "<ul>‸",
            "<a‸",
            "<img ‸",
            "</‸",
            "<p>Hi‸",
            "<table>‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    <div‸    │ >‸</div>
    <div>‸   │ ‸</div>
    <ul>‸    │ ⏎  <li>‸</li>⏎</ul>
    <a‸      │ ·href="‸"></a>
    <img ‸   │ src="‸"
    </‸      │ –
    <p>Hi‸   │ </p>
    <table>‸ │ ⏎  <tr>‸</tr>⏎</table>
    ‸        │ <!DOCTYPE html>⏎<html lang="en">⏎<head>⏎  <meta charset="utf-8">⏎  <meta name="viewport" content="width=device-width, initial-scale=1">⏎  <title>‸</title>⏎</head>⏎<body>⏎  ⏎</body>⏎</html>⏎
    "##);
}

#[test]
fn css() {
    let answers = table(
        "css",
        &[
            "body ‸",
            "a {\n  col‸",
            "a {\n  display: ‸",
            "@media ‸",
            "a {\n  color: red‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    body ‸            │ {⏎  ‸⏎}
    a {⏎  col‸        │ or: ‸;
    a {⏎  display: ‸  │ flex;
    @media ‸          │ (max-width: 600px) {⏎  ‸⏎}
    a {⏎  color: red‸ │ ;
    ‸                 │ body {⏎  margin: 0;⏎  font-family: system-ui, sans-serif;⏎}⏎
    "##);
}

#[test]
fn sql() {
    let answers = table(
        "sql",
        &[
            "SELECT ‸",
            "select ‸",
            "CREATE TABLE ‸",
            "INSERT INTO ‸",
            "UPDATE ‸",
            "DELETE ‸",
            "SELECT * FROM t ORDER ‸",
            "CASE ‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    SELECT ‸                │ * FROM table_name;
    select ‸                │ * from table_name;
    CREATE TABLE ‸          │ table_name (⏎    id INTEGER PRIMARY KEY,⏎    ‸⏎);
    INSERT INTO ‸           │ table_name () VALUES (‸);
    UPDATE ‸                │ table_name SET ‸ = ? WHERE id = ?;
    DELETE ‸                │ FROM table_name WHERE id = ‸;
    SELECT * FROM t ORDER ‸ │ BY id
    CASE ‸                  │ WHEN ‸ THEN  ELSE  END
    ‸                       │ CREATE TABLE table_name (⏎    id INTEGER PRIMARY KEY,⏎    name TEXT NOT NULL⏎);⏎
    "##);
}

#[test]
fn markdown() {
    let answers = table(
        "markdown",
        &[
            "# Title\n\n- one\n‸",
            "1. one\n‸",
            "```‸",
            "| a | b |\n‸",
            "[text]‸",
            "**bold‸",
            "‸",
        ],
    );
    insta::assert_snapshot!(answers, @r##"
    # Title⏎⏎- one⏎‸ │ -·
    1. one⏎‸         │ 2.·
    ```‸             │ ⏎‸⏎```
    | a | b |⏎‸      │ | --- | --- |
    [text]‸          │ (‸)
    **bold‸          │ **
    ‸                │ # Title⏎⏎‸⏎
    "##);
}

#[test]
fn json() {
    let answers = table(
        "json",
        &["{‸", "{\n  \"name\"‸", "{\n  \"tags\": ‸", "[1, 2‸", "‸"],
    );
    insta::assert_snapshot!(answers, @r##"
    {‸            │ ⏎  ‸⏎}
    {⏎  "name"‸   │ :·
    {⏎  "tags": ‸ │ [‸]
    [1, 2‸        │ ]
    ‸             │ {⏎  "name": "‸"⏎}⏎
    "##);
}

#[test]
fn a_language_nobody_knows() {
    let answers = table("klingon", &["counter = 1\nco‸", "x‸", "‸"]);
    insta::assert_snapshot!(answers, @r##"
    counter = 1⏎co‸ │ unter
    x‸              │ –
    ‸               │ –
    "##);
}
