//! What names say by how they are spelled. Must not know where they were declared.

use super::Shape;
use crate::autocomplete::search::{from, is_listed, part};

/// What a name's spelling promises.
pub fn spelled(name: &str) -> Shape {
    let last = name.rsplit('_').next().unwrap_or(name);
    let word = name
        .find(|c: char| c == '_' || c.is_ascii_uppercase())
        .unwrap_or(name.len());
    let asks = word < name.len() && is_listed("is has can should", part(name, 0, word));
    if asks
        || is_listed(
            "ok found done enabled valid active ready debug verbose",
            name,
        )
    {
        Shape::Flag
    } else if is_listed("i j n count size length index total number age sum", last) {
        Shape::Number
    } else if is_listed("name text message path title key word string", last) {
        Shape::Text
    } else if is_listed("args list array items data", last) || is_plural(name) {
        Shape::Many
    } else {
        let many = ["List", "Array", "Map"]
            .iter()
            .any(|end| name.len() > end.len() && name.ends_with(end));
        if many { Shape::Many } else { Shape::Unknown }
    }
}

fn is_plural(name: &str) -> bool {
    let upper = name.chars().all(|c| !c.is_ascii_lowercase());
    let ending = from(name, name.len().saturating_sub(2));
    name.len() > 3
        && !upper
        && name.ends_with('s')
        && !is_listed("ss us is os as", ending)
        && !is_listed("class status address process less always this", name)
}

/// What to call one of these: `users` → `user`, `entries` → `entry`, `boxes` → `box`,
/// `getUsers` → `user`; `item` when the name does not say.
pub fn singular(name: &str) -> String {
    let mut start = 0;
    for (index, character) in name.char_indices() {
        if character.is_ascii_uppercase() || character == '_' {
            start = index + usize::from(character == '_');
        }
    }
    // Initials (`URLs`) would be taken apart letter by letter.
    let last = name
        .get(start..)
        .filter(|last| last.len() > 2)
        .unwrap_or(name)
        .to_ascii_lowercase();
    let one = if let Some(stem) = last.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        [stem, "y"].concat()
    } else if let Some(stem) = last.strip_suffix("es").filter(|stem| {
        ["x", "sh", "ch", "ss"]
            .iter()
            .any(|end| stem.ends_with(end))
    }) {
        stem.to_owned()
    } else if is_plural(&last) {
        last.strip_suffix('s').unwrap_or("item").to_owned()
    } else {
        "item".to_owned()
    };
    if one == name { "item".to_owned() } else { one }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_many() {
        for (many, one) in [
            ("users", "user"),
            ("entries", "entry"),
            ("boxes", "box"),
            ("getUsers", "user"),
            ("user_names", "name"),
            ("data", "item"),
            ("xs", "item"),
            ("args", "arg"),
        ] {
            assert_eq!(singular(many), one);
        }
    }
}
