//! Objects in words, as messages and `pg_describe_object` show them.

use pglite_types::Oid;

use crate::depend::{LARGE_OBJECT, ObjectAddress};
use crate::format_type::format_type_be;
use crate::generated::rows::*;
use crate::names::{push_ident, quote_qualified};
use crate::row::CatalogRow;
use crate::search_path::SearchPath;
use crate::snapshot::Snapshot;

/// `getObjectDescription`: `None` when the object does not exist.
pub fn describe_object(s: &Snapshot, path: &SearchPath, a: &ObjectAddress) -> Option<String> {
    let o = a.object;
    Some(match a.class {
        ClassRow::CATALOG if a.sub != 0 => {
            let attr = s.attribute(o, a.sub as i16).filter(|at| !at.attisdropped)?;
            format!("column {} of {}", attr.attname, relation(s, path, o)?)
        }
        ClassRow::CATALOG => relation(s, path, o)?,
        ProcRow::CATALOG => format!("function {}", format_procedure(s, path, o)?),
        TypeRow::CATALOG => {
            s.type_by_oid(o)?;
            format!("type {}", format_type_be(s, path, o))
        }
        CastRow::CATALOG => {
            let c = s.cast_by_oid(o)?;
            let (from, to) = (format_type_be(s, path, c.castsource), format_type_be(s, path, c.casttarget));
            format!("cast from {from} to {to}")
        }
        CollationRow::CATALOG => {
            let c = s.collation_by_oid(o)?;
            let visible = path.collation_is_visible(s, o);
            format!("collation {}", maybe_qualified(s, visible, c.collnamespace, &c.collname))
        }
        ConstraintRow::CATALOG => {
            let c = s.constraint_by_oid(o)?;
            match c.conrelid.valid() {
                Some(rel) => format!("constraint {} on {}", c.conname, relation(s, path, rel)?),
                None => format!("constraint {}", c.conname),
            }
        }
        ConversionRow::CATALOG => {
            let c = s.conversion_by_oid(o)?;
            let visible = path.conversion_is_visible(s, o);
            format!("conversion {}", maybe_qualified(s, visible, c.connamespace, &c.conname))
        }
        AttrdefRow::CATALOG => {
            let d = s.attrdef_by_oid(o)?;
            let column = describe_object(s, path, &ObjectAddress::column(d.adrelid, d.adnum))?;
            format!("default value for {column}")
        }
        OperatorRow::CATALOG => format!("operator {}", format_operator(s, path, o)?),
        OpclassRow::CATALOG => {
            let c = s.opclass_by_oid(o)?;
            let name = maybe_qualified(s, path.opclass_is_visible(s, o), c.opcnamespace, &c.opcname);
            format!("operator class {name} for access method {}", s.am_by_oid(c.opcmethod)?.amname)
        }
        OpfamilyRow::CATALOG => opfamily(s, path, o)?,
        AmopRow::CATALOG => {
            let m = s.get::<AmopRow>(o)?;
            let (l, r) = (format_type_be(s, path, m.amoplefttype), format_type_be(s, path, m.amoprighttype));
            let (family, op) = (opfamily(s, path, m.amopfamily)?, format_operator(s, path, m.amopopr)?);
            format!("operator {} ({l}, {r}) of {family}: {op}", m.amopstrategy)
        }
        AmprocRow::CATALOG => {
            let m = s.get::<AmprocRow>(o)?;
            let (l, r) =
                (format_type_be(s, path, m.amproclefttype), format_type_be(s, path, m.amprocrighttype));
            let (family, f) = (opfamily(s, path, m.amprocfamily)?, format_procedure(s, path, m.amproc)?);
            format!("function {} ({l}, {r}) of {family}: {f}", m.amprocnum)
        }
        RewriteRow::CATALOG => {
            let r = s.rewrite_by_oid(o)?;
            format!("rule {} on {}", r.rulename, relation(s, path, r.ev_class)?)
        }
        TriggerRow::CATALOG => {
            let t = s.trigger_by_oid(o)?;
            format!("trigger {} on {}", t.tgname, relation(s, path, t.tgrelid)?)
        }
        PolicyRow::CATALOG => {
            let p = s.policy_by_oid(o)?;
            format!("policy {} on {}", p.polname, relation(s, path, p.polrelid)?)
        }
        StatisticExtRow::CATALOG => {
            let x = s.statistic_ext_by_oid(o)?;
            let visible = path.statistics_is_visible(s, o);
            format!("statistics object {}", maybe_qualified(s, visible, x.stxnamespace, &x.stxname))
        }
        TsConfigRow::CATALOG => {
            let x = s.ts_config_by_oid(o)?;
            let name = maybe_qualified(s, path.ts_config_is_visible(s, o), x.cfgnamespace, &x.cfgname);
            format!("text search configuration {name}")
        }
        TsDictRow::CATALOG => {
            let x = s.ts_dict_by_oid(o)?;
            let name = maybe_qualified(s, path.ts_dict_is_visible(s, o), x.dictnamespace, &x.dictname);
            format!("text search dictionary {name}")
        }
        TsParserRow::CATALOG => {
            let x = s.ts_parser_by_oid(o)?;
            let name = maybe_qualified(s, path.ts_parser_is_visible(s, o), x.prsnamespace, &x.prsname);
            format!("text search parser {name}")
        }
        TsTemplateRow::CATALOG => {
            let x = s.ts_template_by_oid(o)?;
            let name = maybe_qualified(s, path.ts_template_is_visible(s, o), x.tmplnamespace, &x.tmplname);
            format!("text search template {name}")
        }
        LARGE_OBJECT => format!("large object {o}"),
        class => global(s, path, class, o)?,
    })
}

/// Objects without a schema.
fn global(s: &Snapshot, path: &SearchPath, class: Oid, o: Oid) -> Option<String> {
    let role = |r: Oid| s.role_by_oid(r).map(|r| r.rolname.to_string());
    Some(match class {
        LanguageRow::CATALOG => format!("language {}", s.language_by_oid(o)?.lanname),
        AmRow::CATALOG => format!("access method {}", s.am_by_oid(o)?.amname),
        NamespaceRow::CATALOG => format!("schema {}", s.namespace_by_oid(o)?.nspname),
        AuthidRow::CATALOG => format!("role {}", role(o)?),
        AuthMembersRow::CATALOG => {
            let m = s.get::<AuthMembersRow>(o)?;
            format!("membership of role {} in role {}", role(m.member)?, role(m.roleid)?)
        }
        DatabaseRow::CATALOG => format!("database {}", s.database_by_oid(o)?.datname),
        TablespaceRow::CATALOG => format!("tablespace {}", s.tablespace_by_oid(o)?.spcname),
        ForeignDataWrapperRow::CATALOG => {
            format!("foreign-data wrapper {}", s.foreign_data_wrapper_by_oid(o)?.fdwname)
        }
        ForeignServerRow::CATALOG => format!("server {}", s.foreign_server_by_oid(o)?.srvname),
        UserMappingRow::CATALOG => {
            let m = s.get::<UserMappingRow>(o)?;
            let user = if m.umuser.is_valid() { role(m.umuser)? } else { "public".into() };
            format!("user mapping for {user} on server {}", s.foreign_server_by_oid(m.umserver)?.srvname)
        }
        DefaultAclRow::CATALOG => default_acl(s, o)?,
        ExtensionRow::CATALOG => format!("extension {}", s.extension_by_oid(o)?.extname),
        EventTriggerRow::CATALOG => format!("event trigger {}", s.event_trigger_by_oid(o)?.evtname),
        ParameterAclRow::CATALOG => format!("parameter {}", s.get::<ParameterAclRow>(o)?.parname),
        PublicationRow::CATALOG => format!("publication {}", s.publication_by_oid(o)?.pubname),
        PublicationRelRow::CATALOG => {
            let r = s.get::<PublicationRelRow>(o)?;
            let publication = &s.publication_by_oid(r.prpubid)?.pubname;
            format!("publication of {} in publication {publication}", relation(s, path, r.prrelid)?)
        }
        PublicationNamespaceRow::CATALOG => {
            let r = s.get::<PublicationNamespaceRow>(o)?;
            let publication = &s.publication_by_oid(r.pnpubid)?.pubname;
            format!("publication of schema {} in publication {publication}", s.namespace_name(r.pnnspid)?)
        }
        SubscriptionRow::CATALOG => format!("subscription {}", s.get::<SubscriptionRow>(o)?.subname),
        TransformRow::CATALOG => {
            let t = s.get::<TransformRow>(o)?;
            let language = &s.language_by_oid(t.trflang)?.lanname;
            format!("transform for {} language {language}", format_type_be(s, path, t.trftype))
        }
        _ => return None,
    })
}

fn default_acl(s: &Snapshot, o: Oid) -> Option<String> {
    let d = s.get::<DefaultAclRow>(o)?;
    let what = match d.defaclobjtype {
        b'r' => "new relations",
        b'S' => "new sequences",
        b'f' => "new functions",
        b'T' => "new types",
        b'n' => "new schemas",
        b'L' => "new large objects",
        _ => "",
    };
    let mut text = if what.is_empty() {
        "default privileges".to_string()
    } else {
        format!("default privileges on {what}")
    };
    text.push_str(&format!(" belonging to role {}", s.role_by_oid(d.defaclrole)?.rolname));
    if let Some(ns) = d.defaclnamespace.valid() {
        text.push_str(&format!(" in schema {}", s.namespace_name(ns)?));
    }
    Some(text)
}

fn opfamily(s: &Snapshot, path: &SearchPath, o: Oid) -> Option<String> {
    let f = s.opfamily_by_oid(o)?;
    let name = maybe_qualified(s, path.opfamily_is_visible(s, o), f.opfnamespace, &f.opfname);
    Some(format!("operator family {name} for access method {}", s.am_by_oid(f.opfmethod)?.amname))
}

fn maybe_qualified(s: &Snapshot, visible: bool, namespace: Oid, name: &str) -> String {
    quote_qualified(if visible { None } else { s.namespace_name(namespace) }, name)
}

/// A relation with its kind: `table t`, `view s.v`.
pub fn relation(s: &Snapshot, path: &SearchPath, oid: Oid) -> Option<String> {
    let c = s.class_by_oid(oid)?;
    let name = maybe_qualified(s, path.relation_is_visible(s, oid), c.relnamespace, &c.relname);
    let kind = match c.relkind {
        b'r' | b'p' => "table",
        b'i' | b'I' => "index",
        b'S' => "sequence",
        b't' => "toast table",
        b'v' => "view",
        b'm' => "materialized view",
        b'c' => "composite type",
        b'f' => "foreign table",
        _ => "relation",
    };
    Some(format!("{kind} {name}"))
}

/// `format_procedure`: `f(integer,text)`, qualified when not visible.
pub fn format_procedure(s: &Snapshot, path: &SearchPath, oid: Oid) -> Option<String> {
    let p = s.proc_by_oid(oid)?;
    let mut out = maybe_qualified(s, path.function_is_visible(s, oid), p.pronamespace, &p.proname);
    let args: Vec<String> = p.proargtypes.iter().map(|t| format_type_be(s, path, *t)).collect();
    out.push_str(&format!("({})", args.join(",")));
    Some(out)
}

/// `format_operator`: `+(integer,integer)`, qualified when not visible; the missing side of a prefix operator is NONE.
pub fn format_operator(s: &Snapshot, path: &SearchPath, oid: Oid) -> Option<String> {
    let o = s.operator_by_oid(oid)?;
    let mut out = String::new();
    if !path.operator_is_visible(s, oid) {
        push_ident(&mut out, s.namespace_name(o.oprnamespace)?);
        out.push('.');
    }
    let side = |t: Oid| if t.is_valid() { format_type_be(s, path, t) } else { "NONE".to_string() };
    out.push_str(&format!("{}({},{})", o.oprname, side(o.oprleft), side(o.oprright)));
    Some(out)
}
