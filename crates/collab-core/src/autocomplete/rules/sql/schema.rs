//! The tables a document speaks of. Must not know what is suggested.

use super::SQL;
use crate::autocomplete::context::Context;
use crate::autocomplete::search::{is_listed, is_word};

/// Tables read from one document, nearest first; further ones are not looked at.
const MAX_TABLES: usize = 16;
/// Tokens before the caret that are searched for tables, about 500 lines.
const MAX_TOKENS: usize = 4096;

/// The same for the columns of one table.
const MAX_COLUMNS: usize = 12;

/// A table and the columns its `CREATE` lists; none when it is only mentioned.
pub struct Table<'a> {
    /// As written.
    pub name: &'a str,
    /// In the order of its `CREATE`.
    pub columns: Vec<&'a str>,
}

/// Tables above the caret, nearest first.
pub fn tables<'a>(context: &Context<'a>) -> Vec<Table<'a>> {
    let tokens = context.tokens_before();
    let tokens = tokens
        .get(tokens.len().saturating_sub(MAX_TOKENS)..)
        .unwrap_or(&[]);
    let text = |index: usize| tokens.get(index).map_or("", |token| token.text);
    let mut tables: Vec<Table<'a>> = Vec::new();
    for index in (0..tokens.len()).rev() {
        let word = text(index);
        if !["table", "from", "join", "into", "update", "exists"]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
        {
            continue;
        }
        let name = text(index + 1);
        let upper = name.to_ascii_uppercase();
        let reserved = is_listed(SQL.keywords, &upper) || upper == "IF";
        if !is_word(name) || reserved {
            continue;
        }
        let mut columns = Vec::new();
        if matches!(word.len(), 5 | 6) && word.eq_ignore_ascii_case("table")
            || word.eq_ignore_ascii_case("exists")
        {
            let mut depth = 0;
            for at in index + 2..tokens.len() {
                match text(at) {
                    "(" => depth += 1,
                    ")" => depth -= 1,
                    column
                        if depth == 1 && matches!(text(at - 1), "(" | ",") && is_word(column) =>
                    {
                        let constraint = ["primary", "foreign", "constraint", "unique", "check"];
                        if !constraint
                            .iter()
                            .any(|word| word.eq_ignore_ascii_case(column))
                            && columns.len() < MAX_COLUMNS
                        {
                            columns.push(column);
                        }
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        match tables.iter_mut().find(|table| table.name == name) {
            Some(known) if known.columns.is_empty() => known.columns = columns,
            Some(_) => {}
            None => tables.push(Table { name, columns }),
        }
        if tables.len() == MAX_TABLES {
            break;
        }
    }
    tables
}
