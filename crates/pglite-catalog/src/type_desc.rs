//! `TypeDesc`: what the I/O functions of `pglite-types` need to know about a type, cached in the snapshot.

use std::sync::Arc;

use pglite_types::{AttrDesc, Oid, TypeDesc, TypeKind};

use crate::format_type::format_type_be;
use crate::search_path::SearchPath;
use crate::snapshot::Snapshot;
use crate::well_known::PUBLIC_SCHEMA;

pub(crate) fn build(s: &Snapshot, oid: Oid) -> Option<TypeDesc> {
    let t = s.type_by_oid(oid)?;
    let kind = match t.typtype {
        b'c' => TypeKind::Composite,
        b'd' => TypeKind::Domain,
        b'e' => TypeKind::Enum,
        b'p' => TypeKind::Pseudo,
        b'r' => TypeKind::Range,
        b'm' => TypeKind::Multirange,
        _ => TypeKind::Base,
    };
    let attrs: Vec<AttrDesc> = if t.typrelid.is_valid() {
        s.attributes(t.typrelid)
            .filter(|a| a.attnum > 0)
            .map(|a| AttrDesc {
                name: a.attname.to_arc(),
                type_oid: a.atttypid,
                typmod: a.atttypmod,
                dropped: a.attisdropped,
            })
            .collect()
    } else {
        Vec::new()
    };
    let mut labels: Vec<(Oid, Arc<str>, f32)> = Vec::new();
    if kind == TypeKind::Enum {
        labels.extend(s.enum_labels(oid).map(|e| (e.oid, e.enumlabel.to_arc(), e.enumsortorder)));
        labels.sort_by(|a, b| a.2.total_cmp(&b.2));
    }
    let subtype = match kind {
        TypeKind::Range => s.range(oid).map(|r| r.rngsubtype),
        TypeKind::Multirange => s.range_of_multirange(oid).map(|r| r.rngtypid),
        _ => None,
    };
    // Names in messages are those that most sessions see.
    let mut path = SearchPath::catalog_only();
    path.schemas.push(PUBLIC_SCHEMA);
    Some(TypeDesc {
        oid,
        name: format_type_be(s, &path, oid).into(),
        kind,
        len: t.typlen,
        delim: t.typdelim,
        elem: s.element_type(oid).unwrap_or_default(),
        array: t.typarray,
        base: t.typbasetype,
        base_typmod: t.typtypmod,
        attrs: attrs.into(),
        labels: labels.into(),
        subtype: subtype.unwrap_or_default(),
        collation: t.typcollation,
    })
}
