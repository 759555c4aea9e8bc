//! CREATE CAST, CREATE TRANSFORM, CREATE CONVERSION, CREATE ACCESS METHOD.

use pglite_analyze::lookup_func_with_args;
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::*;
use pglite_catalog::{acl, format_type};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_parser::ast::{
    CoercionContext, CreateAmStmt, CreateCastStmt, CreateConversionStmt, CreateTransformStmt, ObjectType,
    ObjectWithArgs, TypeName,
};
use pglite_types::{Oid, oid};

use super::{function, type_of};
use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects;

fn shown(host: &dyn CommandHost, ty: Oid) -> String {
    format_type::format_type_be(&host.snapshot(), host.env().search_path(), ty)
}

fn named(host: &dyn CommandHost, f: &ObjectWithArgs) -> PgResult<ProcRow> {
    let env = host.env();
    let found = lookup_func_with_args(env.as_analyze_env(), ObjectType::Function, f, false)?;
    let s = host.snapshot();
    match found.and_then(|o| s.proc_by_oid(o)) {
        Some(p) => Ok(p.clone()),
        None => bail!(UNDEFINED_FUNCTION, "function {} does not exist", f.objname.join(".")),
    }
}

fn owns_type(host: &dyn CommandHost, ty: Oid) -> bool {
    let s = host.snapshot();
    s.type_by_oid(ty).is_some_and(|t| acl::has_privs_of_role(&s, ctx::user(host), t.typowner))
}

fn usable(host: &dyn CommandHost, t: &TypeName, which: &str) -> PgResult<(Oid, TypeRow)> {
    let ty = type_of(host, t)?;
    let s = host.snapshot();
    let row = s.type_by_oid(ty).cloned().ok_or_else(|| PgError::internal("type vanished"))?;
    if row.typtype == b'p' {
        bail!(WRONG_OBJECT_TYPE, "{which} data type {} is a pseudo-type", t.dotted());
    }
    Ok((ty, row))
}

pub(crate) fn create(host: &dyn CommandHost, c: &CreateCastStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE CAST");
    let (source, from) = usable(host, &c.sourcetype, "source")?;
    let (target, to) = usable(host, &c.targettype, "target")?;
    if !owns_type(host, source) && !owns_type(host, target) {
        bail!(
            INSUFFICIENT_PRIVILEGE,
            "must be owner of type {} or type {}",
            shown(host, source),
            shown(host, target)
        );
    }
    let warn = |text: &str| {
        ctx::notice(host, PgError::new(codes::WRONG_OBJECT_TYPE, text).severity(Severity::Warning));
    };
    if from.typtype == b'd' {
        warn("cast will be ignored because the source data type is a domain");
    } else if to.typtype == b'd' {
        warn("cast will be ignored because the target data type is a domain");
    }
    let s = host.snapshot();
    let mut func = Oid::INVALID;
    let mut nargs = 0;
    let method = match (&c.func, c.inout) {
        (Some(f), _) => {
            let p = named(host, f)?;
            nargs = p.proargtypes.len();
            if !(1..=3).contains(&nargs) {
                bail!(INVALID_OBJECT_DEFINITION, "cast function must take one to three arguments");
            }
            if !s.is_binary_coercible(source, p.proargtypes[0]) {
                bail!(
                    INVALID_OBJECT_DEFINITION,
                    "argument of cast function must match or be binary-coercible from source data type"
                );
            }
            if nargs > 1 && p.proargtypes[1] != oid::INT4 {
                bail!(INVALID_OBJECT_DEFINITION, "second argument of cast function must be type integer");
            }
            if nargs > 2 && p.proargtypes[2] != oid::BOOL {
                bail!(INVALID_OBJECT_DEFINITION, "third argument of cast function must be type boolean");
            }
            if !s.is_binary_coercible(p.prorettype, target) {
                bail!(
                    INVALID_OBJECT_DEFINITION,
                    "return data type of cast function must match or be binary-coercible to target data type"
                );
            }
            if p.prokind != b'f' {
                bail!(INVALID_OBJECT_DEFINITION, "cast function must be a normal function");
            }
            if p.proretset {
                bail!(INVALID_OBJECT_DEFINITION, "cast function must not return a set");
            }
            func = p.oid;
            b'f'
        }
        (None, true) => b'i',
        (None, false) => {
            if !acl::is_superuser(&s, ctx::user(host)) {
                bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create a cast WITHOUT FUNCTION");
            }
            if from.typlen != to.typlen || from.typbyval != to.typbyval || from.typalign != to.typalign {
                bail!(
                    INVALID_OBJECT_DEFINITION,
                    "source and target data types are not physically compatible"
                );
            }
            for (row, what) in [(&from, "composite"), (&from, "array"), (&from, "range"), (&from, "enum")] {
                let bad = |r: &TypeRow| match what {
                    "composite" => r.typtype == b'c',
                    "array" => s.element_type(r.oid).is_some(),
                    "range" => matches!(r.typtype, b'r' | b'm'),
                    _ => r.typtype == b'e',
                };
                if bad(row) || bad(&to) {
                    bail!(INVALID_OBJECT_DEFINITION, "{what} data types are not binary-compatible");
                }
            }
            if from.typtype == b'd' || to.typtype == b'd' {
                bail!(INVALID_OBJECT_DEFINITION, "domain data types must not be marked binary-compatible");
            }
            b'b'
        }
    };
    if source == target && nargs < 2 {
        bail!(INVALID_OBJECT_DEFINITION, "source data type and target data type are the same");
    }
    if s.cast(source, target).is_some() {
        bail!(
            DUPLICATE_OBJECT,
            "cast from type {} to type {} already exists",
            shown(host, source),
            shown(host, target)
        );
    }
    let row = CastRow {
        oid: ctx::new_oid(host)?,
        castsource: source,
        casttarget: target,
        castfunc: func,
        castcontext: match c.context {
            CoercionContext::Implicit => b'i',
            CoercionContext::Assignment => b'a',
            _ => b'e',
        },
        castmethod: method,
    };
    host.with_catalog(&mut |t| {
        let me = ObjectAddress::of::<CastRow>(row.oid);
        t.insert(row.clone());
        t.record_dependency(me, ObjectAddress::type_(source), DependencyType::Normal);
        t.record_dependency(me, ObjectAddress::type_(target), DependencyType::Normal);
        if func.is_valid() {
            t.record_dependency(me, ObjectAddress::proc(func), DependencyType::Normal);
        }
        Ok(())
    })?;
    Ok(tag)
}

pub(crate) fn transform(host: &dyn CommandHost, c: &CreateTransformStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE TRANSFORM");
    let (ty, row) = usable(host, &c.type_name, "transform")?;
    let _ = row;
    let s = host.snapshot();
    let Some(lang) = s.language_by_name(&c.lang).cloned() else {
        bail!(UNDEFINED_OBJECT, "language \"{}\" does not exist", c.lang);
    };
    const INTERNAL: Oid = Oid(2281);
    let check = |p: &ProcRow, returns: Oid, what: &str| -> PgResult<()> {
        if p.prorettype != returns {
            let word = if returns == INTERNAL {
                "internal".to_string()
            } else {
                "the type being transformed".into()
            };
            let what = if returns == INTERNAL {
                format!("return data type of {what} function must be {word}")
            } else {
                "return data type of TO SQL function must be the transform data type".into()
            };
            bail!(INVALID_OBJECT_DEFINITION, "{what}");
        }
        if p.provolatile == b'v' {
            bail!(INVALID_OBJECT_DEFINITION, "transform function must not be volatile");
        }
        if p.prokind != b'f' {
            bail!(INVALID_OBJECT_DEFINITION, "transform function must be a normal function");
        }
        if p.proretset {
            bail!(INVALID_OBJECT_DEFINITION, "transform function must not return a set");
        }
        if p.proargtypes.len() != 1 {
            bail!(INVALID_OBJECT_DEFINITION, "transform function must take one argument");
        }
        if p.proargtypes[0] != INTERNAL {
            bail!(INVALID_OBJECT_DEFINITION, "first argument of transform function must be type internal");
        }
        Ok(())
    };
    let from = match &c.fromsql {
        Some(f) => {
            let p = named(host, f)?;
            check(&p, INTERNAL, "FROM SQL")?;
            p.oid
        }
        None => Oid::INVALID,
    };
    let to = match &c.tosql {
        Some(f) => {
            let p = named(host, f)?;
            check(&p, ty, "TO SQL")?;
            p.oid
        }
        None => Oid::INVALID,
    };
    let old = s.iter::<TransformRow>().find(|r| r.trftype == ty && r.trflang == lang.oid).map(|r| r.oid);
    if old.is_some() && !c.replace {
        bail!(
            DUPLICATE_OBJECT,
            "transform for type {} language \"{}\" already exists",
            shown(host, ty),
            c.lang
        );
    }
    let oid = match old {
        Some(o) => o,
        None => ctx::new_oid(host)?,
    };
    host.with_catalog(&mut |t| {
        let me = ObjectAddress::of::<TransformRow>(oid);
        t.forget_dependencies(me, true);
        t.insert(TransformRow { oid, trftype: ty, trflang: lang.oid, trffromsql: from, trftosql: to });
        t.record_dependency(me, ObjectAddress::of::<LanguageRow>(lang.oid), DependencyType::Normal);
        t.record_dependency(me, ObjectAddress::type_(ty), DependencyType::Normal);
        for f in [from, to].into_iter().filter(|f| f.is_valid()) {
            t.record_dependency(me, ObjectAddress::proc(f), DependencyType::Normal);
        }
        Ok(())
    })?;
    Ok(tag)
}

/// PostgreSQL's numbers of the encodings that conversions name.
fn encoding(name: &str) -> Option<i32> {
    let key: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let list = [
        "sqlascii",
        "eucjp",
        "euccn",
        "euckr",
        "euctw",
        "eucjis2004",
        "utf8",
        "muleinternal",
        "latin1",
        "latin2",
        "latin3",
        "latin4",
        "latin5",
        "latin6",
        "latin7",
        "latin8",
        "latin9",
        "latin10",
        "win1256",
        "win1258",
        "win866",
        "win874",
        "koi8r",
        "win1251",
        "win1252",
        "iso88595",
        "iso88596",
        "iso88597",
        "iso88598",
        "win1250",
        "win1253",
        "win1254",
        "win1255",
        "win1257",
        "koi8u",
        "sjis",
        "big5",
        "gbk",
        "uhc",
        "gb18030",
        "johab",
        "shiftjis2004",
    ];
    let key = match key.as_str() {
        "unicode" => "utf8",
        "iso88591" => "latin1",
        "iso88592" => "latin2",
        "koi8" => "koi8r",
        other => other,
    };
    list.iter().position(|n| *n == key).map(|i| i as i32)
}

pub(crate) fn conversion(host: &dyn CommandHost, c: &CreateConversionStmt) -> PgResult<CommandOutcome> {
    let (namespace, name) = objects::creation_namespace(host, &c.conversion_name)?;
    let Some(from) = encoding(&c.for_encoding_name) else {
        bail!(UNDEFINED_OBJECT, "source encoding \"{}\" does not exist", c.for_encoding_name);
    };
    let Some(to) = encoding(&c.to_encoding_name) else {
        bail!(UNDEFINED_OBJECT, "destination encoding \"{}\" does not exist", c.to_encoding_name);
    };
    if from == 0 || to == 0 {
        return Err(err!(
            INVALID_OBJECT_DEFINITION,
            "encoding conversion to or from \"SQL_ASCII\" is not supported"
        ));
    }
    let args = [oid::INT4, oid::INT4, Oid(2275), Oid(2281), oid::INT4, oid::BOOL];
    let f = function(host, &c.func_name, &args)?;
    let s = host.snapshot();
    if s.proc_by_oid(f).is_some_and(|p| p.prorettype != oid::INT4) {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "encoding conversion function {} must return type integer",
            c.func_name.join(".")
        );
    }
    if s.conversion_by_name(namespace, &name).is_some() {
        bail!(DUPLICATE_OBJECT, "conversion \"{name}\" already exists");
    }
    if c.def
        && s.iter::<ConversionRow>().any(|r| {
            r.condefault && r.connamespace == namespace && r.conforencoding == from && r.contoencoding == to
        })
    {
        bail!(
            DUPLICATE_OBJECT,
            "default conversion for {} to {} already exists",
            c.for_encoding_name,
            c.to_encoding_name
        );
    }
    let row = ConversionRow {
        oid: ctx::new_oid(host)?,
        conname: name.as_str().into(),
        connamespace: namespace,
        conowner: ctx::user(host),
        conforencoding: from,
        contoencoding: to,
        conproc: f,
        condefault: c.def,
    };
    host.with_catalog(&mut |t| {
        let me = ObjectAddress::of::<ConversionRow>(row.oid);
        t.insert(row.clone());
        t.record_dependency(me, ObjectAddress::proc(f), DependencyType::Normal);
        t.record_dependency(me, ObjectAddress::of::<NamespaceRow>(namespace), DependencyType::Normal);
        t.record_owner(me, row.conowner);
        Ok(())
    })?;
    Ok(CommandOutcome::tag("CREATE CONVERSION"))
}

pub(crate) fn access_method(host: &dyn CommandHost, c: &CreateAmStmt) -> PgResult<CommandOutcome> {
    let s = host.snapshot();
    if !acl::is_superuser(&s, ctx::user(host)) {
        return Err(err!(
            INSUFFICIENT_PRIVILEGE,
            "permission denied to create access method \"{}\"",
            c.amname
        )
        .hint("Must be superuser to create an access method."));
    }
    if s.am_by_name(&c.amname).is_some() {
        bail!(DUPLICATE_OBJECT, "access method \"{}\" already exists", c.amname);
    }
    let handler = function(host, &c.handler_name, &[Oid(2281)])?;
    // index_am_handler, table_am_handler
    let (wanted, word) =
        if c.amtype == 'i' { (Oid(325), "index_am_handler") } else { (Oid(269), "table_am_handler") };
    if s.proc_by_oid(handler).is_some_and(|p| p.prorettype != wanted) {
        bail!(WRONG_OBJECT_TYPE, "function {} must return type {word}", c.handler_name.join("."));
    }
    let row = AmRow {
        oid: ctx::new_oid(host)?,
        amname: c.amname.as_str().into(),
        amhandler: handler,
        amtype: c.amtype as u8,
    };
    host.with_catalog(&mut |t| {
        t.insert(row.clone());
        let me = ObjectAddress::of::<AmRow>(row.oid);
        t.record_dependency(me, ObjectAddress::proc(handler), DependencyType::Normal);
        Ok(())
    })?;
    Ok(CommandOutcome::tag("CREATE ACCESS METHOD"))
}
