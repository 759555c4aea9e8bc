//! Typed access to the rows of a result.

use pglite_error::{PgResult, err};
use pglite_types::{Datum, Row};

use super::Rows;

/// A Rust type that a value can be read as.
pub trait FromDatum: Sized {
    /// None: the value is of another type. NULL reaches this only where [`FromDatum::null`] has no answer.
    fn from_datum(value: &Datum) -> Option<Self>;
    /// What NULL is read as; None: NULL is an error.
    fn null() -> Option<Self> {
        None
    }
}

macro_rules! from_datum {
    ($($t:ty: $($pattern:pat => $value:expr),+;)*) => {$(
        impl FromDatum for $t {
            fn from_datum(value: &Datum) -> Option<$t> {
                match value {
                    $($pattern => Some($value),)+
                    _ => None,
                }
            }
        }
    )*};
}

from_datum! {
    bool: Datum::Bool(v) => *v;
    i16: Datum::Int2(v) => *v;
    i32: Datum::Int4(v) => *v, Datum::Int2(v) => i32::from(*v);
    i64: Datum::Int8(v) => *v, Datum::Int4(v) => i64::from(*v), Datum::Int2(v) => i64::from(*v);
    u32: Datum::Oid(v) => v.0;
    f32: Datum::Float4(v) => *v;
    f64: Datum::Float8(v) => *v, Datum::Float4(v) => f64::from(*v);
    String: Datum::Text(v) => v.to_string();
    Vec<u8>: Datum::Bytea(v) => v.to_vec();
    [u8; 16]: Datum::Uuid(v) => *v;
}

impl<T: FromDatum> FromDatum for Option<T> {
    fn from_datum(value: &Datum) -> Option<Option<T>> {
        T::from_datum(value).map(Some)
    }
    fn null() -> Option<Option<T>> {
        Some(None)
    }
}

impl FromDatum for Datum {
    fn from_datum(value: &Datum) -> Option<Datum> {
        Some(value.clone())
    }
    fn null() -> Option<Datum> {
        Some(Datum::Null)
    }
}

/// One row of a result, its values by position or by name.
#[derive(Clone, Copy)]
pub struct RowRef<'r> {
    rows: &'r Rows,
    values: &'r Row,
}

/// A column: its 0-based position or its name.
pub trait Column {
    fn position(&self, rows: &Rows) -> Option<usize>;
}

impl Column for usize {
    fn position(&self, rows: &Rows) -> Option<usize> {
        (*self < rows.columns.len()).then_some(*self)
    }
}

impl Column for &str {
    fn position(&self, rows: &Rows) -> Option<usize> {
        rows.columns.iter().position(|c| &*c.name == *self)
    }
}

impl RowRef<'_> {
    /// The value as a Rust type; an error when there is no such column, or the value does not fit.
    pub fn get<T: FromDatum>(&self, column: impl Column + std::fmt::Debug) -> PgResult<T> {
        let Some(i) = column.position(self.rows) else {
            return Err(err!(UNDEFINED_COLUMN, "column {column:?} does not exist"));
        };
        let value = &self.values[i];
        let read = if value.is_null() { T::null() } else { T::from_datum(value) };
        read.ok_or_else(|| {
            let what = if value.is_null() { "null" } else { "of another type" };
            err!(
                DATATYPE_MISMATCH,
                "column \"{}\" is {what}, not {}",
                self.rows.columns[i].name,
                std::any::type_name::<T>()
            )
        })
    }
}

impl Rows {
    /// The rows with their columns' names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RowRef<'_>> {
        self.rows.iter().map(|values| RowRef { rows: self, values })
    }
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// The first row's first value as a Rust type.
    pub fn one<T: FromDatum>(&self) -> PgResult<T> {
        match self.iter().next() {
            Some(row) => row.get(0),
            None => Err(err!(NO_DATA_FOUND, "query returned no rows")),
        }
    }
}
