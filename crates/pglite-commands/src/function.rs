//! CREATE FUNCTION and PROCEDURE, ALTER FUNCTION.

use pglite_analyze::{
    ExprKind, Scope as ExprScope, analyze_expr, lookup_func_with_args, resolve_type_name_opt,
};
use pglite_catalog::acl::{self, AclKind};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{LanguageRow, NamespaceRow, ProcRow};
use pglite_catalog::{CatalogRow, List, Snapshot, Str, Vector, format_type, well_known};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_parser::ast::{
    AlterFunctionStmt, CreateFunctionStmt, DefArg, DefElem, FunctionParameter, FunctionParameterMode,
    ObjectType, TypeName,
};
use pglite_types::{Datum, Oid, oid};

use crate::ctx;
use crate::define::text_of;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects;

fn type_of(host: &dyn CommandHost, t: &TypeName) -> PgResult<Oid> {
    let env = host.env();
    match resolve_type_name_opt(env.as_analyze_env(), t)? {
        Some((oid, _)) => Ok(oid),
        None => bail!(UNDEFINED_OBJECT, "type {} does not exist", t.dotted()),
    }
}

/// The parameters as pg_proc holds them.
#[derive(Default)]
struct Params {
    input: Vec<Oid>,
    all: Vec<Oid>,
    modes: Vec<u8>,
    names: Vec<Str>,
    variadic: Oid,
    /// Types of OUT columns.
    out: Vec<Oid>,
    defaults: Vec<String>,
    refs: Vec<ObjectAddress>,
}

fn params(host: &dyn CommandHost, list: &[FunctionParameter], procedure: bool) -> PgResult<Params> {
    let mut p = Params::default();
    for param in list {
        let ty = type_of(host, &param.arg_type)?;
        if param.arg_type.setof {
            let what = if procedure { "procedures" } else { "functions" };
            return Err(
                err!(INVALID_FUNCTION_DEFINITION, "{what} cannot accept set arguments").at(param.location)
            );
        }
        let (letter, input, output) = match param.mode {
            FunctionParameterMode::Default | FunctionParameterMode::In => (b'i', true, false),
            FunctionParameterMode::Out => (b'o', procedure, true),
            FunctionParameterMode::InOut => (b'b', true, true),
            FunctionParameterMode::Variadic => (b'v', true, false),
            FunctionParameterMode::Table => (b't', false, true),
        };
        if input {
            if p.variadic.is_valid() {
                return Err(err!(
                    INVALID_FUNCTION_DEFINITION,
                    "VARIADIC parameter must be the last input parameter"
                )
                .at(param.location));
            }
            if letter != b'o' {
                p.input.push(ty);
            }
        }
        if letter == b'v' {
            let s = host.snapshot();
            p.variadic = match ty {
                oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY => {
                    if ty == oid::ANYARRAY {
                        oid::ANYELEMENT
                    } else {
                        oid::ANYCOMPATIBLE
                    }
                }
                oid::ANY => oid::ANY,
                _ => match s.element_type(ty) {
                    Some(e) => e,
                    None => {
                        return Err(err!(INVALID_FUNCTION_DEFINITION, "VARIADIC parameter must be an array")
                            .at(param.location));
                    }
                },
            };
        }
        if output {
            p.out.push(ty);
        }
        let name = param.name.clone().unwrap_or_default();
        if !name.is_empty() {
            // PG: an input and an output parameter of a plain kind may share a name.
            let side = |m: u8| (matches!(m, b'i' | b'v' | b'b'), matches!(m, b'o' | b't' | b'b'));
            let clash = |m: u8| {
                side(m).0 && side(letter).0 || side(m).1 && side(letter).1 || m == b't' || letter == b't'
            };
            if p.names.iter().zip(&p.modes).any(|(n, m)| *n == *name.as_str() && clash(*m)) {
                return Err(err!(
                    INVALID_FUNCTION_DEFINITION,
                    "parameter name \"{name}\" used more than once"
                )
                .at(param.location));
            }
        }
        p.all.push(ty);
        p.modes.push(letter);
        p.names.push(name.into());
        match &param.defexpr {
            Some(e) => {
                if !input || letter == b'o' {
                    return Err(err!(
                        INVALID_FUNCTION_DEFINITION,
                        "only input parameters can have default values"
                    )
                    .at(param.location));
                }
                let env = host.env();
                let s = host.snapshot();
                let e = analyze_expr(
                    env.as_analyze_env(),
                    e,
                    &ExprScope::None,
                    ExprKind::FunctionDefault,
                    Some((ty, -1)),
                )?;
                p.refs.extend(ctx::expr_references(&s, &e, None));
                p.defaults.push(storage_text(&s, env.as_fn_host(), &e, Scope::None)?);
            }
            None if input && letter != b'o' && !p.defaults.is_empty() => {
                return Err(err!(
                    INVALID_FUNCTION_DEFINITION,
                    "input parameters after one with a default value must also have defaults"
                )
                .at(param.location));
            }
            None => {}
        }
    }
    Ok(p)
}

/// Applies the options that CREATE and ALTER share.
fn option(host: &dyn CommandHost, row: &mut ProcRow, d: &DefElem) -> PgResult<()> {
    let flag = matches!(d.arg, Some(DefArg::Boolean(true)));
    let number = || text_of(d).and_then(|t| t.parse::<f32>().ok()).unwrap_or(0.0);
    match d.defname.as_str() {
        "volatility" => row.provolatile = text_of(d).and_then(|t| t.bytes().next()).unwrap_or(b'v'),
        "strict" => row.proisstrict = flag,
        "security" => row.prosecdef = flag,
        "leakproof" => {
            if flag && !acl::is_superuser(&host.snapshot(), ctx::user(host)) {
                bail!(INSUFFICIENT_PRIVILEGE, "only superuser can define a leakproof function");
            }
            row.proleakproof = flag;
        }
        "cost" => {
            row.procost = number();
            if row.procost <= 0.0 {
                bail!(INVALID_PARAMETER_VALUE, "COST must be positive");
            }
        }
        "rows" => {
            row.prorows = number();
            if row.prorows <= 0.0 {
                bail!(INVALID_PARAMETER_VALUE, "ROWS must be positive");
            }
            if !row.proretset {
                bail!(INVALID_PARAMETER_VALUE, "ROWS is not applicable when function does not return a set");
            }
        }
        "parallel" => {
            row.proparallel = match text_of(d).as_deref() {
                Some("safe") => b's',
                Some("unsafe") => b'u',
                Some("restricted") => b'r',
                _ => bail!(SYNTAX_ERROR, "parameter \"parallel\" must be SAFE, RESTRICTED, or UNSAFE"),
            }
        }
        "set" => {
            if let Some(DefArg::Set(set)) = &d.arg {
                let old: Vec<Str> = row.proconfig.as_ref().map(|l| l.to_vec()).unwrap_or_default();
                let new = crate::role::changed_settings(host, &old, set)?;
                row.proconfig = (!new.is_empty()).then(|| new.into());
            }
        }
        "window" => row.prokind = b'w',
        "support" | "transform" => {}
        other => bail!(SYNTAX_ERROR, "option \"{other}\" not recognized"),
    }
    Ok(())
}

pub(crate) fn create(host: &dyn CommandHost, f: &CreateFunctionStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag(if f.is_procedure { "CREATE PROCEDURE" } else { "CREATE FUNCTION" });
    if f.sql_body.is_some() {
        return Err(PgError::unsupported("SQL-standard function bodies are not supported yet"));
    }
    let (namespace, name) = objects::creation_namespace(host, &f.funcname)?;
    let s = host.snapshot();
    let mut body: Vec<String> = Vec::new();
    let mut language = None;
    for d in &f.options {
        match (d.defname.as_str(), &d.arg) {
            ("as", Some(DefArg::Names(b))) => body = b.clone(),
            ("language", _) => language = text_of(d),
            _ => {}
        }
    }
    let Some(language) = language else { bail!(INVALID_FUNCTION_DEFINITION, "no language specified") };
    let lang_name = language.to_ascii_lowercase();
    let Some(lang) = s.language_by_name(&lang_name).cloned() else {
        bail!(UNDEFINED_OBJECT, "language \"{language}\" does not exist");
    };
    if !lang.lanpltrusted && !acl::is_superuser(&s, ctx::user(host)) {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for language {lang_name}");
    }
    let p = params(host, &f.parameters, f.is_procedure)?;
    let derived = match (p.out.len(), f.is_procedure) {
        (0, _) => None,
        (1, false) => Some(p.out[0]),
        _ => Some(oid::RECORD),
    };
    let (ret, retset) = match (&f.return_type, derived) {
        (Some(t), derived) => {
            let ty = type_of(host, t)?;
            if let Some(d) = derived.filter(|d| *d != ty) {
                let shown = format_type::format_type_be(&s, &pglite_catalog::SearchPath::catalog_only(), d);
                bail!(
                    INVALID_FUNCTION_DEFINITION,
                    "function result type must be {shown} because of OUT parameters"
                );
            }
            (ty, t.setof)
        }
        (None, Some(d)) => (d, false),
        (None, None) if f.is_procedure => (oid::VOID, false),
        (None, None) => bail!(INVALID_FUNCTION_DEFINITION, "function result type must be specified"),
    };
    if body.is_empty() {
        bail!(INVALID_FUNCTION_DEFINITION, "no function body specified");
    }
    let by_link = lang.oid == well_known::LANG_C;
    if !by_link && body.len() > 1 {
        bail!(INVALID_FUNCTION_DEFINITION, "only one AS item needed for language \"{lang_name}\"");
    }
    check_polymorphic(&s, ret, &p.input)?;
    let plain_modes = p.modes.iter().all(|m| *m == b'i');
    let mut row = ProcRow {
        oid: Oid::INVALID,
        proname: name.as_str().into(),
        pronamespace: namespace,
        proowner: ctx::user(host),
        prolang: lang.oid,
        procost: if matches!(lang.oid, well_known::LANG_INTERNAL | well_known::LANG_C) { 1.0 } else { 100.0 },
        prorows: if retset { 1000.0 } else { 0.0 },
        provariadic: p.variadic,
        prokind: if f.is_procedure { b'p' } else { b'f' },
        proretset: retset,
        provolatile: b'v',
        proparallel: b'u',
        pronargs: p.input.len() as i16,
        pronargdefaults: p.defaults.len() as i16,
        prorettype: ret,
        proargtypes: Vector::from(p.input.clone()),
        proallargtypes: (!plain_modes).then(|| List::from(p.all.clone())),
        proargmodes: (!plain_modes).then(|| List::from(p.modes.clone())),
        proargnames: p.names.iter().any(|n| !n.is_empty()).then(|| List::from(p.names.clone())),
        proargdefaults: (!p.defaults.is_empty()).then(|| p.defaults.join(", ").into()),
        prosrc: if by_link {
            body.get(1).cloned().unwrap_or_else(|| name.clone()).into()
        } else {
            body[0].as_str().into()
        },
        probin: by_link.then(|| body[0].as_str().into()),
        ..ProcRow::default()
    };
    for d in f.options.iter().filter(|d| !matches!(d.defname.as_str(), "as" | "language")) {
        option(host, &mut row, d)?;
    }
    if lang.oid == well_known::LANG_INTERNAL
        && !s.procs_by_name(&row.prosrc).any(|q| q.prolang == well_known::LANG_INTERNAL)
    {
        bail!(UNDEFINED_FUNCTION, "there is no built-in function named \"{}\"", row.prosrc);
    }
    let old = s.proc_exact(namespace, &name, &p.input).cloned();
    if let Some(old) = &old {
        replaceable(host, f, old, &row)?;
    }
    let body = row.prosrc.to_string();
    let func = store(host, row, old, &lang, p.refs)?;
    let _ = body;
    host.cluster("validate_function", &[Datum::Oid(func), Datum::text(host.source())])?;
    Ok(tag)
}

/// A polymorphic result needs an argument that says what it is.
fn check_polymorphic(s: &Snapshot, ret: Oid, input: &[Oid]) -> PgResult<()> {
    const ANY: &[Oid] =
        &[oid::ANYELEMENT, oid::ANYARRAY, oid::ANYNONARRAY, oid::ANYENUM, oid::ANYRANGE, oid::ANYMULTIRANGE];
    const COMPATIBLE: &[Oid] = &[
        oid::ANYCOMPATIBLE,
        oid::ANYCOMPATIBLEARRAY,
        oid::ANYCOMPATIBLENONARRAY,
        oid::ANYCOMPATIBLERANGE,
        oid::ANYCOMPATIBLEMULTIRANGE,
    ];
    let (family, words) = match ret {
        oid::ANYRANGE | oid::ANYMULTIRANGE => (&ANY[4..], "anyrange or anymultirange"),
        oid::ANYCOMPATIBLERANGE | oid::ANYCOMPATIBLEMULTIRANGE => {
            (&COMPATIBLE[3..], "anycompatiblerange or anycompatiblemultirange")
        }
        t if ANY.contains(&t) => {
            (ANY, "anyelement, anyarray, anynonarray, anyenum, anyrange, or anymultirange")
        }
        t if COMPATIBLE.contains(&t) => (
            COMPATIBLE,
            "anycompatible, anycompatiblearray, anycompatiblenonarray, anycompatiblerange, or anycompatiblemultirange",
        ),
        _ => return Ok(()),
    };
    if input.iter().any(|t| family.contains(t)) {
        return Ok(());
    }
    let shown = format_type::format_type_be(s, &pglite_catalog::SearchPath::catalog_only(), ret);
    Err(err!(INVALID_FUNCTION_DEFINITION, "cannot determine result data type")
        .detail(format!("A result of type {shown} requires at least one input of type {words}.")))
}

/// What CREATE OR REPLACE may not change.
fn replaceable(host: &dyn CommandHost, f: &CreateFunctionStmt, old: &ProcRow, new: &ProcRow) -> PgResult<()> {
    let s = host.snapshot();
    let env = host.env();
    let shown =
        pglite_catalog::describe::format_procedure(&s, env.search_path(), old.oid).unwrap_or_default();
    if !f.replace {
        bail!(DUPLICATE_FUNCTION, "function \"{}\" already exists with same argument types", new.proname);
    }
    drop(env);
    objects::check_owner(host, &ObjectAddress::proc(old.oid), &ObjectType::Function)?;
    let kind = if old.prokind == b'p' { "procedure" } else { "function" };
    if old.prokind != new.prokind {
        let detail = match old.prokind {
            b'a' => "is an aggregate function",
            b'p' => "is a procedure",
            b'w' => "is a window function",
            _ => "is a function",
        };
        return Err(err!(WRONG_OBJECT_TYPE, "cannot change routine kind")
            .detail(format!("\"{}\" {detail}.", old.proname)));
    }
    let hint = format!("Use DROP {} {shown} first.", kind.to_uppercase());
    if old.prorettype != new.prorettype || old.proretset != new.proretset {
        return Err(
            err!(INVALID_FUNCTION_DEFINITION, "cannot change return type of existing function").hint(hint)
        );
    }
    if old.prorettype == oid::RECORD
        && (old.proallargtypes != new.proallargtypes || old.proargmodes != new.proargmodes)
    {
        return Err(err!(INVALID_FUNCTION_DEFINITION, "cannot change return type of existing function")
            .detail("Row type defined by OUT parameters is different.")
            .hint(hint));
    }
    if let Some(names) = &old.proargnames {
        for (i, n) in names.iter().take(old.pronargs as usize).enumerate().filter(|(_, n)| !n.is_empty()) {
            let now = new.proargnames.as_ref().and_then(|l| l.get(i).cloned()).unwrap_or_default();
            if now != *n {
                return Err(err!(
                    INVALID_FUNCTION_DEFINITION,
                    "cannot change name of input parameter \"{n}\""
                )
                .hint(hint));
            }
        }
    }
    if new.pronargdefaults < old.pronargdefaults {
        return Err(err!(
            INVALID_FUNCTION_DEFINITION,
            "cannot remove parameter defaults from existing function"
        )
        .hint(hint));
    }
    Ok(())
}

fn store(
    host: &dyn CommandHost,
    mut row: ProcRow,
    old: Option<ProcRow>,
    lang: &LanguageRow,
    refs: Vec<ObjectAddress>,
) -> PgResult<Oid> {
    let s = host.snapshot();
    match &old {
        Some(o) => {
            row.oid = o.oid;
            row.proowner = o.proowner;
            row.proacl = o.proacl.clone();
        }
        None => {
            row.oid = ctx::new_oid(host)?;
            row.proacl = acl::grant::new_object_acl(&s, AclKind::Function, row.proowner, row.pronamespace)
                .map(Into::into);
        }
    }
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::proc(row.oid);
        c.forget_dependencies(me, true);
        c.insert(row.clone());
        let mut list = vec![
            ObjectAddress::of::<NamespaceRow>(row.pronamespace),
            ObjectAddress::new(LanguageRow::CATALOG, lang.oid),
            ObjectAddress::type_(row.prorettype),
        ];
        list.extend(
            row.proargtypes
                .iter()
                .chain(row.proallargtypes.iter().flat_map(|l| l.iter()))
                .map(|t| ObjectAddress::type_(*t)),
        );
        list.extend(refs.iter().copied());
        c.record_dependencies(me, list, DependencyType::Normal);
        if old.is_none() {
            c.record_owner(me, row.proowner);
            if let Some(acl) = &row.proacl {
                c.record_acl(me, row.proowner, acl);
            }
        }
        Ok(())
    })?;
    Ok(row.oid)
}

/// Turns a position in a function's body into one in the statement whose string literal the body is. Without such a
/// literal the body is named as internal query.
pub fn transpose_body_error(mut e: PgError, source: &str, body: &str) -> PgError {
    let Some(at) = e.fields().position else { return e };
    let found = literal_offset(source, body, at as usize);
    let f = e.fields_mut();
    match found {
        Some(p) => f.position = Some(p as u32),
        None => {
            f.position = None;
            f.internal_position = Some(at);
            f.internal_query = Some(body.to_string());
        }
    }
    e
}

/// Where byte `at` of a literal's value stands in the text, when exactly one literal has the value.
fn literal_offset(source: &str, body: &str, at: usize) -> Option<usize> {
    let tokens = pglite_parser::scan::scan(source, &pglite_parser::ParseOptions::default()).ok()?;
    let mut hits =
        tokens.iter().filter(|t| matches!(&t.kind, pglite_parser::scan::ScanKind::String(s) if s == body));
    let token = hits.next()?;
    if hits.next().is_some() {
        return None;
    }
    let text = token.text(source);
    let start = token.start as usize;
    if let Some(rest) = text.strip_prefix('$') {
        return Some(start + rest.find('$')? + 2 + at);
    }
    // Doubled quotes and escapes are two bytes of the text for one of the value.
    let (mut i, mut value) = (text.find('\'')? + 1, 0);
    let bytes = text.as_bytes();
    while value < at && i < bytes.len() {
        i += if bytes[i] == b'\'' || (bytes[i] == b'\\' && text.starts_with(['E', 'e'])) { 2 } else { 1 };
        value += 1;
    }
    Some(start + i)
}

pub(crate) fn alter(host: &dyn CommandHost, s: &AlterFunctionStmt) -> PgResult<CommandOutcome> {
    let found = {
        let env = host.env();
        lookup_func_with_args(env.as_analyze_env(), s.objtype, &s.func, false)?
    };
    let Some(found) = found else {
        bail!(UNDEFINED_FUNCTION, "function {} does not exist", s.func.objname.join("."))
    };
    let a = ObjectAddress::proc(found);
    objects::check_owner(host, &a, &s.objtype)?;
    let mut row =
        host.snapshot().proc_by_oid(found).cloned().ok_or_else(|| PgError::internal("function vanished"))?;
    if row.prokind == b'a' {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is an aggregate function", row.proname);
    }
    for d in &s.actions {
        option(host, &mut row, d)?;
    }
    host.with_catalog(&mut |c| {
        c.update(row.clone());
        Ok(())
    })?;
    Ok(CommandOutcome::tag(format!("ALTER {}", objects::kind_word(&s.objtype).to_uppercase())))
}
