//! Rows and names of new objects.

use pglite_catalog::create::{self, IndexUse};
use pglite_catalog::rows::*;
use pglite_catalog::well_known::*;
use pglite_catalog::{CatalogTxn, Snapshot};
use pglite_types::{Oid, oid};

#[test]
fn made_up_names() {
    let s = Snapshot::builtin(DB_POSTGRES);
    assert_eq!(create::choose_index_name(&s, "t", PUBLIC_SCHEMA, &["a", "b"], IndexUse::Plain), "t_a_b_idx");
    assert_eq!(create::choose_index_name(&s, "t", PUBLIC_SCHEMA, &[], IndexUse::PrimaryKey), "t_pkey");
    let long = "x".repeat(60);
    let name = create::object_name(&long, Some(&long), Some("key"));
    assert_eq!(name, format!("{}_{}_key", &long[..29], &long[..29]));
    assert_eq!(create::array_type_name(&s, "int4", PG_CATALOG), "_int4_1");
    assert_eq!(create::array_type_name(&s, "t", PUBLIC_SCHEMA), "_t");
    assert_eq!(create::multirange_type_name("frange"), "fmultirange");
    assert_eq!(create::multirange_type_name("span"), "span_multirange");
}

#[test]
fn rows_of_a_new_table_are_like_the_built_in_ones() {
    let s = Snapshot::builtin(DB_POSTGRES);
    let built_in: Vec<AttributeRow> = s.attributes(Oid(1259)).cloned().collect();
    for a in &built_in {
        let ndims = a.attndims;
        let mut made =
            create::attribute(&s, a.attrelid, a.attnum, &a.attname, a.atttypid, -1, a.attcollation, ndims);
        made.attnotnull = a.attnotnull;
        assert_eq!(&made, a);
    }
    let row_type = s.type_by_oid(Oid(83)).unwrap();
    let made =
        create::composite_type(&s, Oid(83), "pg_class", PG_CATALOG, SUPERUSER, Oid(1259), row_type.typarray);
    assert_eq!(&made, row_type);
    let element = s.type_by_oid(oid::INT4).unwrap();
    assert_eq!(
        &create::array_type(&s, oid::INT4_ARRAY, "_int4", element),
        s.type_by_oid(oid::INT4_ARRAY).unwrap()
    );
    let numeric = s.type_by_oid(oid::NUMERIC).unwrap();
    let range = s.type_by_oid(oid::NUMRANGE).unwrap();
    assert_eq!(
        &create::range_type(&s, oid::NUMRANGE, "numrange", PG_CATALOG, SUPERUSER, numeric, range.typarray),
        range
    );
    let mut t = CatalogTxn::new(s);
    let class = create::class(Oid(20000), "t", PUBLIC_SCHEMA, SUPERUSER, b'r', b'p');
    t.insert(class);
    for a in create::system_attributes(&t.snapshot().clone(), Oid(20000)) {
        t.insert(a);
    }
    assert_eq!(t.snapshot().attributes(Oid(20000)).count(), 6);
}
