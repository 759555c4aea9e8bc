//! EXPLAIN's options, with PostgreSQL's checks between them.

use pglite_error::{PgResult, bail, err};
use pglite_parser::ast::{DefArg, DefElem, ExplainStmt};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Text,
    Json,
    Yaml,
    Xml,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub analyze: bool,
    pub verbose: bool,
    pub costs: bool,
    pub settings: bool,
    pub generic: bool,
    pub buffers: bool,
    pub wal: bool,
    pub timing: bool,
    pub summary: bool,
    pub memory: bool,
    pub serialize: bool,
    pub format: Format,
}

impl Options {
    pub fn parse(s: &ExplainStmt) -> PgResult<Options> {
        let mut o = Options {
            analyze: false,
            verbose: false,
            costs: true,
            settings: false,
            generic: false,
            buffers: false,
            wal: false,
            timing: false,
            summary: false,
            memory: false,
            serialize: false,
            format: Format::Text,
        };
        let (mut timing_set, mut buffers_set, mut summary_set) = (false, false, false);
        for d in &s.options {
            match d.defname.as_str() {
                "analyze" => o.analyze = boolean(d)?,
                "verbose" => o.verbose = boolean(d)?,
                "costs" => o.costs = boolean(d)?,
                "buffers" => (o.buffers, buffers_set) = (boolean(d)?, true),
                "wal" => o.wal = boolean(d)?,
                "settings" => o.settings = boolean(d)?,
                "generic_plan" => o.generic = boolean(d)?,
                "timing" => (o.timing, timing_set) = (boolean(d)?, true),
                "summary" => (o.summary, summary_set) = (boolean(d)?, true),
                "memory" => o.memory = boolean(d)?,
                "serialize" => o.serialize = serialize(d)?,
                "format" => o.format = format(d)?,
                other => {
                    return Err(err!(SYNTAX_ERROR, "unrecognized EXPLAIN option \"{other}\"").at(d.location));
                }
            }
        }
        if o.wal && !o.analyze {
            bail!(INVALID_PARAMETER_VALUE, "EXPLAIN option {} requires ANALYZE", "WAL");
        }
        if !timing_set {
            o.timing = o.analyze;
        }
        if !buffers_set {
            o.buffers = o.analyze;
        }
        if o.timing && !o.analyze {
            bail!(INVALID_PARAMETER_VALUE, "EXPLAIN option {} requires ANALYZE", "TIMING");
        }
        if o.serialize && !o.analyze {
            bail!(INVALID_PARAMETER_VALUE, "EXPLAIN option {} requires ANALYZE", "SERIALIZE");
        }
        if o.generic && o.analyze {
            bail!(
                INVALID_PARAMETER_VALUE,
                "EXPLAIN options ANALYZE and GENERIC_PLAN cannot be used together"
            );
        }
        if !summary_set {
            o.summary = o.analyze;
        }
        Ok(o)
    }
}

/// A boolean option's value; alone it means true.
pub(crate) fn boolean(d: &DefElem) -> PgResult<bool> {
    let word = match &d.arg {
        None => return Ok(true),
        Some(DefArg::Boolean(b)) => return Ok(*b),
        Some(DefArg::Integer(0)) => return Ok(false),
        Some(DefArg::Integer(1)) => return Ok(true),
        Some(arg) => word(arg),
    };
    match word.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("true" | "on") => Ok(true),
        Some("false" | "off") => Ok(false),
        _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", d.defname),
    }
}

/// An option's value as a word.
pub(crate) fn word(arg: &DefArg) -> Option<String> {
    match arg {
        DefArg::String(s) | DefArg::Float(s) => Some(s.clone()),
        DefArg::Integer(i) => Some(i.to_string()),
        DefArg::Boolean(b) => Some(b.to_string()),
        DefArg::TypeName(t) => t.names.last().map(|n| n.to_string()),
        DefArg::Names(n) => Some(n.join(".")),
        _ => None,
    }
}

fn required(d: &DefElem) -> PgResult<String> {
    match d.arg.as_ref().and_then(word) {
        Some(w) => Ok(w),
        None => bail!(SYNTAX_ERROR, "{} requires a parameter", d.defname),
    }
}

fn serialize(d: &DefElem) -> PgResult<bool> {
    if d.arg.is_none() {
        return Ok(true);
    }
    match required(d)?.as_str() {
        "off" | "none" => Ok(false),
        "text" | "binary" => Ok(true),
        other => Err(unrecognized(d, other)),
    }
}

pub fn format(d: &DefElem) -> PgResult<Format> {
    match required(d)?.as_str() {
        "text" => Ok(Format::Text),
        "xml" => Ok(Format::Xml),
        "json" => Ok(Format::Json),
        "yaml" => Ok(Format::Yaml),
        other => Err(unrecognized(d, other)),
    }
}

fn unrecognized(d: &DefElem, value: &str) -> pglite_error::PgError {
    err!(INVALID_PARAMETER_VALUE, "unrecognized value for EXPLAIN option \"{}\": \"{value}\"", d.defname)
        .at(d.location)
}
