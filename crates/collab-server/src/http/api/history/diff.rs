//! What differs between two points of a room's history. Must not know how a past state is made.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use similar::{ChangeTag, TextDiff};

use super::point::{When, at, off_thread};
use super::query;
use super::texts::{TextBody, TextName, texts};
use crate::http::room_name::RoomName;
use crate::http::{App, Problem};

/// Lines around a change that did not change.
const CONTEXT: usize = 3;

/// How long the comparison of one file looks for the smallest difference. After it the rest is shown
/// in larger pieces: right still, only coarser.
const COMPARE_WITHIN: Duration = Duration::from_millis(200);

/// Which points, and which text.
#[derive(Debug, Deserialize)]
pub struct Between {
    from: String,
    to: String,
    file: Option<String>,
}

/// The files that differ.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DiffBody {
    pub files: Vec<FileDiff>,
}

/// How one file differs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FileDiff {
    pub id: String,
    pub path: String,
    pub hunks: Vec<Hunk>,
}

/// A changed stretch with what is around it. Lines count from 1.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hunk {
    pub from_line: usize,
    pub from_count: usize,
    pub to_line: usize,
    pub to_count: usize,
    pub lines: Vec<Line>,
}

/// A line of a hunk, without its line feed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Line {
    /// `same`, `removed` or `added`.
    pub kind: &'static str,
    pub text: String,
}

/// `GET /api/rooms/{room}/diff`.
#[utoipa::path(get, path = "/api/rooms/{room}/diff", tag = "history",
    params(("room" = String, Path), ("from" = String, Query), ("to" = String, Query),
        ("file" = Option<String>, Query)),
    responses((status = 200, body = DiffBody, description = "or text/plain, unified, where Accept asks for it"),
        (status = 404, body = Problem), (status = 410, body = Problem)))]
pub async fn diff(
    State(app): State<App>,
    RoomName(room): RoomName,
    headers: HeaderMap,
    between: Result<Query<Between>, QueryRejection>,
) -> Result<Response, Problem> {
    let between = query(between)?;
    let (from, to) = (When::parse(&between.from)?, When::parse(&between.to)?);
    let only = between.file.as_deref().map(TextName::parse).transpose()?;
    let from = at(&app, &room, from).await?.document;
    let to = at(&app, &room, to).await?.document;
    let unified = wants_text(&headers);
    off_thread(move || {
        let pairs = pairs(texts(&from), texts(&to), only.as_ref());
        Ok(if unified {
            let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
            (plain, pairs.iter().map(in_plain).collect::<String>()).into_response()
        } else {
            let files = pairs.iter().map(in_hunks).collect();
            Json(DiffBody { files }).into_response()
        })
    })
    .await
}

/// Whether plain text is named before JSON.
fn wants_text(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|it| it.to_str().ok());
    let accept = accept.unwrap_or_default();
    match (accept.find("text/plain"), accept.find("application/json")) {
        (Some(text), Some(json)) => text < json,
        (text, None) => text.is_some(),
        (None, Some(_)) => false,
    }
}

/// A file that differs: id, path, text before and after.
struct Pair {
    id: String,
    path: String,
    from: String,
    to: String,
}

fn pairs(from: Vec<TextBody>, to: Vec<TextBody>, only: Option<&TextName>) -> Vec<Pair> {
    let mut before: BTreeMap<String, TextBody> =
        from.into_iter().map(|it| (it.id.clone(), it)).collect();
    let mut pairs = Vec::new();
    for after in to {
        let text = before.remove(&after.id).map_or(String::new(), |it| it.text);
        pairs.push(Pair {
            id: after.id,
            path: after.path,
            from: text,
            to: after.text,
        });
    }
    pairs.extend(before.into_values().map(|gone| Pair {
        id: gone.id,
        path: gone.path,
        from: gone.text,
        to: String::new(),
    }));
    pairs.retain(|pair| pair.from != pair.to && only.is_none_or(|only| only.id == pair.id));
    pairs
}

fn compared(pair: &Pair) -> TextDiff<'_, '_, '_, str> {
    TextDiff::configure()
        .deadline(Instant::now() + COMPARE_WITHIN)
        .diff_lines(&pair.from, &pair.to)
}

fn in_plain(pair: &Pair) -> String {
    let name = match pair.path.is_empty() {
        true => &pair.id,
        false => &pair.path,
    };
    let diff = compared(pair);
    let mut unified = diff.unified_diff();
    let unified = unified.context_radius(CONTEXT);
    unified
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string()
}

fn in_hunks(pair: &Pair) -> FileDiff {
    let diff = compared(pair);
    let mut hunks = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            continue;
        };
        let from = first.old_range().start..last.old_range().end;
        let to = first.new_range().start..last.new_range().end;
        let lines = group.iter().flat_map(|op| diff.iter_changes(op));
        hunks.push(Hunk {
            from_line: from.start + 1,
            from_count: from.len(),
            to_line: to.start + 1,
            to_count: to.len(),
            lines: lines
                .map(|line| Line {
                    kind: match line.tag() {
                        ChangeTag::Equal => "same",
                        ChangeTag::Delete => "removed",
                        ChangeTag::Insert => "added",
                    },
                    text: line.value().trim_end_matches('\n').to_owned(),
                })
                .collect(),
        });
    }
    FileDiff {
        id: pair.id.clone(),
        path: pair.path.clone(),
        hunks,
    }
}
