//! Rows: round trips, rows older than their table, corrupt bytes, no allocation.

use pglite_codec::row::{ColumnShape, RowLayout, RowView, RowWriter};

struct Rng(u64);
impl Rng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn random_shapes(rng: &mut Rng) -> Vec<ColumnShape> {
    (0..rng.next() % 20)
        .map(|_| match rng.next() % 8 {
            0 => ColumnShape::Fixed(1),
            1 => ColumnShape::Fixed(2),
            2 => ColumnShape::Fixed(4),
            3 => ColumnShape::Fixed(8),
            4 => ColumnShape::Fixed(16),
            _ => ColumnShape::Var,
        })
        .collect()
}

fn write(layout: &RowLayout, values: &[Option<Vec<u8>>], out: &mut Vec<u8>) {
    let mut writer = RowWriter::new(layout, out);
    for (i, value) in values.iter().enumerate() {
        let Some(bytes) = value else {
            writer.null(i);
            continue;
        };
        match layout.shape(i) {
            ColumnShape::Fixed(1) => writer.fixed::<1>(i, bytes[..].try_into().unwrap()),
            ColumnShape::Fixed(2) => writer.fixed::<2>(i, bytes[..].try_into().unwrap()),
            ColumnShape::Fixed(4) => writer.fixed::<4>(i, bytes[..].try_into().unwrap()),
            ColumnShape::Fixed(8) => writer.fixed::<8>(i, bytes[..].try_into().unwrap()),
            ColumnShape::Fixed(_) => writer.fixed::<16>(i, bytes[..].try_into().unwrap()),
            ColumnShape::Var => writer.var(i, bytes),
        }
    }
    writer.finish();
}

fn read(view: &RowView<'_>, layout: &RowLayout, i: usize) -> Option<Vec<u8>> {
    if view.is_null(i) {
        return None;
    }
    Some(match layout.shape(i) {
        ColumnShape::Fixed(1) => view.fixed::<1>(i).to_vec(),
        ColumnShape::Fixed(2) => view.fixed::<2>(i).to_vec(),
        ColumnShape::Fixed(4) => view.fixed::<4>(i).to_vec(),
        ColumnShape::Fixed(8) => view.fixed::<8>(i).to_vec(),
        ColumnShape::Fixed(_) => view.fixed::<16>(i).to_vec(),
        ColumnShape::Var => view.var(i).to_vec(),
    })
}

#[test]
fn round_trips_also_after_adding_columns() {
    let mut rng = Rng(11);
    for round in 0..2000 {
        let mut shapes = random_shapes(&mut rng);
        let layout = RowLayout::new(&shapes);
        let values: Vec<Option<Vec<u8>>> = shapes
            .iter()
            .map(|shape| {
                let len = match shape {
                    ColumnShape::Fixed(n) => *n as u64,
                    ColumnShape::Var if round % 50 == 0 => rng.next() % 70_000,
                    ColumnShape::Var => rng.next() % 20,
                };
                (!rng.next().is_multiple_of(4)).then(|| (0..len).map(|_| rng.next() as u8).collect())
            })
            .collect();
        let mut out = vec![9; 3];
        write(&layout, &values, &mut out);
        let stored = shapes.len();
        shapes.extend(random_shapes(&mut rng));
        let newer = RowLayout::new(&shapes);
        for layout in [&layout, &newer] {
            let view = RowView::new(layout, &out[3..]).unwrap();
            view.validate().unwrap();
            assert_eq!(view.natts(), stored);
            for i in 0..layout.len() {
                assert_eq!(read(&view, layout, i), values.get(i).cloned().flatten());
            }
        }
    }
}

#[test]
fn corrupt_bytes_never_panic() {
    let mut rng = Rng(12);
    for _ in 0..20_000 {
        let shapes = random_shapes(&mut rng);
        let layout = RowLayout::new(&shapes);
        let values: Vec<Option<Vec<u8>>> = shapes
            .iter()
            .map(|shape| match shape {
                ColumnShape::Fixed(n) => Some(vec![1; *n as usize]),
                ColumnShape::Var => Some(vec![2; (rng.next() % 9) as usize]),
            })
            .collect();
        let mut out = Vec::new();
        write(&layout, &values, &mut out);
        for _ in 0..3 {
            let at = (rng.next() % out.len() as u64) as usize;
            out[at] = rng.next() as u8;
        }
        out.truncate((rng.next() % (out.len() as u64 + 1)) as usize);
        if let Ok(view) = RowView::new(&layout, &out) {
            for i in 0..view.natts() {
                let _ = read(&view, &layout, i);
            }
        }
    }
}
