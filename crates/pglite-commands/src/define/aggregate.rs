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

pub(crate) fn create(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<()> {
    let (namespace, name) = objects::creation_namespace(host, &d.defnames)?;
    let o = options(host, d)?;
    let Some(trans) = &o.trans else {
        bail!(INVALID_FUNCTION_DEFINITION, "aggregate sfunc must be specified");
    };
    let Some(trans_type) = o.trans_type else {
        bail!(INVALID_FUNCTION_DEFINITION, "aggregate stype must be specified");
    };
    if o.mtrans_type.is_some() {
        if o.mtrans.is_none() {
            bail!(INVALID_FUNCTION_DEFINITION, "aggregate msfunc must be specified when mstype is specified");
        }
        if o.minv.is_none() {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "aggregate minvfunc must be specified when mstype is specified"
            );
        }
    } else {
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
    }
    let (mut input, mut modes, mut names, mut variadic) = (Vec::new(), Vec::new(), Vec::new(), Oid::INVALID);
    let mut direct = 0usize;
    let mut kind = b'n';
    let s = host.snapshot();
    if d.oldstyle {
        let Some(base) = &o.base else {
            bail!(INVALID_FUNCTION_DEFINITION, "aggregate input type must be specified");
        };
        if !base.dotted().eq_ignore_ascii_case("any") {
            input.push(type_of(host, base)?);
        }
    } else if let Some(a) = &d.args {
        if o.base.is_some() {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "basetype is redundant with aggregate input type specification"
            );
        }
        if a.num_direct_args >= 0 {
            kind = if o.hypothetical { b'h' } else { b'o' };
            direct = a.num_direct_args as usize;
        } else if o.hypothetical {
            bail!(INVALID_FUNCTION_DEFINITION, "only ordered-set aggregates can be hypothetical");
        }
        for p in &a.args {
            let ty = type_of(host, &p.arg_type)?;
            if p.arg_type.setof {
                return Err(err!(INVALID_FUNCTION_DEFINITION, "aggregates cannot accept set arguments")
                    .at(p.location));
            }
            match p.mode {
                FunctionParameterMode::Out | FunctionParameterMode::InOut | FunctionParameterMode::Table => {
                    return Err(err!(INVALID_FUNCTION_DEFINITION, "aggregates cannot have output arguments")
                        .at(p.location));
                }
                FunctionParameterMode::Variadic => {
                    modes.push(b'v');
                    variadic = match ty {
                        oid::ANYARRAY => oid::ANYELEMENT,
                        oid::ANYCOMPATIBLEARRAY => oid::ANYCOMPATIBLE,
                        oid::ANY => oid::ANY,
                        t => match s.element_type(t) {
                            Some(e) => e,
                            None => bail!(INVALID_FUNCTION_DEFINITION, "VARIADIC parameter must be an array"),
                        },
                    };
                }
                _ => modes.push(b'i'),
            }
            if p.defexpr.is_some() {
                bail!(INVALID_FUNCTION_DEFINITION, "aggregates cannot have default values for parameters");
            }
            names.push(p.name.clone().unwrap_or_default());
            input.push(ty);
        }
    }
    let pseudo = |t: Oid| {
        s.type_by_oid(t).is_some_and(|r| r.typtype == b'p') && !pglite_catalog::SearchPath::is_polymorphic(t)
    };
    for t in [Some(trans_type), o.mtrans_type].into_iter().flatten() {
        let internal_ok = t == Oid(2281) && pglite_catalog::acl::is_superuser(&s, ctx::user(host));
        if pseudo(t) && !internal_ok {
            let shown = pglite_catalog::format_type::format_type_be(&s, host.env().search_path(), t);
            bail!(INVALID_FUNCTION_DEFINITION, "aggregate transition data type cannot be {shown}");
        }
    }
    let poly = |t: &Oid| pglite_catalog::SearchPath::is_polymorphic(*t);
    if poly(&trans_type) && !input.iter().any(poly) {
        return Err(err!(INVALID_FUNCTION_DEFINITION, "cannot determine transition data type").detail(
            "A result of type anyelement requires at least one input of type anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange."
                .replace("type anyelement requires", &format!(
                    "type {} requires",
                    pglite_catalog::format_type::format_type_be(&s, host.env().search_path(), trans_type)
                )),
        ));
    }
    let aggregated: Vec<Oid> = if kind == b'n' {
        input.clone()
    } else if kind == b'h' || variadic.is_valid() && direct == input.len() {
        input.get(direct.min(input.len())..).unwrap_or_default().to_vec()
    } else {
        input.get(direct..).unwrap_or_default().to_vec()
    };
    let with_state =
        |state: Oid| -> Vec<Oid> { [state].into_iter().chain(aggregated.iter().copied()).collect() };
    let shown = |t: Oid| pglite_catalog::format_type::format_type_be(&s, host.env().search_path(), t);
    let (tf, tret) = support(host, trans, &with_state(trans_type))?;
    if tret != trans_type {
        bail!(
            DATATYPE_MISMATCH,
            "return type of transition function {} is not {}",
            trans.join("."),
            shown(trans_type)
        );
    }
    if tf.proisstrict
        && o.init.is_none()
        && !aggregated.first().is_some_and(|f| s.is_binary_coercible(*f, trans_type) || poly(f))
    {
        bail!(
            INVALID_FUNCTION_DEFINITION,
            "must not omit initial value when transition function is strict and transition type is not compatible with input type"
        );
    }
    let mut refs = vec![ObjectAddress::proc(tf.oid)];
    let mut moving = (Oid::INVALID, Oid::INVALID, Oid::INVALID);
    let mut mret = None;
    if let Some(mt) = o.mtrans_type {
        let (Some(mf), Some(inv)) = (&o.mtrans, &o.minv) else { bail!(INTERNAL_ERROR, "moving aggregate") };
        let (f, ret) = support(host, mf, &with_state(mt))?;
        if ret != mt {
            bail!(
                DATATYPE_MISMATCH,
                "return type of transition function {} is not {}",
                mf.join("."),
                shown(mt)
            );
        }
        let (i, ret) = support(host, inv, &with_state(mt))?;
        if ret != mt {
            bail!(
                DATATYPE_MISMATCH,
                "return type of inverse transition function {} is not {}",
                inv.join("."),
                shown(mt)
            );
        }
        if i.proisstrict != f.proisstrict {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "strictness of aggregate's forward and inverse transition functions must match"
            );
        }
        refs.extend([ObjectAddress::proc(f.oid), ObjectAddress::proc(i.oid)]);
        let mut fin = Oid::INVALID;
        let mut ret = mt;
        if let Some(n) = &o.mfin {
            let args = if o.mfin_extra { with_final(mt, &input) } else { vec![mt] };
            let (p, r) = support(host, n, &args)?;
            if o.mfin_extra && p.proisstrict {
                bail!(
                    INVALID_FUNCTION_DEFINITION,
                    "final function with extra arguments must not be declared STRICT"
                );
            }
            fin = p.oid;
            ret = r;
            refs.push(ObjectAddress::proc(fin));
        }
        mret = Some(ret);
        moving = (f.oid, i.oid, fin);
    }
    let mut fin = Oid::INVALID;
    let mut result = trans_type;
    if let Some(n) = &o.fin {
        let direct_args: Vec<Oid> = input.get(..direct).unwrap_or_default().to_vec();
        let args = if o.fin_extra {
            with_final(trans_type, &input)
        } else if kind == b'n' {
            vec![trans_type]
        } else {
            with_final(trans_type, &direct_args)
        };
        let (p, r) = support(host, n, &args)?;
        if o.fin_extra && p.proisstrict {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "final function with extra arguments must not be declared STRICT"
            );
        }
        fin = p.oid;
        result = r;
        refs.push(ObjectAddress::proc(fin));
    }
    if result == Oid(2281) {
        return Err(err!(INVALID_FUNCTION_DEFINITION, "unsafe use of pseudo-type \"internal\"")
            .detail("A function returning \"internal\" must have at least one \"internal\" argument."));
    }
    if let Some(m) = mret
        && m != result
    {
        bail!(
            INVALID_FUNCTION_DEFINITION,
            "moving-aggregate implementation returns type {}, but plain implementation returns type {}",
            shown(m),
            shown(result)
        );
    }
    let mut combine = Oid::INVALID;
    if let Some(n) = &o.combine {
        let (p, r) = support(host, n, &[trans_type, trans_type])?;
        if r != trans_type {
            bail!(
                DATATYPE_MISMATCH,
                "return type of combine function {} is not {}",
                n.join("."),
                shown(trans_type)
            );
        }
        if trans_type == Oid(2281) && p.proisstrict {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "combine function with transition type {} must not be declared STRICT",
                shown(trans_type)
            );
        }
        combine = p.oid;
        refs.push(ObjectAddress::proc(combine));
    }
    let (mut serial, mut deserial) = (Oid::INVALID, Oid::INVALID);
    if o.serial.is_some() || o.deserial.is_some() {
        if trans_type != Oid(2281) {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "serialization functions may be specified only when the aggregate transition data type is {}",
                "internal"
            );
        }
        let (Some(sf), Some(df)) = (&o.serial, &o.deserial) else {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "must specify both or neither of serialization and deserialization functions"
            );
        };
        let (p, r) = support(host, sf, &[Oid(2281)])?;
        if r != oid::BYTEA {
            bail!(DATATYPE_MISMATCH, "return type of serialization function {} is not bytea", sf.join("."));
        }
        serial = p.oid;
        let (p, r) = support(host, df, &[oid::BYTEA, Oid(2281)])?;
        if r != Oid(2281) {
            bail!(
                DATATYPE_MISMATCH,
                "return type of deserialization function {} is not internal",
                df.join(".")
            );
        }
        deserial = p.oid;
        refs.extend([ObjectAddress::proc(serial), ObjectAddress::proc(deserial)]);
    }
    let mut sort = Oid::INVALID;
    if let Some(n) = &o.sort_op {
        let [only] = input[..] else {
            bail!(
                INVALID_FUNCTION_DEFINITION,
                "sort operator can only be specified for single-argument aggregates"
            );
        };
        let env = host.env();
        sort = pglite_analyze::resolve_operator(env.as_analyze_env(), n, only, only, -1)?;
        refs.push(ObjectAddress::of::<OperatorRow>(sort));
    }
    let old = s.proc_exact(namespace, &name, &input).cloned();
    if let Some(p) = &old {
        let spelled: Vec<String> = input.iter().map(|t| shown(*t)).collect();
        let _ = &spelled;
        if !d.replace {
            bail!(DUPLICATE_FUNCTION, "function \"{name}\" already exists with same argument types");
        }
        if p.prokind != b'a' {
            return Err(err!(WRONG_OBJECT_TYPE, "cannot change routine kind").detail(format!(
                "\"{name}\" is {}.",
                if p.prokind == b'p' { "a procedure" } else { "an ordinary function" }
            )));
        }
        if p.prorettype != result {
            return Err(err!(INVALID_FUNCTION_DEFINITION, "cannot change return type of existing function")
                .hint(format!("Use DROP AGGREGATE {name}({}) first.", spelled.join(","))));
        }
        if s.aggregate(p.oid).is_some_and(|a| a.aggkind != kind) {
            let word = match s.aggregate(p.oid).map(|a| a.aggkind) {
                Some(b'n') => "an ordinary aggregate",
                Some(b'o') => "an ordered-set aggregate",
                _ => "a hypothetical-set aggregate",
            };
            return Err(err!(WRONG_OBJECT_TYPE, "cannot change routine kind").detail(
                format!("\"{name}\" is {word} function.").replace("aggregate function", "aggregate function"),
            ));
        }
    }
    let me = match &old {
        Some(p) => p.oid,
        None => ctx::new_oid(host)?,
    };
    let plain = modes.iter().all(|m| *m == b'i');
    let row = ProcRow {
        oid: me,
        proname: name.as_str().into(),
        pronamespace: namespace,
        proowner: ctx::user(host),
        prolang: well_known::LANG_INTERNAL,
        procost: 1.0,
        provariadic: variadic,
        prokind: b'a',
        provolatile: b'i',
        proparallel: o.parallel,
        pronargs: input.len() as i16,
        prorettype: result,
        proargtypes: Vector::from(input.clone()),
        proallargtypes: (!plain).then(|| List::from(input.clone())),
        proargmodes: (!plain).then(|| List::from(modes.clone())),
        proargnames: names
            .iter()
            .any(|n| !n.is_empty())
            .then(|| List::from(names.iter().map(|n| n.as_str().into()).collect::<Vec<_>>())),
        prosrc: "aggregate_dummy".into(),
        ..ProcRow::default()
    };
    let default_modify = |given: u8| {
        if given != 0 {
            given
        } else if kind == b'n' {
            b'r'
        } else {
            b'w'
        }
    };
    let agg = AggregateRow {
        aggfnoid: me,
        aggkind: kind,
        aggnumdirectargs: direct as i16,
        aggtransfn: tf.oid,
        aggfinalfn: fin,
        aggcombinefn: combine,
        aggserialfn: serial,
        aggdeserialfn: deserial,
        aggmtransfn: moving.0,
        aggminvtransfn: moving.1,
        aggmfinalfn: moving.2,
        aggfinalextra: o.fin_extra,
        aggmfinalextra: o.mfin_extra,
        aggfinalmodify: default_modify(o.fin_modify),
        aggmfinalmodify: default_modify(o.mfin_modify),
        aggsortop: sort,
        aggtranstype: trans_type,
        aggtransspace: o.space,
        aggmtranstype: o.mtrans_type.unwrap_or_default(),
        aggmtransspace: o.mspace,
        agginitval: o.init.as_deref().map(Into::into),
        aggminitval: o.minit.as_deref().map(Into::into),
    };
    host.with_catalog(&mut |c| {
        let a = ObjectAddress::proc(me);
        c.forget_dependencies(a, true);
        c.forget_shared_dependencies(a);
        c.insert(row.clone());
        c.insert(agg.clone());
        c.record_dependency(a, ObjectAddress::of::<NamespaceRow>(namespace), DependencyType::Normal);
        for t in input.iter().chain([&result, &trans_type]) {
            c.record_dependency(a, ObjectAddress::type_(*t), DependencyType::Normal);
        }
        c.record_dependencies(a, refs.iter().copied(), DependencyType::Normal);
        c.record_owner(a, row.proowner);
        Ok(())
    })
}

fn with_final(state: Oid, more: &[Oid]) -> Vec<Oid> {
    [state].into_iter().chain(more.iter().copied()).collect()
}
