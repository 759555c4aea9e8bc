//! `Batch`: rows in flight between executor nodes, row-major in one flat vector, reused from call to call.
//!
//! Invariant: `data.len() == len * width`. A width of 0 is legal: only `len` counts then (`SELECT count(*)`).

use crate::Datum;

/// Rows a batch aims at; producers may stop short, never go past the caller's `max`.
pub const BATCH_ROWS: usize = 1024;

#[derive(Clone, Debug, Default)]
pub struct Batch {
    width: usize,
    len: usize,
    data: Vec<Datum>,
}

impl Batch {
    pub fn new(width: usize) -> Batch {
        Batch { width, len: 0, data: Vec::new() }
    }
    pub fn width(&self) -> usize {
        self.width
    }
    pub fn len(&self) -> usize {
        self.len
    }
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// Empties the batch, keeping its memory, and sets the number of columns.
    pub fn reset(&mut self, width: usize) {
        self.data.clear();
        self.len = 0;
        self.width = width;
    }
    pub fn clear(&mut self) {
        self.data.clear();
        self.len = 0;
    }
    /// Row `i`, `width` values.
    pub fn row(&self, i: usize) -> &[Datum] {
        &self.data[i * self.width..(i + 1) * self.width]
    }
    pub fn row_mut(&mut self, i: usize) -> &mut [Datum] {
        &mut self.data[i * self.width..(i + 1) * self.width]
    }
    pub fn rows(&self) -> impl Iterator<Item = &[Datum]> {
        (0..self.len).map(|i| self.row(i))
    }
    /// Appends a row of exactly `width` values.
    pub fn push_row(&mut self, row: impl IntoIterator<Item = Datum>) {
        self.data.extend(row);
        self.len += 1;
        debug_assert_eq!(self.data.len(), self.len * self.width);
    }
    /// Appends a row by clone.
    pub fn push_slice(&mut self, row: &[Datum]) {
        debug_assert_eq!(row.len(), self.width);
        self.data.extend_from_slice(row);
        self.len += 1;
    }
    /// The values of the row being built: push exactly `width` of them, then call [`finish_row`](Self::finish_row).
    pub fn values_mut(&mut self) -> &mut Vec<Datum> {
        &mut self.data
    }
    pub fn finish_row(&mut self) {
        self.len += 1;
        debug_assert_eq!(self.data.len(), self.len * self.width);
    }
    /// Drops the values of an unfinished row.
    pub fn abandon_row(&mut self) {
        self.data.truncate(self.len * self.width);
    }
    pub fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.len = len;
            self.data.truncate(len * self.width);
        }
    }
    /// Keeps the rows whose flag is set; `keep.len() == len`.
    pub fn retain(&mut self, keep: &[bool]) {
        let mut to = 0;
        for (from, _) in keep.iter().enumerate().filter(|(_, k)| **k) {
            if from != to {
                for c in 0..self.width {
                    self.data.swap(to * self.width + c, from * self.width + c);
                }
            }
            to += 1;
        }
        self.truncate(to);
    }
    /// Moves the values of row `i` out, leaving NULLs.
    pub fn take_row(&mut self, i: usize) -> impl Iterator<Item = Datum> {
        self.row_mut(i).iter_mut().map(std::mem::take)
    }
}
