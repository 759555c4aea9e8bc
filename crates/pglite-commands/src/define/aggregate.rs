//! CREATE AGGREGATE.

use pglite_analyze::resolve_function;
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{AggregateRow, NamespaceRow, OperatorRow, ProcRow};
use pglite_catalog::{List, Vector, well_known};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_parser::ast::{DefineStmt, FunctionParameterMode};
use pglite_types::{Oid, oid};

use super::{bool_of, int_of, missing, names_of, text_of, type_name_of, type_of};
use crate::ctx;
use crate::host::CommandHost;
use crate::objects;

/// `internal`.
const INTERNAL: Oid = Oid(2281);

#[derive(Default)]
struct Options {
    trans: Option<Vec<String>>,
    fin: Option<Vec<String>>,
    combine: Option<Vec<String>>,
    serial: Option<Vec<String>>,
    deserial: Option<Vec<String>>,
    mtrans: Option<Vec<String>>,
    minv: Option<Vec<String>>,
    mfin: Option<Vec<String>>,
    sort_op: Option<Vec<String>>,
    fin_extra: bool,
    mfin_extra: bool,
    fin_modify: u8,
    mfin_modify: u8,
    trans_type: Option<Oid>,
    mtrans_type: Option<Oid>,
    space: i32,
    mspace: i32,
    init: Option<String>,
    minit: Option<String>,
    base: Option<pglite_parser::ast::TypeName>,
    hypothetical: bool,
    parallel: u8,
}

fn modify_letter(d: &pglite_parser::ast::DefElem) -> PgResult<u8> {
    Ok(match text_of(d).as_deref() {
        Some("read_only") => b'r',
        Some("shareable") => b's',
        Some("read_write") => b'w',
        _ => bail!(SYNTAX_ERROR, "parameter \"{}\" must be READ_ONLY, SHAREABLE, or READ_WRITE", d.defname),
    })
}

fn options(host: &dyn CommandHost, s: &DefineStmt) -> PgResult<Options> {
    let mut o = Options { parallel: b'u', ..Options::default() };
    for d in &s.definition {
        match d.defname.as_str() {
            "sfunc" | "sfunc1" => o.trans = Some(names_of(d)?),
            "finalfunc" => o.fin = Some(names_of(d)?),
            "combinefunc" => o.combine = Some(names_of(d)?),
            "serialfunc" => o.serial = Some(names_of(d)?),
            "deserialfunc" => o.deserial = Some(names_of(d)?),
            "msfunc" => o.mtrans = Some(names_of(d)?),
            "minvfunc" => o.minv = Some(names_of(d)?),
            "mfinalfunc" => o.mfin = Some(names_of(d)?),
            "sortop" => o.sort_op = Some(names_of(d)?),
            "finalfunc_extra" => o.fin_extra = bool_of(d)?,
            "mfinalfunc_extra" => o.mfin_extra = bool_of(d)?,
            "finalfunc_modify" => o.fin_modify = modify_letter(d)?,
            "mfinalfunc_modify" => o.mfin_modify = modify_letter(d)?,
            "stype" | "stype1" => o.trans_type = Some(type_of(host, &type_name_of(d)?)?),
            "mstype" => o.mtrans_type = Some(type_of(host, &type_name_of(d)?)?),
            "sspace" => o.space = int_of(d)? as i32,
            "msspace" => o.mspace = int_of(d)? as i32,
            "initcond" | "initcond1" => o.init = text_of(d),
            "minitcond" => o.minit = text_of(d),
            "basetype" => o.base = Some(type_name_of(d)?),
            "hypothetical" => o.hypothetical = bool_of(d)?,
            "parallel" => {
                o.parallel = match text_of(d).as_deref() {
                    Some("safe") => b's',
                    Some("restricted") => b'r',
                    Some("unsafe") => b'u',
                    _ => bail!(SYNTAX_ERROR, "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE"),
                }
            }
            other => {
                let w = PgError::new(
                    codes::SYNTAX_ERROR,
                    format!("aggregate attribute \"{other}\" not recognized"),
                );
                ctx::notice(host, w.severity(Severity::Warning));
            }
        }
    }
    Ok(o)
}

/// A support function and its result type.
fn support(host: &dyn CommandHost, names: &[String], types: &[Oid]) -> PgResult<(ProcRow, Oid)> {
    let found = {
        let env = host.env();
        resolve_function(env.as_analyze_env(), names, types)?
    };
    let Some(f) = found else { return Err(missing(host, names, types)) };
    let s = host.snapshot();
    if f.retset {
        bail!(DATATYPE_MISMATCH, "function {} returns a set", names.join("."));
    }
    let p = s.proc_by_oid(f.oid).cloned().ok_or_else(|| missing(host, names, types))?;
    for (have, want) in types.iter().zip(f.declared.iter()) {
        let poly = pglite_catalog::SearchPath::is_polymorphic(*want)
            || pglite_catalog::SearchPath::is_polymorphic(*have);
        if !poly && *want != oid::ANY && !s.is_binary_coercible(*have, *want) {
            let shown: Vec<String> = types
                .iter()
                .map(|t| pglite_catalog::format_type::format_type_be(&s, host.env().search_path(), *t))
                .collect();
            bail!(
                DATATYPE_MISMATCH,
                "function {}({}) requires run-time type coercion",
                names.join("."),
                shown.join(", ")
            );
        }
    }
    Ok((p, f.ret))
}

/// The arguments of an aggregate.
#[derive(Default)]
struct Inputs {
    types: Vec<Oid>,
    modes: Vec<u8>,
    names: Vec<String>,
    variadic: Oid,
    direct: usize,
    kind: u8,
}

impl Inputs {
    /// The arguments that the transition function sees.
    fn aggregated(&self) -> &[Oid] {
        if self.kind == b'n' { &self.types } else { self.types.get(self.direct..).unwrap_or_default() }
    }
}

fn inputs(host: &dyn CommandHost, d: &DefineStmt, o: &Options) -> PgResult<Inputs> {
    let s = host.snapshot();
    let mut i = Inputs { kind: b'n', ..Inputs::default() };
    if d.oldstyle {
        let Some(base) = &o.base else {
            bail!(INVALID_FUNCTION_DEFINITION, "aggregate input type must be specified");
        };
        if !base.dotted().eq_ignore_ascii_case("any") {
            i.types.push(type_of(host, base)?);
        }
        return Ok(i);
    }
    let Some(a) = &d.args else { return Ok(i) };
    if o.base.is_some() {
        bail!(INVALID_FUNCTION_DEFINITION, "basetype is redundant with aggregate input type specification");
    }
    if a.num_direct_args >= 0 {
        i.kind = if o.hypothetical { b'h' } else { b'o' };
        i.direct = a.num_direct_args as usize;
    } else if o.hypothetical {
        bail!(INVALID_FUNCTION_DEFINITION, "only ordered-set aggregates can be hypothetical");
    }
    for p in &a.args {
        let ty = type_of(host, &p.arg_type)?;
        if p.arg_type.setof {
            return Err(
                err!(INVALID_FUNCTION_DEFINITION, "aggregates cannot accept set arguments").at(p.location)
            );
        }
        match p.mode {
            FunctionParameterMode::Out | FunctionParameterMode::InOut | FunctionParameterMode::Table => {
                return Err(err!(INVALID_FUNCTION_DEFINITION, "aggregates cannot have output arguments")
                    .at(p.location));
            }
            FunctionParameterMode::Variadic => {
                i.modes.push(b'v');
                i.variadic = match ty {
                    oid::ANYARRAY => oid::ANYELEMENT,
                    oid::ANYCOMPATIBLEARRAY => oid::ANYCOMPATIBLE,
                    oid::ANY => oid::ANY,
                    t => match s.element_type(t) {
                        Some(e) => e,
                        None => bail!(INVALID_FUNCTION_DEFINITION, "VARIADIC parameter must be an array"),
                    },
                };
            }
            _ => i.modes.push(b'i'),
        }
        if p.defexpr.is_some() {
            bail!(INVALID_FUNCTION_DEFINITION, "aggregates cannot have default values for parameters");
        }
        i.names.push(p.name.clone().unwrap_or_default());
        i.types.push(ty);
    }
    Ok(i)
}

fn shown(host: &dyn CommandHost, t: Oid) -> String {
    pglite_catalog::format_type::format_type_be(&host.snapshot(), host.env().search_path(), t)
}

fn is_polymorphic(t: Oid) -> bool {
    pglite_catalog::SearchPath::is_polymorphic(t)
}

/// The moving-aggregate options come all together or not at all.
fn check_moving_options(o: &Options) -> PgResult<()> {
    if o.mtrans_type.is_some() {
        for (given, what) in [(o.mtrans.is_some(), "msfunc"), (o.minv.is_some(), "minvfunc")] {
            if !given {
                bail!(
                    INVALID_FUNCTION_DEFINITION,
                    "aggregate {what} must be specified when mstype is specified"
                );
            }
        }
        return Ok(());
    }
    for (given, what) in [
        (o.mtrans.is_some(), "msfunc"),
        (o.minv.is_some(), "minvfunc"),
        (o.mfin.is_some(), "mfinalfunc"),
        (o.mspace != 0, "msspace"),
        (o.minit.is_some(), "minitcond"),
    ] {
        if given {
            bail!(INVALID_FUNCTION_DEFINITION, "aggregate {what} must not be specified without mstype");
        }
    }
    Ok(())
}

fn check_state_types(host: &dyn CommandHost, o: &Options, i: &Inputs, state: Oid) -> PgResult<()> {
    let s = host.snapshot();
    for t in [Some(state), o.mtrans_type].into_iter().flatten() {
        let pseudo = s.type_by_oid(t).is_some_and(|r| r.typtype == b'p') && !is_polymorphic(t);
        let internal_ok = t == INTERNAL && pglite_catalog::acl::is_superuser(&s, ctx::user(host));
        if pseudo && !internal_ok {
            bail!(INVALID_FUNCTION_DEFINITION, "aggregate transition data type cannot be {}", shown(host, t));
        }
    }
    if is_polymorphic(state) && !i.types.iter().any(|t| is_polymorphic(*t)) {
        return Err(err!(INVALID_FUNCTION_DEFINITION, "cannot determine transition data type").detail(format!(
            "A result of type {} requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange.",
            shown(host, state)
        )));
    }
    Ok(())
}

/// A transition function: it must give back the state's type.
fn transition(
    host: &dyn CommandHost,
    names: &[String],
    state: Oid,
    i: &Inputs,
    what: &str,
) -> PgResult<ProcRow> {
    let (p, ret) = support(host, names, &with_final(state, i.aggregated()))?;
    if ret != state {
        bail!(
            DATATYPE_MISMATCH,
            "return type of {what} function {} is not {}",
            names.join("."),
            shown(host, state)
        );
    }
    Ok(p)
}

/// A final function and the aggregate's result type; without one the state is the result.
fn finish(
    host: &dyn CommandHost,
    names: &Option<Vec<String>>,
    state: Oid,
    extra: bool,
    i: &Inputs,
) -> PgResult<(Oid, Oid)> {
    let Some(n) = names else { return Ok((Oid::INVALID, state)) };
    let args = if extra {
        with_final(state, &i.types)
    } else if i.kind == b'n' {
        vec![state]
    } else {
        with_final(state, i.types.get(..i.direct).unwrap_or_default())
    };
    let (p, ret) = support(host, n, &args)?;
    if extra && p.proisstrict {
        bail!(INVALID_FUNCTION_DEFINITION, "final function with extra arguments must not be declared STRICT");
    }
    Ok((p.oid, ret))
}

/// Combine, serialization and deserialization functions.
fn parallel_support(host: &dyn CommandHost, o: &Options, state: Oid) -> PgResult<[Oid; 3]> {
    let mut out = [Oid::INVALID; 3];
    if let Some(n) = &o.combine {
        let (p, r) = support(host, n, &[state, state])?;
        if r != state {
            bail!(
                DATATYPE_MISMATCH,
                "return type of combine function {} is not {}",
                n.join("."),
                shown(host, state)
            );
        }
        if state == INTERNAL && p.proisstrict {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "combine function with transition type internal must not be declared STRICT"
            );
        }
        out[0] = p.oid;
    }
    if o.serial.is_none() && o.deserial.is_none() {
        return Ok(out);
    }
    if state != INTERNAL {
        bail!(
            INVALID_FUNCTION_DEFINITION,
            "serialization functions may be specified only when the aggregate transition data type is internal"
        );
    }
    let (Some(sf), Some(df)) = (&o.serial, &o.deserial) else {
        bail!(
            INVALID_FUNCTION_DEFINITION,
            "must specify both or neither of serialization and deserialization functions"
        );
    };
    let (p, r) = support(host, sf, &[INTERNAL])?;
    if r != oid::BYTEA {
        bail!(DATATYPE_MISMATCH, "return type of serialization function {} is not bytea", sf.join("."));
    }
    out[1] = p.oid;
    let (p, r) = support(host, df, &[oid::BYTEA, INTERNAL])?;
    if r != INTERNAL {
        bail!(DATATYPE_MISMATCH, "return type of deserialization function {} is not internal", df.join("."));
    }
    out[2] = p.oid;
    Ok(out)
}

/// CREATE OR REPLACE: what may not change.
fn check_replace(
    host: &dyn CommandHost,
    d: &DefineStmt,
    name: &str,
    old: &ProcRow,
    i: &Inputs,
    result: Oid,
) -> PgResult<()> {
    let s = host.snapshot();
    if !d.replace {
        bail!(DUPLICATE_FUNCTION, "function \"{name}\" already exists with same argument types");
    }
    if old.prokind != b'a' {
        let word = if old.prokind == b'p' { "a procedure" } else { "an ordinary function" };
        return Err(
            err!(WRONG_OBJECT_TYPE, "cannot change routine kind").detail(format!("\"{name}\" is {word}."))
        );
    }
    if old.prorettype != result {
        let spelled: Vec<String> = i.types.iter().map(|t| shown(host, *t)).collect();
        return Err(err!(INVALID_FUNCTION_DEFINITION, "cannot change return type of existing function")
            .hint(format!("Use DROP AGGREGATE {name}({}) first.", spelled.join(","))));
    }
    let kind = s.aggregate(old.oid).map(|a| a.aggkind);
    if kind.is_some_and(|k| k != i.kind) {
        let word = match kind {
            Some(b'n') => "an ordinary aggregate function",
            Some(b'o') => "an ordered-set aggregate function",
            _ => "a hypothetical-set aggregate function",
        };
        return Err(
            err!(WRONG_OBJECT_TYPE, "cannot change routine kind").detail(format!("\"{name}\" is {word}."))
        );
    }
    Ok(())
}

/// Writes the aggregate's two rows and what it depends on.
fn store(host: &dyn CommandHost, row: &ProcRow, agg: &AggregateRow, refs: &[ObjectAddress]) -> PgResult<()> {
    host.with_catalog(&mut |c| {
        let a = ObjectAddress::proc(row.oid);
        c.forget_dependencies(a, true);
        c.forget_shared_dependencies(a);
        c.insert(row.clone());
        c.insert(agg.clone());
        c.record_dependency(a, ObjectAddress::of::<NamespaceRow>(row.pronamespace), DependencyType::Normal);
        for t in row.proargtypes.iter().chain([&row.prorettype, &agg.aggtranstype]) {
            c.record_dependency(a, ObjectAddress::type_(*t), DependencyType::Normal);
        }
        c.record_dependencies(a, refs.iter().copied(), DependencyType::Normal);
        c.record_owner(a, row.proowner);
        Ok(())
    })
}

fn proc_row(
    me: Oid,
    name: &str,
    namespace: Oid,
    owner: Oid,
    i: &Inputs,
    result: Oid,
    parallel: u8,
) -> ProcRow {
    let plain = i.modes.iter().all(|m| *m == b'i');
    let named = i.names.iter().any(|n| !n.is_empty());
    ProcRow {
        oid: me,
        proname: name.into(),
        pronamespace: namespace,
        proowner: owner,
        prolang: well_known::LANG_INTERNAL,
        procost: 1.0,
        provariadic: i.variadic,
        prokind: b'a',
        provolatile: b'i',
        proparallel: parallel,
        pronargs: i.types.len() as i16,
        prorettype: result,
        proargtypes: Vector::from(i.types.clone()),
        proallargtypes: (!plain).then(|| List::from(i.types.clone())),
        proargmodes: (!plain).then(|| List::from(i.modes.clone())),
        proargnames: named.then(|| List::from(i.names.iter().map(|n| n.as_str().into()).collect::<Vec<_>>())),
        prosrc: "aggregate_dummy".into(),
        ..ProcRow::default()
    }
}

pub(crate) fn create(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<()> {
    let (namespace, name) = objects::creation_namespace(host, &d.defnames)?;
    let o = options(host, d)?;
    let Some(trans) = &o.trans else {
        bail!(INVALID_FUNCTION_DEFINITION, "aggregate sfunc must be specified");
    };
    let Some(state) = o.trans_type else {
        bail!(INVALID_FUNCTION_DEFINITION, "aggregate stype must be specified");
    };
    check_moving_options(&o)?;
    let i = inputs(host, d, &o)?;
    check_state_types(host, &o, &i, state)?;
    let s = host.snapshot();
    let tf = transition(host, trans, state, &i, "transition")?;
    let starts = |f: &Oid| s.is_binary_coercible(*f, state) || is_polymorphic(*f);
    if tf.proisstrict && o.init.is_none() && !i.aggregated().first().is_some_and(starts) {
        bail!(
            INVALID_FUNCTION_DEFINITION,
            "must not omit initial value when transition function is strict and transition type is not compatible with input type"
        );
    }
    let mut moving = [Oid::INVALID; 3];
    let mut moving_result = None;
    if let (Some(mt), Some(mf), Some(inv)) = (o.mtrans_type, &o.mtrans, &o.minv) {
        let f = transition(host, mf, mt, &i, "transition")?;
        let b = transition(host, inv, mt, &i, "inverse transition")?;
        if b.proisstrict != f.proisstrict {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "strictness of aggregate's forward and inverse transition functions must match"
            );
        }
        let (fin, ret) = finish(host, &o.mfin, mt, o.mfin_extra, &i)?;
        moving = [f.oid, b.oid, fin];
        moving_result = Some(ret);
    }
    let (fin, result) = finish(host, &o.fin, state, o.fin_extra, &i)?;
    if result == INTERNAL {
        return Err(err!(INVALID_FUNCTION_DEFINITION, "unsafe use of pseudo-type \"internal\"")
            .detail("A function returning \"internal\" must have at least one \"internal\" argument."));
    }
    if let Some(m) = moving_result.filter(|m| *m != result) {
        bail!(
            INVALID_FUNCTION_DEFINITION,
            "moving-aggregate implementation returns type {}, but plain implementation returns type {}",
            shown(host, m),
            shown(host, result)
        );
    }
    let [combine, serial, deserial] = parallel_support(host, &o, state)?;
    let functions = [tf.oid, fin, combine, serial, deserial].into_iter().chain(moving);
    let mut refs: Vec<ObjectAddress> = functions.filter(|f| f.is_valid()).map(ObjectAddress::proc).collect();
    let mut sort = Oid::INVALID;
    if let Some(n) = &o.sort_op {
        let [only] = i.types[..] else {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "sort operator can only be specified for single-argument aggregates"
            );
        };
        let env = host.env();
        sort = pglite_analyze::resolve_operator(env.as_analyze_env(), n, only, only, -1)?;
        refs.push(ObjectAddress::of::<OperatorRow>(sort));
    }
    let me = match s.proc_exact(namespace, &name, &i.types) {
        Some(old) => {
            check_replace(host, d, &name, old, &i, result)?;
            old.oid
        }
        None => ctx::new_oid(host)?,
    };
    let modify = |given: u8| match given {
        0 if i.kind == b'n' => b'r',
        0 => b'w',
        given => given,
    };
    let agg = AggregateRow {
        aggfnoid: me,
        aggkind: i.kind,
        aggnumdirectargs: i.direct as i16,
        aggtransfn: tf.oid,
        aggfinalfn: fin,
        aggcombinefn: combine,
        aggserialfn: serial,
        aggdeserialfn: deserial,
        aggmtransfn: moving[0],
        aggminvtransfn: moving[1],
        aggmfinalfn: moving[2],
        aggfinalextra: o.fin_extra,
        aggmfinalextra: o.mfin_extra,
        aggfinalmodify: modify(o.fin_modify),
        aggmfinalmodify: modify(o.mfin_modify),
        aggsortop: sort,
        aggtranstype: state,
        aggtransspace: o.space,
        aggmtranstype: o.mtrans_type.unwrap_or_default(),
        aggmtransspace: o.mspace,
        agginitval: o.init.as_deref().map(Into::into),
        aggminitval: o.minit.as_deref().map(Into::into),
    };
    let row = proc_row(me, &name, namespace, ctx::user(host), &i, result, o.parallel);
    store(host, &row, &agg, &refs)
}

fn with_final(state: Oid, more: &[Oid]) -> Vec<Oid> {
    [state].into_iter().chain(more.iter().copied()).collect()
}
