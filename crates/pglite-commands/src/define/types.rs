//! CREATE TYPE: shells and ranges; ALTER TYPE ... SET.

use pglite_catalog::create;
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::*;
use pglite_catalog::{List, Vector, acl, well_known};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{CreateRangeStmt, DefineStmt};
use pglite_types::{Oid, oid};

use super::{function, names_of, type_name_of, type_of};
use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects;

/// CREATE TYPE name; and, not yet, base types.
pub(crate) fn create(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<()> {
    let s = host.snapshot();
    let (namespace, name) = objects::creation_namespace(host, &d.defnames)?;
    if !acl::is_superuser(&s, ctx::user(host)) {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create a base type");
    }
    let existing = s.type_by_name(namespace, &name);
    if d.definition.is_empty() {
        if existing.is_some() {
            bail!(DUPLICATE_OBJECT, "type \"{name}\" already exists");
        }
        return shell(host, namespace, &name).map(|_| ());
    }
    if existing.is_none_or(|t| t.typisdefined) {
        if existing.is_some() {
            bail!(DUPLICATE_OBJECT, "type \"{name}\" already exists");
        }
        return Err(err!(DUPLICATE_OBJECT, "type \"{name}\" does not exist").hint(
            "Create the type as a shell type, then create its I/O functions, then do a full CREATE TYPE.",
        ));
    }
    Err(PgError::unsupported("base types are not supported yet"))
}

fn shell(host: &dyn CommandHost, namespace: Oid, name: &str) -> PgResult<Oid> {
    let s = host.snapshot();
    let func = |n: &str| s.procs_by_name(n).next().map_or(Oid::INVALID, |p| p.oid);
    let row = TypeRow {
        oid: ctx::new_oid(host)?,
        typname: name.into(),
        typnamespace: namespace,
        typowner: ctx::user(host),
        typlen: 4,
        typbyval: true,
        typtype: b'p',
        typcategory: b'P',
        typisdefined: false,
        typdelim: b',',
        typinput: func("shell_in"),
        typoutput: func("shell_out"),
        typalign: b'i',
        typstorage: b'p',
        typtypmod: -1,
        ..TypeRow::default()
    };
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::type_(row.oid);
        c.insert(row.clone());
        c.record_dependency(me, ObjectAddress::of::<NamespaceRow>(namespace), DependencyType::Normal);
        c.record_owner(me, row.typowner);
        Ok(())
    })?;
    Ok(row.oid)
}

struct RangeOptions {
    subtype: Oid,
    opclass: Oid,
    collation: Oid,
    canonical: Oid,
    subdiff: Oid,
    multirange: Option<Vec<String>>,
}

fn range_options(host: &dyn CommandHost, r: &CreateRangeStmt, me: Option<Oid>) -> PgResult<RangeOptions> {
    let s = host.snapshot();
    let mut subtype = Oid::INVALID;
    let (mut opclass, mut collation, mut canonical, mut subdiff, mut multirange) = Default::default();
    for d in &r.params {
        let slot: &mut Option<Vec<String>> = match d.defname.as_str() {
            "subtype" => {
                if subtype.is_valid() {
                    bail!(SYNTAX_ERROR, "conflicting or redundant options");
                }
                subtype = type_of(host, &type_name_of(d)?)?;
                continue;
            }
            "subtype_opclass" => &mut opclass,
            "collation" => &mut collation,
            "canonical" => &mut canonical,
            "subtype_diff" => &mut subdiff,
            "multirange_type_name" => &mut multirange,
            other => return Err(PgError::syntax(format!("type attribute \"{other}\" not recognized"))),
        };
        if slot.is_some() {
            bail!(SYNTAX_ERROR, "conflicting or redundant options");
        }
        *slot = Some(names_of(d)?);
    }
    if !subtype.is_valid() {
        return Err(PgError::syntax("type attribute \"subtype\" is required"));
    }
    let row = s.type_by_oid(subtype).cloned().unwrap_or_default();
    let shown = |t| pglite_catalog::format_type::format_type_be(&s, host.env().search_path(), t);
    if row.typtype == b'p' {
        bail!(DATATYPE_MISMATCH, "range subtype cannot be {}", shown(subtype));
    }
    let class = match opclass {
        Some(names) => {
            let env = host.env();
            let parts: Vec<&str> = names.iter().map(String::as_str).collect();
            let (schema, name) = pglite_catalog::names::split_schema(&parts, &env.database_name())?;
            let class = env.search_path().opclass(&s, well_known::AM_BTREE, schema, name)?;
            if !s.is_binary_coercible(s.base_type(subtype), class.opcintype) {
                bail!(
                    DATATYPE_MISMATCH,
                    "operator class \"{name}\" does not accept data type {}",
                    shown(subtype)
                );
            }
            class.oid
        }
        None => match s.default_opclass(well_known::AM_BTREE, s.base_type(subtype)) {
            Some(c) => c.oid,
            None => {
                return Err(err!(
                    UNDEFINED_OBJECT,
                    "data type {} has no default operator class for access method \"btree\"",
                    shown(subtype)
                )
                .hint("You must specify an operator class for the range type or define a default operator class for the subtype."));
            }
        },
    };
    let collation = match (row.typcollation.is_valid(), collation) {
        (true, Some(names)) => {
            let env = host.env();
            pglite_analyze::resolve_collation(env.as_analyze_env(), &names, -1)?
        }
        (true, None) => row.typcollation,
        (false, Some(_)) => {
            bail!(WRONG_OBJECT_TYPE, "range collation specified but subtype does not support collation")
        }
        _ => Oid::INVALID,
    };
    let canonical = match canonical {
        Some(names) => {
            let Some(me) = me else {
                return Err(err!(
                    INVALID_OBJECT_DEFINITION,
                    "cannot specify a canonical function without a pre-created shell type"
                )
                .hint("Create the type as a shell type, then create its canonicalization function, then do a full CREATE TYPE."));
            };
            let f = function(host, &names, &[me])?;
            let p = s.proc_by_oid(f).cloned().unwrap_or_default();
            if p.prorettype != me {
                bail!(
                    INVALID_OBJECT_DEFINITION,
                    "range canonical function {} must return range type",
                    names.join(".")
                );
            }
            if p.provolatile != b'i' {
                bail!(
                    INVALID_OBJECT_DEFINITION,
                    "range canonical function {} must be immutable",
                    names.join(".")
                );
            }
            f
        }
        None => Oid::INVALID,
    };
    let subdiff = match subdiff {
        Some(names) => {
            let f = function(host, &names, &[subtype, subtype])?;
            let p = s.proc_by_oid(f).cloned().unwrap_or_default();
            if p.prorettype != oid::FLOAT8 {
                bail!(
                    INVALID_OBJECT_DEFINITION,
                    "range subtype diff function {} must return type double precision",
                    names.join(".")
                );
            }
            if p.provolatile != b'i' {
                bail!(
                    INVALID_OBJECT_DEFINITION,
                    "range subtype diff function {} must be immutable",
                    names.join(".")
                );
            }
            f
        }
        None => Oid::INVALID,
    };
    Ok(RangeOptions { subtype, opclass: class, collation, canonical, subdiff, multirange })
}

/// CREATE TYPE ... AS RANGE: the range, its multirange, their arrays and constructors.
pub(crate) fn create_range(host: &dyn CommandHost, r: &CreateRangeStmt) -> PgResult<CommandOutcome> {
    let (namespace, name) = objects::creation_namespace(host, &r.type_name)?;
    let s = host.snapshot();
    let existing = s.type_by_name(namespace, &name).cloned();
    if existing.as_ref().is_some_and(|t| t.typisdefined) {
        bail!(DUPLICATE_OBJECT, "type \"{name}\" already exists");
    }
    let o = range_options(host, r, existing.as_ref().map(|t| t.oid))?;
    let me = match &existing {
        Some(t) => t.oid,
        None => ctx::new_oid(host)?,
    };
    let (array, multi, multi_array) = (ctx::new_oid(host)?, ctx::new_oid(host)?, ctx::new_oid(host)?);
    let (multi_ns, multi_name) = match &o.multirange {
        Some(names) => objects::creation_namespace(host, names)?,
        None => (namespace, create::multirange_type_name(&name)),
    };
    if s.type_by_name(multi_ns, &multi_name).is_some() {
        let e = err!(DUPLICATE_OBJECT, "type \"{multi_name}\" already exists");
        return Err(if o.multirange.is_some() {
            e
        } else {
            e.detail(format!(
                "Failed while creating a multirange type for type \"{name}\"."
            ))
            .hint("You can manually specify a multirange type name using the \"multirange_type_name\" attribute.")
        });
    }
    let user = ctx::user(host);
    let subtype = s.type_by_oid(o.subtype).cloned().unwrap_or_default();
    let range = create::range_type(&s, me, &name, namespace, user, &subtype, array);
    let mut multirange = create::multirange_type(&s, multi, &multi_name, &range, multi_array);
    multirange.typnamespace = multi_ns;
    let array_row = create::array_type(&s, array, &create::array_type_name(&s, &name, namespace), &range);
    let multi_array_row =
        create::array_type(&s, multi_array, &create::array_type_name(&s, &multi_name, multi_ns), &multirange);
    let row = RangeRow {
        rngtypid: me,
        rngsubtype: o.subtype,
        rngmultitypid: multi,
        rngcollation: o.collation,
        rngsubopc: o.opclass,
        rngcanonical: o.canonical,
        rngsubdiff: o.subdiff,
    };
    host.with_catalog(&mut |c| {
        let (r, m) = (ObjectAddress::type_(me), ObjectAddress::type_(multi));
        c.forget_dependencies(r, true);
        c.forget_shared_dependencies(r);
        c.insert(range.clone());
        c.insert(array_row.clone());
        c.insert(multirange.clone());
        c.insert(multi_array_row.clone());
        c.insert(row.clone());
        let n = DependencyType::Normal;
        c.record_dependency(r, ObjectAddress::of::<NamespaceRow>(namespace), n);
        c.record_dependency(r, ObjectAddress::type_(o.subtype), n);
        c.record_dependency(r, ObjectAddress::of::<OpclassRow>(o.opclass), n);
        if o.collation.is_valid() {
            c.record_dependency(r, ObjectAddress::of::<CollationRow>(o.collation), n);
        }
        for f in [o.canonical, o.subdiff].into_iter().filter(|f| f.is_valid()) {
            c.record_dependency(r, ObjectAddress::proc(f), n);
        }
        c.record_owner(r, user);
        c.record_dependency(ObjectAddress::type_(array), r, DependencyType::Internal);
        c.record_dependency(m, r, DependencyType::Internal);
        c.record_dependency(ObjectAddress::type_(multi_array), m, DependencyType::Internal);
        Ok(())
    })?;
    // Constructors: two and three arguments for the range; none, one and many ranges for the multirange.
    let three = [o.subtype, o.subtype, oid::TEXT];
    constructor(host, namespace, &name, me, &three[..2], "range_constructor2", false, me)?;
    constructor(host, namespace, &name, me, &three, "range_constructor3", false, me)?;
    constructor(host, multi_ns, &multi_name, multi, &[], "multirange_constructor0", false, multi)?;
    constructor(host, multi_ns, &multi_name, multi, &[me], "multirange_constructor1", false, multi)?;
    constructor(host, multi_ns, &multi_name, multi, &[array], "multirange_constructor2", true, multi)?;
    for (from, to, body) in [(me, multi, "multirange_constructor1")] {
        let s = host.snapshot();
        let f = s
            .procs_by_name(&multi_name)
            .find(|p| p.pronamespace == multi_ns && p.proargtypes.as_ref() == [me] && &*p.prosrc == body);
        let Some(f) = f.map(|p| p.oid) else { continue };
        let cast = CastRow {
            oid: ctx::new_oid(host)?,
            castsource: from,
            casttarget: to,
            castfunc: f,
            castcontext: b'e',
            castmethod: b'f',
        };
        host.with_catalog(&mut |c| {
            let a = ObjectAddress::of::<CastRow>(cast.oid);
            c.insert(cast.clone());
            c.record_dependency(a, ObjectAddress::type_(from), DependencyType::Normal);
            c.record_dependency(a, ObjectAddress::type_(to), DependencyType::Normal);
            c.record_dependency(a, ObjectAddress::proc(f), DependencyType::Normal);
            Ok(())
        })?;
    }
    Ok(CommandOutcome::tag("CREATE TYPE"))
}

#[allow(clippy::too_many_arguments)]
fn constructor(
    host: &dyn CommandHost,
    namespace: Oid,
    name: &str,
    ret: Oid,
    args: &[Oid],
    body: &str,
    variadic: bool,
    owner_type: Oid,
) -> PgResult<()> {
    let s = host.snapshot();
    let row = ProcRow {
        oid: ctx::new_oid(host)?,
        proname: name.into(),
        pronamespace: namespace,
        proowner: well_known::SUPERUSER,
        prolang: well_known::LANG_INTERNAL,
        procost: 1.0,
        provariadic: if variadic {
            args.first().and_then(|a| s.element_type(*a)).unwrap_or_default()
        } else {
            Oid::INVALID
        },
        prokind: b'f',
        proisstrict: body.starts_with("multirange") && !args.is_empty(),
        provolatile: b'i',
        proparallel: b's',
        pronargs: args.len() as i16,
        prorettype: ret,
        proargtypes: Vector::from(args.to_vec()),
        proallargtypes: variadic.then(|| List::from(args.to_vec())),
        proargmodes: variadic.then(|| List::from(vec![b'v'])),
        prosrc: body.into(),
        ..ProcRow::default()
    };
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        let me = ObjectAddress::proc(row.oid);
        c.record_dependency(me, ObjectAddress::type_(owner_type), DependencyType::Internal);
        Ok(())
    })
}
