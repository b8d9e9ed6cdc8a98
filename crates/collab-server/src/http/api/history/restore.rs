//! Going back to a version: a new edit that makes the texts what they were, never a rewind. What
//! others write meanwhile stays. Must not know how a past state is made.

use axum::Json;
use axum::extract::State;
use collab_core::document::{Document, FileId};
use collab_core::ids::ReplicaId;
use serde::{Deserialize, Serialize};

use super::point::{At, When, at, off_thread};
use super::texts::{PointPath, TextBody, TextName, no_file, texts};
use super::versions::{VersionBody, now};
use crate::http::api::body::JsonBody;
use crate::http::{App, Problem};
use crate::rooms::text::edits_between;
use crate::rooms::{Asked, Wake};
use crate::storage::history::VersionKind;

/// What is to be brought back.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct Restore {
    /// One file; without it, all.
    pub file: Option<String>,
}

/// What a restore leaves.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Restored {
    /// Made just before: restoring this one undoes it.
    pub version: VersionBody,
}

/// `POST /api/rooms/{room}/versions/{v}/restore`.
#[utoipa::path(post, path = "/api/rooms/{room}/versions/{v}/restore", tag = "history",
    params(("room" = String, Path), ("v" = String, Path)), request_body = Restore,
    responses((status = 200, body = Restored), (status = 404, body = Problem),
        (status = 410, body = Problem), (status = 422, body = Problem)))]
pub async fn restore(
    State(app): State<App>,
    PointPath(room, when): PointPath,
    JsonBody(what): JsonBody<Restore>,
) -> Result<Json<Restored>, Problem> {
    let only = what.file.as_deref().map(TextName::parse).transpose()?;
    let then = at(&app, &room, when).await?.document;
    let before = now(&app, &room, VersionKind::Automatic, None).await?;
    let At { document, .. } = at(&app, &room, When::Now).await?;
    let edit = off_thread(move || edit(document, &then, only.as_ref())).await?;
    if let Some(edit) = edit {
        let asked = Asked::Apply(edit);
        let answer = app.inner.rooms.ask(&room, Wake::Existing, asked).await?;
        crate::http::api::update::answered(answer)?;
        now(&app, &room, VersionKind::Restored, None).await?;
    }
    let version = VersionBody::new(&before);
    Ok(Json(Restored { version }))
}

/// The update that makes the texts of `document` those of `then`; `None` when they are.
fn edit(
    mut document: Document,
    then: &Document,
    only: Option<&TextName>,
) -> Result<Option<bytes::Bytes>, Problem> {
    let (wanted, present) = (texts(then), texts(&document));
    if let Some(only) = only
        && !wanted.iter().chain(&present).any(|text| text.id == only.id)
    {
        return Err(no_file());
    }
    let is_meant = |text: &&TextBody| only.is_none_or(|only| only.id == text.id);
    let refused = |error: collab_core::document::EditError| {
        Problem::bad_request("not-restorable", error.to_string())
    };
    let known = document.state_vector();
    // A client id of its own: two restores at once are two authors.
    let state = document.encode();
    let state = state.map_err(|error| Problem::unavailable(error.to_string()))?;
    let replica = ReplicaId::ours(rand::random());
    let mut document = Document::load(replica, [&state[..]])
        .map_err(|error| Problem::unavailable(error.to_string()))?;
    let mut changed = false;
    for text in wanted.iter().filter(is_meant) {
        let name = TextName::parse(&text.id)?;
        let there = present.iter().find(|other| other.id == text.id);
        if let Some(file) = FileId::parse(&text.id)
            && there.is_none_or(|it| (&it.path, &it.language) != (&text.path, &text.language))
        {
            let put = document.put_file(&file, Some(&text.path), Some(&text.language));
            changed |= !put.map_err(refused)?.is_empty();
        }
        let now = document.root_text(&name.root);
        let edits = edits_between(&now, &text.text);
        if !edits.is_empty() {
            document.edit_root(&name.root, &edits).map_err(refused)?;
            changed = true;
        }
    }
    // What was not there then is emptied; files of our page leave the list as well.
    for text in present.iter().filter(is_meant) {
        if wanted.iter().any(|other| other.id == text.id) {
            continue;
        }
        if let Some(file) = FileId::parse(&text.id) {
            changed |= !document.remove_file(&file).map_err(refused)?.is_empty();
        } else {
            let name = TextName::parse(&text.id)?;
            let edits = edits_between(&text.text, "");
            document.edit_root(&name.root, &edits).map_err(refused)?;
            changed = true;
        }
    }
    if !changed {
        return Ok(None);
    }
    let edit = document.diff(&known);
    edit.map(Some)
        .map_err(|error| Problem::unavailable(error.to_string()))
}
