//! Errors about names that mean nothing: what the user may have meant.

use crate::prelude::*;

/// The closest columns found so far.
struct Fuzzy {
    distance: usize,
    first: Option<(String, String)>,
    second: Option<(String, String)>,
    /// Exact matches that cannot be reached: table alias, level, rte.
    exact: Vec<(String, u32, u32)>,
}

impl Analyzer<'_, '_> {
    /// PostgreSQL's `errorMissingColumn`.
    pub fn missing_column(&self, table: Option<&str>, column: &str, location: i32) -> PgError {
        let message = match table {
            Some(t) => format!("column {t}.{column} does not exist"),
            None => format!("column \"{column}\" does not exist"),
        };
        let e = err!(UNDEFINED_COLUMN, "{message}").at(location);
        let fuzzy = self.fuzzy_columns(table, column);
        if fuzzy.exact.len() > 1 {
            let e = e.detail(format!(
                "There are columns named \"{column}\", but they are in tables that cannot be referenced from this part of the query."
            ));
            return if table.is_none() { e.hint("Try using a table-qualified name.") } else { e };
        }
        if let Some((name, up, rte)) = fuzzy.exact.first() {
            let e = e.detail(format!(
                "There is a column named \"{column}\" in table \"{name}\", but it cannot be referenced from this part of the query."
            ));
            if self.visible_if_lateral(*rte, *up) {
                return e.hint("To reference that column, you must mark this subquery with LATERAL.");
            }
            if table.is_none() && self.visible_if_qualified(*rte, *up) {
                return e.hint("To reference that column, you must use a table-qualified name.");
            }
            return e;
        }
        match (fuzzy.first, fuzzy.second) {
            (Some((t, c)), None) => e.hint(format!("Perhaps you meant to reference the column \"{t}.{c}\".")),
            (Some((t, c)), Some((t2, c2))) => e.hint(format!(
                "Perhaps you meant to reference the column \"{t}.{c}\" or the column \"{t2}.{c2}\"."
            )),
            _ => e,
        }
    }

    fn fuzzy_columns(&self, table: Option<&str>, column: &str) -> Fuzzy {
        let mut f = Fuzzy { distance: 4, first: None, second: None, exact: Vec::new() };
        for up in 0..self.levels.len() as u32 {
            for (i, rte) in self.level(up).rtable.iter().enumerate() {
                if matches!(rte.kind, RteKind::Join { .. }) {
                    continue;
                }
                let penalty = match table {
                    Some(t) => levenshtein(t, &rte.eref.name, 4),
                    None => 0,
                };
                if table.is_none() || penalty == 0 {
                    if super::system_column(column).is_some() && matches!(rte.kind, RteKind::Relation { .. })
                    {
                        f.exact.push((rte.eref.name.clone(), up, i as u32 + 1));
                    }
                    for c in &rte.eref.columns {
                        if c == column {
                            f.exact.push((rte.eref.name.clone(), up, i as u32 + 1));
                        }
                    }
                }
                for c in rte.eref.columns.iter().filter(|c| !c.is_empty()) {
                    f.consider(penalty, &rte.eref.name, c, column);
                }
            }
        }
        f
    }

    fn visible_if_lateral(&self, rte: u32, up: u32) -> bool {
        let level = self.level(up);
        !level.lateral_active
            && level.namespace.iter().any(|n| n.rte == rte && n.lateral_only && n.lateral_ok)
    }

    fn visible_if_qualified(&self, rte: u32, up: u32) -> bool {
        let level = self.level(up);
        level.namespace.iter().any(|n| {
            n.rte == rte && n.rel_visible && !n.cols_visible && (!n.lateral_only || level.lateral_active)
        })
    }

    /// PostgreSQL's `errorMissingRTE`.
    pub fn missing_table(&self, schema: Option<&str>, name: &str, location: i32) -> PgError {
        let bad_alias = if schema.is_none() {
            (0..self.levels.len() as u32).find_map(|up| {
                self.level(up).rtable.iter().find(|r| {
                    r.alias.is_some()
                        && matches!(&r.kind, RteKind::Relation { rel, .. } if *rel.name == *name)
                        && r.eref.name != name
                })
            })
        } else {
            None
        };
        let found = (0..self.levels.len() as u32).find_map(|up| {
            let at = self.level(up).rtable.iter().position(|r| {
                let alias_hit = r.eref.name == name && schema.is_none();
                let rel_hit = r.alias.is_none()
                    && matches!(&r.kind, RteKind::Relation { rel, .. } if *rel.name == *name
                        && schema.is_some_and(|s| self.cat.namespace_name(rel.namespace) == Some(s)));
                alias_hit || rel_hit
            })?;
            Some((at as u32 + 1, up))
        });
        let full = match schema {
            Some(s) => format!("{s}.{name}"),
            None => name.to_string(),
        };
        if let Some(r) = bad_alias
            && self.level_of_rte(r).is_some_and(|(rte, up)| self.rel_visible_somewhere(rte, up))
        {
            return err!(UNDEFINED_TABLE, "invalid reference to FROM-clause entry for table \"{full}\"")
                .hint(format!("Perhaps you meant to reference the table alias \"{}\".", r.eref.name))
                .at(location);
        }
        if let Some((rte, up)) = found {
            let shown = &self.rte(rte, up).eref.name;
            let e = err!(UNDEFINED_TABLE, "invalid reference to FROM-clause entry for table \"{full}\"")
                .detail(format!(
                    "There is an entry for table \"{shown}\", but it cannot be referenced from this part of the query."
                ))
                .at(location);
            return if self.visible_if_lateral(rte, up) {
                e.hint("To reference that table, you must mark this subquery with LATERAL.")
            } else {
                e
            };
        }
        err!(UNDEFINED_TABLE, "missing FROM-clause entry for table \"{full}\"").at(location)
    }

    fn level_of_rte(&self, r: &RangeTblEntry) -> Option<(u32, u32)> {
        (0..self.levels.len() as u32).find_map(|up| {
            let at = self.level(up).rtable.iter().position(|x| std::ptr::eq(x, r))?;
            Some((at as u32 + 1, up))
        })
    }

    fn rel_visible_somewhere(&self, rte: u32, up: u32) -> bool {
        self.level(up).namespace.iter().any(|n| n.rte == rte && n.rel_visible)
    }
}

impl Fuzzy {
    fn consider(&mut self, penalty: usize, table: &str, actual: &str, wanted: &str) {
        if penalty > self.distance {
            return;
        }
        let len = wanted.len();
        let d = levenshtein(actual, wanted, self.distance + 1 - penalty);
        if d > len / 2 {
            return;
        }
        let d = d + penalty;
        let hit = Some((table.to_string(), actual.to_string()));
        if d < self.distance {
            self.distance = d;
            self.first = hit;
            self.second = None;
        } else if d == self.distance {
            if self.second.is_some() {
                self.first = None;
                self.second = None;
            } else if self.first.is_some() {
                self.second = hit;
            }
        }
    }
}

/// Edit distance, `max + 1` when it is more than `max`.
fn levenshtein(a: &str, b: &str, max: usize) -> usize {
    let a: Vec<char> = a.chars().collect();
    let b: Vec<char> = b.chars().collect();
    if a.len().abs_diff(b.len()) > max {
        return max + 1;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let cost = if ca == cb { diagonal } else { diagonal + 1 };
            diagonal = row[j + 1];
            row[j + 1] = cost.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()].min(max + 1)
}
