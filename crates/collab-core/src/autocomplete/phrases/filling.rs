//! Defaults for a phrase's placeholders, from what stands around the caret. Must not know how
//! phrases are matched or ranked.
//!
//! | placeholder | default |
//! | --- | --- |
//! | `many`, `one` | something to loop over, and what to call one of it |
//! | `cond` | a test of the nearest value, in the words of [`Language::tests`] |
//! | `value`, `type`, `function` | the nearest of its kind |
//! | `setter` | `setCount` for the name typed before |
//! | `fail`, `arms` | what Go returns on an error; a Rust enum's variants |
//! | `table`, `columns`, `column`, `places`, `on` | SQL, from the document's own tables |
//! | `*anything`, `anything` | itself |
//!
//! [`Language::tests`]: crate::autocomplete::language::Language::tests

use super::matching::Progress;
use crate::autocomplete::context::Context;
use crate::autocomplete::lexer::Sort;
use crate::autocomplete::names::{Name, Role, Shape, singular};
use crate::autocomplete::rules::{go, rust, sql};
use crate::autocomplete::search::cut;

/// Lines within which a value that says yes or no is preferred as a condition.
const NEAR: usize = 3;

/// One attempt at filling a phrase.
pub struct Filling<'f, 'a> {
    /// Where.
    pub context: &'f Context<'a>,
    /// What was typed already.
    pub progress: &'f Progress<'a>,
    /// Which of several candidates to take, from 0.
    pub nth: u32,
    /// Set when there was nothing to go by.
    pub guessed: bool,
    /// Set when there were candidates to choose from.
    pub chose: bool,
}

impl<'a> Filling<'_, 'a> {
    /// The rest of the phrase as a template for [`Context::offer`].
    pub fn fill(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut rest = self.progress.rest;
        let quote = if self.context.prefers_double_quotes() {
            '"'
        } else {
            '\''
        };
        while let Some(sign) = rest.chars().next() {
            rest = rest.get(sign.len_utf8()..)?;
            match sign {
                '‹' => {
                    let (name, after) = rest.split_once('›')?;
                    rest = after;
                    text.push_str(&self.value(name)?);
                }
                '·' => {}
                '\'' => text.push(quote),
                _ if self.progress.lower => text.push(sign.to_ascii_lowercase()),
                _ => text.push(sign),
            }
        }
        Some(text)
    }

    fn bound(&self, name: &str) -> Option<&'a str> {
        self.progress
            .bound
            .iter()
            .find(|(bound, _)| *bound == name)
            .map(|(_, text)| *text)
    }

    fn value(&mut self, name: &'static str) -> Option<String> {
        if let Some(text) = self.bound(name) {
            return Some(text.to_owned());
        }
        let context = self.context;
        let found = match name {
            "many" => self.many().map(str::to_owned),
            "one" => {
                let one = singular(self.many().unwrap_or("items"));
                Some(one)
            }
            "cond" => self.condition(),
            "value" => self
                .choose(|name| name.role == Role::Value)
                .map(str::to_owned),
            "type" => self
                .choose(|name| name.role == Role::Type)
                .map(str::to_owned),
            "function" => self
                .choose(|name| name.role != Role::Value)
                .map(str::to_owned),
            "limit" => self
                .choose(|name| name.role == Role::Value && name.shape == Shape::Number)
                .map(str::to_owned),
            "setter" => {
                let mut letters = self.bound("name")?.chars();
                let first = letters.next()?.to_ascii_uppercase();
                Some(["set", first.encode_utf8(&mut [0; 4]), letters.as_str()].concat())
            }
            "fail" => Some(go::failure(context)),
            "arms" => Some(rust::arms(context, self.bound("value").unwrap_or(""))),
            "table" | "columns" | "column" | "places" | "on" => sql::fill(
                context,
                name,
                self.progress.rest,
                self.bound("table"),
                usize::try_from(self.nth).unwrap_or(0),
            )
            .inspect(|_| self.chose = true),
            _ => Some(name.trim_start_matches('*').to_owned()),
        };
        if found.is_none() {
            self.guessed = true;
        }
        Some(found.unwrap_or_else(|| default(name).to_owned()))
    }

    /// The nth nearest name that fits.
    fn choose(&mut self, fits: impl Fn(&Name<'a>) -> bool) -> Option<&'a str> {
        let nth = usize::try_from(self.nth).unwrap_or(0);
        self.chose = true;
        self.context
            .names
            .iter()
            .filter(|name| fits(name))
            .nth(nth)
            .map(|name| name.text)
    }

    /// What to loop over: the plural of the name typed for one of it, else the nearest.
    fn many(&mut self) -> Option<&'a str> {
        let many = |name: &Name<'a>| name.role == Role::Value && name.shape == Shape::Many;
        if let Some(one) = self.bound("one").filter(|_| self.nth == 0) {
            let own = |name: &Name<'a>| many(name) && singular(name.text) == one;
            if let Some(name) = self.context.names.iter().find(|name| own(name)) {
                self.chose = true;
                return Some(name.text);
            }
        }
        self.choose(many)
    }

    /// A test of the nearest value; one that says yes or no is worth a few lines more.
    fn condition(&mut self) -> Option<String> {
        let value = |name: &&Name<'a>| name.role == Role::Value;
        let names = || self.context.names.iter().filter(value);
        let flag = names().find(|name| name.shape == Shape::Flag && name.distance <= NEAR);
        let name = flag.or_else(|| names().next()).filter(|_| self.nth == 0)?;
        let [many, number, text, unknown] = self.context.language.tests;
        let test = match name.shape {
            Shape::Flag => "‹›",
            Shape::Many => many,
            Shape::Number => number,
            Shape::Text => text,
            Shape::Unknown => unknown,
        };
        let (before, after) = cut(test, "‹›")?;
        Some([before, name.text, after].concat())
    }
}

/// What stands in when nothing is known.
fn default(name: &'static str) -> &'static str {
    match name {
        "many" => "items",
        "cond" => "condition",
        "type" => "Name",
        "function" => "name",
        "limit" => "10",
        "table" => "table_name",
        "column" => "id",
        "columns" | "places" => "‸",
        _ => name,
    }
}

impl Context<'_> {
    /// Most strings of this file stand in double quotes; if there are none, single ones.
    pub fn prefers_double_quotes(&self) -> bool {
        let texts = self
            .lexed
            .tokens
            .iter()
            .filter(|token| token.sort == Sort::Text);
        let balance = texts.fold(0i32, |balance, token| {
            if token.text.starts_with('"') {
                balance + 1
            } else {
                balance - 1
            }
        });
        balance > 0
    }
}
