//! OIDs to names and back, so that the data files read `int4 int4 -> int4` and not `23 23 -> 23`.

use std::collections::HashMap;

use super::tables::{Table, Tables};
use crate::Result;

/// Catalogs whose objects are referred to by name. Order: a name may be built from names of earlier catalogs.
pub const NAMED: &[&str] = &[
    "pg_namespace",
    "pg_authid",
    "pg_language",
    "pg_am",
    "pg_tablespace",
    "pg_database",
    "pg_type",
    "pg_collation",
    "pg_class",
    "pg_proc",
    "pg_operator",
    "pg_opfamily",
    "pg_opclass",
    "pg_ts_parser",
    "pg_ts_template",
    "pg_ts_dict",
    "pg_ts_config",
];

#[derive(Default)]
pub struct Names {
    to_name: HashMap<&'static str, HashMap<String, String>>,
    to_oid: HashMap<&'static str, HashMap<String, String>>,
}

impl Names {
    /// From rows whose references are OIDs (as the server gives them).
    pub fn new(tables: &Tables) -> Names {
        let mut names = Names::default();
        for &catalog in NAMED {
            let table = tables.get(catalog);
            let list: Vec<(String, String)> = table
                .rows
                .iter()
                .map(|r| (r[0].clone(), names.object_name(table, r, |n, cat, oid| n.name(cat, oid))))
                .collect();
            names.add(catalog, list);
        }
        names
    }

    /// From rows whose references are names (as the data files give them).
    pub fn of_encoded(tables: &Tables) -> Result<Names> {
        let mut names = Names::default();
        for &catalog in NAMED {
            let table = tables.get(catalog);
            let list = table
                .rows
                .iter()
                .map(|r| (r[0].clone(), names.object_name(table, r, |_, _, name| name.to_string())))
                .collect();
            names.add(catalog, list);
        }
        Ok(names)
    }

    fn add(&mut self, catalog: &'static str, list: Vec<(String, String)>) {
        let mut count: HashMap<String, usize> = HashMap::new();
        for (_, n) in &list {
            *count.entry(n.split('(').next().unwrap_or(n).to_string()).or_default() += 1;
        }
        let to_name = self.to_name.entry(catalog).or_default();
        let to_oid = self.to_oid.entry(catalog).or_default();
        for (oid, name) in list {
            // Why: a function whose name is unique needs no argument list.
            let base = name.split('(').next().unwrap_or(&name);
            let name = if catalog == "pg_proc" && count[base] == 1 { base.to_string() } else { name };
            to_oid.insert(name.clone(), oid.clone());
            to_name.insert(oid, name);
        }
    }

    fn object_name(&self, t: &Table, row: &[String], r: impl Fn(&Names, &str, &str) -> String) -> String {
        let v = |c: &str| t.value(row, c);
        let qualified = |ns_column: &str, name: &str| {
            let ns = r(self, "pg_namespace", v(ns_column));
            if ns == "pg_catalog" { name.to_string() } else { format!("{ns}.{name}") }
        };
        match t.name.as_str() {
            "pg_type" => qualified("typnamespace", v("typname")),
            "pg_class" => qualified("relnamespace", v("relname")),
            "pg_collation" => v("collname").to_string(),
            "pg_proc" => {
                let args: Vec<String> = v("proargtypes")
                    .split(' ')
                    .filter(|a| !a.is_empty())
                    .map(|a| r(self, "pg_type", a))
                    .collect();
                format!("{}({})", qualified("pronamespace", v("proname")), args.join(","))
            }
            "pg_operator" => {
                let (l, rt) = (r(self, "pg_type", v("oprleft")), r(self, "pg_type", v("oprright")));
                format!("{}({l},{rt})", v("oprname"))
            }
            "pg_opfamily" => format!("{}/{}", r(self, "pg_am", v("opfmethod")), v("opfname")),
            "pg_opclass" => format!("{}/{}", r(self, "pg_am", v("opcmethod")), v("opcname")),
            _ => row[1].clone(),
        }
    }

    fn name(&self, catalog: &str, oid: &str) -> String {
        if oid == "0" || oid == "-" {
            return "-".into();
        }
        self.to_name.get(catalog).and_then(|m| m.get(oid)).cloned().unwrap_or_else(|| oid.to_string())
    }

    pub fn oid(&self, catalog: &str, name: &str) -> Result<String> {
        if name == "-" {
            return Ok("0".into());
        }
        if name.bytes().all(|b| b.is_ascii_digit()) {
            return Ok(name.to_string());
        }
        let found = self.to_oid.get(catalog).and_then(|m| m.get(name)).cloned();
        found.ok_or_else(|| format!("no {catalog} is named {name}"))
    }

    fn map(
        &self,
        table: &Table,
        i: usize,
        value: &str,
        f: impl Fn(&str, &str) -> Result<String>,
    ) -> Result<String> {
        let column = &table.columns[i];
        let catalog = column.reference.as_str();
        if catalog == "-" || value == "\\N" {
            return Ok(value.to_string());
        }
        match column.typ.as_str() {
            "oidvector" => {
                let list: Result<Vec<String>> =
                    value.split(' ').filter(|v| !v.is_empty()).map(|v| f(catalog, v)).collect();
                Ok(list?.join(" "))
            }
            "_oid" => {
                let inner = value.trim_matches(['{', '}']);
                let list: Result<Vec<String>> =
                    inner.split(',').filter(|v| !v.is_empty()).map(|v| f(catalog, v)).collect();
                Ok(format!("{{{}}}", list?.join(",")))
            }
            _ => f(catalog, value),
        }
    }

    /// References as names. `regproc` columns come from the server as a name or OID already.
    pub fn encode_row(&self, table: &Table, row: &[String]) -> Result<Vec<String>> {
        (0..row.len()).map(|i| self.map(table, i, &row[i], |c, v| Ok(self.name(c, v)))).collect()
    }

    /// References as OIDs, in place.
    pub fn decode_row(&self, table: &Table, row: &mut [String]) -> Result<()> {
        for (i, value) in row.iter_mut().enumerate() {
            *value = self
                .map(table, i, value, |c, v| self.oid(c, v))
                .map_err(|e| format!("{}: {e}", table.name))?;
        }
        Ok(())
    }
}
