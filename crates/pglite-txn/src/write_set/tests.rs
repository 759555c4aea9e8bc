//! The write set against a plain list of writes.

use super::*;

#[derive(Clone, Debug)]
enum Write {
    Put(Vec<u8>, u32, Vec<u8>),
    Delete(Vec<u8>, u32),
    Range(Vec<u8>, Vec<u8>, u32),
}

impl Write {
    fn names(&self, key: &[u8]) -> bool {
        matches!(self, Write::Put(k, ..) | Write::Delete(k, _) if k == key)
    }
}

fn model_get(writes: &[Write], key: &[u8], command: u32) -> Option<Option<Vec<u8>>> {
    writes.iter().rev().find_map(|write| match write {
        Write::Put(k, c, v) if k == key && *c < command => Some(Some(v.clone())),
        Write::Delete(k, c) if k == key && *c < command => Some(None),
        Write::Range(s, e, c) if s.as_slice() <= key && key < e.as_slice() && *c < command => Some(None),
        _ => None,
    })
}

struct Rand(u64);

impl Rand {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn key(rand: &mut Rand) -> Vec<u8> {
    Space::new(1, 20 + rand.below(2) as u32).row_key(rand.below(40)).to_vec()
}

fn check(set: &WriteSet, writes: &[Write], command: u32) {
    let mut expect = Vec::new();
    for space in [20, 21] {
        for row in 0..40 {
            let key = Space::new(1, space).row_key(row).to_vec();
            let model = model_get(writes, &key, command);
            let own = set.get(&key, command).map(|own| match own {
                Own::Put(value) => Some(value.to_vec()),
                Own::Deleted => None,
            });
            assert_eq!(own, model, "key {key:?} at {command}");
            // A key that only range deletions touch is not listed.
            if set.find(&key, command).is_some() {
                expect.push((key, model.flatten()));
            }
        }
    }
    for reverse in [false, true] {
        let (mut start, mut end) = (Space::new(1, 20).prefix().to_vec(), Space::new(1, 21).end().to_vec());
        let mut got = Vec::new();
        loop {
            let (mut out, mut deleted) = (KvBatch::new(), Vec::new());
            let want = Collect { start: &start, end: &end, command, reverse, max: 7 };
            let more = set.collect(&want, &mut out, &mut deleted);
            for (i, (key, value, _)) in out.iter().enumerate() {
                got.push((key.to_vec(), (!deleted[i]).then(|| value.to_vec())));
            }
            if !more {
                break;
            }
            let last = out.key(out.len() - 1);
            if reverse {
                end = last.to_vec();
            } else {
                start = [last, &[0]].concat();
            }
        }
        if reverse {
            got.reverse();
        }
        assert_eq!(got, expect, "reverse {reverse}");
    }
}

#[test]
fn random_writes_match_the_model() {
    for seed in 1..300 {
        let mut rand = Rand(seed * 0x9e37_79b9);
        let (mut set, mut writes, mut marks) = (WriteSet::default(), Vec::new(), Vec::new());
        let mut command = 0;
        for step in 0..120u64 {
            match rand.below(20) {
                0..10 => {
                    let (key, value) = (key(&mut rand), step.to_be_bytes().to_vec());
                    let fresh = !writes.iter().any(|write: &Write| write.names(&key)) && rand.below(2) == 0;
                    let write = |out: &mut Vec<u8>| {
                        out.extend_from_slice(&value);
                        Ok(())
                    };
                    set.put_with(&key, fresh, command, write).unwrap();
                    writes.push(Write::Put(key, command, value));
                }
                10..14 => {
                    let key = key(&mut rand);
                    set.delete(&key, command);
                    writes.push(Write::Delete(key, command));
                }
                14 => {
                    let (a, b) = (key(&mut rand), key(&mut rand));
                    let (start, end) = if a < b { (a, b) } else { (b, a) };
                    set.delete_range(&start, &end, command);
                    writes.push(Write::Range(start, end, command));
                }
                15..17 => command += 1,
                17 | 18 => marks.push((set.mark(), writes.len())),
                _ => {
                    if !marks.is_empty() {
                        let at = rand.below(marks.len() as u64) as usize;
                        let (mark, len) = marks[at].clone();
                        marks.truncate(at + 1);
                        set.rollback(&mark);
                        writes.truncate(len);
                    }
                }
            }
        }
        check(&set, &writes, command);
        check(&set, &writes, command / 2);
        check(&set, &writes, u32::MAX);
    }
}

#[test]
fn ascending_keys_stay_flat() {
    let mut set = WriteSet::default();
    for row in 0..1000u64 {
        set.put_with(&Space::new(1, 20).row_key(row), true, 0, |_| Ok(())).unwrap();
    }
    assert!(set.map.is_empty());
    assert!(set.created(&Space::new(1, 20).row_key(5)));
    assert_eq!(set.to_batch(0, true).len(), 1000);
}

#[test]
fn batch_and_fresh_rows_are_all_there_is() {
    let mut set = WriteSet::default();
    let key = |space, row| Space::new(1, space).row_key(row);
    let put = |set: &mut WriteSet, key: &[u8], fresh, value: u8| {
        let write = |out: &mut Vec<u8>| {
            out.push(value);
            Ok(())
        };
        set.put_with(key, fresh, 0, write).unwrap();
    };
    (0..10).for_each(|row| put(&mut set, &key(21, row), true, 1));
    (0..10).for_each(|row| put(&mut set, &key(20, row), true, 2));
    put(&mut set, &key(20, 3), false, 9);
    set.delete(&key(21, 4), 0);
    set.delete_range(&key(21, 7), &key(21, 9), 0);
    put(&mut set, &key(22, 5), false, 7);
    let (mut fresh, mut rows) = (set.fresh_rows(), Vec::new());
    while let Some((key, value)) = fresh.next_row().unwrap() {
        rows.push((key.to_vec(), value[0]));
    }
    assert!(rows.is_sorted());
    assert_eq!(rows.len(), 9 + 7);
    // A range, an update, a deletion, a row of another's; in one batch the fresh ones as well.
    assert_eq!(set.to_batch(0, false).len(), 4);
    assert_eq!(set.to_batch(0, true).len(), 4 + rows.len());
}
