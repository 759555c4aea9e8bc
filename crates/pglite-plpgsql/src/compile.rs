//! From a function's catalog row to its tree: parameters, special variables, then the body.

use pglite_analyze::AnalyzeEnv;
use pglite_catalog::generated::rows::ProcRow;
use pglite_catalog::{describe, format_type};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_types::{Oid, oid};

use crate::parse::{Parser, type_of};
use crate::tree::*;

/// How a function is about to be called.
pub struct CallShape {
    /// Types of the input arguments.
    pub args: Vec<Oid>,
    pub ret: Oid,
    pub trigger: bool,
    pub event_trigger: bool,
    /// At CREATE: polymorphic types stand for themselves, and syntax is checked.
    pub validate: bool,
}

/// The polymorphic types and what stands for them.
#[derive(Clone, Copy, Debug, Default)]
struct Poly {
    element: Option<Oid>,
    range: Option<Oid>,
    multirange: Option<Oid>,
}

fn family(ty: Oid) -> Option<usize> {
    Some(match ty {
        oid::ANYELEMENT
        | oid::ANYARRAY
        | oid::ANYNONARRAY
        | oid::ANYENUM
        | oid::ANYRANGE
        | oid::ANYMULTIRANGE => 0,
        oid::ANYCOMPATIBLE
        | oid::ANYCOMPATIBLEARRAY
        | oid::ANYCOMPATIBLENONARRAY
        | oid::ANYCOMPATIBLERANGE
        | oid::ANYCOMPATIBLEMULTIRANGE => 1,
        _ => return None,
    })
}

struct Polymorphic<'a> {
    env: &'a dyn AnalyzeEnv,
    families: [Poly; 2],
}

impl Polymorphic<'_> {
    fn learn(&mut self, declared: Oid, actual: Oid) {
        let Some(f) = family(declared) else { return };
        let s = self.env.catalog();
        let actual_base = s.base_type(actual);
        let p = &mut self.families[f];
        match declared {
            oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY => {
                p.element = p.element.or(s.element_type(actual_base));
            }
            oid::ANYRANGE | oid::ANYCOMPATIBLERANGE => {
                p.range = Some(actual_base);
                p.element = p.element.or(s.range(actual_base).map(|r| r.rngsubtype));
            }
            oid::ANYMULTIRANGE | oid::ANYCOMPATIBLEMULTIRANGE => {
                p.multirange = Some(actual_base);
                if let Some(r) = s.range_of_multirange(actual_base) {
                    p.range = Some(r.rngtypid);
                    p.element = p.element.or(Some(r.rngsubtype));
                }
            }
            _ => p.element = p.element.or(Some(actual)),
        }
    }

    fn resolve(&self, declared: Oid) -> Oid {
        let Some(f) = family(declared) else { return declared };
        let s = self.env.catalog();
        let p = self.families[f];
        let found = match declared {
            oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY => p.element.and_then(|e| s.array_type(e)),
            oid::ANYRANGE | oid::ANYCOMPATIBLERANGE => p.range,
            oid::ANYMULTIRANGE | oid::ANYCOMPATIBLEMULTIRANGE => {
                p.multirange.or_else(|| s.range(p.range?).map(|r| r.rngmultitypid))
            }
            _ => p.element,
        };
        found.unwrap_or(declared)
    }
}

/// What stands for a polymorphic type while a function is checked at creation.
fn stand_in(declared: Oid) -> Oid {
    match declared {
        oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY => oid::INT4_ARRAY,
        oid::ANYRANGE | oid::ANYCOMPATIBLERANGE => oid::INT4RANGE,
        oid::ANYMULTIRANGE | oid::ANYCOMPATIBLEMULTIRANGE => oid::INT4MULTIRANGE,
        t if family(t).is_some() => oid::INT4,
        t => t,
    }
}

/// The parts of a tree that are known before the body is parsed.
#[derive(Default)]
struct Header {
    args: Vec<Dno>,
    new_old: Option<(Dno, Dno)>,
    promises: Vec<Dno>,
}

/// Compiles a function of the catalog.
pub fn compile(env: &dyn AnalyzeEnv, row: &ProcRow, shape: &CallShape) -> PgResult<Function> {
    let s = env.catalog();
    let signature =
        describe::format_procedure(s, env.search_path(), row.oid).unwrap_or_else(|| row.proname.to_string());
    let kind = match (shape.trigger, shape.event_trigger, row.prokind) {
        (true, _, _) => FunctionKind::Trigger,
        (_, true, _) => FunctionKind::EventTrigger,
        (_, _, b'p') => FunctionKind::Procedure,
        _ => FunctionKind::Function,
    };
    let in_compile = |e: PgError, line: u32| located(e, row.proname.as_str(), line);
    let mut p = Parser::new(&row.prosrc, env, kind, shape.validate).map_err(|e| in_compile(e, 1))?;
    let header = header(&mut p, row, shape).map_err(|e| in_compile(e, 1))?;
    let function = Unfinished {
        oid: row.oid,
        name: row.proname.to_string(),
        signature,
        read_only: row.provolatile != b'v',
    };
    finish(p, function, header)
}

/// Compiles a DO block.
pub fn compile_inline(env: &dyn AnalyzeEnv, source: &str) -> PgResult<Function> {
    let name = "inline_code_block";
    let mut p = Parser::new(source, env, FunctionKind::Inline, true)?;
    p.push_ns(NsKind::BlockLabel, name);
    p.ret_type = oid::VOID;
    let unfinished =
        Unfinished { oid: Oid::INVALID, name: name.into(), signature: name.into(), read_only: false };
    finish(p, unfinished, Header::default())
}

struct Unfinished {
    oid: Oid,
    name: String,
    signature: String,
    read_only: bool,
}

fn finish(mut p: Parser<'_>, f: Unfinished, header: Header) -> PgResult<Function> {
    let shadow = |name: &str| {
        p.env
            .setting(name)
            .is_some_and(|v| v.split(',').any(|w| matches!(w.trim(), "all" | "shadowed_variables")))
    };
    let (warn, fail) = (shadow("plpgsql.extra_warnings"), shadow("plpgsql.extra_errors"));
    let bool_type = type_of(p.env, oid::BOOL, -1, None)?;
    p.shadow_warnings = (p.check && (warn || fail)).then_some(fail);
    let found = p.variable("found", 0, bool_type, true)?;
    let body = p.body();
    let body = match body {
        Ok(b) => b,
        Err(e) => {
            let line = p.line_of(p.toks.get(p.pos.saturating_sub(1)).map_or(0, |t| t.start));
            return Err(if p.check { located(e, &f.name, line) } else { at_call(e, &f.name, line, p.src) });
        }
    };
    Ok(Function {
        oid: f.oid,
        signature: f.signature,
        kind: p.kind,
        ret_type: p.ret_type,
        ret_set: p.ret_set,
        read_only: f.read_only,
        args: header.args,
        out: p.out,
        found,
        new_old: header.new_old,
        promises: header.promises,
        datums: p.datums,
        body,
        names: p.names,
        conflict: p.conflict,
        print_strict_params: p.print_strict_params,
        expr_count: p.exprs,
        plans: Default::default(),
        casts: Default::default(),
    })
}

/// Errors without a position name the line instead.
fn located(e: PgError, name: &str, line: u32) -> PgError {
    if e.fields().position.is_some() {
        return e;
    }
    e.context(format!("compilation of PL/pgSQL function \"{name}\" near line {line}"))
}

/// At a call the body is no part of the statement: a position is one in the body as internal query.
fn at_call(mut e: PgError, name: &str, line: u32, body: &str) -> PgError {
    let f = e.fields_mut();
    if let Some(p) = f.position.take() {
        f.internal_position = Some(p);
        f.internal_query = Some(body.to_string());
    }
    e.context(format!("compilation of PL/pgSQL function \"{name}\" near line {line}"))
}

fn header(p: &mut Parser<'_>, row: &ProcRow, shape: &CallShape) -> PgResult<Header> {
    let env = p.env;
    p.push_ns(NsKind::BlockLabel, row.proname.as_str());
    p.ret_set = row.proretset;
    match p.kind {
        FunctionKind::Trigger => return trigger_header(p, row),
        FunctionKind::EventTrigger => {
            p.ret_type = oid::VOID;
            let text = type_of(env, oid::TEXT, -1, None)?;
            let mut h = Header::default();
            for name in ["tg_event", "tg_tag"] {
                h.promises.push(p.variable(name, 0, text.clone(), true)?);
            }
            return Ok(h);
        }
        _ => {}
    }
    let declared: Vec<Oid> = match &row.proallargtypes {
        Some(all) => all.to_vec(),
        None => row.proargtypes.iter().copied().collect(),
    };
    let modes: Vec<u8> = match &row.proargmodes {
        Some(m) => m.to_vec(),
        None => vec![b'i'; declared.len()],
    };
    let names: Vec<String> = row.proargnames.iter().flat_map(|l| l.iter()).map(|n| n.to_string()).collect();
    let mut poly = Polymorphic { env, families: [Poly::default(); 2] };
    let mut actual = shape.args.iter().copied();
    let mut types = Vec::with_capacity(declared.len());
    for (ty, mode) in declared.iter().zip(&modes) {
        let given = if matches!(mode, b'i' | b'b' | b'v') { actual.next() } else { None };
        match given.filter(|_| !shape.validate) {
            Some(g) => {
                poly.learn(*ty, g);
                types.push(Some(if family(*ty).is_some() || *ty == oid::RECORD { g } else { *ty }));
            }
            None => types.push(None),
        }
    }
    let mut h = Header::default();
    let mut outs = Vec::new();
    for (i, (ty, mode)) in declared.iter().zip(&modes).enumerate() {
        let ty = match types[i] {
            Some(t) => t,
            None if shape.validate => stand_in(*ty),
            None => poly.resolve(*ty),
        };
        // A domain or array passes as what the parameter says; ANYARRAY alone keeps a domain's base.
        let pt = type_of(env, ty, -1, None)?;
        if pt.class == TypeClass::Pseudo {
            bail!(FEATURE_NOT_SUPPORTED, "PL/pgSQL functions cannot accept type {}", pt.name);
        }
        let name = names.get(i).map_or("", String::as_str);
        let shown = if name.is_empty() { format!("${}", i + 1) } else { name.to_string() };
        let is_record = pt.class == TypeClass::Record;
        let dno = p.variable(&shown, 0, pt, false)?;
        if matches!(mode, b'i' | b'b' | b'v') {
            h.args.push(dno);
        }
        if matches!(mode, b'o' | b'b' | b't') {
            outs.push((shown, dno));
        }
        let ns = if is_record { NsKind::Record } else { NsKind::Var };
        p.add_name(ns, dno, &format!("${}", i + 1));
        if !name.is_empty() {
            if lookup(&p.names, p.top, true, name, None, None).is_some() {
                bail!(INVALID_FUNCTION_DEFINITION, "parameter name \"{name}\" used more than once");
            }
            p.add_name(ns, dno, name);
        }
    }
    p.out = match outs.len() {
        0 => None,
        1 if row.prokind != b'p' => Some(outs[0].1),
        _ => Some(p.row(0, outs.clone())),
    };
    let ret = match shape.validate {
        true => stand_in(row.prorettype),
        false if family(row.prorettype).is_some() => {
            let r = if family(shape.ret).is_some() { poly.resolve(row.prorettype) } else { shape.ret };
            if family(r).is_some() {
                return Err(err!(
                    DATATYPE_MISMATCH,
                    "could not determine actual return type for polymorphic function \"{}\"",
                    row.proname
                ));
            }
            r
        }
        false => row.prorettype,
    };
    p.ret_type = ret;
    return_type(p, row, ret)?;
    // $0 is the result variable of a polymorphic function.
    if family(row.prorettype).is_some() && outs.is_empty() {
        let ty = type_of(env, ret, -1, None)?;
        let is_record = ty.class == TypeClass::Record;
        let dno = p.variable("$0", 0, ty, false)?;
        p.add_name(if is_record { NsKind::Record } else { NsKind::Var }, dno, "$0");
    }
    Ok(h)
}

fn return_type(p: &mut Parser<'_>, row: &ProcRow, ret: Oid) -> PgResult<()> {
    let s = p.env.catalog();
    let typtype = s.type_by_oid(ret).map_or(b'b', |t| t.typtype);
    p.ret_record = ret == oid::RECORD || s.type_by_oid(s.base_type(ret)).is_some_and(|t| t.typtype == b'c');
    if typtype != b'p' || matches!(ret, oid::VOID | oid::RECORD) {
        return Ok(());
    }
    if matches!(ret, oid::TRIGGER | oid::EVENT_TRIGGER) {
        return Err(err!(FEATURE_NOT_SUPPORTED, "trigger functions can only be called as triggers"));
    }
    let name = format_type::format_type_be(s, p.env.search_path(), ret);
    let _ = row;
    Err(err!(FEATURE_NOT_SUPPORTED, "PL/pgSQL functions cannot return type {name}"))
}

/// The order of TG_ variables here is that of their values in [`crate::run::trigger`].
pub(crate) const TRIGGER_VARIABLES: [(&str, Oid); 10] = [
    ("tg_name", oid::NAME),
    ("tg_when", oid::TEXT),
    ("tg_level", oid::TEXT),
    ("tg_op", oid::TEXT),
    ("tg_relid", oid::OID),
    ("tg_relname", oid::NAME),
    ("tg_table_name", oid::NAME),
    ("tg_table_schema", oid::NAME),
    ("tg_nargs", oid::INT4),
    ("tg_argv", oid::TEXT_ARRAY),
];

fn trigger_header(p: &mut Parser<'_>, row: &ProcRow) -> PgResult<Header> {
    p.ret_type = Oid::INVALID;
    p.ret_set = false;
    p.ret_record = true;
    if row.pronargs != 0 {
        return Err(err!(INVALID_FUNCTION_DEFINITION, "trigger functions cannot have declared arguments")
            .hint("The arguments of the trigger can be accessed through TG_NARGS and TG_ARGV instead."));
    }
    let record = type_of(p.env, oid::RECORD, -1, None)?;
    let new = p.variable("new", 0, record.clone(), true)?;
    let old = p.variable("old", 0, record, true)?;
    let mut h = Header { new_old: Some((new, old)), ..Header::default() };
    for (name, ty) in TRIGGER_VARIABLES {
        let ty = type_of(p.env, ty, -1, None)?;
        h.promises.push(p.variable(name, 0, ty, true)?);
    }
    Ok(h)
}
