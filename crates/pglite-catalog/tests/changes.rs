//! Transactions over the catalogs: overlay, savepoints, rebase, commit, reload.

use pglite_catalog::rows::*;
use pglite_catalog::well_known::*;
use pglite_catalog::{CatalogStore, CatalogTxn, Key, Snapshot};
use pglite_types::{Oid, oid};

fn schema(oid: u32, name: &str) -> NamespaceRow {
    NamespaceRow { oid: Oid(oid), nspname: name.into(), nspowner: SUPERUSER, nspacl: None }
}

/// A table like pg_database's row type, with one column.
fn table(s: &Snapshot, oid: u32, name: &str) -> (ClassRow, AttributeRow) {
    let mut class = s.class_by_oid(Oid(1259)).unwrap().clone();
    class.oid = Oid(oid);
    class.relname = name.into();
    class.relnamespace = PUBLIC_SCHEMA;
    class.relhasindex = false;
    let mut attr = s.attribute(Oid(1259), 1).unwrap().clone();
    attr.attrelid = Oid(oid);
    attr.attname = "a".into();
    attr.atttypid = oid::INT4;
    (class, attr)
}

#[test]
fn overlay_and_savepoints() {
    let store = CatalogStore::new();
    let mut t = CatalogTxn::new(store.snapshot(DB_POSTGRES).unwrap());
    t.insert(schema(20000, "s1"));
    let mark = t.mark();
    t.insert(schema(20001, "s2"));
    assert!(t.delete::<NamespaceRow>(PUBLIC_SCHEMA));
    assert!(t.snapshot().namespace_by_name("public").is_none());
    assert_eq!(t.snapshot().iter::<NamespaceRow>().count(), 5);
    t.rollback_to(&mark);
    assert!(t.snapshot().namespace_by_name("public").is_some());
    assert!(t.snapshot().namespace_by_name("s2").is_none());
    assert!(t.snapshot().namespace_by_name("s1").is_some());
    assert!(store.snapshot(DB_POSTGRES).unwrap().namespace_by_name("s1").is_none());
    assert_eq!(t.changes().unwrap().len(), 1);
}

#[test]
fn descriptors_follow_changes() {
    let store = CatalogStore::new();
    let mut t = CatalogTxn::new(store.snapshot(DB_POSTGRES).unwrap());
    let (class, attr) = table(t.snapshot(), 20000, "t");
    t.insert(class);
    t.insert(attr);
    assert_eq!(t.snapshot().rel(Oid(20000)).unwrap().columns.len(), 1);
    t.modify::<AttributeRow>(Key::new().oid(Oid(20000)).with(&1i16), |a| a.attname = "b".into());
    assert!(t.snapshot().rel(Oid(20000)).unwrap().column("b").is_some());
    let base = store.snapshot(DB_POSTGRES).unwrap();
    assert!(base.rel(Oid(20000)).is_none());
    store.begin_commit(t).unwrap().publish().unwrap();
    assert!(store.snapshot(DB_POSTGRES).unwrap().rel(Oid(20000)).unwrap().column("b").is_some());
    assert!(store.snapshot(DB_TEMPLATE1).unwrap().rel(Oid(20000)).is_none());
}

#[test]
fn commit_reload_and_conflicts() {
    let store = CatalogStore::new();
    let base = store.snapshot(DB_POSTGRES).unwrap();
    let (mut a, mut b, mut c) =
        (CatalogTxn::new(base.clone()), CatalogTxn::new(base.clone()), CatalogTxn::new(base));
    a.insert(schema(20000, "s1"));
    a.delete::<NamespaceRow>(PUBLIC_SCHEMA);
    a.modify::<AuthidRow>(SUPERUSER, |r| r.rolconnlimit = 7);
    let guard = store.begin_commit(a).unwrap();
    let writes = guard.writes().unwrap();
    assert_eq!(guard.publish().unwrap(), 1);

    b.insert(schema(20001, "s1"));
    let e = store.begin_commit(b).unwrap_err();
    assert_eq!(e.message(), "duplicate key value violates unique constraint \"pg_namespace_nspname_index\"");
    assert_eq!(e.fields().detail.as_deref(), Some("Key (nspname)=(s1) already exists."));
    c.modify::<NamespaceRow>(PUBLIC_SCHEMA, |n| n.nspowner = Oid(3373));
    assert_eq!(store.begin_commit(c).unwrap_err().message(), "tuple concurrently updated");

    let pairs = writes.into_iter().filter_map(|(k, v)| Some((k, v?)));
    let again = CatalogStore::load(pairs, 20002).unwrap();
    let s = again.snapshot(DB_POSTGRES).unwrap();
    assert!(s.namespace_by_name("s1").is_some() && s.namespace_by_name("public").is_none());
    assert_eq!(again.snapshot(DB_TEMPLATE1).unwrap().role_by_oid(SUPERUSER).unwrap().rolconnlimit, 7);
    assert_eq!(again.allocate_oid(), Oid(20002));
}

#[test]
fn rebase_keeps_both_sides() {
    let store = CatalogStore::new();
    let base = store.snapshot(DB_POSTGRES).unwrap();
    let (mut a, mut b) = (CatalogTxn::new(base.clone()), CatalogTxn::new(base));
    a.insert(schema(20000, "s1"));
    b.insert(schema(20001, "s2"));
    store.begin_commit(a).unwrap().publish().unwrap();
    b.rebase(store.snapshot(DB_POSTGRES).unwrap());
    assert!(b.snapshot().namespace_by_name("s1").is_some() && b.snapshot().namespace_by_name("s2").is_some());
    b.modify::<NamespaceRow>(Oid(20000), |n| n.nspname = "s3".into());
    store.begin_commit(b).unwrap().publish().unwrap();
    let s = store.snapshot(DB_POSTGRES).unwrap();
    assert!(s.namespace_by_name("s3").is_some() && s.namespace_by_name("s1").is_none());
}
