//! `cargo xtask catalog`: the data files of `pglite-catalog`, taken from a running PostgreSQL 18.
//!
//! `import` asks the server for the rows of every system catalog (`COPY`), replaces OIDs by names where a name says
//! more, and writes `crates/pglite-catalog/data/*.dat`. Only facts are taken: no descriptions, no view definitions.

pub mod dat;
pub mod families;
pub mod names;
pub mod tables;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use dat::DatFile;
use tables::{Table, Tables};

/// `crates/pglite-catalog`.
pub fn crate_dir() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/pglite-catalog")
}

pub fn run(args: &[String]) -> Result<()> {
    match args.first().map(String::as_str) {
        Some("import") => import(&Options::parse(&args[1..])?),
        Some("stats") => stats(),
        _ => Err("expected `import` or `stats`".into()),
    }
}

#[derive(Default)]
struct Options {
    /// Write nothing; fail when the data files differ from the server.
    check: bool,
    psql: String,
    host: String,
    port: String,
    user: String,
    db: String,
}

impl Options {
    fn parse(args: &[String]) -> Result<Options> {
        let mut o = Options {
            psql: "psql".into(),
            host: "127.0.0.1".into(),
            port: "5540".into(),
            user: "postgres".into(),
            db: "template1".into(),
            check: false,
        };
        let mut it = args.iter();
        while let Some(arg) = it.next() {
            let slot = match arg.as_str() {
                "--psql" => &mut o.psql,
                "--host" => &mut o.host,
                "--port" => &mut o.port,
                "--user" => &mut o.user,
                "--db" => &mut o.db,
                "--check" => {
                    o.check = true;
                    continue;
                }
                other => return Err(format!("unknown option {other}")),
            };
            *slot = it.next().ok_or_else(|| format!("{arg} needs a value"))?.clone();
        }
        Ok(o)
    }

    /// The output of one SQL command, as `COPY` text lines split at tabs.
    fn query(&self, sql: &str) -> Result<Vec<Vec<String>>> {
        let out = Command::new(&self.psql)
            .args(["-X", "-q", "-h", &self.host, "-p", &self.port, "-U", &self.user, "-d", &self.db])
            .args(["-v", "ON_ERROR_STOP=1", "-c", &format!("COPY ({sql}) TO STDOUT")])
            .output()
            .map_err(|e| format!("{}: {e}", self.psql))?;
        if !out.status.success() {
            return Err(format!("{sql}\n{}", String::from_utf8_lossy(&out.stderr)));
        }
        let text = String::from_utf8(out.stdout).map_err(|e| e.to_string())?;
        Ok(text.lines().map(|l| l.split('\t').map(str::to_string).collect()).collect())
    }
}

/// Catalogs whose rows are not imported: texts, or contents that depend on the server's life.
const NO_ROWS: &[&str] = &[
    "pg_shdepend",
    "pg_db_role_setting",
    "pg_statistic",
    "pg_description",
    "pg_shdescription",
    "pg_largeobject",
];

/// Columns whose value depends on the server's life: what we put instead.
fn select_item(catalog: &str, column: &str, typ: &str) -> String {
    match (catalog, column) {
        _ if typ == "regproc" => format!("\"{column}\"::oid"),
        ("pg_class", "relpages" | "relallvisible" | "relallfrozen") => "0".into(),
        ("pg_class", "reltuples") => "CASE WHEN relkind IN ('r','t','i') THEN -1 ELSE 0 END".into(),
        ("pg_class", "relfrozenxid") => "CASE WHEN relkind IN ('r','t') THEN 3 ELSE 0 END".into(),
        ("pg_database", "datfrozenxid") => "3".into(),
        ("pg_authid", "rolpassword") => "NULL".into(),
        ("pg_proc", "proargdefaults") => "pg_get_expr(proargdefaults, 0)".into(),
        ("pg_type", "typdefaultbin") => "pg_get_expr(typdefaultbin, 0)".into(),
        ("pg_constraint", "conbin") => "pg_get_expr(conbin, conrelid)".into(),
        // Why: definitions are prose; ours are in data/views and in the bodies of pglite-functions.
        ("pg_proc", "prosqlbody") => "NULL".into(),
        ("pg_rewrite", "ev_action" | "ev_qual") => "''".into(),
        _ => format!("\"{column}\""),
    }
}

fn import(o: &Options) -> Result<()> {
    let columns = o.query(
        "SELECT c.relname, c.oid, c.relisshared, a.attname, t.typname, a.attnotnull FROM pg_class c \
         JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type t ON t.oid = a.atttypid \
         WHERE c.relkind = 'r' AND c.relnamespace = 11 AND a.attnum > 0 AND c.oid < 16384 ORDER BY c.oid, a.attnum",
    )?;
    let mut tables = Tables::from_columns(&columns);
    let fks = o.query("SELECT fktable, fkcols, pktable FROM pg_get_catalog_foreign_keys()")?;
    tables.set_references(&fks);
    for table in tables.list.iter_mut().filter(|t| !NO_ROWS.contains(&t.name.as_str())) {
        let items: Vec<String> =
            table.columns.iter().map(|c| select_item(&table.name, &c.name, &c.typ)).collect();
        let filter = if table.columns[0].name == "oid" { " WHERE oid < 16384" } else { "" };
        let order =
            if matches!(table.name.as_str(), "pg_class" | "pg_database") { " ORDER BY oid" } else { "" };
        table.rows = o.query(&format!("SELECT {} FROM {}{filter}{order}", items.join(", "), table.name))?;
    }
    let names = names::Names::new(&tables);
    let dir = crate_dir().join("data");
    std::fs::create_dir_all(&dir).map_err(|e| e.to_string())?;
    let mut files: BTreeMap<String, DatFile> = BTreeMap::new();
    for table in tables.list.iter().filter(|t| !t.rows.is_empty()) {
        let defaults = dat::common_values(table, &names)?;
        for row in &table.rows {
            let family = families::of(table, row, &tables);
            let file = files.entry(family.clone()).or_insert_with(|| DatFile::new(table, &defaults));
            file.push(&names.encode_row(table, row)?);
        }
    }
    import_extras(o, &mut files)?;
    files.insert("catalogs".into(), schema_file(&tables, o)?);
    let mut differing = Vec::new();
    for (name, file) in &files {
        let path = dir.join(format!("{name}.dat"));
        if o.check {
            if std::fs::read_to_string(&path).ok().as_deref() != Some(&file.render()) {
                differing.push(name.as_str());
            }
            continue;
        }
        std::fs::write(&path, file.render()).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    if !differing.is_empty() {
        return Err(format!("the server has other rows than: {}", differing.join(", ")));
    }
    println!("{} files, {} rows", files.len(), files.values().map(|f| f.rows.len()).sum::<usize>());
    Ok(())
}

/// The catalogs' own shapes: one row a column, and one row an index.
fn schema_file(tables: &Tables, o: &Options) -> Result<DatFile> {
    let mut file = DatFile::plain(
        "schema of the catalogs",
        &["catalog", "oid", "shared", "column", "type", "notnull", "reference"],
    );
    for t in &tables.list {
        for c in &t.columns {
            let row = [&t.name, &t.oid, &t.shared, &c.name, &c.typ, &c.notnull, &c.reference];
            file.rows.push(row.map(String::clone).to_vec());
        }
    }
    let indexes = o.query(
        "SELECT c.relname, 'index', i.relname, x.indisunique, x.indisprimary, \
         (SELECT string_agg(attname, ' ' ORDER BY k.n) FROM unnest(x.indkey) WITH ORDINALITY k(a, n) \
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.a), '-' \
         FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid \
         WHERE c.relnamespace = 11 AND c.relkind = 'r' AND c.oid < 16384 ORDER BY c.oid, i.oid",
    )?;
    file.rows.extend(indexes);
    Ok(file)
}

/// Tables of facts that are no catalogs: settings, encodings, time zone abbreviations, reserved words.
fn import_extras(o: &Options, files: &mut BTreeMap<String, DatFile>) -> Result<()> {
    let extras: &[(&str, &[&str], &str)] = &[
        (
            "settings",
            &["name", "unit", "category", "context", "vartype", "min", "max", "enumvals", "boot", "flags"],
            "SELECT name, unit, category, context, vartype, min_val, max_val, enumvals, boot_val, \
             pg_settings_get_flags(name) FROM pg_settings ORDER BY name COLLATE \"C\"",
        ),
        (
            "encodings",
            &["id", "name", "server", "maxlen"],
            "SELECT i, pg_encoding_to_char(i), i < 35, pg_encoding_max_length(i) FROM generate_series(0, 60) i \
             WHERE pg_encoding_to_char(i) <> ''",
        ),
        (
            "timezone_abbrevs",
            &["abbrev", "offset_seconds", "dst"],
            "SELECT abbrev, extract(epoch FROM utc_offset)::int, is_dst FROM pg_timezone_abbrevs ORDER BY abbrev",
        ),
        (
            "keywords",
            &["word", "category", "barelabel"],
            "SELECT word, catcode, barelabel FROM pg_get_keywords() ORDER BY word COLLATE \"C\"",
        ),
    ];
    for (name, columns, sql) in extras {
        let mut file = DatFile::plain(name, columns);
        file.rows = o.query(sql)?;
        files.insert(name.to_string(), file);
    }
    Ok(())
}

fn stats() -> Result<()> {
    let mut total = 0;
    for t in Tables::load(&crate_dir().join("data"))?.list {
        let t: Table = t;
        println!("{:<28}{:>6} columns{:>7} rows", t.name, t.columns.len(), t.rows.len());
        total += t.rows.len();
    }
    println!("{total} rows");
    Ok(())
}
