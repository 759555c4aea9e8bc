//! Positions, ranges, index-only values, dropped spaces, counters.

use super::*;

#[test]
fn scans_come_in_position_order() {
    let db = Db::new();
    db.load(&[(1, 0), (2, 0), (3, 0), (4, 0)]);
    db.run(2, |s| s.set(2, 1).unwrap());
    db.run(2, |s| s.insert(5, 0).unwrap());
    db.run(2, |s| s.set(1, 1).unwrap());
    let s = db.rc(3);
    let (rows, meta) = s.read(&s.view());
    assert_eq!(rows.iter().map(|r| r.0).collect::<Vec<_>>(), [3, 4, 2, 5, 1]);
    assert_eq!(meta.positions, [2, 3, 4, 5, 6]);
    assert_eq!(position_to_tid(4), (0, 5));
    assert_eq!(tid_to_position(1, 1), Some(226));
    let mut scan = RowTable.scan(&s.txn, &s.view(), &db.table, &columns(&[0]), Direction::Backward).unwrap();
    let (mut out, mut meta) = (Batch::new(1), RowMeta::default());
    while scan.next_batch(&s.txn, &mut out, &mut meta, 2).unwrap() {}
    assert_eq!(out.rows().map(|r| int(&r[0])).collect::<Vec<_>>(), [1, 5, 2, 4, 3]);
}

#[test]
fn own_moved_rows_come_in_order_too() {
    let db = Db::new();
    db.load(&[(1, 0), (2, 0)]);
    let s = db.rc(2);
    s.set(1, 1).unwrap();
    s.insert(3, 0).unwrap();
    s.delete(2).unwrap();
    assert_eq!(s.all(), [(1, 1), (3, 0)]);
}

#[test]
fn index_ranges() {
    let db = Db::new();
    db.run(1, |s| (0..20).for_each(|id| s.insert(id * 2, 0).unwrap()));
    let s = db.rc(2);
    s.insert(11, 0).unwrap();
    s.delete(12).unwrap();
    let (low, high) = (Datum::Int4(8), Datum::Int4(14));
    let find = |lower, upper, dir| s.lookup(&db.key.range(&[], lower, upper).unwrap(), dir);
    let forward = Direction::Forward;
    assert_eq!(find(Some((&low, true)), Some((&high, false)), forward), [8, 10, 11]);
    assert_eq!(find(Some((&low, false)), Some((&high, true)), forward), [10, 11, 14]);
    assert_eq!(find(Some((&high, false)), None, Direction::Backward)[..2], [38, 36]);
    assert_eq!(find(None, Some((&low, false)), Direction::Backward), [6, 4, 2, 0]);
    let equal = |id: i32| s.lookup(&db.key.range(&[Datum::Int4(id)], None, None).unwrap(), forward);
    assert_eq!((equal(10), equal(12)), (vec![10], vec![]));
}

#[test]
fn keys_with_nulls_directions_and_stored_values() {
    let db = Db::new();
    let numeric = IndexColumn::new(PhysKind::Numeric, oid::NUMERIC, KeyOrder::DESC);
    let text = IndexColumn::new(PhysKind::Text, oid::TEXT, KeyOrder::ASC);
    let index = IndexRef::new(Oid(5), Oid(20000), Oid(16384), 20000, false, vec![numeric, text])
        .including(vec![PhysKind::Int8]);
    let index = Arc::new(index);
    let number = |s: &str| Datum::Numeric(pglite_types::numeric::parse(s).unwrap());
    let rows = [
        (number("1.50"), Datum::text("b"), Datum::Int8(1)),
        (number("1.5"), Datum::text("a"), Datum::Int8(2)),
        (number("22"), Datum::Null, Datum::Int8(3)),
        (Datum::Null, Datum::text("x"), Datum::Null),
    ];
    db.run(1, |s| {
        for (i, (a, b, c)) in rows.iter().enumerate() {
            let values = [a.clone(), b.clone(), c.clone()];
            KeyIndex.insert(&s.txn, &index, &values, RowId(i as u64)).unwrap();
        }
    });
    let s = db.rc(2);
    let scan = |range: &KeyRange| {
        let (mut out, mut ids) = (Batch::new(3), Vec::new());
        let mut scan = KeyIndex.scan(&s.txn, &s.view(), &index, range, true, Direction::Forward).unwrap();
        while scan.next_batch(&s.txn, &mut out, &mut ids, 100).unwrap() {}
        (ids, out)
    };
    let (ids, out) = scan(&KeyRange::default());
    assert_eq!(ids, [3, 2, 1, 0]);
    for (i, id) in ids.iter().enumerate() {
        let (a, b, c) = &rows[*id as usize];
        assert_eq!(format!("{:?}", out.row(i)), format!("{:?}", [a, b, c]));
    }
    let two = number("2");
    assert_eq!(scan(&index.range(&[], Some((&two, true)), None).unwrap()).0, [2]);
    assert_eq!(scan(&index.range(&[], None, Some((&two, true))).unwrap()).0, [1, 0]);
    assert_eq!(scan(&index.range(&[Datum::Null], None, None).unwrap()).0, [3]);
}

#[test]
fn enum_keys_sort_by_position() {
    let db = Db::new();
    let order: EnumOrder = [(Oid(10), 1.0), (Oid(12), 2.0), (Oid(14), 1.5)].into();
    let column =
        IndexColumn { enum_order: Some(order), ..IndexColumn::new(PhysKind::Oid, Oid(17000), KeyOrder::ASC) };
    let index = Arc::new(IndexRef::new(Oid(5), Oid(20000), Oid(16384), 20000, false, vec![column]));
    let s = db.rc(1);
    for label in [12, 14, 10] {
        KeyIndex.insert(&s.txn, &index, &[Datum::Oid(Oid(label))], RowId(label as u64)).unwrap();
    }
    s.txn.bump_command().unwrap();
    let (mut out, mut ids) = (Batch::new(1), Vec::new());
    let range = KeyRange::default();
    let mut scan = KeyIndex.scan(&s.txn, &s.view(), &index, &range, true, Direction::Forward).unwrap();
    while scan.next_batch(&s.txn, &mut out, &mut ids, 100).unwrap() {}
    assert_eq!(ids, [10, 14, 12]);
    assert_eq!(out.row(1)[0].as_oid(), Some(Oid(14)));
}

#[test]
fn a_dropped_space_is_gone_at_once_and_back_after_abort() {
    let db = Db::new();
    db.load(&[(1, 10), (2, 20)]);
    let s = db.rc(2);
    s.insert(3, 30).unwrap();
    let savepoint = s.txn.savepoint();
    s.txn.drop_space(db.table.space).unwrap();
    s.txn.bump_command().unwrap();
    assert_eq!(s.all(), []);
    assert_eq!(db.all().len(), 2);
    s.txn.rollback_to(&savepoint).unwrap();
    assert_eq!(s.all().len(), 3);
    s.txn.drop_space(db.table.space).unwrap();
    s.txn.drop_space(db.key.space).unwrap();
    s.txn.bump_command().unwrap();
    s.insert(1, 11).unwrap();
    assert_eq!(s.all(), [(1, 11)]);
    s.commit();
    assert_eq!(db.all(), [(1, 11)]);
}

#[test]
fn columns_added_later_read_as_their_missing_value() {
    let db = Db::new();
    db.load(&[(1, 10)]);
    let mut kinds = db.table.kinds.to_vec();
    kinds.extend([PhysKind::Int8, PhysKind::Text]);
    let missing = vec![None, None, None, Some(Datum::Int8(7))];
    let table = Arc::new(TableDesc::new(Oid(5), Oid(16384), 16384, kinds, missing));
    let s = db.rc(2);
    let (mut out, mut meta) = (Batch::new(3), RowMeta::default());
    let view = s.view();
    RowTable.fetch(&s.txn, &view, &table, &columns(&[4, 3, 1]), &[0], &mut out, &mut meta).unwrap();
    assert_eq!(format!("{:?}", out.row(0)), "[Null, Int8(7), Int4(10)]");
}

#[test]
fn counters_go_on_after_a_restart() {
    let store = Store::open(Env::memory(), Path::new("/db"), StoreOptions::in_memory()).unwrap();
    let store = Arc::new(store);
    let db = Db::on(store.clone());
    db.load(&[(1, 10), (2, 20)]);
    db.run(2, |s| s.set(1, 11).unwrap());
    db.run(2, |s| s.delete(2).unwrap());
    let stats = db.manager.table_stats(db.table.space).unwrap();
    assert_eq!((stats.inserted, stats.updated, stats.deleted, stats.live_rows), (2, 1, 1, 1));
    let xid = db.manager.peek_xid();
    db.manager.save_stats().unwrap();
    let again = Db::on(store);
    assert_eq!(again.manager.table_stats(db.table.space).unwrap().live_rows, 1);
    assert!(again.manager.peek_xid() >= xid);
    again.load(&[(3, 30)]);
    let s = again.rc(1);
    let (rows, meta) = s.read(&s.view());
    assert_eq!(rows, [(1, 11), (3, 30)]);
    assert!(meta.positions[1] >= 3);
}

#[test]
fn views_hold_the_horizon_back() {
    let db = Db::new();
    db.load(&[(1, 10)]);
    let s = db.rr(2);
    let view = s.view();
    db.run(3, |other| other.set(1, 11).unwrap());
    assert_eq!(db.manager.gc_horizon(), view.ts());
    drop(view);
    s.txn.abort();
    assert_eq!(db.manager.gc_horizon(), db.manager.store().published());
}

#[test]
fn a_copied_table_goes_on_behind_its_rows() {
    let db = Db::new();
    db.load(&[(1, 10), (2, 20)]);
    db.run(2, |s| s.set(1, 11).unwrap());
    let copy = TableDesc::new(Oid(6), Oid(16384), 16384, db.table.kinds.to_vec(), vec![]);
    db.run(1, |s| {
        let (from, to) = (db.table.space, copy.space);
        let mut rows = Vec::new();
        s.txn
            .scan_raw(&s.view(), &from.prefix(), &from.end(), &mut |key, value| {
                rows.push(([&to.prefix()[..], &key[8..]].concat(), value.to_vec()));
                Ok(true)
            })
            .unwrap();
        rows.iter().for_each(|(key, value)| s.txn.put_raw(key, value).unwrap());
    });
    let copied = Db { manager: db.manager.clone(), table: Arc::new(copy), key: db.key.clone() };
    copied.load(&[(3, 30)]);
    let s = copied.rc(1);
    let (rows, meta) = s.read(&s.view());
    assert_eq!(rows, [(2, 20), (1, 11), (3, 30)]);
    assert_eq!(meta.positions, [1, 2, 3]);
}

#[test]
fn a_bulk_load_goes_around_the_log() {
    let db = Db::new();
    db.load(&[(1, 10), (-5, 50)]);
    let note = Datum::text("x".repeat(200));
    let s = db.rc(1);
    let (mut batch, mut ids) = (Batch::new(3), Vec::new());
    (0..60_000).for_each(|i| batch.push_row([Datum::Int4(i + 2), Datum::Int4(i), note.clone()]));
    RowTable.insert(&s.txn, &db.table, &batch, &mut ids).unwrap();
    for (i, row) in ids.iter().enumerate() {
        KeyIndex.insert(&s.txn, &db.key, &[Datum::Int4(i as i32 + 2)], RowId(*row)).unwrap();
    }
    s.txn.bump_command().unwrap();
    s.set(1, 11).unwrap();
    s.delete(3).unwrap();
    s.set(4, 0).unwrap();
    assert_eq!(s.all().len(), 60_001);
    s.commit();
    let rows = db.all();
    assert_eq!(rows.len(), 60_001);
    assert_eq!(rows[..3], [(-5, 50), (2, 0), (5, 3)]);
    assert_eq!(rows[60_001 - 2..], [(1, 11), (4, 0)]);
    let s = db.rc(1);
    assert_eq!(s.lookup(&KeyRange::default(), Direction::Forward).len(), 60_001);
    s.insert(3, 0).unwrap();
}

#[test]
fn a_new_index_finds_its_own_duplicates() {
    let db = Db::new();
    let s = db.rc(1);
    s.txn.create_space(db.key.space);
    s.insert(1, 1).unwrap();
    s.insert(2, 1).unwrap();
    assert_eq!(code(s.insert(1, 2)), "23505");
    let locks = db.manager.lock_report();
    assert!(locks.iter().all(|lock| lock.locktype.ends_with("xid") || lock.locktype == "transactionid"));
}
