//! Names in printed SQL: relations, functions, operators, types, columns.

use pglite_catalog::names::{quote_ident, quote_qualified};
use pglite_catalog::{RelDesc, format_type};
use pglite_error::{PgResult, err};
use pglite_ir::Var;
use pglite_ir::expr::sysattr;
use pglite_types::Oid;

use super::{Deparser, Scope};

impl Deparser<'_> {
    pub(super) fn type_name(&self, ty: Oid, typmod: i32) -> String {
        format_type::format_type(self.catalog, self.path, ty, Some(typmod))
    }

    pub(super) fn relation_name(&self, rel: &RelDesc) -> String {
        let visible = self.path.relation_is_visible(self.catalog, rel.oid);
        let schema = if visible { None } else { self.catalog.namespace_name(rel.namespace) };
        quote_qualified(schema, &rel.name)
    }

    /// A function's name, qualified when the path hides it or finds another one for these arguments.
    pub(super) fn function_name(&self, func: Oid) -> PgResult<String> {
        let row = self
            .catalog
            .proc_by_oid(func)
            .ok_or_else(|| err!(UNDEFINED_FUNCTION, "cache lookup failed for function {func}"))?;
        let visible = self.path.function_is_visible(self.catalog, func);
        let schema = if visible { None } else { self.catalog.namespace_name(row.pronamespace) };
        Ok(quote_qualified(schema, &row.proname))
    }

    /// An operator, as `+` or `OPERATOR(schema.+)`.
    pub(super) fn operator_name(&self, op: Oid) -> PgResult<String> {
        let row = self
            .catalog
            .operator_by_oid(op)
            .ok_or_else(|| err!(UNDEFINED_FUNCTION, "cache lookup failed for operator {op}"))?;
        if self.path.operator_is_visible(self.catalog, op) {
            return Ok(row.oprname.to_string());
        }
        let schema = self.catalog.namespace_name(row.oprnamespace).unwrap_or("pg_catalog");
        Ok(format!("OPERATOR({}.{})", quote_ident(schema), row.oprname))
    }

    pub(super) fn collation_name(&self, collation: Oid) -> String {
        let Some(row) = self.catalog.collation_by_oid(collation) else { return collation.to_string() };
        let visible = self.path.collation_is_visible(self.catalog, collation);
        let schema = if visible { None } else { self.catalog.namespace_name(row.collnamespace) };
        quote_qualified(schema, &row.collname)
    }

    /// A column reference.
    pub(super) fn var(&mut self, var: &Var) -> PgResult<()> {
        if let Some(plan) = self.plan
            && let Some(expr) = plan.resolve(var)
        {
            // Why: PostgreSQL wraps what a plan Var stands for in parentheses unless it is a plain column.
            let simple = matches!(expr, pglite_ir::Expr::Var(_));
            if !simple {
                self.push("(");
            }
            self.expr(&expr, true)?;
            if !simple {
                self.push(")");
            }
            return Ok(());
        }
        let level = self
            .scopes
            .len()
            .checked_sub(1 + var.levels_up as usize)
            .ok_or_else(|| err!(INTERNAL_ERROR, "bogus varlevelsup: {}", var.levels_up))?;
        let (prefix, column) = match &self.scopes[level] {
            Scope::None => return Err(err!(INTERNAL_ERROR, "unexpected column reference")),
            // The whole row, as text that can be read again.
            Scope::Relation(rel) if var.attno == 0 => (None, rel.name.to_string()),
            Scope::Relation(rel) => (None, relation_column(rel, var.attno)),
            Scope::OldNew(rel) => {
                (Some(if var.rte == 1 { "old" } else { "new" }.to_string()), relation_column(rel, var.attno))
            }
            Scope::RangeTable { rtable, aliases, prefix } => {
                let index = if (var.rte as usize) <= rtable.len() { var.rte } else { var.syn_rte } as usize;
                let attno = if (var.rte as usize) <= rtable.len() { var.attno } else { var.syn_attno };
                let rte = index
                    .checked_sub(1)
                    .and_then(|i| rtable.get(i))
                    .ok_or_else(|| err!(INTERNAL_ERROR, "bogus varno: {}", var.rte))?;
                let column = if attno > 0 {
                    rte.eref.columns.get(attno as usize - 1).cloned().unwrap_or_default()
                } else {
                    system_column(attno).to_string()
                };
                let alias = match var.returning {
                    pglite_ir::expr::VarReturning::Old => "old".to_string(),
                    pglite_ir::expr::VarReturning::New => "new".to_string(),
                    _ => aliases.get(index - 1).cloned().unwrap_or_else(|| rte.eref.name.clone()),
                };
                let unnamed_join = alias.is_empty();
                let wanted = *prefix || var.levels_up > 0 || attno == 0;
                ((wanted && !unnamed_join).then_some(alias), column)
            }
        };
        if var.attno == 0 && column.is_empty() {
            // A whole row: its relation's name, with a star where the name alone would read as a column.
            self.push(&quote_ident(&prefix.unwrap_or_default()));
            self.push(".*");
            return Ok(());
        }
        if let Some(p) = prefix {
            self.push(&quote_ident(&p));
            self.push(".");
        }
        self.push(&quote_ident(&column));
        Ok(())
    }
}

fn relation_column(rel: &RelDesc, attno: i16) -> String {
    match rel.attr(attno) {
        Some(c) => c.name.to_string(),
        None => system_column(attno).to_string(),
    }
}

fn system_column(attno: i16) -> &'static str {
    match attno {
        sysattr::CTID => "ctid",
        sysattr::XMIN => "xmin",
        sysattr::CMIN => "cmin",
        sysattr::XMAX => "xmax",
        sysattr::CMAX => "cmax",
        sysattr::TABLEOID => "tableoid",
        _ => "",
    }
}
