//! Row stores in memory: sorting as PostgreSQL sorts (tie order included), CTE stores, work tables.
//!
//! PG: rows with equal keys come out in the order that Bentley and McIlroy's quicksort leaves them in, and for a bounded
//! sort in the order its heap leaves; regression outputs depend on both, so the same algorithms are used here.

use std::cmp::Ordering;

use pglite_error::PgResult;
use pglite_types::Datum;

use crate::node::BoxNode;
use crate::state::ExecCx;

/// A row of a store.
pub type StoredRow = Box<[Datum]>;

/// Approximate heap bytes of a row.
pub fn row_bytes(row: &[Datum]) -> usize {
    let mut bytes = 16 + size_of_val(row);
    for d in row {
        bytes += match d {
            Datum::Text(s) if s.len() > 15 => s.len() + 16,
            Datum::Bytea(b) => b.len() + 16,
            Datum::Array(a) => 64 + a.values.len() * size_of::<Datum>(),
            Datum::Record(r) => 64 + r.values.len() * size_of::<Datum>(),
            _ => 0,
        };
    }
    bytes
}

type Compare<'c, T> = dyn FnMut(&mut ExecCx<'_>, &T, &T) -> PgResult<Ordering> + 'c;

/// Sorts in place; not stable, ties as PostgreSQL leaves them.
pub fn quicksort<T>(rows: &mut [T], cx: &mut ExecCx<'_>, cmp: &mut Compare<'_, T>) -> PgResult<()> {
    let mut rest = rows;
    loop {
        cx.check_interrupts()?;
        let n = rest.len();
        if n < 7 {
            return insertion(rest, cx, cmp);
        }
        let mut presorted = true;
        for i in 1..n {
            if cmp(cx, &rest[i - 1], &rest[i])? == Ordering::Greater {
                presorted = false;
                break;
            }
        }
        if presorted {
            return Ok(());
        }
        let pivot = choose_pivot(rest, cx, cmp)?;
        let (left, right) = partition(rest, pivot, cx, cmp)?;
        let (lo, tail) = rest.split_at_mut(left);
        let hi_start = tail.len() - right;
        let hi = &mut tail[hi_start..];
        // The larger side is sorted by the loop, so the recursion stays logarithmic.
        if left <= right {
            if left > 1 {
                quicksort(lo, cx, cmp)?;
            }
            if right <= 1 {
                return Ok(());
            }
            rest = hi;
        } else {
            if right > 1 {
                quicksort(hi, cx, cmp)?;
            }
            if left <= 1 {
                return Ok(());
            }
            rest = lo;
        }
    }
}

fn insertion<T>(rows: &mut [T], cx: &mut ExecCx<'_>, cmp: &mut Compare<'_, T>) -> PgResult<()> {
    for i in 1..rows.len() {
        let mut j = i;
        while j > 0 && cmp(cx, &rows[j - 1], &rows[j])? == Ordering::Greater {
            rows.swap(j - 1, j);
            j -= 1;
        }
    }
    Ok(())
}

fn median<T>(rows: &[T], at: [usize; 3], cx: &mut ExecCx<'_>, cmp: &mut Compare<'_, T>) -> PgResult<usize> {
    let [a, b, c] = at;
    let less = Ordering::Less;
    Ok(if cmp(cx, &rows[a], &rows[b])? == less {
        if cmp(cx, &rows[b], &rows[c])? == less {
            b
        } else if cmp(cx, &rows[a], &rows[c])? == less {
            c
        } else {
            a
        }
    } else if cmp(cx, &rows[b], &rows[c])? == Ordering::Greater {
        b
    } else if cmp(cx, &rows[a], &rows[c])? == less {
        a
    } else {
        c
    })
}

fn choose_pivot<T>(rows: &[T], cx: &mut ExecCx<'_>, cmp: &mut Compare<'_, T>) -> PgResult<usize> {
    let n = rows.len();
    let (mut lo, mut mid, mut hi) = (0, n / 2, n - 1);
    if n > 7 {
        if n > 40 {
            let d = n / 8;
            lo = median(rows, [lo, lo + d, lo + 2 * d], cx, cmp)?;
            mid = median(rows, [mid - d, mid, mid + d], cx, cmp)?;
            hi = median(rows, [hi - 2 * d, hi - d, hi], cx, cmp)?;
        }
        mid = median(rows, [lo, mid, hi], cx, cmp)?;
    }
    Ok(mid)
}

/// Three-way partition around `pivot`; returns the sizes of the strictly smaller and strictly greater parts.
fn partition<T>(
    rows: &mut [T],
    pivot: usize,
    cx: &mut ExecCx<'_>,
    cmp: &mut Compare<'_, T>,
) -> PgResult<(usize, usize)> {
    let n = rows.len();
    rows.swap(0, pivot);
    // Signed: `c` and `d` may step to -1's neighbour when everything is greater.
    let (mut a, mut b) = (1isize, 1isize);
    let (mut c, mut d) = (n as isize - 1, n as isize - 1);
    loop {
        while b <= c {
            let o = cmp(cx, &rows[b as usize], &rows[0])?;
            if o == Ordering::Greater {
                break;
            }
            if o == Ordering::Equal {
                rows.swap(a as usize, b as usize);
                a += 1;
            }
            b += 1;
        }
        while b <= c {
            let o = cmp(cx, &rows[c as usize], &rows[0])?;
            if o == Ordering::Less {
                break;
            }
            if o == Ordering::Equal {
                rows.swap(c as usize, d as usize);
                d -= 1;
            }
            c -= 1;
        }
        if b > c {
            break;
        }
        rows.swap(b as usize, c as usize);
        b += 1;
        c -= 1;
    }
    let end = n as isize;
    swap_runs(rows, 0, b - a.min(b - a), a.min(b - a));
    let k = (d - c).min(end - d - 1);
    swap_runs(rows, b, end - k, k);
    Ok(((b - a) as usize, (d - c) as usize))
}

fn swap_runs<T>(rows: &mut [T], from: isize, to: isize, len: isize) {
    for i in 0..len {
        rows.swap((from + i) as usize, (to + i) as usize);
    }
}

/// The best `bound` rows, kept in a heap whose top is the worst of them.
pub struct BoundedHeap<T> {
    rows: Vec<T>,
    bound: usize,
}

impl<T> BoundedHeap<T> {
    /// Takes over rows collected so far, in arrival order.
    pub fn build(all: Vec<T>, bound: usize, cx: &mut ExecCx<'_>, cmp: &mut Compare<'_, T>) -> PgResult<Self> {
        let mut heap = BoundedHeap { rows: Vec::with_capacity(bound), bound };
        for row in all {
            heap.push(row, cx, cmp)?;
        }
        Ok(heap)
    }

    pub fn push(&mut self, row: T, cx: &mut ExecCx<'_>, cmp: &mut Compare<'_, T>) -> PgResult<()> {
        if self.rows.len() < self.bound {
            self.rows.push(row);
            let mut j = self.rows.len() - 1;
            while j > 0 {
                let i = (j - 1) / 2;
                if cmp(cx, &self.rows[j], &self.rows[i])? != Ordering::Greater {
                    break;
                }
                self.rows.swap(i, j);
                j = i;
            }
            return Ok(());
        }
        if self.bound == 0 || cmp(cx, &row, &self.rows[0])? != Ordering::Less {
            return Ok(());
        }
        self.rows[0] = row;
        let n = self.rows.len();
        sift_down(&mut self.rows, n, cx, cmp)
    }

    /// The row that a better one would replace, when the heap is full.
    pub fn worst(&self) -> Option<&T> {
        self.rows.first().filter(|_| self.rows.len() >= self.bound)
    }

    pub fn into_sorted(mut self, cx: &mut ExecCx<'_>, cmp: &mut Compare<'_, T>) -> PgResult<Vec<T>> {
        let mut n = self.rows.len();
        while n > 1 {
            n -= 1;
            self.rows.swap(0, n);
            sift_down(&mut self.rows, n, cx, cmp)?;
        }
        Ok(self.rows)
    }
}

fn sift_down<T>(rows: &mut [T], n: usize, cx: &mut ExecCx<'_>, cmp: &mut Compare<'_, T>) -> PgResult<()> {
    let mut i = 0;
    loop {
        let mut j = 2 * i + 1;
        if j >= n {
            return Ok(());
        }
        if j + 1 < n && cmp(cx, &rows[j], &rows[j + 1])? == Ordering::Less {
            j += 1;
        }
        if cmp(cx, &rows[i], &rows[j])? != Ordering::Less {
            return Ok(());
        }
        rows.swap(i, j);
        i = j;
    }
}

/// A CTE's rows so far and the plan that yields the rest; shared by all its readers.
pub struct CteStore {
    pub node: Option<BoxNode>,
    pub opened: bool,
    pub done: bool,
    pub rows: Vec<StoredRow>,
    /// Grows when the CTE is computed anew.
    pub generation: u64,
    pub seen: u64,
}

/// A recursive union's working table.
#[derive(Default)]
pub struct WorkTable {
    pub rows: Vec<StoredRow>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quicksort_orders_and_heap_keeps_the_best() {
        crate::node::testing::with_cx(|cx| {
            let mut cmp = |_: &mut ExecCx<'_>, a: &i32, b: &i32| Ok(a.cmp(b));
            for n in [0usize, 1, 6, 7, 8, 41, 500] {
                let mut v: Vec<i32> = (0..n as i32).map(|i| (i * 7919) % 101).collect();
                let mut want = v.clone();
                want.sort_unstable();
                let best = BoundedHeap::build(v.clone(), 5, cx, &mut cmp)
                    .unwrap()
                    .into_sorted(cx, &mut cmp)
                    .unwrap();
                quicksort(&mut v, cx, &mut cmp).unwrap();
                assert_eq!(v, want);
                want.truncate(5);
                assert_eq!(best, want);
            }
        });
    }
}
