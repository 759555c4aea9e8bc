//! The data file format (docs/catalog.md): tab-separated lines in `COPY` text form.
//!
//! `catalog`, `columns` and `defaults` lines open the file. A row gives the values of `columns` in order, then
//! `column=value` for each other column that differs from its default.

use std::collections::HashMap;
use std::path::Path;

use super::names::Names;
use super::tables::Table;
use crate::Result;

#[derive(Default)]
pub struct DatFile {
    /// `pg_proc` ..., or the title of a plain table of facts.
    pub catalog: String,
    pub columns: Vec<String>,
    pub defaults: Vec<(String, String)>,
    pub rows: Vec<Vec<String>>,
    /// For `push`: the place of each catalog column in `columns` or `defaults`.
    layout: Vec<(String, Option<String>)>,
}

/// The value that nearly all rows of a catalog share, by column (names already resolved).
pub fn common_values(table: &Table, names: &Names) -> Result<HashMap<String, String>> {
    let rows: Vec<Vec<String>> =
        table.rows.iter().map(|r| names.encode_row(table, r)).collect::<Result<_>>()?;
    let mut common = HashMap::new();
    for (i, column) in table.columns.iter().enumerate() {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for row in &rows {
            *counts.entry(&row[i]).or_default() += 1;
        }
        let best = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)));
        if let Some((value, n)) = best
            && n * 100 >= rows.len() * 85
            && (rows.len() > 1 || matches!(value, "\\N" | "-"))
        {
            common.insert(column.name.clone(), value.to_string());
        }
    }
    Ok(common)
}

impl DatFile {
    pub fn new(table: &Table, common: &HashMap<String, String>) -> DatFile {
        let mut file = DatFile { catalog: table.name.clone(), ..DatFile::default() };
        for c in &table.columns {
            let default = common.get(&c.name).cloned();
            match &default {
                Some(v) => file.defaults.push((c.name.clone(), v.clone())),
                None => file.columns.push(c.name.clone()),
            }
            file.layout.push((c.name.clone(), default));
        }
        file
    }

    pub fn plain(title: &str, columns: &[&str]) -> DatFile {
        let columns = columns.iter().map(|c| c.to_string()).collect();
        DatFile { catalog: title.into(), columns, ..DatFile::default() }
    }

    pub fn push(&mut self, row: &[String]) {
        let mut line = Vec::new();
        let mut rest = Vec::new();
        for (value, (name, default)) in row.iter().zip(&self.layout) {
            match default {
                None => line.push(value.clone()),
                Some(d) if d != value => rest.push(format!("{name}={value}")),
                Some(_) => {}
            }
        }
        line.extend(rest);
        self.rows.push(line);
    }

    pub fn render(&self) -> String {
        let mut out = format!("catalog\t{}\ncolumns\t{}\n", self.catalog, self.columns.join("\t"));
        if !self.defaults.is_empty() {
            let d: Vec<String> = self.defaults.iter().map(|(c, v)| format!("{c}={v}")).collect();
            out.push_str(&format!("defaults\t{}\n", d.join("\t")));
        }
        for row in &self.rows {
            out.push_str(&row.join("\t"));
            out.push('\n');
        }
        out
    }

    /// The rows with every column of `table`, in its order.
    pub fn full_rows(&self, table: &Table) -> Result<Vec<Vec<String>>> {
        let defaults: HashMap<&str, &str> =
            self.defaults.iter().map(|(c, v)| (c.as_str(), v.as_str())).collect();
        let mut rows = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut values = defaults.clone();
            for (i, value) in row.iter().enumerate() {
                match self.columns.get(i) {
                    Some(c) => values.insert(c, value),
                    None => {
                        let (c, v) = value.split_once('=').ok_or_else(|| format!("bad field {value}"))?;
                        values.insert(c, v)
                    }
                };
            }
            let full: Option<Vec<String>> =
                table.columns.iter().map(|c| values.get(c.name.as_str()).map(|v| v.to_string())).collect();
            rows.push(full.ok_or_else(|| format!("{}: incomplete row {row:?}", table.name))?);
        }
        Ok(rows)
    }
}

pub fn read(path: &Path) -> Result<DatFile> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut file = DatFile::default();
    for (n, line) in text.lines().enumerate() {
        let fields = line.split('\t');
        match (n, line.split('\t').next()) {
            (0, Some("catalog")) => file.catalog = fields.skip(1).collect(),
            (1, Some("columns")) => file.columns = fields.skip(1).map(str::to_string).collect(),
            (2, Some("defaults")) => {
                for f in fields.skip(1) {
                    let (c, v) =
                        f.split_once('=').ok_or_else(|| format!("{}: bad default", path.display()))?;
                    file.defaults.push((c.into(), v.into()));
                }
            }
            (0 | 1, _) => return Err(format!("{}: no header", path.display())),
            _ => {
                let row: Vec<String> = fields.map(str::to_string).collect();
                if row.len() < file.columns.len() {
                    return Err(format!("{}:{}: too few fields", path.display(), n + 1));
                }
                file.rows.push(row);
            }
        }
    }
    Ok(file)
}
