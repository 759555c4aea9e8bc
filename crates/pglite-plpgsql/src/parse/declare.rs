//! DECLARE sections, and data types.

use pglite_analyze::{AnalyzeEnv, resolve_collation, resolve_type_name};
use pglite_catalog::format_type;
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ParseMode;
use pglite_parser::scan::ScanKind;
use pglite_types::{Oid, oid};

use super::Parser;
use crate::tree::*;

/// How a type behaves in variables.
pub(crate) fn type_of(
    env: &dyn AnalyzeEnv,
    ty: Oid,
    typmod: i32,
    collation: Option<Oid>,
) -> PgResult<PlType> {
    let s = env.catalog();
    let Some(row) = s.type_by_oid(ty) else { bail!(UNDEFINED_OBJECT, "cache lookup failed for type {ty}") };
    let name = format_type::format_type_be(s, env.search_path(), ty);
    if !row.typisdefined {
        return Err(err!(UNDEFINED_OBJECT, "type \"{}\" is only a shell", row.typname));
    }
    let class = match row.typtype {
        b'c' => TypeClass::Record,
        b'd' => match s.type_by_oid(s.base_type(ty)).map(|b| b.typtype) {
            Some(b'c') => TypeClass::Record,
            _ => TypeClass::Scalar,
        },
        b'p' if ty == oid::RECORD => TypeClass::Record,
        b'p' => TypeClass::Pseudo,
        _ => TypeClass::Scalar,
    };
    let own = row.typcollation;
    Ok(PlType {
        name,
        oid: ty,
        typmod,
        collation: if own.is_valid() {
            collation.filter(|c| c.is_valid()).unwrap_or(own)
        } else {
            Oid::INVALID
        },
        class,
        domain: row.typtype == b'd',
    })
}

impl Parser<'_> {
    /// DECLARE ...; returns the variables to initialise on entry.
    pub(super) fn declarations(&mut self) -> PgResult<Vec<Dno>> {
        let first = self.datums.len();
        loop {
            if self.take_word("declare") {
                continue;
            }
            if self.is_symbol("<<") {
                return Err(PgError::syntax("block label must be placed before DECLARE, not after")
                    .at(self.here() as i32));
            }
            if self.is_word("begin") || self.tok().is_none() {
                break;
            }
            self.declaration()?;
        }
        Ok((first..self.datums.len())
            .filter(|d| self.datums[*d].var().is_some_and(|v| !v.name.starts_with('\u{1}')))
            .collect())
    }

    fn declaration(&mut self) -> PgResult<()> {
        let line = self.line();
        let start = self.pos;
        let name = self.take_name()?;
        if lookup(&self.names, self.top, true, &name, None, None).is_some() {
            return Err(self.near_at("duplicate declaration", start));
        }
        self.warn_shadow(&name, start)?;
        if self.take_word("alias") {
            self.expect_word("for")?;
            return self.alias(&name);
        }
        if self.is_word("cursor")
            || (self.is_word("scroll") && self.word_at(1) == Some("cursor"))
            || (self.is_word("no") && self.word_at(1) == Some("scroll"))
        {
            return self.bound_cursor(&name, line);
        }
        let constant = self.take_word("constant");
        let mut ty = self.datatype(&[])?;
        if self.take_word("collate") {
            let at = self.here() as i32;
            let mut names = vec![self.take_name()?];
            while self.take_symbol(".") {
                names.push(self.take_name()?);
            }
            let collation = resolve_collation(self.env, &names, at)?;
            if !ty.collation.is_valid() {
                return Err(
                    err!(DATATYPE_MISMATCH, "collations are not supported by type {}", ty.name).at(at)
                );
            }
            ty.collation = collation;
        }
        let not_null = self.is_word("not");
        let not_null_at = self.here() as i32;
        if not_null {
            self.pos += 1;
            self.expect_word("null")?;
        }
        let default = if self.take_symbol(":=") || self.take_symbol("=") || self.take_word("default") {
            Some(self.expr_to(";")?)
        } else {
            self.expect_symbol(";")?;
            None
        };
        let at = self.toks[start].start as i32;
        if not_null && default.is_none() {
            return Err(err!(
                NULL_VALUE_NOT_ALLOWED,
                "variable \"{name}\" must have a default value, since it's declared NOT NULL"
            )
            .at(not_null_at));
        }
        let dno = self.variable(&name, line, ty, true).map_err(|e| e.at_if_unset(at).without_position())?;
        let v = self.var_mut(dno)?;
        v.constant = constant;
        v.not_null = not_null;
        v.default = default;
        Ok(())
    }

    fn warn_shadow(&mut self, name: &str, tok: usize) -> PgResult<()> {
        let Some(as_error) = self.shadow_warnings else { return Ok(()) };
        if lookup(&self.names, self.top, false, name, None, None).is_none() {
            return Ok(());
        }
        let e = err!(DUPLICATE_ALIAS, "variable \"{name}\" shadows a previously defined variable")
            .at(self.toks[tok].start as i32);
        if as_error {
            return Err(e);
        }
        self.env.notice(e.severity(pglite_error::Severity::Warning));
        Ok(())
    }

    fn alias(&mut self, name: &str) -> PgResult<()> {
        let at = self.pos;
        // $n is a parameter's name as well.
        if let Some(t) = self.tok()
            && let ScanKind::Param(_) = t.kind
        {
            let text = self.text(t).to_string();
            let found = lookup(&self.names, self.top, false, &text, None, None).map(|(i, _)| (i.kind, i.dno));
            let Some((kind, dno)) = found else {
                return Err(
                    err!(UNDEFINED_OBJECT, "variable \"{text}\" does not exist").at(self.here() as i32)
                );
            };
            self.pos += 1;
            self.expect_symbol(";")?;
            self.add_name(kind, dno, name);
            return Ok(());
        }
        let first = self.take_name()?;
        let second = if self.take_symbol(".") { Some(self.take_name()?) } else { None };
        let found = lookup(&self.names, self.top, false, &first, second.as_deref(), None)
            .filter(|(_, used)| *used == 1 + usize::from(second.is_some()))
            .map(|(i, _)| (i.kind, i.dno));
        let Some((kind, dno)) = found else {
            let shown = second.map_or(first.clone(), |s| format!("{first}.{s}"));
            return Err(
                err!(UNDEFINED_OBJECT, "variable \"{shown}\" does not exist").at(self.toks[at].start as i32)
            );
        };
        self.expect_symbol(";")?;
        self.add_name(kind, dno, name);
        Ok(())
    }

    /// A data type; stops before what can follow one. `more`: further ends.
    pub(super) fn datatype(&mut self, more: &[&str]) -> PgResult<PlType> {
        let from = self.pos;
        if let Some((ty, n)) = self.copied_type()? {
            self.pos += n;
            return self.array_decoration(ty);
        }
        let mut depth = 0;
        loop {
            let Some(t) = self.tok() else {
                let what =
                    if depth != 0 { "mismatched parentheses" } else { "incomplete data type declaration" };
                return Err(self.near(what));
            };
            let text = self.text(t);
            if t.kind == ScanKind::Symbol {
                match text {
                    ";" | ":=" | "=" => break,
                    "," | ")" if depth == 0 => break,
                    "(" => depth += 1,
                    ")" => depth -= 1,
                    _ => {}
                }
            }
            if matches!(self.word_at(0), Some("collate" | "not" | "default"))
                || self.word_at(0).is_some_and(|w| more.contains(&w))
            {
                break;
            }
            self.pos += 1;
        }
        if self.pos == from {
            return Err(self.near("missing data type declaration"));
        }
        let (start, end) = (self.toks[from].start, self.toks[self.pos - 1].end);
        let text = &self.src[start as usize..end as usize];
        let shift = |mut e: PgError| {
            let f = e.fields_mut();
            f.position = Some(f.position.unwrap_or(0) + start);
            f.context.clear();
            e
        };
        let parsed = pglite_parser::parse_type_name(text).map_err(|_| {
            // The type's own parser keeps no position: the error is at its second token, where a type name cannot go on.
            let at = if self.pos - from > 1 { from + 1 } else { from };
            self.near_at("syntax error", at)
        })?;
        if parsed.setof {
            return Err(self.near_at("syntax error", from));
        }
        let (ty, typmod) = resolve_type_name(self.env, &parsed).map_err(shift)?;
        type_of(self.env, ty, typmod, None)
    }

    /// `name%TYPE` and `name%ROWTYPE`.
    fn copied_type(&mut self) -> PgResult<Option<(PlType, usize)>> {
        let Some((parts, _)) = self.dotted(self.pos) else { return Ok(None) };
        let mut parts = parts;
        let mut n = 2 * parts.len() - 1;
        // A fourth part: database.schema.table.column.
        while self.is_symbol_at(n, ".")
            && let Some(p) = self.name_at(n + 1)
        {
            parts.push(p);
            n += 2;
        }
        if !self.is_symbol_at(n, "%") {
            return Ok(None);
        }
        let at = self.here() as i32;
        match self.word_at(n + 1) {
            Some("type") => Ok(Some((self.type_like(&parts, at)?, n + 2))),
            Some("rowtype") => Ok(Some((self.rowtype(&parts, at)?, n + 2))),
            _ => Ok(None),
        }
    }

    fn type_like(&mut self, parts: &[String], at: i32) -> PgResult<PlType> {
        let p = |i: usize| parts.get(i).map(String::as_str);
        if parts.len() <= 3
            && let Some((item, used)) = lookup(&self.names, self.top, false, &parts[0], p(1), p(2))
            && used == parts.len()
            && matches!(item.kind, NsKind::Var | NsKind::Record)
            && let Some(v) = self.datums[item.dno].var()
        {
            return Ok(v.ty.clone());
        }
        if let [name] = parts {
            return Err(err!(UNDEFINED_OBJECT, "variable \"{name}\" does not exist").without_position());
        }
        let (column, table) = (&parts[parts.len() - 1], &parts[..parts.len() - 1]);
        let rel = self.relation(table)?;
        let Some(col) = rel.column(column) else {
            return Err(err!(
                UNDEFINED_COLUMN,
                "column \"{column}\" of relation \"{}\" does not exist",
                rel.name
            )
            .at(at)
            .without_position());
        };
        type_of(self.env, col.type_oid, col.typmod, Some(col.collation))
    }

    fn rowtype(&mut self, parts: &[String], at: i32) -> PgResult<PlType> {
        let _ = at;
        let rel = self.relation(parts)?;
        if !rel.row_type.is_valid() {
            bail!(WRONG_OBJECT_TYPE, "relation \"{}\" does not have a composite type", rel.name);
        }
        type_of(self.env, rel.row_type, -1, None)
    }

    fn relation(&self, parts: &[String]) -> PgResult<std::sync::Arc<pglite_catalog::RelDesc>> {
        let s = self.env.catalog();
        let (schema, name) = match parts {
            [name] => (None, name),
            [schema, name] => (Some(schema), name),
            [_, schema, name] => (Some(schema), name),
            _ => bail!(SYNTAX_ERROR, "improper relation name (too many dotted names): {}", parts.join(".")),
        };
        if let [db, ..] = parts
            && parts.len() == 3
            && *db != self.env.database_name()
        {
            bail!(
                FEATURE_NOT_SUPPORTED,
                "cross-database references are not implemented: \"{}\"",
                parts.join(".")
            );
        }
        if let Some(schema) = schema {
            self.env.search_path().namespace(s, schema)?;
        }
        let class = self.env.search_path().relation(s, schema.map(String::as_str), name)?;
        s.rel(class.oid).ok_or_else(|| err!(UNDEFINED_TABLE, "relation \"{name}\" does not exist"))
    }

    fn array_decoration(&mut self, ty: PlType) -> PgResult<PlType> {
        let mut is_array = false;
        loop {
            if self.take_word("array") {
                is_array = true;
            } else if self.is_symbol("[") {
                is_array = true;
                self.pos += 1;
                if matches!(self.tok().map(|t| &t.kind), Some(ScanKind::Integer(_))) {
                    self.pos += 1;
                }
                self.expect_symbol("]")?;
            } else {
                break;
            }
        }
        if !is_array {
            return Ok(ty);
        }
        let s = self.env.catalog();
        // PG: an array of arrays is the same array type.
        if s.element_type(s.base_type(ty.oid)).is_some() && !ty.domain {
            return Ok(ty);
        }
        let Some(array) = s.array_type(ty.oid) else {
            bail!(UNDEFINED_OBJECT, "could not find array type for data type {}", ty.name);
        };
        type_of(self.env, array, ty.typmod, Some(ty.collation))
    }

    /// A bound cursor's declaration, from SCROLL or CURSOR on.
    fn bound_cursor(&mut self, name: &str, line: u32) -> PgResult<()> {
        let scroll = self.scroll_option()?;
        self.expect_word("cursor")?;
        // The arguments are visible in the query alone.
        self.push_ns(NsKind::BlockLabel, "");
        let mut args = Vec::new();
        let has_args = self.take_symbol("(");
        if has_args {
            loop {
                let arg_line = self.line();
                let arg_at = self.pos;
                let arg = self.take_name()?;
                if lookup(&self.names, self.top, true, &arg, None, None).is_some() {
                    return Err(self.near_at("duplicate declaration", arg_at));
                }
                self.warn_shadow(&arg, arg_at)?;
                let ty = self.datatype(&[])?;
                let dno = self.variable(&arg, arg_line, ty, true)?;
                // Arguments have no initialisation of their own.
                args.push((arg, dno));
                if !self.take_symbol(",") {
                    break;
                }
            }
            self.expect_symbol(")")?;
            let fields = args.clone();
            self.row(line, fields);
        }
        if !self.take_word("is") {
            self.expect_word("for")?;
        }
        let query = self.sql_until(&[";"], ";", ParseMode::Default)?;
        self.pos += 1;
        self.pop_ns();
        let ty = type_of(self.env, oid::REFCURSOR, -1, None)?;
        let dno = self.variable(name, line, ty, true)?;
        let v = self.var_mut(dno)?;
        v.cursor = Some(CursorDecl { query, args, has_args, scroll });
        Ok(())
    }

    pub(super) fn scroll_option(&mut self) -> PgResult<Option<bool>> {
        if self.take_word("no") {
            self.expect_word("scroll")?;
            return Ok(Some(false));
        }
        Ok(self.take_word("scroll").then_some(true))
    }
}

/// Errors that PostgreSQL raises without a position.
pub(super) trait WithoutPosition {
    fn without_position(self) -> Self;
}

impl WithoutPosition for PgError {
    fn without_position(mut self) -> PgError {
        self.fields_mut().position = None;
        self
    }
}
