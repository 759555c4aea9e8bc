//! Encoding and decoding of keys and rows, per row.

use criterion::{Criterion, criterion_group, criterion_main};
use pglite_codec::key::{KeyBuf, KeyOrder, KeyReader};
use pglite_codec::row::{ColumnShape, RowLayout, RowView, RowWriter};
use std::hint::black_box;

fn keys(c: &mut Criterion) {
    c.bench_function("codec/key encode i32+text", |b| {
        let mut n = 0i32;
        b.iter(|| {
            let mut key = KeyBuf::new();
            key.put_u32(16384);
            n = n.wrapping_add(1);
            key.push_i32(n, KeyOrder::ASC);
            key.push_text(black_box("a text of 24 characters."), KeyOrder::ASC);
            black_box(key.len())
        })
    });
    c.bench_function("codec/key decode i32+text", |b| {
        let mut key = KeyBuf::new();
        key.push_i32(77, KeyOrder::ASC);
        key.push_text("a text of 24 characters.", KeyOrder::ASC);
        b.iter(|| {
            let mut reader = KeyReader::new(black_box(&key));
            let n = reader.i32(KeyOrder::ASC).unwrap();
            let text = reader.text(KeyOrder::ASC).unwrap();
            black_box((n, text.len()))
        })
    });
}

fn rows(c: &mut Criterion) {
    use ColumnShape::{Fixed, Var};
    let layout = RowLayout::new(&[Fixed(4), Fixed(4), Fixed(4), Var]);
    let filler = [b' '; 84];
    let mut out = Vec::with_capacity(256);
    c.bench_function("codec/row write pgbench_accounts", |b| {
        b.iter(|| {
            out.clear();
            let mut row = RowWriter::new(&layout, &mut out);
            row.fixed(0, 1i32.to_le_bytes());
            row.fixed(1, 2i32.to_le_bytes());
            row.fixed(2, 3i32.to_le_bytes());
            row.var(3, black_box(&filler));
            row.finish();
            black_box(out.len())
        })
    });
    c.bench_function("codec/row read one column", |b| {
        b.iter(|| {
            let row = RowView::new(&layout, black_box(&out)).unwrap();
            black_box(i32::from_le_bytes(row.fixed(2)))
        })
    });
}

criterion_group!(benches, keys, rows);
criterion_main!(benches);
