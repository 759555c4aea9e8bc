//! `FuncnameGetCandidates`: the functions that a call could mean, before overload resolution.

use smallvec::SmallVec;

use pglite_error::PgResult;
use pglite_types::Oid;

use super::SearchPath;
use crate::generated::rows::ProcRow;
use crate::snapshot::Snapshot;

/// A call to resolve.
#[derive(Clone, Copy, Debug, Default)]
pub struct FuncQuery<'a> {
    pub schema: Option<&'a str>,
    pub name: &'a str,
    /// `None`: any number of arguments, as `DROP FUNCTION f` asks.
    pub nargs: Option<usize>,
    /// Names of the last arguments (`f(1, b => 2)`).
    pub arg_names: &'a [&'a str],
    /// Accept variadic functions with their last parameter repeated.
    pub expand_variadic: bool,
    /// Accept functions with defaults for missing arguments.
    pub expand_defaults: bool,
    /// Count OUT parameters too, as CALL does.
    pub include_out: bool,
}

/// A function that the call could mean.
#[derive(Clone, Debug)]
pub struct FuncCandidate<'a> {
    pub proc: &'a ProcRow,
    /// The place in the search path; smaller wins.
    pub path_pos: usize,
    /// Parameter types in the order of the call's arguments, then those of defaulted parameters.
    pub args: SmallVec<[Oid; 8]>,
    /// How many arguments the parameter list really has (without repetitions).
    pub nominal_nargs: usize,
    /// How many of `args` come from the repetition of a variadic parameter.
    pub nvargs: usize,
    /// How many of `args` come from defaults.
    pub ndargs: usize,
    /// For named calls: the parameter (0-based) of each of `args`.
    pub arg_numbers: Option<SmallVec<[u16; 8]>>,
    /// More than one function with the same arguments on the same place: ambiguous.
    pub ambiguous: bool,
}

impl SearchPath {
    /// Every candidate, one for each list of argument types: earlier in the path, then non-variadic, then fewer defaults wins.
    pub fn func_candidates<'a>(
        &self,
        s: &'a Snapshot,
        q: &FuncQuery<'_>,
    ) -> PgResult<Vec<FuncCandidate<'a>>> {
        let only = q.schema.map(|n| self.namespace(s, n)).transpose()?;
        let mut list: Vec<FuncCandidate<'a>> = Vec::new();
        let mut has_special = false;
        for p in s.procs_by_name(q.name) {
            let path_pos = match only {
                Some(ns) if p.pronamespace == ns => 0,
                Some(_) => continue,
                None => match self.for_functions().position(|ns| ns == p.pronamespace) {
                    Some(at) => at,
                    None => continue,
                },
            };
            let Some(c) = candidate(p, path_pos, q) else { continue };
            has_special |= c.nvargs > 0 || c.ndargs > 0 || c.arg_numbers.is_some();
            add(&mut list, c, q, has_special || only.is_none());
        }
        Ok(list)
    }
}

/// The parameter types that a call sees.
fn input_types(p: &ProcRow, include_out: bool) -> SmallVec<[Oid; 8]> {
    match (&p.proallargtypes, &p.proargmodes) {
        (Some(all), Some(modes)) if include_out && p.prokind == b'p' => {
            all.iter().zip(modes.iter()).filter(|(_, m)| **m != b't').map(|(t, _)| *t).collect()
        }
        _ => SmallVec::from_slice(&p.proargtypes),
    }
}

fn candidate<'a>(p: &'a ProcRow, path_pos: usize, q: &FuncQuery<'_>) -> Option<FuncCandidate<'a>> {
    let types = input_types(p, q.include_out);
    let pronargs = types.len();
    let mut c = FuncCandidate {
        proc: p,
        path_pos,
        args: types.clone(),
        nominal_nargs: pronargs,
        nvargs: 0,
        ndargs: 0,
        arg_numbers: None,
        ambiguous: false,
    };
    let Some(nargs) = q.nargs else { return Some(c) };
    if !q.arg_names.is_empty() {
        // PG: named calls never expand a variadic parameter.
        let defaults = if q.expand_defaults { p.pronargdefaults as usize } else { 0 };
        if pronargs < nargs || pronargs > nargs + defaults {
            return None;
        }
        let order = match_named(p, nargs, q)?;
        c.ndargs = pronargs - nargs;
        c.args = order.iter().map(|&i| types[i as usize]).collect();
        c.arg_numbers = Some(order);
        return Some(c);
    }
    let variadic = q.expand_variadic && p.provariadic.is_valid() && nargs >= pronargs;
    let by_default = q.expand_defaults && nargs < pronargs && nargs + p.pronargdefaults as usize >= pronargs;
    if variadic {
        c.args.pop();
        while c.args.len() < nargs {
            c.args.push(p.provariadic);
        }
        c.nvargs = nargs - pronargs + 1;
    } else if by_default {
        c.ndargs = pronargs - nargs;
    } else if nargs != pronargs {
        return None;
    }
    Some(c)
}

/// The parameter of each argument: positional ones, named ones, then the parameters left to their defaults.
fn match_named(p: &ProcRow, nargs: usize, q: &FuncQuery<'_>) -> Option<SmallVec<[u16; 8]>> {
    let names = p.proargnames.as_ref()?;
    let pronargs = input_types(p, q.include_out).len();
    let is_input = |i: usize| match &p.proargmodes {
        None => true,
        Some(m) if q.include_out && p.prokind == b'p' => m.get(i).is_some_and(|m| *m != b't'),
        Some(m) => m.get(i).is_some_and(|m| matches!(m, b'i' | b'b' | b'v')),
    };
    // The names of the input parameters, by their number among input parameters.
    let inputs: SmallVec<[&str; 8]> = (0..names.len()).filter(|&i| is_input(i)).map(|i| &*names[i]).collect();
    let positional = nargs - q.arg_names.len();
    let mut used: SmallVec<[bool; 8]> = SmallVec::from_elem(false, pronargs);
    let mut order: SmallVec<[u16; 8]> = SmallVec::new();
    for i in 0..positional {
        *used.get_mut(i)? = true;
        order.push(i as u16);
    }
    for name in q.arg_names {
        let at = inputs.iter().position(|n| n == name)?;
        if *used.get(at)? {
            return None;
        }
        used[at] = true;
        order.push(at as u16);
    }
    let first_default = pronargs - p.pronargdefaults as usize;
    for (i, taken) in used.iter().enumerate() {
        if !taken {
            if i < first_default {
                return None;
            }
            order.push(i as u16);
        }
    }
    Some(order)
}

/// Adds a candidate, or lets it compete with an earlier one of the same arguments.
fn add<'a>(list: &mut Vec<FuncCandidate<'a>>, c: FuncCandidate<'a>, q: &FuncQuery<'_>, compare: bool) {
    if compare && let Some(nargs) = q.nargs {
        let effective =
            |f: &FuncCandidate<'_>| -> SmallVec<[Oid; 8]> { f.args.iter().take(nargs).copied().collect() };
        let mine = effective(&c);
        if let Some(prev) = list.iter_mut().find(|p| effective(p) == mine) {
            let better = if c.path_pos != prev.path_pos {
                Some(c.path_pos < prev.path_pos)
            } else if (c.nvargs > 0) != (prev.nvargs > 0) {
                Some(c.nvargs == 0)
            } else if c.ndargs != prev.ndargs && c.nvargs == 0 && (c.ndargs == 0 || prev.ndargs == 0) {
                Some(c.ndargs < prev.ndargs)
            } else if c.nvargs > 0 && c.nominal_nargs != prev.nominal_nargs {
                Some(c.nominal_nargs > prev.nominal_nargs)
            } else {
                None
            };
            match better {
                Some(true) => *prev = c,
                Some(false) => {}
                None => prev.ambiguous = true,
            }
            return;
        }
    } else if compare
        && let Some(prev) = list.iter_mut().find(|p| p.args == c.args && p.path_pos != c.path_pos)
    {
        if c.path_pos < prev.path_pos {
            *prev = c;
        }
        return;
    }
    list.push(c);
}
