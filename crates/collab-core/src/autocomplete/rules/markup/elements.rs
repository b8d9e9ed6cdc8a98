//! What the elements of HTML look like. Must not know any caret.

/// Elements by how often they are written, separated by blanks.
pub const ELEMENTS: &str = "div p span a li ul img button input h1 h2 h3 h4 form label section header footer main \
    nav article aside table thead tbody tr td th ol select option textarea strong em code \
    pre script style link meta title head body html br hr figure figcaption video audio \
    source iframe canvas details summary dialog template fieldset legend blockquote dl dt dd \
    small svg path";

/// Elements that need attributes, or that have no end (`/`).
const TAILS: &[(&str, &str)] = &[
    ("img", " src=\"‸\" alt=\"\"/"),
    ("input", " type=\"text\" name=\"‸\"/"),
    ("link", " rel=\"stylesheet\" href=\"‸\"/"),
    ("meta", " name=\"‸\" content=\"\"/"),
    ("source", "/"),
    ("path", "/"),
    ("br", "/"),
    ("hr", "/"),
    ("a", " href=\"‸\">"),
    ("script", " src=\"‸\">"),
    ("iframe", " src=\"‸\">"),
    ("video", " src=\"‸\">"),
    ("audio", " src=\"‸\">"),
    ("form", " action=\"‸\" method=\"post\">"),
    ("option", " value=\"‸\">"),
    ("label", " for=\"‸\">"),
    ("button", " type=\"button\">‸"),
];

/// What follows an element's name: attributes it cannot do without, and its end.
pub fn rest_of_tag(name: &str, jsx: bool) -> String {
    let known = TAILS.iter().find(|(element, _)| *element == name);
    let tail = match known {
        Some(("label", _)) if jsx => " htmlFor=\"‸\">",
        Some((_, tail)) => tail,
        None => ">‸",
    };
    match tail.strip_suffix('/') {
        Some(alone) => [alone, if jsx { " />" } else { ">" }].concat(),
        None => [tail, "</", name, ">"].concat(),
    }
}

/// What an element is made of, when that is one thing.
pub fn child(name: &str) -> Option<&'static str> {
    Some(match name {
        "ul" | "ol" => "li",
        "table" | "thead" | "tbody" => "tr",
        "tr" => "td",
        "select" | "datalist" => "option",
        "dl" => "dt",
        "details" => "summary",
        "fieldset" => "legend",
        "nav" => "a",
        _ => return None,
    })
}

/// The attributes an element may have, most wanted first: its own, then those of all.
pub fn attributes(name: &str) -> [&'static str; 2] {
    let own = match name {
        "a" => "href target rel",
        "img" => "src alt width height loading",
        "input" => "type name value placeholder",
        "link" => "rel href",
        "script" => "src type",
        "form" => "action method",
        "label" => "for",
        "button" => "type",
        "meta" => "name content charset",
        "option" => "value",
        "select" | "textarea" => "name",
        "iframe" | "video" | "audio" | "source" => "src",
        "td" | "th" => "colspan",
        "html" => "lang",
        _ => "id",
    };
    [own, "class id style title role hidden"]
}

/// The value an attribute usually has.
pub fn value(attribute: &str) -> Option<&'static str> {
    Some(match attribute {
        "rel" => "stylesheet",
        "method" => "post",
        "target" => "_blank",
        "charset" => "utf-8",
        "lang" => "en",
        "loading" => "lazy",
        "type" => "text",
        _ => return None,
    })
}
