//! `PgError`: what every layer returns when a statement fails.
//!
//! SQLSTATE, position, detail and hint are chosen where the error is raised, in PostgreSQL's words; no layer
//! above translates. Notices travel as the same type with another [`Severity`].
//!
//! Invariant: `position` is a 0-based *byte* offset into the statement's source text; the server turns it into the
//! 1-based character position of the wire protocol.

pub mod codes;

use std::fmt;

pub type PgResult<T> = Result<T, PgError>;

/// A five-character SQLSTATE.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SqlState(pub [u8; 5]);

impl SqlState {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XX000")
    }
    /// Parses a five-character code of digits and upper-case letters.
    pub fn parse(code: &str) -> Option<SqlState> {
        let bytes: [u8; 5] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()).then_some(SqlState(bytes))
    }
}

impl fmt::Debug for SqlState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// PostgreSQL's message levels, least severe first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Debug,
    Log,
    Info,
    Notice,
    Warning,
    Error,
    Fatal,
    Panic,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Debug => "DEBUG",
            Severity::Log => "LOG",
            Severity::Info => "INFO",
            Severity::Notice => "NOTICE",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
            Severity::Fatal => "FATAL",
            Severity::Panic => "PANIC",
        }
    }
}

/// An error or notice. Boxed, so that `PgResult<T>` stays one word larger than `T`.
#[derive(Clone)]
pub struct PgError(Box<Fields>);

/// The fields of the wire protocol's ErrorResponse and NoticeResponse.
#[derive(Clone, Debug)]
pub struct Fields {
    pub severity: Severity,
    pub code: SqlState,
    pub message: String,
    pub detail: Option<String>,
    pub hint: Option<String>,
    /// 0-based byte offset into the statement's text.
    pub position: Option<u32>,
    /// 0-based byte offset into `internal_query`.
    pub internal_position: Option<u32>,
    pub internal_query: Option<String>,
    /// Context lines, innermost first.
    pub context: Vec<String>,
    pub schema: Option<String>,
    pub table: Option<String>,
    pub column: Option<String>,
    pub datatype: Option<String>,
    pub constraint: Option<String>,
}

impl PgError {
    pub fn new(code: SqlState, message: impl Into<String>) -> PgError {
        PgError::with_severity(Severity::Error, code, message)
    }
    pub fn with_severity(severity: Severity, code: SqlState, message: impl Into<String>) -> PgError {
        PgError(Box::new(Fields {
            severity,
            code,
            message: message.into(),
            detail: None,
            hint: None,
            position: None,
            internal_position: None,
            internal_query: None,
            context: Vec::new(),
            schema: None,
            table: None,
            column: None,
            datatype: None,
            constraint: None,
        }))
    }
    /// XX000: a broken invariant of ours, never the user's fault.
    pub fn internal(message: impl Into<String>) -> PgError {
        PgError::new(codes::INTERNAL_ERROR, message)
    }
    /// 0A000 `feature_not_supported`.
    pub fn unsupported(message: impl Into<String>) -> PgError {
        PgError::new(codes::FEATURE_NOT_SUPPORTED, message)
    }
    pub fn syntax(message: impl Into<String>) -> PgError {
        PgError::new(codes::SYNTAX_ERROR, message)
    }
    /// 22P02 as every input function raises it.
    pub fn invalid_input(type_name: &str, input: &str) -> PgError {
        PgError::new(
            codes::INVALID_TEXT_REPRESENTATION,
            format!("invalid input syntax for type {type_name}: \"{input}\""),
        )
    }
    pub fn notice(message: impl Into<String>) -> PgError {
        PgError::with_severity(Severity::Notice, codes::SUCCESSFUL_COMPLETION, message)
    }
    pub fn warning(code: SqlState, message: impl Into<String>) -> PgError {
        PgError::with_severity(Severity::Warning, code, message)
    }
    pub fn detail(mut self, text: impl Into<String>) -> PgError {
        self.0.detail = Some(text.into());
        self
    }
    pub fn hint(mut self, text: impl Into<String>) -> PgError {
        self.0.hint = Some(text.into());
        self
    }
    /// Sets the byte offset of the error cursor; a negative location (PostgreSQL's "unknown") sets none.
    pub fn at(mut self, location: i32) -> PgError {
        if location >= 0 {
            self.0.position = Some(location as u32);
        }
        self
    }
    /// Like [`at`](Self::at), but keeps a position that is already there.
    pub fn at_if_unset(self, location: i32) -> PgError {
        if self.0.position.is_some() { self } else { self.at(location) }
    }
    /// Appends one CONTEXT line (outermost last).
    pub fn context(mut self, line: impl Into<String>) -> PgError {
        self.0.context.push(line.into());
        self
    }
    pub fn table(mut self, schema: impl Into<String>, table: impl Into<String>) -> PgError {
        self.0.schema = Some(schema.into());
        self.0.table = Some(table.into());
        self
    }
    pub fn column(mut self, column: impl Into<String>) -> PgError {
        self.0.column = Some(column.into());
        self
    }
    pub fn constraint(mut self, constraint: impl Into<String>) -> PgError {
        self.0.constraint = Some(constraint.into());
        self
    }
    pub fn datatype(mut self, datatype: impl Into<String>) -> PgError {
        self.0.datatype = Some(datatype.into());
        self
    }
    pub fn severity(mut self, severity: Severity) -> PgError {
        self.0.severity = severity;
        self
    }
    pub fn code(&self) -> SqlState {
        self.0.code
    }
    pub fn message(&self) -> &str {
        &self.0.message
    }
    pub fn fields(&self) -> &Fields {
        &self.0
    }
    pub fn fields_mut(&mut self) -> &mut Fields {
        &mut self.0
    }
}

impl fmt::Debug for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for PgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.0.severity.as_str(), self.0.message, self.0.code.as_str())
    }
}

impl std::error::Error for PgError {}

/// `bail!(CODE, "format", args...)`: returns an error from the enclosing function.
#[macro_export]
macro_rules! bail {
    ($code:ident, $($arg:tt)+) => {
        return Err($crate::PgError::new($crate::codes::$code, format!($($arg)+)))
    };
}

/// `err!(CODE, "format", args...)`: builds an error to decorate further.
#[macro_export]
macro_rules! err {
    ($code:ident, $($arg:tt)+) => {
        $crate::PgError::new($crate::codes::$code, format!($($arg)+))
    };
}
