//! What programs ask of a document: to show it, to seed it, to change what is not text, to replace
//! a text. Must not know HTTP.

use std::sync::Arc;

use bytes::Bytes;
use collab_core::document::{Document, Edit, FileEntry, FileId, StateVector};
use collab_core::ids::{Offset, ReplicaId, RoomId, Seq};
use collab_core::room::{Answer, Describe};

use super::handle::{Asked, Overview};
use super::registry::Rooms;
use super::text::edits_between;
use super::{RoomError, Wake};

/// The key of the document's `meta` map that holds the name people see.
const NAME: &str = "name";

/// How often a replacement is computed anew because somebody typed meanwhile, before the program
/// hears that the text keeps changing.
const REPLACE_TRIES: usize = 5;

/// A room as it is now.
#[derive(Debug)]
pub struct RoomView {
    pub name: String,
    /// Of the main file.
    pub language: String,
    /// Text of the main file.
    pub code: String,
    pub files: Vec<FileEntry>,
    pub connections: usize,
    pub head: Seq,
}

/// Looks at everything at once.
pub fn view(overview: Overview<'_>) -> RoomView {
    let main = FileId::main();
    let files = overview.document.files();
    let language = files.iter().find(|file| file.id == main);
    RoomView {
        name: overview.document.meta(NAME).unwrap_or_default(),
        language: language.map_or(String::new(), |file| file.language.clone()),
        code: overview.document.text(&main),
        files,
        connections: overview.connections,
        head: overview.place.head,
    }
}

/// The one update that makes a new room what it is to be; `None` when nothing was asked for.
/// Errors: what cannot be.
pub fn seed(
    name: Option<&str>,
    language: Option<&str>,
    text: Option<String>,
) -> Result<Option<Bytes>, String> {
    let main = FileId::main();
    let mut scratch = Document::new(ReplicaId::ours(rand::random()));
    let mut any = false;
    if let Some(name) = name.filter(|name| !name.is_empty()) {
        any = true;
        let set = scratch.set_meta(NAME, name);
        set.map_err(|error| format!("name: {error}"))?;
    }
    if let Some(language) = language.filter(|language| !language.is_empty()) {
        any = true;
        let set = scratch.set_language(&main, language);
        set.map_err(|error| format!("language: {error}"))?;
    }
    if let Some(insert) = text.filter(|text| !text.is_empty()) {
        any = true;
        let edit = Edit {
            at: Offset(0),
            delete: 0,
            insert,
        };
        let written = scratch.edit(&main, &[edit]);
        written.map_err(|error| format!("text: {error}"))?;
    }
    let encoded = any.then(|| scratch.encode()).transpose();
    encoded.map_err(|error| error.to_string())
}

/// The questions that change what is not text.
pub fn changes(name: Option<String>, language: Option<String>) -> Vec<Asked> {
    let name = name.map(|value| Describe::Meta {
        key: NAME.to_owned(),
        value,
    });
    let language = language.map(|language| Describe::Language {
        file: FileId::main(),
        language,
    });
    name.into_iter()
        .chain(language)
        .map(Asked::Describe)
        .collect()
}

/// Why a text was not replaced.
#[derive(Debug)]
pub enum NotReplaced {
    Room(RoomError),
    /// There is no such file.
    NoFile,
    /// The condition on the text as it is does not hold.
    Condition,
}

impl From<RoomError> for NotReplaced {
    fn from(error: RoomError) -> NotReplaced {
        NotReplaced::Room(error)
    }
}

impl Rooms {
    /// The text of a file; `None` when there is no such file.
    pub async fn text(&self, room: &RoomId, file: &FileId) -> Result<Option<String>, RoomError> {
        let file = file.clone();
        self.look(room, Wake::Existing, move |overview| {
            text_of(overview.document, &file)
        })
        .await
    }

    /// Makes a file's text `new` where `holds` of the text as it is, and waits until that is
    /// durable. Only what differs is edited.
    pub async fn replace(
        &self,
        room: &RoomId,
        file: &FileId,
        new: String,
        holds: impl Fn(&str) -> bool,
    ) -> Result<Answer, NotReplaced> {
        let new: Arc<str> = new.into();
        for round in 1.. {
            let base = self.text(room, file).await?.ok_or(NotReplaced::NoFile)?;
            if !holds(&base) {
                return Err(NotReplaced::Condition);
            }
            let base: Arc<str> = base.into();
            let edits = {
                let (old, new) = (Arc::clone(&base), Arc::clone(&new));
                // Comparing takes up to 200 ms: not on a thread that serves others.
                tokio::task::spawn_blocking(move || edits_between(&old, &new))
                    .await
                    .map_err(|_| RoomError::Lost)?
            };
            let asked = Asked::Write {
                file: file.clone(),
                base,
                edits,
            };
            match self.ask(room, Wake::Existing, asked).await {
                Err(RoomError::Moved) if round < REPLACE_TRIES => {}
                done => return Ok(done?),
            }
        }
        Err(NotReplaced::Room(RoomError::Moved))
    }

    /// The whole document as an update (v1), or what a replica with this state vector lacks.
    pub async fn update(
        &self,
        room: &RoomId,
        have: Option<StateVector>,
    ) -> Result<Bytes, RoomError> {
        let encoded = self
            .look(room, Wake::Existing, move |overview| match &have {
                Some(have) => overview.document.diff(have),
                None => overview.document.encode(),
            })
            .await?;
        encoded.map_err(|_poisoned| RoomError::Lost)
    }
}

/// A file exists when somebody wrote it down, or wrote into it.
fn text_of(document: &Document, file: &FileId) -> Option<String> {
    let text = document.text(file);
    let exists = !text.is_empty() || document.files().iter().any(|entry| entry.id == *file);
    exists.then_some(text)
}
