//! HTML and its relatives, and the tags in JSX: what is open is read by [`tags`], what elements
//! look like stands in [`elements`]. Scripts and styles inside HTML belong to their own languages.

use super::Rule;
use crate::autocomplete::context::Context;
use crate::autocomplete::language::{CODE, Language, Lexis};
use crate::autocomplete::lexer::Place;
use crate::autocomplete::rank::{EXACT, LIKELY, PLAUSIBLE, WORD};
use crate::autocomplete::search::{contains, from, is_word_char, part, rcut};
use crate::autocomplete::{Kind, Suggestion};
use elements::{ELEMENTS, attributes, child, rest_of_tag, value};
use tags::{Here, Tags, closes};

mod elements;
mod tags;

static LEXIS: Lexis = Lexis {
    block_comments: &[("<!--", "-->")],
    word: b"-",
    ..Lexis::NONE
};

const fn language(
    id: &'static str,
    aliases: &'static [&'static str],
    starter: &'static str,
) -> Language {
    Language {
        id,
        aliases,
        lexis: &LEXIS,
        indent: "  ",
        remark: ("<!-- ", " -->"),
        anchors: &["<body", "<head", "<main", "<script", "<section"],
        min_typed: 4,
        prose: true,
        starter,
        rules: RULES,
        ..CODE
    }
}

const RULES: &[Rule] = &[in_markup, doctype];

/// HTML. Templates of other kinds are close enough.
pub static HTML: Language = language(
    "html",
    &["htm", "xhtml", "vue", "svelte", "text/html"],
    PAGE,
);

/// XML and SVG.
pub static XML: Language = language(
    "xml",
    &["svg", "xsd", "text/xml"],
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<root>\n\t‸\n</root>\n",
);

const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n\t<meta charset=\"utf-8\">\n\t<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\t<title>‸</title>\n</head>\n<body>\n\t\n</body>\n</html>\n";

/// `</` → the name of what is open.
fn close_begun(context: &Context<'_>, tags: &Tags<'_>, found: &mut Vec<Suggestion>) {
    let Some((_, typed)) = rcut(context.line, "</").filter(|_| !context.unsure) else {
        return;
    };
    let Some(open) = tags.open.last() else { return };
    let end = if context.rest.starts_with('>') {
        ""
    } else {
        ">"
    };
    if let Some(rest) = open.name.strip_prefix(typed) {
        context.offer(found, Kind::Closing, EXACT, &[rest, end]);
    }
}

/// Behind an opening tag, behind its text, and on a blank line below: the tag that closes it,
/// with what such an element usually contains.
fn close(context: &Context<'_>, tags: &Tags<'_>, found: &mut Vec<Suggestion>) {
    if !context.rest.trim().is_empty() || context.unsure || context.line.ends_with("</") {
        return;
    }
    let Some(open) = tags.open.last().filter(|_| tags.here.is_none()) else {
        return;
    };
    let after = context.after();
    // A fragment's `<>` has no name, and in JSX much may look like one.
    if open.name.is_empty() || closes(after, open.name, jsx(context)) {
        return;
    }
    let here = context.caret_line().is_some_and(|line| open.at >= line.at);
    let behind_tag = open.end == context.caret;
    let text = context.line.trim_end();
    if context.trimmed().is_empty() {
        let outer = indent_at(context, open.at);
        if let Some(blanks) = context.indent.strip_prefix(outer) {
            let score = if blanks.is_empty() {
                LIKELY
            } else {
                PLAUSIBLE + 20
            };
            context.offer_over(found, Kind::Closing, score, blanks, &["</", open.name, ">"]);
        }
    } else if behind_tag {
        if let Some(child) = child(open.name) {
            let pieces = ["\n\t<", child, ">‸</", child, ">\n</", open.name, ">"];
            context.offer(found, Kind::Block, LIKELY + 10, &pieces);
        }
        context.offer(found, Kind::Closing, LIKELY, &["‸</", open.name, ">"]);
        context.offer(
            found,
            Kind::Block,
            PLAUSIBLE,
            &["\n\t‸\n</", open.name, ">"],
        );
    } else if here && !jsx(context) && !text.ends_with(['=', '"', '{']) {
        context.offer(
            found,
            Kind::Closing,
            PLAUSIBLE + 50,
            &["</", open.name, ">"],
        );
    }
}

/// `<di` → `v></div>`; `<img` → with the attributes it cannot do without; `<` → the element that
/// belongs inside the one around it.
fn tag_name(context: &Context<'_>, tags: &Tags<'_>, found: &mut Vec<Suggestion>) {
    let Some(Here {
        name,
        attributes: "",
        ..
    }) = tags.here
    else {
        return;
    };
    if !context.rest.trim_start_matches('>').trim().is_empty() || context.unsure {
        return;
    }
    // The editor closed the bracket already.
    let closed = context.rest.starts_with('>');
    let mut offer = |score: u32, element: &str| {
        let Some(rest) = element.strip_prefix(name) else {
            return;
        };
        let tail = rest_of_tag(element, jsx(context));
        let tail = if closed { "" } else { &tail };
        context.offer(found, Kind::Block, score, &[rest, tail]);
    };
    if name.is_empty() {
        if let Some(child) = tags.open.last().and_then(|open| child(open.name)) {
            offer(LIKELY, child);
        }
        return;
    }
    if name.starts_with(|c: char| c.is_ascii_uppercase()) {
        if jsx(context) && !closed {
            context.offer(found, Kind::Closing, LIKELY, &[" />"]);
        }
        return;
    }
    if context.language.id == "xml" {
        return;
    }
    let expected = tags.open.last().and_then(|open| child(open.name));
    for (place, element) in (0u32..).zip(ELEMENTS.split(' ')) {
        let score = match element {
            element if element == name => EXACT,
            element if expected == Some(element) => LIKELY + 99,
            // Elements are listed by how often they are written.
            _ => LIKELY - place,
        };
        offer(score, element);
    }
}

/// In a tag, behind a blank: the attributes such an element has and this one lacks.
fn attribute(context: &Context<'_>, tags: &Tags<'_>, found: &mut Vec<Suggestion>) {
    let Some(here) = tags.here else {
        return;
    };
    if here.value.is_some() || here.attributes.is_empty() || context.unsure {
        return;
    }
    let typed = here
        .attributes
        .rsplit([' ', '\n', '\t'])
        .next()
        .unwrap_or("");
    if typed.contains(['"', '=', '{', '}', '/']) || context.rest.starts_with(is_word_char) {
        return;
    }
    let mut score = if typed.is_empty() { LIKELY } else { EXACT };
    for name in attributes(here.name)
        .into_iter()
        .flat_map(|list| list.split(' '))
    {
        let name = match name {
            "class" if jsx(context) => "className",
            "for" if jsx(context) => "htmlFor",
            name => name,
        };
        let known = contains(here.attributes, &[" ", name, "="].concat());
        if let Some(rest) = name.strip_prefix(typed).filter(|_| !known && typed != name) {
            context.offer(found, Kind::Phrase, score, &[rest, "=\"‸\""]);
        }
        score -= 1;
    }
}

/// Lists of classes that are read for their names, nearest first.
const MAX_CLASS_LISTS: usize = 64;

/// In an attribute's value: class names used elsewhere, and the values that few attributes have.
fn attribute_value(context: &Context<'_>, tags: &Tags<'_>, found: &mut Vec<Suggestion>) {
    let Some((name, typed)) = tags.here.and_then(|here| here.value) else {
        return;
    };
    if !context.rest.is_empty() && !context.rest.starts_with(['"', '\'', ' ', '>', '/']) {
        return;
    }
    if matches!(name, "class" | "className") {
        let typed = typed.rsplit(' ').next().unwrap_or("");
        let opener = [name, "=\""].concat();
        let mut before = part(
            context.window,
            0,
            context.caret.saturating_sub(typed.len() + 1),
        );
        let mut score = WORD + 99;
        for _ in 0..MAX_CLASS_LISTS {
            let Some((earlier, list)) = rcut(before, &opener) else {
                return;
            };
            before = earlier;
            let list = list.split(['"', '\n']).next().unwrap_or("");
            for word in list.split(' ').take(16) {
                let rest = word.strip_prefix(typed).filter(|rest| !rest.is_empty());
                if let Some(rest) = rest.filter(|_| score > WORD && !word.contains('‸')) {
                    context.offer(found, Kind::Word, score, &[rest]);
                    score -= 1;
                }
            }
        }
    } else if let Some(rest) = value(name).and_then(|value| value.strip_prefix(typed)) {
        let end = if context.rest.starts_with('"') {
            ""
        } else {
            "\""
        };
        context.offer(found, Kind::Phrase, LIKELY, &[rest, end]);
    }
}

/// `<!` at the start → a whole page.
pub fn doctype(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let before = context.before();
    let whole = context
        .window
        .get(context.caret..)
        .is_some_and(|after| after.trim().is_empty());
    if context.language.id == "html"
        && whole
        && before.starts_with("<!")
        && before.len() < "<!DOCTYPE html>".len()
    {
        let page = if PAGE.starts_with(before) { PAGE } else { "" };
        context.offer(found, Kind::Block, EXACT, &[from(page, before.len())]);
    }
}

/// Everything about tags, in HTML and XML.
pub fn in_markup(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    let tags = Tags::read(context.before(), false);
    for rule in [close_begun, close, tag_name, attribute, attribute_value] {
        rule(context, &tags, found);
    }
}

/// What JSX shares with HTML. Attribute values hold code there.
pub fn in_jsx(context: &Context<'_>, found: &mut Vec<Suggestion>) {
    if context.lexed.place != Place::LineComment {
        let tags = Tags::read(context.before(), true);
        for rule in [close_begun, close, tag_name, attribute] {
            rule(context, &tags, found);
        }
    }
}

fn jsx(context: &Context<'_>) -> bool {
    context.language.id != "html" && context.language.id != "xml"
}

/// The blanks the line around a byte begins with.
fn indent_at<'a>(context: &Context<'a>, at: usize) -> &'a str {
    let line = part(context.window, 0, at)
        .rsplit('\n')
        .next()
        .unwrap_or("");
    let trimmed = line.trim_start_matches([' ', '\t']);
    part(line, 0, line.len() - trimmed.len())
}

#[cfg(test)]
mod tests {
    use crate::autocomplete::rules::asked::{all, first, has};

    #[test]
    fn tags_are_closed() {
        assert_eq!(first("html", "<div>‸"), "‸</div>");
        assert_eq!(first("html", "<p>Hello <b>you</b>‸"), "</p>");
        assert_eq!(first("html", "<div><p>a</p></‸"), "div>");
        assert_eq!(first("html", "<div>\n  <p>a</p>\n‸"), "</div>");
        assert_eq!(first("html", "<div>\n  <p>a</p>\n  ‸"), "⌫⌫</div>");
        assert!(all("html", "<div>‸</div>").is_empty());
        assert!(!has("html", "<br>‸", "‸</br>"));
    }

    #[test]
    fn lists_get_their_items() {
        assert_eq!(first("html", "<ul>‸"), "⏎  <li>‸</li>⏎</ul>");
        assert_eq!(first("html", "<ul>\n  <‸\n</ul>"), "li>‸</li>");
    }

    #[test]
    fn tags_are_begun() {
        assert_eq!(first("html", "<di‸"), "v>‸</div>");
        assert_eq!(first("html", "<img‸"), " src=\"‸\" alt=\"\">");
        assert_eq!(first("html", "<a‸"), " href=\"‸\"></a>");
        assert_eq!(first("html", "<a ‸"), "href=\"‸\"");
        assert_eq!(first("html", "<a href=\"x\" cl‸>"), "ass=\"‸\"");
        assert!(first("html", "<!‸").starts_with("DOCTYPE html>⏎<html"));
    }

    #[test]
    fn values_that_are_known() {
        assert_eq!(
            first("html", "<p class=\"big red\"></p>\n<p class=\"r‸\">"),
            "ed"
        );
        assert_eq!(first("html", "<link rel=\"‸\">"), "stylesheet");
    }

    #[test]
    fn prose_needs_a_longer_beginning() {
        assert!(
            all("html", "<p>elephant\nele‸")
                .iter()
                .all(|s| s.insert != "phant")
        );
        assert!(has("html", "<p>elephant\nelep‸", "hant"));
    }

    #[test]
    fn jsx() {
        assert_eq!(
            first("jsx", "return (\n  <div className=\"a\">‸\n);"),
            "‸</div>"
        );
        assert_eq!(first("tsx", "const x = useState<string>(‸)"), "");
        assert_eq!(first("jsx", "return <Card‸"), " />");
        assert_eq!(first("jsx", "return <p cl‸"), "assName=\"‸\"");
        assert!(!has("jsx", "if (a < b‸", "></b>"));
    }

    #[test]
    fn scripts_and_styles_are_their_own_languages() {
        assert_eq!(
            first("html", "<script>\nfunction ‸\n</script>"),
            "functionName(args) {⏎  ‸⏎}"
        );
    }
}
