//! Partitioned tables: keys, bounds, and the constraints that bounds imply.
//!
//! The catalogs hold a partition's bound as the SQL text that `\d` prints. DDL checks and stores bounds, the planner
//! prunes by their constraints, the executor routes rows by them: all read them here.
//!
//! Invariant: a [`Bound`]'s values have the key column's type; a constraint's Vars have `rte` 1.

mod constraint;
mod order;

use std::sync::Arc;

use pglite_catalog::RelDesc;

use crate::prelude::*;
use crate::{AnalyzeEnv, Scope};

pub use constraint::{bound_constraint, default_of, map_columns, partition_constraint};
pub use order::{compare_range_bounds, compare_values, partition_order};

/// One column of a partition key.
#[derive(Clone, Debug)]
pub struct KeyColumn {
    /// A column (Var of relation 1) or an expression over the table.
    pub expr: Expr,
    pub ty: Oid,
    pub typmod: i32,
    /// The column's own collation.
    pub type_collation: Oid,
    /// The collation that the key compares by.
    pub collation: Oid,
    pub opclass: Oid,
    pub family: Oid,
    pub input_type: Oid,
}

/// One end of a range in one key column.
#[derive(Clone, Debug)]
pub enum RangeDatum {
    Min,
    Value(Datum),
    Max,
}

/// The bound of a partition.
#[derive(Clone, Debug)]
pub enum Bound {
    Default,
    Hash {
        modulus: i32,
        remainder: i32,
    },
    /// NULL stands for itself.
    List(Vec<Datum>),
    Range {
        lower: Vec<RangeDatum>,
        upper: Vec<RangeDatum>,
    },
}

/// The columns of a partitioned table's key.
pub fn partition_key(env: &dyn AnalyzeEnv, rel: &Arc<RelDesc>) -> PgResult<Vec<KeyColumn>> {
    let Some(key) = &rel.partition_key else {
        return Err(PgError::internal(format!("relation \"{}\" is not partitioned", rel.name)));
    };
    let s = env.catalog();
    let mut exprs = key.exprs.iter();
    let mut out = Vec::with_capacity(key.attnums.len());
    for (i, &attnum) in key.attnums.iter().enumerate() {
        let expr = match rel.attr(attnum).filter(|_| attnum != 0) {
            Some(c) => column_var(c.attnum, c.type_oid, c.typmod, c.collation),
            None => {
                let text =
                    exprs.next().ok_or_else(|| PgError::internal("partition key without its expression"))?;
                crate::analyze_stored_expr(env, text, &Scope::Relation(rel), ExprKind::Other, None)?
            }
        };
        let class = key.opclasses.get(i).and_then(|o| s.opclass_by_oid(*o));
        let class = class.ok_or_else(|| PgError::internal("partition key without an operator class"))?;
        out.push(KeyColumn {
            ty: expr.ty(),
            typmod: expr.typmod(),
            type_collation: expr.collation(),
            expr,
            collation: key.collations.get(i).copied().unwrap_or_default(),
            opclass: class.oid,
            family: class.opcfamily,
            input_type: class.opcintype,
        });
    }
    Ok(out)
}

fn column_var(attno: i16, ty: Oid, typmod: i32, collation: Oid) -> Expr {
    Expr::Var(Var {
        rte: 1,
        attno,
        levels_up: 0,
        ty,
        typmod,
        collation,
        returning: VarReturning::Default,
        syn_rte: 1,
        syn_attno: attno,
        location: -1,
    })
}

/// Parses the stored text of a bound.
pub fn parse_bound(text: &str) -> PgResult<ast::PartitionBoundSpec> {
    let stmt = crate::stored::parse_stored(&format!("ALTER TABLE p ATTACH PARTITION c {text}"))?;
    if let ast::Statement::AlterTableStmt(s) = stmt
        && let Some(cmd) = s.cmds.into_iter().next()
        && let ast::AlterTableDef::Partition(p) = cmd.def
        && let Some(bound) = p.bound
    {
        return Ok(bound);
    }
    Err(PgError::internal("stored text is not a partition bound"))
}

/// MINVALUE or MAXVALUE of a range bound, which the grammar leaves as a column name.
pub fn infinity(e: &ast::Expr) -> Option<RangeDatum> {
    let ast::Expr::ColumnRef(c) = e else { return None };
    match c.fields.as_slice() {
        [ast::Field::Name(n)] if n == "minvalue" => Some(RangeDatum::Min),
        [ast::Field::Name(n)] if n == "maxvalue" => Some(RangeDatum::Max),
        _ => None,
    }
}

/// A stored literal as a value of the key column.
fn stored_value(env: &dyn AnalyzeEnv, e: &ast::Expr, key: &KeyColumn) -> PgResult<Datum> {
    let text = match e {
        ast::Expr::AConst(c) => match &c.val {
            ast::Value::Null => return Ok(Datum::Null),
            ast::Value::Integer(i) => i.to_string(),
            ast::Value::Float(s) | ast::Value::String(s) => s.clone(),
            ast::Value::Boolean(b) => b.to_string(),
            ast::Value::BitString(s) => s[1..].to_string(),
        },
        // true and false are casts in the grammar
        ast::Expr::TypeCast(t) => return stored_value(env, &t.arg, key),
        _ => return Err(PgError::internal("stored partition bound is not a literal")),
    };
    let base = env.catalog().base_type(key.ty);
    pglite_types::text::text_in(env.type_env(), base, -1, &text)
}

/// Reads a stored bound.
pub fn stored_bound(env: &dyn AnalyzeEnv, key: &[KeyColumn], text: &str) -> PgResult<Bound> {
    let spec = parse_bound(text)?;
    if spec.is_default {
        return Ok(Bound::Default);
    }
    if spec.strategy == Some('h') {
        return Ok(Bound::Hash { modulus: spec.modulus, remainder: spec.remainder });
    }
    if spec.strategy == Some('l') {
        let values = spec.listdatums.iter().map(|e| stored_value(env, e, &key[0]));
        return Ok(Bound::List(values.collect::<PgResult<_>>()?));
    }
    let side = |list: &[ast::Expr]| -> PgResult<Vec<RangeDatum>> {
        list.iter()
            .zip(key)
            .map(|(e, k)| match infinity(e) {
                Some(end) => Ok(end),
                None => Ok(RangeDatum::Value(stored_value(env, e, k)?)),
            })
            .collect()
    };
    Ok(Bound::Range { lower: side(&spec.lowerdatums)?, upper: side(&spec.upperdatums)? })
}

/// The partitions of a table with their bounds, in OID order.
pub fn partition_bounds(
    env: &dyn AnalyzeEnv,
    parent: &Arc<RelDesc>,
    key: &[KeyColumn],
) -> PgResult<Vec<(Oid, Bound)>> {
    let s = env.catalog();
    let mut out = Vec::new();
    for &child in &parent.children {
        let Some(class) = s.class_by_oid(child) else { continue };
        let pending = s.parents_of(child).any(|i| i.inhparent == parent.oid && i.inhdetachpending);
        let Some(text) = class.relpartbound.as_ref().filter(|_| !pending) else { continue };
        out.push((child, stored_bound(env, key, text)?));
    }
    Ok(out)
}
