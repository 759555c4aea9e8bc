//! Which data file a row goes to: large catalogs are split by family, so that a reader finds a row by its subject.

use super::tables::{Table, Tables};

/// The file's name without extension.
pub fn of(table: &Table, row: &[String], tables: &Tables) -> String {
    let base = table.name.trim_start_matches("pg_");
    match table.name.as_str() {
        "pg_proc" => format!("proc_{}", proc_family(table, row)),
        "pg_operator" => format!("operator_{}", type_family(table.value(row, "oprright"))),
        "pg_attribute" => format!("attribute_{}", relation_family(table.value(row, "attrelid"), tables)),
        "pg_class" => format!("class_{}", relation_family(&row[0], tables)),
        "pg_type" => {
            let kind = table.value(row, "typtype");
            format!(
                "type_{}",
                if kind == "c" || table.value(row, "typname").starts_with('_') { "derived" } else { "base" }
            )
        }
        _ => base.to_string(),
    }
}

fn relation_family(oid: &str, tables: &Tables) -> &'static str {
    let class = tables.get("pg_class");
    let Some(row) = class.rows.iter().find(|r| r[0] == oid) else { return "catalog" };
    match (class.value(row, "relnamespace"), class.value(row, "relkind")) {
        ("99", _) => "toast",
        ("11", "r") => "catalog",
        ("11", "i") => "index",
        ("11", _) => "view",
        _ => "information_schema",
    }
}

fn proc_family(table: &Table, row: &[String]) -> &'static str {
    let name = table.value(row, "proname");
    let args = table.value(row, "proargtypes");
    if table.value(row, "prokind") == "a" {
        return "aggregate";
    }
    if table.value(row, "prokind") == "w" {
        return "window";
    }
    if name.starts_with("pg_stat") {
        return "stat";
    }
    if args.split(' ').any(|a| a == "2281") {
        return "internal";
    }
    if name.starts_with("pg_") || name.starts_with("has_") || name.starts_with("binary_upgrade") {
        return "admin";
    }
    let first = args.split(' ').next().unwrap_or("");
    let decisive = if matches!(first, "" | "2275" | "2276") { table.value(row, "prorettype") } else { first };
    type_family(decisive)
}

/// The family of a type OID.
fn type_family(oid: &str) -> &'static str {
    match oid.parse::<u32>().unwrap_or(0) {
        16 => "bool",
        20 | 21 | 23 | 700 | 701 | 790 | 1700 => "numeric",
        26 | 24 | 28 | 29 | 2202..=2206 | 4089 | 4096 | 4191 | 5069 | 3220 | 3734 | 3769 | 27 => "oid",
        17 | 18 | 19 | 25 | 705 | 1042 | 1043 | 1560 | 1562 => "text",
        1082 | 1083 | 1114 | 1184 | 1186 | 1266 => "datetime",
        600..=604 | 628 | 718 => "geometry",
        650 | 774 | 829 | 869 => "network",
        114 | 3802 | 4072 | 142 => "json",
        3614 | 3615 | 3642 => "tsearch",
        3831 | 3904..=3927 | 4451 | 4532..=4538 => "range",
        2277 | 2283 | 2776 | 5077..=5080 | 2249 | 3500 => "polymorphic",
        _ => "misc",
    }
}
