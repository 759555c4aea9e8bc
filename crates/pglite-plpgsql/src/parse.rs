//! The PL/pgSQL parser: a function's body to its tree.
//!
//! Works on the SQL lexer's tokens. Variables are known while parsing, because they decide what a statement is. Pieces of
//! SQL are cut out as text and handed to the SQL parser, so that syntax errors come at creation.
//!
//! Invariant: an error's position is an offset in the body; what has none gets a CONTEXT line with the line number.

use std::sync::Arc;

use pglite_analyze::AnalyzeEnv;
use pglite_error::{PgError, PgResult, err};
use pglite_parser::ast::RawStmt;
use pglite_parser::scan::{ScanKind, ScanToken, scan};
use pglite_parser::{ParseMode, ParseOptions};
use pglite_types::Oid;

use crate::tree::*;

mod cursor;
mod declare;
mod loops;
mod simple;
mod sql;
mod stmt;

pub(crate) use declare::type_of;

/// Words that can never be variables.
const RESERVED: &[&str] = &[
    "all", "begin", "by", "case", "declare", "else", "end", "execute", "for", "foreach", "from", "if", "in",
    "into", "loop", "not", "null", "or", "strict", "then", "to", "using", "when", "while",
];

pub(crate) struct Parser<'a> {
    pub src: &'a str,
    pub toks: Vec<ScanToken>,
    pub pos: usize,
    pub env: &'a dyn AnalyzeEnv,
    pub datums: Vec<Decl>,
    pub names: Vec<NsItem>,
    pub top: Option<usize>,
    pub exprs: usize,
    pub conflict: Conflict,
    pub print_strict_params: bool,
    pub kind: FunctionKind,
    pub ret_type: Oid,
    pub ret_set: bool,
    pub ret_record: bool,
    pub out: Option<Dno>,
    /// Check the syntax of SQL pieces (creation).
    pub check: bool,
    pub label_depth: u32,
    pub shadow_warnings: Option<bool>,
    starts: Vec<u32>,
}

/// A variable named by the tokens at hand.
#[derive(Clone, Debug)]
pub(crate) struct DatumRef {
    pub dno: Dno,
    /// Names of the reference, as it was written.
    pub names: usize,
    pub start: u32,
}

impl<'a> Parser<'a> {
    pub fn new(
        src: &'a str,
        env: &'a dyn AnalyzeEnv,
        kind: FunctionKind,
        check: bool,
    ) -> PgResult<Parser<'a>> {
        let toks = scan(src, &options(env, ParseMode::Default))?;
        let starts = std::iter::once(0)
            .chain(src.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1))
            .collect();
        Ok(Parser {
            src,
            toks,
            pos: 0,
            env,
            datums: Vec::new(),
            names: Vec::new(),
            top: None,
            exprs: 0,
            conflict: match env.setting("plpgsql.variable_conflict").as_deref() {
                Some("use_variable") => Conflict::Variable,
                Some("use_column") => Conflict::Column,
                _ => Conflict::Error,
            },
            print_strict_params: matches!(
                env.setting("plpgsql.print_strict_params").as_deref(),
                Some("on" | "true" | "1" | "yes")
            ),
            kind,
            ret_type: Oid::INVALID,
            ret_set: false,
            ret_record: false,
            out: None,
            check,
            label_depth: 0,
            shadow_warnings: None,
            starts,
        })
    }

    // ---- tokens ---------------------------------------------------------------------------------------------

    pub fn tok(&self) -> Option<&ScanToken> {
        self.toks.get(self.pos)
    }
    pub fn tok_at(&self, ahead: usize) -> Option<&ScanToken> {
        self.toks.get(self.pos + ahead)
    }
    pub fn text(&self, t: &ScanToken) -> &'a str {
        &self.src[t.start as usize..t.end as usize]
    }
    pub fn here(&self) -> u32 {
        self.tok().map_or(self.src.len() as u32, |t| t.start)
    }
    /// The word of an unquoted name or keyword `ahead` tokens on.
    pub fn word_at(&self, ahead: usize) -> Option<&str> {
        match &self.tok_at(ahead)?.kind {
            ScanKind::Ident { name, quoted: false } => Some(name),
            ScanKind::Keyword(k) => Some(k),
            _ => None,
        }
    }
    pub fn is_word(&self, w: &str) -> bool {
        self.word_at(0) == Some(w)
    }
    pub fn is_symbol_at(&self, ahead: usize, s: &str) -> bool {
        self.tok_at(ahead).is_some_and(|t| t.kind == ScanKind::Symbol && self.text(t) == s)
    }
    pub fn is_symbol(&self, s: &str) -> bool {
        self.is_symbol_at(0, s)
    }
    pub fn take_word(&mut self, w: &str) -> bool {
        let found = self.is_word(w);
        self.pos += usize::from(found);
        found
    }
    pub fn take_symbol(&mut self, s: &str) -> bool {
        let found = self.is_symbol(s);
        self.pos += usize::from(found);
        found
    }
    pub fn expect_word(&mut self, w: &str) -> PgResult<()> {
        if self.take_word(w) { Ok(()) } else { Err(self.syntax()) }
    }
    pub fn expect_symbol(&mut self, s: &str) -> PgResult<()> {
        if self.take_symbol(s) { Ok(()) } else { Err(self.syntax()) }
    }
    /// Any name: an identifier, or a word that is not reserved.
    pub fn name_at(&self, ahead: usize) -> Option<String> {
        match &self.tok_at(ahead)?.kind {
            ScanKind::Ident { name, .. } => {
                let quoted = matches!(&self.tok_at(ahead)?.kind, ScanKind::Ident { quoted: true, .. });
                (quoted || !RESERVED.contains(&name.as_str())).then(|| name.clone())
            }
            ScanKind::Keyword(k) => (!RESERVED.contains(k)).then(|| k.to_string()),
            _ => None,
        }
    }
    pub fn take_name(&mut self) -> PgResult<String> {
        match self.name_at(0) {
            Some(n) => {
                self.pos += 1;
                Ok(n)
            }
            None => Err(self.syntax()),
        }
    }
    pub fn line_of(&self, at: u32) -> u32 {
        self.starts.partition_point(|s| *s <= at) as u32
    }
    pub fn line(&self) -> u32 {
        self.line_of(self.here())
    }

    // ---- errors ---------------------------------------------------------------------------------------------

    /// `<message> at or near "token"`.
    pub fn near(&self, message: &str) -> PgError {
        self.near_at(message, self.pos)
    }
    pub fn near_at(&self, message: &str, pos: usize) -> PgError {
        match self.toks.get(pos) {
            Some(t) => {
                PgError::syntax(format!("{message} at or near \"{}\"", self.text(t))).at(t.start as i32)
            }
            None => PgError::syntax(format!("{message} at end of input")).at(self.src.len() as i32),
        }
    }
    pub fn syntax(&self) -> PgError {
        self.near("syntax error")
    }

    // ---- names ----------------------------------------------------------------------------------------------

    pub fn push_ns(&mut self, kind: NsKind, name: &str) {
        self.names.push(NsItem { kind, dno: 0, name: name.to_string(), prev: self.top });
        self.top = Some(self.names.len() - 1);
    }
    pub fn pop_ns(&mut self) {
        let mut at = self.top;
        while let Some(i) = at {
            at = self.names[i].prev;
            if matches!(self.names[i].kind, NsKind::BlockLabel | NsKind::LoopLabel) {
                break;
            }
        }
        self.top = at;
    }
    pub fn add_name(&mut self, kind: NsKind, dno: Dno, name: &str) {
        self.names.push(NsItem { kind, dno, name: name.to_string(), prev: self.top });
        self.top = Some(self.names.len() - 1);
    }

    /// Makes a variable and puts its name in scope.
    pub fn variable(&mut self, name: &str, line: u32, ty: PlType, visible: bool) -> PgResult<Dno> {
        if ty.class == TypeClass::Pseudo {
            return Err(err!(FEATURE_NOT_SUPPORTED, "variable \"{name}\" has pseudo-type {}", ty.name));
        }
        let is_record = ty.class == TypeClass::Record;
        let dno = self.datums.len();
        self.datums.push(Decl::Var(Box::new(VarDecl {
            name: name.to_string(),
            line,
            ty,
            constant: false,
            not_null: false,
            default: None,
            cursor: None,
            is_record,
        })));
        if visible {
            self.add_name(if is_record { NsKind::Record } else { NsKind::Var }, dno, name);
        }
        Ok(dno)
    }
    pub fn var_mut(&mut self, dno: Dno) -> PgResult<&mut VarDecl> {
        match &mut self.datums[dno] {
            Decl::Var(v) => Ok(v),
            _ => Err(PgError::internal("not a variable")),
        }
    }
    pub fn row(&mut self, line: u32, fields: Vec<(String, Dno)>) -> Dno {
        self.datums.push(Decl::Row { name: "(unnamed row)".into(), line, fields });
        self.datums.len() - 1
    }
    /// The datum of a record's field.
    pub fn field(&mut self, record: Dno, name: &str) -> Dno {
        let known = self
            .datums
            .iter()
            .position(|d| matches!(d, Decl::Field { record: r, name: n } if *r == record && n == name));
        known.unwrap_or_else(|| {
            self.datums.push(Decl::Field { record, name: name.to_string() });
            self.datums.len() - 1
        })
    }

    /// The dotted name at token `at`: its parts and how many tokens it has.
    fn dotted(&self, at: usize) -> Option<(Vec<String>, usize)> {
        let first = self.name_from(at)?;
        let mut parts = vec![first];
        let mut n = 1;
        while parts.len() < 3
            && self.toks.get(at + n).is_some_and(|t| t.kind == ScanKind::Symbol && self.text(t) == ".")
        {
            match self.name_from(at + n + 1) {
                Some(p) => parts.push(p),
                None => break,
            }
            n += 2;
        }
        Some((parts, n))
    }
    fn name_from(&self, at: usize) -> Option<String> {
        match &self.toks.get(at)?.kind {
            ScanKind::Ident { name, quoted } => {
                (*quoted || !RESERVED.contains(&name.as_str())).then(|| name.clone())
            }
            ScanKind::Keyword(k) => (!RESERVED.contains(k)).then(|| k.to_string()),
            ScanKind::Param(n) => Some(format!("${n}")),
            _ => None,
        }
    }

    /// The variable that the tokens at `at` name, and the number of tokens. Makes field datums as they are met.
    pub fn datum_at(&mut self, at: usize) -> Option<(DatumRef, usize)> {
        let (parts, n) = self.dotted(at)?;
        let start = self.toks[at].start;
        let p = |i: usize| parts.get(i).map(String::as_str);
        let (item, used) = lookup(&self.names, self.top, false, &parts[0], p(1), p(2))?;
        let (kind, dno) = (item.kind, item.dno);
        let found = |dno, names| DatumRef { dno, names, start };
        match kind {
            NsKind::Var => (used == parts.len()).then(|| (found(dno, used), n)),
            NsKind::Record if used == parts.len() => Some((found(dno, used), n)),
            NsKind::Record => {
                let field = self.field(dno, &parts[used]);
                Some((found(field, used + 1), 2 * used + 1))
            }
            _ => None,
        }
    }

    /// Takes a variable, if one is named here.
    pub fn take_datum(&mut self) -> Option<DatumRef> {
        let (d, n) = self.datum_at(self.pos)?;
        self.pos += n;
        Some(d)
    }

    /// What an expression's tokens say: fields of records get their datums in order of appearance.
    fn note_fields(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let n = match self.dotted(at) {
                Some((parts, n)) if parts.len() > 1 => {
                    self.datum_at(at);
                    n
                }
                _ => 1,
            };
            at += n;
        }
    }

    // ---- SQL pieces -----------------------------------------------------------------------------------------

    /// Makes an expression of a text cut from the body at `start`.
    pub fn make_expr(&mut self, text: String, start: u32, mode: ParseMode) -> PgResult<Expr> {
        let raw = self.parse_sql(&text, start, mode)?;
        self.exprs += 1;
        Ok(Expr { id: self.exprs - 1, text: text.into(), mode, ns: self.top, raw })
    }

    fn parse_sql(&self, text: &str, start: u32, mode: ParseMode) -> PgResult<Option<Arc<RawStmt>>> {
        match pglite_parser::parse(text, &options(self.env, mode)) {
            Ok(parsed) => {
                parsed.notices.into_iter().for_each(|n| self.env.notice(n));
                Ok(parsed.stmts.into_iter().next().map(Arc::new))
            }
            Err(mut e) if self.check => {
                let f = e.fields_mut();
                f.position = f.position.map(|p| p + start);
                Err(e)
            }
            Err(_) => Ok(None),
        }
    }

    /// Reads SQL up to one of the terminators (words or symbols) at the outer level; the terminator stays.
    /// `expected` is what a "missing" error names.
    pub fn sql_until(&mut self, ends: &[&str], expected: &str, mode: ParseMode) -> PgResult<Expr> {
        let from = self.pos;
        let start = self.here();
        let is_expr = mode != ParseMode::Default;
        let mut depth = 0i32;
        loop {
            let Some(t) = self.tok() else {
                if depth != 0 {
                    return Err(self.near("mismatched parentheses"));
                }
                return Err(missing(self, expected, is_expr));
            };
            let text = self.text(t);
            if depth == 0 && self.ends_here(ends) {
                break;
            }
            if t.kind == ScanKind::Symbol {
                match text {
                    "(" | "[" => depth += 1,
                    ")" | "]" => {
                        depth -= 1;
                        if depth < 0 {
                            return Err(self.near("mismatched parentheses"));
                        }
                    }
                    ";" => {
                        if depth != 0 {
                            return Err(self.near("mismatched parentheses"));
                        }
                        return Err(missing(self, expected, is_expr));
                    }
                    _ => {}
                }
            }
            self.pos += 1;
        }
        if self.pos == from {
            return Err(self.near(if is_expr { "missing expression" } else { "missing SQL statement" }));
        }
        // Comments between the last token and the terminator are no part of the text.
        let text = self.src[start as usize..self.toks[self.pos - 1].end as usize].to_string();
        self.note_fields(from, self.pos);
        self.make_expr(text, start, mode)
    }

    fn ends_here(&self, ends: &[&str]) -> bool {
        ends.iter()
            .any(|e| if e.as_bytes()[0].is_ascii_alphabetic() { self.is_word(e) } else { self.is_symbol(e) })
    }

    /// An expression up to `end`, which is taken.
    pub fn expr_to(&mut self, end: &str) -> PgResult<Expr> {
        let e = self.sql_until(&[end], end, ParseMode::PlpgsqlExpr)?;
        self.pos += 1;
        Ok(e)
    }
}

fn missing(p: &Parser<'_>, expected: &str, is_expr: bool) -> PgError {
    let expected = if expected.as_bytes()[0].is_ascii_alphabetic() {
        expected.to_ascii_uppercase()
    } else {
        expected.to_string()
    };
    let what = if is_expr { "expression" } else { "statement" };
    p.near(&format!("missing \"{expected}\" at end of SQL {what}"))
}

pub(crate) fn options(env: &dyn AnalyzeEnv, mode: ParseMode) -> ParseOptions {
    ParseOptions {
        mode,
        standard_conforming_strings: env.setting("standard_conforming_strings").as_deref() != Some("off"),
        escape_string_warning: false,
        ..ParseOptions::default()
    }
}
