//! A replay as lines of JSON, sent as they are made. Must not know how changes are found.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use collab_core::document::past::Authors;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::point::{When, place};
use super::texts::{TextName, no_file};
use super::versions::AuthorBody;
use super::{query, stored};
use crate::history::replay::{Played, Replay, Span};
use crate::http::room_name::RoomName;
use crate::http::{App, Problem};

/// How long somebody may not read on. Then the replay breaks off, and its memory is free.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// Pieces that wait to be sent.
const PIECES: usize = 2;

/// Which text, and from when to when.
#[derive(Debug, Deserialize)]
pub struct Stretch {
    file: String,
    from: Option<String>,
    to: Option<String>,
}

/// The first line of a replay.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReplayHead {
    pub file: String,
    /// Milliseconds since 1970.
    pub from: u64,
    pub to: u64,
    /// At `from`.
    pub text: String,
    pub authors: Vec<AuthorBody>,
    /// How many changes follow at most; the last line says how many there were.
    pub changes: u64,
}

/// The last line.
#[derive(Debug, Serialize)]
struct End {
    changes: u64,
}

/// What is known while lines are made.
#[derive(Debug, Clone, Copy)]
struct Told {
    /// When the change before was made.
    last: u64,
    changes: u64,
}

/// `GET /api/rooms/{room}/replay`.
#[utoipa::path(get, path = "/api/rooms/{room}/replay", tag = "history",
    params(("room" = String, Path), ("file" = String, Query), ("from" = Option<String>, Query),
        ("to" = Option<String>, Query)),
    responses((status = 200, body = ReplayHead, content_type = "application/x-ndjson",
            description = "this, then a line per change, then how many there were"),
        (status = 404, body = Problem), (status = 410, body = Problem),
        (status = 422, body = Problem), (status = 503, body = Problem)))]
pub async fn replay(
    State(app): State<App>,
    RoomName(room): RoomName,
    stretch: Result<Query<Stretch>, QueryRejection>,
) -> Result<Response, Problem> {
    let stretch = query(stretch)?;
    let file = TextName::parse(&stretch.file)?;
    let from = When::parse(stretch.from.as_deref().unwrap_or("t0"))?;
    let to = When::parse(stretch.to.as_deref().unwrap_or("now"))?;
    let info = stored(&app, &room).await?;
    let (from, from_at) = place(&app, &info, from).await?;
    let (to, to_at) = place(&app, &info, to).await?;
    let span = Span {
        root: file.root,
        from,
        from_at,
        to,
    };
    let (head, replay) = app.inner.history.replay(info.key, span).await?;
    if head.is_empty && !head.files.contains(&file.id) {
        return Err(no_file());
    }
    let told = Told {
        last: head.from.0,
        changes: 0,
    };
    let first = line(&ReplayHead {
        file: file.id,
        from: head.from.0,
        to: to_at.0.max(head.from.0),
        text: head.text,
        authors: super::lines::told(&replay.authors),
        changes: head.changes,
    });
    let (send, receive) = mpsc::channel(PIECES);
    let stop = app.inner.draining.clone();
    app.inner.sockets.spawn(async move {
        let sent = stop.run_until_cancelled(play(replay, told, first, send));
        if let Some(Err(error)) = sent.await {
            tracing::error!(%error, "a replay broke off");
        }
    });
    let body = stream::unfold(receive, async |mut receive| {
        let piece = receive.recv().await?;
        Some((Ok::<Bytes, Infallible>(piece), receive))
    });
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Sends everything, until the end or until nobody reads on. Whoever misses the last line knows that it
/// broke off.
async fn play(
    mut replay: Replay,
    mut told: Told,
    first: Bytes,
    send: mpsc::Sender<Bytes>,
) -> Result<(), crate::history::past::PastError> {
    let sent = async |piece: Bytes| {
        let sent = tokio::time::timeout(STALLED_AFTER, send.send(piece));
        matches!(sent.await, Ok(Ok(())))
    };
    if !sent(first).await {
        return Ok(());
    }
    loop {
        let authors = replay.authors.clone();
        let next = replay.next(move |played| lines(&played, &authors, told));
        let Some((piece, after)) = next.await? else {
            break;
        };
        told = after;
        if !piece.is_empty() && !sent(piece).await {
            return Ok(());
        }
    }
    sent(line(&End {
        changes: told.changes,
    }))
    .await;
    Ok(())
}

/// `[dt, author, [[at, removed, "inserted"]…]]`, a line each.
fn lines(played: &[Played], authors: &Authors, mut told: Told) -> (Bytes, Told) {
    let mut out = Vec::new();
    for Played { at, change } in played {
        let after = at.saturating_sub(told.last);
        told.last += after;
        told.changes += 1;
        let author = authors.number(change.replica);
        let replacements: Vec<(u32, u32, &str)> = change
            .replacements
            .iter()
            .map(|it| (it.at, it.removed, &it.inserted[..]))
            .collect();
        put_line(&mut out, &(after, author, replacements));
    }
    (out.into(), told)
}

fn line(value: &impl Serialize) -> Bytes {
    let mut out = Vec::new();
    put_line(&mut out, value);
    out.into()
}

fn put_line(out: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(&mut *out, value).expect("texts and numbers go into memory");
    out.push(b'\n');
}
