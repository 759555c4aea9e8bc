//! Many rows at once: index builds, fetches of rows that lie together, unique checks of a load.

use super::*;

fn second_index(name: &str, unique: bool) -> Arc<IndexRef> {
    let column = IndexColumn::new(PhysKind::Int4, oid::INT4, KeyOrder::ASC);
    let id: u32 = if unique { 20001 } else { 20002 };
    Arc::new(IndexRef::new(Oid(5), Oid(id), Oid(16384), id, unique, vec![column]).named(name))
}

/// Builds an index over `value`.
fn build(s: &Session<'_>, index: &Arc<IndexRef>) -> PgResult<Option<Vec<Datum>>> {
    let view = s.view();
    let mut scan = RowTable.scan(&s.txn, &view, &s.db.table, &columns(&[1]), Direction::Forward).unwrap();
    let mut meta = RowMeta::default();
    s.txn.create_space(index.space);
    KeyIndex.build(&s.txn, index, &mut |batch, ids| {
        batch.reset(1);
        meta = RowMeta::default();
        let more = scan.next_batch(&s.txn, batch, &mut meta, 7)?;
        ids.clone_from(&meta.row_ids);
        Ok(more)
    })
}

fn entries(s: &Session<'_>, index: &Arc<IndexRef>) -> Vec<(i32, u64)> {
    let (mut out, mut ids) = (Batch::new(1), Vec::new());
    let range = KeyRange::default();
    let mut scan = KeyIndex.scan(&s.txn, &s.view(), index, &range, true, Direction::Forward).unwrap();
    while scan.next_batch(&s.txn, &mut out, &mut ids, 10).unwrap() {}
    out.rows().map(|r| int(&r[0])).zip(ids).collect()
}

#[test]
fn a_built_index_is_sorted_and_knows_duplicates() {
    let db = Db::new();
    let rows: Vec<(i32, i32)> = (0..50).map(|i| (i, i * 37 % 50 - 25)).collect();
    db.load(&rows);
    let (plain, unique) = (second_index("plain", false), second_index("u", true));
    db.run(2, |s| {
        assert!(build(s, &plain).unwrap().is_none());
        assert!(build(s, &unique).unwrap().is_none());
        s.txn.bump_command().unwrap();
        let got = entries(s, &unique);
        assert_eq!(got.len(), 50);
        assert!(got.windows(2).all(|w| w[0].0 < w[1].0));
        assert_eq!(entries(s, &plain), got);
    });
    assert_eq!(entries(&db.rc(3), &plain).len(), 50);
    db.run(4, |s| s.insert(100, 0).unwrap());
    let again = second_index("again", true);
    let s = db.rc(5);
    let met = build(&s, &again).unwrap().unwrap();
    assert_eq!(int(&met[0]), 0);
}

#[test]
fn rows_that_lie_together_are_fetched_in_order() {
    let db = Db::new();
    db.load(&(0..100).map(|i| (i, i)).collect::<Vec<_>>());
    db.run(2, |s| s.set(40, 400).unwrap());
    let s = db.rc(3);
    s.delete(50).unwrap();
    s.set(60, 600).unwrap();
    let (_, meta) = db.rc(9).read(&db.rc(9).view());
    let mut wanted = meta.row_ids.clone();
    wanted.sort_unstable();
    wanted.retain(|id| id % 2 == 0);
    let fetch = |ids: &[u64]| {
        let (mut out, mut meta) = (Batch::new(2), RowMeta::default());
        let table = &db.table;
        RowTable.fetch(&s.txn, &s.view(), table, &columns(&[0, 1]), ids, &mut out, &mut meta).unwrap();
        (out.rows().map(|r| (int(&r[0]), int(&r[1]))).collect::<Vec<_>>(), meta.row_ids)
    };
    let (dense, dense_ids) = fetch(&wanted);
    let (mut single, mut single_ids) = (Vec::new(), Vec::new());
    for id in &wanted {
        let (rows, ids) = fetch(&[*id]);
        single.extend(rows);
        single_ids.extend(ids);
    }
    assert_eq!((&dense, &dense_ids), (&single, &single_ids));
    assert!(dense.len() + 1 >= wanted.len() && dense.len() >= 40);
}

#[test]
fn a_load_finds_rivals_that_come_while_it_runs() {
    let db = Db::new();
    db.load(&[(500, 1)]);
    let s = db.rc(2);
    for id in 0..100 {
        s.insert(id, 0).unwrap();
    }
    // What the load knows of the empty range is out of date after this.
    db.run(3, |rival| rival.insert(300, 9).unwrap());
    for id in 100..300 {
        s.insert(id, 0).unwrap();
    }
    assert_eq!(code(s.insert(300, 0)), "23505");
    let s = db.rc(4);
    for id in 600..700 {
        s.insert(id, 0).unwrap();
    }
    assert_eq!(code(s.insert(650, 0)), "23505");
    assert_eq!(code(s.insert(500, 0)), "23505");
}
