//! RAISE, ASSERT, GET DIAGNOSTICS.

use pglite_error::{PgError, PgResult, Severity, SqlState, bail, codes, err};
use pglite_types::{Datum, Oid, oid};

use super::{Exec, stack_lines};
use crate::tree::*;

/// The code of a condition name or of five characters.
fn code_of(condition: &str) -> Option<SqlState> {
    if condition.len() == 5
        && let Some(c) = SqlState::parse(condition)
    {
        return Some(c);
    }
    codes::CONDITIONS.iter().find(|(n, _)| *n == condition).map(|(_, c)| *c)
}

/// What RAISE's USING gave.
#[derive(Default)]
struct Given {
    code: Option<SqlState>,
    condition: Option<String>,
    texts: [Option<String>; 8],
}

const NAMES: [&str; 8] = ["MESSAGE", "DETAIL", "HINT", "COLUMN", "CONSTRAINT", "DATATYPE", "TABLE", "SCHEMA"];

fn slot(o: RaiseOption) -> Option<usize> {
    Some(match o {
        RaiseOption::Errcode => return None,
        RaiseOption::Message => 0,
        RaiseOption::Detail => 1,
        RaiseOption::Hint => 2,
        RaiseOption::Column => 3,
        RaiseOption::Constraint => 4,
        RaiseOption::Datatype => 5,
        RaiseOption::Table => 6,
        RaiseOption::Schema => 7,
    })
}

impl<'h> Exec<'h> {
    pub(super) fn raise(&mut self, r: &'h Raise) -> PgResult<()> {
        let bare = r.condition.is_none() && r.message.is_none() && r.options.is_empty();
        if bare {
            return match self.caught.last() {
                Some(c) => {
                    self.context_done = true;
                    Err(c.error.clone())
                }
                None => Err(err!(
                    STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER,
                    "RAISE without parameters cannot be used outside an exception handler"
                )),
            };
        }
        let mut given = Given::default();
        if let Some(c) = &r.condition {
            given.code = code_of(c);
            given.condition = Some(c.clone());
        }
        if let Some(message) = &r.message {
            given.texts[0] = Some(self.format(message, &r.params)?);
        }
        for (option, e) in &r.options {
            let (v, ty, _) = self.eval(e, None)?;
            if v.is_null() {
                bail!(NULL_VALUE_NOT_ALLOWED, "RAISE statement option cannot be null");
            }
            let text = self.text_of(&v, ty)?;
            match slot(*option) {
                None => {
                    if given.code.is_some() {
                        bail!(SYNTAX_ERROR, "RAISE option already specified: ERRCODE");
                    }
                    let Some(code) = code_of(&text) else {
                        bail!(UNDEFINED_OBJECT, "unrecognized exception condition \"{text}\"");
                    };
                    given.code = Some(code);
                    given.condition = Some(text);
                }
                Some(i) => {
                    if given.texts[i].is_some() {
                        bail!(SYNTAX_ERROR, "RAISE option already specified: {}", NAMES[i]);
                    }
                    given.texts[i] = Some(text);
                }
            }
        }
        let e = report(r.level, given);
        if r.level == RaiseLevel::Exception {
            return Err(e);
        }
        let mut e = e;
        e.fields_mut().context = stack_lines();
        self.surroundings()?.analyze().notice(e);
        Ok(())
    }

    fn format(&mut self, message: &str, params: &'h [Expr]) -> PgResult<String> {
        let mut out = String::with_capacity(message.len());
        let mut next = params.iter();
        let mut chars = message.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            if chars.peek() == Some(&'%') {
                chars.next();
                out.push('%');
                continue;
            }
            let Some(e) = next.next() else {
                return Err(PgError::internal("unexpected RAISE parameter list length"));
            };
            let (v, ty, _) = self.eval(e, None)?;
            match v {
                Datum::Null => out.push_str("<NULL>"),
                v => out.push_str(&self.text_of(&v, ty)?),
            }
        }
        Ok(out)
    }

    pub(super) fn assert(&mut self, cond: &'h Expr, message: Option<&'h Expr>) -> PgResult<()> {
        let on = self.surroundings()?.analyze().setting("plpgsql.check_asserts");
        if matches!(on.as_deref(), Some("off" | "false" | "0" | "no")) {
            return Ok(());
        }
        if self.condition(cond)? {
            return Ok(());
        }
        let mut text = None;
        if let Some(e) = message {
            let (v, ty, _) = self.eval(e, None)?;
            if !v.is_null() {
                text = Some(self.text_of(&v, ty)?);
            }
        }
        Err(PgError::new(codes::ASSERT_FAILURE, text.unwrap_or_else(|| "assertion failed".into())))
    }

    pub(super) fn get_diagnostics(&mut self, stacked: bool, items: &'h [(DiagKind, Dno)]) -> PgResult<()> {
        if stacked && self.caught.is_empty() {
            bail!(
                STACKED_DIAGNOSTICS_ACCESSED_WITHOUT_ACTIVE_HANDLER,
                "GET STACKED DIAGNOSTICS cannot be used outside an exception handler"
            );
        }
        for (kind, dno) in items {
            let (v, ty) = self.diagnostic(*kind);
            self.assign(*dno, v, ty, -1)?;
        }
        Ok(())
    }

    fn diagnostic(&self, kind: DiagKind) -> (Datum, Oid) {
        let fields = self.caught.last().map(|c| c.error.fields());
        let text = |s: Option<String>| (Datum::text(s.unwrap_or_default()), oid::TEXT);
        let field = |f: fn(&pglite_error::Fields) -> Option<String>| text(fields.and_then(f));
        match kind {
            DiagKind::RowCount => (Datum::Int8(self.processed as i64), oid::INT8),
            DiagKind::RoutineOid => (Datum::Oid(self.f.oid), oid::OID),
            DiagKind::Context => text(Some(stack_lines().join("\n"))),
            DiagKind::ErrorContext => {
                let lines = self.caught.last().map(|c| {
                    c.error.fields().context.iter().chain(&c.outer).cloned().collect::<Vec<_>>().join("\n")
                });
                text(lines)
            }
            DiagKind::ErrorDetail => field(|f| f.detail.clone()),
            DiagKind::ErrorHint => field(|f| f.hint.clone()),
            DiagKind::ReturnedSqlstate => field(|f| Some(f.code.as_str().to_string())),
            DiagKind::ColumnName => field(|f| f.column.clone()),
            DiagKind::ConstraintName => field(|f| f.constraint.clone()),
            DiagKind::DatatypeName => field(|f| f.datatype.clone()),
            DiagKind::MessageText => field(|f| Some(f.message.clone())),
            DiagKind::TableName => field(|f| f.table.clone()),
            DiagKind::SchemaName => field(|f| f.schema.clone()),
        }
    }
}

fn report(level: RaiseLevel, mut given: Given) -> PgError {
    let (severity, default) = match level {
        RaiseLevel::Exception => (Severity::Error, codes::RAISE_EXCEPTION),
        RaiseLevel::Warning => (Severity::Warning, codes::WARNING),
        RaiseLevel::Notice => (Severity::Notice, codes::SUCCESSFUL_COMPLETION),
        RaiseLevel::Info => (Severity::Info, codes::SUCCESSFUL_COMPLETION),
        RaiseLevel::Log => (Severity::Log, codes::SUCCESSFUL_COMPLETION),
        RaiseLevel::Debug => (Severity::Debug, codes::SUCCESSFUL_COMPLETION),
    };
    let code = given.code.unwrap_or(default);
    let message =
        given.texts[0].take().or(given.condition.take()).unwrap_or_else(|| code.as_str().to_string());
    let mut e = PgError::with_severity(severity, code, message);
    let f = e.fields_mut();
    let [_, detail, hint, column, constraint, datatype, table, schema] = given.texts;
    f.detail = detail;
    f.hint = hint;
    f.column = column;
    f.constraint = constraint;
    f.datatype = datatype;
    f.table = table;
    f.schema = schema;
    e
}
