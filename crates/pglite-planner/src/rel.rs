//! Relations: making them from range table entries, their sizes, widths and indexes.

use std::rc::Rc;
use std::sync::Arc;

use pglite_catalog::{IndexDesc, RelDesc, well_known};
use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_ir::query::*;
use pglite_types::Oid;

use crate::glob::clamp_rows;
use crate::relids::Relids;
use crate::sel::{self, SelCtx};
use crate::types::*;
use crate::walker::{Visit, into_conjuncts, visit};

impl Rel {
    pub fn new(kind: RelKind, scan: ScanKind, relids: Relids) -> Rel {
        Rel {
            kind,
            scan,
            relids,
            relid: 0,
            rows: 0.0,
            width: 0,
            pages: 0.0,
            tuples: 0.0,
            target: Rc::default(),
            paths: Vec::new(),
            cheapest_startup: None,
            cheapest_total: None,
            cheapest_unique: None,
            cheapest_param: Vec::new(),
            param_infos: Vec::new(),
            consider_startup: false,
            consider_param_startup: false,
            attr_needed: Default::default(),
            direct_lateral: Relids::new(),
            lateral: Relids::new(),
            lateral_referencers: Relids::new(),
            lateral_vars: Vec::new(),
            indexes: Vec::new(),
            table: None,
            subroot: None,
            subplan_params: Vec::new(),
            cte: None,
            wt_param: 0,
            restrict: Vec::new(),
            restrict_cost: QualCost::default(),
            joininfo: Vec::new(),
            has_ec_joins: false,
            dummy: false,
            top_parent: Relids::new(),
            live_children: Vec::new(),
        }
    }
}

/// Makes the relation of one range table entry.
pub(crate) fn build_base_rel(g: &Glob<'_>, root: &mut Root, rti: u32, kind: RelKind) -> PgResult<RelId> {
    let rte = &root.query.rtable[rti as usize - 1];
    let (scan, table) = match &rte.kind {
        RteKind::Relation { rel, .. } => (ScanKind::Relation, Some(rel.clone())),
        RteKind::Subquery { .. } => (ScanKind::Subquery, None),
        RteKind::Function { .. } => (ScanKind::Function, None),
        RteKind::TableFunc(_) => (ScanKind::TableFunc, None),
        RteKind::Values { .. } => (ScanKind::Values, None),
        RteKind::Cte { self_reference: true, .. } => (ScanKind::WorkTable, None),
        RteKind::Cte { .. } => (ScanKind::Cte, None),
        RteKind::Tuplestore { .. } => (ScanKind::Tuplestore, None),
        _ => (ScanKind::Result, None),
    };
    let mut rel = Rel::new(kind, scan, Relids::single(rti));
    rel.relid = rti;
    rel.consider_startup = root.tuple_fraction > 0.0;
    let id = root.rels.len();
    if root.base.len() <= rti as usize {
        root.base.resize(rti as usize + 1, None);
    }
    root.base[rti as usize] = Some(id);
    rel.table = table.clone();
    root.rels.push(rel);
    if let Some(table) = table {
        let inherit = root.rte(rti).inherit;
        if !inherit {
            let (pages, tuples) = g.env.relation_size(&table);
            root.rels[id].pages = pages;
            root.rels[id].tuples = tuples;
        }
        build_indexes(g, root, id, rti, &table, inherit)?;
    }
    Ok(id)
}

fn build_indexes(
    g: &Glob<'_>,
    root: &mut Root,
    id: RelId,
    rti: u32,
    table: &Arc<RelDesc>,
    inherit: bool,
) -> PgResult<()> {
    for index in &table.indexes {
        if !index.valid || inherit && !table.is_partitioned() && !index.unique {
            continue;
        }
        let info = build_index(g, root, id, rti, table, index)?;
        root.rels[id].indexes.push(Rc::new(info));
    }
    // PostgreSQL looks at the newest index first.
    root.rels[id].indexes.reverse();
    Ok(())
}

/// Re-bases an expression over the relation (Vars with `rte` 1) on its range table index.
pub(crate) fn rebase_to(e: &mut Expr, rti: u32) {
    crate::walker::rewrite(e, 0, &mut |e: &mut Expr, depth: u32| {
        if let Expr::Var(v) = e
            && v.levels_up == depth
        {
            v.rte = rti;
            v.syn_rte = rti;
            v.location = -1;
        }
        true
    });
}

pub(crate) fn relation_expr(g: &Glob<'_>, table: &RelDesc, text: &str, rti: u32) -> PgResult<Expr> {
    let mut e = g.env.relation_expr(table, text)?;
    rebase_to(&mut e, rti);
    crate::fold::fold(g, &mut e)?;
    Ok(e)
}

fn build_index(
    g: &Glob<'_>,
    root: &Root,
    id: RelId,
    rti: u32,
    table: &RelDesc,
    index: &IndexDesc,
) -> PgResult<IndexInfo> {
    let am = match index.am {
        well_known::AM_BTREE => IndexAm::Btree,
        well_known::AM_HASH => IndexAm::Hash,
        _ => IndexAm::Other,
    };
    let mut exprs = Vec::with_capacity(index.keys.len());
    for k in &index.keys {
        match (&k.expr, table.attr(k.attnum)) {
            (Some(text), _) => exprs.push(relation_expr(g, table, text, rti)?),
            (None, Some(c)) => exprs.push(Root::var(rti, k.attnum, c.type_oid, c.typmod, c.collation)),
            (None, None) => exprs.push(Expr::null(k.type_oid)),
        }
    }
    let predicate = match &index.predicate {
        Some(text) => into_conjuncts(Some(relation_expr(g, table, text, rti)?)),
        None => Vec::new(),
    };
    let n = index.nkeys.min(index.keys.len());
    let keys = &index.keys[..n];
    let tuples = root.rels[id].tuples;
    let (pages, index_tuples) = (index_pages(g, root, id, table, keys), tuples);
    Ok(IndexInfo {
        oid: index.oid,
        name: index.name.to_string(),
        rel: id,
        am,
        pages,
        tuples: index_tuples,
        height: (pages.ln() / 300f64.ln()).ceil().max(0.0),
        columns: keys.iter().map(|k| k.attnum).collect(),
        all_columns: index.keys.iter().map(|k| k.attnum).collect(),
        can_return: index
            .keys
            .iter()
            .map(|k| am == IndexAm::Btree && can_return(g, k.opclass, k.type_oid))
            .collect(),
        exprs,
        families: keys.iter().map(|k| k.opfamily).collect(),
        input_types: keys.iter().map(|k| k.opcintype).collect(),
        collations: keys.iter().map(|k| k.collation).collect(),
        desc: keys.iter().map(|k| k.desc).collect(),
        nulls_first: keys.iter().map(|k| k.nulls_first).collect(),
        predicate,
        pred_ok: false,
        unique: index.unique,
        nulls_not_distinct: index.nulls_not_distinct,
        immediate: index.immediate,
        restrict: Vec::new(),
    })
}

/// Pages of an index, from its key widths: entries of 16 bytes and more in pages nine tenths full.
fn index_pages(
    g: &Glob<'_>,
    root: &Root,
    id: RelId,
    table: &RelDesc,
    keys: &[pglite_catalog::IndexKey],
) -> f64 {
    let r = &root.rels[id];
    if table.tuples < 0.0 && r.pages <= 10.0 {
        // PG: the indexes of a table nobody has looked at yet count one page.
        return 1.0;
    }
    let width: i32 = keys.iter().map(|k| g.cat.type_width(k.type_oid, k.typmod)).sum();
    (r.tuples * f64::from(((width + 7) & !7) + 12) / (8192.0 * 0.9)).ceil().max(1.0)
}

/// Whether the value can be read back from the index entry.
fn can_return(g: &Glob<'_>, opclass: Oid, _ty: Oid) -> bool {
    !opclass.is_valid() || !g.cat.opclass_keytype(opclass).is_valid()
}

/// Restriction-dependent facts: which partial indexes may be used, and the size.
pub(crate) fn set_base_size(g: &mut Glob<'_>, root: &mut Root, rel: RelId) {
    check_index_predicates(g, root, rel);
    let cost = crate::cost::rinfos_cost(g, &root.rels[rel].restrict);
    let s = sel::list_selectivity(g, root, &root.rels[rel].restrict, SelCtx::scan());
    let r = &mut root.rels[rel];
    r.rows = clamp_rows(r.tuples * s);
    r.restrict_cost = cost;
    set_width(g, root, rel);
}

fn check_index_predicates(g: &Glob<'_>, root: &mut Root, rel: RelId) {
    let r = &root.rels[rel];
    if r.indexes.is_empty() {
        return;
    }
    let clauses: Vec<Expr> = r.restrict.iter().map(|c| c.clause.clone()).collect();
    let mut indexes = Vec::with_capacity(r.indexes.len());
    for i in &r.indexes {
        if i.predicate.is_empty() {
            indexes.push(i.clone());
            continue;
        }
        let ok = crate::predicate::implied_by(g, &i.predicate, &clauses);
        let restrict = r
            .restrict
            .iter()
            .filter(|c| {
                !ok || crate::exprs::has_mutable(&g.cat, &c.clause)
                    || !crate::predicate::implied_by(g, std::slice::from_ref(&c.clause), &i.predicate)
            })
            .cloned()
            .collect();
        indexes.push(Rc::new(IndexInfo {
            oid: i.oid,
            name: i.name.clone(),
            rel: i.rel,
            am: i.am,
            pages: i.pages,
            tuples: i.tuples,
            height: i.height,
            columns: i.columns.clone(),
            all_columns: i.all_columns.clone(),
            exprs: i.exprs.clone(),
            families: i.families.clone(),
            input_types: i.input_types.clone(),
            collations: i.collations.clone(),
            desc: i.desc.clone(),
            nulls_first: i.nulls_first.clone(),
            predicate: i.predicate.clone(),
            pred_ok: ok,
            unique: i.unique,
            nulls_not_distinct: i.nulls_not_distinct,
            immediate: i.immediate,
            can_return: i.can_return.clone(),
            restrict,
        }));
    }
    root.rels[rel].indexes = indexes;
}

/// Width of one expression's values.
pub(crate) fn expr_width(g: &Glob<'_>, root: &Root, e: &Expr) -> i32 {
    if let Expr::Var(v) = e
        && let Some(rel) = root.base.get(v.rte as usize).copied().flatten()
    {
        let r = &root.rels[rel];
        if let Some(t) = &r.table {
            if v.attno == 0 {
                return t.live_columns().map(|c| g.cat.type_width(c.type_oid, c.typmod)).sum::<i32>().max(1);
            }
            if let Some(w) = g.env.column_stats(t.oid, v.attno).map(|s| s.avg_width).filter(|w| *w > 0) {
                return w;
            }
        }
        return match v.attno {
            sysattr::CTID => 6,
            _ => g.cat.type_width(v.ty, v.typmod),
        };
    }
    g.cat.type_width(e.ty(), e.typmod())
}

pub(crate) fn set_width(g: &Glob<'_>, root: &mut Root, rel: RelId) {
    let target = finish_target(g, root, (*root.rels[rel].target).clone());
    root.rels[rel].width = target.width;
    root.rels[rel].target = Rc::new(target);
}

/// Fills in a target's width and evaluation cost.
pub(crate) fn finish_target(g: &Glob<'_>, root: &Root, mut t: Target) -> Target {
    t.width = t.exprs.iter().map(|e| expr_width(g, root, e)).sum();
    t.cost = crate::exprs::list_cost(g, t.exprs.iter().filter(|e| !matches!(e, Expr::Var(_))));
    t
}

/// The relations whose columns a relation's definition refers to (LATERAL).
pub(crate) fn lateral_refs(root: &Root, rti: u32) -> (Relids, Vec<Expr>) {
    let rte = root.rte(rti);
    let mut vars: Vec<Expr> = Vec::new();
    if !rte.lateral {
        return (Relids::new(), vars);
    }
    let mut add = |v: &Var| {
        let mut v = v.clone();
        v.levels_up = 0;
        v.location = -1;
        let e = Expr::Var(v);
        if !crate::equal::member(&vars, &e) {
            vars.push(e);
        }
    };
    if let RteKind::Subquery { query, .. } = &rte.kind {
        crate::walker::visit_query(query, 1, &mut |e, depth| {
            if let Expr::Var(v) = e
                && v.levels_up == depth
            {
                add(v);
            }
            Visit::Into
        });
    } else {
        crate::walker::rte_exprs(rte, &mut |e| {
            visit(e, 0, &mut |e, depth| {
                if let Expr::Var(v) = e
                    && v.levels_up == depth
                {
                    add(v);
                }
                Visit::Into
            })
        });
    }
    (vars.iter().map(|v| if let Expr::Var(v) = v { v.rte } else { 0 }).filter(|r| *r > 0).collect(), vars)
}
