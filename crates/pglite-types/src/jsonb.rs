//! `jsonb`: the tree form, its text, and what operators need; and validation of `json` text.

mod lexer;
mod ops;
mod parser;

use ecow::EcoString;
use pglite_error::{PgError, codes};

use crate::numeric::Numeric;

pub use lexer::{Lexer, Token};
pub use ops::{
    PathEdit, array_get, contains, delete_path, exists, object_get, path_get, set_path, strip_nulls,
    type_name,
};
pub use parser::{object_from_pairs, parse, parse_unique, validate};

/// A parsed JSON value. Invariant: object keys are unique and sorted by length, then bytes.
#[derive(Clone, Debug)]
pub enum Jsonb {
    Null,
    Bool(bool),
    /// Never NaN or infinite.
    Number(Numeric),
    String(EcoString),
    Array(Vec<Jsonb>),
    Object(Vec<(EcoString, Jsonb)>),
}

/// Nesting past this is refused, as PostgreSQL does when its stack runs short.
pub const MAX_DEPTH: usize = 3000;

/// 54001.
pub fn too_deep() -> PgError {
    PgError::new(codes::STATEMENT_TOO_COMPLEX, "stack depth limit exceeded").hint(
        "Increase the configuration parameter \"max_stack_depth\" (currently 2048kB), after ensuring the platform's stack depth limit is adequate.",
    )
}

/// Appends `s` as a JSON string with its quotes.
pub fn write_string(s: &str, out: &mut String) {
    out.push('"');
    let mut start = 0;
    for (i, b) in s.bytes().enumerate() {
        let escape = match b {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            0x08 => "\\b",
            0x0c => "\\f",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&s[start..i]);
        start = i + 1;
        if escape.is_empty() {
            use std::fmt::Write;
            let _ = write!(out, "\\u{b:04x}");
        } else {
            out.push_str(escape);
        }
    }
    out.push_str(&s[start..]);
    out.push('"');
}

/// Appends the text of a value as jsonb prints it.
pub fn write(j: &Jsonb, out: &mut String) {
    match j {
        Jsonb::Null => out.push_str("null"),
        Jsonb::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Jsonb::Number(n) => crate::numeric::write_text(n, out),
        Jsonb::String(s) => write_string(s, out),
        Jsonb::Array(a) => {
            out.push('[');
            for (i, v) in a.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write(v, out);
            }
            out.push(']');
        }
        Jsonb::Object(o) => {
            out.push('{');
            for (i, (k, v)) in o.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_string(k, out);
                out.push_str(": ");
                write(v, out);
            }
            out.push('}');
        }
    }
}

/// `jsonb_pretty`: four blanks a level.
pub fn write_pretty(j: &Jsonb, out: &mut String) {
    pretty(j, 0, out);
}

fn pretty(j: &Jsonb, level: usize, out: &mut String) {
    let line = |out: &mut String, level: usize| {
        out.push('\n');
        (0..level).for_each(|_| out.push_str("    "));
    };
    match j {
        Jsonb::Array(a) => {
            out.push('[');
            for (i, v) in a.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(out, level + 1);
                pretty(v, level + 1, out);
            }
            line(out, level);
            out.push(']');
        }
        Jsonb::Object(o) => {
            out.push('{');
            for (i, (k, v)) in o.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                line(out, level + 1);
                write_string(k, out);
                out.push_str(": ");
                pretty(v, level + 1, out);
            }
            line(out, level);
            out.push('}');
        }
        _ => write(j, out),
    }
}

impl std::fmt::Display for Jsonb {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut s = String::new();
        write(self, &mut s);
        f.write_str(&s)
    }
}

impl PartialEq for Jsonb {
    fn eq(&self, other: &Jsonb) -> bool {
        crate::compare::cmp_jsonb(self, other).is_eq()
    }
}
