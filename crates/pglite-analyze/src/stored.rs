//! Expressions and queries that the catalogs hold as SQL text: defaults, constraints, index expressions, views.

use std::sync::Arc;

use pglite_catalog::{RelDesc, SearchPath, Snapshot};
use pglite_parser::{ParseOptions, parse};

use crate::coerce::How;
use crate::env::{AnalyzeEnv, ParamTypes};
use crate::prelude::*;
use pglite_types::TypeEnv;

/// Parses one stored statement.
pub(crate) fn parse_stored(text: &str) -> PgResult<ast::Statement> {
    let mut parsed = parse(text, &ParseOptions::default()).map_err(unplaced)?;
    match parsed.stmts.pop() {
        Some(raw) if parsed.stmts.is_empty() => Ok(raw.stmt),
        _ => Err(PgError::internal("stored text is not one statement")),
    }
}

/// Parses a stored list of expressions.
pub(crate) fn parse_stored_exprs(text: &str) -> PgResult<Vec<ast::Expr>> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    match parse_stored(&format!("SELECT {text}"))? {
        ast::Statement::SelectStmt(s) => Ok(s.target_list.into_iter().filter_map(|t| t.val).collect()),
        _ => Err(PgError::internal("stored text is not an expression")),
    }
}

/// A position in stored text means nothing to the client.
pub(crate) fn unplaced(mut e: PgError) -> PgError {
    e.fields_mut().position = None;
    e
}

/// Positions in stored text mean nothing in the statement's.
fn clear_locations(e: &mut Expr) {
    let _ = pglite_ir::tree::mutate_expr::<PgError>(e, 0, &mut |e, _| {
        match e {
            Expr::Const(c) => c.location = -1,
            Expr::Var(v) => v.location = -1,
            Expr::Func(f) => f.location = -1,
            Expr::Op(o) | Expr::Distinct(o) | Expr::NullIf(o) => o.location = -1,
            Expr::ScalarArrayOp(o) => o.location = -1,
            Expr::Bool { location, .. }
            | Expr::Relabel { location, .. }
            | Expr::CoerceViaIo { location, .. }
            | Expr::ArrayCoerce { location, .. }
            | Expr::ConvertRowtype { location, .. }
            | Expr::Collate { location, .. }
            | Expr::Array { location, .. }
            | Expr::Row { location, .. }
            | Expr::Coalesce { location, .. }
            | Expr::MinMax { location, .. }
            | Expr::SqlValue { location, .. }
            | Expr::NullTest { location, .. }
            | Expr::BooleanTest { location, .. }
            | Expr::CoerceToDomain { location, .. } => *location = -1,
            _ => {}
        }
        Ok(())
    });
}

/// The session for reading stored text: the text names everything outside pg_catalog by schema, so the session's own
/// search path must not matter.
pub(crate) struct StoredEnv<'e> {
    inner: &'e dyn AnalyzeEnv,
    path: SearchPath,
}

impl<'e> StoredEnv<'e> {
    pub fn new(inner: &'e dyn AnalyzeEnv) -> StoredEnv<'e> {
        let path = SearchPath { user: inner.search_path().user, ..SearchPath::catalog_only() };
        StoredEnv { inner, path }
    }
}

impl AnalyzeEnv for StoredEnv<'_> {
    fn catalog(&self) -> &Arc<Snapshot> {
        self.inner.catalog()
    }
    fn search_path(&self) -> &SearchPath {
        &self.path
    }
    fn type_env(&self) -> &dyn TypeEnv {
        self.inner.type_env()
    }
    fn current_user(&self) -> Oid {
        self.inner.current_user()
    }
    fn setting(&self, name: &str) -> Option<String> {
        self.inner.setting(name)
    }
    fn notice(&self, notice: PgError) {
        self.inner.notice(notice);
    }
    fn lock_relation(&self, rel: Oid, mode: u8) -> PgResult<()> {
        self.inner.lock_relation(rel, mode)
    }
    fn database_name(&self) -> String {
        self.inner.database_name()
    }
}

impl Analyzer<'_, '_> {
    /// Binds stored expressions in the current level's scope.
    pub(crate) fn stored_expressions(&mut self, text: &str, kind: ExprKind) -> PgResult<Vec<Expr>> {
        let raw = parse_stored_exprs(text)?;
        let mut out = Vec::with_capacity(raw.len());
        for r in &raw {
            let mut e = self.transform_as(r, kind).map_err(unplaced)?;
            self.assign_expr_collations(&mut e).map_err(unplaced)?;
            clear_locations(&mut e);
            out.push(e);
        }
        Ok(out)
    }

    pub(crate) fn stored_expression(&mut self, text: &str, kind: ExprKind) -> PgResult<Expr> {
        let mut list = self.stored_expressions(text, kind)?;
        match list.pop() {
            Some(e) if list.is_empty() => Ok(e),
            _ => Err(PgError::internal("stored text is not one expression")),
        }
    }

    /// PostgreSQL's `build_column_default`: the value of a column that is not given, if it has one.
    pub(crate) fn column_default(&mut self, rel: &RelDesc, attno: i16) -> PgResult<Option<Expr>> {
        let Some(col) = rel.attr(attno) else { return Ok(None) };
        if col.identity != 0 {
            let Some(seq) = self.identity_sequence(rel.oid, attno) else {
                bail!(INTERNAL_ERROR, "no owned sequence found");
            };
            return Ok(Some(Expr::NextValue { seq, ty: col.type_oid }));
        }
        let (ty, typmod) = (col.type_oid, col.typmod);
        let text = match &col.default {
            Some(d) if col.generated == 0 => Some(d.to_string()),
            _ if col.generated != 0 => None,
            _ => self.type_default(ty),
        };
        let Some(text) = text else { return Ok(None) };
        let stored = StoredEnv::new(self.env);
        let mut params = ParamTypes::none();
        let mut sub = Analyzer::new(&stored, &mut params);
        sub.push();
        let e = sub.stored_expression(&text, ExprKind::ColumnDefault)?;
        let input = e.ty();
        match self.coerce_to_target(e, ty, typmod, How::ASSIGNMENT)? {
            Ok(mut e) => {
                self.assign_expr_collations(&mut e)?;
                Ok(Some(e))
            }
            Err(_) => Err(err!(
                DATATYPE_MISMATCH,
                "column \"{}\" is of type {} but default expression is of type {}",
                col.name,
                self.cat.format_type(ty),
                self.cat.format_type(input)
            )
            .hint("You will need to rewrite or cast the expression.")),
        }
    }

    /// A domain's (or base type's) own default.
    fn type_default(&self, ty: Oid) -> Option<String> {
        let row = self.cat.ty_opt(ty)?;
        if let Some(d) = &row.typdefaultbin {
            return Some(d.to_string());
        }
        row.typdefault
            .as_ref()
            .map(|d| if row.typtype == b'd' { d.to_string() } else { format!("'{}'", d.replace('\'', "''")) })
    }

    /// The sequence behind an identity column.
    fn identity_sequence(&self, rel: Oid, attno: i16) -> Option<Oid> {
        const PG_CLASS: Oid = Oid(1259);
        // A partition's identity column draws from its topmost ancestor's sequence.
        if let Some(desc) = self.cat.relation(rel).filter(|d| d.is_partition) {
            let parent = desc.parents.first().and_then(|p| self.cat.relation(*p))?;
            let column = parent.column(&desc.attr(attno)?.name)?.attnum;
            return self.identity_sequence(parent.oid, column);
        }
        self.cat
            .snap
            .dependents_on(PG_CLASS, rel)
            .find(|d| {
                d.classid == PG_CLASS
                    && d.refobjsubid == attno as i32
                    && d.deptype == b'i'
                    && self.cat.class(d.objid).is_some_and(|c| c.relkind == b'S')
            })
            .map(|d| d.objid)
    }
}
