//! CREATE OPERATOR CLASS and FAMILY, ALTER OPERATOR FAMILY.

use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::*;
use pglite_catalog::{acl, format_type, well_known};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{
    AlterOpFamilyStmt, CreateOpClassItem, CreateOpClassStmt, CreateOpFamilyStmt, ObjectName, ObjectType,
    OpClassItemType,
};
use pglite_types::{Oid, oid};

use super::type_of;
use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};

/// The highest operator strategy and support function numbers of an access method; 0: no limit on strategies.
fn limits(am: Oid) -> (i32, i32) {
    match am {
        well_known::AM_BTREE => (5, 6),
        well_known::AM_HASH => (1, 3),
        well_known::AM_GIST => (0, 12),
        well_known::AM_GIN => (0, 7),
        well_known::AM_BRIN => (0, 15),
        _ => (0, 7),
    }
}

struct Member {
    number: i16,
    left: Oid,
    right: Oid,
    object: Oid,
    /// The family that an ordering operator sorts by.
    sort_family: Oid,
}

fn method(host: &dyn CommandHost, name: &str) -> PgResult<AmRow> {
    match host.snapshot().am_by_name(name) {
        Some(am) => Ok(am.clone()),
        None => bail!(UNDEFINED_OBJECT, "access method \"{name}\" does not exist"),
    }
}

fn superuser(host: &dyn CommandHost, what: &str) -> PgResult<()> {
    if acl::is_superuser(&host.snapshot(), ctx::user(host)) {
        return Ok(());
    }
    bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to {what}")
}

fn new_family(host: &dyn CommandHost, am: &AmRow, namespace: Oid, name: &str) -> PgResult<Oid> {
    let s = host.snapshot();
    if s.opfamily_by_name(am.oid, namespace, name).is_some() {
        bail!(
            DUPLICATE_OBJECT,
            "operator family \"{name}\" for access method \"{}\" already exists",
            am.amname
        );
    }
    let row = OpfamilyRow {
        oid: ctx::new_oid(host)?,
        opfmethod: am.oid,
        opfname: name.into(),
        opfnamespace: namespace,
        opfowner: ctx::user(host),
    };
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::of::<OpfamilyRow>(row.oid);
        c.insert(row.clone());
        c.record_dependency(me, ObjectAddress::of::<AmRow>(am.oid), DependencyType::Auto);
        c.record_dependency(me, ObjectAddress::of::<NamespaceRow>(namespace), DependencyType::Normal);
        c.record_owner(me, row.opfowner);
        Ok(())
    })?;
    Ok(row.oid)
}

pub(crate) fn create_family(host: &dyn CommandHost, c: &CreateOpFamilyStmt) -> PgResult<CommandOutcome> {
    let (namespace, name) = objects::creation_namespace(host, &c.opfamilyname)?;
    let am = method(host, &c.amname)?;
    superuser(host, "create an operator family")?;
    new_family(host, &am, namespace, &name)?;
    Ok(CommandOutcome::tag("CREATE OPERATOR FAMILY"))
}

fn find_family(host: &dyn CommandHost, am: &str, names: &[String]) -> PgResult<Oid> {
    let full: Vec<String> = [am.to_string()].into_iter().chain(names.iter().cloned()).collect();
    let a = objects::resolve(host, &ObjectType::OpFamily, &ObjectName::Names(full), Lookup::default())?;
    Ok(a.object)
}

fn types_of(host: &dyn CommandHost, i: &CreateOpClassItem) -> PgResult<Option<(Oid, Oid)>> {
    let mut list = Vec::new();
    for t in &i.class_args {
        list.push(type_of(host, t)?);
    }
    Ok(match list[..] {
        [] => None,
        [one] => Some((one, one)),
        [a, b, ..] => Some((a, b)),
    })
}

fn operator_member(
    host: &dyn CommandHost,
    am: &AmRow,
    i: &CreateOpClassItem,
    own: Option<Oid>,
) -> PgResult<Member> {
    let (max, _) = limits(am.oid);
    if i.number <= 0 || (max > 0 && i.number > max) {
        let top = if max > 0 { max } else { 32767 };
        bail!(INVALID_OBJECT_DEFINITION, "invalid operator number {}, must be between 1 and {top}", i.number);
    }
    let Some(w) = &i.name else { bail!(INTERNAL_ERROR, "operator without a name") };
    let object = if w.objargs.is_empty() {
        let Some(ty) = own else {
            return Err(PgError::syntax(
                "operator argument types must be specified in ALTER OPERATOR FAMILY",
            ));
        };
        let env = host.env();
        let (schema, name) = objects::split(&*env, &w.objname)?;
        let s = env.as_fn_host().catalog();
        match env.search_path().operator_exact(s, schema.as_deref(), &name, ty, ty)? {
            Some(o) => o.oid,
            None => {
                let shown = format_type::format_type_be(s, env.search_path(), ty);
                bail!(UNDEFINED_FUNCTION, "operator does not exist: {shown} {} {shown}", w.objname.join("."));
            }
        }
    } else {
        let n = ObjectName::WithArgs(Box::new(w.clone()));
        objects::resolve(host, &ObjectType::Operator, &n, Lookup::default())?.object
    };
    let s = host.snapshot();
    let o = s.operator_by_oid(object).cloned().unwrap_or_default();
    if o.oprkind != b'b' {
        bail!(INVALID_OBJECT_DEFINITION, "index operators must be binary");
    }
    let sort_family = if i.order_family.is_empty() {
        if o.oprresult != oid::BOOL {
            bail!(INVALID_OBJECT_DEFINITION, "index search operators must return boolean");
        }
        Oid::INVALID
    } else {
        if matches!(am.oid, well_known::AM_BTREE | well_known::AM_HASH) {
            bail!(
                INVALID_OBJECT_DEFINITION,
                "access method \"{}\" does not support ordering operators",
                am.amname
            );
        }
        find_family(host, "btree", &i.order_family)?
    };
    let (left, right) = types_of(host, i)?.unwrap_or((o.oprleft, o.oprright));
    Ok(Member { number: i.number as i16, left, right, object, sort_family })
}

fn function_member(
    host: &dyn CommandHost,
    am: &AmRow,
    i: &CreateOpClassItem,
    own: Option<Oid>,
) -> PgResult<Member> {
    let (_, max) = limits(am.oid);
    if i.number <= 0 || i.number > max {
        bail!(INVALID_OBJECT_DEFINITION, "invalid function number {}, must be between 1 and {max}", i.number);
    }
    let Some(w) = &i.name else { bail!(INTERNAL_ERROR, "function without a name") };
    let n = ObjectName::WithArgs(Box::new(w.clone()));
    let object = objects::resolve(host, &ObjectType::Function, &n, Lookup::default())?.object;
    let s = host.snapshot();
    let p = s.proc_by_oid(object).cloned().unwrap_or_default();
    let args: Vec<Oid> = p.proargtypes.iter().copied().collect();
    let given = types_of(host, i)?;
    let bad = |text: &str| -> PgResult<()> { Err(err!(INVALID_OBJECT_DEFINITION, "{text}")) };
    match (am.oid, i.number) {
        (well_known::AM_BTREE, 1) => {
            if args.len() != 2 {
                bad("ordering comparison functions must have two arguments")?;
            }
            if p.prorettype != oid::INT4 {
                bad("ordering comparison functions must return integer")?;
            }
        }
        (well_known::AM_BTREE, 2) => {
            if args != [Oid(2281)] {
                bad("ordering sort support functions must accept type \"internal\"")?;
            }
            if p.prorettype != oid::VOID {
                bad("ordering sort support functions must return void")?;
            }
        }
        (well_known::AM_BTREE, 3) => {
            if args.len() != 5 {
                bad("btree in_range functions must have five arguments")?;
            }
            if p.prorettype != oid::BOOL {
                bad("btree in_range functions must return boolean")?;
            }
        }
        (well_known::AM_BTREE, 4) => {
            if args != [oid::OID] {
                bad("btree equal image functions must have one argument")?;
            }
            if p.prorettype != oid::BOOL {
                bad("btree equal image functions must return boolean")?;
            }
            if given.is_some_and(|g| g.0 != g.1) {
                bad("btree equal image functions must not be cross-type")?;
            }
        }
        (well_known::AM_HASH, 1) => {
            if args.len() != 1 {
                bad("hash function 1 must have one argument")?;
            }
            if p.prorettype != oid::INT4 {
                bad("hash function 1 must return integer")?;
            }
        }
        (well_known::AM_HASH, 2) => {
            if args.len() != 2 {
                bad("hash function 2 must have two arguments")?;
            }
            if p.prorettype != oid::INT8 {
                bad("hash function 2 must return bigint")?;
            }
        }
        _ => {}
    }
    let derived = match (am.oid, i.number) {
        (well_known::AM_BTREE, 1 | 3) if args.len() >= 2 => Some((args[0], args[1])),
        (well_known::AM_HASH, _) => args.first().map(|a| (*a, *a)),
        _ => None,
    };
    let (left, right) = match given.or(derived).or(own.map(|o| (o, o))) {
        Some(pair) => pair,
        None => bail!(
            INVALID_OBJECT_DEFINITION,
            "associated data types must be specified for index support function"
        ),
    };
    // A class's functions over its own type serve the class even when declared on a wider type.
    let (left, right) = match own {
        Some(o) if given.is_none() && am.oid == well_known::AM_HASH => {
            let _ = (left, right);
            (o, o)
        }
        _ => (left, right),
    };
    Ok(Member { number: i.number as i16, left, right, object, sort_family: Oid::INVALID })
}

fn twice(host: &dyn CommandHost, list: &[Member], what: &str) -> PgResult<()> {
    let s = host.snapshot();
    for (i, m) in list.iter().enumerate() {
        if list[..i].iter().any(|o| (o.number, o.left, o.right) == (m.number, m.left, m.right)) {
            let show = |t| format_type::format_type_be(&s, host.env().search_path(), t);
            bail!(
                INVALID_OBJECT_DEFINITION,
                "{what} number {} for ({},{}) appears more than once",
                m.number,
                show(m.left),
                show(m.right)
            );
        }
    }
    Ok(())
}

/// Writes members of a family; those of a class go with the class, loose ones with the family.
fn store(
    host: &dyn CommandHost,
    am: &AmRow,
    family: Oid,
    class: Option<Oid>,
    operators: &[Member],
    functions: &[Member],
) -> PgResult<()> {
    let s = host.snapshot();
    let name = s.opfamily_by_oid(family).map(|f| f.opfname.to_string()).unwrap_or_default();
    let show = |t| format_type::format_type_be(&s, host.env().search_path(), t);
    for m in operators {
        if s.amop(family, m.left, m.right, m.number).is_some() {
            bail!(
                DUPLICATE_OBJECT,
                "operator {}({},{}) already exists in operator family \"{name}\"",
                m.number,
                show(m.left),
                show(m.right)
            );
        }
    }
    for m in functions {
        if s.amproc(family, m.left, m.right, m.number).is_some() {
            bail!(
                DUPLICATE_OBJECT,
                "function {}({},{}) already exists in operator family \"{name}\"",
                m.number,
                show(m.left),
                show(m.right)
            );
        }
    }
    let parent = match class {
        Some(c) => ObjectAddress::of::<OpclassRow>(c),
        None => ObjectAddress::of::<OpfamilyRow>(family),
    };
    // PG: in a class members are inseparable from it; in a family they may be dropped alone.
    let (on_object, on_parent) = match class {
        Some(_) => (DependencyType::Normal, DependencyType::Internal),
        None => (DependencyType::Auto, DependencyType::Auto),
    };
    for m in operators {
        let row = AmopRow {
            oid: ctx::new_oid(host)?,
            amopfamily: family,
            amoplefttype: m.left,
            amoprighttype: m.right,
            amopstrategy: m.number,
            amoppurpose: if m.sort_family.is_valid() { b'o' } else { b's' },
            amopopr: m.object,
            amopmethod: am.oid,
            amopsortfamily: m.sort_family,
        };
        host.with_catalog(&mut |c| {
            let me = ObjectAddress::of::<AmopRow>(row.oid);
            c.insert(row.clone());
            c.record_dependency(me, ObjectAddress::of::<OperatorRow>(m.object), on_object);
            c.record_dependency(me, parent, on_parent);
            if m.sort_family.is_valid() {
                c.record_dependency(me, ObjectAddress::of::<OpfamilyRow>(m.sort_family), on_object);
            }
            Ok(())
        })?;
    }
    for m in functions {
        let row = AmprocRow {
            oid: ctx::new_oid(host)?,
            amprocfamily: family,
            amproclefttype: m.left,
            amprocrighttype: m.right,
            amprocnum: m.number,
            amproc: m.object,
        };
        host.with_catalog(&mut |c| {
            let me = ObjectAddress::of::<AmprocRow>(row.oid);
            c.insert(row.clone());
            c.record_dependency(me, ObjectAddress::proc(m.object), on_object);
            c.record_dependency(me, parent, on_parent);
            Ok(())
        })?;
    }
    Ok(())
}

pub(crate) fn create_class(host: &dyn CommandHost, c: &CreateOpClassStmt) -> PgResult<CommandOutcome> {
    let (namespace, name) = objects::creation_namespace(host, &c.opclassname)?;
    let am = method(host, &c.amname)?;
    superuser(host, "create an operator class")?;
    let ty = type_of(host, &c.datatype)?;
    let family = if c.opfamilyname.is_empty() {
        let found = host.snapshot().opfamily_by_name(am.oid, namespace, &name).map(|f| f.oid);
        match found {
            Some(f) => f,
            None => new_family(host, &am, namespace, &name)?,
        }
    } else {
        find_family(host, &c.amname, &c.opfamilyname)?
    };
    let (mut operators, mut functions) = (Vec::new(), Vec::new());
    let mut stored = Oid::INVALID;
    for i in &c.items {
        match i.itemtype {
            OpClassItemType::Operator => operators.push(operator_member(host, &am, i, Some(ty))?),
            OpClassItemType::Function => functions.push(function_member(host, &am, i, Some(ty))?),
            OpClassItemType::StorageType => {
                if stored.is_valid() {
                    bail!(INVALID_OBJECT_DEFINITION, "storage type specified more than once");
                }
                if let Some(t) = &i.storedtype {
                    stored = type_of(host, t)?;
                }
            }
        }
    }
    if stored == ty {
        stored = Oid::INVALID;
    }
    if stored.is_valid() && matches!(am.oid, well_known::AM_BTREE | well_known::AM_HASH) {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "storage type cannot be different from data type for access method \"{}\"",
            am.amname
        );
    }
    twice(host, &operators, "operator")?;
    twice(host, &functions, "function")?;
    let s = host.snapshot();
    if s.opclass_by_name(am.oid, namespace, &name).is_some() {
        bail!(
            DUPLICATE_OBJECT,
            "operator class \"{name}\" for access method \"{}\" already exists",
            am.amname
        );
    }
    if c.is_default
        && let Some(old) = s.default_opclass_exact(am.oid, ty)
    {
        return Err(err!(
            DUPLICATE_OBJECT,
            "could not make operator class \"{name}\" be default for type {}",
            format_type::format_type_be(&s, host.env().search_path(), ty)
        )
        .detail(format!("Operator class \"{}\" already is the default.", old.opcname)));
    }
    let row = OpclassRow {
        oid: ctx::new_oid(host)?,
        opcmethod: am.oid,
        opcname: name.as_str().into(),
        opcnamespace: namespace,
        opcowner: ctx::user(host),
        opcfamily: family,
        opcintype: ty,
        opcdefault: c.is_default,
        opckeytype: stored,
    };
    host.with_catalog(&mut |t| {
        let me = ObjectAddress::of::<OpclassRow>(row.oid);
        t.insert(row.clone());
        t.record_dependency(me, ObjectAddress::of::<NamespaceRow>(namespace), DependencyType::Normal);
        t.record_dependency(me, ObjectAddress::of::<OpfamilyRow>(family), DependencyType::Auto);
        t.record_dependency(me, ObjectAddress::type_(ty), DependencyType::Normal);
        if stored.is_valid() {
            t.record_dependency(me, ObjectAddress::type_(stored), DependencyType::Normal);
        }
        t.record_owner(me, row.opcowner);
        Ok(())
    })?;
    store(host, &am, family, Some(row.oid), &operators, &functions)?;
    Ok(CommandOutcome::tag("CREATE OPERATOR CLASS"))
}

pub(crate) fn alter_family(host: &dyn CommandHost, a: &AlterOpFamilyStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("ALTER OPERATOR FAMILY");
    let am = method(host, &a.amname)?;
    let family = find_family(host, &a.amname, &a.opfamilyname)?;
    superuser(host, "alter an operator family")?;
    if !a.is_drop {
        let (mut operators, mut functions) = (Vec::new(), Vec::new());
        for i in &a.items {
            match i.itemtype {
                OpClassItemType::Operator => operators.push(operator_member(host, &am, i, None)?),
                OpClassItemType::Function => functions.push(function_member(host, &am, i, None)?),
                OpClassItemType::StorageType => {
                    return Err(PgError::syntax("STORAGE cannot be specified in ALTER OPERATOR FAMILY"));
                }
            }
        }
        twice(host, &operators, "operator")?;
        twice(host, &functions, "function")?;
        store(host, &am, family, None, &operators, &functions)?;
        return Ok(tag);
    }
    let (max_op, max_fn) = limits(am.oid);
    for i in &a.items {
        let s = host.snapshot();
        let (left, right) = types_of(host, i)?.unwrap_or_default();
        let is_op = matches!(i.itemtype, OpClassItemType::Operator);
        let (top, word) = if is_op { (max_op, "operator") } else { (max_fn, "function") };
        if i.number <= 0 || top > 0 && i.number > top {
            bail!(
                INVALID_OBJECT_DEFINITION,
                "invalid {word} number {}, must be between 1 and {top}",
                i.number
            );
        }
        let found = if is_op {
            s.amop(family, left, right, i.number as i16).map(|r| ObjectAddress::of::<AmopRow>(r.oid))
        } else {
            s.amproc(family, left, right, i.number as i16).map(|r| ObjectAddress::of::<AmprocRow>(r.oid))
        };
        match found {
            Some(f) => crate::drop::remove(host, &[f], false)?,
            None => {
                let show = |t| format_type::format_type_be(&s, host.env().search_path(), t);
                let name = s.opfamily_by_oid(family).map(|f| f.opfname.to_string()).unwrap_or_default();
                bail!(
                    UNDEFINED_OBJECT,
                    "{word} {}({},{}) does not exist in operator family \"{name}\"",
                    i.number,
                    show(left),
                    show(right)
                );
            }
        }
    }
    Ok(tag)
}
