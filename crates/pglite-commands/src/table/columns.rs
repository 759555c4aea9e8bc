//! The columns of a table to be: written ones, inherited ones, LIKE.

use std::sync::Arc;

use pglite_analyze::resolve_type_name;
use pglite_catalog::{RelDesc, format_type};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_parser::ast::{ColumnDef, ConstrType, Constraint, Expr, TableLikeClause, TypeName, like_option};
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::host::CommandHost;
use crate::relation::NewColumn;
use crate::sequence::{self, SequenceOptions};

/// A NOT NULL constraint to be.
#[derive(Clone, Debug)]
pub(crate) struct NotNull {
    pub column: String,
    pub name: Option<String>,
    pub no_inherit: bool,
    pub is_local: bool,
    pub inherited: i16,
    pub valid: bool,
}

impl NotNull {
    pub fn local(column: &str) -> NotNull {
        NotNull {
            column: column.into(),
            name: None,
            no_inherit: false,
            is_local: true,
            inherited: 0,
            valid: true,
        }
    }
}

/// A parent's CHECK constraint.
#[derive(Clone, Debug)]
pub(crate) struct InheritedCheck {
    pub name: String,
    pub text: String,
    pub enforced: bool,
    pub is_local: bool,
    pub inherited: i16,
}

/// What a column's default comes from.
enum Source {
    Expr(Expr, u8),
    /// Stored text copied from another table.
    Text(String),
}

struct Serial {
    column: usize,
    ty: Oid,
    identity: u8,
    options: SequenceOptions,
    sequence: Option<Oid>,
}

/// The table's columns and constraints as they are gathered.
pub(crate) struct Plan {
    table: String,
    namespace: Oid,
    pub columns: Vec<NewColumn>,
    defaults: Vec<(usize, Source)>,
    pub constraints: Vec<Constraint>,
    pub not_nulls: Vec<NotNull>,
    pub inherited_checks: Vec<InheritedCheck>,
    serials: Vec<Serial>,
    pub of_type: Oid,
}

/// Type, typmod and collation of a column definition.
pub(crate) fn column_of(host: &dyn CommandHost, def: &ColumnDef, ty: &TypeName) -> PgResult<NewColumn> {
    let env = host.env();
    let (type_oid, typmod) = resolve_type_name(env.as_analyze_env(), ty)?;
    let s = host.snapshot();
    let row = s
        .type_by_oid(type_oid)
        .ok_or_else(|| err!(UNDEFINED_OBJECT, "type with OID {type_oid} does not exist"))?;
    if ty.setof {
        return Err(err!(INVALID_TABLE_DEFINITION, "column \"{}\" cannot be declared SETOF", def.colname));
    }
    let mut collation = row.typcollation;
    if let Some(clause) = &def.coll_clause {
        let names: Vec<&str> = clause.collname.iter().map(String::as_str).collect();
        let (schema, name) = pglite_catalog::names::split_schema(&names, &env.database_name())?;
        collation =
            env.search_path().collation(&s, schema, name).map_err(|e| e.at_if_unset(clause.location))?.oid;
        if !row.typcollation.is_valid() {
            let shown = format_type::format_type_be(&s, env.search_path(), type_oid);
            return Err(
                err!(DATATYPE_MISMATCH, "collations are not supported by type {shown}").at(clause.location)
            );
        }
    }
    let mut column = NewColumn::new(def.colname.clone(), type_oid, typmod, collation);
    column.ndims = ty.array_bounds.len() as i16;
    column.storage = match &def.storage_name {
        None => None,
        Some(name) => Some(storage_letter(name, row.typstorage, &def.colname)?),
    };
    Ok(column)
}

fn storage_letter(name: &str, default: u8, _column: &str) -> PgResult<u8> {
    Ok(match name.to_ascii_lowercase().as_str() {
        "plain" => b'p',
        "external" => b'e',
        "extended" => b'x',
        "main" => b'm',
        "default" => default,
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid storage type \"{name}\""),
    })
}

/// serial, bigserial, smallserial and their numbered names.
fn serial_type(ty: &TypeName) -> Option<Oid> {
    let [name] = &ty.names[..] else { return None };
    match name.as_str() {
        "smallserial" | "serial2" => Some(oid::INT2),
        "serial" | "serial4" => Some(oid::INT4),
        "bigserial" | "serial8" => Some(oid::INT8),
        _ => None,
    }
}

impl Plan {
    pub fn new(_host: &dyn CommandHost, table: &str, namespace: Oid) -> Plan {
        Plan {
            table: table.into(),
            namespace,
            columns: Vec::new(),
            defaults: Vec::new(),
            constraints: Vec::new(),
            not_nulls: Vec::new(),
            inherited_checks: Vec::new(),
            serials: Vec::new(),
            of_type: Oid::INVALID,
        }
    }

    /// Takes over the parents' columns and inheritable constraints.
    pub fn inherit(
        &mut self,
        host: &dyn CommandHost,
        parents: &[Arc<RelDesc>],
        partition: bool,
    ) -> PgResult<()> {
        let s = host.snapshot();
        for p in parents {
            if !matches!(p.kind, b'r' | b'f' | b'p') {
                bail!(WRONG_OBJECT_TYPE, "inherited relation \"{}\" is not a table or foreign table", p.name);
            }
            if p.kind == b'p' && !partition {
                bail!(WRONG_OBJECT_TYPE, "cannot inherit from partitioned table \"{}\"", p.name);
            }
            if p.is_partition && !partition {
                bail!(WRONG_OBJECT_TYPE, "cannot inherit from partition \"{}\"", p.name);
            }
            ctx::must_own(host, p)?;
            for c in p.live_columns() {
                match self.columns.iter().position(|n| n.name == c.name.as_str()) {
                    Some(i) => {
                        ctx::notice(
                            host,
                            PgError::notice(format!(
                                "merging multiple inherited definitions of column \"{}\"",
                                c.name
                            )),
                        );
                        let have = &mut self.columns[i];
                        if have.ty != c.type_oid || have.typmod != c.typmod {
                            let shown = |t, m| {
                                format_type::format_type(
                                    &s,
                                    &pglite_catalog::SearchPath::catalog_only(),
                                    t,
                                    Some(m),
                                )
                            };
                            return Err(err!(
                                DATATYPE_MISMATCH,
                                "inherited column \"{}\" has a type conflict",
                                c.name
                            )
                            .detail(format!(
                                "{} versus {}",
                                shown(have.ty, have.typmod),
                                shown(c.type_oid, c.typmod)
                            )));
                        }
                        have.inherited += 1;
                        have.not_null |= c.not_null;
                    }
                    None => {
                        let mut n = NewColumn::new(c.name.as_str(), c.type_oid, c.typmod, c.collation);
                        n.is_local = false;
                        n.inherited = 1;
                        n.not_null = c.not_null;
                        n.ndims = c.ndims;
                        n.generated = c.generated;
                        n.storage = Some(c.storage);
                        n.compression = c.compression;
                        if partition {
                            n.identity = c.identity;
                        }
                        if let Some(d) = &c.default {
                            self.defaults.push((self.columns.len(), Source::Text(d.to_string())));
                        }
                        self.columns.push(n);
                    }
                }
                if c.not_null {
                    let named = s.constraints_of(p.oid).find(|k| {
                        k.contype == b'n' && k.conkey.as_ref().is_some_and(|l| l.as_slice() == [c.attnum])
                    });
                    if named.is_none_or(|k| !k.connoinherit) {
                        self.inherit_not_null(&c.name, named.map(|k| k.conname.to_string()));
                    }
                }
            }
            for k in p.checks().filter(|k| !k.connoinherit) {
                let text = k.conbin.as_ref().map(|b| b.to_string()).unwrap_or_default();
                match self.inherited_checks.iter_mut().find(|i| i.name == k.conname.as_str()) {
                    Some(i) if i.text == text => i.inherited += 1,
                    Some(_) => {
                        return Err(err!(
                            DUPLICATE_OBJECT,
                            "check constraint name \"{}\" appears multiple times but with different expressions",
                            k.conname
                        ));
                    }
                    None => self.inherited_checks.push(InheritedCheck {
                        name: k.conname.to_string(),
                        text,
                        enforced: k.conenforced,
                        is_local: false,
                        inherited: 1,
                    }),
                }
            }
        }
        Ok(())
    }

    fn inherit_not_null(&mut self, column: &str, name: Option<String>) {
        match self.not_nulls.iter_mut().find(|n| n.column == column) {
            Some(n) => n.inherited += 1,
            None => {
                self.not_nulls.push(NotNull { name, is_local: false, inherited: 1, ..NotNull::local(column) })
            }
        }
    }

    /// CREATE TABLE OF type.
    pub fn of_type(&mut self, host: &dyn CommandHost, name: &TypeName) -> PgResult<()> {
        let env = host.env();
        let (ty, _) = resolve_type_name(env.as_analyze_env(), name)?;
        let s = host.snapshot();
        let row = s.type_by_oid(ty).filter(|t| t.typtype == b'c');
        let Some(row) = row else {
            let shown = format_type::format_type_be(&s, env.search_path(), ty);
            bail!(WRONG_OBJECT_TYPE, "type {shown} is not a composite type");
        };
        if s.class_by_oid(row.typrelid).is_none_or(|c| c.relkind != b'c') {
            let shown = format_type::format_type_be(&s, env.search_path(), ty);
            return Err(err!(WRONG_OBJECT_TYPE, "type {shown} is the row type of another table")
                .detail("A typed table must use a stand-alone composite type created with CREATE TYPE."));
        }
        self.of_type = ty;
        for a in s.attributes(row.typrelid).filter(|a| a.attnum > 0 && !a.attisdropped) {
            let mut n = NewColumn::new(a.attname.as_str(), a.atttypid, a.atttypmod, a.attcollation);
            n.ndims = a.attndims;
            self.columns.push(n);
        }
        Ok(())
    }

    /// LIKE other [INCLUDING ...].
    pub fn like(&mut self, host: &dyn CommandHost, like: &TableLikeClause) -> PgResult<()> {
        let source = ctx::relation(host, &like.relation)?;
        if !matches!(source.kind, b'r' | b'v' | b'm' | b'c' | b'f' | b'p') {
            return Err(err!(WRONG_OBJECT_TYPE, "relation \"{}\" is invalid in LIKE clause", source.name)
                .at(like.relation.location));
        }
        let has = |bit: u32| like.options & bit != 0;
        let s = host.snapshot();
        for c in source.live_columns() {
            let at = self.columns.len();
            let mut n = NewColumn::new(c.name.as_str(), c.type_oid, c.typmod, c.collation);
            n.ndims = c.ndims;
            n.not_null = c.not_null;
            // A column that is inherited too is the same column.
            if let Some(have) = self.columns.iter_mut().find(|h| h.name == c.name.as_str() && !h.is_local) {
                ctx::notice(
                    host,
                    PgError::notice(format!("merging column \"{}\" with inherited definition", c.name)),
                );
                have.is_local = true;
                if has(like_option::STORAGE) {
                    have.storage = Some(c.storage);
                }
                if let Some(known) = self.not_nulls.iter_mut().find(|k| k.column == c.name.as_str()) {
                    known.is_local |= c.not_null;
                    continue;
                }
                if !c.not_null {
                    continue;
                }
                have.not_null = true;
                self.not_nulls.push(NotNull::local(&c.name));
                continue;
            }
            if c.not_null {
                let named = s.constraints_of(source.oid).find(|k| {
                    k.contype == b'n' && k.conkey.as_ref().is_some_and(|l| l.as_slice() == [c.attnum])
                });
                let name = named.map(|k| k.conname.to_string());
                self.not_nulls.push(NotNull { name, ..NotNull::local(&c.name) });
            }
            if has(like_option::STORAGE) {
                n.storage = Some(c.storage);
            }
            if c.generated != 0 && has(like_option::GENERATED) {
                n.generated = c.generated;
                if let Some(d) = &c.default {
                    self.defaults.push((at, Source::Text(d.to_string())));
                }
            } else if c.generated == 0
                && has(like_option::DEFAULTS)
                && let Some(d) = &c.default
            {
                self.defaults.push((at, Source::Text(d.to_string())));
            }
            if c.identity != 0 && has(like_option::IDENTITY) {
                n.identity = c.identity;
                let options = SequenceOptions::default();
                self.serials.push(Serial {
                    column: at,
                    ty: c.type_oid,
                    identity: c.identity,
                    options,
                    sequence: None,
                });
            }
            self.columns.push(n);
        }
        if has(like_option::CONSTRAINTS) {
            for k in source.checks() {
                if let Some(have) = self.inherited_checks.iter_mut().find(|i| i.name == k.conname.as_str()) {
                    let text = format!("merging constraint \"{}\" with inherited definition", k.conname);
                    ctx::notice(host, PgError::notice(text));
                    have.is_local = true;
                    continue;
                }
                self.inherited_checks.push(InheritedCheck {
                    name: k.conname.to_string(),
                    text: k.conbin.as_ref().map(|b| b.to_string()).unwrap_or_default(),
                    enforced: k.conenforced,
                    is_local: true,
                    inherited: 0,
                });
            }
        }
        Ok(())
    }

    /// A written column.
    pub fn column(&mut self, host: &dyn CommandHost, def: &ColumnDef) -> PgResult<()> {
        let Some(ty) = &def.type_name else { return self.typed_column_options(def) };
        let serial = serial_type(ty);
        let mut column = match serial {
            Some(t) => {
                if !ty.array_bounds.is_empty() {
                    return Err(PgError::unsupported("array of serial is not implemented").at(ty.location));
                }
                NewColumn::new(def.colname.clone(), t, -1, Oid::INVALID)
            }
            None => column_of(host, def, ty)?,
        };
        if let Some(i) = self.columns.iter().position(|c| c.name == def.colname) {
            if self.columns[i].is_local {
                bail!(DUPLICATE_COLUMN, "column \"{}\" specified more than once", def.colname);
            }
            ctx::notice(
                host,
                PgError::notice(format!("merging column \"{}\" with inherited definition", def.colname)),
            );
            let s = host.snapshot();
            let have = &self.columns[i];
            if have.ty != column.ty || have.typmod != column.typmod {
                let shown = |t, m| {
                    format_type::format_type(&s, &pglite_catalog::SearchPath::catalog_only(), t, Some(m))
                };
                return Err(err!(DATATYPE_MISMATCH, "column \"{}\" has a type conflict", def.colname)
                    .detail(format!(
                        "{} versus {}",
                        shown(have.ty, have.typmod),
                        shown(column.ty, column.typmod)
                    )));
            }
            self.columns[i].is_local = true;
            return self.column_options(host, def, i, serial);
        }
        column.is_local = true;
        self.columns.push(column);
        let at = self.columns.len() - 1;
        self.column_options(host, def, at, serial)
    }

    fn typed_column_options(&mut self, def: &ColumnDef) -> PgResult<()> {
        let Some(i) = self.columns.iter().position(|c| c.name == def.colname) else {
            bail!(UNDEFINED_COLUMN, "column \"{}\" does not exist", def.colname);
        };
        self.plain_constraints(def, i)
    }

    fn column_options(
        &mut self,
        host: &dyn CommandHost,
        def: &ColumnDef,
        i: usize,
        serial: Option<Oid>,
    ) -> PgResult<()> {
        if let Some(ty) = serial {
            self.serials.push(Serial {
                column: i,
                ty,
                identity: 0,
                options: SequenceOptions::default(),
                sequence: None,
            });
            self.need_not_null(i, None, false, false)?;
        }
        for c in def.constraints.iter().filter(|c| c.contype == ConstrType::Identity) {
            let ty = self.columns[i].ty;
            if !matches!(ty, oid::INT2 | oid::INT4 | oid::INT8) {
                bail!(INVALID_PARAMETER_VALUE, "identity column type must be smallint, integer, or bigint");
            }
            let identity = c.generated_when.map_or(b'd', |w| w as u8);
            self.columns[i].identity = identity;
            let options = SequenceOptions::parse(host, &c.options, Some(ty))?;
            self.serials.push(Serial { column: i, ty, identity, options, sequence: None });
            self.need_not_null(i, None, false, false)?;
        }
        self.plain_constraints(def, i)
    }

    /// Notes that a column is NOT NULL; `in_table`: said by a table constraint.
    fn need_not_null(
        &mut self,
        i: usize,
        name: Option<String>,
        no_inherit: bool,
        in_table: bool,
    ) -> PgResult<()> {
        self.columns[i].not_null = true;
        let column = self.columns[i].name.clone();
        match self.not_nulls.iter_mut().find(|n| n.column == column) {
            Some(n) => {
                if n.is_local && n.no_inherit != no_inherit {
                    let text = if in_table {
                        "conflicting NO INHERIT declaration for not-null constraint on column"
                    } else {
                        "conflicting NO INHERIT declarations for not-null constraints on column"
                    };
                    return Err(PgError::syntax(format!("{text} \"{column}\"")));
                }
                if n.is_local
                    && let (Some(old), Some(new)) = (&n.name, &name)
                    && old != new
                {
                    return Err(PgError::syntax(format!(
                        "conflicting not-null constraint names \"{old}\" and \"{new}\""
                    )));
                }
                n.is_local = true;
                n.name = n.name.take().or(name);
            }
            None => self.not_nulls.push(NotNull { name, no_inherit, ..NotNull::local(&column) }),
        }
        Ok(())
    }

    fn plain_constraints(&mut self, def: &ColumnDef, i: usize) -> PgResult<()> {
        let mut saw_null = false;
        let mut saw_default = false;
        for c in &super::attributes::apply(&def.constraints)? {
            match c.contype {
                ConstrType::Null => {
                    if self.columns[i].not_null {
                        return Err(conflict(&def.colname, &self.table, c.location));
                    }
                    saw_null = true;
                }
                ConstrType::NotNull => {
                    if saw_null {
                        return Err(conflict(&def.colname, &self.table, c.location));
                    }
                    self.need_not_null(i, c.conname.clone(), c.is_no_inherit, false)?;
                }
                ConstrType::Default => {
                    if saw_default || self.serials.iter().any(|s| s.column == i && s.identity == 0) {
                        return Err(PgError::syntax(format!(
                            "multiple default values specified for column \"{}\" of table \"{}\"",
                            def.colname, self.table
                        ))
                        .at(c.location));
                    }
                    saw_default = true;
                    self.defaults.retain(|(at, _)| *at != i);
                    if let Some(e) = &c.raw_expr {
                        self.defaults.push((i, Source::Expr(e.clone(), 0)));
                    }
                }
                ConstrType::Generated => {
                    let kind = c.generated_kind.map_or(b's', |k| k as u8);
                    self.columns[i].generated = kind;
                    self.defaults.retain(|(at, _)| *at != i);
                    if saw_default {
                        return Err(PgError::syntax(format!(
                            "both default and generation expression specified for column \"{}\" of table \"{}\"",
                            def.colname, self.table
                        ))
                        .at(c.location));
                    }
                    if let Some(e) = &c.raw_expr {
                        self.defaults.push((i, Source::Expr(e.clone(), kind)));
                    }
                }
                ConstrType::Primary | ConstrType::Unique => {
                    let mut c = c.clone();
                    if c.keys.is_empty() {
                        c.keys = vec![def.colname.clone()];
                    }
                    if c.contype == ConstrType::Primary {
                        self.need_not_null(i, None, false, false)?;
                    }
                    self.constraints.push(c);
                }
                ConstrType::Check => self.constraints.push(c.clone()),
                ConstrType::Foreign => {
                    let mut c = c.clone();
                    c.fk_attrs = vec![def.colname.clone()];
                    self.constraints.push(c);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// PRIMARY KEY columns become NOT NULL.
    pub fn primary_key_columns(&mut self, constraints: &[Constraint]) -> PgResult<()> {
        for c in constraints.iter().filter(|c| c.contype == ConstrType::Primary) {
            for key in &c.keys {
                let Some(i) = self.columns.iter().position(|n| n.name == *key) else {
                    return Err(
                        err!(UNDEFINED_COLUMN, "column \"{key}\" named in key does not exist").at(c.location)
                    );
                };
                self.need_not_null(i, None, false, false)?;
            }
        }
        Ok(())
    }

    /// `NOT NULL column` as a table constraint.
    pub fn table_not_nulls(&mut self, constraints: &[Constraint]) -> PgResult<()> {
        for c in constraints.iter().filter(|c| c.contype == ConstrType::NotNull) {
            for key in &c.keys {
                let Some(i) = self.columns.iter().position(|n| n.name == *key) else {
                    bail!(UNDEFINED_COLUMN, "column \"{key}\" of relation \"{}\" does not exist", self.table);
                };
                self.need_not_null(i, c.conname.clone(), c.is_no_inherit, true)?;
            }
        }
        Ok(())
    }

    pub fn create_sequences(&mut self, host: &dyn CommandHost, persistence: u8) -> PgResult<()> {
        for serial in &mut self.serials {
            let column = self.columns[serial.column].name.clone();
            let s = host.snapshot();
            let namespace = self.namespace;
            let name = ctx::choose_name(&self.table, Some(&column), "seq", &|n| {
                s.class_by_name(namespace, n).is_some()
            });
            let options = serial.options.clone().for_type(serial.ty);
            serial.sequence = Some(sequence::create_sequence(host, &name, namespace, persistence, &options)?);
        }
        Ok(())
    }

    /// Sequences belong to their columns; serial columns get their default.
    pub fn own_sequences(&self, host: &dyn CommandHost, table: Oid) -> PgResult<()> {
        for serial in &self.serials {
            let Some(seq) = serial.sequence else { continue };
            let attnum = serial.column as i16 + 1;
            sequence::set_owner_column(host, seq, table, attnum, serial.identity != 0)?;
            if serial.identity == 0 {
                let s = host.snapshot();
                let path = pglite_catalog::SearchPath::catalog_only();
                let name = format_type::relation_name(&s, &path, seq).unwrap_or_default();
                let text = format!("nextval({}::regclass)", pglite_catalog::names::quote_literal(&name));
                let refs = vec![pglite_catalog::ObjectAddress::relation(seq)];
                super::constraints::store_default_with(host, table, attnum, text, refs)?;
            }
        }
        Ok(())
    }

    /// The new sequence behind a column.
    pub fn sequence_of(&self, attnum: i16) -> Option<Oid> {
        self.serials.iter().find(|s| s.column as i16 + 1 == attnum).and_then(|s| s.sequence)
    }

    /// Written defaults: attnum, expression, generation kind.
    pub fn defaults(&self) -> Vec<(i16, Expr, u8)> {
        self.defaults
            .iter()
            .filter_map(|(i, s)| match s {
                Source::Expr(e, kind) => Some((*i as i16 + 1, e.clone(), *kind)),
                Source::Text(_) => None,
            })
            .collect()
    }
    /// Stored texts taken over from other tables.
    pub fn copied_defaults(&self) -> Vec<(i16, String)> {
        self.defaults
            .iter()
            .filter_map(|(i, s)| match s {
                Source::Text(t) => Some((*i as i16 + 1, t.clone())),
                Source::Expr(..) => None,
            })
            .collect()
    }
}

fn conflict(column: &str, table: &str, location: i32) -> PgError {
    PgError::syntax(format!(
        "conflicting NULL/NOT NULL declarations for column \"{column}\" of table \"{table}\""
    ))
    .at(location)
}
