//! From the updates of a document, as another server stored them, to what a room takes: a sound
//! document, in parts. Must not know stores or rooms.

use bytes::Bytes;
use collab_core::document::{Care, Document, Offer, Outcome, StateVector};
use collab_core::ids::ReplicaId;

/// Bytes of one part (8 MiB): well below what a server takes as one message.
pub const PART_BYTES: usize = 8 << 20;

/// A document that a room would take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whole {
    /// To be applied in this order; empty for an empty document.
    pub parts: Vec<Bytes>,
    /// What could not be made part of it.
    pub left_out: Vec<String>,
}

/// Applies updates in any order in which they go, and tries the result as a room will see it. The
/// error says why no room would take it.
pub fn whole(updates: &[Bytes]) -> Result<Whole, String> {
    let slices: Vec<&[u8]> = updates.iter().map(|update| &update[..]).collect();
    let replica = ReplicaId::ours(0);
    let salvaged = Document::salvage(replica, &slices, Care::Read)
        .map_err(|error| error.to_string().replace("stored ", ""))?;
    let of = |index: usize| match updates.len() {
        1 => "it".to_owned(),
        count => format!("update {} of {count}", index + 1),
    };
    let faulty = salvaged
        .faulty
        .iter()
        .map(|(index, reason)| format!("{} is damaged: {reason}", of(*index)));
    let waiting = salvaged
        .waiting
        .iter()
        .map(|index| format!("{} rests on edits that are not there", of(*index)));
    let left_out: Vec<String> = faulty.chain(waiting).collect();
    let mut document = salvaged.document;
    let poisoned = |error: collab_core::document::Poisoned| error.to_string();
    let deletions = Document::new(replica)
        .deletions_digest()
        .map_err(poisoned)?;
    let is_empty = document.state_vector() == StateVector::default()
        && document.deletions_digest().map_err(poisoned)? == deletions;
    if is_empty {
        return Ok(Whole {
            parts: Vec::new(),
            left_out,
        });
    }
    let encoded = document.encode().map_err(poisoned)?;
    let parts = match encoded.len() <= PART_BYTES {
        true => vec![encoded],
        false => Document::parts(&encoded, PART_BYTES)
            .ok_or("it holds a single value of more than 8 MiB")?,
    };
    try_out(&parts)?;
    Ok(Whole { parts, left_out })
}

/// Whether a room would take these, one after the other, from a stranger.
fn try_out(parts: &[Bytes]) -> Result<(), String> {
    let mut document = Document::new(ReplicaId::ours(0));
    for part in parts {
        let offer = Offer {
            update: part,
            new_replicas: u32::MAX,
        };
        let turn = document
            .apply(&[offer])
            .map_err(|error| error.to_string())?;
        match turn.outcomes.first() {
            Some(Outcome::Refused(refusal)) => return Err(refusal.to_string()),
            Some(Outcome::Gap) => return Err("it rests on edits that are not in it".to_owned()),
            Some(Outcome::Applied { .. }) | None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use collab_core::document::{Edit, FileId};
    use collab_core::ids::Offset;

    use super::*;

    fn typed(document: &mut Document, text: &str) -> Bytes {
        let at = Offset(document.text_len(&FileId::main()));
        let edit = Edit {
            at,
            delete: 0,
            insert: text.to_owned(),
        };
        document.edit(&FileId::main(), &[edit]).expect("at the end")
    }

    fn text(whole: &Whole) -> String {
        let parts = whole.parts.iter().map(|part| &part[..]);
        let document = Document::load(ReplicaId::ours(1), parts).expect("loads");
        document.text(&FileId::main())
    }

    #[test]
    fn updates_in_any_order_are_one_document() {
        let mut document = Document::new(ReplicaId::ours(5));
        let updates: Vec<Bytes> = ["a", "b", "c"]
            .map(|text| typed(&mut document, text))
            .into();
        let reversed: Vec<Bytes> = updates.iter().rev().cloned().collect();
        for updates in [&updates, &reversed] {
            let whole = whole(updates).expect("sound");
            assert_eq!(text(&whole), "abc");
            assert_eq!(whole.left_out, [""; 0]);
        }
        let gap = whole(&[updates[0].clone(), updates[2].clone()]).expect("partly");
        assert_eq!(text(&gap), "a");
        let said = ["update 2 of 2 rests on edits that are not there"];
        assert_eq!(gap.left_out, said);
        let mut bad = updates;
        bad[1] = Bytes::from_static(b"\xff\xff");
        let partly = whole(&bad).expect("partly");
        assert_eq!(text(&partly), "a");
        assert!(partly.left_out[0].starts_with("update 2 of 3 is damaged: "));
        assert_eq!(partly.left_out.len(), 2);
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(whole(&[]), Ok(Whole::default()));
        assert_eq!(whole(&[Bytes::from_static(&[0, 0])]), Ok(Whole::default()));
    }

    #[test]
    fn what_is_larger_than_a_part_comes_in_several() {
        let mut document = Document::new(ReplicaId::ours(5));
        let long = "0123456789abcdef".repeat((PART_BYTES + 1) / 16 + 1);
        let whole = whole(&[typed(&mut document, &long)]).expect("sound");
        assert_eq!(whole.parts.len(), 2);
        assert!(whole.parts.iter().all(|part| part.len() <= PART_BYTES));
        assert!(text(&whole) == long);
    }
}
