//! Who a presence entry says to be: anything at all comes in, a name and a colour fit to be stored
//! and shown come out, or nothing. Must not know rooms or storage.
//!
//! The page reads entries by the same rules (`web/src/presence/identity.ts`), so that a person has one
//! name and one colour beside the caret and in the history.

use serde::Deserialize;

use crate::ids::ReplicaId;

/// Longest name in characters; longer ones are cut.
pub const MAX_PERSON_NAME: usize = 32;

/// Blanks before a name that are looked at, and characters of one: what follows cannot matter in
/// an honest one.
const MAX_CHARACTERS_READ: usize = 1024;

/// The page's own colours, for who names none that can be read: the same one as beside the caret.
const PALETTE: [&str; 10] = [
    "#0871c2", "#ac5804", "#008120", "#904ecc", "#ce3437", "#0f7c72", "#b53ea1", "#7e6f07",
    "#5761df", "#ca3267",
];

/// Somebody, as they want to be called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// 1 to [`MAX_PERSON_NAME`] characters, none of them a control or direction character.
    pub name: String,
    /// `#rrggbb` in small letters.
    pub color: String,
}

/// What editors write: `{"user": {"name", "color"}}` (y-codemirror.next, y-prosemirror, y-monaco,
/// Tiptap, our page), or the two at the top (Lexical).
#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    user: serde_json::Value,
    #[serde(default)]
    name: serde_json::Value,
    #[serde(default)]
    color: serde_json::Value,
}

impl Person {
    /// Reads an entry's JSON. `None` when it names nobody.
    pub fn read(replica: ReplicaId, state: &str) -> Option<Person> {
        let entry: Entry = serde_json::from_str(state).ok()?;
        let said = match entry.user.as_object() {
            Some(user) => (user.get("name"), user.get("color")),
            None => (Some(&entry.name), Some(&entry.color)),
        };
        let name = clean(said.0?.as_str()?)?;
        let color = said.1.and_then(|color| hexadecimal(color.as_str()?));
        let color = color.unwrap_or_else(|| palette(replica).to_owned());
        Some(Person { name, color })
    }
}

/// A name fit to be shown; `None` when nothing is left of it.
fn clean(name: &str) -> Option<String> {
    let mut cleaned = String::new();
    let mut characters = 0;
    let mut blank = false;
    for character in name.chars().take(MAX_CHARACTERS_READ) {
        if character.is_whitespace() && !is_hidden(character) {
            blank = characters > 0;
            continue;
        }
        if is_hidden(character) {
            continue;
        }
        let needs = 1 + usize::from(blank);
        if characters + needs > MAX_PERSON_NAME {
            break;
        }
        if std::mem::take(&mut blank) {
            cleaned.push(' ');
        }
        cleaned.push(character);
        characters += needs;
    }
    (!cleaned.is_empty()).then_some(cleaned)
}

/// Control, format, line and paragraph characters (Cc, Cf, Zl, Zp): they move or hide what stands
/// beside them.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{600}'..='\u{605}'
                | '\u{61c}'
                | '\u{6dd}'
                | '\u{70f}'
                | '\u{890}'..='\u{891}'
                | '\u{8e2}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2064}'
                | '\u{2066}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{110bd}'
                | '\u{110cd}'
                | '\u{13430}'..='\u{1343f}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0001}'
                | '\u{e0020}'..='\u{e007f}'
        )
}

/// `#rgb` and `#rgba` at full length, `#rrggbbaa` without its transparency.
fn hexadecimal(color: &str) -> Option<String> {
    let digits = color.strip_prefix('#')?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let six: String = match digits.len() {
        3 | 4 => digits
            .chars()
            .take(3)
            .flat_map(|digit| [digit, digit])
            .collect(),
        6 | 8 => digits.chars().take(6).collect(),
        _ => return None,
    };
    Some(format!("#{}", six.to_ascii_lowercase()))
}

fn palette(replica: ReplicaId) -> &'static str {
    let place = replica.get() % PALETTE.len() as u64;
    let color = usize::try_from(place).ok();
    color
        .and_then(|place| PALETTE.get(place))
        .unwrap_or(&PALETTE[0])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(state: &str) -> Option<Person> {
        Person::read(ReplicaId::ours(13), state)
    }

    fn person(name: &str, color: &str) -> Option<Person> {
        Some(Person {
            name: name.to_owned(),
            color: color.to_owned(),
        })
    }

    #[test]
    fn entries_as_editors_write_them() {
        for state in [
            // Our page.
            r##"{"user":{"name":"Ada","color":"#AC5804","colorLight":"#ac580433","id":"x","since":5},"cursor":null}"##,
            // y-codemirror.next, y-prosemirror, Tiptap.
            r##"{"user":{"color":"#ac5804","name":"Ada"},"cursor":{"anchor":{},"head":{}}}"##,
            // Lexical.
            r##"{"anchorPos":null,"focusPos":null,"focusing":true,"color":"#ac5804","name":"Ada","awarenessData":{}}"##,
        ] {
            assert_eq!(read(state), person("Ada", "#ac5804"), "{state}");
        }
    }

    #[test]
    fn a_colour_that_cannot_be_read_is_the_one_beside_the_caret() {
        let colored = |color: &str| {
            let state = format!(r#"{{"user":{{"name":"Ada","color":{color}}}}}"#);
            read(&state).expect("a name").color
        };
        assert_eq!(colored("\"#aBc\""), "#aabbcc");
        assert_eq!(colored("\"#abcd\""), "#aabbcc");
        assert_eq!(colored("\"#A0B1C2d3\""), "#a0b1c2");
        for bad in [
            "\"red\"",
            "\"#ab\"",
            "\"#12345é\"",
            "\"url(//x)\"",
            "5",
            "null",
            "{}",
        ] {
            assert_eq!(colored(bad), PALETTE[3], "{bad}");
        }
        assert_eq!(
            read(r#"{"user":{"name":"Ada"}}"#),
            person("Ada", PALETTE[3])
        );
    }

    #[test]
    fn who_names_nobody_is_nobody() {
        for state in [
            "",
            "{",
            "null",
            "5",
            "[]",
            "{}",
            r#"{"user":null}"#,
            r#"{"user":{}}"#,
            r#"{"user":{"name":7}}"#,
            r#"{"user":{"name":{"name":"Ada"}}}"#,
            r#"{"user":{"name":""}}"#,
            r#"{"user":{"name":" \u200b\t\u202e\u0000 "}}"#,
        ] {
            assert_eq!(read(state), None, "{state}");
        }
    }

    #[test]
    fn names_at_their_limits() {
        let named = |name: &str| {
            let state = serde_json::json!({"user": {"name": name}}).to_string();
            read(&state).map(|person| person.name)
        };
        assert_eq!(named("é".repeat(32).as_str()), Some("é".repeat(32)));
        assert_eq!(named("😀".repeat(33).as_str()), Some("😀".repeat(32)));
        assert_eq!(
            named(&format!("{}  b", "a".repeat(31))),
            Some("a".repeat(31)),
            "no blank at the end"
        );
        assert_eq!(
            named(&format!("{}  bc", "a".repeat(30))),
            Some(format!("{} b", "a".repeat(30)))
        );
        assert_eq!(named("  Ada \n\t L. "), Some("Ada L.".to_owned()));
        assert_eq!(named("A\u{202e}d\u{200d}a\u{7}"), Some("Ada".to_owned()));
        assert_eq!(named(&" ".repeat(5_000)), None);
        assert_eq!(
            named("<img src=x onerror=alert(1)>"),
            Some("<img src=x onerror=alert(1)>".to_owned()),
            "a text like any other"
        );
    }

    proptest! {
        #[test]
        fn anything_becomes_nothing_or_a_bounded_text(name in any::<String>(), color in any::<String>(), raw in any::<String>()) {
            let state = serde_json::json!({"user": {"name": name, "color": color}}).to_string();
            for person in [read(&state), read(&raw)].into_iter().flatten() {
                let characters = person.name.chars().count();
                prop_assert!((1..=MAX_PERSON_NAME).contains(&characters));
                prop_assert!(!person.name.chars().any(is_hidden));
                prop_assert_eq!(person.name.trim(), &person.name);
                prop_assert_eq!(person.color.len(), 7);
            }
        }
    }
}
