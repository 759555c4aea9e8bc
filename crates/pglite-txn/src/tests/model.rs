//! Random interleavings of transactions against a reference that keeps whole copies of the table.

use std::collections::BTreeMap;

use super::*;

type Table = BTreeMap<i32, i32>;

struct Rand(u64);

impl Rand {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// A transaction of the reference: what it sees, and what it changed.
struct Reference {
    isolation: Isolation,
    snapshot: Option<Table>,
    writes: BTreeMap<i32, Option<i32>>,
    savepoints: Vec<(Savepoint, BTreeMap<i32, Option<i32>>)>,
}

impl Reference {
    fn sees(&mut self, committed: &Table) -> Table {
        let mut table = match self.isolation {
            Isolation::ReadCommitted => committed.clone(),
            _ => self.snapshot.get_or_insert_with(|| committed.clone()).clone(),
        };
        apply(&mut table, &self.writes);
        table
    }
}

fn apply(table: &mut Table, writes: &BTreeMap<i32, Option<i32>>) {
    for (id, value) in writes {
        match value {
            Some(value) => drop(table.insert(*id, *value)),
            None => drop(table.remove(id)),
        }
    }
}

/// Row locks are taken without waiting; whatever is locked or has changed is left alone.
fn try_write(session: &Session<'_>, id: i32, value: Option<i32>) -> PgResult<bool> {
    let rows = session.lock_where(RowLock::Update, Wait::Skip, |i, _| i == id)?;
    let [(row_id, id, _)] = rows[..] else { return Ok(false) };
    match value {
        Some(value) => drop(RowTable.update(&session.txn, &session.db.table, row_id, &row(id, value))?),
        None => RowTable.delete(&session.txn, &session.db.table, row_id)?,
    }
    session.txn.bump_command()?;
    Ok(true)
}

fn run(seed: u64) {
    let mut rand = Rand(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let db = Db::new();
    let mut committed = Table::new();
    let mut next_id = 0;
    let mut open: Vec<Option<(Session<'_>, Reference)>> = (0..4).map(|_| None).collect();
    for step in 0..150 {
        let slot = rand.below(4) as usize;
        let Some((session, reference)) = &mut open[slot] else {
            let isolation = [Isolation::ReadCommitted, Isolation::RepeatableRead][rand.below(2) as usize];
            let session = db.session(slot as i32 + 1, isolation);
            let reference =
                Reference { isolation, snapshot: None, writes: BTreeMap::new(), savepoints: Vec::new() };
            open[slot] = Some((session, reference));
            continue;
        };
        session.view();
        let seen = reference.sees(&committed);
        let pick = |rand: &mut Rand| seen.keys().nth(rand.below(seen.len().max(1) as u64) as usize).copied();
        let mut end = None;
        match rand.below(12) {
            0..3 => {
                session.insert(next_id, step).unwrap();
                reference.writes.insert(next_id, Some(step));
                next_id += 1;
            }
            3..6 => {
                let value = (rand.below(4) > 0).then_some(step);
                if let Some(id) = pick(&mut rand) {
                    match try_write(session, id, value) {
                        Ok(true) => drop(reference.writes.insert(id, value)),
                        Ok(false) => {}
                        Err(error) => {
                            // Only a snapshot that has been overtaken is refused.
                            assert_eq!(error.code().as_str(), "40001");
                            assert_ne!(
                                committed.get(&id),
                                reference.snapshot.as_ref().and_then(|s| s.get(&id))
                            );
                            end = Some(false);
                        }
                    }
                }
            }
            6 => reference.savepoints.push((session.txn.savepoint(), reference.writes.clone())),
            7 => {
                let at = rand.below(reference.savepoints.len() as u64 + 1) as usize;
                if let Some((savepoint, writes)) = reference.savepoints.get(at).cloned() {
                    session.txn.rollback_to(&savepoint).unwrap();
                    reference.savepoints.truncate(at + 1);
                    reference.writes = writes;
                }
            }
            8..10 => {
                let mut rows = session.all();
                rows.sort_unstable();
                assert_eq!(rows, seen.into_iter().collect::<Vec<_>>(), "seed {seed} step {step}");
            }
            10 => end = Some(true),
            _ => end = Some(rand.below(3) > 0),
        }
        if let Some(commit) = end
            && let Some((session, reference)) = open[slot].take()
        {
            if commit {
                session.commit();
                apply(&mut committed, &reference.writes);
            } else {
                drop(session);
            }
        }
        let mut rows = db.all();
        rows.sort_unstable();
        assert_eq!(rows, committed.clone().into_iter().collect::<Vec<_>>(), "seed {seed} step {step}");
    }
}

#[test]
fn random_interleavings_match_the_reference() {
    (1..=60).for_each(run);
}
