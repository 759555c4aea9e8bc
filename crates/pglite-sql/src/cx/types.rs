//! [`TypeEnv`]: what input and output functions ask.

use std::sync::Arc;

use pglite_catalog::generated::rows::{EnumRow, TypeRow};
use pglite_catalog::{Key, Snapshot};
use pglite_error::{PgResult, err};
use pglite_types::{AttrDesc, Datum, IoSettings, Oid, TypeDesc, TypeEnv, TypeKind};

use super::Cx;

impl TypeEnv for Cx<'_> {
    fn settings(&self) -> &IoSettings {
        &self.io
    }
    fn type_desc(&self, oid: Oid) -> PgResult<Arc<TypeDesc>> {
        self.core.relations.type_desc(self.generation, oid, || {
            let row = self
                .catalog
                .type_by_oid(oid)
                .ok_or_else(|| err!(UNDEFINED_OBJECT, "cache lookup failed for type {oid}"))?;
            Ok(describe(self, row))
        })
    }
    fn transaction_timestamp(&self) -> i64 {
        self.core.transaction_start()
    }
    fn reg_in(&self, kind: Oid, name: &str) -> PgResult<Oid> {
        super::reg::reg_in(self, kind, name)
    }
    fn reg_out(&self, kind: Oid, oid: Oid) -> PgResult<String> {
        super::reg::reg_out(self, kind, oid)
    }
    fn check_domain(&self, domain: Oid, value: &Datum) -> PgResult<()> {
        pglite_exec::expr::check_domain(&self.exec_env(), domain, value)
    }
}

fn describe(cx: &Cx<'_>, row: &TypeRow) -> TypeDesc {
    let s: &Snapshot = &cx.catalog;
    let kind = match row.typtype {
        b'c' => TypeKind::Composite,
        b'd' => TypeKind::Domain,
        b'e' => TypeKind::Enum,
        b'p' => TypeKind::Pseudo,
        b'r' => TypeKind::Range,
        b'm' => TypeKind::Multirange,
        _ => TypeKind::Base,
    };
    let subtype = match kind {
        TypeKind::Range => s.range(row.oid).map_or(Oid::INVALID, |r| r.rngsubtype),
        TypeKind::Multirange => s.range_of_multirange(row.oid).map_or(Oid::INVALID, |r| r.rngtypid),
        _ => Oid::INVALID,
    };
    TypeDesc {
        oid: row.oid,
        name: pglite_catalog::format_type::format_type_be(s, &cx.path, row.oid).into(),
        kind,
        len: row.typlen,
        delim: row.typdelim,
        elem: s.element_type(row.oid).unwrap_or(Oid::INVALID),
        array: row.typarray,
        base: row.typbasetype,
        base_typmod: row.typtypmod,
        attrs: if kind == TypeKind::Composite { attributes(s, row.typrelid) } else { Arc::new([]) },
        labels: if kind == TypeKind::Enum { labels(s, row.oid) } else { Arc::new([]) },
        subtype,
        collation: row.typcollation,
    }
}

fn attributes(s: &Snapshot, rel: Oid) -> Arc<[AttrDesc]> {
    s.attributes(rel)
        .filter(|a| a.attnum > 0)
        .map(|a| AttrDesc {
            name: a.attname.to_arc(),
            type_oid: a.atttypid,
            typmod: a.atttypmod,
            dropped: a.attisdropped,
        })
        .collect()
}

fn labels(s: &Snapshot, enum_type: Oid) -> Arc<[(Oid, Arc<str>, f32)]> {
    s.scan::<EnumRow>(EnumRow::BY_TYPID_SORTORDER, &Key::new().oid(enum_type))
        .map(|l| (l.oid, l.enumlabel.to_arc(), l.enumsortorder))
        .collect()
}
