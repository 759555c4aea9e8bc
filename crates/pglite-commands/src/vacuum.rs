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
            "verbose" | "skip_locked" => {
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
    let sampled = sample::take(host, rel, if o.analyze { &chosen } else { &[] })?;
    if o.analyze {
        let mut rows = Vec::new();
        {
            let env = host.env();
            for (i, attno) in chosen.iter().enumerate() {
                rows.push(statistics::column(env.as_fn_host(), rel, *attno, &sampled, i)?);
            }
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
    counts(host, rel, sampled.total)?;
    if s.is_vacuumcmd {
        host.cluster("report_vacuum", &[Datum::Oid(rel.oid)])?;
    }
    if o.analyze {
        host.cluster("report_analyze", &[Datum::Oid(rel.oid)])?;
    }
    Ok(())
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

/// Writes the row count and page estimate of the table and its indexes.
fn counts(host: &dyn CommandHost, rel: &RelDesc, total: u64) -> PgResult<()> {
    let database = host.snapshot().database();
    let manager = host.txn().manager();
    let space = Space::new(database.0, rel.filenode.0);
    manager.set_live_rows(space, total)?;
    let pages = |space: Space| manager.relation_size(space).map(|b| (b / 8192) as i32);
    let least = ((total as f64) * ROW_OVERHEAD / PAGE).ceil() as i32;
    let mut updates: Vec<(Oid, i32)> = vec![(rel.oid, pages(space)?.max(least))];
    for i in &rel.indexes {
        updates.push((i.oid, pages(Space::new(database.0, i.filenode.0))?.max(1)));
    }
    host.with_catalog(&mut |c| {
        for (oid, pages) in &updates {
            c.modify::<ClassRow>(*oid, |r| {
                r.reltuples = total as f32;
                r.relpages = *pages;
            });
        }
        Ok(())
    })
}
