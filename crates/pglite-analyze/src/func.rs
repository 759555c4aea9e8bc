//! Function lookup: the candidates of a name, and PostgreSQL's rules for choosing among them.

use pglite_catalog::{Key, ProcRow};

use crate::coerce::Path;
use crate::prelude::*;

pub(crate) const MAX_ARGS: usize = 100;

/// A function that a call might mean.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub oid: Oid,
    /// Argument types in call order, VARIADIC expanded, defaulted ones included.
    pub args: Vec<Oid>,
    /// How many arguments the VARIADIC one was expanded to.
    pub nvargs: usize,
    /// How many arguments come from defaults.
    pub ndargs: usize,
    /// With named notation: for each call argument its declared position.
    pub arg_numbers: Option<Vec<usize>>,
    path_pos: usize,
}

impl Candidate {
    /// A candidate without VARIADIC, defaults or names (operators).
    pub(crate) fn plain(oid: Oid, args: Vec<Oid>) -> Candidate {
        Candidate { oid, args, nvargs: 0, ndargs: 0, arg_numbers: None, path_pos: 0 }
    }
}

/// What kind of function a name resolved to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FuncKind {
    NotFound,
    Multiple,
    Normal,
    Procedure,
    Aggregate,
    Window,
    Coercion,
}

/// The result of a lookup.
#[derive(Clone, Debug)]
pub(crate) struct FuncDetail {
    pub kind: FuncKind,
    pub oid: Oid,
    pub ret: Oid,
    pub retset: bool,
    pub nvargs: usize,
    pub variadic_type: Oid,
    /// Declared argument types of the call (as in [`Candidate::args`]).
    pub declared: Vec<Oid>,
    /// Declared position of each default that is filled in, in order.
    pub default_positions: Vec<usize>,
    pub arg_numbers: Option<Vec<usize>>,
}

impl FuncDetail {
    fn none(kind: FuncKind) -> FuncDetail {
        FuncDetail {
            kind,
            oid: Oid::INVALID,
            ret: Oid::INVALID,
            retset: false,
            nvargs: 0,
            variadic_type: Oid::INVALID,
            declared: Vec::new(),
            default_positions: Vec::new(),
            arg_numbers: None,
        }
    }
}

/// A split, perhaps qualified name.
pub(crate) struct Qualified<'n> {
    pub schema: Option<&'n str>,
    pub name: &'n str,
}

/// What a lookup may do.
#[derive(Clone, Copy)]
pub(crate) struct LookupOptions {
    pub expand_variadic: bool,
    pub expand_defaults: bool,
    /// CALL: OUT arguments stand in the call.
    pub include_out: bool,
}

impl<'e> Cat<'e> {
    /// The declared argument types of a call: input ones, or all but TABLE ones for CALL.
    fn declared_args(self, p: &ProcRow, include_out: bool) -> Vec<Oid> {
        if include_out && let (Some(all), Some(modes)) = (&p.proallargtypes, &p.proargmodes) {
            return all.iter().zip(modes.iter()).filter(|(_, m)| **m != b't').map(|(t, _)| *t).collect();
        }
        p.proargtypes.to_vec()
    }

    /// PostgreSQL's `FuncnameGetCandidates`.
    pub fn func_candidates(
        self,
        name: &Qualified<'_>,
        nargs: Option<usize>,
        arg_names: &[String],
        opts: LookupOptions,
    ) -> PgResult<Vec<Candidate>> {
        let namespace = name.schema.map(|s| self.explicit_namespace(s)).transpose()?;
        let path = self.path_namespaces();
        let temp = self.temp_namespace();
        let mut out: Vec<Candidate> = Vec::new();
        for p in self.table::<ProcRow>().scan(ProcRow::BY_PRONAME_ARGS_NSP, &Key::new().str(name.name)) {
            let path_pos = match namespace {
                Some(n) if p.pronamespace == n => 0,
                Some(_) => continue,
                None => match path.iter().position(|n| *n == p.pronamespace && Some(*n) != temp) {
                    Some(pos) => pos,
                    None => continue,
                },
            };
            if let Some(c) = self.candidate(p, nargs, arg_names, opts, path_pos) {
                add_candidate(&mut out, c);
            }
        }
        Ok(out)
    }

    fn candidate(
        self,
        p: &ProcRow,
        nargs: Option<usize>,
        arg_names: &[String],
        opts: LookupOptions,
        path_pos: usize,
    ) -> Option<Candidate> {
        let mut args = self.declared_args(p, opts.include_out);
        let pronargs = args.len();
        let mut nvargs = 0;
        let mut ndargs = 0;
        let mut arg_numbers = None;
        if !arg_names.is_empty() {
            let nargs = nargs.unwrap_or(0);
            if p.provariadic.is_valid() && opts.expand_variadic {
                return None;
            }
            let numbers = self.match_named(p, nargs, arg_names, pronargs, opts)?;
            args = numbers.iter().map(|i| args[*i]).collect();
            ndargs = pronargs - nargs;
            arg_numbers = Some(numbers);
        } else if let Some(nargs) = nargs {
            let variadic = pronargs <= nargs && opts.expand_variadic && p.provariadic.is_valid();
            if pronargs > nargs && opts.expand_defaults {
                if nargs + (p.pronargdefaults as usize) < pronargs {
                    return None;
                }
                ndargs = pronargs - nargs;
            } else if pronargs != nargs && !variadic {
                return None;
            }
            if variadic {
                nvargs = nargs - pronargs + 1;
                args.truncate(pronargs - 1);
                args.resize(nargs, p.provariadic);
            }
        }
        Some(Candidate { oid: p.oid, args, nvargs, ndargs, arg_numbers, path_pos })
    }

    /// PostgreSQL's `MatchNamedCall`: the declared position of each call argument, defaults last.
    fn match_named(
        self,
        p: &ProcRow,
        nargs: usize,
        arg_names: &[String],
        pronargs: usize,
        opts: LookupOptions,
    ) -> Option<Vec<usize>> {
        let npos = nargs - arg_names.len();
        if nargs > pronargs || nargs + (p.pronargdefaults as usize) < pronargs {
            return None;
        }
        let names = p.proargnames.as_ref()?;
        let mut used = vec![false; pronargs];
        let mut numbers: Vec<usize> = (0..npos).collect();
        used[..npos].fill(true);
        for wanted in arg_names {
            let mut pp = 0;
            let mut found = None;
            for (i, have) in names.iter().enumerate() {
                let mode = p.proargmodes.as_ref().and_then(|m| m.get(i).copied()).unwrap_or(b'i');
                let counts = match mode {
                    b'i' | b'b' | b'v' => true,
                    b'o' => opts.include_out,
                    _ => false,
                };
                if !counts {
                    continue;
                }
                if &**have == wanted.as_str() {
                    found = Some(pp);
                    break;
                }
                pp += 1;
            }
            let at = found?;
            if at >= pronargs || used[at] {
                return None;
            }
            used[at] = true;
            numbers.push(at);
        }
        if nargs < pronargs {
            if !opts.expand_defaults {
                return None;
            }
            let first_default = pronargs - p.pronargdefaults as usize;
            for (i, u) in used.iter().enumerate() {
                if !u {
                    if i < first_default {
                        return None;
                    }
                    numbers.push(i);
                }
            }
        }
        Some(numbers)
    }

    /// PostgreSQL's `func_match_argtypes`.
    pub fn match_arg_types(self, input: &[Oid], candidates: &[Candidate]) -> Vec<Candidate> {
        candidates
            .iter()
            .filter(|c| {
                self.can_coerce_types(
                    input,
                    &c.args[..input.len().min(c.args.len())],
                    CoercionContext::Implicit,
                )
            })
            .cloned()
            .collect()
    }

    /// PostgreSQL's `func_select_candidate`: the heuristics for several usable candidates.
    pub fn select_candidate(self, input: &[Oid], candidates: Vec<Candidate>) -> Option<Candidate> {
        let base: Vec<Oid> =
            input.iter().map(|t| if *t == oid::UNKNOWN { *t } else { self.base_type(*t) }).collect();
        let unknowns = base.iter().filter(|t| **t == oid::UNKNOWN).count();
        let best = keep_best(candidates, |c| {
            base.iter().zip(&c.args).filter(|(b, a)| **b != oid::UNKNOWN && b == a).count()
        });
        if best.len() == 1 {
            return best.into_iter().next();
        }
        let categories: Vec<u8> = base.iter().map(|t| self.category(*t).0).collect();
        let best = keep_best(best, |c| {
            base.iter()
                .zip(&c.args)
                .zip(&categories)
                .filter(|((b, a), cat)| **b != oid::UNKNOWN && (b == a || self.is_preferred(**cat, **a)))
                .count()
        });
        if best.len() == 1 {
            return best.into_iter().next();
        }
        if unknowns == 0 {
            return None;
        }
        let best = self.resolve_unknown_args(&base, best);
        if best.len() == 1 {
            return best.into_iter().next();
        }
        if unknowns < base.len() {
            return self.assume_same_type(&base, best);
        }
        None
    }

    /// Unknown literals prefer the string category, or the category all candidates agree on.
    fn resolve_unknown_args(self, base: &[Oid], candidates: Vec<Candidate>) -> Vec<Candidate> {
        let mut slots: Vec<Option<(u8, bool)>> = vec![None; base.len()];
        for i in 0..base.len() {
            if base[i] != oid::UNKNOWN {
                continue;
            }
            let kinds: Vec<(u8, bool)> = candidates.iter().map(|c| self.category(c.args[i])).collect();
            let category = if kinds.iter().any(|k| k.0 == b'S') { b'S' } else { kinds[0].0 };
            if category != b'S' && kinds.iter().any(|k| k.0 != category) {
                return candidates;
            }
            slots[i] = Some((category, kinds.contains(&(category, true))));
        }
        let fits = |c: &Candidate| {
            slots.iter().enumerate().all(|(i, slot)| {
                slot.is_none_or(|(cat, pref)| {
                    let (c_cat, c_pref) = self.category(c.args[i]);
                    c_cat == cat && (!pref || c_pref)
                })
            })
        };
        let kept: Vec<Candidate> = candidates.iter().filter(|c| fits(c)).cloned().collect();
        if kept.is_empty() { candidates } else { kept }
    }

    /// All known inputs of one type: try that type for the unknown ones too.
    fn assume_same_type(self, base: &[Oid], candidates: Vec<Candidate>) -> Option<Candidate> {
        let mut known = base.iter().filter(|t| **t != oid::UNKNOWN);
        let first = *known.next()?;
        if known.any(|t| *t != first) {
            return None;
        }
        let types = vec![first; base.len()];
        let mut fit = candidates
            .into_iter()
            .filter(|c| self.can_coerce_types(&types, &c.args[..types.len()], CoercionContext::Implicit));
        let only = fit.next()?;
        if fit.next().is_some() { None } else { Some(only) }
    }

    /// PostgreSQL's `func_get_detail`.
    pub fn func_detail(
        self,
        name: &Qualified<'_>,
        arg_names: &[String],
        types: &[Oid],
        opts: LookupOptions,
        has_args: bool,
    ) -> PgResult<FuncDetail> {
        let raw = self.func_candidates(name, Some(types.len()), arg_names, opts)?;
        let exact = raw.iter().find(|c| c.args[..types.len()] == *types);
        let best = match exact {
            Some(c) => c.clone(),
            None => {
                if types.len() == 1
                    && has_args
                    && arg_names.is_empty()
                    && let Some(target) = self.coercion_request(name, types[0])?
                {
                    let mut d = FuncDetail::none(FuncKind::Coercion);
                    d.ret = target;
                    d.declared = types.to_vec();
                    return Ok(d);
                }
                if raw.is_empty() {
                    return Ok(FuncDetail::none(FuncKind::NotFound));
                }
                let mut usable = self.match_arg_types(types, &raw);
                match usable.len() {
                    0 => return Ok(FuncDetail::none(FuncKind::NotFound)),
                    1 => usable.swap_remove(0),
                    _ => match self.select_candidate(types, usable) {
                        Some(c) => c,
                        None => return Ok(FuncDetail::none(FuncKind::Multiple)),
                    },
                }
            }
        };
        if !best.oid.is_valid() {
            return Ok(FuncDetail::none(FuncKind::Multiple));
        }
        let p = self.proc(best.oid)?;
        let default_positions = match &best.arg_numbers {
            Some(n) => n[types.len()..].to_vec(),
            None => (best.args.len() - best.ndargs..best.args.len()).collect(),
        };
        Ok(FuncDetail {
            kind: match p.prokind {
                b'a' => FuncKind::Aggregate,
                b'p' => FuncKind::Procedure,
                b'w' => FuncKind::Window,
                _ => FuncKind::Normal,
            },
            oid: best.oid,
            ret: p.prorettype,
            retset: p.proretset,
            nvargs: best.nvargs,
            variadic_type: p.provariadic,
            declared: best.args,
            default_positions,
            arg_numbers: best.arg_numbers,
        })
    }

    /// `typename(value)` as a cast: the type, when the name is one and the cast is trivial.
    fn coercion_request(self, name: &Qualified<'_>, source: Oid) -> PgResult<Option<Oid>> {
        let target = match name.schema {
            Some(s) => self.lookup_type_in(self.explicit_namespace(s)?, name.name),
            None => self.lookup_type_in_path(name.name),
        };
        let Some(target) = target else { return Ok(None) };
        let row = self.ty(target)?;
        if !row.typisdefined || self.element_type(target).is_valid() && row.typname.starts_with('_') {
            return Ok(None);
        }
        if source == oid::UNKNOWN {
            return Ok(Some(target));
        }
        let ok = match self.coercion_path(target, source, CoercionContext::Explicit) {
            Path::Relabel => true,
            Path::ViaIo => {
                !((source == oid::RECORD || self.is_complex(source)) && self.category(target).0 == b'S')
            }
            _ => false,
        };
        Ok(ok.then_some(target))
    }
}

/// Keeps the candidates with the highest count.
fn keep_best(candidates: Vec<Candidate>, count: impl Fn(&Candidate) -> usize) -> Vec<Candidate> {
    let counts: Vec<usize> = candidates.iter().map(&count).collect();
    let max = counts.iter().copied().max().unwrap_or(0);
    candidates.into_iter().zip(counts).filter(|(_, n)| *n == max).map(|(c, _)| c).collect()
}

/// Adds a candidate unless one with the same arguments stands before it in the path; two equally good ones become
/// ambiguous (no OID).
fn add_candidate(out: &mut Vec<Candidate>, c: Candidate) {
    let n = c.args.len() - c.ndargs;
    let twin = out.iter_mut().find(|o| o.args.len() - o.ndargs == n && o.args[..n] == c.args[..n]);
    let Some(old) = twin else {
        out.push(c);
        return;
    };
    if c.path_pos != old.path_pos {
        if c.path_pos < old.path_pos {
            *old = c;
        }
    } else if c.nvargs > 0 && old.nvargs == 0 {
        // the non-variadic one stays
    } else if c.nvargs == 0 && old.nvargs > 0 {
        *old = c;
    } else {
        old.oid = Oid::INVALID;
    }
}

/// Splits a function, operator or type name; a database name in front must be the current one.
pub(crate) fn split_name<'n>(env: &dyn crate::AnalyzeEnv, names: &'n [String]) -> PgResult<Qualified<'n>> {
    match names {
        [name] => Ok(Qualified { schema: None, name }),
        [schema, name] => Ok(Qualified { schema: Some(schema), name }),
        [db, schema, name] => {
            if *db != env.database_name() {
                bail!(
                    FEATURE_NOT_SUPPORTED,
                    "cross-database references are not implemented: {}",
                    name_list(names)
                );
            }
            Ok(Qualified { schema: Some(schema), name })
        }
        _ => bail!(SYNTAX_ERROR, "improper qualified name (too many dotted names): {}", name_list(names)),
    }
}
