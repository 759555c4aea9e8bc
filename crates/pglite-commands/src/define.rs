//! Options of DDL statements as values.

use pglite_parser::ast::{DefArg, DefElem};

/// The option's value as text.
pub(crate) fn text_of(d: &DefElem) -> Option<String> {
    match &d.arg {
        Some(DefArg::String(s) | DefArg::Float(s)) => Some(s.clone()),
        Some(DefArg::Integer(i)) => Some(i.to_string()),
        Some(DefArg::Boolean(b)) => Some(b.to_string()),
        Some(DefArg::TypeName(t)) => Some(t.dotted()),
        Some(DefArg::Names(n)) => Some(n.join(".")),
        _ => None,
    }
}
