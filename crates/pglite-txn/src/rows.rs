//! Rows to bytes and back: `varint position | codec row`.
//!
//! This is the scan's inner loop: fixed-width columns cost a load and a store.

use pglite_codec::{ColumnShape, RowLayout, RowView, RowWriter, varint};
use pglite_error::{PgError, PgResult, codes};
use pglite_types::storage::{self, PhysKind};
use pglite_types::{Datum, Oid};

use crate::desc::TableDesc;

#[cold]
fn corrupt() -> PgError {
    PgError::new(codes::DATA_CORRUPTED, "corrupted row")
}

#[cold]
fn mismatch(kind: PhysKind, value: &Datum) -> PgError {
    PgError::internal(format!("column of kind {kind:?} cannot hold {value:?}"))
}

/// Writes one column.
#[inline]
fn write_column(row: &mut RowWriter<'_>, i: usize, kind: PhysKind, value: &Datum) -> PgResult<()> {
    match (kind, value) {
        (_, Datum::Null) => row.null(i),
        (PhysKind::Int4, Datum::Int4(v)) | (PhysKind::Date, Datum::Date(v)) => row.fixed(i, v.to_le_bytes()),
        (PhysKind::Int8, Datum::Int8(v))
        | (PhysKind::Time, Datum::Time(v))
        | (PhysKind::Timestamp, Datum::Timestamp(v)) => row.fixed(i, v.to_le_bytes()),
        (PhysKind::Text, Datum::Text(s)) => row.var(i, s.as_bytes()),
        (PhysKind::Bool, Datum::Bool(b)) => row.fixed(i, [*b as u8]),
        (PhysKind::Char, Datum::Char(c)) => row.fixed(i, [*c]),
        (PhysKind::Int2, Datum::Int2(v)) => row.fixed(i, v.to_le_bytes()),
        (PhysKind::Float4, Datum::Float4(v)) => row.fixed(i, v.to_le_bytes()),
        (PhysKind::Float8, Datum::Float8(v)) => row.fixed(i, v.to_le_bytes()),
        (PhysKind::Oid, Datum::Oid(o)) => row.fixed(i, o.0.to_le_bytes()),
        (PhysKind::Uuid, Datum::Uuid(u)) => row.fixed(i, *u),
        (PhysKind::Tid, Datum::Tid(v)) | (PhysKind::Lsn, Datum::Lsn(v)) => row.fixed(i, v.to_le_bytes()),
        (PhysKind::TimeTz, Datum::TimeTz(_)) | (PhysKind::Interval, Datum::Interval(_)) => {
            row.fixed(i, stored_fixed::<16>(value)?);
        }
        (PhysKind::MacAddr, Datum::MacAddr(_)) | (PhysKind::MacAddr8, Datum::MacAddr8(_)) => {
            row.fixed(i, stored_fixed::<8>(value)?);
        }
        _ if PhysKind::of_value(value) == Some(kind) => {
            let mut result = Ok(());
            row.var_with(i, |out| result = storage::encode(value, out));
            return result;
        }
        _ => return Err(mismatch(kind, value)),
    }
    Ok(())
}

fn stored_fixed<const N: usize>(value: &Datum) -> PgResult<[u8; N]> {
    let mut bytes = Vec::with_capacity(N);
    storage::encode(value, &mut bytes)?;
    bytes.try_into().map_err(|_| PgError::internal("stored form has an unexpected width"))
}

/// Appends the values as a codec row.
pub(crate) fn write_values<'a>(
    layout: &RowLayout,
    kinds: &[PhysKind],
    values: impl ExactSizeIterator<Item = &'a Datum>,
    out: &mut Vec<u8>,
) -> PgResult<()> {
    if values.len() != kinds.len() {
        return Err(PgError::internal(format!("row has {} values instead of {}", values.len(), kinds.len())));
    }
    let mut row = RowWriter::new(layout, out);
    for (i, (kind, value)) in kinds.iter().zip(values).enumerate() {
        write_column(&mut row, i, *kind, value)?;
    }
    row.finish();
    Ok(())
}

/// Appends a row version.
#[inline]
pub(crate) fn write_row(
    table: &TableDesc,
    position: u64,
    values: &[Datum],
    out: &mut Vec<u8>,
) -> PgResult<()> {
    varint::write_u64(out, position);
    write_values(&table.layout, &table.kinds, values.iter(), out)
}

/// Splits a row version into its position and its codec row.
#[inline]
pub(crate) fn split_row(value: &[u8]) -> PgResult<(u64, &[u8])> {
    let mut at = 0;
    let position = varint::read_u64(value, &mut at).ok_or_else(corrupt)?;
    Ok((position, &value[at..]))
}

/// Appends column `i` of a row in which it is stored and not NULL.
///
/// Why: each arm pushes for itself. A value that is first built on the stack and then copied costs a stalled load,
/// a third of the whole scan.
#[inline]
pub(crate) fn read_column(row: &RowView<'_>, i: usize, kind: PhysKind, out: &mut Vec<Datum>) -> PgResult<()> {
    match kind {
        PhysKind::Int4 => out.push(Datum::Int4(i32::from_le_bytes(row.fixed(i)))),
        PhysKind::Int8 => out.push(Datum::Int8(i64::from_le_bytes(row.fixed(i)))),
        PhysKind::Text => match std::str::from_utf8(row.var(i)) {
            Ok(text) => out.push(Datum::text(text)),
            Err(_) => return Err(corrupt()),
        },
        PhysKind::Bool => out.push(Datum::Bool(row.fixed::<1>(i)[0] != 0)),
        PhysKind::Char => out.push(Datum::Char(row.fixed::<1>(i)[0])),
        PhysKind::Int2 => out.push(Datum::Int2(i16::from_le_bytes(row.fixed(i)))),
        PhysKind::Float4 => out.push(Datum::Float4(f32::from_le_bytes(row.fixed(i)))),
        PhysKind::Float8 => out.push(Datum::Float8(f64::from_le_bytes(row.fixed(i)))),
        PhysKind::Oid => out.push(Datum::Oid(Oid(u32::from_le_bytes(row.fixed(i))))),
        PhysKind::Date => out.push(Datum::Date(i32::from_le_bytes(row.fixed(i)))),
        PhysKind::Time => out.push(Datum::Time(i64::from_le_bytes(row.fixed(i)))),
        PhysKind::Timestamp => out.push(Datum::Timestamp(i64::from_le_bytes(row.fixed(i)))),
        _ => out.push(read_other(row, i, kind)?),
    }
    Ok(())
}

fn read_other(row: &RowView<'_>, i: usize, kind: PhysKind) -> PgResult<Datum> {
    match kind.shape() {
        ColumnShape::Fixed(8) => storage::decode(kind, &row.fixed::<8>(i)),
        ColumnShape::Fixed(16) => storage::decode(kind, &row.fixed::<16>(i)),
        ColumnShape::Fixed(_) => Err(corrupt()),
        ColumnShape::Var => storage::decode(kind, row.var(i)),
    }
}

/// Appends the wanted columns of a codec row to `out`.
#[inline]
pub(crate) fn read_columns(
    table: &TableDesc,
    columns: &[(u16, PhysKind)],
    row: &[u8],
    out: &mut Vec<Datum>,
) -> PgResult<()> {
    if columns.is_empty() {
        return Ok(());
    }
    let row = RowView::new(&table.layout, row)?;
    for (i, kind) in columns {
        let i = *i as usize;
        if !row.is_null(i) {
            read_column(&row, i, *kind, out)?;
        } else if i < row.natts() {
            out.push(Datum::Null);
        } else {
            out.push(table.missing(i));
        }
    }
    Ok(())
}
