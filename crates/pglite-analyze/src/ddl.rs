//! Functions named by DDL: `name(types)` without overload resolution.

use crate::func::{LookupOptions, split_name};
use crate::prelude::*;
use ast::ObjectType as O;

fn noun(kind: O) -> &'static str {
    match kind {
        O::Procedure => "procedure",
        O::Aggregate => "aggregate",
        O::Routine => "routine",
        _ => "function",
    }
}

fn fits(kind: O, prokind: u8) -> bool {
    match kind {
        O::Procedure => prokind == b'p',
        O::Aggregate => prokind == b'a',
        O::Routine => true,
        _ => matches!(prokind, b'f' | b'w' | b'a'),
    }
}

pub(crate) fn lookup_with_args(
    a: &mut Analyzer<'_, '_>,
    kind: O,
    func: &ast::ObjectWithArgs,
    missing_ok: bool,
) -> PgResult<Option<Oid>> {
    let name = split_name(a.env, &func.objname)?;
    let list = name_list(&func.objname);
    let mut types = Vec::new();
    for t in func.objargs.iter().flatten() {
        match a.lookup_type(t)? {
            Some((ty, _)) => types.push(ty),
            None if missing_ok => return Ok(None),
            None => {
                a.resolve_type(t)?;
            }
        }
    }
    let opts = LookupOptions { expand_variadic: false, expand_defaults: false, include_out: false };
    let nargs = (!func.args_unspecified).then_some(types.len());
    let mut found: Vec<Oid> = Vec::new();
    for include_out in [false, true] {
        if include_out && (!found.is_empty() || !matches!(kind, O::Procedure | O::Routine)) {
            break;
        }
        let candidates = a.cat.func_candidates(&name, nargs, &[], LookupOptions { include_out, ..opts })?;
        for c in candidates {
            if (func.args_unspecified || c.args == types) && c.oid.is_valid() {
                found.push(c.oid);
            }
        }
    }
    let mut matching = Vec::new();
    for oid in &found {
        if fits(kind, a.cat.proc(*oid)?.prokind) {
            matching.push(*oid);
        }
    }
    if func.args_unspecified && matching.len() > 1 {
        return Err(err!(AMBIGUOUS_FUNCTION, "{} name \"{list}\" is not unique", noun(kind))
            .hint(format!("Specify the argument list to select the {} unambiguously.", noun(kind))));
    }
    if let Some(oid) = matching.first() {
        return Ok(Some(*oid));
    }
    let sig = a.cat.signature(&list, &[], &types);
    if let Some(oid) = found.first() {
        let prokind = a.cat.proc(*oid)?.prokind;
        let e = match kind {
            O::Procedure => err!(WRONG_OBJECT_TYPE, "{sig} is not a procedure"),
            O::Aggregate => err!(WRONG_OBJECT_TYPE, "function {sig} is not an aggregate"),
            _ if prokind == b'p' => err!(WRONG_OBJECT_TYPE, "{sig} is not a function"),
            _ => err!(WRONG_OBJECT_TYPE, "{sig} is not a function"),
        };
        return Err(e);
    }
    if missing_ok {
        return Ok(None);
    }
    Err(match (kind, func.args_unspecified) {
        (O::Procedure, true) => err!(UNDEFINED_FUNCTION, "could not find a procedure named \"{list}\""),
        (O::Procedure, false) => err!(UNDEFINED_FUNCTION, "procedure {sig} does not exist"),
        (O::Aggregate, true) => err!(UNDEFINED_FUNCTION, "could not find an aggregate named \"{list}\""),
        (O::Aggregate, false) if types.is_empty() => {
            err!(UNDEFINED_FUNCTION, "aggregate {list}(*) does not exist")
        }
        (O::Aggregate, false) => err!(UNDEFINED_FUNCTION, "aggregate {sig} does not exist"),
        (_, true) => err!(UNDEFINED_FUNCTION, "could not find a function named \"{list}\""),
        (_, false) => err!(UNDEFINED_FUNCTION, "function {sig} does not exist"),
    })
}
