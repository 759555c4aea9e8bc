//! Rows with O(1) access to every column.
//!
//! ```text
//!   0       2       4                4+ceil(n/8)                              var data
//!   +-------+-------+----------------+---------------------+------------------+-----------+
//!   | natts | flags | null bitmap    | fixed columns       | var end offsets  | var bytes |
//!   +-------+-------+----------------+---------------------+------------------+-----------+
//! ```
//!
//! A fixed column stands at a constant distance from the bitmap's end, also when NULL (then zeros). Each variable
//! column has its end offset (u16; u32 when flag [`WIDE`] is set) relative to the variable bytes; it begins where
//! the one before ends. A set bit means NULL. A row written before `ALTER TABLE ... ADD COLUMN` has a smaller
//! `natts`: its sections hold the columns it knew.
//!
//! Invariant: [`RowView`] never reads outside its slice, whatever the bytes.

use crate::corrupt;
use pglite_error::PgResult;

/// Flag: variable end offsets are u32.
pub const WIDE: u16 = 1;
const KNOWN_FLAGS: u16 = WIDE;
const HEAD: usize = 4;

/// How a column is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnShape {
    /// 1, 2, 4, 8 or 16 bytes.
    Fixed(u8),
    Var,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Fixed: offset in the fixed section. Var: ordinal among variable columns.
    at: u32,
    /// Fixed: width. Var: 0.
    width: u8,
}

/// Offsets of a table's columns, computed once.
#[derive(Clone, Debug)]
pub struct RowLayout {
    slots: Box<[Slot]>,
    /// For each number of columns 0..=n: bytes of the fixed section, number of variable columns.
    sections: Box<[(u32, u32)]>,
}

impl RowLayout {
    pub fn new(columns: &[ColumnShape]) -> RowLayout {
        let (mut fixed, mut vars) = (0u32, 0u32);
        let mut slots = Vec::with_capacity(columns.len());
        let mut sections = vec![(0, 0)];
        for column in columns {
            match *column {
                ColumnShape::Fixed(width) => {
                    slots.push(Slot { at: fixed, width });
                    fixed += width as u32;
                }
                ColumnShape::Var => {
                    slots.push(Slot { at: vars, width: 0 });
                    vars += 1;
                }
            }
            sections.push((fixed, vars));
        }
        RowLayout { slots: slots.into(), sections: sections.into() }
    }
    /// The number of columns.
    #[inline]
    pub fn len(&self) -> usize {
        self.slots.len()
    }
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
    #[inline]
    pub fn shape(&self, column: usize) -> ColumnShape {
        match self.slots[column].width {
            0 => ColumnShape::Var,
            width => ColumnShape::Fixed(width),
        }
    }
}

#[inline]
fn bitmap_len(natts: usize) -> usize {
    natts.div_ceil(8)
}

/// A stored row, seen through its table's layout.
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    layout: &'a RowLayout,
    data: &'a [u8],
    natts: usize,
    fixed: usize,
    ends: usize,
    var_data: usize,
    wide: bool,
}

impl<'a> RowView<'a> {
    /// Checks the head and the sections' bounds.
    #[inline]
    pub fn new(layout: &'a RowLayout, data: &'a [u8]) -> PgResult<RowView<'a>> {
        let Some(&[n0, n1, f0, f1]) = data.first_chunk::<HEAD>() else { return corrupt("row: too short") };
        let natts = u16::from_le_bytes([n0, n1]) as usize;
        let flags = u16::from_le_bytes([f0, f1]);
        let Some(&(fixed_len, vars)) = layout.sections.get(natts) else {
            return corrupt("row: too many columns");
        };
        let wide = flags & WIDE != 0;
        let fixed = HEAD + bitmap_len(natts);
        let ends = fixed + fixed_len as usize;
        let var_data = ends + vars as usize * if wide { 4 } else { 2 };
        if flags & !KNOWN_FLAGS != 0 || var_data > data.len() {
            return corrupt("row: bad sections");
        }
        // Why: the last end offset is read here and not through the view, so that the view stays in registers.
        if vars > 0 {
            let last = match (wide, &data[..var_data]) {
                (false, [.., a, b]) => u16::from_le_bytes([*a, *b]) as usize,
                (true, [.., a, b, c, d]) => u32::from_le_bytes([*a, *b, *c, *d]) as usize,
                _ => usize::MAX,
            };
            if last != data.len() - var_data {
                return corrupt("row: bad length");
            }
        }
        Ok(RowView { layout, data, natts, fixed, ends, var_data, wide })
    }

    /// Columns stored in this row; later ones were added after it was written.
    #[inline]
    pub fn natts(&self) -> usize {
        self.natts
    }
    /// Whether column `i` is NULL, or not stored in this row at all.
    #[inline]
    pub fn is_null(&self, i: usize) -> bool {
        i >= self.natts || self.data[HEAD + i / 8] >> (i % 8) & 1 != 0
    }
    /// The bytes of fixed column `i`, which must be `N` wide.
    #[inline]
    pub fn fixed<const N: usize>(&self, i: usize) -> [u8; N] {
        let slot = self.layout.slots[i];
        debug_assert!(i < self.natts && slot.width as usize == N);
        let at = self.fixed + slot.at as usize;
        self.data.get(at..at + N).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; N])
    }
    /// The bytes of variable column `i`; empty when NULL.
    #[inline]
    pub fn var(&self, i: usize) -> &'a [u8] {
        let slot = self.layout.slots[i];
        debug_assert!(i < self.natts && slot.width == 0);
        let ordinal = slot.at as usize;
        let start = if ordinal == 0 { 0 } else { self.end(ordinal - 1) };
        let end = self.end(ordinal);
        self.data[self.var_data..].get(start..end).unwrap_or(&[])
    }
    #[inline]
    fn end(&self, ordinal: usize) -> usize {
        if self.wide {
            let at = self.ends + ordinal * 4;
            self.data.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize)
        } else {
            let at = self.ends + ordinal * 2;
            self.data.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]) as usize)
        }
    }
    /// Checks what `new` leaves out for speed: every variable column's bounds.
    pub fn validate(&self) -> PgResult<()> {
        let vars = self.layout.sections[self.natts].1 as usize;
        let sorted = (1..vars).all(|i| self.end(i - 1) <= self.end(i));
        if sorted { Ok(()) } else { corrupt("row: bad column offsets") }
    }
}

/// Writes one row at the end of a reusable buffer.
///
/// Columns that are not written are NULL. Variable columns must be written in column order.
#[derive(Debug)]
pub struct RowWriter<'a> {
    layout: &'a RowLayout,
    out: &'a mut Vec<u8>,
    start: usize,
    fixed: usize,
    ends: usize,
    var_data: usize,
    vars: usize,
    next_var: usize,
    /// End offset of each variable column written so far, when past what the u16 table can hold.
    wide: bool,
}

impl<'a> RowWriter<'a> {
    pub fn new(layout: &'a RowLayout, out: &'a mut Vec<u8>) -> RowWriter<'a> {
        let natts = layout.len();
        let (fixed_len, vars) = layout.sections[natts];
        let start = out.len();
        let fixed = start + HEAD + bitmap_len(natts);
        let ends = fixed + fixed_len as usize;
        let var_data = ends + vars as usize * 2;
        out.extend_from_slice(&(natts as u16).to_le_bytes());
        out.extend_from_slice(&[0, 0]);
        out.resize(fixed, 0xff);
        out.resize(var_data, 0);
        RowWriter { layout, out, start, fixed, ends, var_data, vars: vars as usize, next_var: 0, wide: false }
    }

    #[inline]
    fn not_null(&mut self, i: usize) {
        self.out[self.start + HEAD + i / 8] &= !(1 << (i % 8));
    }
    /// Sets fixed column `i`.
    #[inline]
    pub fn fixed<const N: usize>(&mut self, i: usize, bytes: [u8; N]) {
        let slot = self.layout.slots[i];
        assert_eq!(slot.width as usize, N, "column {i} is not {N} bytes wide");
        self.not_null(i);
        let at = self.fixed + slot.at as usize;
        self.out[at..at + N].copy_from_slice(&bytes);
    }
    /// Sets variable column `i`.
    #[inline]
    pub fn var(&mut self, i: usize, bytes: &[u8]) {
        self.var_with(i, |out| out.extend_from_slice(bytes));
    }
    /// Sets variable column `i` to what `write` appends to the buffer.
    #[inline]
    pub fn var_with(&mut self, i: usize, write: impl FnOnce(&mut Vec<u8>)) {
        let slot = self.layout.slots[i];
        assert!(slot.width == 0 && slot.at as usize >= self.next_var, "column {i} out of order");
        self.not_null(i);
        self.skip_to(slot.at as usize);
        write(self.out);
        self.set_end();
    }
    /// Leaves column `i` NULL.
    #[inline]
    pub fn null(&mut self, _i: usize) {}

    fn skip_to(&mut self, ordinal: usize) {
        while self.next_var < ordinal {
            self.set_end();
        }
    }
    #[inline]
    fn set_end(&mut self) {
        let end = self.out.len() - self.var_data;
        if !self.wide && end > u16::MAX as usize {
            self.widen();
        }
        if self.wide {
            let at = self.ends + self.next_var * 4;
            self.out[at..at + 4].copy_from_slice(&(end as u32).to_le_bytes());
        } else {
            let at = self.ends + self.next_var * 2;
            self.out[at..at + 2].copy_from_slice(&(end as u16).to_le_bytes());
        }
        self.next_var += 1;
    }
    #[cold]
    fn widen(&mut self) {
        let grow = self.vars * 2;
        let old_end = self.out.len();
        self.out.resize(old_end + grow, 0);
        self.out.copy_within(self.var_data..old_end, self.var_data + grow);
        for i in (0..self.vars).rev() {
            let at = self.ends + i * 2;
            let end =
                if i < self.next_var { u16::from_le_bytes([self.out[at], self.out[at + 1]]) } else { 0 };
            let to = self.ends + i * 4;
            self.out[to..to + 4].copy_from_slice(&(end as u32).to_le_bytes());
        }
        self.var_data += grow;
        self.wide = true;
        self.out[self.start + 2..self.start + 4].copy_from_slice(&WIDE.to_le_bytes());
    }
    /// Closes the row; the buffer then ends with it.
    pub fn finish(mut self) {
        self.skip_to(self.vars);
    }
}
