//! CREATE PUBLICATION, ALTER PUBLICATION. (Nothing replicates yet: the catalogs say what would.)

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{NamespaceRow, PublicationNamespaceRow, PublicationRelRow, PublicationRow};
use pglite_catalog::{RelDesc, Vector, acl};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_parser::ast::{
    AlterPublicationAction, AlterPublicationStmt, CreatePublicationStmt, DefElem, ObjectType,
    PublicationObjSpec, PublicationObjSpecType, PublicationTable,
};
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::define::{bool_of, text_of};
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self};

/// `insert`, `update`, `delete`, `truncate`, as `publish` lists them.
fn options(row: &mut PublicationRow, list: &[DefElem]) -> PgResult<()> {
    let mut seen: Vec<&str> = Vec::new();
    for d in list {
        if seen.contains(&d.defname.as_str()) {
            return Err(PgError::syntax("conflicting or redundant options").at(d.location));
        }
        seen.push(&d.defname);
        match d.defname.as_str() {
            "publish" => {
                let text = text_of(d).unwrap_or_default();
                (row.pubinsert, row.pubupdate, row.pubdelete, row.pubtruncate) = (false, false, false, false);
                let Some(parts) = pglite_catalog::names::split_identifiers(&text, ',') else {
                    bail!(SYNTAX_ERROR, "invalid list syntax in parameter \"publish\"");
                };
                for p in parts {
                    match p.as_str() {
                        "insert" => row.pubinsert = true,
                        "update" => row.pubupdate = true,
                        "delete" => row.pubdelete = true,
                        "truncate" => row.pubtruncate = true,
                        other => bail!(
                            SYNTAX_ERROR,
                            "unrecognized value for publication option \"publish\": \"{other}\""
                        ),
                    }
                }
            }
            "publish_via_partition_root" => row.pubviaroot = bool_of(d)?,
            "publish_generated_columns" => {
                row.pubgencols = match text_of(d).map(|t| t.to_ascii_lowercase()).as_deref() {
                    Some("none") => b'n',
                    Some("stored") => b's',
                    other => {
                        return Err(err!(
                            SYNTAX_ERROR,
                            "invalid value for publication parameter \"publish_generated_columns\": \"{}\"",
                            other.unwrap_or("")
                        )
                        .detail("Valid values are \"none\" and \"stored\"."));
                    }
                }
            }
            other => bail!(SYNTAX_ERROR, "unrecognized publication parameter: \"{other}\""),
        }
    }
    Ok(())
}

/// What a publication is asked to hold.
#[derive(Default)]
struct Objects<'s> {
    tables: Vec<&'s PublicationTable>,
    schemas: Vec<Oid>,
}

fn gather<'s>(host: &dyn CommandHost, list: &'s [PublicationObjSpec]) -> PgResult<Objects<'s>> {
    let s = host.snapshot();
    let mut out = Objects::default();
    for o in list {
        match o.pubobjtype {
            PublicationObjSpecType::Table => out.tables.extend(o.pubtable.as_deref()),
            PublicationObjSpecType::TablesInSchema => {
                let name = o.name.as_deref().unwrap_or("");
                let Some(n) = s.namespace_by_name(name) else {
                    bail!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist");
                };
                if !out.schemas.contains(&n.oid) {
                    out.schemas.push(n.oid);
                }
            }
            _ => {
                let first = {
                    let env = host.env();
                    env.search_path().explicit().next()
                };
                let Some(n) = first else {
                    bail!(UNDEFINED_SCHEMA, "no schema has been selected for CURRENT_SCHEMA");
                };
                if !out.schemas.contains(&n) {
                    out.schemas.push(n);
                }
            }
        }
    }
    Ok(out)
}

fn publishable(rel: &RelDesc) -> PgResult<()> {
    let refuse = |detail: &str| -> PgResult<()> {
        Err(err!(INVALID_PARAMETER_VALUE, "cannot add relation \"{}\" to publication", rel.name)
            .detail(detail.to_string()))
    };
    if !matches!(rel.kind, b'r' | b'p') {
        return refuse(&format!("This operation is not supported for {}.", crate::index::plural(rel.kind)));
    }
    if rel.is_catalog {
        return refuse("This operation is not supported for system tables.");
    }
    match rel.persistence {
        b't' => refuse("This operation is not supported for temporary tables."),
        b'u' => refuse("This operation is not supported for unlogged tables."),
        _ => Ok(()),
    }
}

fn allowed_in_where(s: &pglite_catalog::Snapshot, e: &pglite_ir::Expr) -> bool {
    use pglite_ir::Expr;
    let user_made = |o: Oid| o.0 >= 16384;
    !pglite_ir::walk::contains(e, &|x| match x {
        Expr::SubLink(_) | Expr::SqlValue { .. } => true,
        Expr::Var(v) => v.attno < 0 || user_made(v.ty),
        Expr::Func(f) => user_made(f.func) || s.proc_by_oid(f.func).is_some_and(|p| p.provolatile != b'i'),
        Expr::Op(o) => user_made(o.op) || s.proc_by_oid(o.func).is_some_and(|p| p.provolatile != b'i'),
        _ => false,
    })
}

fn row_of(
    host: &dyn CommandHost,
    publication: &PublicationRow,
    t: &PublicationTable,
) -> PgResult<(PublicationRelRow, Vec<ObjectAddress>)> {
    let rel = ctx::relation(host, &t.relation)?;
    ctx::must_own(host, &rel)?;
    publishable(&rel)?;
    let s = host.snapshot();
    let mut refs = Vec::new();
    let qual = match &t.where_clause {
        None => None,
        Some(raw) => {
            let env = host.env();
            let e = analyze_expr(
                env.as_analyze_env(),
                raw,
                &ExprScope::Relation(&rel),
                ExprKind::Where,
                Some((oid::BOOL, -1)),
            )?;
            if !allowed_in_where(&s, &e) {
                let detail = "Only columns, constants, built-in operators, built-in data types, built-in collations, and immutable built-in functions are allowed.";
                return Err(PgError::unsupported("invalid publication WHERE expression").detail(detail));
            }
            refs.extend(ctx::expr_references(&s, &e, Some(rel.oid)));
            Some(storage_text(&s, env.as_fn_host(), &e, Scope::Relation(&rel))?)
        }
    };
    let mut attrs: Vec<i16> = Vec::new();
    for c in &t.columns {
        if pglite_catalog::create::SYSTEM_COLUMNS.iter().any(|x| x.0 == c) {
            bail!(INVALID_COLUMN_REFERENCE, "cannot use system column \"{c}\" in publication column list");
        }
        let Some(col) = rel.column(c) else {
            bail!(UNDEFINED_COLUMN, "column \"{c}\" of relation \"{}\" does not exist", rel.name);
        };
        if col.generated == b'v' {
            bail!(
                INVALID_COLUMN_REFERENCE,
                "cannot use virtual generated column \"{c}\" in publication column list"
            );
        }
        if attrs.contains(&col.attnum) {
            bail!(DUPLICATE_OBJECT, "duplicate column \"{c}\" in publication column list");
        }
        attrs.push(col.attnum);
    }
    attrs.sort_unstable();
    refs.extend(attrs.iter().map(|a| ObjectAddress::column(rel.oid, *a)));
    Ok((
        PublicationRelRow {
            oid: ctx::new_oid(host)?,
            prpubid: publication.oid,
            prrelid: rel.oid,
            prqual: qual.map(Into::into),
            prattrs: (!attrs.is_empty()).then(|| Vector::from(attrs)),
        },
        refs,
    ))
}

fn add_tables(host: &dyn CommandHost, p: &PublicationRow, tables: &[&PublicationTable]) -> PgResult<()> {
    let mut rows: Vec<(PublicationRelRow, Vec<ObjectAddress>)> = Vec::new();
    for t in tables {
        let (row, refs) = row_of(host, p, t)?;
        if let Some(old) = rows.iter().find(|r| r.0.prrelid == row.prrelid) {
            let name = &t.relation.relname;
            if old.0.prqual.is_some() || row.prqual.is_some() {
                bail!(DUPLICATE_OBJECT, "conflicting or redundant WHERE clauses for table \"{name}\"");
            }
            if old.0.prattrs.is_some() || row.prattrs.is_some() {
                bail!(DUPLICATE_OBJECT, "conflicting or redundant column lists for table \"{name}\"");
            }
            continue;
        }
        let s = host.snapshot();
        if s.iter::<PublicationRelRow>().any(|r| r.prpubid == p.oid && r.prrelid == row.prrelid) {
            bail!(
                DUPLICATE_OBJECT,
                "relation \"{}\" is already member of publication \"{}\"",
                t.relation.relname,
                p.pubname
            );
        }
        rows.push((row, refs));
    }
    host.with_catalog(&mut |c| {
        for (row, refs) in &rows {
            let me = ObjectAddress::of::<PublicationRelRow>(row.oid);
            c.insert(row.clone());
            c.record_dependency(me, ObjectAddress::of::<PublicationRow>(p.oid), DependencyType::Auto);
            c.record_dependency(me, ObjectAddress::relation(row.prrelid), DependencyType::Auto);
            c.record_dependencies(me, refs.iter().copied(), DependencyType::Normal);
        }
        Ok(())
    })
}

fn add_schemas(host: &dyn CommandHost, p: &PublicationRow, schemas: &[Oid]) -> PgResult<()> {
    for n in schemas {
        let s = host.snapshot();
        let name = s.namespace_name(*n).unwrap_or("").to_string();
        if name.starts_with("pg_") || name == "information_schema" {
            let detail = if name.starts_with("pg_temp") {
                "Temporary schemas cannot be replicated."
            } else {
                "This operation is not supported for system schemas."
            };
            return Err(
                err!(INVALID_PARAMETER_VALUE, "cannot add schema \"{name}\" to publication").detail(detail)
            );
        }
        if s.iter::<PublicationNamespaceRow>().any(|r| r.pnpubid == p.oid && r.pnnspid == *n) {
            bail!(DUPLICATE_OBJECT, "schema \"{name}\" is already member of publication \"{}\"", p.pubname);
        }
        let row = PublicationNamespaceRow { oid: ctx::new_oid(host)?, pnpubid: p.oid, pnnspid: *n };
        host.with_catalog(&mut |c| {
            let me = ObjectAddress::of::<PublicationNamespaceRow>(row.oid);
            c.insert(row.clone());
            c.record_dependency(me, ObjectAddress::of::<PublicationRow>(p.oid), DependencyType::Auto);
            c.record_dependency(me, ObjectAddress::of::<NamespaceRow>(*n), DependencyType::Auto);
            Ok(())
        })?;
    }
    Ok(())
}

/// Column lists and whole schemas do not go together.
fn check_mix(
    host: &dyn CommandHost,
    p: &PublicationRow,
    tables: &[&PublicationTable],
    schemas: bool,
) -> PgResult<()> {
    if !schemas {
        return Ok(());
    }
    if let Some(t) = tables.iter().find(|t| !t.columns.is_empty()) {
        let rel = ctx::relation(host, &t.relation)?;
        let s = host.snapshot();
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "cannot use column list for relation \"{}.{}\" in publication \"{}\"",
            s.namespace_name(rel.namespace).unwrap_or(""),
            rel.name,
            p.pubname
        )
        .detail(
            "Column lists cannot be specified in publications containing FOR TABLES IN SCHEMA elements.",
        ));
    }
    Ok(())
}

/// Column lists and row filters of partitioned tables need publish_via_partition_root.
fn check_root(host: &dyn CommandHost, p: &PublicationRow, tables: &[&PublicationTable]) -> PgResult<()> {
    if p.pubviaroot {
        return Ok(());
    }
    for t in tables.iter().filter(|t| !t.columns.is_empty() || t.where_clause.is_some()) {
        let rel = ctx::relation(host, &t.relation)?;
        if rel.kind != b'p' {
            continue;
        }
        let (what, detail) = if t.where_clause.is_some() {
            (
                "publication WHERE clause",
                "WHERE clause cannot be used for a partitioned table when publish_via_partition_root is false.",
            )
        } else {
            (
                "column list",
                "Column lists cannot be used for partitioned tables when publish_via_partition_root is false.",
            )
        };
        let message = if t.where_clause.is_some() {
            format!("cannot use {what} for relation \"{}\"", rel.name)
        } else {
            let s = host.snapshot();
            format!(
                "cannot use {what} for relation \"{}.{}\" in publication \"{}\"",
                s.namespace_name(rel.namespace).unwrap_or(""),
                rel.name,
                p.pubname
            )
        };
        return Err(PgError::new(codes::INVALID_PARAMETER_VALUE, message).detail(detail));
    }
    Ok(())
}

pub(crate) fn create(host: &dyn CommandHost, c: &CreatePublicationStmt) -> PgResult<CommandOutcome> {
    let s = host.snapshot();
    let user = ctx::user(host);
    if acl::database_mask(&s, user, s.database(), acl::CREATE) == 0 {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for database {}", host.env().database_name());
    }
    if c.for_all_tables && !acl::is_superuser(&s, user) {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create FOR ALL TABLES publication");
    }
    if s.publication_by_name(&c.pubname).is_some() {
        bail!(DUPLICATE_OBJECT, "publication \"{}\" already exists", c.pubname);
    }
    let mut row = PublicationRow {
        oid: Oid::INVALID,
        pubname: c.pubname.as_str().into(),
        pubowner: user,
        puballtables: c.for_all_tables,
        pubinsert: true,
        pubupdate: true,
        pubdelete: true,
        pubtruncate: true,
        pubviaroot: false,
        pubgencols: b'n',
    };
    options(&mut row, &c.options)?;
    row.oid = ctx::new_oid(host)?;
    host.with_catalog(&mut |t| {
        t.insert(row.clone());
        t.record_owner(ObjectAddress::of::<PublicationRow>(row.oid), row.pubowner);
        Ok(())
    })?;
    let o = gather(host, &c.pubobjects)?;
    if !o.schemas.is_empty() && !acl::is_superuser(&s, user) {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to create FOR TABLES IN SCHEMA publication");
    }
    check_mix(host, &row, &o.tables, !o.schemas.is_empty())?;
    check_root(host, &row, &o.tables)?;
    add_tables(host, &row, &o.tables)?;
    add_schemas(host, &row, &o.schemas)?;
    if host.env().as_fn_host().setting("wal_level").as_deref() != Some("logical") {
        let w = PgError::new(
            codes::OBJECT_NOT_IN_PREREQUISITE_STATE,
            "\"wal_level\" is insufficient to publish logical changes",
        )
        .hint("Set \"wal_level\" to \"logical\" before creating subscriptions.");
        ctx::notice(host, w.severity(Severity::Warning));
    }
    Ok(CommandOutcome::tag("CREATE PUBLICATION"))
}

pub(crate) fn alter(host: &dyn CommandHost, a: &AlterPublicationStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("ALTER PUBLICATION");
    let s = host.snapshot();
    let Some(mut row) = s.publication_by_name(&a.pubname).cloned() else {
        bail!(UNDEFINED_OBJECT, "publication \"{}\" does not exist", a.pubname);
    };
    let me = ObjectAddress::of::<PublicationRow>(row.oid);
    objects::check_owner(host, &me, &ObjectType::Publication)?;
    if !a.options.is_empty() {
        options(&mut row, &a.options)?;
        host.with_catalog(&mut |c| {
            c.update(row.clone());
            Ok(())
        })?;
        return Ok(tag);
    }
    let o = gather(host, &a.pubobjects)?;
    if row.puballtables {
        let all = |what: &str| {
            err!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "publication \"{}\" is defined as FOR ALL TABLES",
                row.pubname
            )
            .detail(what.to_string())
        };
        if !o.schemas.is_empty() {
            return Err(all("Schemas cannot be added to or dropped from FOR ALL TABLES publications."));
        }
        if !o.tables.is_empty() {
            return Err(all("Tables cannot be added to or dropped from FOR ALL TABLES publications."));
        }
    }
    if !o.schemas.is_empty()
        && matches!(a.action, AlterPublicationAction::AddObjects | AlterPublicationAction::SetObjects)
        && !acl::is_superuser(&s, ctx::user(host))
    {
        bail!(INSUFFICIENT_PRIVILEGE, "must be superuser to add or set schemas");
    }
    let members: Vec<(Oid, Oid)> =
        s.iter::<PublicationRelRow>().filter(|r| r.prpubid == row.oid).map(|r| (r.prrelid, r.oid)).collect();
    let spaces: Vec<(Oid, Oid)> = s
        .iter::<PublicationNamespaceRow>()
        .filter(|r| r.pnpubid == row.oid)
        .map(|r| (r.pnnspid, r.oid))
        .collect();
    match a.action {
        AlterPublicationAction::AddObjects => {
            check_mix(host, &row, &o.tables, !o.schemas.is_empty() || !spaces.is_empty())?;
            if !o.schemas.is_empty() {
                let listed =
                    s.iter::<PublicationRelRow>().find(|r| r.prpubid == row.oid && r.prattrs.is_some());
                if listed.is_some() {
                    return Err(err!(
                        INVALID_PARAMETER_VALUE,
                        "cannot add schema to publication \"{}\"",
                        row.pubname
                    )
                    .detail("Schemas cannot be added if any tables that specify a column list are already part of the publication."));
                }
            }
            check_root(host, &row, &o.tables)?;
            add_tables(host, &row, &o.tables)?;
            add_schemas(host, &row, &o.schemas)?;
        }
        AlterPublicationAction::DropObjects => {
            let mut gone = Vec::new();
            for t in &o.tables {
                if !t.columns.is_empty() {
                    bail!(SYNTAX_ERROR, "column list must not be specified in ALTER PUBLICATION ... DROP");
                }
                if t.where_clause.is_some() {
                    bail!(SYNTAX_ERROR, "cannot use a WHERE clause when removing a table from a publication");
                }
                let rel = ctx::relation(host, &t.relation)?;
                match members.iter().find(|m| m.0 == rel.oid) {
                    Some(m) => gone.push(ObjectAddress::of::<PublicationRelRow>(m.1)),
                    None => {
                        bail!(UNDEFINED_OBJECT, "relation \"{}\" is not part of the publication", rel.name)
                    }
                }
            }
            for n in &o.schemas {
                match spaces.iter().find(|m| m.0 == *n) {
                    Some(m) => gone.push(ObjectAddress::of::<PublicationNamespaceRow>(m.1)),
                    None => bail!(
                        UNDEFINED_OBJECT,
                        "tables from schema \"{}\" are not part of the publication",
                        s.namespace_name(*n).unwrap_or("")
                    ),
                }
            }
            crate::drop::remove(host, &gone, true)?;
        }
        AlterPublicationAction::SetObjects => {
            check_mix(host, &row, &o.tables, !o.schemas.is_empty())?;
            check_root(host, &row, &o.tables)?;
            let mut gone: Vec<ObjectAddress> =
                members.iter().map(|m| ObjectAddress::of::<PublicationRelRow>(m.1)).collect();
            gone.extend(spaces.iter().map(|m| ObjectAddress::of::<PublicationNamespaceRow>(m.1)));
            crate::drop::remove(host, &gone, true)?;
            add_tables(host, &row, &o.tables)?;
            add_schemas(host, &row, &o.schemas)?;
        }
    }
    Ok(tag)
}
