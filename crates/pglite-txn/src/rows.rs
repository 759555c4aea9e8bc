//! Rows to bytes and back: `varint position | codec row`.
//!
//! This is the scan's inner loop: fixed-width columns cost a load and a store.

use pglite_codec::{RowLayout, RowView, RowWriter, varint};
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
pub(crate) type ReadColumn = fn(&RowView<'_>, usize, &mut Vec<Datum>) -> PgResult<()>;

/// Builds the reader of a fixed-width kind.
macro_rules! fixed_reader {
    ($bytes:ident => $value:expr) => {
        |row, i, out| {
            let $bytes = row.fixed(i);
            out.push($value);
            Ok(())
        }
    };
}

/// The reader of a kind, chosen once per scan.
///
/// Why: in one function with a match the compiler merges the arms' pushes, builds each value on the stack and copies
/// it from there with a wider load, which stalls: a fifth of the whole scan.
pub(crate) fn reader(kind: PhysKind) -> ReadColumn {
    match kind {
        PhysKind::Int4 => fixed_reader!(b => Datum::Int4(i32::from_le_bytes(b))),
        PhysKind::Int8 => fixed_reader!(b => Datum::Int8(i64::from_le_bytes(b))),
        PhysKind::Bool => fixed_reader!(b => Datum::Bool(b != [0])),
        PhysKind::Char => fixed_reader!(b => Datum::Char(u8::from_le_bytes(b))),
        PhysKind::Int2 => fixed_reader!(b => Datum::Int2(i16::from_le_bytes(b))),
        PhysKind::Float4 => fixed_reader!(b => Datum::Float4(f32::from_le_bytes(b))),
        PhysKind::Float8 => fixed_reader!(b => Datum::Float8(f64::from_le_bytes(b))),
        PhysKind::Oid => fixed_reader!(b => Datum::Oid(Oid(u32::from_le_bytes(b)))),
        PhysKind::Date => fixed_reader!(b => Datum::Date(i32::from_le_bytes(b))),
        PhysKind::Time => fixed_reader!(b => Datum::Time(i64::from_le_bytes(b))),
        PhysKind::Timestamp => fixed_reader!(b => Datum::Timestamp(i64::from_le_bytes(b))),
        PhysKind::Tid => fixed_reader!(b => Datum::Tid(u64::from_le_bytes(b))),
        PhysKind::Lsn => fixed_reader!(b => Datum::Lsn(u64::from_le_bytes(b))),
        PhysKind::Uuid => fixed_reader!(b => Datum::Uuid(b)),
        PhysKind::TimeTz => fixed_reader!(b => storage::decode(PhysKind::TimeTz, &b as &[u8; 16])?),
        PhysKind::Interval => fixed_reader!(b => storage::decode(PhysKind::Interval, &b as &[u8; 16])?),
        PhysKind::MacAddr => fixed_reader!(b => storage::decode(PhysKind::MacAddr, &b as &[u8; 8])?),
        PhysKind::MacAddr8 => fixed_reader!(b => storage::decode(PhysKind::MacAddr8, &b as &[u8; 8])?),
        PhysKind::Text => |row, i, out| match std::str::from_utf8(row.var(i)) {
            Ok(text) => {
                out.push(Datum::text_of(text));
                Ok(())
            }
            Err(_) => Err(corrupt()),
        },
        PhysKind::Bytea => var_reader::<{ PhysKind::Bytea as u8 }>,
        PhysKind::Numeric => var_reader::<{ PhysKind::Numeric as u8 }>,
        PhysKind::Jsonb => var_reader::<{ PhysKind::Jsonb as u8 }>,
        PhysKind::Array => var_reader::<{ PhysKind::Array as u8 }>,
        PhysKind::Record => var_reader::<{ PhysKind::Record as u8 }>,
        PhysKind::Range => var_reader::<{ PhysKind::Range as u8 }>,
        PhysKind::Multirange => var_reader::<{ PhysKind::Multirange as u8 }>,
        PhysKind::Bits => var_reader::<{ PhysKind::Bits as u8 }>,
        PhysKind::Inet => var_reader::<{ PhysKind::Inet as u8 }>,
        PhysKind::Geo => var_reader::<{ PhysKind::Geo as u8 }>,
        PhysKind::TsVector => var_reader::<{ PhysKind::TsVector as u8 }>,
        PhysKind::TsQuery => var_reader::<{ PhysKind::TsQuery as u8 }>,
        PhysKind::Extension => var_reader::<{ PhysKind::Extension as u8 }>,
    }
}

fn var_reader<const KIND: u8>(row: &RowView<'_>, i: usize, out: &mut Vec<Datum>) -> PgResult<()> {
    let kind = PhysKind::from_u8(KIND).ok_or_else(corrupt)?;
    out.push(storage::decode(kind, row.var(i))?);
    Ok(())
}

/// Appends the wanted columns of a codec row to `out`.
#[inline]
pub(crate) fn read_columns(
    table: &TableDesc,
    columns: &[(u16, ReadColumn)],
    row: &[u8],
    out: &mut Vec<Datum>,
) -> PgResult<()> {
    if columns.is_empty() {
        return Ok(());
    }
    let row = RowView::new(&table.layout, row)?;
    for (i, read) in columns {
        let i = *i as usize;
        if !row.is_null(i) {
            read(&row, i, out)?;
        } else if i < row.natts() {
            out.push(Datum::Null);
        } else {
            out.push(table.missing(i));
        }
    }
    Ok(())
}
