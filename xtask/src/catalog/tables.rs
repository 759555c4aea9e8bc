//! The catalogs in memory: columns, references and rows as text, from the server or from the data files.

use std::collections::HashMap;
use std::path::Path;

use super::{dat, names::Names};
use crate::Result;

pub struct Column {
    pub name: String,
    /// `pg_type.typname` of the column's type.
    pub typ: String,
    /// `t` or `f`.
    pub notnull: String,
    /// The catalog whose OID the column holds, or `-`.
    pub reference: String,
}

pub struct Index {
    pub name: String,
    pub unique: bool,
    pub primary: bool,
    pub columns: Vec<String>,
}

pub struct Table {
    pub name: String,
    pub oid: String,
    pub shared: String,
    pub columns: Vec<Column>,
    pub indexes: Vec<Index>,
    /// Rows in `COPY` text form, references as OIDs.
    pub rows: Vec<Vec<String>>,
}

#[derive(Default)]
pub struct Tables {
    pub list: Vec<Table>,
    by_name: HashMap<String, usize>,
}

impl Table {
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
    pub fn value<'a>(&self, row: &'a [String], column: &str) -> &'a str {
        self.column(column).map(|i| row[i].as_str()).unwrap_or("")
    }
}

impl Tables {
    /// `columns`: catalog, oid, shared, column, type, notnull.
    pub fn from_columns(columns: &[Vec<String>]) -> Tables {
        let mut tables = Tables::default();
        for c in columns {
            let at = tables.by_name.get(&c[0]).copied().unwrap_or_else(|| {
                tables.list.push(Table {
                    name: c[0].clone(),
                    oid: c[1].clone(),
                    shared: c[2].clone(),
                    columns: Vec::new(),
                    indexes: Vec::new(),
                    rows: Vec::new(),
                });
                tables.by_name.insert(c[0].clone(), tables.list.len() - 1);
                tables.list.len() - 1
            });
            let reference = c.get(6).cloned().unwrap_or_else(|| "-".into());
            tables.list[at].columns.push(Column {
                name: c[3].clone(),
                typ: c[4].clone(),
                notnull: c[5].clone(),
                reference,
            });
        }
        tables
    }

    /// `fks`: referencing table, `{columns}`, referenced table. Only single-column references name an object.
    pub fn set_references(&mut self, fks: &[Vec<String>]) {
        for fk in fks {
            let column = fk[1].trim_matches(['{', '}']);
            if column.contains(',') || !super::names::NAMED.contains(&fk[2].as_str()) {
                continue;
            }
            if let Some(&at) = self.by_name.get(&fk[0])
                && let Some(i) = self.list[at].column(column)
            {
                self.list[at].columns[i].reference = fk[2].clone();
            }
        }
    }

    pub fn get(&self, name: &str) -> &Table {
        &self.list[self.by_name[name]]
    }

    /// Reads `data/*.dat` back: the exact rows that the import saw.
    pub fn load(dir: &Path) -> Result<Tables> {
        let schema = dat::read(&dir.join("catalogs.dat"))?;
        let (indexes, columns): (Vec<_>, Vec<_>) = schema.rows.into_iter().partition(|r| r[1] == "index");
        let mut tables = Tables::from_columns(&columns);
        for i in indexes {
            let at = tables.by_name[&i[0]];
            tables.list[at].indexes.push(Index {
                name: i[2].clone(),
                unique: i[3] == "t",
                primary: i[4] == "t",
                columns: i[5].split(' ').map(str::to_string).collect(),
            });
        }
        let mut paths: Vec<_> = std::fs::read_dir(dir)
            .map_err(|e| e.to_string())?
            .filter_map(|e| e.ok().map(|e| e.path()))
            .filter(|p| p.extension().is_some_and(|e| e == "dat"))
            .collect();
        paths.sort();
        for path in paths {
            let file = dat::read(&path)?;
            let Some(&at) = tables.by_name.get(&file.catalog) else { continue };
            let rows = file.full_rows(&tables.list[at])?;
            tables.list[at].rows.extend(rows);
        }
        let names = Names::of_encoded(&tables)?;
        for table in tables.list.iter_mut() {
            let mut rows = std::mem::take(&mut table.rows);
            for row in &mut rows {
                names.decode_row(table, row)?;
            }
            // Why: rows come from several family files; the OID order is the order of PostgreSQL's own heap.
            if table.columns[0].name == "oid" || table.name == "pg_attribute" {
                rows.sort_by_key(|r| r[0].parse::<u32>().unwrap_or(0));
            }
            table.rows = rows;
        }
        tables.add_sql_bodies(dir, &names)?;
        Ok(tables)
    }

    /// The bodies of built-in functions in SQL: ours, beside the imported rows.
    fn add_sql_bodies(&mut self, dir: &Path, names: &Names) -> Result<()> {
        let file = dat::read(&dir.join("sql_bodies.dat"))?;
        let procs = &mut self.list[self.by_name["pg_proc"]];
        let at = procs.column("prosqlbody").ok_or("pg_proc has no prosqlbody")?;
        for row in &file.rows {
            let oid = names.oid("pg_proc", &row[0])?;
            if let Some(p) = procs.rows.iter_mut().find(|p| p[0] == oid) {
                p[at] = row[1].clone();
            }
        }
        Ok(())
    }
}
