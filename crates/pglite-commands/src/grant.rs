//! GRANT and REVOKE on objects, ALTER DEFAULT PRIVILEGES.

mod defaults;

use pglite_catalog::acl::grant::{Mode, best_grantor, grant_options, update};
use pglite_catalog::acl::{self, AclKind};
use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::rows::*;
use pglite_catalog::{AclItem, CatalogRow, CatalogTxn, Key, List, Snapshot};
use pglite_error::{PgError, PgResult, bail, codes, err};
use pglite_parser::ast::{
    AccessPriv, DropBehavior, GrantObject, GrantStmt, GrantTargetType, ObjectName, ObjectType, RoleSpecType,
};
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};
use crate::role;

pub(crate) use defaults::alter_default_privileges;

/// What a GRANT says, names resolved.
struct Order {
    is_grant: bool,
    grantees: Vec<Oid>,
    grant_option: bool,
    cascade: bool,
}

/// The kinds' words in "invalid privilege type" messages, and their ACL kinds.
fn acl_kind(t: &ObjectType) -> (AclKind, &'static str) {
    match t {
        ObjectType::Table | ObjectType::View => (AclKind::Table, "relation"),
        ObjectType::Column => (AclKind::Column, "column"),
        ObjectType::Sequence => (AclKind::Sequence, "sequence"),
        ObjectType::Database => (AclKind::Database, "database"),
        ObjectType::Function | ObjectType::Aggregate => (AclKind::Function, "function"),
        ObjectType::Procedure => (AclKind::Function, "procedure"),
        ObjectType::Routine => (AclKind::Function, "routine"),
        ObjectType::Language => (AclKind::Language, "language"),
        ObjectType::LargeObject => (AclKind::LargeObject, "large object"),
        ObjectType::Schema => (AclKind::Schema, "schema"),
        ObjectType::Tablespace => (AclKind::Tablespace, "tablespace"),
        ObjectType::Type => (AclKind::Type, "type"),
        ObjectType::Domain => (AclKind::Type, "domain"),
        ObjectType::Fdw => (AclKind::ForeignDataWrapper, "foreign-data wrapper"),
        ObjectType::ForeignServer => (AclKind::ForeignServer, "foreign server"),
        _ => (AclKind::Parameter, "parameter"),
    }
}

fn bit(word: &str) -> PgResult<u64> {
    acl::privilege_bit(word).ok_or_else(|| PgError::syntax(format!("unrecognized privilege type \"{word}\"")))
}

fn shown(bits: u64) -> &'static str {
    acl::KEYWORDS.iter().find(|k| k.1 == bits).map_or("", |k| k.0)
}

macro_rules! acls {
    ($($row:ident $kind:expr, $acl:ident $owner:ident;)*) => {
        fn acl_of(s: &Snapshot, a: &ObjectAddress) -> Option<(Option<List<AclItem>>, Oid)> {
            match a.class {
                $($row::CATALOG => s.get::<$row>(a.object).map(|r| (r.$acl.clone(), r.$owner)),)*
                _ => None,
            }
        }
        fn set_acl(c: &mut CatalogTxn, a: &ObjectAddress, acl: Option<List<AclItem>>) {
            match a.class {
                $($row::CATALOG => { c.modify::<$row>(a.object, |r| r.$acl = acl); })*
                _ => {}
            }
        }
    };
}

acls! {
    ClassRow AclKind::Table, relacl relowner;
    ProcRow AclKind::Function, proacl proowner;
    TypeRow AclKind::Type, typacl typowner;
    NamespaceRow AclKind::Schema, nspacl nspowner;
    DatabaseRow AclKind::Database, datacl datdba;
    LanguageRow AclKind::Language, lanacl lanowner;
    TablespaceRow AclKind::Tablespace, spcacl spcowner;
    ForeignDataWrapperRow AclKind::ForeignDataWrapper, fdwacl fdwowner;
    ForeignServerRow AclKind::ForeignServer, srvacl srvowner;
    LargeobjectMetadataRow AclKind::LargeObject, lomacl lomowner;
}

/// Changes the owner in an ACL along with the object's (ALTER ... OWNER).
pub(crate) fn reown(c: &mut CatalogTxn, a: &ObjectAddress, old: Oid, new: Oid) {
    let Some((Some(acl), _)) = acl_of(c.snapshot(), a) else { return };
    let changed = acl::grant::change_owner(&acl, old, new);
    c.record_acl(*a, new, &changed);
    set_acl(c, a, Some(changed.into()));
}

pub(crate) fn grant(host: &dyn CommandHost, g: &GrantStmt) -> PgResult<CommandOutcome> {
    let order = order(host, g)?;
    let targets = targets(host, g)?;
    for a in targets {
        let mut plain = Vec::new();
        let mut by_column: Vec<(&AccessPriv, &String)> = Vec::new();
        for p in &g.privileges {
            if p.cols.is_empty() {
                plain.push(p);
            }
            by_column.extend(p.cols.iter().map(|c| (p, c)));
        }
        if !by_column.is_empty() && !matches!(g.objtype, ObjectType::Table) {
            bail!(INVALID_GRANT_OPERATION, "column privileges are only valid for relations");
        }
        if g.privileges.is_empty() || !plain.is_empty() {
            let wanted = wanted(host, g, &a, &plain)?;
            apply(host, &order, g, &a, wanted, g.privileges.is_empty())?;
        }
        for (p, column) in by_column {
            column_grant(host, &order, &a, p, column)?;
        }
    }
    Ok(CommandOutcome::tag(if g.is_grant { "GRANT" } else { "REVOKE" }))
}

fn order(host: &dyn CommandHost, g: &GrantStmt) -> PgResult<Order> {
    let mut grantees = Vec::new();
    for r in &g.grantees {
        if r.roletype == RoleSpecType::Public && g.is_grant && g.grant_option {
            bail!(INVALID_GRANT_OPERATION, "grant options can only be granted to roles");
        }
        grantees.push(role::resolve_or_public(host, r)?);
    }
    if let Some(by) = &g.grantor
        && role::resolve(host, by)? != ctx::user(host)
    {
        return Err(PgError::unsupported("grantor must be current user"));
    }
    Ok(Order {
        is_grant: g.is_grant,
        grantees,
        grant_option: g.grant_option,
        cascade: g.behavior == DropBehavior::Cascade,
    })
}

fn wanted(host: &dyn CommandHost, g: &GrantStmt, a: &ObjectAddress, plain: &[&AccessPriv]) -> PgResult<u64> {
    let s = host.snapshot();
    let mut objtype = g.objtype;
    // PG: GRANT ... ON TABLE of a sequence takes the sequence's privileges, with a warning for others.
    let is_sequence =
        s.class_by_oid(a.object).is_some_and(|c| a.class == ClassRow::CATALOG && c.relkind == b'S');
    if is_sequence && objtype == ObjectType::Table {
        objtype = ObjectType::Sequence;
    }
    let (kind, word) = acl_kind(&objtype);
    if plain.is_empty() || plain.iter().any(|p| p.priv_name.is_none()) {
        return Ok(kind.all());
    }
    let mut bits = 0;
    for p in plain {
        let b = bit(p.priv_name.as_deref().unwrap_or(""))?;
        if kind.all() & b == 0 {
            bail!(INVALID_GRANT_OPERATION, "invalid privilege type {} for {word}", shown(b));
        }
        bits |= b;
    }
    Ok(bits)
}

fn targets(host: &dyn CommandHost, g: &GrantStmt) -> PgResult<Vec<ObjectAddress>> {
    if g.targtype == GrantTargetType::AllInSchema {
        return all_in_schema(host, g);
    }
    let mut out = Vec::new();
    for o in &g.objects {
        let a = match o {
            GrantObject::RangeVar(r) => {
                let rel = ctx::relation(host, r)?;
                match (rel.kind, &g.objtype) {
                    (b'i' | b'I', _) => bail!(WRONG_OBJECT_TYPE, "\"{}\" is an index", rel.name),
                    (b'c', _) => bail!(WRONG_OBJECT_TYPE, "\"{}\" is a composite type", rel.name),
                    (k, ObjectType::Sequence) if k != b'S' => {
                        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a sequence", rel.name)
                    }
                    _ => {}
                }
                ObjectAddress::relation(rel.oid)
            }
            GrantObject::Name(n) => {
                objects::resolve(host, &g.objtype, &ObjectName::Name(n.clone()), Lookup::default())?
            }
            GrantObject::Names(n) => {
                objects::resolve(host, &g.objtype, &ObjectName::Names(n.clone()), Lookup::default())?
            }
            GrantObject::WithArgs(w) => {
                objects::resolve(host, &g.objtype, &ObjectName::WithArgs(w.clone()), Lookup::default())?
            }
            GrantObject::LargeObject(v) => {
                let a = objects::resolve(
                    host,
                    &g.objtype,
                    &ObjectName::LargeObject(v.clone()),
                    Lookup::default(),
                )?;
                ObjectAddress::of::<LargeobjectMetadataRow>(a.object)
            }
        };
        out.push(a);
    }
    Ok(out)
}

fn all_in_schema(host: &dyn CommandHost, g: &GrantStmt) -> PgResult<Vec<ObjectAddress>> {
    let s = host.snapshot();
    let mut out = Vec::new();
    for o in &g.objects {
        let GrantObject::Name(name) = o else { continue };
        let Some(ns) = s.namespace_by_name(name) else {
            bail!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist")
        };
        let relkinds: &[u8] = match g.objtype {
            ObjectType::Table => b"rpvmf",
            ObjectType::Sequence => b"S",
            _ => b"",
        };
        if !relkinds.is_empty() {
            let rels =
                s.iter::<ClassRow>().filter(|c| c.relnamespace == ns.oid && relkinds.contains(&c.relkind));
            out.extend(rels.map(|c| ObjectAddress::relation(c.oid)));
            continue;
        }
        let kinds: &[u8] = match g.objtype {
            ObjectType::Function => b"fawn",
            ObjectType::Procedure => b"p",
            _ => b"fawp",
        };
        let procs = s.iter::<ProcRow>().filter(|p| {
            p.pronamespace == ns.oid
                && kinds.contains(&p.prokind)
                && (p.prokind != b'p' || g.objtype != ObjectType::Function)
        });
        out.extend(procs.map(|p| ObjectAddress::proc(p.oid)));
    }
    Ok(out)
}

/// PG `restrict_and_check_grant`: errors and warnings about privileges that the grantor cannot give.
fn restrict(
    host: &dyn CommandHost,
    o: &Order,
    avail: u64,
    wanted: u64,
    all: bool,
    held: u64,
    word: &str,
    name: &str,
) -> PgResult<u64> {
    let options = avail >> 32;
    if options == 0 && held == 0 {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for {word} {name}");
    }
    let now = wanted & options;
    let (given, partly) = if o.is_grant {
        (codes::WARNING_PRIVILEGE_NOT_GRANTED, "granted")
    } else {
        (codes::WARNING_PRIVILEGE_NOT_REVOKED, "revoked")
    };
    if now == 0 {
        ctx::notice(host, PgError::warning(given, format!("no privileges were {partly} for \"{name}\"")));
    } else if !all && now != wanted {
        ctx::notice(
            host,
            PgError::warning(given, format!("not all privileges were {partly} for \"{name}\"")),
        );
    }
    Ok(now)
}

/// The ACL after an order.
fn changed(
    s: &Snapshot,
    o: &Order,
    old: &[AclItem],
    now: u64,
    grantor: Oid,
    owner: Oid,
) -> PgResult<Vec<AclItem>> {
    let mut acl = old.to_vec();
    for g in &o.grantees {
        let privs = match (o.is_grant, o.grant_option) {
            (true, true) | (false, false) => now | grant_options(now),
            (true, false) => now,
            (false, true) => grant_options(now),
        };
        // PG: REVOKE of a privilege takes its grant option too.
        let item = AclItem { grantee: *g, grantor, privs };
        let mode = if o.is_grant { Mode::Add } else { Mode::Remove };
        acl = update(s, &acl, item, mode, owner, o.cascade)?;
    }
    Ok(acl)
}

fn apply(
    host: &dyn CommandHost,
    o: &Order,
    g: &GrantStmt,
    a: &ObjectAddress,
    wanted: u64,
    all: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let Some((old, owner)) = acl_of(&s, a) else {
        return Err(PgError::unsupported("privileges of this kind of object are not supported yet"));
    };
    let name = objects::name_of(&s, a).unwrap_or_else(|| a.object.to_string());
    let class = s.class_by_oid(a.object).filter(|_| a.class == ClassRow::CATALOG);
    let (mut kind, mut word) = acl_kind(&g.objtype);
    if let Some(c) = class {
        kind = if c.relkind == b'S' { AclKind::Sequence } else { AclKind::Table };
        word = ctx::kind_word(c.relkind);
    }
    if let Some(t) = s.type_by_oid(a.object).filter(|_| a.class == TypeRow::CATALOG) {
        if s.element_type(t.oid).is_some() {
            return Err(err!(INVALID_GRANT_OPERATION, "cannot set privileges of array types")
                .hint("Set the privileges of the element type instead."));
        }
        if t.typtype == b'm' {
            return Err(err!(INVALID_GRANT_OPERATION, "cannot set privileges of multirange types")
                .hint("Set the privileges of the range type instead."));
        }
    }
    if let Some(l) =
        s.language_by_oid(a.object).filter(|l| a.class == LanguageRow::CATALOG && !l.lanpltrusted)
    {
        return Err(err!(WRONG_OBJECT_TYPE, "language \"{}\" is not trusted", l.lanname)
            .detail("GRANT and REVOKE are not allowed on untrusted languages, because only superusers can use untrusted languages."));
    }
    let current = old.as_ref().map_or_else(|| acl::default_acl(kind, owner), |l| l.to_vec());
    let user = ctx::user(host);
    let (grantor, avail) = best_grantor(&s, user, wanted, &current, owner);
    let held = acl::acl_mask(&s, &current, user, owner, kind.all() | grant_options(kind.all()));
    let now = restrict(host, o, avail, wanted, all, held, word, &name)?;
    let new = changed(&s, o, &current, now, grantor, owner)?;
    host.with_catalog(&mut |c| {
        set_acl(c, a, Some(new.clone().into()));
        c.record_acl(*a, owner, &new);
        Ok(())
    })?;
    // PG: REVOKE on a table takes the privileges from its columns too.
    if class.is_some() && !o.is_grant && kind == AclKind::Table {
        let columns: Vec<i16> =
            s.attributes(a.object).filter(|c| c.attacl.is_some()).map(|c| c.attnum).collect();
        let bits = now & AclKind::Column.all();
        for attnum in columns.into_iter().filter(|_| bits != 0) {
            change_column(host, o, a.object, attnum, bits, grantor, owner)?;
        }
    }
    Ok(())
}

fn column_grant(
    host: &dyn CommandHost,
    o: &Order,
    a: &ObjectAddress,
    p: &AccessPriv,
    column: &str,
) -> PgResult<()> {
    let s = host.snapshot();
    let rel = s.class_by_oid(a.object).cloned().unwrap_or_default();
    let Some(attr) = s.attribute_by_name(a.object, column) else {
        bail!(UNDEFINED_COLUMN, "column \"{column}\" of relation \"{}\" does not exist", rel.relname);
    };
    let wanted = match &p.priv_name {
        None => AclKind::Column.all(),
        Some(w) => {
            let b = bit(w)?;
            if AclKind::Column.all() & b == 0 {
                bail!(INVALID_GRANT_OPERATION, "invalid privilege type {} for column", shown(b));
            }
            b
        }
    };
    // Grant options come from the column's and from the table's ACL.
    let table =
        rel.relacl.as_ref().map_or_else(|| acl::default_acl(AclKind::Table, rel.relowner), |l| l.to_vec());
    let mut merged = table;
    merged.extend(attr.attacl.iter().flat_map(|l| l.iter().copied()));
    let user = ctx::user(host);
    let (grantor, avail) = best_grantor(&s, user, wanted, &merged, rel.relowner);
    let all = AclKind::Column.all();
    let held = acl::acl_mask(&s, &merged, user, rel.relowner, all | grant_options(all));
    if avail >> 32 == 0 && held == 0 {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for column {column} of relation {}", rel.relname);
    }
    let now = wanted & (avail >> 32);
    if now != wanted {
        let verb = if o.is_grant { "granted" } else { "revoked" };
        let how = if now == 0 { "no" } else { "not all" };
        let code = if o.is_grant {
            codes::WARNING_PRIVILEGE_NOT_GRANTED
        } else {
            codes::WARNING_PRIVILEGE_NOT_REVOKED
        };
        let text =
            format!("{how} privileges were {verb} for column \"{column}\" of relation \"{}\"", rel.relname);
        ctx::notice(host, PgError::warning(code, text));
    }
    change_column(host, o, a.object, attr.attnum, now, grantor, rel.relowner)
}

fn change_column(
    host: &dyn CommandHost,
    o: &Order,
    rel: Oid,
    attnum: i16,
    now: u64,
    grantor: Oid,
    owner: Oid,
) -> PgResult<()> {
    let s = host.snapshot();
    let old = s.attribute(rel, attnum).and_then(|a| a.attacl.clone()).unwrap_or_default();
    let new = changed(&s, o, &old, now, grantor, owner)?;
    host.with_catalog(&mut |c| {
        c.modify::<AttributeRow>(Key::new().oid(rel).with(&attnum), |a| {
            a.attacl = (!new.is_empty()).then(|| new.clone().into());
        });
        c.record_acl(ObjectAddress::column(rel, attnum), owner, &new);
        Ok(())
    })
}

/// Takes a role's privileges out of an object's ACL (DROP OWNED).
pub(crate) fn forget_grantee(c: &mut CatalogTxn, a: &ObjectAddress, role: Oid) {
    if a.class == ClassRow::CATALOG && a.sub != 0 {
        let key = Key::new().oid(a.object).with(&(a.sub as i16));
        let owner = c.snapshot().class_by_oid(a.object).map(|r| r.relowner).unwrap_or_default();
        let Some(acl) = c.snapshot().get::<AttributeRow>(key.clone()).and_then(|r| r.attacl.clone()) else {
            return;
        };
        let left: Vec<AclItem> =
            acl.iter().filter(|i| i.grantee != role && i.grantor != role).copied().collect();
        c.record_acl(*a, owner, &left);
        c.modify::<AttributeRow>(key, |r| r.attacl = (!left.is_empty()).then(|| left.clone().into()));
        return;
    }
    let Some((Some(acl), owner)) = acl_of(c.snapshot(), a) else { return };
    let left: Vec<AclItem> = acl.iter().filter(|i| i.grantee != role && i.grantor != role).copied().collect();
    c.record_acl(*a, owner, &left);
    set_acl(c, a, Some(left.into()));
}
