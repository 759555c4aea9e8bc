//! The typed row structs, their keys and indexes, and the sets of tables.

use super::{HEADER, row_type};
use crate::catalog::tables::{Column, Table, Tables};

/// The Rust type of a catalog column.
pub fn rust_type(c: &Column) -> String {
    let base = match c.typ.as_str() {
        "bool" => "bool",
        "char" => "u8",
        "name" | "text" | "pg_node_tree" | "pg_ndistinct" | "pg_dependencies" | "pg_mcv_list" => "Str",
        "int8" => "i64",
        "int4" => "i32",
        "int2" => "i16",
        "oid" | "regproc" => "Oid",
        "xid" => "Xid",
        "float4" => "f32",
        "timestamptz" => "Timestamp",
        "pg_lsn" => "Lsn",
        "bytea" => "Bytes",
        "oidvector" => "Vector<Oid>",
        "int2vector" => "Vector<i16>",
        "_oid" => "List<Oid>",
        "_int2" => "List<i16>",
        "_text" => "List<Str>",
        "_char" => "List<u8>",
        "_float4" => "List<f32>",
        "_aclitem" => "List<AclItem>",
        _ => "AnyArray",
    };
    if c.notnull == "t" { base.to_string() } else { format!("Option<{base}>") }
}

/// Indexes that PostgreSQL does without, because it has other ways to the rows.
const EXTRA: &[(&str, &str, &[&str])] = &[
    ("pg_constraint", "confrelid", &["confrelid"]),
    ("pg_constraint", "conindid", &["conindid"]),
    ("pg_opclass", "am_intype", &["opcmethod", "opcintype"]),
    ("pg_trigger", "constrrelid", &["tgconstrrelid"]),
    ("pg_cast", "target", &["casttarget"]),
];

fn indexes(t: &Table) -> Vec<(String, String, bool, Vec<String>)> {
    let mut list: Vec<(String, String, bool, Vec<String>)> = Vec::new();
    for i in t.indexes.iter().filter(|i| !i.primary) {
        let short =
            i.name.trim_end_matches("_index").trim_start_matches(t.name.as_str()).trim_start_matches('_');
        list.push((short.to_ascii_uppercase(), i.name.clone(), i.unique, i.columns.clone()));
    }
    for (_, name, columns) in EXTRA.iter().filter(|e| e.0 == t.name) {
        let columns = columns.iter().map(|c| c.to_string()).collect();
        list.push((name.to_ascii_uppercase(), format!("{}_{name}", t.name), false, columns));
    }
    list
}

pub fn emit(tables: &Tables) -> String {
    let mut out = String::from(HEADER);
    out.push_str(
        "use std::sync::Arc;\n\nuse pglite_error::PgResult;\nuse pglite_types::{Datum, Oid, Row};\n\n\
         use crate::builtin::Builtin;\nuse crate::field::{Field, Reader, RoleNames};\nuse crate::key::Key;\n\
         use crate::row::{CatalogRow, IndexSpec, catalog_row, catalog_tables};\nuse crate::snapshot::Snapshot;\n\
         use crate::table::{AnyTable, Table};\nuse crate::value::*;\n\n",
    );
    for t in &tables.list {
        let scope = if t.shared == "t" { "shared" } else { "local" };
        out.push_str(&format!("catalog_row! {{ {} {} {} {scope} {{\n", row_type(&t.name), t.name, t.oid));
        for c in &t.columns {
            out.push_str(&format!("    {}: {},\n", c.name, rust_type(c)));
        }
        let primary = t.indexes.iter().find(|i| i.primary);
        let key: Vec<String> = match primary {
            Some(i) => i.columns.clone(),
            None => t.columns.iter().map(|c| c.name.clone()).collect(),
        };
        out.push_str(&format!("}} key({}) indexes {{\n", key.join(" ")));
        for (n, (short, name, unique, columns)) in indexes(t).into_iter().enumerate() {
            out.push_str(&format!("    BY_{short} = {n} \"{name}\" {unique} ({});\n", columns.join(" ")));
        }
        let data = if t.rows.is_empty() {
            "&[]".to_string()
        } else {
            format!("super::data_{}::DATA", t.name.trim_start_matches("pg_"))
        };
        out.push_str(&format!("}} data {data} }}\n\n"));
    }
    for (set, shared) in [("SharedTables", "t"), ("LocalTables", "f")] {
        out.push_str(&format!("catalog_tables! {{ {set} {{\n"));
        for t in tables.list.iter().filter(|t| t.shared == shared) {
            out.push_str(&format!("    {}: {},\n", t.name, row_type(&t.name)));
        }
        out.push_str("} }\n\n");
    }
    out
}
