//! `POST /api/autocomplete`: the same engine that runs in the page, for programs. Must not know
//! rooms.

use axum::Json;
use collab_core::autocomplete::{self, MAX_SUGGESTIONS, Suggestion};
use collab_core::ids::Offset;
use serde::{Deserialize, Serialize};

use super::body::JsonBody;
use crate::http::Problem;

/// What is to be completed.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompletionRequest {
    /// The whole text.
    #[serde(default)]
    pub code: String,
    /// Where the caret stands, in UTF-16 code units; at the end when absent or beyond it.
    #[serde(default, alias = "cursor_position")]
    pub cursor_position: Option<u32>,
    /// The language, as in `python`; unknown ones get words of the text.
    #[serde(default)]
    pub language: Option<String>,
}

/// The best completion, and all of them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CompletionBody {
    /// What to insert at the caret; empty when there is nothing to offer.
    pub suggestion: String,
    /// Every candidate, best first.
    pub suggestions: Vec<Candidate>,
}

/// One candidate.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// What to insert.
    pub insert: String,
    /// UTF-16 code units before the caret that it replaces: blanks only, and mostly none.
    pub replace_before: u32,
    /// Where the caret goes, in UTF-16 code units from the start of `insert`; its end when absent.
    pub caret: Option<u32>,
    /// One line for a list.
    pub label: String,
    /// `block`, `closing`, `phrase`, `word`, `keyword`, `line` or `comment`.
    pub kind: &'static str,
}

impl From<Suggestion> for Candidate {
    fn from(suggestion: Suggestion) -> Candidate {
        Candidate {
            insert: suggestion.insert,
            replace_before: suggestion.replace_before,
            caret: suggestion.caret,
            label: suggestion.label,
            kind: suggestion.kind.name(),
        }
    }
}

/// `POST /api/autocomplete`.
#[utoipa::path(post, path = "/api/autocomplete", tag = "completion",
    request_body = CompletionRequest,
    responses((status = 200, body = CompletionBody), (status = 400, body = Problem)))]
pub async fn complete(JsonBody(request): JsonBody<CompletionRequest>) -> Json<CompletionBody> {
    let suggestions: Vec<Candidate> = autocomplete::suggest(&autocomplete::Request {
        text: &request.code,
        caret: Offset(request.cursor_position.unwrap_or(u32::MAX)),
        language: request.language.as_deref().unwrap_or_default(),
        max: MAX_SUGGESTIONS,
    })
    .into_iter()
    .map(Candidate::from)
    .collect();
    // Programs that know only `suggestion` insert it and delete nothing.
    let suggestion = suggestions
        .iter()
        .find(|candidate| candidate.replace_before == 0)
        .map(|candidate| candidate.insert.clone())
        .unwrap_or_default();
    Json(CompletionBody {
        suggestion,
        suggestions,
    })
}
