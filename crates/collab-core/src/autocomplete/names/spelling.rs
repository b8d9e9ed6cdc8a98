//! What names say by how they are spelled. Must not know where they were declared.

use super::Shape;

/// What a name's spelling promises.
pub fn spelled(name: &str) -> Shape {
    let last = name.rsplit('_').next().unwrap_or(name);
    let flag = ["is_", "has_", "can_", "should_"]
        .iter()
        .any(|start| name.starts_with(start))
        || ["is", "has", "can", "should"].iter().any(|start| {
            name.strip_prefix(start)
                .is_some_and(|rest| rest.starts_with(char::is_uppercase))
        })
        || matches!(
            name,
            "ok" | "found"
                | "done"
                | "enabled"
                | "valid"
                | "active"
                | "ready"
                | "debug"
                | "verbose"
        );
    if flag {
        return Shape::Flag;
    }
    match last {
        "i" | "j" | "n" | "count" | "size" | "length" | "index" | "total" | "number" | "age"
        | "sum" => Shape::Number,
        "name" | "text" | "message" | "path" | "title" | "key" | "word" | "string" => Shape::Text,
        "args" | "list" | "array" | "items" | "data" => Shape::Many,
        _ if is_plural(name) => Shape::Many,
        _ if ["List", "Array", "Map"]
            .iter()
            .any(|end| name.len() > end.len() && name.ends_with(end)) =>
        {
            Shape::Many
        }
        _ => Shape::Unknown,
    }
}

fn is_plural(name: &str) -> bool {
    let upper = name.chars().all(|c| !c.is_lowercase());
    name.len() > 3
        && !upper
        && name.ends_with('s')
        && !["ss", "us", "is", "os", "as"]
            .iter()
            .any(|end| name.ends_with(end))
        && ![
            "class", "status", "address", "process", "less", "always", "this",
        ]
        .contains(&name)
}

/// What to call one of these: `users` → `user`, `entries` → `entry`, `boxes` → `box`,
/// `getUsers` → `user`; `item` when the name does not say.
pub fn singular(name: &str) -> String {
    let mut start = 0;
    for (index, character) in name.char_indices() {
        if character.is_uppercase() || character == '_' {
            start = index + usize::from(character == '_');
        }
    }
    // Initials (`URLs`) would be taken apart letter by letter.
    let last = name
        .get(start..)
        .filter(|last| last.len() > 2)
        .unwrap_or(name)
        .to_lowercase();
    let one = if let Some(stem) = last.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        format!("{stem}y")
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
