//! Name resolution: the schemas to search, and what a name means there.
//!
//! A [`SearchPath`] is the setting `search_path` resolved for one user in one snapshot. pg_catalog comes first unless it
//! is listed; the session's temporary schema comes before that for relations and types, never for functions and operators.

mod functions;
mod objects;

use smallvec::SmallVec;

use pglite_error::{PgResult, bail};
use pglite_types::{Oid, oid};

use crate::acl;
use crate::generated::rows::*;
use crate::names::split_identifiers;
use crate::snapshot::Snapshot;
use crate::well_known::PG_CATALOG;

pub use functions::{FuncCandidate, FuncQuery};

/// A resolved search path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchPath {
    /// The schemas in the order of the search, implicit ones included.
    pub schemas: SmallVec<[Oid; 6]>,
    /// Where CREATE without a schema puts its object.
    pub creation: Option<Oid>,
    /// The first element is `pg_temp`, whose schema does not exist yet.
    pub creation_is_temp: bool,
    /// The session's temporary schema, when it exists.
    pub temp: Option<Oid>,
    /// Who asks: for permission checks on schemas.
    pub user: Oid,
}

/// One text of messages for each kind of object.
pub(crate) fn full_name(schema: Option<&str>, name: &str) -> String {
    match schema {
        Some(s) => format!("{s}.{name}"),
        None => name.to_string(),
    }
}

impl SearchPath {
    /// Resolves the text of the setting. Schemas that do not exist or are not usable are passed over.
    pub fn resolve(s: &Snapshot, setting: &str, user: Oid, temp: Option<Oid>) -> SearchPath {
        let mut listed: SmallVec<[Oid; 6]> = SmallVec::new();
        let mut creation_is_temp = false;
        for (i, name) in split_identifiers(setting, ',').unwrap_or_default().iter().enumerate() {
            let found = match name.as_str() {
                "$user" => s.role_by_oid(user).and_then(|r| s.namespace_by_name(&r.rolname)).map(|n| n.oid),
                "pg_temp" => {
                    creation_is_temp |= i == 0 && temp.is_none();
                    temp
                }
                name => s.namespace_by_name(name).map(|n| n.oid),
            };
            if let Some(ns) = found
                && !listed.contains(&ns)
                && (Some(ns) == temp || acl::schema_usage(s, user, ns))
            {
                listed.push(ns);
            }
        }
        let creation = listed.first().copied();
        let mut schemas = SmallVec::new();
        if let Some(t) = temp.filter(|t| !listed.contains(t)) {
            schemas.push(t);
        }
        if !listed.contains(&PG_CATALOG) {
            schemas.push(PG_CATALOG);
        }
        schemas.extend(listed);
        SearchPath { schemas, creation, creation_is_temp, temp, user }
    }

    /// The schemas the setting lists, without the implicit ones (`current_schemas(false)`).
    pub fn explicit(&self) -> impl Iterator<Item = Oid> + '_ {
        let implicit_temp = self.temp.filter(|_| !self.creation_is_temp);
        let catalog = crate::well_known::PG_CATALOG;
        // Listed first, it is the schema to create in; otherwise a leading pg_catalog is the implicit one.
        let listed = self.creation == Some(catalog);
        let leading = self
            .schemas
            .iter()
            .take_while(|s| Some(**s) == implicit_temp || (**s == catalog && !listed))
            .count();
        self.schemas.iter().skip(leading).copied()
    }
    /// Only pg_catalog: for the definitions of system views and our own queries.
    pub fn catalog_only() -> SearchPath {
        SearchPath {
            schemas: SmallVec::from_slice(&[PG_CATALOG]),
            creation: None,
            creation_is_temp: false,
            temp: None,
            user: crate::well_known::SUPERUSER,
        }
    }

    /// The schemas where functions and operators are found: not the temporary one.
    pub(crate) fn for_functions(&self) -> impl Iterator<Item = Oid> + '_ {
        self.schemas.iter().copied().filter(|ns| Some(*ns) != self.temp)
    }

    /// `LookupExplicitNamespace`: the schema of a qualified name, which the user must be allowed to use.
    pub fn namespace(&self, s: &Snapshot, name: &str) -> PgResult<Oid> {
        match self.namespace_opt(s, name)? {
            Some(oid) => Ok(oid),
            None => bail!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"),
        }
    }
    /// Likewise; `None` when there is no such schema.
    pub fn namespace_opt(&self, s: &Snapshot, name: &str) -> PgResult<Option<Oid>> {
        if name == "pg_temp" {
            return Ok(self.temp);
        }
        let Some(ns) = s.namespace_by_name(name).map(|n| n.oid) else { return Ok(None) };
        if Some(ns) != self.temp && !acl::schema_usage(s, self.user, ns) {
            bail!(INSUFFICIENT_PRIVILEGE, "permission denied for schema {name}");
        }
        Ok(Some(ns))
    }

    /// Where CREATE puts an object of that (optional) schema.
    pub fn creation_namespace(&self, s: &Snapshot, schema: Option<&str>) -> PgResult<Oid> {
        match schema {
            Some("pg_temp") => match self.temp {
                Some(t) => Ok(t),
                None => bail!(INVALID_SCHEMA_NAME, "schema \"pg_temp\" does not exist"),
            },
            Some(name) => match s.namespace_by_name(name) {
                Some(n) => Ok(n.oid),
                None => bail!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"),
            },
            None => match self.creation {
                Some(ns) => Ok(ns),
                None => bail!(INVALID_SCHEMA_NAME, "no schema has been selected to create in"),
            },
        }
    }

    /// The relation of an unqualified name.
    pub fn find_relation<'a>(&self, s: &'a Snapshot, name: &str) -> Option<&'a ClassRow> {
        self.schemas.iter().find_map(|&ns| s.class_by_name(ns, name))
    }
    /// `RangeVarGetRelid`: `None` when the relation (or, unlike PostgreSQL's strict form, its schema) does not exist.
    pub fn relation_opt<'a>(
        &self,
        s: &'a Snapshot,
        schema: Option<&str>,
        name: &str,
    ) -> PgResult<Option<&'a ClassRow>> {
        Ok(match schema {
            None => self.find_relation(s, name),
            Some(schema) => self.namespace_opt(s, schema)?.and_then(|ns| s.class_by_name(ns, name)),
        })
    }
    /// The relation, or PostgreSQL's error.
    pub fn relation<'a>(&self, s: &'a Snapshot, schema: Option<&str>, name: &str) -> PgResult<&'a ClassRow> {
        match self.relation_opt(s, schema, name)? {
            Some(c) => Ok(c),
            None => bail!(UNDEFINED_TABLE, "relation \"{}\" does not exist", full_name(schema, name)),
        }
    }

    /// The type of an unqualified catalog name (`int4`, not `integer`).
    pub fn find_type<'a>(&self, s: &'a Snapshot, name: &str) -> Option<&'a TypeRow> {
        self.schemas.iter().find_map(|&ns| s.type_by_name(ns, name))
    }
    pub fn type_opt<'a>(
        &self,
        s: &'a Snapshot,
        schema: Option<&str>,
        name: &str,
    ) -> PgResult<Option<&'a TypeRow>> {
        Ok(match schema {
            None => self.find_type(s, name),
            Some(schema) => {
                let ns = self.namespace(s, schema)?;
                s.type_by_name(ns, name)
            }
        })
    }
    pub fn type_(&self, s: &Snapshot, schema: Option<&str>, name: &str) -> PgResult<Oid> {
        match self.type_opt(s, schema, name)? {
            Some(t) => Ok(t.oid),
            None => bail!(UNDEFINED_OBJECT, "type \"{}\" does not exist", full_name(schema, name)),
        }
    }

    /// Operators of that name, each once by argument types: the first schema of the path wins.
    pub fn operators<'a>(
        &self,
        s: &'a Snapshot,
        schema: Option<&str>,
        name: &str,
    ) -> PgResult<Vec<&'a OperatorRow>> {
        if let Some(schema) = schema {
            let ns = self.namespace(s, schema)?;
            return Ok(s.operators_by_name(name).filter(|o| o.oprnamespace == ns).collect());
        }
        let mut found: Vec<(usize, &OperatorRow)> = Vec::new();
        for o in s.operators_by_name(name) {
            let Some(place) = self.for_functions().position(|ns| ns == o.oprnamespace) else { continue };
            match found.iter_mut().find(|(_, f)| f.oprleft == o.oprleft && f.oprright == o.oprright) {
                Some(f) if place < f.0 => *f = (place, o),
                Some(_) => {}
                None => found.push((place, o)),
            }
        }
        Ok(found.into_iter().map(|(_, o)| o).collect())
    }
    /// The operator of exactly these argument types (`INVALID` left for a prefix operator).
    pub fn operator_exact<'a>(
        &self,
        s: &'a Snapshot,
        schema: Option<&str>,
        name: &str,
        left: Oid,
        right: Oid,
    ) -> PgResult<Option<&'a OperatorRow>> {
        if let Some(schema) = schema {
            let ns = self.namespace(s, schema)?;
            return Ok(s.operators_exact(name, left, right).find(|o| o.oprnamespace == ns));
        }
        let place = |o: &&OperatorRow| self.for_functions().position(|ns| ns == o.oprnamespace);
        let visible = s.operators_exact(name, left, right).filter(|o| place(o).is_some());
        Ok(visible.min_by_key(|o| place(o).unwrap_or(usize::MAX)))
    }

    pub fn relation_is_visible(&self, s: &Snapshot, relation: Oid) -> bool {
        s.class_by_oid(relation)
            .is_some_and(|c| self.find_relation(s, &c.relname).is_some_and(|found| found.oid == relation))
    }
    pub fn type_is_visible(&self, s: &Snapshot, type_oid: Oid) -> bool {
        s.type_by_oid(type_oid)
            .is_some_and(|t| self.find_type(s, &t.typname).is_some_and(|f| f.oid == type_oid))
    }
    pub fn function_is_visible(&self, s: &Snapshot, function: Oid) -> bool {
        let Some(p) = s.proc_by_oid(function) else { return false };
        let first = self.for_functions().find_map(|ns| s.proc_exact(ns, &p.proname, &p.proargtypes));
        first.is_some_and(|f| f.oid == function)
    }
    pub fn operator_is_visible(&self, s: &Snapshot, operator: Oid) -> bool {
        let Some(o) = s.operator_by_oid(operator) else { return false };
        let found = self.operator_exact(s, None, &o.oprname, o.oprleft, o.oprright);
        found.is_ok_and(|f| f.is_some_and(|f| f.oid == operator))
    }

    /// Whether the name of a type means an array, range ... pseudo-type that stands for any type.
    pub fn is_polymorphic(type_oid: Oid) -> bool {
        matches!(
            type_oid,
            oid::ANYELEMENT
                | oid::ANYARRAY
                | oid::ANYNONARRAY
                | oid::ANYENUM
                | oid::ANYRANGE
                | oid::ANYMULTIRANGE
                | oid::ANYCOMPATIBLE
                | oid::ANYCOMPATIBLEARRAY
                | oid::ANYCOMPATIBLENONARRAY
                | oid::ANYCOMPATIBLERANGE
                | oid::ANYCOMPATIBLEMULTIRANGE
        )
    }
}
