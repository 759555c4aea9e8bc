//! What the executor asks of the catalog, in one place: functions, aggregates, operators.
//!
//! Called while a plan is compiled, never per row.

use std::sync::Arc;

use pglite_catalog::{Snapshot, well_known};
use pglite_error::{PgError, PgResult};
use pglite_types::Oid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    Internal,
    C,
    Other,
}

/// The executor's view of a pg_proc row.
#[derive(Clone, Debug)]
pub struct ProcFacts {
    pub oid: Oid,
    pub name: Arc<str>,
    pub prosrc: Arc<str>,
    pub lang: Lang,
    pub strict: bool,
    pub retset: bool,
    pub volatile: bool,
    pub ret_type: Oid,
}

/// The executor's view of a pg_aggregate row.
#[derive(Clone, Debug)]
pub struct AggFacts {
    pub trans: Oid,
    pub final_fn: Oid,
    pub final_extra: bool,
    pub trans_type: Oid,
    pub init: Option<String>,
    pub mtrans: Oid,
    pub minv: Oid,
    pub mfinal: Oid,
    pub mtrans_type: Oid,
    pub minit: Option<String>,
    pub mfinal_extra: bool,
    pub kind: u8,
    pub direct_args: usize,
}

/// An ordering operator: its family's comparison function and whether the operator is the family's `>`.
#[derive(Clone, Copy, Debug)]
pub struct OrderFacts {
    pub cmp: Oid,
    pub reverse: bool,
}

pub fn proc_facts(s: &Snapshot, oid: Oid) -> PgResult<ProcFacts> {
    let Some(p) = s.proc_by_oid(oid) else {
        return Err(PgError::internal(format!("cache lookup failed for function {oid}")));
    };
    Ok(ProcFacts {
        oid,
        name: p.proname.to_arc(),
        prosrc: p.prosrc.to_arc(),
        lang: match p.prolang {
            well_known::LANG_INTERNAL => Lang::Internal,
            well_known::LANG_C => Lang::C,
            _ => Lang::Other,
        },
        strict: p.proisstrict,
        retset: p.proretset,
        volatile: p.provolatile == b'v',
        ret_type: p.prorettype,
    })
}

pub fn agg_facts(s: &Snapshot, func: Oid) -> PgResult<AggFacts> {
    let Some(a) = s.aggregate(func) else {
        return Err(PgError::internal(format!("cache lookup failed for aggregate {func}")));
    };
    Ok(AggFacts {
        trans: a.aggtransfn,
        final_fn: a.aggfinalfn,
        final_extra: a.aggfinalextra,
        trans_type: a.aggtranstype,
        init: a.agginitval.as_ref().map(|v| v.to_string()),
        mtrans: a.aggmtransfn,
        minv: a.aggminvtransfn,
        mfinal: a.aggmfinalfn,
        mtrans_type: a.aggmtranstype,
        minit: a.aggminitval.as_ref().map(|v| v.to_string()),
        mfinal_extra: a.aggmfinalextra,
        kind: a.aggkind,
        direct_args: a.aggnumdirectargs.max(0) as usize,
    })
}

/// The function of an operator.
pub fn op_func(s: &Snapshot, op: Oid) -> PgResult<Oid> {
    match s.operator_by_oid(op) {
        Some(o) => Ok(o.oprcode),
        None => Err(PgError::internal(format!("cache lookup failed for operator {op}"))),
    }
}

/// Function and left operand type of an operator.
pub fn op_func_and_type(s: &Snapshot, op: Oid) -> PgResult<(Oid, Oid)> {
    match s.operator_by_oid(op) {
        Some(o) => Ok((o.oprcode, o.oprleft)),
        None => Err(PgError::internal(format!("cache lookup failed for operator {op}"))),
    }
}

/// The btree order behind a `<`, `<=`, `=`, `>=` or `>` operator.
pub fn order_facts(s: &Snapshot, op: Oid) -> PgResult<OrderFacts> {
    for a in s.amops_of_operator(op) {
        if a.amopmethod != well_known::AM_BTREE {
            continue;
        }
        if let Some(p) = s.amproc(a.amopfamily, a.amoplefttype, a.amoprighttype, 1) {
            return Ok(OrderFacts { cmp: p.amproc, reverse: a.amopstrategy >= 4 });
        }
    }
    Err(PgError::internal(format!("operator {op} is not a valid ordering operator")))
}

/// The comparison function of a type's default btree operator class.
pub fn default_cmp(s: &Snapshot, ty: Oid) -> PgResult<Oid> {
    let class = s.default_opclass(well_known::AM_BTREE, ty);
    let found = class.and_then(|c| s.amproc(c.opcfamily, c.opcintype, c.opcintype, 1));
    match found {
        Some(p) => Ok(p.amproc),
        None => Err(pglite_error::err!(
            UNDEFINED_FUNCTION,
            "could not identify a comparison function for type {}",
            s.type_by_oid(ty).map_or_else(|| ty.to_string(), |t| t.typname.to_string())
        )),
    }
}

/// The `=` function of a type's default btree (or hash) operator class.
pub fn default_eq(s: &Snapshot, ty: Oid) -> PgResult<Oid> {
    let btree = s
        .default_opclass(well_known::AM_BTREE, ty)
        .and_then(|c| s.amop(c.opcfamily, c.opcintype, c.opcintype, 3));
    let op = btree.or_else(|| {
        let c = s.default_opclass(well_known::AM_HASH, ty)?;
        s.amop(c.opcfamily, c.opcintype, c.opcintype, 1)
    });
    match op {
        Some(op) => op_func(s, op.amopopr),
        None => Err(pglite_error::err!(
            UNDEFINED_FUNCTION,
            "could not identify an equality operator for type {}",
            s.type_by_oid(ty).map_or_else(|| ty.to_string(), |t| t.typname.to_string())
        )),
    }
}

pub fn role_name(s: &Snapshot, role: Oid) -> PgResult<String> {
    match s.role_by_oid(role) {
        Some(r) => Ok(r.rolname.to_string()),
        None => Err(pglite_error::err!(UNDEFINED_OBJECT, "role with OID {role} does not exist")),
    }
}

/// The OUT, INOUT and TABLE arguments of a function: names and types.
pub fn out_columns(s: &Snapshot, func: Oid) -> Vec<(String, Oid)> {
    let Some(p) = s.proc_by_oid(func) else { return Vec::new() };
    let (Some(types), Some(modes)) = (&p.proallargtypes, &p.proargmodes) else { return Vec::new() };
    let names = p.proargnames.as_ref();
    let mut out = Vec::new();
    for (i, (ty, mode)) in types.iter().zip(modes.iter()).enumerate() {
        if !matches!(*mode, b'o' | b'b' | b't') {
            continue;
        }
        let name = names.and_then(|n| n.get(i)).map(|n| n.to_string()).filter(|n| !n.is_empty());
        out.push((name.unwrap_or_else(|| format!("column{}", out.len() + 1)), *ty));
    }
    out
}

/// The identifier as SQL text must write it.
pub fn quote_ident(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let safe = name.chars().all(plain)
        && name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && matches!(pglite_catalog::facts::keyword_category(name), None | Some(b'U'));
    if safe { name.to_string() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Schema-qualified, quoted.
pub fn qualified(s: &Snapshot, rel: &pglite_catalog::RelDesc) -> String {
    let schema = s.namespace_name(rel.namespace).unwrap_or_default();
    format!("{}.{}", quote_ident(schema), quote_ident(&rel.name))
}
