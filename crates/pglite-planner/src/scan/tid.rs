//! Scans by row position: `ctid = ...`, `ctid = ANY (...)`, ranges, and CURRENT OF.

use pglite_error::PgResult;
use pglite_ir::expr::*;
use pglite_types::oid;

use super::leaf;
use crate::cost;
use crate::exprs::*;
use crate::path::add_path;
use crate::types::*;
use crate::walker::varnos;

fn is_ctid(e: &Expr, rti: u32) -> bool {
    matches!(e, Expr::Var(v) if v.attno == sysattr::CTID && v.rte == rti && v.levels_up == 0)
}

/// Adds TID scan paths; true when no other path may be used (CURRENT OF).
pub(super) fn add_tid_paths(g: &mut Glob<'_>, root: &mut Root, rel: RelId) -> PgResult<bool> {
    let rti = root.rels[rel].relid;
    let mut quals: Vec<Expr> = Vec::new();
    let mut ranges: Vec<Expr> = Vec::new();
    let mut tuples = 0.0;
    let mut current_of = false;
    for r in &root.rels[rel].restrict {
        match &r.clause {
            Expr::CurrentOf { .. } => {
                quals = vec![r.clause.clone()];
                tuples = 1.0;
                current_of = true;
                break;
            }
            Expr::Op(o) if o.args.len() == 2 && o.args[0].ty() == oid::TID => {
                let (l, rr) = (&o.args[0], &o.args[1]);
                let fixed = |e: &Expr| !varnos(e).contains(rti) && !is_volatile(&g.cat, e);
                let hits = is_ctid(l, rti) && fixed(rr) || is_ctid(rr, rti) && fixed(l);
                if !hits {
                    continue;
                }
                match g.cat.rest_kind(o.op) {
                    crate::cat::SelKind::Eq if quals.is_empty() => {
                        quals.push(r.clause.clone());
                        tuples = 1.0;
                    }
                    crate::cat::SelKind::Lt
                    | crate::cat::SelKind::Le
                    | crate::cat::SelKind::Gt
                    | crate::cat::SelKind::Ge => {
                        ranges.push(r.clause.clone());
                    }
                    _ => {}
                }
            }
            Expr::ScalarArrayOp(s)
                if s.use_or
                    && is_ctid(&s.args[0], rti)
                    && !varnos(&s.args[1]).contains(rti)
                    && quals.is_empty() =>
            {
                quals.push(r.clause.clone());
                tuples = array_length_estimate(&s.args[1]).max(1.0);
            }
            _ => {}
        }
    }
    if quals.is_empty() {
        if ranges.is_empty() {
            return Ok(false);
        }
        tuples = root.rels[rel].rows;
        quals = ranges;
    }
    if current_of {
        root.rels[rel].paths.clear();
    }
    let lateral = root.rels[rel].lateral.clone();
    let param = super::param_info(g, root, rel, &lateral);
    let c = cost::tid_scan(g, &root.rels[rel], tuples, param.as_ref(), current_of);
    let path = leaf(root, rel, PathNode::Tid { quals }, c, param);
    add_path(&mut root.rels[rel], path);
    Ok(current_of)
}
