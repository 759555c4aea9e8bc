//! Who sees what, and who wins.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[test]
fn a_statement_does_not_see_its_own_writes() {
    let db = Db::new();
    let s = db.rc(1);
    let view = s.view();
    s.insert(1, 10).unwrap();
    assert_eq!(s.read(&view).0, []);
    assert_eq!(s.all(), [(1, 10)]);
    let view = s.view();
    assert_eq!(s.set(1, 11).unwrap(), 1);
    assert_eq!(s.read(&view).0, [(1, 10)]);
    assert_eq!(s.all(), [(1, 11)]);
    assert_eq!(db.all(), []);
    s.commit();
    assert_eq!(db.all(), [(1, 11)]);
}

#[test]
fn a_row_changed_twice_by_one_statement_is_skipped() {
    let db = Db::new();
    db.load(&[(1, 10)]);
    let s = db.rc(2);
    let view = s.view();
    let (_, meta) = s.read(&view);
    let row_id = RowId(meta.row_ids[0]);
    let lock = || RowTable.lock(&s.txn, &view, &db.table, row_id, RowLock::NoKeyUpdate, Wait::Block).unwrap();
    assert_eq!(lock(), RowStatus::Ok);
    RowTable.update(&s.txn, &db.table, row_id, &row(1, 11)).unwrap();
    assert_eq!(lock(), RowStatus::SelfModified);
}

#[test]
fn read_committed_sees_commits_and_repeatable_read_does_not() {
    let db = Db::new();
    db.load(&[(1, 10)]);
    let (rc, rr) = (db.rc(2), db.rr(3));
    assert_eq!((rc.value(1), rr.value(1)), (Some(10), Some(10)));
    db.run(4, |s| s.set(1, 20).unwrap());
    assert_eq!((rc.value(1), rr.value(1)), (Some(20), Some(10)));
    db.run(4, |s| s.delete(1).unwrap());
    assert_eq!((rc.value(1), rr.value(1)), (None, Some(10)));
}

#[test]
fn aborted_work_leaves_no_trace() {
    let db = Db::new();
    db.load(&[(1, 10)]);
    let s = db.rc(2);
    s.set(1, 11).unwrap();
    s.insert(2, 20).unwrap();
    s.txn.abort();
    assert_eq!(db.all(), [(1, 10)]);
    assert!(db.manager.lock_report().is_empty());
}

#[test]
fn repeatable_read_refuses_a_lost_update() {
    let db = Db::new();
    db.load(&[(1, 10), (2, 20)]);
    let s = db.rr(2);
    assert_eq!(s.value(1), Some(10));
    db.run(3, |other| other.set(1, 11).unwrap());
    let error = s.set(1, 12).unwrap_err();
    assert_eq!(error.message(), "could not serialize access due to concurrent update");
    assert_eq!(error.code().as_str(), "40001");
    drop(s);
    let s = db.rr(2);
    assert_eq!(s.value(2), Some(20));
    db.run(3, |other| other.delete(2).unwrap());
    assert_eq!(s.set(2, 21).unwrap_err().message(), "could not serialize access due to concurrent delete");
}

#[test]
fn repeatable_read_allows_write_skew() {
    let db = Db::new();
    db.load(&[(1, 1), (2, 1)]);
    let (a, b) = (db.rr(2), db.rr(3));
    assert_eq!(a.all().len() + b.all().len(), 4);
    a.set(1, 0).unwrap();
    b.set(2, 0).unwrap();
    a.commit();
    b.commit();
    assert_eq!(db.all().iter().map(|r| r.1).sum::<i32>(), 0);
}

#[test]
fn read_committed_waits_and_checks_the_new_version() {
    let db = Db::new();
    db.load(&[(1, 10), (2, 10)]);
    let first = db.rc(2);
    first.set(1, 11).unwrap();
    first.set(2, 99).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let s = db.rc(3);
            // Only values of at most 50: row 2 drops out when its new version is seen.
            let changed = s.update_where(|_, value| value <= 50, |value| value + 1).unwrap();
            s.commit();
            changed
        });
        while db.manager.blocking_pids(3) != [2] {
            std::thread::yield_now();
        }
        first.commit();
        assert_eq!(waiting.join().unwrap(), 1);
    });
    let mut rows = db.all();
    rows.sort_unstable();
    assert_eq!(rows, [(1, 12), (2, 99)]);
}

#[test]
fn concurrent_increments_are_not_lost() {
    let db = Db::new();
    db.load(&[(1, 0)]);
    std::thread::scope(|scope| {
        for pid in 0..4 {
            let db = &db;
            scope.spawn(move || {
                for _ in 0..100 {
                    let s = db.rc(10 + pid);
                    assert_eq!(s.update_where(|id, _| id == 1, |value| value + 1).unwrap(), 1);
                    s.commit();
                }
            });
        }
    });
    assert_eq!(db.all(), [(1, 400)]);
}

#[test]
fn of_rivals_for_a_unique_key_one_wins() {
    let db = Db::new();
    let won = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for pid in 0..4 {
            let (db, won) = (&db, &won);
            scope.spawn(move || {
                for id in 0..50 {
                    let s = db.rc(10 + pid);
                    match s.insert(id, pid) {
                        Ok(()) => {
                            won.fetch_add(1, Ordering::Relaxed);
                            s.commit();
                        }
                        Err(error) => assert_eq!(error.code().as_str(), "23505"),
                    }
                }
            });
        }
    });
    assert_eq!(won.into_inner(), 50);
    assert_eq!(db.all().len(), 50);
    let s = db.rc(1);
    assert_eq!(s.lookup(&KeyRange::default(), Direction::Forward), (0..50).collect::<Vec<_>>());
}

#[test]
fn a_rolled_back_key_is_free_again() {
    let db = Db::new();
    let s = db.rc(1);
    s.insert(1, 1).unwrap();
    assert_eq!(code(s.insert(1, 2)), "23505");
    drop(s);
    db.load(&[(1, 3)]);
    db.run(2, |s| {
        s.delete(1).unwrap();
        s.insert(1, 4).unwrap();
    });
    assert_eq!(db.all(), [(1, 4)]);
}

#[test]
fn savepoints_nest_and_roll_back() {
    let db = Db::new();
    db.load(&[(1, 10)]);
    let s = db.rc(2);
    s.set(1, 11).unwrap();
    let a = s.txn.savepoint();
    s.insert(2, 20).unwrap();
    let b = s.txn.savepoint();
    s.delete(1).unwrap();
    assert_eq!(s.all(), [(2, 20)]);
    s.txn.rollback_to(&b).unwrap();
    assert_eq!(s.all(), [(1, 11), (2, 20)]);
    s.insert(3, 30).unwrap();
    s.txn.release(b);
    s.txn.rollback_to(&a).unwrap();
    s.txn.rollback_to(&a).unwrap();
    assert_eq!(s.all(), [(1, 11)]);
    s.insert(2, 21).unwrap();
    s.commit();
    assert_eq!(db.all(), [(1, 11), (2, 21)]);
}

#[test]
fn a_hundred_thousand_savepoints() {
    let db = Db::new();
    let s = db.rc(1);
    let first = s.txn.savepoint();
    for i in 0..100_000u32 {
        s.txn.savepoint();
        s.txn.put_raw(&[b"raw key ".as_slice(), &i.to_be_bytes()].concat(), b"x").unwrap();
    }
    assert_eq!(s.txn.depth(), 100_001);
    s.txn.rollback_to(&first).unwrap();
    assert_eq!(s.txn.depth(), 1);
    assert!(!s.txn.has_writes());
}

#[test]
fn rolling_back_to_a_savepoint_frees_its_locks() {
    let db = Db::new();
    db.load(&[(1, 10), (2, 20)]);
    let s = db.rc(2);
    s.set(1, 11).unwrap();
    let savepoint = s.txn.savepoint();
    s.set(2, 21).unwrap();
    let other = db.rc(3);
    let free = || other.lock_where(RowLock::Update, Wait::Skip, |_, _| true).unwrap().len();
    assert_eq!(free(), 0);
    s.txn.rollback_to(&savepoint).unwrap();
    assert_eq!(free(), 1);
}

#[test]
fn hooks_follow_the_transactions_fate() {
    let db = Db::new();
    let log = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let note = |what: &'static str| {
        let log = log.clone();
        Box::new(move || log.lock().push(what))
    };
    let s = db.rc(1);
    s.txn.on_commit(note("commit"));
    s.txn.on_abort(note("abort"));
    let savepoint = s.txn.savepoint();
    s.txn.on_commit(note("inner commit"));
    s.txn.on_abort(note("inner abort"));
    s.txn.rollback_to(&savepoint).unwrap();
    s.insert(1, 1).unwrap();
    s.commit();
    assert_eq!(*log.lock(), ["inner abort", "commit"]);
}
