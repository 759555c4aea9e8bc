//! Inheritance parents and partitioned tables: an Append (or MergeAppend) over the children.

use std::rc::Rc;

use pglite_error::PgResult;

use super::*;
use crate::inherit;

pub(super) fn set_append_size(g: &mut Glob<'_>, root: &mut Root, rel: RelId) -> PgResult<()> {
    let rti = root.rels[rel].relid;
    let kids = inherit::children(root, rti);
    let mut live = Vec::new();
    let (mut rows, mut bytes, mut tuples, mut pages) = (0.0, 0.0, 0.0, 0.0);
    let all_excluded = is_excluded(root, rel);
    for (app, child_rti) in kids {
        let child = build_base_rel(g, root, child_rti, RelKind::Member)?;
        let ok = inherit::set_up_child(g, root, rel, child, app)?;
        if !ok || all_excluded || is_excluded(root, child) || crate::prune::excluded(g, root, child)? {
            set_width(g, root, child);
            mark_dummy(root, child);
            continue;
        }
        sample_size(g, root, child);
        set_base_size(g, root, child);
        let c = &root.rels[child];
        rows += c.rows;
        bytes += c.rows * f64::from(c.width);
        tuples += c.tuples;
        pages += c.pages;
        live.push(child_rti);
    }
    set_width(g, root, rel);
    if live.is_empty() {
        mark_dummy(root, rel);
        return Ok(());
    }
    let cost = cost::rinfos_cost(g, &root.rels[rel].restrict);
    let r = &mut root.rels[rel];
    r.rows = rows;
    r.tuples = tuples;
    let _ = pages;
    r.restrict_cost = cost;
    if rows > 0.0 {
        r.width = (bytes / rows).round() as i32;
    }
    r.live_children = live;
    Ok(())
}

pub(super) fn set_append_paths(g: &mut Glob<'_>, root: &mut Root, rel: RelId) -> PgResult<()> {
    let kids = root.rels[rel].live_children.clone();
    let mut ids = Vec::new();
    for rti in kids {
        let id = root.base_rel(rti)?;
        set_paths(g, root, id)?;
        ids.push(id);
    }
    let total: Vec<Rc<Path>> = ids.iter().filter_map(|i| root.rels[*i].cheapest_total.clone()).collect();
    if total.len() == ids.len() && total.iter().all(|p| p.param.is_none()) {
        let path = append_path(g, root, rel, total, None);
        add_path(&mut root.rels[rel], path);
    }
    if root.rels[rel].consider_startup {
        let startup: Vec<Rc<Path>> =
            ids.iter().filter_map(|i| root.rels[*i].cheapest_startup.clone()).collect();
        if startup.len() == ids.len() {
            let path = append_path(g, root, rel, startup, None);
            add_path(&mut root.rels[rel], path);
        }
    }
    ordered_paths(g, root, rel, &ids);
    parameterized(g, root, rel, &ids);
    set_cheapest(&mut root.rels[rel]);
    if root.rels[rel].cheapest_total.is_none() {
        return Err(PgError::internal("could not devise a query plan for the given query"));
    }
    Ok(())
}

pub(crate) fn append_path(
    g: &Glob<'_>,
    root: &Root,
    rel: RelId,
    children: Vec<Rc<Path>>,
    param: Option<Rc<ParamInfo>>,
) -> Path {
    let (c, rows) = cost::append(g, &children);
    let mut path = leaf(root, rel, PathNode::Append { children }, c, param);
    path.rows = rows;
    if let PathNode::Append { children } = &path.node
        && children.len() == 1
    {
        // A single child needs no Append.
        path.startup = children[0].startup;
        path.total = children[0].total;
        path.pathkeys = children[0].pathkeys.clone();
    }
    path
}

/// MergeAppends over children that come in some useful order.
fn ordered_paths(g: &mut Glob<'_>, root: &mut Root, rel: RelId, ids: &[RelId]) {
    if ids.len() < 2 {
        return;
    }
    let mut orders: Vec<Vec<PathKey>> = Vec::new();
    for id in ids {
        for p in &root.rels[*id].paths {
            if p.param.is_none() && !p.pathkeys.is_empty() && !orders.contains(&p.pathkeys) {
                orders.push(p.pathkeys.clone());
            }
        }
    }
    for keys in orders {
        let mut children = Vec::new();
        let mut input = Costs::default();
        for id in ids {
            let r = &root.rels[*id];
            let best = crate::path::cheapest_for_keys(&r.paths, &keys, None, false);
            let child = match best {
                Some(p) => p.clone(),
                None => {
                    let Some(p) = &r.cheapest_total else { return };
                    if p.param.is_some() {
                        return;
                    }
                    let width = r.width;
                    Rc::new(crate::upper::sort_path(g, *id, p.clone(), keys.clone(), width, -1.0))
                }
            };
            input.startup += child.startup;
            input.total += child.total;
            input.disabled += child.disabled;
            children.push(child);
        }
        let rows: f64 = children.iter().map(|c| c.rows).sum();
        let c = cost::merge_append(g, input, children.len() as f64, rows);
        let mut path = leaf(root, rel, PathNode::MergeAppend { children }, c, None);
        path.rows = rows;
        path.pathkeys = keys;
        add_path(&mut root.rels[rel], path);
    }
}

/// Appends of parameterized child paths, when every child has one for the same outer relations.
fn parameterized(g: &mut Glob<'_>, root: &mut Root, rel: RelId, ids: &[RelId]) {
    let mut sets: Vec<Relids> = Vec::new();
    for id in ids {
        for p in &root.rels[*id].paths {
            if let Some(r) = p.required()
                && !sets.contains(r)
            {
                sets.push(r.clone());
            }
        }
    }
    for required in sets {
        let mut children = Vec::new();
        for id in ids {
            let r = &root.rels[*id];
            let fits = |p: &&Rc<Path>| p.required().is_none_or(|q| q.subset_of(&required));
            let exact = r
                .paths
                .iter()
                .filter(|p| p.required() == Some(&required))
                .min_by(|a, b| crate::path::cheaper(a, b, false));
            let best = exact
                .or_else(|| r.paths.iter().filter(fits).min_by(|a, b| crate::path::cheaper(a, b, false)));
            let Some(p) = best.cloned() else { break };
            // Why: every child must enforce the clauses of the parameterization, or none may count on them.
            if p.required() != Some(&required) {
                children.clear();
                break;
            }
            children.push(p);
        }
        if children.len() != ids.len() {
            continue;
        }
        let param = param_info(g, root, rel, &required);
        let path = append_path(g, root, rel, children, param);
        add_path(&mut root.rels[rel], path);
    }
}
