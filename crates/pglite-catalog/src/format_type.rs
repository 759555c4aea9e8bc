//! `format_type`: the SQL spelling of a type.

use pglite_types::typmod::typmod_out;
use pglite_types::{Oid, oid};

use crate::names::{push_ident, quote_ident};
use crate::search_path::SearchPath;
use crate::snapshot::Snapshot;

/// How much of a name to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qualify {
    /// The schema only when the type is not visible.
    IfHidden,
    Always,
}

/// `format_type(oid, typmod)`. `typmod`: `None` when the caller has none (SQL NULL), -1 for "no modifier".
pub fn format_type(s: &Snapshot, path: &SearchPath, type_oid: Oid, typmod: Option<i32>) -> String {
    format_type_extended(s, path, type_oid, typmod, Qualify::IfHidden)
}

/// `format_type_be`: for messages.
pub fn format_type_be(s: &Snapshot, path: &SearchPath, type_oid: Oid) -> String {
    format_type(s, path, type_oid, None)
}

pub fn format_type_extended(
    s: &Snapshot,
    path: &SearchPath,
    type_oid: Oid,
    typmod: Option<i32>,
    qualify: Qualify,
) -> String {
    if !type_oid.is_valid() {
        return "-".into();
    }
    let Some(mut row) = s.type_by_oid(type_oid) else { return "???".into() };
    let mut array = false;
    // Why: oidvector and int2vector have elements but are no true arrays; their storage is plain.
    if row.typstorage != b'p'
        && let Some(element) = s.element_type(type_oid)
    {
        let Some(elem) = s.type_by_oid(element) else { return "???[]".into() };
        row = elem;
        array = true;
    }
    let modifier = typmod.filter(|&m| m >= 0);
    let mut out = match special(row.oid, modifier, typmod.is_some(), qualify) {
        Some(name) => name,
        None => {
            let hidden = qualify == Qualify::Always || !path.type_is_visible(s, row.oid);
            let mut name = String::new();
            if hidden {
                push_ident(&mut name, s.namespace_name(row.typnamespace).unwrap_or("???"));
                name.push('.');
            }
            push_ident(&mut name, &row.typname);
            if let Some(m) = modifier {
                name.push_str(&typmod_out(row.oid, m));
            }
            name
        }
    };
    if array {
        out.push_str("[]");
    }
    out
}

/// The types with a spelling of their own in the SQL standard.
fn special(type_oid: Oid, modifier: Option<i32>, given: bool, qualify: Qualify) -> Option<String> {
    let text = modifier.map(|m| typmod_out(type_oid, m)).unwrap_or_default();
    Some(match type_oid {
        // PG: a bare `bit` means bit(1), so the type without a length is written in quotes.
        oid::BIT if modifier.is_none() && given => {
            if qualify == Qualify::Always {
                return None;
            }
            "\"bit\"".into()
        }
        oid::BIT => format!("bit{text}"),
        oid::BOOL => "boolean".into(),
        oid::BPCHAR if modifier.is_none() && given => return None,
        oid::BPCHAR => format!("character{text}"),
        oid::FLOAT4 => "real".into(),
        oid::FLOAT8 => "double precision".into(),
        oid::INT2 => "smallint".into(),
        oid::INT4 => "integer".into(),
        oid::INT8 => "bigint".into(),
        oid::NUMERIC => format!("numeric{text}"),
        oid::INTERVAL => format!("interval{text}"),
        oid::TIME if modifier.is_none() => "time without time zone".into(),
        oid::TIME => format!("time{text}"),
        oid::TIMETZ if modifier.is_none() => "time with time zone".into(),
        oid::TIMETZ => format!("time{text}"),
        oid::TIMESTAMP if modifier.is_none() => "timestamp without time zone".into(),
        oid::TIMESTAMP => format!("timestamp{text}"),
        oid::TIMESTAMPTZ if modifier.is_none() => "timestamp with time zone".into(),
        oid::TIMESTAMPTZ => format!("timestamp{text}"),
        oid::VARBIT => format!("bit varying{text}"),
        oid::VARCHAR => format!("character varying{text}"),
        // a key word that would otherwise be quoted
        oid::JSON => "json".into(),
        _ => return None,
    })
}

/// A relation's name for messages and `regclass` output: qualified when not visible.
pub fn relation_name(s: &Snapshot, path: &SearchPath, relation: Oid) -> Option<String> {
    let class = s.class_by_oid(relation)?;
    Some(if path.relation_is_visible(s, relation) {
        quote_ident(&class.relname)
    } else {
        crate::names::quote_qualified(s.namespace_name(class.relnamespace), &class.relname)
    })
}
