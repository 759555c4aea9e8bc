//! ALTER ... RENAME, ALTER ... SET SCHEMA, ALTER ... DEPENDS ON EXTENSION.

use pglite_catalog::acl;
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::*;
use pglite_catalog::{CatalogRow, Snapshot};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{
    AlterObjectDependsStmt, AlterObjectSchemaStmt, ObjectName, ObjectType, RangeVar, RenameStmt,
};
use pglite_types::Oid;

use crate::ctx;
use crate::drop::is_missing;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};

fn tag(kind: &ObjectType) -> CommandOutcome {
    CommandOutcome::tag(format!("ALTER {}", objects::kind_word(kind).to_uppercase()))
}

/// The relation or object that the statement names; None when it may be missing and is.
fn target(
    host: &dyn CommandHost,
    kind: &ObjectType,
    relation: Option<&RangeVar>,
    object: Option<&ObjectName>,
    missing_ok: bool,
) -> PgResult<Option<ObjectAddress>> {
    let found = match (relation, object) {
        (Some(r), _) => {
            let names: Vec<String> =
                r.catalogname.iter().chain(&r.schemaname).cloned().chain([r.relname.clone()]).collect();
            // PG: ALTER TABLE renames views, indexes and sequences too.
            let kind = if *kind == ObjectType::Table { &ObjectType::Column } else { kind };
            let kind = if matches!(kind, ObjectType::Column) { None } else { Some(kind) };
            match kind {
                Some(k) => objects::resolve(host, k, &ObjectName::Names(names), Lookup::default()),
                None => ctx::relation(host, r).map(|rel| ObjectAddress::relation(rel.oid)),
            }
        }
        (None, Some(o)) => objects::resolve(host, kind, o, Lookup::default()),
        (None, None) => bail!(INTERNAL_ERROR, "ALTER without an object"),
    };
    match found {
        Err(e) if missing_ok && is_missing(&e) => {
            ctx::notice(host, PgError::notice(format!("{}, skipping", e.message())));
            Ok(None)
        }
        Err(e) => Err(e),
        Ok(a) => Ok(Some(a)),
    }
}

pub(crate) fn rename(host: &dyn CommandHost, s: &RenameStmt) -> PgResult<CommandOutcome> {
    use ObjectType::*;
    let sub = s.subname.as_deref().unwrap_or("");
    match s.rename_type {
        Role | Database => {
            let name = s.object.as_ref().map(objects::names_of).unwrap_or_default().join(".");
            let name = if name.is_empty() { sub.to_string() } else { name };
            if s.rename_type == Role {
                crate::role::rename(host, &name, &s.newname)?;
            } else {
                crate::database::rename(host, &name, &s.newname)?;
            }
            return Ok(tag(&s.rename_type));
        }
        Column | Attribute => {
            let Some(a) =
                target(host, &s.relation_type, s.relation.as_ref(), s.object.as_ref(), s.missing_ok)?
            else {
                return Ok(tag(&s.relation_type));
            };
            objects::check_owner(host, &a, &Table)?;
            let recurse = s.relation.as_ref().is_none_or(|r| r.inh);
            column(host, a.object, sub, &s.newname, recurse, false)?;
            let word = if s.rename_type == Attribute { Type } else { s.relation_type };
            return Ok(tag(&word));
        }
        TabConstraint | Trigger | Rule | Policy if s.relation.is_some() => {
            let Some(a) = target(host, &Table, s.relation.as_ref(), None, s.missing_ok)? else {
                return Ok(tag(&Table));
            };
            objects::check_owner(host, &a, &Table)?;
            part(host, &s.rename_type, a.object, sub, &s.newname)?;
            return Ok(tag(if s.rename_type == TabConstraint { &Table } else { &s.rename_type }));
        }
        _ => {}
    }
    // Schemas and the like are named by one word.
    let plain = ObjectName::Name(sub.to_string());
    let named = s.object.as_ref().or((s.relation.is_none() && !sub.is_empty()).then_some(&plain));
    let Some(a) = target(host, &s.rename_type, s.relation.as_ref(), named, s.missing_ok)? else {
        return Ok(tag(&s.rename_type));
    };
    objects::check_owner(host, &a, &s.rename_type)?;
    let old = objects::name_of(&host.snapshot(), &a).unwrap_or_default();
    let texts = crate::stored::read(host, &[a], &[&old])?;
    object(host, &a, &s.newname)?;
    crate::stored::write(host, texts)?;
    Ok(tag(&s.rename_type))
}

/// Renames a relation with its types and the constraint an index implements.
pub(crate) fn relation(host: &dyn CommandHost, oid: Oid, new: &str) -> PgResult<()> {
    let s = host.snapshot();
    let class = s.class_by_oid(oid).cloned().ok_or_else(|| PgError::internal("relation vanished"))?;
    if oid.0 < 16384 {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied: \"{}\" is a system catalog", class.relname);
    }
    ctx::check_free(&s, class.relnamespace, new)?;
    host.env().lock_relation(oid, 8)?;
    let constraint = s.index_constraint(oid);
    host.with_catalog(&mut |c| {
        c.modify::<ClassRow>(oid, |r| r.relname = new.into());
        if let Some(k) = constraint {
            c.modify::<ConstraintRow>(k, |r| r.conname = new.into());
        }
        Ok(())
    })?;
    if class.reltype.is_valid() {
        type_(host, class.reltype, new)?;
    }
    Ok(())
}

/// Renames a type and its array type.
fn type_(host: &dyn CommandHost, oid: Oid, new: &str) -> PgResult<()> {
    let s = host.snapshot();
    let Some(t) = s.type_by_oid(oid).cloned() else { return Ok(()) };
    if s.type_by_name(t.typnamespace, new).is_some() {
        bail!(DUPLICATE_OBJECT, "type \"{new}\" already exists");
    }
    host.with_catalog(&mut |c| {
        c.modify::<TypeRow>(oid, |r| r.typname = new.into());
        if t.typarray.is_valid() {
            let name = pglite_catalog::create::array_type_name(c.snapshot(), new, t.typnamespace);
            c.modify::<TypeRow>(t.typarray, |r| r.typname = name.as_str().into());
        }
        Ok(())
    })
}

fn column(
    host: &dyn CommandHost,
    rel: Oid,
    old: &str,
    new: &str,
    recurse: bool,
    below: bool,
) -> PgResult<()> {
    let s = host.snapshot();
    let desc = crate::alter::desc(&s, rel)?;
    if matches!(desc.kind, b'S' | b't') {
        bail!(WRONG_OBJECT_TYPE, "cannot rename columns of relation \"{}\"", desc.name);
    }
    if pglite_catalog::create::SYSTEM_COLUMNS.iter().any(|c| c.0 == old) {
        return Err(PgError::unsupported(format!("cannot rename system column \"{old}\"")));
    }
    let Some(c) = desc.column(old) else { bail!(UNDEFINED_COLUMN, "column \"{old}\" does not exist") };
    if c.inherited > 0 && !below {
        bail!(INVALID_TABLE_DEFINITION, "cannot rename inherited column \"{old}\"");
    }
    if !recurse && !desc.children.is_empty() {
        bail!(INVALID_TABLE_DEFINITION, "inherited column \"{old}\" must be renamed in child tables too");
    }
    if pglite_catalog::create::SYSTEM_COLUMNS.iter().any(|c| c.0 == new) {
        bail!(DUPLICATE_COLUMN, "column name \"{new}\" conflicts with a system column name");
    }
    if desc.column(new).is_some() {
        bail!(DUPLICATE_COLUMN, "column \"{new}\" of relation \"{}\" already exists", desc.name);
    }
    let attnum = c.attnum;
    crate::stored::rename_column(host, rel, attnum, new)?;
    for child in crate::alter::children(host, rel) {
        column(host, child, old, new, true, true)?;
    }
    Ok(())
}

/// A constraint, trigger, rule or policy of a table.
fn part(host: &dyn CommandHost, kind: &ObjectType, rel: Oid, old: &str, new: &str) -> PgResult<()> {
    let s = host.snapshot();
    let table = s.class_by_oid(rel).map(|c| c.relname.to_string()).unwrap_or_default();
    let names = |a: &ObjectAddress| a.object;
    let find = |name: &str| match kind {
        ObjectType::TabConstraint => {
            s.constraint_by_name(rel, name).map(|c| ObjectAddress::constraint(c.oid))
        }
        ObjectType::Trigger => s.trigger_by_name(rel, name).map(|c| ObjectAddress::of::<TriggerRow>(c.oid)),
        ObjectType::Rule => s.rule_by_name(rel, name).map(|c| ObjectAddress::of::<RewriteRow>(c.oid)),
        _ => s.policies_of(rel).find(|p| *p.polname == *name).map(|p| ObjectAddress::of::<PolicyRow>(p.oid)),
    };
    let word = objects::kind_word(kind);
    let Some(a) = find(old) else {
        return Err(match kind {
            ObjectType::TabConstraint => {
                err!(UNDEFINED_OBJECT, "constraint \"{old}\" for table \"{table}\" does not exist")
            }
            ObjectType::Rule => {
                err!(UNDEFINED_OBJECT, "rule \"{old}\" for relation \"{table}\" does not exist")
            }
            _ => err!(UNDEFINED_OBJECT, "{word} \"{old}\" for table \"{table}\" does not exist"),
        });
    };
    if find(new).is_some() {
        let on = if matches!(kind, ObjectType::Policy) { "table" } else { "relation" };
        bail!(DUPLICATE_OBJECT, "{word} \"{new}\" for {on} \"{table}\" already exists");
    }
    if *kind == ObjectType::TabConstraint {
        let k = s.constraint_by_oid(names(&a)).cloned().unwrap_or_default();
        if k.coninhcount > 0 && k.contype != b'n' {
            bail!(INVALID_TABLE_DEFINITION, "cannot rename inherited constraint \"{old}\"");
        }
        if matches!(k.contype, b'p' | b'u' | b'x') {
            return relation(host, k.conindid, new);
        }
        for child in crate::alter::children(host, rel) {
            if !k.connoinherit && matches!(k.contype, b'c' | b'n') {
                let same = s.constraint_by_name(child, old).map(|c| c.oid);
                host.with_catalog(&mut |c| {
                    if let Some(o) = same {
                        c.modify::<ConstraintRow>(o, |r| r.conname = new.into());
                    }
                    Ok(())
                })?;
            }
        }
    }
    host.with_catalog(&mut |c| {
        objects::set_name(c, &a, new);
        Ok(())
    })
}

/// PG's words for a name that is taken.
fn taken(s: &Snapshot, a: &ObjectAddress, namespace: Option<Oid>, new: &str) -> PgResult<()> {
    let schema = namespace.and_then(|n| s.namespace_name(n)).unwrap_or("").to_string();
    let ns = namespace.unwrap_or_default();
    let exists =
        |found: bool, text: String| if found { Err(err!(DUPLICATE_OBJECT, "{text}")) } else { Ok(()) };
    match a.class {
        NamespaceRow::CATALOG if s.namespace_by_name(new).is_some() => {
            bail!(DUPLICATE_SCHEMA, "schema \"{new}\" already exists")
        }
        ProcRow::CATALOG => {
            let p = s.proc_by_oid(a.object).cloned().unwrap_or_default();
            if s.proc_exact(ns, new, &p.proargtypes).is_some_and(|f| f.oid != a.object) {
                let types: Vec<String> = p
                    .proargtypes
                    .iter()
                    .map(|t| {
                        pglite_catalog::format_type::format_type_be(
                            s,
                            &pglite_catalog::SearchPath::catalog_only(),
                            *t,
                        )
                    })
                    .collect();
                bail!(
                    DUPLICATE_FUNCTION,
                    "function {new}({}) already exists in schema \"{schema}\"",
                    types.join(", ")
                );
            }
            Ok(())
        }
        CollationRow::CATALOG => exists(
            s.collations_by_name(ns, new).next().is_some(),
            format!("collation \"{new}\" for encoding \"UTF8\" already exists in schema \"{schema}\""),
        ),
        ConversionRow::CATALOG => exists(
            s.conversion_by_name(ns, new).is_some(),
            format!("conversion \"{new}\" already exists in schema \"{schema}\""),
        ),
        StatisticExtRow::CATALOG => exists(
            s.statistic_ext_by_name(ns, new).is_some(),
            format!("statistics object \"{new}\" already exists in schema \"{schema}\""),
        ),
        OpclassRow::CATALOG => {
            let c = s.opclass_by_oid(a.object).cloned().unwrap_or_default();
            let am = s.am_by_oid(c.opcmethod).map(|m| m.amname.to_string()).unwrap_or_default();
            exists(
                s.opclass_by_name(c.opcmethod, ns, new).is_some(),
                format!(
                    "operator class \"{new}\" for access method \"{am}\" already exists in schema \"{schema}\""
                ),
            )
        }
        OpfamilyRow::CATALOG => {
            let c = s.opfamily_by_oid(a.object).cloned().unwrap_or_default();
            let am = s.am_by_oid(c.opfmethod).map(|m| m.amname.to_string()).unwrap_or_default();
            exists(
                s.opfamily_by_name(c.opfmethod, ns, new).is_some(),
                format!(
                    "operator family \"{new}\" for access method \"{am}\" already exists in schema \"{schema}\""
                ),
            )
        }
        TsConfigRow::CATALOG => exists(
            s.ts_config_by_name(ns, new).is_some(),
            format!("text search configuration \"{new}\" already exists in schema \"{schema}\""),
        ),
        TsDictRow::CATALOG => exists(
            s.ts_dict_by_name(ns, new).is_some(),
            format!("text search dictionary \"{new}\" already exists in schema \"{schema}\""),
        ),
        LanguageRow::CATALOG => {
            exists(s.language_by_name(new).is_some(), format!("language \"{new}\" already exists"))
        }
        ForeignServerRow::CATALOG => {
            exists(s.foreign_server_by_name(new).is_some(), format!("server \"{new}\" already exists"))
        }
        ForeignDataWrapperRow::CATALOG => exists(
            s.foreign_data_wrapper_by_name(new).is_some(),
            format!("foreign-data wrapper \"{new}\" already exists"),
        ),
        PublicationRow::CATALOG => {
            exists(s.publication_by_name(new).is_some(), format!("publication \"{new}\" already exists"))
        }
        EventTriggerRow::CATALOG => {
            exists(s.event_trigger_by_name(new).is_some(), format!("event trigger \"{new}\" already exists"))
        }
        _ => Ok(()),
    }
}

fn object(host: &dyn CommandHost, a: &ObjectAddress, new: &str) -> PgResult<()> {
    let s = host.snapshot();
    match a.class {
        ClassRow::CATALOG => return relation(host, a.object, new),
        TypeRow::CATALOG => {
            let t = s.type_by_oid(a.object).cloned().unwrap_or_default();
            if t.typrelid.is_valid() {
                if s.class_by_oid(t.typrelid).is_some_and(|c| c.relkind != b'c') {
                    return Err(err!(WRONG_OBJECT_TYPE, "{} is a table's row type", t.typname)
                        .hint("Use ALTER TABLE instead."));
                }
                return relation(host, t.typrelid, new);
            }
            if s.element_type(t.oid).is_some() {
                let shown = pglite_catalog::format_type::format_type_be(
                    &s,
                    &pglite_catalog::SearchPath::catalog_only(),
                    t.oid,
                );
                return Err(err!(WRONG_OBJECT_TYPE, "cannot alter array type {shown}"));
            }
            return type_(host, a.object, new);
        }
        NamespaceRow::CATALOG if new.starts_with("pg_") => {
            return Err(err!(RESERVED_NAME, "unacceptable schema name \"{new}\"")
                .detail("The prefix \"pg_\" is reserved for system schemas."));
        }
        _ => {}
    }
    taken(&s, a, objects::namespace_of(&s, a), new)?;
    host.with_catalog(&mut |c| {
        if objects::set_name(c, a, new) {
            return Ok(());
        }
        Err(PgError::unsupported("renaming this kind of object is not supported yet"))
    })
}

pub(crate) fn set_schema(host: &dyn CommandHost, s: &AlterObjectSchemaStmt) -> PgResult<CommandOutcome> {
    let Some(a) = target(host, &s.object_type, s.relation.as_ref(), s.object.as_ref(), s.missing_ok)? else {
        return Ok(tag(&s.object_type));
    };
    objects::check_owner(host, &a, &s.object_type)?;
    let snap = host.snapshot();
    let Some(ns) = snap.namespace_by_name(&s.newschema).map(|n| n.oid) else {
        bail!(INVALID_SCHEMA_NAME, "schema \"{}\" does not exist", s.newschema);
    };
    if acl::schema_mask(&snap, ctx::user(host), ns, acl::CREATE) == 0 {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {}", s.newschema);
    }
    if s.newschema.starts_with("pg_temp_") {
        return Err(PgError::unsupported("cannot move objects into or out of temporary schemas"));
    }
    if a.class == ClassRow::CATALOG
        && snap.class_by_oid(a.object).is_some_and(|c| c.relkind == b'S')
        && let Some((table, _, _)) = snap.sequence_owner(a.object)
    {
        let seq = objects::name_of(&snap, &a).unwrap_or_default();
        let table = objects::name_of(&snap, &ObjectAddress::relation(table)).unwrap_or_default();
        return Err(PgError::unsupported("cannot move an owned sequence into another schema")
            .detail(format!("Sequence \"{seq}\" is linked to table \"{table}\".")));
    }
    let mut roots = vec![a];
    if a.class == ClassRow::CATALOG {
        roots.extend(snap.owned_sequences(a.object, 0).into_iter().map(ObjectAddress::relation));
    }
    let names: Vec<String> = roots.iter().filter_map(|r| objects::name_of(&snap, r)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let texts = crate::stored::read(host, &roots, &names)?;
    move_to(host, &a, ns, &s.newschema)?;
    crate::stored::write(host, texts)?;
    Ok(tag(&s.object_type))
}

fn move_to(host: &dyn CommandHost, a: &ObjectAddress, ns: Oid, schema: &str) -> PgResult<()> {
    let s = host.snapshot();
    let Some(old) = objects::namespace_of(&s, a) else {
        return Err(PgError::unsupported("this kind of object has no schema"));
    };
    if old == ns {
        return Ok(());
    }
    let name = objects::name_of(&s, a).unwrap_or_default();
    match a.class {
        ClassRow::CATALOG => {
            if s.class_by_name(ns, &name).is_some() {
                bail!(DUPLICATE_TABLE, "relation \"{name}\" already exists in schema \"{schema}\"");
            }
            let class = s.class_by_oid(a.object).cloned().unwrap_or_default();
            let types: Vec<Oid> =
                [class.reltype.valid(), s.array_type(class.reltype)].into_iter().flatten().collect();
            let constraints: Vec<Oid> = s.constraints_of(a.object).map(|k| k.oid).collect();
            host.with_catalog(&mut |c| {
                for t in &types {
                    c.modify::<TypeRow>(*t, |r| r.typnamespace = ns);
                }
                for k in &constraints {
                    c.modify::<ConstraintRow>(*k, |r| r.connamespace = ns);
                }
                Ok(())
            })?;
            for i in s.indexes_of(a.object).map(|i| i.indexrelid).chain(s.owned_sequences(a.object, 0)) {
                move_to(host, &ObjectAddress::relation(i), ns, schema)?;
            }
        }
        TypeRow::CATALOG => {
            if s.type_by_name(ns, &name).is_some() {
                bail!(DUPLICATE_OBJECT, "type \"{name}\" already exists in schema \"{schema}\"");
            }
            let t = s.type_by_oid(a.object).cloned().unwrap_or_default();
            host.with_catalog(&mut |c| {
                if t.typarray.is_valid() {
                    c.modify::<TypeRow>(t.typarray, |r| r.typnamespace = ns);
                }
                if t.typrelid.is_valid() {
                    c.modify::<ClassRow>(t.typrelid, |r| r.relnamespace = ns);
                }
                Ok(())
            })?;
        }
        _ => taken(&s, a, Some(ns), &name)?,
    }
    host.with_catalog(&mut |c| {
        objects::set_namespace_row(c, a, ns);
        c.change_dependency(*a, NamespaceRow::CATALOG, old, ns);
        Ok(())
    })
}

pub(crate) fn depends(host: &dyn CommandHost, s: &AlterObjectDependsStmt) -> PgResult<CommandOutcome> {
    let a = match (&s.object_type, &s.relation, &s.object) {
        (ObjectType::Trigger, Some(r), Some(o)) => {
            let mut names: Vec<String> = r.schemaname.iter().cloned().chain([r.relname.clone()]).collect();
            names.extend(objects::names_of(o));
            objects::resolve(host, &s.object_type, &ObjectName::Names(names), Lookup::default())?
        }
        _ => match target(host, &s.object_type, s.relation.as_ref(), s.object.as_ref(), false)? {
            Some(a) => a,
            None => return Ok(tag(&s.object_type)),
        },
    };
    let e = objects::resolve(
        host,
        &ObjectType::Extension,
        &ObjectName::Name(s.extname.clone()),
        Lookup::default(),
    )?;
    host.with_catalog(&mut |c| {
        if s.remove {
            c.forget_dependencies_on_class(a, ExtensionRow::CATALOG, DependencyType::AutoExtension);
        } else {
            c.record_dependency(a, e, DependencyType::AutoExtension);
        }
        Ok(())
    })?;
    Ok(tag(&s.object_type))
}
