//! Deletion order and messages, on a table with a view, a default and an owned sequence.

use pglite_catalog::depend::{find_deletion, remove_object};
use pglite_catalog::rows::*;
use pglite_catalog::well_known::*;
use pglite_catalog::{CatalogTxn, DependencyType, ObjectAddress, SearchPath, Snapshot};
use pglite_types::{Oid, oid};

fn relation(t: &mut CatalogTxn, oid: u32, name: &str, kind: u8) {
    let mut class = t.snapshot().class_by_oid(Oid(1259)).unwrap().clone();
    class.oid = Oid(oid);
    class.relname = name.into();
    class.relnamespace = PUBLIC_SCHEMA;
    class.relkind = kind;
    class.relhasindex = false;
    t.insert(class);
    let mut attr = t.snapshot().attribute(Oid(1259), 1).unwrap().clone();
    attr.attrelid = Oid(oid);
    attr.attname = "a".into();
    attr.atttypid = oid::INT4;
    attr.atthasdef = kind == b'r';
    t.insert(attr);
}

fn setup() -> CatalogTxn {
    let mut t = CatalogTxn::new(Snapshot::builtin(DB_POSTGRES));
    relation(&mut t, 20000, "t", b'r');
    relation(&mut t, 20001, "v", b'v');
    relation(&mut t, 20002, "t_a_seq", b'S');
    let (table, view, seq) = (
        ObjectAddress::relation(Oid(20000)),
        ObjectAddress::relation(Oid(20001)),
        ObjectAddress::relation(Oid(20002)),
    );
    let column = ObjectAddress::column(Oid(20000), 1);
    t.insert(AttrdefRow {
        oid: Oid(20003),
        adrelid: Oid(20000),
        adnum: 1,
        adbin: "nextval('t_a_seq'::regclass)".into(),
    });
    let default = ObjectAddress::of::<AttrdefRow>(Oid(20003));
    t.insert(RewriteRow {
        oid: Oid(20004),
        rulename: "_RETURN".into(),
        ev_class: Oid(20001),
        ev_type: b'1',
        ev_enabled: b'O',
        is_instead: true,
        ev_qual: "".into(),
        ev_action: "SELECT a FROM t".into(),
    });
    let rule = ObjectAddress::of::<RewriteRow>(Oid(20004));
    t.record_dependency(table, ObjectAddress::schema(PUBLIC_SCHEMA), DependencyType::Normal);
    t.record_dependency(view, ObjectAddress::schema(PUBLIC_SCHEMA), DependencyType::Normal);
    t.record_dependency(rule, view, DependencyType::Internal);
    t.record_dependency(rule, view, DependencyType::Normal);
    t.record_dependency(rule, column, DependencyType::Normal);
    t.record_dependency(default, column, DependencyType::Auto);
    t.record_dependency(default, seq, DependencyType::Normal);
    t.record_dependency(seq, column, DependencyType::Auto);
    t
}

#[test]
fn restrict_names_the_dependents() {
    let t = setup();
    let s = t.snapshot();
    let path = SearchPath::resolve(s, "public", SUPERUSER, None);
    let e = find_deletion(s, &path, &[ObjectAddress::relation(Oid(20000))], false, false).unwrap_err();
    assert_eq!(e.message(), "cannot drop table t because other objects depend on it");
    assert_eq!(e.fields().detail.as_deref(), Some("view v depends on table t"));
    assert_eq!(e.fields().hint.as_deref(), Some("Use DROP ... CASCADE to drop the dependent objects too."));
    let e = find_deletion(s, &path, &[ObjectAddress::relation(Oid(20002))], false, false).unwrap_err();
    assert_eq!(
        e.fields().detail.as_deref(),
        Some("default value for column a of table t depends on sequence t_a_seq")
    );
    let e = find_deletion(s, &path, &[ObjectAddress::relation(Oid(1259))], true, false).unwrap_err();
    assert_eq!(e.message(), "cannot drop table pg_class because it is required by the database system");
    let e = find_deletion(s, &path, &[ObjectAddress::of::<RewriteRow>(Oid(20004))], true, false).unwrap_err();
    assert_eq!(e.message(), "cannot drop rule _RETURN on view v because view v requires it");
    assert_eq!(e.fields().hint.as_deref(), Some("You can drop view v instead."));
}

#[test]
fn cascade_takes_them_along() {
    let mut t = setup();
    let path = SearchPath::resolve(t.snapshot(), "public", SUPERUSER, None);
    let table = ObjectAddress::relation(Oid(20000));
    let d = find_deletion(t.snapshot(), &path, &[table], true, false).unwrap();
    assert_eq!(d.notice.unwrap().message(), "drop cascades to view v");
    assert_eq!(d.order.last(), Some(&table));
    assert_eq!(d.order.len(), 5);
    for a in &d.order {
        remove_object(&mut t, a).unwrap();
    }
    for oid in [20000, 20001, 20002] {
        assert!(t.snapshot().class_by_oid(Oid(oid)).is_none());
    }
    // All rows are gone again, so nothing would be written but deletions of keys that never were stored.
    assert!(t.changes().unwrap().iter().all(|c| c.row.is_none()));

    let mut t = setup();
    let d = find_deletion(t.snapshot(), &path, &[ObjectAddress::schema(PUBLIC_SCHEMA)], true, false).unwrap();
    let notice = d.notice.unwrap();
    assert_eq!(notice.message(), "drop cascades to 2 other objects");
    assert_eq!(notice.fields().detail.as_deref(), Some("drop cascades to table t\ndrop cascades to view v"));
    for a in &d.order {
        remove_object(&mut t, a).unwrap();
    }
    assert!(t.snapshot().namespace_by_name("public").is_none());
}
