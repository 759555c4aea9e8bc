//! Waiting, not waiting, deadlocks, timeouts.

use std::time::Duration;

use super::*;

fn until(test: impl Fn() -> bool) {
    while !test() {
        std::thread::yield_now();
    }
}

#[test]
fn nowait_and_skip_locked() {
    let db = Db::new();
    db.load(&[(1, 10), (2, 20)]);
    let holder = db.rc(2);
    holder.set(1, 11).unwrap();
    let s = db.rc(3);
    let error = s.lock_where(RowLock::Update, Wait::Error, |_, _| true).unwrap_err();
    assert_eq!(error.message(), "could not obtain lock on row in relation \"t\"");
    assert_eq!(error.code().as_str(), "55P03");
    let got = s.lock_where(RowLock::Update, Wait::Skip, |_, _| true).unwrap();
    assert_eq!(got.iter().map(|r| r.1).collect::<Vec<_>>(), [2]);
    // A foreign key check goes past an update that keeps the key.
    let got = s.lock_where(RowLock::KeyShare, Wait::Skip, |_, _| true).unwrap();
    assert_eq!(got.len(), 2);
}

#[test]
fn deleting_a_row_one_has_updated_locks_it_harder() {
    let db = Db::new();
    db.load(&[(1, 10)]);
    let s = db.rc(2);
    s.set(1, 11).unwrap();
    let other = db.rc(3);
    assert_eq!(other.lock_where(RowLock::KeyShare, Wait::Skip, |_, _| true).unwrap().len(), 1);
    other.txn.abort();
    s.delete(1).unwrap();
    let other = db.rc(3);
    assert_eq!(other.lock_where(RowLock::KeyShare, Wait::Skip, |_, _| true).unwrap().len(), 0);
}

#[test]
fn a_deadlock_is_found_and_told() {
    let db = Db::new();
    db.load(&[(1, 10), (2, 20)]);
    let (a, b) = (db.rc(101), db.rc(102));
    a.set(1, 11).unwrap();
    b.set(2, 21).unwrap();
    let (a_xid, b_xid) = (a.txn.xid(), b.txn.xid());
    let errors = std::thread::scope(|scope| {
        let first = scope.spawn(move || a.set(2, 12).map(|_| a.commit()).err());
        until(|| db.manager.blocking_pids(101) == [102]);
        let second = b.set(1, 22).map(|_| b.commit()).err();
        [first.join().unwrap(), second]
    });
    let errors: Vec<_> = errors.into_iter().flatten().collect();
    assert_eq!(errors.len(), 1, "one of the two is the victim");
    assert_eq!(errors[0].message(), "deadlock detected");
    assert_eq!(errors[0].code().as_str(), "40P01");
    let detail = errors[0].fields().detail.clone().unwrap();
    let mut lines: Vec<&str> = detail.lines().collect();
    lines.sort_unstable();
    let expect = [
        format!("Process 101 waits for ShareLock on transaction {b_xid}; blocked by process 102."),
        format!("Process 102 waits for ShareLock on transaction {a_xid}; blocked by process 101."),
    ];
    assert_eq!(lines, expect);
}

#[test]
fn a_table_lock_deadlock_names_modes_and_relations() {
    let db = Db::new();
    let (a, b) = (db.rc(1), db.rc(2));
    let rel = |oid| RelKey { database: Oid(5), relation: Oid(oid) };
    a.txn.lock_table(rel(1000), LockMode::AccessExclusive, Wait::Block).unwrap();
    b.txn.lock_table(rel(1001), LockMode::AccessExclusive, Wait::Block).unwrap();
    b.txn.backend().set_deadlock_timeout(Duration::from_secs(100));
    let detail = std::thread::scope(|scope| {
        let b = scope.spawn(move || b.txn.lock_table(rel(1000), LockMode::RowShare, Wait::Block).unwrap());
        until(|| db.manager.blocking_pids(2) == [1]);
        let error = a.txn.lock_table(rel(1001), LockMode::RowExclusive, Wait::Block).unwrap_err();
        drop(a);
        assert!(b.join().unwrap());
        error.fields().detail.clone().unwrap()
    });
    assert_eq!(
        detail,
        "Process 1 waits for RowExclusiveLock on relation 1001 of database 5; blocked by process 2.\n\
         Process 2 waits for RowShareLock on relation 1000 of database 5; blocked by process 1."
    );
}

#[test]
fn lock_timeout_and_cancel() {
    let db = Db::new();
    db.load(&[(1, 10)]);
    let holder = db.rc(2);
    holder.set(1, 11).unwrap();
    let s = db.rc(3);
    s.txn.backend().set_lock_timeout(Duration::from_millis(30));
    let error = s.set(1, 12).unwrap_err();
    assert_eq!(error.message(), "canceling statement due to lock timeout");
    assert_eq!(error.code().as_str(), "55P03");
    s.txn.backend().set_lock_timeout(Duration::ZERO);
    let token = s.txn.backend().cancel_token().clone();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(move || s.set(1, 12).unwrap_err());
        until(|| db.manager.blocking_pids(3) == [2]);
        token.cancel();
        let error = waiting.join().unwrap();
        assert_eq!(error.message(), "canceling statement due to user request");
        assert_eq!(error.code().as_str(), "57014");
    });
    assert_eq!(db.manager.blocking_pids(3), []);
    holder.commit();
}

#[test]
fn nobody_overtakes_a_waiter() {
    let db = Db::new();
    let rel = RelKey { database: Oid(5), relation: Oid(1000) };
    let reader = db.rc(1);
    reader.txn.lock_table(rel, LockMode::AccessShare, Wait::Block).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let s = db.rc(2);
            s.txn.lock_table(rel, LockMode::AccessExclusive, Wait::Block).unwrap();
            assert!(s.txn.holds(LockTag::Relation(rel), LockMode::AccessExclusive));
        });
        until(|| db.manager.blocking_pids(2) == [1]);
        // A new reader would have to go behind the writer; the one who already reads may take more.
        let late = db.rc(3);
        assert!(!late.txn.lock_table(rel, LockMode::AccessShare, Wait::Skip).unwrap());
        assert!(reader.txn.lock_table(rel, LockMode::RowShare, Wait::Skip).unwrap());
        let rows = db.manager.lock_report();
        let waiting: Vec<_> = rows.iter().filter(|row| !row.granted).collect();
        assert_eq!(
            (waiting.len(), waiting[0].mode, waiting[0].relation),
            (1, "AccessExclusiveLock", Some(1000))
        );
        drop(reader);
        writer.join().unwrap();
    });
    assert!(db.manager.lock_report().is_empty());
}

#[test]
fn advisory_locks_of_session_and_transaction() {
    let db = Db::new();
    let (a, b) = (db.backend(1), db.backend(2));
    let tag = LockTag::AdvisoryBig(5, 42);
    assert!(a.lock_session(tag, LockMode::Exclusive, Wait::Block).unwrap());
    assert!(a.lock_session(tag, LockMode::Exclusive, Wait::Block).unwrap());
    assert!(!b.lock_session(tag, LockMode::Share, Wait::Skip).unwrap());
    let txn = db.manager.begin(&a, Isolation::ReadCommitted, false);
    assert!(txn.lock(tag, LockMode::Exclusive, Wait::Skip).unwrap());
    txn.abort();
    assert!(a.unlock_session(tag, LockMode::Exclusive));
    assert!(!b.lock_session(tag, LockMode::Share, Wait::Skip).unwrap());
    assert!(a.unlock_session(tag, LockMode::Exclusive));
    assert!(!a.unlock_session(tag, LockMode::Exclusive));
    assert!(b.lock_session(tag, LockMode::Share, Wait::Skip).unwrap());
    assert_eq!(db.manager.lock_report()[0].objid, Some(42));
    drop(b);
    assert!(db.manager.lock_report().is_empty());
}

#[test]
fn many_threads_over_few_locks_never_hang() {
    let db = Db::new();
    std::thread::scope(|scope| {
        for pid in 0..6u64 {
            let db = &db;
            scope.spawn(move || {
                let backend = db.backend(pid as i32 + 1);
                let (mut seed, mut deadlocks) = (pid + 1, 0);
                for _ in 0..200 {
                    let txn = db.manager.begin(&backend, Isolation::ReadCommitted, false);
                    for _ in 0..3 {
                        seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                        let tag = LockTag::AdvisoryBig(5, seed >> 33 & 3);
                        let mode = if seed >> 40 & 3 == 0 { LockMode::Exclusive } else { LockMode::Share };
                        match txn.lock(tag, mode, Wait::Block) {
                            Ok(got) => assert!(got),
                            Err(error) => {
                                assert_eq!(error.code().as_str(), "40P01");
                                deadlocks += 1;
                                break;
                            }
                        }
                    }
                    txn.abort();
                }
                deadlocks
            });
        }
    });
    assert!(db.manager.lock_report().is_empty());
}
