//! Index paths: matching conditions to index columns, plain and parameterized scans, ordered scans, index-only scans.

mod amcost;
mod matching;

use std::rc::Rc;

use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_ir::plan::ScanDirection;

use crate::cost;
use crate::eclass;
use crate::pathkeys;
use crate::relids::Relids;
use crate::scan::{movable_to, param_info};
use crate::types::*;
use crate::walker::{each_var, varnos};

pub(crate) use matching::{expr_matches, match_clause};

type ColumnClauses = Vec<Vec<IndexClause>>;

/// Adds all useful index paths of a base relation.
pub(crate) fn add_index_paths(g: &mut Glob<'_>, root: &mut Root, rel: RelId) -> PgResult<()> {
    for i in 0..root.rels[rel].indexes.len() {
        let index = root.rels[rel].indexes[i].clone();
        if index.am == IndexAm::Other || !index.predicate.is_empty() && !index.pred_ok {
            continue;
        }
        let n = index.columns.len();
        let mut own: ColumnClauses = vec![Vec::new(); n];
        let restrict =
            if index.predicate.is_empty() { root.rels[rel].restrict.clone() } else { index.restrict.clone() };
        for r in &restrict {
            match_to_index(g, root, r, &index, &mut own);
        }
        let lateral = root.rels[rel].lateral.clone();
        build_paths(g, root, rel, &index, &own, &lateral)?;
        let mut joins: ColumnClauses = vec![Vec::new(); n];
        for r in root.rels[rel].joininfo.clone() {
            if movable_to(&r, &root.rels[rel]) {
                match_to_index(g, root, &r, &index, &mut joins);
            }
        }
        if root.rels[rel].has_ec_joins {
            let relids = root.rels[rel].relids.clone();
            let prohibited = root.rels[rel].lateral_referencers.clone();
            for col in 0..n {
                let index2 = index.clone();
                let want = |ec: &Ec, m: &Em| {
                    expr_matches(&m.expr, &index2, col)
                        && (!index2.collations[col].is_valid() || index2.collations[col] == ec.collation)
                        && (index2.am != IndexAm::Btree || ec.families.contains(&index2.families[col]))
                };
                for r in eclass::equalities_for_column(g, root, &relids, &prohibited, &want) {
                    match_to_index(g, root, &r, &index, &mut joins);
                }
            }
        }
        if joins.iter().any(|c| !c.is_empty()) {
            consider_joins(g, root, rel, &index, &own, &joins)?;
        }
    }
    Ok(())
}

// Why: the column number is looked up in several places, not only in `out`.
#[allow(clippy::needless_range_loop)]
fn match_to_index(g: &Glob<'_>, root: &Root, r: &Rc<RInfo>, index: &IndexInfo, out: &mut ColumnClauses) {
    if r.pseudoconstant {
        return;
    }
    for col in 0..index.columns.len() {
        if out[col].iter().any(|c| Rc::ptr_eq(&c.rinfo, r)) {
            return;
        }
        if let Some(c) = match_clause(g, root, r, index, col) {
            out[col].push(c);
            return;
        }
    }
}

/// Parameterized scans: one for each useful set of outer relations.
fn consider_joins(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: RelId,
    index: &Rc<IndexInfo>,
    own: &ColumnClauses,
    joins: &ColumnClauses,
) -> PgResult<()> {
    let relids = root.rels[rel].relids.clone();
    let mut sets: Vec<Relids> = Vec::new();
    for c in joins.iter().flatten() {
        let outer = c.rinfo.relids.minus(&relids);
        for i in 0..sets.len() {
            if sets.len() > 12 {
                break;
            }
            let both = sets[i].union(&outer);
            if !sets.contains(&both) && !outer.subset_of(&sets[i]) {
                sets.push(both);
            }
        }
        if !outer.is_empty() && !sets.contains(&outer) {
            sets.push(outer);
        }
    }
    for set in sets {
        let mut clauses = own.clone();
        let mut found = false;
        for (col, list) in joins.iter().enumerate() {
            for c in list {
                if c.rinfo.relids.minus(&relids).subset_of(&set)
                    && !clauses[col].iter().any(|x| Rc::ptr_eq(&x.rinfo, &c.rinfo))
                {
                    // Of one equivalence class, one clause a column is enough.
                    let redundant = c.rinfo.parent_ec.is_some()
                        && clauses[col]
                            .iter()
                            .any(|x| x.rinfo.parent_ec.is_some() && x.rinfo.parent_ec == c.rinfo.parent_ec);
                    if !redundant {
                        clauses[col].push(c.clone());
                        found = true;
                    }
                }
            }
        }
        if found {
            let required = set.union(&root.rels[rel].lateral);
            build_paths(g, root, rel, index, &clauses, &required)?;
        }
    }
    Ok(())
}

fn build_paths(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: RelId,
    index: &Rc<IndexInfo>,
    columns: &ColumnClauses,
    lateral: &Relids,
) -> PgResult<()> {
    let relids = root.rels[rel].relids.clone();
    let mut clauses: Vec<IndexClause> = Vec::new();
    let mut required = root.rels[rel].lateral.clone();
    for (col, list) in columns.iter().enumerate() {
        for c in list {
            clauses.push(c.clone());
            required.add(&c.rinfo.relids.minus(&relids));
        }
        if col == 0 && list.is_empty() && index.am == IndexAm::Hash {
            return Ok(());
        }
    }
    if !required.subset_of(lateral) && !lateral.is_empty() {
        required.add(lateral);
    }
    let loops = loop_count(root, rel, &required);
    let wants_order = index.am == IndexAm::Btree && pathkeys::has_useful_order(root, rel);
    let index_only = can_be_index_only(g, root, rel, index);
    let directions: &[ScanDirection] = if wants_order {
        &[ScanDirection::Forward, ScanDirection::Backward]
    } else {
        &[ScanDirection::Forward]
    };
    for &direction in directions {
        let backward = direction == ScanDirection::Backward;
        let mut keys = Vec::new();
        if wants_order {
            keys = pathkeys::for_index(g, root, index, backward);
            pathkeys::truncate_useless(g, root, rel, &mut keys);
        }
        if keys.is_empty() && (backward || clauses.is_empty() && index.predicate.is_empty() && !index_only) {
            continue;
        }
        let path = index_path(
            g,
            root,
            rel,
            index,
            clauses.clone(),
            Vec::new(),
            keys,
            direction,
            index_only,
            &required,
            loops,
        )?;
        crate::path::add_path(&mut root.rels[rel], path);
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)]
pub(crate) fn index_path(
    g: &mut Glob<'_>,
    root: &mut Root,
    rel: RelId,
    index: &Rc<IndexInfo>,
    clauses: Vec<IndexClause>,
    order_by: Vec<(usize, pglite_types::Oid, Expr, Expr)>,
    keys: Vec<PathKey>,
    direction: ScanDirection,
    index_only: bool,
    required: &Relids,
    loops: f64,
) -> PgResult<Path> {
    let param = param_info(g, root, rel, required);
    let am = amcost::estimate(g, root, rel, index, &clauses, loops);
    // Conditions the index does not enforce are filters.
    let mut filter = QualCost::default();
    let r = &root.rels[rel];
    let all = r.restrict.iter().chain(param.iter().flat_map(|p| p.clauses.iter()));
    for c in all {
        let enforced = clauses.iter().any(|ic| {
            Rc::ptr_eq(&ic.rinfo, c) && !ic.lossy
                || ic.rinfo.parent_ec.is_some() && ic.rinfo.parent_ec == c.parent_ec
        });
        if !enforced && !c.pseudoconstant {
            let q = cost::rinfo_cost(g, c);
            filter.startup += q.startup;
            filter.per_tuple += q.per_tuple;
        }
    }
    let costs = cost::index_scan(g, root, r, index, am, index_only, filter, param.as_ref(), loops);
    let rows = param.as_ref().map_or(r.rows, |p| p.rows);
    Ok(Path {
        node: PathNode::Index(Box::new(IndexPath {
            index: index.clone(),
            clauses,
            order_by,
            direction,
            index_only,
        })),
        rel,
        target: r.target.clone(),
        param,
        rows,
        startup: costs.startup,
        total: costs.total,
        disabled: costs.disabled,
        pathkeys: keys,
    })
}

/// How often a parameterized scan will run: the rows of the smallest outer relation.
fn loop_count(root: &Root, rel: RelId, required: &Relids) -> f64 {
    let _ = rel;
    let mut result: f64 = 0.0;
    for rti in required.iter() {
        let Ok(id) = root.base_rel(rti) else { continue };
        let rows = root.rels[id].rows;
        if rows > 0.0 && (result == 0.0 || rows < result) {
            result = rows;
        }
    }
    result.max(1.0)
}

/// Every column the query needs of the relation can be read from the index.
fn can_be_index_only(g: &Glob<'_>, root: &Root, rel: RelId, index: &IndexInfo) -> bool {
    if !g.set.indexonlyscan || index.am != IndexAm::Btree {
        return false;
    }
    let r = &root.rels[rel];
    let mut ok = true;
    let mut need = |e: &Expr| {
        each_var(e, &mut |v| {
            if v.rte == r.relid {
                ok &= v.attno > 0
                    && index.all_columns.iter().zip(&index.can_return).any(|(c, ret)| *c == v.attno && *ret);
            }
        });
    };
    r.target.exprs.iter().for_each(&mut need);
    for c in index_restrictions(r, index) {
        need(&c.clause);
    }
    if root.row_marks.iter().any(|m| m.rte == r.relid) {
        return false;
    }
    ok
}

fn index_restrictions<'a>(r: &'a Rel, index: &'a IndexInfo) -> &'a [Rc<RInfo>] {
    if index.predicate.is_empty() { &r.restrict } else { &index.restrict }
}

/// A unique index proves that at most one row matches these equalities on the relation.
pub(crate) fn unique_for(
    g: &Glob<'_>,
    root: &Root,
    rel: RelId,
    clauses: &[Rc<RInfo>],
    extra: &[(Expr, pglite_types::Oid)],
) -> bool {
    let r = &root.rels[rel];
    let relids = &r.relids;
    let mut equalities: Vec<(&Expr, pglite_types::Oid)> = Vec::new();
    for c in r.restrict.iter().chain(clauses) {
        if c.merge_families.is_empty() {
            continue;
        }
        let Some((o, a, b)) = crate::exprs::as_binary(&c.clause) else { continue };
        if varnos(a) == *relids && !varnos(b).overlaps(relids) {
            equalities.push((a, o.op));
        } else if varnos(b) == *relids && !varnos(a).overlaps(relids) {
            equalities.push((b, o.op));
        }
    }
    equalities.extend(extra.iter().map(|(e, op)| (e, *op)));
    if equalities.is_empty() {
        return false;
    }
    r.indexes.iter().any(|i| {
        i.unique
            && i.immediate
            && (i.predicate.is_empty() || i.pred_ok)
            && (0..i.columns.len()).all(|col| {
                equalities.iter().any(|(e, op)| {
                    expr_matches(e, i, col)
                        && g.cat
                            .strategy(*op, i.families[col])
                            .is_some_and(|f| f.strategy == crate::cat::BT_EQ)
                })
            })
    })
}
