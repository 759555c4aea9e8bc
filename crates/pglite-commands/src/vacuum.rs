//! VACUUM and ANALYZE. Space is reclaimed by compaction on its own, so VACUUM only refreshes the counts; ANALYZE samples
//! rows into pg_statistic.

mod sample;
mod statistics;

use std::sync::Arc;

use pglite_catalog::generated::rows::StatisticRow;
use pglite_catalog::key::Key;
use pglite_catalog::rows::ClassRow;
use pglite_catalog::{RelDesc, acl};
use pglite_error::{PgError, PgResult, bail, codes, err};
use pglite_parser::ast::{DefArg, VacuumStmt};
use pglite_txn::Space;
use pglite_types::{Datum, Oid};

use crate::ctx;
use crate::explain::options::boolean;
use crate::host::{CommandHost, CommandOutcome};

/// Rows beyond a page's header.
const PAGE: f64 = 8168.0;
/// What a heap page spends on a row beside its data.
const ROW_OVERHEAD: f64 = 28.0;
/// The first OID of user objects.
const FIRST_USER_OID: u32 = 16384;

#[derive(Default)]
struct Options {
    analyze: bool,
    full: bool,
    verbose: bool,
    only_database_stats: bool,
}

pub fn vacuum(host: &dyn CommandHost, s: &VacuumStmt) -> PgResult<CommandOutcome> {
    let options = parse_options(s)?;
    if s.is_vacuumcmd && !host.is_top_level() {
        bail!(ACTIVE_SQL_TRANSACTION, "VACUUM cannot run inside a transaction block");
    }
    if !options.analyze && s.rels.iter().any(|r| !r.va_cols.is_empty()) {
        bail!(FEATURE_NOT_SUPPORTED, "ANALYZE option must be specified when a column list is provided");
    }
    let tag = if s.is_vacuumcmd { "VACUUM" } else { "ANALYZE" };
    if options.only_database_stats {
        if !s.rels.is_empty() {
            bail!(FEATURE_NOT_SUPPORTED, "ONLY_DATABASE_STATS cannot be specified with a list of tables");
        }
        return Ok(CommandOutcome::tag(tag));
    }
    for (rel, columns) in targets(host, s)? {
        relation(host, s, &options, &rel, &columns)?;
    }
    Ok(CommandOutcome::tag(tag))
}

fn parse_options(s: &VacuumStmt) -> PgResult<Options> {
    let mut o = Options { analyze: !s.is_vacuumcmd, ..Options::default() };
    let (mut parallel, mut skipping) = (0, false);
    for d in &s.options {
        match d.defname.as_str() {
            "verbose" => o.verbose = boolean(d)?,
            "skip_locked" => {
                boolean(d)?;
            }
            "buffer_usage_limit" => {}
            other if !s.is_vacuumcmd => {
                return Err(err!(SYNTAX_ERROR, "unrecognized ANALYZE option \"{other}\"").at(d.location));
            }
            "analyze" => o.analyze = boolean(d)?,
            "full" => o.full = boolean(d)?,
            "disable_page_skipping" => skipping = boolean(d)?,
            "only_database_stats" => o.only_database_stats = boolean(d)?,
            "freeze" | "process_main" | "process_toast" | "truncate" | "skip_database_stats" => {
                boolean(d)?;
            }
            "index_cleanup" => {
                let auto = matches!(&d.arg, Some(DefArg::String(w)) if w.eq_ignore_ascii_case("auto"));
                if !auto {
                    boolean(d)?;
                }
            }
            "parallel" => match &d.arg {
                Some(DefArg::Integer(n)) if (0..=1024).contains(n) => parallel = *n,
                None => {
                    return Err(err!(
                        SYNTAX_ERROR,
                        "parallel option requires a value between 0 and {}",
                        1024
                    )
                    .at(d.location));
                }
                _ => {
                    return Err(err!(
                        SYNTAX_ERROR,
                        "parallel workers for vacuum must be between 0 and {}",
                        1024
                    )
                    .at(d.location));
                }
            },
            other => return Err(err!(SYNTAX_ERROR, "unrecognized VACUUM option \"{other}\"").at(d.location)),
        }
    }
    if o.full && parallel > 0 {
        bail!(FEATURE_NOT_SUPPORTED, "VACUUM FULL cannot be performed in parallel");
    }
    if o.full && skipping {
        bail!(FEATURE_NOT_SUPPORTED, "VACUUM option DISABLE_PAGE_SKIPPING cannot be used with FULL");
    }
    Ok(o)
}

type Target = (Arc<RelDesc>, Vec<String>);

/// The named relations with their partitions and children, or every table of the database.
fn targets(host: &dyn CommandHost, s: &VacuumStmt) -> PgResult<Vec<Target>> {
    let mut out: Vec<Target> = Vec::new();
    for t in &s.rels {
        let rel = ctx::relation(host, &t.relation)?;
        let partitioned = rel.kind == b'p';
        out.push((rel.clone(), t.va_cols.clone()));
        if t.relation.inh || partitioned {
            children(host, &rel, &t.va_cols, &mut out);
        }
    }
    if s.rels.is_empty() {
        let env = host.env();
        let sql = "SELECT oid FROM pg_catalog.pg_class WHERE relkind IN ('r', 'm') AND relpersistence <> 't' ORDER BY oid";
        for row in env.as_fn_host().run_query(sql, &[])? {
            if let Some(rel) = row.first().and_then(Datum::as_oid).filter(|o| o.0 >= FIRST_USER_OID)
                && let Some(rel) = host.snapshot().rel(rel)
                && permitted(host, &rel)
            {
                out.push((rel, Vec::new()));
            }
        }
    }
    Ok(out)
}

fn children(host: &dyn CommandHost, rel: &RelDesc, columns: &[String], out: &mut Vec<Target>) {
    for child in &rel.children {
        if let Some(c) = host.snapshot().rel(*child)
            && !out.iter().any(|o| o.0.oid == c.oid)
        {
            out.push((c.clone(), columns.to_vec()));
            children(host, &c, columns, out);
        }
    }
}

fn permitted(host: &dyn CommandHost, rel: &RelDesc) -> bool {
    let s = host.snapshot();
    let user = ctx::user(host);
    acl::has_privs_of_role(&s, user, rel.owner) || acl::relation_mask(&s, user, rel.oid, acl::MAINTAIN) != 0
}

fn relation(
    host: &dyn CommandHost,
    s: &VacuumStmt,
    o: &Options,
    rel: &Arc<RelDesc>,
    columns: &[String],
) -> PgResult<()> {
    let verb = if s.is_vacuumcmd { "vacuum" } else { "analyze" };
    if !permitted(host, rel) {
        let text = format!("permission denied to {verb} \"{}\", skipping", rel.name);
        ctx::notice(host, PgError::warning(codes::WARNING, text));
        return Ok(());
    }
    if !matches!(rel.kind, b'r' | b'm' | b'p') {
        let text = format!("skipping \"{}\" --- cannot {verb} non-tables or special system tables", rel.name);
        ctx::notice(host, PgError::warning(codes::WARNING, text));
        return Ok(());
    }
    let chosen = chosen(rel, columns)?;
    if rel.is_catalog || rel.kind == b'p' || !rel.populated {
        return Ok(());
    }
    if o.verbose {
        let verb = if s.is_vacuumcmd { "vacuuming" } else { "analyzing" };
        inform(host, format!("{verb} \"{}\"", full_name(host, rel, s.is_vacuumcmd)));
    }
    let sampled = sample::take(host, rel, if o.analyze { &chosen } else { &[] })?;
    let mut width = None;
    if o.analyze {
        let mut rows = Vec::new();
        {
            let env = host.env();
            for (i, attno) in chosen.iter().enumerate() {
                rows.push(statistics::column(env.as_fn_host(), rel, *attno, &sampled, i)?);
            }
        }
        if chosen.len() == rel.columns.iter().filter(|c| !c.dropped).count() {
            width = Some(rows.iter().map(|r| (r.staattnum, r.stawidth)).collect::<Vec<_>>());
        }
        host.with_catalog(&mut |c| {
            for row in &rows {
                let key = Key::new().oid(row.starelid).with(&row.staattnum).with(&row.stainherit);
                c.delete::<StatisticRow>(key);
                c.insert(row.clone());
            }
            Ok(())
        })?;
    }
    let pages = counts(host, rel, sampled.total, width.as_deref())?;
    if o.verbose {
        let (n, total) = (sampled.rows.len(), sampled.total);
        let name = full_name(host, rel, s.is_vacuumcmd);
        if s.is_vacuumcmd {
            inform(host, format!("finished vacuuming \"{name}\": {pages} pages, {total} live rows"));
        }
        if o.analyze {
            let text = format!(
                "\"{}\": scanned {pages} of {pages} pages, containing {total} live rows and 0 dead rows; {n} rows in \
                 sample, {total} estimated total rows",
                rel.name
            );
            inform(host, text);
        }
    }
    if s.is_vacuumcmd {
        // PG: VACUUM FULL writes the table anew and does not count as a vacuum.
        host.cluster("report_vacuum", &[Datum::Oid(rel.oid), Datum::Bool(!o.full)])?;
    }
    if o.analyze {
        host.cluster("report_analyze", &[Datum::Oid(rel.oid)])?;
    }
    Ok(())
}

fn inform(host: &dyn CommandHost, text: String) {
    let info = err!(SUCCESSFUL_COMPLETION, "{text}").severity(pglite_error::Severity::Info);
    ctx::notice(host, info);
}

/// `schema.table`, with the database before it for VACUUM.
fn full_name(host: &dyn CommandHost, rel: &RelDesc, with_database: bool) -> String {
    let s = host.snapshot();
    let schema = s.namespace_name(rel.namespace).unwrap_or("");
    let database = if with_database { s.database_by_oid(s.database()) } else { None };
    let prefix = database.map_or_else(String::new, |d| format!("{}.", d.datname));
    format!("{prefix}{schema}.{}", rel.name)
}

/// The columns to look at, by attno.
fn chosen(rel: &RelDesc, columns: &[String]) -> PgResult<Vec<i16>> {
    let live = |i: usize| !rel.columns[i].dropped && rel.columns[i].generated != b'v';
    if columns.is_empty() {
        return Ok((0..rel.columns.len()).filter(|i| live(*i)).map(|i| i as i16 + 1).collect());
    }
    let mut out = Vec::new();
    for name in columns {
        let Some(i) = rel.columns.iter().position(|c| !c.dropped && *c.name == **name) else {
            bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", rel.name);
        };
        if out.contains(&(i as i16 + 1)) {
            bail!(DUPLICATE_COLUMN, "column \"{name}\" of relation \"{}\" appears more than once", rel.name);
        }
        out.push(i as i16 + 1);
    }
    Ok(out)
}

/// Pages that so many rows of a width take, as a heap lays them out.
fn heap_pages(rows: u64, width: i32) -> i32 {
    let per_page = (PAGE / f64::from((24 + width + 7) / 8 * 8 + 4)).floor().max(1.0);
    (rows as f64 / per_page).ceil() as i32
}

/// Pages of a btree with so many entries of a width: leaves filled to nine tenths, a meta page, inner pages.
fn btree_pages(rows: u64, width: i32) -> i32 {
    let per_page = (PAGE * 0.9 / f64::from((8 + width + 7) / 8 * 8 + 4)).floor().max(2.0);
    let mut level = (rows as f64 / per_page).ceil().max(1.0);
    let mut pages = level + 1.0;
    while level > 1.0 {
        level = (level / per_page).ceil();
        pages += level;
    }
    pages as i32
}

/// Writes the row count and page estimate of the table and its indexes; `widths`: of all columns, from ANALYZE.
fn counts(host: &dyn CommandHost, rel: &RelDesc, total: u64, widths: Option<&[(i16, i32)]>) -> PgResult<i32> {
    let database = host.snapshot().database();
    let manager = host.txn().manager();
    let space = Space::new(database.0, rel.filenode.0);
    manager.set_live_rows(space, total)?;
    let least = ((total as f64) * ROW_OVERHEAD / PAGE).ceil() as i32;
    let stored: Option<Vec<(i16, i32)>> = {
        let s = host.snapshot();
        let live = (1i16..).zip(rel.columns.iter()).filter(|(_, c)| !c.dropped);
        live.map(|(a, _)| s.statistic(rel.oid, a, false).map(|r| (a, r.stawidth))).collect()
    };
    let widths = widths.or(stored.as_deref());
    let table_pages = match widths {
        Some(w) => heap_pages(total, w.iter().map(|(_, width)| width).sum()),
        None => ((manager.relation_size(space)? / 8192) as i32).max(least),
    };
    let mut updates: Vec<(Oid, i32)> = vec![(rel.oid, table_pages)];
    for i in &rel.indexes {
        let column =
            |a: i16| widths.and_then(|w| w.iter().find(|(n, _)| *n == a)).map_or(8, |(_, width)| *width);
        let width: i32 = i.keys.iter().map(|k| column(k.attnum)).sum();
        updates.push((i.oid, btree_pages(total, width)));
    }
    host.with_catalog(&mut |c| {
        for (oid, pages) in &updates {
            c.modify::<ClassRow>(*oid, |r| {
                r.reltuples = total as f32;
                r.relpages = *pages;
            });
        }
        Ok(())
    })?;
    Ok(table_pages)
}
