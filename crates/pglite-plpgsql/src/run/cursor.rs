//! OPEN, FETCH, MOVE, CLOSE.

use std::sync::Arc;

use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ParseMode;
use pglite_types::{Datum, oid};

use super::Exec;
use super::sql::attrs_of;
use crate::expr::{Compiled, Want, in_text};
use crate::host::{FetchTo, OpenCursor};
use crate::tree::*;

impl<'h> Exec<'h> {
    /// The portal name a cursor variable holds.
    fn cursor_name(&self, dno: Dno) -> Option<String> {
        self.vals[dno].as_str().map(str::to_string)
    }

    /// Whether the session made the name.
    pub(super) fn unnamed_cursor(&self, dno: Dno) -> bool {
        self.vals[dno].as_str().is_some_and(|n| n.starts_with("<unnamed portal "))
    }

    #[allow(clippy::too_many_arguments)]
    fn open_plan(
        &mut self,
        cursor: Dno,
        c: &Compiled,
        text: &Arc<str>,
        mode: ParseMode,
        params: Option<Arc<[Datum]>>,
        scroll: Option<bool>,
        pinned: bool,
    ) -> PgResult<String> {
        let Compiled::Query(q) = c else {
            return Err(err!(INVALID_CURSOR_DEFINITION, "cannot open utility statement as cursor"));
        };
        let [plan] = &q.plans[..] else {
            return Err(err!(INVALID_CURSOR_DEFINITION, "cannot open multi-query plan as cursor"));
        };
        if !q.returns_rows {
            bail!(INVALID_CURSOR_DEFINITION, "cannot open INSERT query as cursor");
        }
        let params = match params {
            Some(p) => p,
            None => self.params(&q.params)?,
        };
        let name = self.cursor_name(cursor);
        let opened = self.host.open_cursor(OpenCursor {
            name: name.as_deref(),
            source: text,
            plan: plan.clone(),
            params,
            scroll,
            pinned,
        });
        let opened = opened.map_err(|e| match e.code() {
            pglite_error::codes::DUPLICATE_CURSOR => e,
            _ => in_text(e, text, mode),
        })?;
        if name.is_none() {
            self.set_cursor(cursor, &opened)?;
        }
        self.changed();
        Ok(opened)
    }

    fn set_cursor(&mut self, cursor: Dno, name: &str) -> PgResult<()> {
        if let Some(v) = self.f.datums[cursor].var()
            && v.constant
        {
            bail!(ERROR_IN_ASSIGNMENT, "variable \"{}\" is declared CONSTANT", v.name);
        }
        self.assign(cursor, Datum::text(name), oid::TEXT, -1)
    }

    fn in_use(&self, cursor: Dno) -> PgResult<()> {
        if let Some(name) = self.cursor_name(cursor)
            && self.host.fetch_cursor(&name, FetchTo::Relative(0)).ok().flatten().is_some()
        {
            bail!(DUPLICATE_CURSOR, "cursor \"{name}\" already in use");
        }
        Ok(())
    }

    /// Opens a bound cursor with its arguments.
    pub(super) fn open_bound(
        &mut self,
        cursor: Dno,
        args: Option<&'h Expr>,
        pinned: bool,
    ) -> PgResult<String> {
        self.in_use(cursor)?;
        let Some(decl) = self.f.datums[cursor].var().and_then(|v| v.cursor.as_ref()) else {
            return Err(PgError::internal("not a bound cursor"));
        };
        if let Some(e) = args {
            let (out, _) = self.run_cursor_args(e)?;
            for ((_, dno), (v, c)) in decl.args.iter().zip(out.0.into_iter().zip(out.1)) {
                self.assign(*dno, v, c.0, c.1)?;
            }
        }
        let scroll = decl.scroll;
        let plan = self.plan(&decl.query, Want::Cursor { scroll: scroll == Some(true) })?;
        self.open_plan(cursor, &plan, &decl.query.text, decl.query.mode, None, scroll, pinned)
    }

    #[allow(clippy::type_complexity)]
    fn run_cursor_args(
        &mut self,
        e: &'h Expr,
    ) -> PgResult<((Vec<Datum>, Vec<(pglite_types::Oid, i32)>), ())> {
        let (out, _) = self.run_statement(e, 2)?;
        let types = out.columns.iter().map(|c| (c.ty, c.typmod)).collect();
        let row = out.rows.into_iter().next().unwrap_or_default();
        Ok(((row, types), ()))
    }

    pub(super) fn open(&mut self, s: &'h StmtKind) -> PgResult<()> {
        let StmtKind::Open { cursor, query, dynamic, args, scroll } = s else { return Ok(()) };
        if let Some((e, using)) = dynamic {
            self.in_use(*cursor)?;
            let text = self.dynamic_text(e)?;
            let (types, values) = self.using(using)?;
            let mut list = self.prepare_dynamic(&text, &types, Some(*scroll == Some(true)))?;
            let Some(c) = list.pop().filter(|_| list.is_empty()) else {
                return Err(err!(INVALID_CURSOR_DEFINITION, "cannot open multi-query plan as cursor"));
            };
            self.open_plan(*cursor, &c, &text, ParseMode::Default, Some(values.into()), *scroll, false)?;
            return Ok(());
        }
        match query {
            Some(q) => {
                self.in_use(*cursor)?;
                let plan = self.plan(q, Want::Cursor { scroll: *scroll == Some(true) })?;
                self.open_plan(*cursor, &plan, &q.text, q.mode, None, *scroll, false)?;
            }
            None => {
                self.open_bound(*cursor, args.as_ref(), false)?;
            }
        }
        Ok(())
    }

    fn direction(&mut self, d: &'h Direction) -> PgResult<FetchTo> {
        let count = match &d.expr {
            None => d.count,
            Some(e) => match self.eval_as(e, oid::INT8)? {
                Datum::Int8(n) => n,
                _ => bail!(NULL_VALUE_NOT_ALLOWED, "relative or absolute cursor position is null"),
            },
        };
        Ok(match (d.kind, d.all) {
            (DirectionKind::Forward, true) => FetchTo::ForwardAll,
            (DirectionKind::Backward, true) => FetchTo::BackwardAll,
            (DirectionKind::Forward, _) => FetchTo::Forward(count),
            (DirectionKind::Backward, _) => FetchTo::Backward(count),
            (DirectionKind::Absolute, _) => FetchTo::Absolute(count),
            (DirectionKind::Relative, _) => FetchTo::Relative(count),
        })
    }

    fn named(&self, cursor: Dno) -> PgResult<String> {
        let shown = self.f.datums[cursor].var().map_or("", |v| &v.name);
        self.cursor_name(cursor)
            .ok_or_else(|| err!(NULL_VALUE_NOT_ALLOWED, "cursor variable \"{shown}\" is null"))
    }

    pub(super) fn fetch(&mut self, cursor: Dno, target: Option<Target>, d: &'h Direction) -> PgResult<()> {
        let name = self.named(cursor)?;
        let to = self.direction(d)?;
        let Some((rows, columns)) = self.host.fetch_cursor(&name, to)? else {
            bail!(UNDEFINED_CURSOR, "cursor \"{name}\" does not exist");
        };
        self.changed();
        let n = rows.len() as u64;
        if let Some(target) = target {
            let attrs = attrs_of(&columns);
            self.move_row(target, rows.into_iter().next(), &columns, &attrs)?;
        }
        self.processed = n;
        self.vals[self.f.found] = Datum::Bool(n > 0);
        Ok(())
    }

    pub(super) fn close(&mut self, cursor: Dno) -> PgResult<()> {
        let name = self.named(cursor)?;
        if !self.host.close_cursor(&name)? {
            bail!(UNDEFINED_CURSOR, "cursor \"{name}\" does not exist");
        }
        self.changed();
        Ok(())
    }
}
