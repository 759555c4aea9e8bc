//! COPY's options, checked as PostgreSQL checks them.

use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{CopyStmt, DefArg, DefElem};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Csv,
    Binary,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    No,
    Yes,
    Match,
}

/// Columns an option applies to.
#[derive(Clone, Debug, Default)]
pub(crate) struct ColumnList {
    pub all: bool,
    pub names: Vec<String>,
}

impl ColumnList {
    pub fn has(&self, name: &str) -> bool {
        self.all || self.names.iter().any(|n| n == name)
    }
    fn given(&self) -> bool {
        self.all || !self.names.is_empty()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub format: Format,
    pub delimiter: u8,
    pub null: String,
    pub default: Option<String>,
    pub header: Header,
    pub quote: u8,
    pub escape: u8,
    pub freeze: bool,
    pub force_quote: ColumnList,
    pub force_not_null: ColumnList,
    pub force_null: ColumnList,
    pub on_error_ignore: bool,
    pub reject_limit: i64,
    pub log_verbosity: String,
}

fn text(d: &DefElem) -> PgResult<String> {
    match &d.arg {
        Some(DefArg::String(s) | DefArg::Float(s)) => Ok(s.clone()),
        Some(DefArg::Integer(i)) => Ok(i.to_string()),
        Some(DefArg::Boolean(b)) => Ok(if *b { "true" } else { "false" }.into()),
        Some(DefArg::Names(n)) => Ok(n.join(".")),
        Some(DefArg::TypeName(t)) => Ok(t.dotted()),
        _ => bail!(SYNTAX_ERROR, "{} requires a parameter", d.defname),
    }
}

fn boolean(d: &DefElem) -> PgResult<bool> {
    match &d.arg {
        None => Ok(true),
        Some(DefArg::Boolean(b)) => Ok(*b),
        Some(DefArg::Integer(0)) => Ok(false),
        Some(DefArg::Integer(1)) => Ok(true),
        Some(_) => match text(d)?.to_ascii_lowercase().as_str() {
            "true" | "on" => Ok(true),
            "false" | "off" => Ok(false),
            _ => bail!(SYNTAX_ERROR, "{} requires a Boolean value", d.defname),
        },
    }
}

fn list(d: &DefElem) -> PgResult<ColumnList> {
    match &d.arg {
        Some(DefArg::Star) => Ok(ColumnList { all: true, names: Vec::new() }),
        Some(DefArg::Names(names)) => Ok(ColumnList { all: false, names: names.clone() }),
        Some(DefArg::List(items)) => {
            let names = items
                .iter()
                .map(|i| match i {
                    DefArg::String(s) => Ok(s.clone()),
                    _ => Err(err!(
                        INVALID_PARAMETER_VALUE,
                        "argument to option \"{}\" must be a list of column names",
                        d.defname
                    )),
                })
                .collect::<PgResult<_>>()?;
            Ok(ColumnList { all: false, names })
        }
        _ => Err(err!(
            INVALID_PARAMETER_VALUE,
            "argument to option \"{}\" must be a list of column names",
            d.defname
        )
        .at(d.location)),
    }
}

fn single_byte(value: &str, what: &str) -> PgResult<u8> {
    match value.as_bytes() {
        [b] => Ok(*b),
        _ => bail!(FEATURE_NOT_SUPPORTED, "COPY {what} must be a single one-byte character"),
    }
}

impl Options {
    pub fn parse(s: &CopyStmt) -> PgResult<Options> {
        let mut o = Options {
            format: Format::Text,
            delimiter: b'\t',
            null: "\\N".into(),
            default: None,
            header: Header::No,
            quote: b'"',
            escape: b'"',
            freeze: false,
            force_quote: ColumnList::default(),
            force_not_null: ColumnList::default(),
            force_null: ColumnList::default(),
            on_error_ignore: false,
            reject_limit: 0,
            log_verbosity: "default".into(),
        };
        let mut seen: Vec<&str> = Vec::new();
        for d in &s.options {
            if seen.contains(&d.defname.as_str()) {
                return Err(PgError::syntax("conflicting or redundant options").at(d.location));
            }
            seen.push(&d.defname);
        }
        if let Some(d) = s.options.iter().find(|d| d.defname == "format") {
            o.format = match text(d)?.as_str() {
                "text" => Format::Text,
                "csv" => Format::Csv,
                "binary" => Format::Binary,
                other => {
                    return Err(err!(INVALID_PARAMETER_VALUE, "COPY format \"{other}\" not recognized")
                        .at(d.location));
                }
            };
        }
        if o.format == Format::Csv {
            o.delimiter = b',';
            o.null = String::new();
        }
        let (mut delimiter, mut quote, mut escape) = (None, None, None);
        for d in &s.options {
            match d.defname.as_str() {
                "format" => {}
                "freeze" => o.freeze = boolean(d)?,
                "delimiter" => delimiter = Some(text(d)?),
                "null" => o.null = text(d)?,
                "default" => o.default = Some(text(d)?),
                "header" => {
                    o.header = match (&d.arg, text(d).unwrap_or_default().to_ascii_lowercase().as_str()) {
                        (Some(_), "match") => {
                            if !s.is_from {
                                bail!(INVALID_PARAMETER_VALUE, "cannot use \"match\" with HEADER in COPY TO");
                            }
                            Header::Match
                        }
                        _ => match boolean(d) {
                            Ok(true) => Header::Yes,
                            Ok(false) => Header::No,
                            Err(_) => bail!(SYNTAX_ERROR, "header requires a Boolean value or \"match\""),
                        },
                    }
                }
                "quote" => quote = Some(text(d)?),
                "escape" => escape = Some(text(d)?),
                "force_quote" => o.force_quote = list(d)?,
                "force_not_null" => o.force_not_null = list(d)?,
                "force_null" => o.force_null = list(d)?,
                "encoding" => {
                    let name = text(d)?;
                    if pglite_catalog::facts::encoding_by_name(&name).is_none() {
                        return Err(err!(
                            INVALID_PARAMETER_VALUE,
                            "argument to option \"encoding\" must be a valid encoding name"
                        )
                        .at(d.location));
                    }
                }
                "on_error" => match text(d)?.to_ascii_lowercase().as_str() {
                    _ if !s.is_from => {
                        return Err(err!(
                            INVALID_PARAMETER_VALUE,
                            "COPY ON_ERROR cannot be used with COPY TO"
                        )
                        .at(d.location));
                    }
                    "stop" => {}
                    "ignore" => o.on_error_ignore = true,
                    other => {
                        return Err(err!(
                            INVALID_PARAMETER_VALUE,
                            "COPY ON_ERROR \"{other}\" not recognized"
                        )
                        .at(d.location));
                    }
                },
                "reject_limit" => {
                    let n: i64 = text(d)?.parse().map_err(|_| {
                        err!(INVALID_PARAMETER_VALUE, "REJECT_LIMIT requires a numeric value")
                    })?;
                    if n <= 0 {
                        bail!(INVALID_PARAMETER_VALUE, "REJECT_LIMIT ({n}) must be greater than zero");
                    }
                    o.reject_limit = n;
                }
                "log_verbosity" => {
                    let v = text(d)?.to_ascii_lowercase();
                    if !matches!(v.as_str(), "default" | "verbose" | "silent") {
                        return Err(err!(
                            INVALID_PARAMETER_VALUE,
                            "COPY LOG_VERBOSITY \"{v}\" not recognized"
                        )
                        .at(d.location));
                    }
                    o.log_verbosity = v;
                }
                other => {
                    return Err(PgError::syntax(format!("option \"{other}\" not recognized")).at(d.location));
                }
            }
        }
        o.check(s, &seen, delimiter, quote, escape)?;
        Ok(o)
    }

    fn check(
        &mut self,
        s: &CopyStmt,
        seen: &[&str],
        delimiter: Option<String>,
        quote: Option<String>,
        escape: Option<String>,
    ) -> PgResult<()> {
        let given = |n: &str| seen.contains(&n);
        let csv = self.format == Format::Csv;
        if self.format == Format::Binary {
            for (name, word) in [("delimiter", "DELIMITER"), ("null", "NULL"), ("default", "DEFAULT")] {
                if given(name) {
                    return Err(PgError::syntax(format!("cannot specify {word} in BINARY mode")));
                }
            }
            if self.header != Header::No {
                bail!(FEATURE_NOT_SUPPORTED, "cannot specify HEADER in BINARY mode");
            }
            if self.on_error_ignore {
                return Err(PgError::syntax("only ON_ERROR STOP is allowed in BINARY mode"));
            }
        }
        if let Some(d) = delimiter {
            self.delimiter = single_byte(&d, "delimiter")?;
            if matches!(self.delimiter, b'\r' | b'\n') {
                bail!(INVALID_PARAMETER_VALUE, "COPY delimiter cannot be newline or carriage return");
            }
            if !csv && b"\\.abcdefghijklmnopqrstuvwxyz0123456789".contains(&self.delimiter) {
                bail!(INVALID_PARAMETER_VALUE, "COPY delimiter cannot be \"{d}\"");
            }
        }
        if self.null.contains(['\r', '\n']) {
            bail!(INVALID_PARAMETER_VALUE, "COPY null representation cannot use newline or carriage return");
        }
        if !csv {
            for (name, word) in [
                ("quote", "QUOTE"),
                ("escape", "ESCAPE"),
                ("force_quote", "FORCE_QUOTE"),
                ("force_not_null", "FORCE_NOT_NULL"),
                ("force_null", "FORCE_NULL"),
            ] {
                if given(name) {
                    bail!(FEATURE_NOT_SUPPORTED, "COPY {word} requires CSV mode");
                }
            }
        }
        if let Some(q) = quote {
            self.quote = single_byte(&q, "quote")?;
            self.escape = self.quote;
            if self.quote == self.delimiter {
                bail!(INVALID_PARAMETER_VALUE, "COPY delimiter and quote must be different");
            }
        }
        if let Some(e) = escape {
            self.escape = single_byte(&e, "escape")?;
        }
        if self.force_quote.given() && s.is_from {
            bail!(FEATURE_NOT_SUPPORTED, "COPY FORCE_QUOTE cannot be used with COPY FROM");
        }
        if self.force_not_null.given() && !s.is_from {
            bail!(FEATURE_NOT_SUPPORTED, "COPY FORCE_NOT_NULL cannot be used with COPY TO");
        }
        if self.force_null.given() && !s.is_from {
            bail!(FEATURE_NOT_SUPPORTED, "COPY FORCE_NULL cannot be used with COPY TO");
        }
        if self.format != Format::Binary && self.null.as_bytes().contains(&self.delimiter) {
            bail!(
                INVALID_PARAMETER_VALUE,
                "COPY delimiter character must not appear in the NULL specification"
            );
        }
        if csv && self.null.as_bytes().contains(&self.quote) {
            bail!(INVALID_PARAMETER_VALUE, "CSV quote character must not appear in the NULL specification");
        }
        if let Some(d) = &self.default {
            if !s.is_from {
                bail!(FEATURE_NOT_SUPPORTED, "COPY DEFAULT cannot be used with COPY TO");
            }
            if d.contains(['\r', '\n']) {
                bail!(
                    INVALID_PARAMETER_VALUE,
                    "COPY default representation cannot use newline or carriage return"
                );
            }
            if d.as_bytes().contains(&self.delimiter) {
                bail!(
                    INVALID_PARAMETER_VALUE,
                    "COPY delimiter character must not appear in the DEFAULT specification"
                );
            }
            if csv && d.as_bytes().contains(&self.quote) {
                bail!(
                    INVALID_PARAMETER_VALUE,
                    "CSV quote character must not appear in the DEFAULT specification"
                );
            }
            if *d == self.null {
                bail!(
                    INVALID_PARAMETER_VALUE,
                    "NULL specification and DEFAULT specification cannot be the same"
                );
            }
        }
        if self.freeze && !s.is_from {
            bail!(INVALID_PARAMETER_VALUE, "COPY FREEZE cannot be used with COPY TO");
        }
        if self.reject_limit > 0 && !self.on_error_ignore {
            return Err(err!(
                INVALID_PARAMETER_VALUE,
                "COPY REJECT_LIMIT requires ON_ERROR to be set to IGNORE"
            ));
        }
        Ok(())
    }
}
