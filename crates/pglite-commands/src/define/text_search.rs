//! CREATE COLLATION; text search parsers, templates, dictionaries and configurations, and their ALTER.

use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::names::quote_literal;
use pglite_catalog::rows::*;
use pglite_catalog::{CatalogRow, Key, acl};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{AlterTSDictionaryStmt, DefElem, DefineStmt, ObjectName, ObjectType};
use pglite_types::{Oid, oid};

use super::{bool_of, function, names_of, text_of};
use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};

fn in_schema(
    host: &dyn CommandHost,
    me: ObjectAddress,
    namespace: Oid,
    owner: Option<Oid>,
    refs: &[ObjectAddress],
) -> PgResult<()> {
    host.with_catalog(&mut |c| {
        c.record_dependency(me, ObjectAddress::of::<NamespaceRow>(namespace), DependencyType::Normal);
        c.record_dependencies(me, refs.iter().copied(), DependencyType::Normal);
        if let Some(o) = owner {
            c.record_owner(me, o);
        }
        Ok(())
    })
}

/// CREATE COLLATION.
pub(super) fn collation(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<()> {
    let (namespace, name) = objects::creation_namespace(host, &d.defnames)?;
    let s = host.snapshot();
    let mut row = CollationRow {
        oid: Oid::INVALID,
        collname: name.as_str().into(),
        collnamespace: namespace,
        collowner: ctx::user(host),
        collprovider: b'c',
        collisdeterministic: true,
        collencoding: 6,
        ..CollationRow::default()
    };
    let mut locale = None;
    let mut seen: Vec<&str> = Vec::new();
    for e in &d.definition {
        if seen.contains(&e.defname.as_str()) {
            return Err(PgError::syntax("conflicting or redundant options").at(e.location));
        }
        seen.push(&e.defname);
        match e.defname.as_str() {
            "from" => {
                let names = names_of(e)?;
                let found = objects::resolve(
                    host,
                    &ObjectType::Collation,
                    &ObjectName::Names(names),
                    Lookup::default(),
                )?;
                let from = s.collation_by_oid(found.object).cloned().unwrap_or_default();
                if from.collprovider == b'd' {
                    bail!(INVALID_OBJECT_DEFINITION, "collation \"default\" cannot be copied");
                }
                row = CollationRow {
                    oid: Oid::INVALID,
                    collname: name.as_str().into(),
                    collnamespace: namespace,
                    collowner: row.collowner,
                    ..from
                };
            }
            "locale" => locale = text_of(e),
            "lc_collate" => row.collcollate = text_of(e).map(Into::into),
            "lc_ctype" => row.collctype = text_of(e).map(Into::into),
            "provider" => {
                row.collprovider = match text_of(e).map(|t| t.to_ascii_lowercase()).as_deref() {
                    Some("builtin") => b'b',
                    Some("icu") => {
                        return Err(PgError::unsupported("ICU is not supported in this build"));
                    }
                    Some("libc") => b'c',
                    other => bail!(
                        INVALID_OBJECT_DEFINITION,
                        "unrecognized collation provider: {}",
                        other.unwrap_or("")
                    ),
                }
            }
            "deterministic" => row.collisdeterministic = bool_of(e)?,
            "version" => row.collversion = text_of(e).map(Into::into),
            "rules" => row.collicurules = text_of(e).map(Into::into),
            other => {
                return Err(
                    PgError::syntax(format!("collation attribute \"{other}\" not recognized")).at(e.location)
                );
            }
        }
    }
    if locale.is_some() && (row.collcollate.is_some() || row.collctype.is_some()) {
        return Err(PgError::syntax("conflicting or redundant options")
            .detail("LOCALE cannot be specified together with LC_COLLATE or LC_CTYPE."));
    }
    if seen.contains(&"from") && seen.len() > 1 {
        return Err(PgError::syntax("conflicting or redundant options")
            .detail("FROM cannot be specified together with any other options."));
    }
    if let Some(l) = locale {
        if row.collprovider == b'b' {
            if !["C", "C.UTF-8", "C.UTF8", "PG_UNICODE_FAST"].contains(&l.as_str()) {
                bail!(WRONG_OBJECT_TYPE, "invalid locale name \"{l}\" for builtin provider");
            }
            row.colllocale = Some(l.into());
        } else {
            row.collcollate = Some(l.as_str().into());
            row.collctype = Some(l.into());
        }
    }
    if !seen.contains(&"from") {
        if row.collprovider == b'c' {
            if row.collcollate.is_none() {
                return Err(err!(INVALID_OBJECT_DEFINITION, "parameter \"lc_collate\" must be specified"));
            }
            if row.collctype.is_none() {
                return Err(err!(INVALID_OBJECT_DEFINITION, "parameter \"lc_ctype\" must be specified"));
            }
        } else if row.colllocale.is_none() {
            return Err(err!(INVALID_OBJECT_DEFINITION, "parameter \"locale\" must be specified"));
        }
    }
    if !row.collisdeterministic {
        return Err(PgError::unsupported("nondeterministic collations not supported with this provider"));
    }
    if row.collicurules.is_some() {
        bail!(INVALID_OBJECT_DEFINITION, "ICU rules cannot be specified unless locale provider is ICU");
    }
    if s.collations_by_name(namespace, &name).next().is_some() {
        let text = format!("collation \"{name}\" already exists");
        if d.if_not_exists {
            ctx::notice(host, PgError::notice(format!("{text}, skipping")));
            return Ok(());
        }
        bail!(DUPLICATE_OBJECT, "{text}");
    }
    row.oid = ctx::new_oid(host)?;
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        Ok(())
    })?;
    in_schema(host, ObjectAddress::of::<CollationRow>(row.oid), namespace, Some(row.collowner), &[])
}

fn superuser(host: &dyn CommandHost, what: &str) -> PgResult<()> {
    if acl::is_superuser(&host.snapshot(), ctx::user(host)) {
        return Ok(());
    }
    bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create text search {what}")
}

const INTERNAL: Oid = Oid(2281);

pub(super) fn parser(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<()> {
    superuser(host, "parsers")?;
    let (namespace, name) = objects::creation_namespace(host, &d.defnames)?;
    let mut row = TsParserRow {
        oid: Oid::INVALID,
        prsname: name.as_str().into(),
        prsnamespace: namespace,
        ..TsParserRow::default()
    };
    let three = [INTERNAL, INTERNAL, INTERNAL];
    for e in &d.definition {
        match e.defname.as_str() {
            "start" => row.prsstart = function(host, &names_of(e)?, &[INTERNAL, oid::INT4])?,
            "gettoken" => row.prstoken = function(host, &names_of(e)?, &three)?,
            "end" => row.prsend = function(host, &names_of(e)?, &[INTERNAL])?,
            "headline" => {
                row.prsheadline = function(host, &names_of(e)?, &[INTERNAL, INTERNAL, Oid(3615)])?;
            }
            "lextypes" => row.prslextype = function(host, &names_of(e)?, &[INTERNAL])?,
            other => {
                return Err(PgError::syntax(format!(
                    "text search parser parameter \"{other}\" not recognized"
                )));
            }
        }
    }
    for (f, what) in [
        (row.prsstart, "start method"),
        (row.prstoken, "gettoken method"),
        (row.prsend, "end method"),
        (row.prslextype, "lextypes method"),
    ] {
        if !f.is_valid() {
            bail!(INVALID_OBJECT_DEFINITION, "text search parser {what} is required");
        }
    }
    if host.snapshot().ts_parser_by_name(namespace, &name).is_some() {
        bail!(
            UNIQUE_VIOLATION,
            "duplicate key value violates unique constraint \"pg_ts_parser_prsname_index\""
        );
    }
    row.oid = ctx::new_oid(host)?;
    let refs: Vec<ObjectAddress> = [row.prsstart, row.prstoken, row.prsend, row.prsheadline, row.prslextype]
        .into_iter()
        .filter(|f| f.is_valid())
        .map(ObjectAddress::proc)
        .collect();
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        Ok(())
    })?;
    in_schema(host, ObjectAddress::of::<TsParserRow>(row.oid), namespace, None, &refs)
}

pub(super) fn template(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<()> {
    superuser(host, "templates")?;
    let (namespace, name) = objects::creation_namespace(host, &d.defnames)?;
    let mut row = TsTemplateRow {
        oid: Oid::INVALID,
        tmplname: name.as_str().into(),
        tmplnamespace: namespace,
        ..TsTemplateRow::default()
    };
    for e in &d.definition {
        match e.defname.as_str() {
            "init" => row.tmplinit = function(host, &names_of(e)?, &[INTERNAL])?,
            "lexize" => {
                row.tmpllexize = function(host, &names_of(e)?, &[INTERNAL, INTERNAL, INTERNAL, INTERNAL])?;
            }
            other => {
                return Err(PgError::syntax(format!(
                    "text search template parameter \"{other}\" not recognized"
                )));
            }
        }
    }
    if !row.tmpllexize.is_valid() {
        bail!(INVALID_OBJECT_DEFINITION, "text search template lexize method is required");
    }
    row.oid = ctx::new_oid(host)?;
    let refs: Vec<ObjectAddress> = [row.tmplinit, row.tmpllexize]
        .into_iter()
        .filter(|f| f.is_valid())
        .map(ObjectAddress::proc)
        .collect();
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        Ok(())
    })?;
    in_schema(host, ObjectAddress::of::<TsTemplateRow>(row.oid), namespace, None, &refs)
}

fn find(host: &dyn CommandHost, kind: ObjectType, names: Vec<String>) -> PgResult<Oid> {
    Ok(objects::resolve(host, &kind, &ObjectName::Names(names), Lookup::default())?.object)
}

/// `name = 'value', ...` as dictinitoption holds it.
fn options_text(list: &[(String, String)]) -> Option<String> {
    if list.is_empty() {
        return None;
    }
    let each: Vec<String> = list
        .iter()
        .map(|(n, v)| {
            let bare = !v.is_empty() && v.chars().all(|c| c.is_ascii_digit());
            let value = if bare { v.clone() } else { quote_literal(v) };
            format!("{} = {value}", pglite_catalog::names::quote_ident(n))
        })
        .collect();
    Some(each.join(", "))
}

fn pair(e: &DefElem) -> (String, String) {
    (e.defname.clone(), text_of(e).unwrap_or_default())
}

pub(super) fn dictionary(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<()> {
    let (namespace, name) = objects::creation_namespace(host, &d.defnames)?;
    let mut template = Oid::INVALID;
    let mut list = Vec::new();
    for e in &d.definition {
        if e.defname == "template" {
            template = find(host, ObjectType::TsTemplate, names_of(e)?)?;
        } else {
            list.push(pair(e));
        }
    }
    if !template.is_valid() {
        bail!(INVALID_OBJECT_DEFINITION, "text search template is required");
    }
    let row = TsDictRow {
        oid: ctx::new_oid(host)?,
        dictname: name.as_str().into(),
        dictnamespace: namespace,
        dictowner: ctx::user(host),
        dicttemplate: template,
        dictinitoption: options_text(&list).map(Into::into),
    };
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        Ok(())
    })?;
    let refs = [ObjectAddress::of::<TsTemplateRow>(template)];
    in_schema(host, ObjectAddress::of::<TsDictRow>(row.oid), namespace, Some(row.dictowner), &refs)
}

pub(super) fn configuration(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<()> {
    let (namespace, name) = objects::creation_namespace(host, &d.defnames)?;
    let (mut parser, mut copy) = (Oid::INVALID, Oid::INVALID);
    for e in &d.definition {
        match e.defname.as_str() {
            "parser" => parser = find(host, ObjectType::TsParser, names_of(e)?)?,
            "copy" => copy = find(host, ObjectType::TsConfiguration, names_of(e)?)?,
            other => {
                return Err(PgError::syntax(format!(
                    "text search configuration parameter \"{other}\" not recognized"
                )));
            }
        }
    }
    if parser.is_valid() && copy.is_valid() {
        bail!(SYNTAX_ERROR, "cannot specify both PARSER and COPY options");
    }
    let s = host.snapshot();
    if let Some(c) = s.ts_config_by_oid(copy) {
        parser = c.cfgparser;
    }
    if !parser.is_valid() {
        bail!(INVALID_OBJECT_DEFINITION, "text search parser is required");
    }
    let row = TsConfigRow {
        oid: ctx::new_oid(host)?,
        cfgname: name.as_str().into(),
        cfgnamespace: namespace,
        cfgowner: ctx::user(host),
        cfgparser: parser,
    };
    let maps: Vec<TsConfigMapRow> = s
        .table::<TsConfigMapRow>()
        .scan_primary(&Key::new().oid(copy))
        .filter(|_| copy.is_valid())
        .map(|m| TsConfigMapRow { mapcfg: row.oid, ..m.clone() })
        .collect();
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        maps.iter().cloned().for_each(|m| c.insert(m));
        Ok(())
    })?;
    let mut refs = vec![ObjectAddress::of::<TsParserRow>(parser)];
    refs.extend(maps.iter().map(|m| ObjectAddress::of::<TsDictRow>(m.mapdict)));
    let _ = TsConfigRow::CATALOG;
    in_schema(host, ObjectAddress::of::<TsConfigRow>(row.oid), namespace, Some(row.cfgowner), &refs)
}

/// ALTER TEXT SEARCH DICTIONARY.
pub(crate) fn alter_dictionary(
    host: &dyn CommandHost,
    a: &AlterTSDictionaryStmt,
) -> PgResult<CommandOutcome> {
    let object = ObjectName::Names(a.dictname.clone());
    let found = objects::resolve(host, &ObjectType::TsDictionary, &object, Lookup::default())?;
    objects::check_owner(host, &found, &ObjectType::TsDictionary)?;
    let s = host.snapshot();
    let old = s.ts_dict_by_oid(found.object).and_then(|d| d.dictinitoption.clone());
    let mut list: Vec<(String, String)> = Vec::new();
    if let Some(text) = old {
        for part in pglite_catalog::reldesc::split_list(&text) {
            if let Some((n, v)) = part.split_once(" = ") {
                let value = v.trim().trim_matches('\'').replace("''", "'");
                list.push((n.trim().trim_matches('"').to_string(), value));
            }
        }
    }
    for e in &a.options {
        list.retain(|(n, _)| *n != e.defname);
        if e.arg.is_some() {
            list.push(pair(e));
        }
    }
    let text = options_text(&list);
    host.with_catalog(&mut |c| {
        c.modify::<TsDictRow>(found.object, |r| r.dictinitoption = text.as_deref().map(Into::into));
        Ok(())
    })?;
    Ok(CommandOutcome::tag("ALTER TEXT SEARCH DICTIONARY"))
}
