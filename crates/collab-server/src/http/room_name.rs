//! A room's name out of a path, decoded exactly once. Must not know what is done with the room.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use collab_core::document::FileId;
use collab_core::ids::{BadRoomId, RoomId};

use super::Problem;

/// The room that a path names by `{room}` or `{*room}`.
pub struct RoomName(pub RoomId);

/// The room and the file that a path names.
pub struct FileName(pub RoomId, pub FileId);

/// Checks a decoded name.
pub fn parse(name: &str) -> Result<RoomId, Problem> {
    RoomId::parse(name).map_err(|bad| {
        let problem = Problem::bad_request("room-name", bad.to_string());
        match bad {
            BadRoomId::TooLong(_) => problem.limit(RoomId::MAX_BYTES, None),
            BadRoomId::Empty | BadRoomId::ControlCharacter => problem,
        }
    })
}

fn undecodable(rejection: PathRejection) -> Problem {
    Problem::bad_request("path-encoding", rejection.body_text())
}

impl<S: Send + Sync> FromRequestParts<S> for RoomName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<RoomName, Problem> {
        let Path(name) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(undecodable)?;
        parse(&name).map(RoomName)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for FileName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<FileName, Problem> {
        let Path((room, file)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(undecodable)?;
        let file = FileId::parse(&file).ok_or_else(|| {
            let detail = "a file id has 1 to 64 characters out of A-Z a-z 0-9 _ -";
            Problem::bad_request("file-id", detail).limit(FileId::MAX_BYTES, None)
        })?;
        Ok(FileName(parse(&room)?, file))
    }
}
