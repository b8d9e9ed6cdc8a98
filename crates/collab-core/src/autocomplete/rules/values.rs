//! Plausible expressions from the names in reach: something to loop over, to test, to return.
//! What the rules of several languages share; each says how its language spells it.

use crate::autocomplete::context::Context;
use crate::autocomplete::names::{Role, Shape};

/// Values this near, in lines, are preferred whatever they hold.
const NEAR: usize = 3;

/// How a language asks whether a value is there, by what it holds: around the value goes this.
pub struct Tests {
    /// Several of something.
    pub many: (&'static str, &'static str),
    /// A number.
    pub number: (&'static str, &'static str),
    /// Characters.
    pub text: (&'static str, &'static str),
    /// Who knows.
    pub unknown: (&'static str, &'static str),
}

/// A test of the nearest value that lends itself to one; `condition` when there is none.
pub fn condition(context: &Context<'_>, tests: &Tests) -> String {
    let values = || context.names.iter().filter(|name| name.role == Role::Value);
    let flag = values().find(|name| name.shape == Shape::Flag && name.distance <= NEAR);
    let Some(name) = flag.or_else(|| values().next()) else {
        return "condition".to_owned();
    };
    let (before, after) = match name.shape {
        Shape::Flag => ("", ""),
        Shape::Many => tests.many,
        Shape::Number => tests.number,
        Shape::Text => tests.text,
        Shape::Unknown => tests.unknown,
    };
    [before, name.text, after].concat()
}

/// Something to loop over, nearest first.
pub fn iterables<'c, 'a>(context: &'c Context<'a>) -> impl Iterator<Item = &'a str> + use<'c, 'a> {
    context.names.shaped(Shape::Many)
}

/// The value an expression would most likely be: one that begins with what is typed.
pub fn value<'a>(context: &Context<'a>) -> Option<&'a str> {
    context
        .names
        .of(Role::Value)
        .find(|name| name.starts_with(context.typed) && name.len() > context.typed.len())
}
