//! Keeping the best paths of a relation: `add_path` and `set_cheapest`.

use std::rc::Rc;

use crate::pathkeys::{self, KeyOrder};
use crate::relids::Relids;
use crate::types::*;

const FUZZ: f64 = 1.01;

#[derive(Clone, Copy, PartialEq, Eq)]
enum CostOrder {
    Equal,
    FirstBetter,
    SecondBetter,
    Different,
}

fn compare_fuzzily(a: &Path, b: &Path, startup_matters: bool) -> CostOrder {
    if a.disabled != b.disabled {
        return if a.disabled < b.disabled { CostOrder::FirstBetter } else { CostOrder::SecondBetter };
    }
    if a.total > b.total * FUZZ {
        if startup_matters && b.startup > a.startup * FUZZ {
            return CostOrder::Different;
        }
        return CostOrder::SecondBetter;
    }
    if b.total > a.total * FUZZ {
        if startup_matters && a.startup > b.startup * FUZZ {
            return CostOrder::Different;
        }
        return CostOrder::FirstBetter;
    }
    if a.startup > b.startup * FUZZ {
        return CostOrder::SecondBetter;
    }
    if b.startup > a.startup * FUZZ {
        return CostOrder::FirstBetter;
    }
    CostOrder::Equal
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SetOrder {
    Equal,
    FirstSubset,
    SecondSubset,
    Different,
}

fn compare_sets(a: &Relids, b: &Relids) -> SetOrder {
    match (a.subset_of(b), b.subset_of(a)) {
        (true, true) => SetOrder::Equal,
        (true, false) => SetOrder::FirstSubset,
        (false, true) => SetOrder::SecondSubset,
        (false, false) => SetOrder::Different,
    }
}

/// Exact comparison by total (or startup) cost, disabled nodes first.
pub(crate) fn cheaper(a: &Path, b: &Path, by_startup: bool) -> std::cmp::Ordering {
    let key = |p: &Path| if by_startup { (p.startup, p.total) } else { (p.total, p.startup) };
    a.disabled.cmp(&b.disabled).then_with(|| key(a).partial_cmp(&key(b)).unwrap_or(std::cmp::Ordering::Equal))
}

/// Keeps the new path when no other one beats it, and drops those it beats.
pub(crate) fn add_path(rel: &mut Rel, new: Path) {
    let empty = Relids::new();
    let new_outer = new.required().unwrap_or(&empty);
    let new_keys: &[PathKey] = if new.param.is_none() { &new.pathkeys } else { &[] };
    let startup_matters = if new.param.is_none() { rel.consider_startup } else { rel.consider_param_startup };
    let mut accept = true;
    let mut keep = vec![true; rel.paths.len()];
    for (i, old) in rel.paths.iter().enumerate() {
        let cost = compare_fuzzily(&new, old, startup_matters);
        if cost == CostOrder::Different {
            continue;
        }
        let old_keys: &[PathKey] = if old.param.is_none() { &old.pathkeys } else { &[] };
        let keys = pathkeys::compare(new_keys, old_keys);
        if keys == KeyOrder::Different {
            continue;
        }
        let outer = compare_sets(new_outer, old.required().unwrap_or(&empty));
        let new_sub = matches!(outer, SetOrder::Equal | SetOrder::FirstSubset);
        let old_sub = matches!(outer, SetOrder::Equal | SetOrder::SecondSubset);
        let (mut remove_old, mut reject) = (false, false);
        match cost {
            CostOrder::Equal => match keys {
                KeyOrder::FirstBetter => remove_old = new_sub && new.rows <= old.rows,
                KeyOrder::SecondBetter => reject = old_sub && new.rows >= old.rows,
                _ => match outer {
                    SetOrder::Equal => {
                        if new.rows < old.rows {
                            remove_old = true;
                        } else if new.rows > old.rows {
                            reject = true;
                        } else if compare_exactly(&new, old) {
                            remove_old = true;
                        } else {
                            reject = true;
                        }
                    }
                    SetOrder::FirstSubset => remove_old = new.rows <= old.rows,
                    SetOrder::SecondSubset => reject = new.rows >= old.rows,
                    SetOrder::Different => {}
                },
            },
            CostOrder::FirstBetter => {
                remove_old = keys != KeyOrder::SecondBetter && new_sub && new.rows <= old.rows
            }
            CostOrder::SecondBetter => {
                reject = keys != KeyOrder::FirstBetter && old_sub && new.rows >= old.rows
            }
            CostOrder::Different => {}
        }
        if remove_old {
            keep[i] = false;
        }
        if reject {
            accept = false;
            break;
        }
    }
    let mut it = keep.into_iter();
    rel.paths.retain(|_| it.next().unwrap_or(true));
    if accept {
        // Kept in order of disabled nodes, then total cost.
        let at = rel
            .paths
            .iter()
            .position(|p| new.disabled < p.disabled || new.disabled == p.disabled && new.total < p.total)
            .unwrap_or(rel.paths.len());
        rel.paths.insert(at, Rc::new(new));
    }
}

/// Nearly the same: is the new one better by a hair (1e-10 of fuzz)?
fn compare_exactly(new: &Path, old: &Path) -> bool {
    let fuzz = 1.0000000001;
    if new.total > old.total * fuzz {
        return false;
    }
    if old.total > new.total * fuzz {
        return true;
    }
    old.startup > new.startup * fuzz
}

/// Quick check before a join path is built: could one with these costs survive?
pub(crate) fn add_path_precheck(
    rel: &Rel,
    disabled: u32,
    startup: f64,
    total: f64,
    keys: &[PathKey],
    required: &Relids,
) -> bool {
    let startup_matters = if required.is_empty() { rel.consider_startup } else { rel.consider_param_startup };
    let keys: &[PathKey] = if required.is_empty() { keys } else { &[] };
    let empty = Relids::new();
    for old in &rel.paths {
        if disabled != old.disabled {
            if disabled < old.disabled {
                return true;
            }
        } else if total <= old.total * FUZZ {
            return true;
        }
        if startup_matters && startup <= old.startup * FUZZ {
            continue;
        }
        let old_keys: &[PathKey] = if old.param.is_none() { &old.pathkeys } else { &[] };
        let order = pathkeys::compare(keys, old_keys);
        if matches!(order, KeyOrder::Equal | KeyOrder::SecondBetter)
            && old.required().unwrap_or(&empty) == required
        {
            return false;
        }
    }
    true
}

/// Chooses the cheapest paths by startup, by total, and of each parameterization.
pub(crate) fn set_cheapest(rel: &mut Rel) {
    let mut startup: Option<&Rc<Path>> = None;
    let mut total: Option<&Rc<Path>> = None;
    let mut best_param: Option<&Rc<Path>> = None;
    let mut param_paths: Vec<Rc<Path>> = Vec::new();
    for p in &rel.paths {
        if let Some(required) = p.required() {
            param_paths.push(p.clone());
            if total.is_some() {
                continue;
            }
            best_param = match best_param {
                None => Some(p),
                Some(b) => {
                    let order = b.required().map(|r| compare_sets(r, required));
                    match order {
                        Some(SetOrder::Equal | SetOrder::Different) => {
                            if cheaper(p, b, false).is_lt() {
                                Some(p)
                            } else {
                                Some(b)
                            }
                        }
                        Some(SetOrder::SecondSubset) => Some(p),
                        _ => Some(b),
                    }
                }
            };
            continue;
        }
        let better = |old: Option<&Rc<Path>>, by_startup: bool| match old {
            None => true,
            Some(o) => {
                let c = cheaper(o, p, by_startup);
                c.is_gt()
                    || c.is_eq() && pathkeys::compare(&o.pathkeys, &p.pathkeys) == KeyOrder::SecondBetter
            }
        };
        if better(startup, true) {
            startup = Some(p);
        }
        if better(total, false) {
            total = Some(p);
        }
    }
    let total = total.cloned();
    if let Some(t) = &total {
        param_paths.insert(0, t.clone());
    }
    rel.cheapest_startup = startup.cloned();
    rel.cheapest_total = total.or_else(|| best_param.cloned());
    rel.cheapest_unique = None;
    rel.cheapest_param = param_paths;
}

/// The best path when only a fraction of the rows is wanted (above 1: that many rows).
pub(crate) fn cheapest_fractional(rel: &Rel, fraction: f64) -> Option<&Rc<Path>> {
    let best = rel.cheapest_total.as_ref()?;
    if fraction <= 0.0 {
        return Some(best);
    }
    let fraction = if fraction >= 1.0 && best.rows > 0.0 { fraction / best.rows } else { fraction };
    let mut winner = best;
    for p in &rel.paths {
        if Rc::ptr_eq(p, best) || p.param.is_some() {
            continue;
        }
        if fractional_order(winner, p, fraction).is_gt() {
            winner = p;
        }
    }
    Some(winner)
}

pub(crate) fn fractional_order(a: &Path, b: &Path, fraction: f64) -> std::cmp::Ordering {
    if a.disabled != b.disabled {
        return a.disabled.cmp(&b.disabled);
    }
    if fraction <= 0.0 || fraction >= 1.0 {
        return cheaper(a, b, false);
    }
    let cost = |p: &Path| p.startup + fraction * (p.total - p.startup);
    cost(a).partial_cmp(&cost(b)).unwrap_or(std::cmp::Ordering::Equal)
}

/// The cheapest path with (at least) the wanted order and no parameterization beyond `required`.
pub(crate) fn cheapest_for_keys<'a>(
    paths: &'a [Rc<Path>],
    keys: &[PathKey],
    required: Option<&Relids>,
    by_startup: bool,
) -> Option<&'a Rc<Path>> {
    let mut best: Option<&Rc<Path>> = None;
    let empty = Relids::new();
    for p in paths {
        if best.is_some_and(|b| !cheaper(b, p, by_startup).is_gt()) {
            continue;
        }
        if pathkeys::contained(keys, &p.pathkeys)
            && p.required().unwrap_or(&empty).subset_of(required.unwrap_or(&empty))
        {
            best = Some(p);
        }
    }
    best
}
