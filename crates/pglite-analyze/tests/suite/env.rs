//! A session's stand-in for analysis: the built-in catalog plus tables made by the test.
#![allow(dead_code)]

use std::sync::Arc;

use pglite_analyze::AnalyzeEnv;
use pglite_catalog::rows::ConstraintRow;
use pglite_catalog::well_known::{DB_POSTGRES, PUBLIC_SCHEMA, SUPERUSER};
use pglite_catalog::{CatalogTxn, SearchPath, Snapshot, create, reg};
use pglite_error::{PgError, PgResult};
use pglite_types::datetime::{DateOrder, DateStyle, IntervalStyle, TimeZone};
use pglite_types::{Datum, IoSettings, Oid, TypeDesc, TypeEnv};

/// One column of a test table.
pub struct Column {
    pub name: String,
    pub ty: Oid,
    pub typmod: i32,
    pub collation: Oid,
    pub not_null: bool,
    pub default: Option<String>,
    pub identity: u8,
    pub generated: u8,
}

impl Column {
    pub fn new(name: &str, ty: Oid) -> Column {
        Column {
            name: name.into(),
            ty,
            typmod: -1,
            collation: Oid::INVALID,
            not_null: false,
            default: None,
            identity: 0,
            generated: 0,
        }
    }
}

pub struct Env {
    snapshot: Arc<Snapshot>,
    path: SearchPath,
    io: IoSettings,
    next: u32,
}

impl Env {
    pub fn new() -> Env {
        let snapshot = Arc::new(Snapshot::builtin(DB_POSTGRES));
        let path = SearchPath::resolve(&snapshot, "\"$user\", public", SUPERUSER, None);
        let io = IoSettings {
            date_style: DateStyle::Postgres,
            date_order: DateOrder::Mdy,
            interval_style: IntervalStyle::PostgresVerbose,
            timezone: TimeZone::lookup("America/Los_Angeles").expect("time zone"),
            extra_float_digits: 1,
            bytea_hex: true,
            xml_document: false,
            quote_all_identifiers: false,
            array_nulls: true,
        };
        Env { snapshot, path, io, next: 20000 }
    }

    /// Adds a table; `pkey` lists the primary key's columns.
    pub fn table(&mut self, name: &str, kind: u8, columns: &[Column], pkey: &[i16]) -> Oid {
        let mut t = CatalogTxn::new((*self.snapshot).clone());
        let (rel, row_type, array) = (Oid(self.next), Oid(self.next + 1), Oid(self.next + 2));
        self.next += 10;
        let mut class = create::class(rel, name, PUBLIC_SCHEMA, SUPERUSER, kind, b'p');
        class.reltype = row_type;
        class.relnatts = columns.len() as i16;
        t.insert(class);
        let base = t.snapshot().clone();
        let row = create::composite_type(&base, row_type, name, PUBLIC_SCHEMA, SUPERUSER, rel, array);
        t.insert(create::array_type(&base, array, &format!("_{name}"), &row));
        t.insert(row);
        for (i, c) in columns.iter().enumerate() {
            let collation = base.type_by_oid(c.ty).map_or(Oid::INVALID, |t| t.typcollation);
            let collation = if c.collation.is_valid() { c.collation } else { collation };
            let mut a = create::attribute(&base, rel, i as i16 + 1, &c.name, c.ty, c.typmod, collation, 0);
            a.attnotnull = c.not_null;
            a.attidentity = c.identity;
            a.attgenerated = c.generated;
            a.atthasdef = c.default.is_some();
            t.insert(a);
            if let Some(d) = &c.default {
                t.insert(pglite_catalog::rows::AttrdefRow {
                    oid: Oid(self.next),
                    adrelid: rel,
                    adnum: i as i16 + 1,
                    adbin: d.as_str().into(),
                });
                self.next += 1;
            }
        }
        if !pkey.is_empty() {
            t.insert(primary_key(Oid(self.next), &format!("{name}_pkey"), rel, pkey));
            self.next += 1;
        }
        self.snapshot = Arc::new(t.snapshot().clone());
        rel
    }

    /// Adds a unique btree index.
    #[allow(clippy::too_many_arguments)]
    pub fn unique_index(
        &mut self,
        table: &str,
        name: &str,
        keys: &[i16],
        classes: &[Oid],
        collations: &[Oid],
        exprs: Option<String>,
        predicate: Option<String>,
    ) {
        let Some(rel) = self.path.find_relation(&self.snapshot, table).map(|c| c.oid) else { return };
        let mut t = CatalogTxn::new((*self.snapshot).clone());
        let oid = Oid(self.next);
        self.next += 1;
        let mut class = create::class(oid, name, PUBLIC_SCHEMA, SUPERUSER, b'i', b'p');
        class.relam = Oid(403);
        t.insert(class);
        t.modify::<pglite_catalog::rows::ClassRow>(rel, |c| c.relhasindex = true);
        t.insert(pglite_catalog::rows::IndexRow {
            indexrelid: oid,
            indrelid: rel,
            indnatts: keys.len() as i16,
            indnkeyatts: classes.len() as i16,
            indisunique: true,
            indnullsnotdistinct: false,
            indisprimary: false,
            indisexclusion: false,
            indimmediate: true,
            indisclustered: false,
            indisvalid: true,
            indcheckxmin: false,
            indisready: true,
            indislive: true,
            indisreplident: false,
            indkey: keys.to_vec().into(),
            indcollation: collations.to_vec().into(),
            indclass: classes.to_vec().into(),
            indoption: vec![0i16; keys.len()].into(),
            indexprs: exprs.as_deref().map(Into::into),
            indpred: predicate.as_deref().map(Into::into),
        });
        self.snapshot = Arc::new(t.snapshot().clone());
    }

    pub fn type_named(&self, name: &str) -> Option<Oid> {
        self.path.find_type(&self.snapshot, name).map(|t| t.oid)
    }
}

fn primary_key(oid: Oid, name: &str, rel: Oid, keys: &[i16]) -> ConstraintRow {
    ConstraintRow {
        oid,
        conname: name.into(),
        connamespace: PUBLIC_SCHEMA,
        contype: b'p',
        condeferrable: false,
        condeferred: false,
        conenforced: true,
        convalidated: true,
        conrelid: rel,
        contypid: Oid::INVALID,
        conindid: Oid::INVALID,
        conparentid: Oid::INVALID,
        confrelid: Oid::INVALID,
        confupdtype: b' ',
        confdeltype: b' ',
        confmatchtype: b' ',
        conislocal: true,
        coninhcount: 0,
        connoinherit: true,
        conperiod: false,
        conkey: Some(keys.to_vec().into()),
        confkey: None,
        conpfeqop: None,
        conppeqop: None,
        conffeqop: None,
        confdelsetcols: None,
        conexclop: None,
        conbin: None,
    }
}

impl AnalyzeEnv for Env {
    fn catalog(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }
    fn search_path(&self) -> &SearchPath {
        &self.path
    }
    fn type_env(&self) -> &dyn TypeEnv {
        self
    }
    fn current_user(&self) -> Oid {
        SUPERUSER
    }
    fn setting(&self, _: &str) -> Option<String> {
        None
    }
    fn notice(&self, _: PgError) {}
}

impl TypeEnv for Env {
    fn settings(&self) -> &IoSettings {
        &self.io
    }
    fn type_desc(&self, t: Oid) -> PgResult<Arc<TypeDesc>> {
        self.snapshot.type_desc(t).ok_or_else(|| PgError::internal(format!("no type {t}")))
    }
    fn transaction_timestamp(&self) -> i64 {
        817_000_000_000_000
    }
    fn reg_in(&self, kind: Oid, name: &str) -> PgResult<Oid> {
        reg::reg_in(&self.snapshot, &self.path, kind, name)
    }
    fn reg_out(&self, kind: Oid, o: Oid) -> PgResult<String> {
        Ok(reg::reg_out(&self.snapshot, &self.path, kind, o))
    }
    fn check_domain(&self, _: Oid, _: &Datum) -> PgResult<()> {
        Ok(())
    }
}
