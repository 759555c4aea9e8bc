//! Encoding and decoding keys and rows allocates nothing once the buffers are warm.
#![allow(unsafe_code)]

use pglite_codec::key::{KeyBuf, KeyOrder, KeyReader};
use pglite_codec::row::{ColumnShape, RowLayout, RowView, RowWriter};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local!(static ALLOCATIONS: Cell<usize> = const { Cell::new(0) });

struct Counting;

// SAFETY: every call is handed to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        // SAFETY: the caller's promises are the system allocator's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn hot_path_allocates_nothing() {
    let layout =
        RowLayout::new(&[ColumnShape::Fixed(4), ColumnShape::Var, ColumnShape::Fixed(8), ColumnShape::Var]);
    let mut row = Vec::with_capacity(256);
    let mut sum = 0usize;
    let before = ALLOCATIONS.with(Cell::get);
    for i in 0..1000i32 {
        let mut key = KeyBuf::new();
        key.put_u32(16384);
        key.push_i32(i, KeyOrder::ASC);
        key.push_text("some text", KeyOrder::DESC);
        key.push_decimal(i % 2 == 0, 1, &[12, 3400, 1], KeyOrder::ASC);
        key.push_f64(i as f64, KeyOrder::DESC);
        key.push_null(KeyOrder::ASC);
        let mut reader = KeyReader::new(&key);
        sum += reader.get_u32().unwrap() as usize + reader.i32(KeyOrder::ASC).unwrap() as usize;
        row.clear();
        let mut writer = RowWriter::new(&layout, &mut row);
        writer.fixed(0, i.to_le_bytes());
        writer.var(1, b"hello");
        writer.fixed(2, (i as i64).to_le_bytes());
        writer.var(3, &key);
        writer.finish();
        let view = RowView::new(&layout, &row).unwrap();
        sum += view.var(3).len() + i32::from_le_bytes(view.fixed(0)) as usize;
    }
    assert_eq!(ALLOCATIONS.with(Cell::get), before);
    assert!(sum > 0);
}
