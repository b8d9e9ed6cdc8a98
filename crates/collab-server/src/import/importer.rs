//! Puts documents into rooms, one after the other. Must not know where documents or rooms are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use collab_core::ids::RoomId;

use super::whole::whole;
use super::{Care, Destination, Found, Unreachable};

/// What is done about a room that exists already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It is left as it is.
    Leave,
    /// The document found is merged into it: both contents are there afterwards.
    Merge,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Brought {
    /// Its room was made, or would be.
    Made,
    /// It was merged into the room of its name, or would be.
    Merged,
    /// A room of its name exists, and was left as it is.
    Left,
    /// It holds nothing: no room was made.
    Empty,
    /// It could not be imported, and nothing of it was.
    Failed,
    /// It could not be imported to its end; what was, is in its room.
    Interrupted,
}

/// One document, dealt with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// As it was found.
    pub name: String,
    /// Its room's name.
    pub room: String,
    pub brought: Brought,
    /// Of its updates, as they were found.
    pub bytes: u64,
    pub updates: u64,
    /// Why it failed, or what was left out.
    pub remarks: Vec<String>,
}

impl Put {
    /// Whether all of the document is where it should be.
    pub fn is_whole(&self) -> bool {
        let failed = [Brought::Failed, Brought::Interrupted];
        self.remarks.is_empty() && !failed.contains(&self.brought)
    }
}

/// How documents become rooms.
#[derive(Debug)]
pub struct Importer {
    pub existing: Existing,
    pub care: Care,
    /// Put in front of every name.
    pub prefix: String,
    /// Rooms' names by names of documents, without the prefix.
    pub renamed: BTreeMap<String, String>,
    pub destination: Destination,
    /// Rooms that documents went into.
    taken: Mutex<BTreeSet<RoomId>>,
}

impl Importer {
    /// Documents keep their names, rooms that exist are left alone, damage is not put up with.
    pub fn new(destination: Destination) -> Importer {
        Importer {
            existing: Existing::Leave,
            care: Care::Refuse,
            prefix: String::new(),
            renamed: BTreeMap::new(),
            destination,
            taken: Mutex::default(),
        }
    }

    /// The name that a document's room has, or would have.
    pub fn room_of(&self, name: &str) -> String {
        match self.renamed.get(name) {
            Some(renamed) => renamed.clone(),
            None => format!("{}{name}", self.prefix),
        }
    }

    /// Puts one document into its room. Durable when it returns.
    pub async fn put(&self, found: Found) -> Result<Put, Unreachable> {
        let bytes = found.updates.iter().map(|update| update.len() as u64);
        let mut put = Put {
            room: self.room_of(&found.name),
            brought: Brought::Failed,
            bytes: bytes.sum(),
            updates: found.updates.len() as u64,
            remarks: Vec::new(),
            name: found.name.clone(),
        };
        match self.try_put(found, &mut put).await? {
            Ok(brought) => put.brought = brought,
            Err(why) => put.remarks.insert(0, why),
        }
        Ok(put)
    }

    async fn try_put(
        &self,
        found: Found,
        put: &mut Put,
    ) -> Result<Result<Brought, String>, Unreachable> {
        let room = match RoomId::parse(&put.room) {
            Ok(room) => room,
            Err(why) => return Ok(Err(format!("{why}; name its room with --rename"))),
        };
        let exists = self.destination.exists(&room).await?;
        let is_first = self.take(&room);
        if !is_first {
            let why = "another document went into this room; name its room with --rename";
            return Ok(Err(why.to_owned()));
        }
        if exists && self.existing == Existing::Leave {
            return Ok(Ok(Brought::Left));
        }
        let Found {
            updates,
            mut damage,
            ..
        } = found;
        let whole = tokio::task::spawn_blocking(move || whole(&updates)).await;
        let whole = match whole.map_err(|error| error.to_string()) {
            Ok(Ok(whole)) => whole,
            Ok(Err(why)) | Err(why) => return Ok(Err(why)),
        };
        damage.extend(whole.left_out);
        if self.care == Care::Refuse
            && let Some(first) = damage.first()
        {
            return Ok(Err(format!(
                "{first}; import what can be read with --salvage"
            )));
        }
        let nothing = whole.parts.is_empty();
        if nothing && !damage.is_empty() {
            return Ok(Err(damage.join("; ")));
        }
        put.remarks = damage;
        if nothing {
            return Ok(Ok(Brought::Empty));
        }
        for (number, part) in whole.parts.into_iter().enumerate() {
            if let Err(why) = self.destination.apply(&room, part).await? {
                if number > 0 {
                    put.brought = Brought::Interrupted;
                } else if !exists {
                    self.destination.forget_empty(&room).await?;
                }
                return Ok(Err(why));
            }
        }
        Ok(Ok(match exists {
            true => Brought::Merged,
            false => Brought::Made,
        }))
    }

    /// `false` when a document of this import went into this room before.
    fn take(&self, room: &RoomId) -> bool {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.insert(room.clone())
    }
}
