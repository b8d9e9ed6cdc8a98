//! What somebody does next, drawn by chance. Must not know where it leads.

use collab_core::document::Edit;
use collab_core::ids::Offset;

use crate::rng::Chance;
use crate::scenario::Scenario;

/// One thing a person does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Edits the text in front of them.
    Edit(Kind, Vec<Edit>),
    /// Moves the caret.
    Caret,
    /// Does nothing for a long while.
    Idle,
    /// Loses the network, for so many milliseconds.
    Offline(u64),
    /// Closes the tab properly.
    Close,
    /// Closes the laptop, pulls the plug.
    Kill,
    /// Something cuts the connection.
    Cut,
    /// Presses "reconnect now".
    Retry,
}

/// What kind of edit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A few characters.
    Type,
    /// Backwards, or a selection.
    Delete,
    /// A large text.
    Paste,
    /// An astral character.
    Emoji,
    /// A selection, or several carets.
    Replace,
    /// Between the halves of a surrogate pair.
    Split,
}

const WORDS: [&str; 8] = [
    "fn ", "let x", " = 1", ";\n", "return", "// hm", "é", "日本",
];
const EMOJI: [&str; 3] = ["😀", "👩‍👩‍👧", "🇩🇪"];

/// Draws an act for somebody who sees `text`.
pub fn act(chance: &mut Chance, scenario: &Scenario, text: &[u16]) -> Act {
    if chance.permille(scenario.offline) {
        return Act::Offline(chance.between(100, 20_000));
    }
    if chance.permille(scenario.leaving) {
        return match chance.below(2) {
            0 => Act::Close,
            _ => Act::Kill,
        };
    }
    if chance.permille(scenario.cuts) {
        return Act::Cut;
    }
    match chance.below(100) {
        0..50 => edit(Kind::Type, text, chance),
        50..70 => edit(Kind::Delete, text, chance),
        70..73 => edit(Kind::Paste, text, chance),
        73..79 => edit(Kind::Emoji, text, chance),
        79..86 => edit(Kind::Replace, text, chance),
        86..88 => edit(Kind::Split, text, chance),
        88..95 => Act::Caret,
        95..97 => Act::Retry,
        _ => Act::Idle,
    }
}

fn edit(kind: Kind, text: &[u16], chance: &mut Chance) -> Act {
    let edits = match kind {
        Kind::Type => vec![replace(text, 0, WORDS[chance.index(WORDS.len())], chance)],
        Kind::Emoji => vec![replace(text, 0, EMOJI[chance.index(EMOJI.len())], chance)],
        Kind::Delete => vec![replace(text, chance_len(chance), "", chance)],
        Kind::Paste => {
            let line = format!("{} pasted line\n", chance.below(1000));
            let times = usize::try_from(chance.between(3, 40)).unwrap_or(3);
            vec![replace(text, 0, &line.repeat(times), chance)]
        }
        Kind::Replace if chance.permille(500) => several(text, chance),
        Kind::Replace => vec![replace(
            text,
            chance_len(chance),
            WORDS[chance.index(WORDS.len())],
            chance,
        )],
        Kind::Split => match text.iter().position(|unit| is_low(*unit)) {
            Some(at) => vec![Edit {
                at: offset(at),
                delete: 0,
                insert: "!".to_owned(),
            }],
            None => return Act::Caret,
        },
    };
    if edits
        .iter()
        .all(|edit| edit.delete == 0 && edit.insert.is_empty())
    {
        return Act::Caret;
    }
    Act::Edit(kind, edits)
}

fn chance_len(chance: &mut Chance) -> usize {
    let longest = *chance.pick(&[1, 1, 1, 5, 60]);
    usize::try_from(chance.between(1, longest)).unwrap_or(1)
}

/// Two or three carets at once.
fn several(text: &[u16], chance: &mut Chance) -> Vec<Edit> {
    let mut edits: Vec<Edit> = Vec::new();
    let mut from = 0;
    for _ in 0..chance.between(2, 3) {
        let at = boundary(text, from + chance.index(text.len() / 2 + 1));
        if at < from || at > text.len() {
            break;
        }
        let to = boundary(text, (at + chance.index(3)).min(text.len())).max(at);
        edits.push(Edit {
            at: offset(at),
            delete: offset(to - at).0,
            insert: (*chance.pick(&WORDS)).to_owned(),
        });
        from = to + 1;
    }
    edits
}

fn replace(text: &[u16], len: usize, insert: &str, chance: &mut Chance) -> Edit {
    // Mostly where the text ends, like somebody who writes on; there people meet.
    let at = match chance.below(3) {
        0 => chance.index(text.len() + 1),
        _ => text.len().saturating_sub(len),
    };
    let at = boundary(text, at);
    let to = boundary(text, (at + len).min(text.len())).max(at);
    Edit {
        at: offset(at),
        delete: offset(to - at).0,
        insert: insert.to_owned(),
    }
}

/// This place, or the one before when it is inside a surrogate pair.
fn boundary(text: &[u16], at: usize) -> usize {
    let at = at.min(text.len());
    match text.get(at) {
        Some(unit) if is_low(*unit) && at > 0 => at - 1,
        _ => at,
    }
}

fn is_low(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

fn offset(at: usize) -> Offset {
    Offset(u32::try_from(at).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_never_mean_to_cut_a_pair_unless_they_do() {
        let text: Vec<u16> = "a😀b😀".encode_utf16().collect();
        let scenario = Scenario::draw(&mut Chance::new(1), None);
        let mut document =
            collab_core::document::Document::new(collab_core::ids::ReplicaId::ours(1));
        let main = collab_core::document::FileId::main();
        let first = Edit {
            at: Offset(0),
            delete: 0,
            insert: "a😀b😀".to_owned(),
        };
        document.edit(&main, &[first]).expect("an empty text");
        for seed in 0..2_000 {
            let mut chance = Chance::new(seed);
            let Act::Edit(kind, edits) = act(&mut chance, &scenario, &text) else {
                continue;
            };
            let replica = collab_core::ids::ReplicaId::ours(2);
            let state = document.encode().expect("a sound document");
            let mut copy = collab_core::document::Document::load(replica, [&state[..]])
                .expect("an honest update");
            let refused = copy.edit(&main, &edits).is_err();
            assert_eq!(refused, kind == Kind::Split, "{edits:?}");
        }
    }
}
