//! Range table entries: relations, subqueries, functions, VALUES, WITH items and joins, and their namespace items.

use std::sync::Arc;

use pglite_catalog::RelDesc;

use crate::prelude::*;

/// PostgreSQL's lock mode numbers.
pub(crate) mod lock {
    pub const ACCESS_SHARE: u8 = 1;
    pub const ROW_SHARE: u8 = 2;
    pub const ROW_EXCLUSIVE: u8 = 3;
}

/// Not a type: a dropped column.
const NO_TYPE: ColType = ColType { ty: Oid::INVALID, typmod: -1, collation: Oid::INVALID };

pub(crate) fn col_type(e: &Expr) -> ColType {
    ColType { ty: e.ty(), typmod: e.typmod(), collation: e.collation() }
}

pub(crate) fn new_rte(
    kind: RteKind,
    alias: Option<Alias>,
    eref: Alias,
    lateral: bool,
    in_from: bool,
) -> RangeTblEntry {
    RangeTblEntry {
        kind,
        alias,
        eref,
        lateral,
        in_from,
        inherit: false,
        perms: PermInfo::default(),
        security_quals: Vec::new(),
    }
}

pub(crate) fn alias_of(a: &ast::Alias) -> Alias {
    Alias { name: a.aliasname.clone(), columns: a.colnames.clone() }
}

pub(crate) fn rel_types(rel: &RelDesc) -> Vec<ColType> {
    rel.columns
        .iter()
        .map(|c| {
            if c.dropped {
                NO_TYPE
            } else {
                ColType { ty: c.type_oid, typmod: c.typmod, collation: c.collation }
            }
        })
        .collect()
}

impl Analyzer<'_, '_> {
    /// The relation a RangeVar names, or PostgreSQL's error.
    pub fn open_relation(&mut self, rv: &ast::RangeVar, lock: u8) -> PgResult<Arc<RelDesc>> {
        if let Some(db) = &rv.catalogname
            && *db != self.env.database_name()
        {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "cross-database references are not implemented: \"{db}.{}.{}\"",
                rv.schemaname.as_deref().unwrap_or(""),
                rv.relname
            )
            .at(rv.location));
        }
        let found = match &rv.schemaname {
            Some(s) if s == "pg_temp" => {
                self.cat.temp_namespace().and_then(|n| self.cat.relation_in(n, &rv.relname))
            }
            Some(s) => self.cat.namespace_oid(s).and_then(|n| self.cat.relation_in(n, &rv.relname)),
            None => self.cat.relation_in_path(&rv.relname),
        };
        let Some(oid) = found else { return Err(self.no_such_relation(rv)) };
        self.env.lock_relation(oid, lock)?;
        let Some(rel) = self.cat.relation(oid) else { return Err(self.no_such_relation(rv)) };
        if matches!(rel.kind, b'i' | b'I' | b'c') {
            let what = if rel.kind == b'c' { "composite types" } else { "indexes" };
            return Err(err!(WRONG_OBJECT_TYPE, "cannot open relation \"{}\"", rel.name)
                .detail(format!("This operation is not supported for {what}."))
                .at(rv.location));
        }
        Ok(rel)
    }

    fn no_such_relation(&self, rv: &ast::RangeVar) -> PgError {
        if let Some(s) = &rv.schemaname {
            return err!(UNDEFINED_TABLE, "relation \"{s}.{}\" does not exist", rv.relname).at(rv.location);
        }
        let name = &rv.relname;
        let e = err!(UNDEFINED_TABLE, "relation \"{name}\" does not exist").at(rv.location);
        if self.levels.iter().any(|l| l.future_ctes.contains(name)) {
            return e
                .detail(format!(
                    "There is a WITH item named \"{name}\", but it cannot be referenced from this part of the query."
                ))
                .hint("Use WITH RECURSIVE, or re-order the WITH items to remove forward references.");
        }
        e
    }

    /// Adds a range table entry and gives its 1-based index.
    pub fn add_rte(&mut self, rte: RangeTblEntry) -> u32 {
        let level = self.cur();
        level.rtable.push(rte);
        level.rtable.len() as u32
    }

    /// A relation in FROM or as a target.
    pub fn add_relation(
        &mut self,
        rel: Arc<RelDesc>,
        alias: Option<Alias>,
        inh: bool,
        in_from: bool,
        lock: u8,
    ) -> PgResult<NsItem> {
        let types = rel_types(&rel);
        let names: Vec<(String, bool)> =
            rel.columns.iter().map(|c| (c.name.to_string(), c.dropped)).collect();
        let eref = relation_aliases(&rel.name, alias.as_ref(), &names)?;
        let mut rte =
            new_rte(RteKind::Relation { rel, lock, sample: None }, alias, eref.clone(), false, in_from);
        rte.inherit = inh;
        rte.perms.required = crate::ACL_SELECT;
        let index = self.add_rte(rte);
        Ok(NsItem::plain(index, eref, &types))
    }

    pub fn add_subquery(&mut self, query: Query, alias: Option<Alias>, lateral: bool) -> PgResult<NsItem> {
        let targets = || query.targets.iter().filter(|t| !t.junk);
        let types: Vec<ColType> = targets().map(|t| col_type(&t.expr)).collect();
        let names: Vec<String> = targets().map(|t| t.name.clone().unwrap_or_default()).collect();
        let eref = column_aliases("unnamed_subquery", alias.as_ref(), names, |name, have, given| {
            err!(
                INVALID_COLUMN_REFERENCE,
                "table \"{name}\" has {have} columns available but {given} columns specified"
            )
        })?;
        let visible = alias.is_some();
        let kind = RteKind::Subquery { query: Box::new(query), security_barrier: false, view: None };
        let index = self.add_rte(new_rte(kind, alias, eref.clone(), lateral, true));
        let mut item = NsItem::plain(index, eref, &types);
        item.rel_visible = visible;
        Ok(item)
    }

    pub fn add_values(
        &mut self,
        rows: Vec<Vec<Expr>>,
        types: Vec<ColType>,
        alias: Option<Alias>,
        lateral: bool,
    ) -> PgResult<NsItem> {
        let names = (1..=types.len()).map(|i| format!("column{i}")).collect();
        let eref = column_aliases("*VALUES*", alias.as_ref(), names, |name, have, given| {
            err!(
                INVALID_COLUMN_REFERENCE,
                "VALUES lists \"{name}\" have {have} columns available but {given} columns specified"
            )
        })?;
        let index = self.add_rte(new_rte(
            RteKind::Values { rows, types: types.clone() },
            alias,
            eref.clone(),
            lateral,
            true,
        ));
        Ok(NsItem::plain(index, eref, &types))
    }

    /// A reference to a WITH item `levels_up` levels above.
    pub fn add_cte_reference(&mut self, at: usize, levels_up: u32, rv: &ast::RangeVar) -> PgResult<NsItem> {
        let entry = &mut self.level_mut(levels_up).ctes[at];
        let self_reference = !entry.ready;
        entry.cte.refcount += 1;
        let name = entry.cte.name.clone();
        let q = &entry.cte.query;
        if !self_reference && q.command != CommandType::Select && q.returning.is_empty() {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "WITH query \"{name}\" does not have a RETURNING clause"
            )
            .at(rv.location));
        }
        let columns = entry.cte.columns.clone();
        let alias = rv.alias.as_ref().map(alias_of);
        let (names, types): (Vec<String>, Vec<ColType>) = columns.into_iter().unzip();
        let eref = column_aliases(&name, alias.as_ref(), names, |name, have, given| {
            err!(
                INVALID_COLUMN_REFERENCE,
                "table \"{name}\" has {have} columns available but {given} columns specified"
            )
        })?;
        let kind = RteKind::Cte { name, levels_up, self_reference, types: types.clone() };
        let index = self.add_rte(new_rte(kind, alias, eref.clone(), false, true));
        Ok(NsItem::plain(index, eref, &types))
    }

    /// The types of a range table entry's columns; dropped ones have no type.
    pub fn rte_types(&self, rte: &RangeTblEntry) -> Vec<ColType> {
        match &rte.kind {
            RteKind::Relation { rel, .. } | RteKind::Tuplestore { rel, .. } => rel_types(rel),
            RteKind::Subquery { query, .. } => {
                query.targets.iter().filter(|t| !t.junk).map(|t| col_type(&t.expr)).collect()
            }
            RteKind::Join { vars, .. } => vars.iter().map(col_type).collect(),
            RteKind::Function { functions, ordinality } => {
                let mut out: Vec<ColType> =
                    functions.iter().flat_map(|f| f.columns.iter().map(|(_, t)| *t)).collect();
                if *ordinality {
                    out.push(ColType { ty: oid::INT8, typmod: -1, collation: Oid::INVALID });
                }
                out
            }
            RteKind::TableFunc(t) => t.columns.iter().map(|c| c.ty).collect(),
            RteKind::Values { types, .. } | RteKind::Cte { types, .. } => types.clone(),
            RteKind::Result => Vec::new(),
            RteKind::Group { exprs } => exprs.iter().map(col_type).collect(),
        }
    }
}

/// The visible names of a relation's columns; dropped ones get empty names and take no alias.
fn relation_aliases(name: &str, alias: Option<&Alias>, columns: &[(String, bool)]) -> PgResult<Alias> {
    let mut given = alias.map(|a| a.columns.as_slice()).unwrap_or_default().iter();
    let mut names = Vec::with_capacity(columns.len());
    for (own, dropped) in columns {
        names.push(if *dropped {
            String::new()
        } else {
            given.next().cloned().unwrap_or_else(|| own.clone())
        });
    }
    let name = alias.map_or(name, |a| a.name.as_str()).to_string();
    if given.next().is_some() {
        let live = columns.iter().filter(|c| !c.1).count();
        bail!(
            INVALID_COLUMN_REFERENCE,
            "table \"{name}\" has {live} columns available but {} columns specified",
            alias.map_or(0, |a| a.columns.len())
        );
    }
    Ok(Alias { name, columns: names })
}

/// Visible column names: the alias's, then the own ones; `too_many` makes the error.
pub(crate) fn column_aliases(
    default_name: &str,
    alias: Option<&Alias>,
    own: Vec<String>,
    too_many: impl Fn(&str, usize, usize) -> PgError,
) -> PgResult<Alias> {
    let name = alias.map_or(default_name, |a| a.name.as_str()).to_string();
    let Some(a) = alias else { return Ok(Alias { name, columns: own }) };
    if a.columns.len() > own.len() {
        return Err(too_many(&name, own.len(), a.columns.len()));
    }
    let columns = a.columns.iter().cloned().chain(own.into_iter().skip(a.columns.len())).collect();
    Ok(Alias { name, columns })
}
