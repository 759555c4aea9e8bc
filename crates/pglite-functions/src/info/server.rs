//! What the server is made of: locks, time zones, extensions, text search tokens, build facts.

use pglite_catalog::facts;
use pglite_error::{PgResult, bail, err};
use pglite_ir::abi::{Clock, RowSource};
use pglite_ir::{Body, FnCtx};
use pglite_types::datetime::{Interval, TimeZone};
use pglite_types::{Datum, Oid};

use super::{ask, catalog, column, made};
use crate::builtins;

type Rows = PgResult<Box<dyn RowSource>>;

fn locks(cx: &FnCtx<'_>, _: &[Datum]) -> Rows {
    made(cx.host.service("locks", &[])?)
}

fn offset(seconds: i32) -> Datum {
    Datum::Interval(Interval { months: 0, days: 0, micros: i64::from(seconds) * 1_000_000 })
}

fn timezone_names(cx: &FnCtx<'_>, _: &[Datum]) -> Rows {
    let now = cx.host.clock(Clock::Transaction);
    let mut rows = Vec::new();
    for name in TimeZone::names() {
        let Some(zone) = TimeZone::lookup(name) else { continue };
        let at = zone.at_timestamp(now);
        rows.push(vec![Datum::text(name), Datum::text(at.abbrev), offset(at.offset), Datum::Bool(at.dst)]);
    }
    made(rows)
}

/// The abbreviations that the session's zone uses itself, each with its latest meaning.
fn zone_abbreviations(cx: &FnCtx<'_>, _: &[Datum]) -> Rows {
    let zone = crate::time::zone(cx);
    let now = cx.host.clock(Clock::Transaction);
    let mut rows: Vec<Vec<Datum>> = Vec::new();
    // Half-year steps back from now meet every meaning in use.
    for step in 0..4 {
        let at = zone.at_timestamp(now - step * 182 * 86_400_000_000);
        let letters = at.abbrev.bytes().all(|b| b.is_ascii_alphabetic());
        let known = rows.iter().any(|r| r[0].as_str() == Some(at.abbrev));
        if letters && !known {
            rows.push(vec![Datum::text(at.abbrev), offset(at.offset), Datum::Bool(at.dst)]);
        }
    }
    rows.sort_by(|a, b| a[0].as_str().cmp(&b[0].as_str()));
    made(rows)
}

fn abbreviations(_: &FnCtx<'_>, _: &[Datum]) -> Rows {
    let rows = facts::TIMEZONE_ABBREVS.iter().map(|(name, seconds, dst)| {
        vec![Datum::text(name.to_ascii_uppercase()), offset(*seconds), Datum::Bool(*dst)]
    });
    made(rows.collect())
}

/// Name, version and what it is.
const EXTENSIONS: [(&str, &str, &str); 1] = [("plpgsql", "1.0", "PL/pgSQL procedural language")];

fn extensions(_: &FnCtx<'_>, _: &[Datum]) -> Rows {
    let row = |(name, version, comment): &(&str, &str, &str)| {
        vec![Datum::text(*name), Datum::text(*version), Datum::text(*comment)]
    };
    made(EXTENSIONS.iter().map(row).collect())
}
fn extension_versions(_: &FnCtx<'_>, _: &[Datum]) -> Rows {
    let row = |(name, version, comment): &(&str, &str, &str)| {
        let (no, yes) = (Datum::Bool(false), Datum::Bool(true));
        let (name, version) = (Datum::text(*name), Datum::text(*version));
        vec![
            name,
            version,
            yes.clone(),
            yes,
            no,
            Datum::text("pg_catalog"),
            Datum::Null,
            Datum::text(*comment),
        ]
    };
    made(EXTENSIONS.iter().map(row).collect())
}

/// PG: the names of pg_config; what is not known of a build reads "not recorded".
const CONFIG: [&str; 22] = [
    "BINDIR",
    "DOCDIR",
    "HTMLDIR",
    "INCLUDEDIR",
    "PKGINCLUDEDIR",
    "INCLUDEDIR-SERVER",
    "LIBDIR",
    "PKGLIBDIR",
    "LOCALEDIR",
    "MANDIR",
    "SHAREDIR",
    "SYSCONFDIR",
    "PGXS",
    "CONFIGURE",
    "CC",
    "CPPFLAGS",
    "CFLAGS",
    "CFLAGS_SL",
    "LDFLAGS",
    "LDFLAGS_EX",
    "LDFLAGS_SL",
    "LIBS",
];

fn config(_: &FnCtx<'_>, _: &[Datum]) -> Rows {
    let mut rows: Vec<_> =
        CONFIG.iter().map(|name| vec![Datum::text(*name), Datum::text("not recorded")]).collect();
    rows.push(vec![Datum::text("VERSION"), Datum::text("PostgreSQL 18.6")]);
    made(rows)
}

fn numa(_: &FnCtx<'_>, _: &[Datum]) -> Rows {
    bail!(FEATURE_NOT_SUPPORTED, "libnuma initialization failed or NUMA is not supported on this platform")
}

/// The events that sessions of this server wait for.
const WAITS: [(&str, &str, &str); 9] = [
    ("Client", "ClientRead", "Waiting for the client to send something"),
    ("IO", "WalSync", "Waiting for the log to reach the disk"),
    ("Lock", "advisory", "Waiting for an advisory lock"),
    ("Lock", "object", "Waiting for a lock on an object that is no relation"),
    ("Lock", "relation", "Waiting for a lock on a relation"),
    ("Lock", "transactionid", "Waiting for a transaction to end"),
    ("Lock", "tuple", "Waiting for a lock on a row"),
    ("Lock", "virtualxid", "Waiting for a virtual transaction to end"),
    ("Timeout", "PgSleep", "Waiting because of pg_sleep"),
];

fn wait_events(_: &FnCtx<'_>, _: &[Datum]) -> Rows {
    made(WAITS.iter().map(|(t, n, d)| vec![Datum::text(*t), Datum::text(*n), Datum::text(*d)]).collect())
}

/// The default parser's token types: number, alias, description.
const TOKENS: [(i32, &str, &str); 23] = [
    (1, "asciiword", "Word, all ASCII"),
    (2, "word", "Word, all letters"),
    (3, "numword", "Word, letters and digits"),
    (4, "email", "Email address"),
    (5, "url", "URL"),
    (6, "host", "Host"),
    (7, "sfloat", "Scientific notation"),
    (8, "version", "Version number"),
    (9, "hword_numpart", "Hyphenated word part, letters and digits"),
    (10, "hword_part", "Hyphenated word part, all letters"),
    (11, "hword_asciipart", "Hyphenated word part, all ASCII"),
    (12, "blank", "Space symbols"),
    (13, "tag", "XML tag"),
    (14, "protocol", "Protocol head"),
    (15, "numhword", "Hyphenated word, letters and digits"),
    (16, "asciihword", "Hyphenated word, all ASCII"),
    (17, "hword", "Hyphenated word, all letters"),
    (18, "url_path", "URL path"),
    (19, "file", "File or path name"),
    (20, "float", "Decimal notation"),
    (21, "int", "Signed integer"),
    (22, "uint", "Unsigned integer"),
    (23, "entity", "XML entity"),
];

fn tokens() -> Rows {
    made(TOKENS.iter().map(|(n, a, d)| vec![Datum::Int4(*n), Datum::text(*a), Datum::text(*d)]).collect())
}
fn tokens_by_id(cx: &FnCtx<'_>, args: &[Datum]) -> Rows {
    let parser = args.first().and_then(Datum::as_oid).unwrap_or_default();
    if catalog(cx).get::<pglite_catalog::generated::rows::TsParserRow>(parser).is_none() {
        bail!(INTERNAL_ERROR, "cache lookup failed for text search parser {parser}");
    }
    tokens()
}
fn tokens_by_name(cx: &FnCtx<'_>, args: &[Datum]) -> Rows {
    let name = args.first().and_then(Datum::as_str).unwrap_or("");
    let plain = name.strip_prefix("pg_catalog.").unwrap_or(name);
    let known =
        catalog(cx).iter::<pglite_catalog::generated::rows::TsParserRow>().any(|p| *p.prsname == *plain);
    if !known {
        return Err(err!(UNDEFINED_OBJECT, "text search parser \"{name}\" does not exist"));
    }
    tokens()
}

fn tablespace_size(cx: &FnCtx<'_>, space: Oid) -> PgResult<i64> {
    let s = catalog(cx);
    if s.tablespace_by_oid(space).is_none() {
        bail!(UNDEFINED_OBJECT, "tablespace with OID {space} does not exist");
    }
    let mut sum = 0;
    for c in s.iter::<pglite_catalog::ClassRow>().filter(|c| c.relfilenode.is_valid()) {
        // PG: 0 is the database's own tablespace, pg_default.
        let home = if c.reltablespace.is_valid() { c.reltablespace } else { Oid(1663) };
        if home == space
            && let Datum::Int8(size) = ask(cx, "relation_size", &[Datum::Oid(c.oid)])?
        {
            sum += size;
        }
    }
    Ok(sum)
}
fn tablespace_size_name(cx: &FnCtx<'_>, name: &str) -> PgResult<i64> {
    let found =
        catalog(cx).iter::<pglite_catalog::generated::rows::TablespaceRow>().find(|t| *t.spcname == *name);
    match found {
        Some(t) => tablespace_size(cx, t.oid),
        None => bail!(UNDEFINED_OBJECT, "tablespace \"{name}\" does not exist"),
    }
}

builtins! { pub TABLE:
    "pg_tablespace_size_oid" => cx tablespace_size[Oid];
    "pg_tablespace_size_name" => cx tablespace_size_name[&str];
}

pub static SETS: &[(&str, Body)] = &[
    ("pg_lock_status", Body::Set(locks)),
    ("pg_timezone_names", Body::Set(timezone_names)),
    ("pg_timezone_abbrevs_zone", Body::Set(zone_abbreviations)),
    ("pg_timezone_abbrevs_abbrevs", Body::Set(abbreviations)),
    ("pg_available_extensions", Body::Set(extensions)),
    ("pg_available_extension_versions", Body::Set(extension_versions)),
    ("pg_config", Body::Set(config)),
    ("pg_get_shmem_allocations_numa", Body::Set(numa)),
    ("pg_get_wait_events", Body::Set(wait_events)),
    ("ts_token_type_byid", Body::Set(tokens_by_id)),
    ("ts_token_type_byname", Body::Set(tokens_by_name)),
    ("pg_tablespace_databases", Body::Set(tablespace_databases)),
];

fn tablespace_databases(cx: &FnCtx<'_>, args: &[Datum]) -> Rows {
    let space = args.first().and_then(Datum::as_oid).unwrap_or_default();
    let all = catalog(cx).iter::<pglite_catalog::generated::rows::DatabaseRow>();
    column(all.filter(|d| d.dattablespace == space).map(|d| Datum::Oid(d.oid)).collect())
}
