//! Objects of every kind by name: what DROP, COMMENT, RENAME, OWNER, SET SCHEMA and GRANT start from.

use pglite_analyze::{lookup_func_with_args, resolve_type_name_opt};
use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::names::split_schema;
use pglite_catalog::{CatalogRow, CatalogTxn, Key, Snapshot, acl, rows::*};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{ObjectName, ObjectType, ObjectWithArgs, RangeVar, TypeName, Value};
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, StatementEnv};

/// Word of an object type in messages.
pub(crate) fn kind_word(kind: &ObjectType) -> &'static str {
    use ObjectType::*;
    match kind {
        AccessMethod => "access method",
        Aggregate => "aggregate",
        Cast => "cast",
        Column => "column",
        Collation => "collation",
        Conversion => "conversion",
        Database => "database",
        Domain => "domain",
        DomConstraint | TabConstraint => "constraint",
        EventTrigger => "event trigger",
        Extension => "extension",
        Fdw => "foreign-data wrapper",
        ForeignServer => "server",
        ForeignTable => "foreign table",
        Function => "function",
        Index => "index",
        Language => "language",
        LargeObject => "large object",
        MatView => "materialized view",
        OpClass => "operator class",
        Operator => "operator",
        OpFamily => "operator family",
        Policy => "policy",
        Procedure => "procedure",
        Publication => "publication",
        Role => "role",
        Routine => "routine",
        Rule => "rule",
        Schema => "schema",
        Sequence => "sequence",
        Subscription => "subscription",
        StatisticExt => "statistics object",
        Table => "table",
        Tablespace => "tablespace",
        Transform => "transform",
        Trigger => "trigger",
        TsConfiguration => "text search configuration",
        TsDictionary => "text search dictionary",
        TsParser => "text search parser",
        TsTemplate => "text search template",
        Type => "type",
        UserMapping => "user mapping",
        View => "view",
        _ => "object",
    }
}

macro_rules! named_rows {
    ($($row:ident: $name:ident $([$ns:ident])? $(($owner:ident))?;)*) => {
        /// The object's own name.
        pub(crate) fn name_of(s: &Snapshot, a: &ObjectAddress) -> Option<String> {
            match a.class {
                $($row::CATALOG => s.get::<$row>(a.object).map(|r| r.$name.to_string()),)*
                _ => None,
            }
        }
        pub(crate) fn owner_of(s: &Snapshot, a: &ObjectAddress) -> Option<Oid> {
            match a.class {
                $($($row::CATALOG => s.get::<$row>(a.object).map(|r| r.$owner),)?)*
                _ => None,
            }
        }
        pub(crate) fn namespace_of(s: &Snapshot, a: &ObjectAddress) -> Option<Oid> {
            match a.class {
                $($($row::CATALOG => s.get::<$row>(a.object).map(|r| r.$ns),)?)*
                _ => None,
            }
        }
        /// Writes a new name; false when the object has none.
        pub(crate) fn set_name(c: &mut CatalogTxn, a: &ObjectAddress, name: &str) -> bool {
            match a.class {
                $($row::CATALOG => c.modify::<$row>(a.object, |r| r.$name = name.into()),)*
                _ => false,
            }
        }
        pub(crate) fn set_owner_row(c: &mut CatalogTxn, a: &ObjectAddress, owner: Oid) -> bool {
            match a.class {
                $($($row::CATALOG => c.modify::<$row>(a.object, |r| r.$owner = owner),)?)*
                _ => false,
            }
        }
        pub(crate) fn set_namespace_row(c: &mut CatalogTxn, a: &ObjectAddress, namespace: Oid) -> bool {
            match a.class {
                $($($row::CATALOG => c.modify::<$row>(a.object, |r| r.$ns = namespace),)?)*
                _ => false,
            }
        }
    };
}

named_rows! {
    ClassRow: relname [relnamespace] (relowner);
    ProcRow: proname [pronamespace] (proowner);
    TypeRow: typname [typnamespace] (typowner);
    OperatorRow: oprname [oprnamespace] (oprowner);
    CollationRow: collname [collnamespace] (collowner);
    ConversionRow: conname [connamespace] (conowner);
    OpclassRow: opcname [opcnamespace] (opcowner);
    OpfamilyRow: opfname [opfnamespace] (opfowner);
    TsConfigRow: cfgname [cfgnamespace] (cfgowner);
    TsDictRow: dictname [dictnamespace] (dictowner);
    TsParserRow: prsname [prsnamespace];
    TsTemplateRow: tmplname [tmplnamespace];
    StatisticExtRow: stxname [stxnamespace] (stxowner);
    NamespaceRow: nspname (nspowner);
    LanguageRow: lanname (lanowner);
    DatabaseRow: datname (datdba);
    TablespaceRow: spcname (spcowner);
    ForeignDataWrapperRow: fdwname (fdwowner);
    ForeignServerRow: srvname (srvowner);
    EventTriggerRow: evtname (evtowner);
    PublicationRow: pubname (pubowner);
    SubscriptionRow: subname (subowner);
    ExtensionRow: extname (extowner);
    AmRow: amname;
    AuthidRow: rolname;
    TriggerRow: tgname;
    RewriteRow: rulename;
    PolicyRow: polname;
    ConstraintRow: conname;
}

pub(crate) fn names_of(object: &ObjectName) -> Vec<String> {
    match object {
        ObjectName::Name(n) => vec![n.clone()],
        ObjectName::Names(n) => n.clone(),
        ObjectName::TypeName(t) => t.names.clone(),
        ObjectName::WithArgs(w) => w.objname.clone(),
        _ => Vec::new(),
    }
}

/// Schema (if given) and name.
pub(crate) fn split(env: &dyn StatementEnv, names: &[String]) -> PgResult<(Option<String>, String)> {
    let parts: Vec<&str> = names.iter().map(String::as_str).collect();
    let database = env.database_name();
    let (schema, name) = split_schema(&parts, &database)?;
    Ok((schema.map(str::to_string), name.to_string()))
}

/// Where a new object of a qualified name goes; checks CREATE on the schema.
pub(crate) fn creation_namespace(host: &dyn CommandHost, names: &[String]) -> PgResult<(Oid, String)> {
    let env = host.env();
    let (schema, name) = split(&*env, names)?;
    drop(env);
    let mut r = RangeVar::new(name.clone(), -1);
    r.schemaname = schema;
    Ok((ctx::creation_target(host, &r)?.0, name))
}

fn relation_kind_ok(kind: &ObjectType, relkind: u8) -> bool {
    match kind {
        ObjectType::Table => matches!(relkind, b'r' | b'p'),
        ObjectType::Index => matches!(relkind, b'i' | b'I'),
        ObjectType::Sequence => relkind == b'S',
        ObjectType::View => relkind == b'v',
        ObjectType::MatView => relkind == b'm',
        ObjectType::ForeignTable => relkind == b'f',
        _ => true,
    }
}

/// PG: "x is not a table", with the command that does fit.
fn wrong_kind(kind: &ObjectType, class: &ClassRow, drop: bool) -> PgError {
    let article = if *kind == ObjectType::Index { "an" } else { "a" };
    let e = err!(WRONG_OBJECT_TYPE, "\"{}\" is not {article} {}", class.relname, kind_word(kind));
    if !drop {
        return e;
    }
    match class.relkind {
        b'r' | b'p' => e.hint("Use DROP TABLE to remove a table."),
        b'i' | b'I' => e.hint("Use DROP INDEX to remove an index."),
        b'S' => e.hint("Use DROP SEQUENCE to remove a sequence."),
        b'v' => e.hint("Use DROP VIEW to remove a view."),
        b'm' => e.hint("Use DROP MATERIALIZED VIEW to remove a materialized view."),
        b'f' => e.hint("Use DROP FOREIGN TABLE to remove a foreign table."),
        b'c' => e.hint("Use DROP TYPE to remove a type."),
        _ => e,
    }
}

/// How a name is looked up.
#[derive(Clone, Copy, Default)]
pub(crate) struct Lookup {
    /// For DROP: "table x does not exist" instead of "relation ...", hints on wrong kinds.
    pub drop: bool,
}

fn relation(
    host: &dyn CommandHost,
    kind: &ObjectType,
    names: &[String],
    how: Lookup,
) -> PgResult<ObjectAddress> {
    let env = host.env();
    let s = env.as_fn_host().catalog();
    let (schema, name) = split(&*env, names)?;
    let Some(class) = env.search_path().relation_opt(s, schema.as_deref(), &name)? else {
        if let (Some(schema), true) = (&schema, how.drop)
            && s.namespace_by_name(schema).is_none()
        {
            bail!(INVALID_SCHEMA_NAME, "schema \"{schema}\" does not exist");
        }
        // PG: DROP names the last part only; other commands the whole name.
        if how.drop {
            let word = kind_word(kind);
            return Err(match kind {
                ObjectType::Index => err!(UNDEFINED_OBJECT, "{word} \"{name}\" does not exist"),
                _ => err!(UNDEFINED_TABLE, "{word} \"{name}\" does not exist"),
            });
        }
        let full = schema.map_or_else(|| name.clone(), |s| format!("{s}.{name}"));
        bail!(UNDEFINED_TABLE, "relation \"{full}\" does not exist");
    };
    if !relation_kind_ok(kind, class.relkind) {
        return Err(wrong_kind(kind, class, how.drop));
    }
    Ok(ObjectAddress::relation(class.oid))
}

fn type_(host: &dyn CommandHost, kind: &ObjectType, t: &TypeName) -> PgResult<ObjectAddress> {
    let env = host.env();
    if t.names.len() > 1
        && let Some(schema) = t.names.get(t.names.len() - 2)
        && env.as_fn_host().catalog().namespace_by_name(schema).is_none()
        && schema != "pg_temp"
    {
        bail!(INVALID_SCHEMA_NAME, "schema \"{schema}\" does not exist");
    }
    let Some((oid, _)) = resolve_type_name_opt(env.as_analyze_env(), t)? else {
        bail!(UNDEFINED_OBJECT, "type \"{}\" does not exist", t.dotted());
    };
    if *kind == ObjectType::Domain
        && env.as_fn_host().catalog().type_by_oid(oid).is_some_and(|r| r.typtype != b'd')
    {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a domain", t.dotted());
    }
    Ok(ObjectAddress::type_(oid))
}

fn operator(host: &dyn CommandHost, o: &ObjectWithArgs) -> PgResult<ObjectAddress> {
    let env = host.env();
    let mut sides = [Oid::INVALID; 2];
    for (i, t) in o.objargs.iter().take(2).enumerate() {
        if let Some(t) = t {
            match resolve_type_name_opt(env.as_analyze_env(), t)? {
                Some((oid, _)) => sides[i] = oid,
                None => bail!(UNDEFINED_OBJECT, "type \"{}\" does not exist", t.dotted()),
            }
        }
    }
    let (schema, name) = split(&*env, &o.objname)?;
    let s = env.as_fn_host().catalog();
    let path = env.search_path();
    match path.operator_exact(s, schema.as_deref(), &name, sides[0], sides[1])? {
        Some(found) => Ok(ObjectAddress::of::<OperatorRow>(found.oid)),
        None => {
            let show = |t: Oid| {
                if t.is_valid() {
                    format!("{} ", pglite_catalog::format_type::format_type_be(s, path, t))
                } else {
                    String::new()
                }
            };
            let right = show(sides[1]);
            bail!(
                UNDEFINED_FUNCTION,
                "operator does not exist: {}{} {}",
                show(sides[0]),
                o.objname.join("."),
                right.trim_end()
            )
        }
    }
}

/// Something of a relation by name: trigger, rule, policy, constraint.
fn on_table(host: &dyn CommandHost, kind: &ObjectType, names: &[String]) -> PgResult<ObjectAddress> {
    let (name, table) = names.split_last().ok_or_else(|| PgError::internal("object without a name"))?;
    let a = relation(host, &ObjectType::Column, table, Lookup::default())?;
    let s = host.snapshot();
    let rel = s.class_by_oid(a.object).map(|c| c.relname.to_string()).unwrap_or_default();
    let found = match kind {
        ObjectType::Trigger => {
            s.trigger_by_name(a.object, name).map(|t| ObjectAddress::of::<TriggerRow>(t.oid))
        }
        ObjectType::Rule => s.rule_by_name(a.object, name).map(|r| ObjectAddress::of::<RewriteRow>(r.oid)),
        ObjectType::Policy => s
            .policies_of(a.object)
            .find(|p| p.polname == *name.as_str())
            .map(|p| ObjectAddress::of::<PolicyRow>(p.oid)),
        _ => s.constraint_by_name(a.object, name).map(|c| ObjectAddress::constraint(c.oid)),
    };
    match (found, kind) {
        (Some(found), _) => Ok(found),
        (None, ObjectType::Rule) => {
            bail!(UNDEFINED_OBJECT, "rule \"{name}\" for relation \"{rel}\" does not exist")
        }
        (None, k) => {
            bail!(UNDEFINED_OBJECT, "{} \"{name}\" for table \"{rel}\" does not exist", kind_word(k))
        }
    }
}

/// An object whose name is one word.
fn plain(s: &Snapshot, kind: &ObjectType, name: &str) -> PgResult<ObjectAddress> {
    use ObjectType::*;
    macro_rules! by {
        ($f:ident $row:ident) => {
            s.$f(name).map(|r| ObjectAddress::of::<$row>(r.oid))
        };
    }
    let found = match kind {
        Schema => match by!(namespace_by_name NamespaceRow) {
            Some(a) => Some(a),
            None => bail!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"),
        },
        Database => match by!(database_by_name DatabaseRow) {
            Some(a) => Some(a),
            None => bail!(UNDEFINED_DATABASE, "database \"{name}\" does not exist"),
        },
        Role => by!(role_by_name AuthidRow),
        Tablespace => by!(tablespace_by_name TablespaceRow),
        Language => by!(language_by_name LanguageRow),
        AccessMethod => by!(am_by_name AmRow),
        Extension => by!(extension_by_name ExtensionRow),
        EventTrigger => by!(event_trigger_by_name EventTriggerRow),
        Publication => by!(publication_by_name PublicationRow),
        ForeignServer => by!(foreign_server_by_name ForeignServerRow),
        Fdw => by!(foreign_data_wrapper_by_name ForeignDataWrapperRow),
        Subscription => s
            .iter::<SubscriptionRow>()
            .find(|r| r.subname == name)
            .map(|r| ObjectAddress::of::<SubscriptionRow>(r.oid)),
        _ => None,
    };
    found.ok_or_else(|| err!(UNDEFINED_OBJECT, "{} \"{name}\" does not exist", kind_word(kind)))
}

/// Objects in schemas that are found along the search path.
fn qualified(host: &dyn CommandHost, kind: &ObjectType, names: &[String]) -> PgResult<ObjectAddress> {
    use ObjectType::*;
    let env = host.env();
    let s = env.as_fn_host().catalog();
    let path = env.search_path();
    let (schema, name) = split(&*env, names)?;
    let schema = schema.as_deref();
    Ok(match kind {
        Collation => ObjectAddress::of::<CollationRow>(path.collation(s, schema, &name)?.oid),
        Conversion => ObjectAddress::of::<ConversionRow>(path.conversion(s, schema, &name)?.oid),
        StatisticExt => ObjectAddress::of::<StatisticExtRow>(path.statistics(s, schema, &name)?.oid),
        TsConfiguration => ObjectAddress::of::<TsConfigRow>(path.ts_config(s, schema, &name)?.oid),
        TsDictionary => ObjectAddress::of::<TsDictRow>(path.ts_dict(s, schema, &name)?.oid),
        TsParser => ObjectAddress::of::<TsParserRow>(path.ts_parser(s, schema, &name)?.oid),
        TsTemplate => ObjectAddress::of::<TsTemplateRow>(path.ts_template(s, schema, &name)?.oid),
        other => {
            return Err(PgError::unsupported(format!("naming a {} is not supported yet", kind_word(other))));
        }
    })
}

fn opclass(host: &dyn CommandHost, kind: &ObjectType, names: &[String]) -> PgResult<ObjectAddress> {
    let (am, rest) =
        names.split_first().ok_or_else(|| PgError::internal("operator class without access method"))?;
    let env = host.env();
    let s = env.as_fn_host().catalog();
    let Some(am_row) = s.am_by_name(am) else {
        bail!(UNDEFINED_OBJECT, "access method \"{am}\" does not exist")
    };
    let (schema, name) = split(&*env, rest)?;
    Ok(if *kind == ObjectType::OpClass {
        ObjectAddress::of::<OpclassRow>(
            env.search_path().opclass(s, am_row.oid, schema.as_deref(), &name)?.oid,
        )
    } else {
        ObjectAddress::of::<OpfamilyRow>(
            env.search_path().opfamily(s, am_row.oid, schema.as_deref(), &name)?.oid,
        )
    })
}

fn column(host: &dyn CommandHost, names: &[String]) -> PgResult<ObjectAddress> {
    let (name, table) = names.split_last().ok_or_else(|| PgError::internal("column without a name"))?;
    if table.is_empty() {
        return Err(PgError::syntax("column name must be qualified"));
    }
    let a = relation(host, &ObjectType::Column, table, Lookup::default())?;
    let s = host.snapshot();
    match s.attribute_by_name(a.object, name).filter(|c| !c.attisdropped) {
        Some(c) => Ok(ObjectAddress::column(a.object, c.attnum)),
        None => {
            let rel = name_of(&s, &a).unwrap_or_default();
            bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{rel}\" does not exist")
        }
    }
}

/// The object that a statement names, or PostgreSQL's error.
pub(crate) fn resolve(
    host: &dyn CommandHost,
    kind: &ObjectType,
    object: &ObjectName,
    how: Lookup,
) -> PgResult<ObjectAddress> {
    use ObjectType::*;
    match (kind, object) {
        (Table | View | Index | Sequence | MatView | ForeignTable, o) => {
            relation(host, kind, &names_of(o), how)
        }
        (Column, o) => column(host, &names_of(o)),
        (Type | Domain, ObjectName::TypeName(t)) => type_(host, kind, t),
        (Type | Domain, o) => {
            let t = TypeName { names: names_of(o), location: -1, ..TypeName::default() };
            type_(host, kind, &t)
        }
        (Function | Procedure | Routine | Aggregate, ObjectName::WithArgs(w)) => {
            let env = host.env();
            match lookup_func_with_args(env.as_analyze_env(), *kind, w, false)? {
                Some(oid) => Ok(ObjectAddress::proc(oid)),
                None => {
                    bail!(UNDEFINED_FUNCTION, "{} {} does not exist", kind_word(kind), w.objname.join("."))
                }
            }
        }
        (Operator, ObjectName::WithArgs(w)) => operator(host, w),
        (Trigger | Rule | Policy | TabConstraint, o) => on_table(host, kind, &names_of(o)),
        (OpClass | OpFamily, o) => opclass(host, kind, &names_of(o)),
        (Cast, ObjectName::Cast(a, b)) => {
            let (from, to) = (type_(host, &Type, a)?.object, type_(host, &Type, b)?.object);
            let s = host.snapshot();
            match s.cast(from, to) {
                Some(c) => Ok(ObjectAddress::of::<CastRow>(c.oid)),
                None => {
                    let env = host.env();
                    let show = |t| pglite_catalog::format_type::format_type_be(&s, env.search_path(), t);
                    bail!(
                        UNDEFINED_OBJECT,
                        "cast from type {} to type {} does not exist",
                        show(from),
                        show(to)
                    )
                }
            }
        }
        (Transform, ObjectName::Transform(t, lang)) => {
            let ty = type_(host, &Type, t)?.object;
            let s = host.snapshot();
            let lang_oid = plain(&s, &Language, lang)?.object;
            match s.iter::<TransformRow>().find(|r| r.trftype == ty && r.trflang == lang_oid) {
                Some(r) => Ok(ObjectAddress::of::<TransformRow>(r.oid)),
                None => bail!(
                    UNDEFINED_OBJECT,
                    "transform for type {} language \"{lang}\" does not exist",
                    t.dotted()
                ),
            }
        }
        (DomConstraint, ObjectName::DomainConstraint(t, name)) => {
            let ty = type_(host, &Domain, t)?.object;
            let s = host.snapshot();
            match s.domain_constraints_of(ty).find(|c| c.conname == *name.as_str()) {
                Some(c) => Ok(ObjectAddress::constraint(c.oid)),
                None => {
                    bail!(UNDEFINED_OBJECT, "constraint \"{name}\" for domain {} does not exist", t.dotted())
                }
            }
        }
        (LargeObject, ObjectName::LargeObject(v)) => {
            let oid = match v {
                Value::Integer(i) => Oid(*i as u32),
                Value::Float(f) => Oid(f.parse().unwrap_or(0)),
                _ => Oid::INVALID,
            };
            match host.snapshot().get::<LargeobjectMetadataRow>(oid) {
                Some(_) => Ok(ObjectAddress::new(Oid(2613), oid)),
                None => bail!(UNDEFINED_OBJECT, "large object {oid} does not exist"),
            }
        }
        (
            Collation | Conversion | StatisticExt | TsConfiguration | TsDictionary | TsParser | TsTemplate,
            o,
        ) => qualified(host, kind, &names_of(o)),
        (_, o) => plain(&host.snapshot(), kind, &names_of(o).join(".")),
    }
}

/// 42501 "must be owner of ..." unless the user owns the object (for things of a table: the table).
pub(crate) fn check_owner(host: &dyn CommandHost, a: &ObjectAddress, kind: &ObjectType) -> PgResult<()> {
    let s = host.snapshot();
    let user = ctx::user(host);
    if acl::is_superuser(&s, user) {
        return Ok(());
    }
    let table = match a.class {
        TriggerRow::CATALOG => s.trigger_by_oid(a.object).map(|t| t.tgrelid),
        RewriteRow::CATALOG => s.rewrite_by_oid(a.object).map(|t| t.ev_class),
        PolicyRow::CATALOG => s.policy_by_oid(a.object).map(|t| t.polrelid),
        ConstraintRow::CATALOG => s.constraint_by_oid(a.object).and_then(|t| t.conrelid.valid()),
        _ => None,
    };
    if let Some(rel) = table.and_then(|t| s.rel(t)) {
        if acl::has_privs_of_role(&s, user, rel.owner) {
            return Ok(());
        }
        bail!(INSUFFICIENT_PRIVILEGE, "must be owner of relation {}", rel.name);
    }
    let owned = match a.class {
        CastRow::CATALOG => s.cast_by_oid(a.object).is_some_and(|c| {
            [c.castsource, c.casttarget]
                .iter()
                .any(|t| s.type_by_oid(*t).is_some_and(|r| acl::has_privs_of_role(&s, user, r.typowner)))
        }),
        _ => owner_of(&s, a).is_some_and(|o| acl::has_privs_of_role(&s, user, o)),
    };
    if owned {
        return Ok(());
    }
    let name = name_of(&s, a).unwrap_or_default();
    let word = match (a.class, kind) {
        (ClassRow::CATALOG, ObjectType::Column) => "relation",
        (ClassRow::CATALOG, _) => s.class_by_oid(a.object).map_or("relation", |c| ctx::kind_word(c.relkind)),
        (ForeignServerRow::CATALOG, _) => "foreign server",
        (_, k) => kind_word(k),
    };
    bail!(INSUFFICIENT_PRIVILEGE, "must be owner of {word} {name}")
}

/// The comment key of an address in pg_description.
pub(crate) fn comment_key(a: &ObjectAddress) -> Key {
    Key::new().oid(a.object).oid(a.class).with(&a.sub)
}
