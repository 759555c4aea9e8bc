//! Conversions between `Datum` and the plain Rust types that bodies take and return, and the table macro.
//!
//! Invariant: a strict function's arguments are never NULL, so a NULL for a non-`Option` argument is our bug (XX000).

use std::sync::Arc;

use ecow::{EcoString, EcoVec};
use pglite_error::{PgError, PgResult};
use pglite_types::array::ArrayValue;
use pglite_types::bits::BitString;
use pglite_types::datetime::{Interval, TimeTz};
use pglite_types::geo::Geo;
use pglite_types::jsonb::Jsonb;
use pglite_types::net::Inet;
use pglite_types::numeric::Numeric;
use pglite_types::range::{MultirangeValue, RangeValue};
use pglite_types::record::RecordValue;
use pglite_types::tsearch::{TsQuery, TsVector};
use pglite_types::{Datum, Oid};

/// Reads one argument.
pub trait FromDatum<'a>: Sized {
    fn from_datum(datum: &'a Datum) -> PgResult<Self>;
}

/// Makes the result.
pub trait IntoDatum {
    fn into_datum(self) -> PgResult<Datum>;
}

#[cold]
fn mismatch(want: &str, got: &Datum) -> PgError {
    PgError::internal(format!("function argument is not {want}: {got:?}"))
}

macro_rules! copy_kinds {
    ($($t:ty => $variant:ident),* $(,)?) => {$(
        impl FromDatum<'_> for $t {
            #[inline]
            fn from_datum(datum: &Datum) -> PgResult<$t> {
                match datum {
                    Datum::$variant(v) => Ok(*v),
                    other => Err(mismatch(stringify!($variant), other)),
                }
            }
        }
        impl IntoDatum for $t {
            #[inline]
            fn into_datum(self) -> PgResult<Datum> {
                Ok(Datum::$variant(self))
            }
        }
    )*};
}

copy_kinds! {
    bool => Bool, i16 => Int2, i32 => Int4, i64 => Int8, f32 => Float4, f64 => Float8, Oid => Oid, u8 => Char,
    TimeTz => TimeTz, Interval => Interval, [u8; 16] => Uuid, [u8; 6] => MacAddr, [u8; 8] => MacAddr8,
}

macro_rules! ref_kinds {
    ($($t:ty => $variant:ident),* $(,)?) => {$(
        impl<'a> FromDatum<'a> for &'a $t {
            #[inline]
            fn from_datum(datum: &'a Datum) -> PgResult<&'a $t> {
                match datum {
                    Datum::$variant(v) => Ok(v),
                    other => Err(mismatch(stringify!($variant), other)),
                }
            }
        }
    )*};
}

ref_kinds! {
    str => Text, EcoString => Text, [u8] => Bytea, Numeric => Numeric, Jsonb => Jsonb, ArrayValue => Array,
    RecordValue => Record, RangeValue => Range, MultirangeValue => Multirange, BitString => Bits, Inet => Inet,
    Geo => Geo, TsVector => TsVector, TsQuery => TsQuery,
}

macro_rules! arc_kinds {
    ($($t:ty => $variant:ident),* $(,)?) => {$(
        impl IntoDatum for $t {
            fn into_datum(self) -> PgResult<Datum> {
                Ok(Datum::$variant(Arc::new(self)))
            }
        }
    )*};
}

arc_kinds! {
    Jsonb => Jsonb, ArrayValue => Array, RecordValue => Record, RangeValue => Range, MultirangeValue => Multirange,
    BitString => Bits, Inet => Inet, Geo => Geo, TsVector => TsVector, TsQuery => TsQuery,
}

/// date: days since 2000-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub i32);
/// time: microseconds since midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);
/// timestamp and timestamptz: microseconds since 2000-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);
/// pg_lsn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lsn(pub u64);
/// tid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tid(pub u64);

macro_rules! newtype_kinds {
    ($($t:ident => $variant:ident),* $(,)?) => {$(
        impl FromDatum<'_> for $t {
            #[inline]
            fn from_datum(datum: &Datum) -> PgResult<$t> {
                match datum {
                    Datum::$variant(v) => Ok($t(*v)),
                    other => Err(mismatch(stringify!($variant), other)),
                }
            }
        }
        impl IntoDatum for $t {
            #[inline]
            fn into_datum(self) -> PgResult<Datum> {
                Ok(Datum::$variant(self.0))
            }
        }
    )*};
}

newtype_kinds! { Date => Date, Time => Time, Timestamp => Timestamp, Lsn => Lsn, Tid => Tid }

impl<'a> FromDatum<'a> for &'a Datum {
    fn from_datum(datum: &'a Datum) -> PgResult<&'a Datum> {
        Ok(datum)
    }
}

impl<'a, T: FromDatum<'a>> FromDatum<'a> for Option<T> {
    fn from_datum(datum: &'a Datum) -> PgResult<Option<T>> {
        if datum.is_null() { Ok(None) } else { T::from_datum(datum).map(Some) }
    }
}

impl IntoDatum for Datum {
    fn into_datum(self) -> PgResult<Datum> {
        Ok(self)
    }
}

impl IntoDatum for () {
    /// `void`: an empty string, not NULL.
    fn into_datum(self) -> PgResult<Datum> {
        Ok(Datum::Text(EcoString::new()))
    }
}

impl IntoDatum for EcoString {
    fn into_datum(self) -> PgResult<Datum> {
        Ok(Datum::Text(self))
    }
}

impl IntoDatum for String {
    fn into_datum(self) -> PgResult<Datum> {
        Ok(Datum::Text(self.into()))
    }
}

impl IntoDatum for &str {
    fn into_datum(self) -> PgResult<Datum> {
        Ok(Datum::Text(self.into()))
    }
}

impl IntoDatum for Vec<u8> {
    fn into_datum(self) -> PgResult<Datum> {
        Ok(Datum::Bytea(EcoVec::from(self)))
    }
}

impl IntoDatum for Numeric {
    fn into_datum(self) -> PgResult<Datum> {
        Ok(Datum::Numeric(self))
    }
}

impl<T: IntoDatum> IntoDatum for Option<T> {
    fn into_datum(self) -> PgResult<Datum> {
        self.map_or(Ok(Datum::Null), T::into_datum)
    }
}

impl<T: IntoDatum> IntoDatum for PgResult<T> {
    fn into_datum(self) -> PgResult<Datum> {
        self.and_then(T::into_datum)
    }
}

/// Takes the next argument; used by the [`builtins!`](crate::builtins) wrappers.
#[inline]
pub fn next<'a, T: FromDatum<'a>>(args: &mut std::slice::Iter<'a, Datum>) -> PgResult<T> {
    match args.next() {
        Some(datum) => T::from_datum(datum),
        None => Err(PgError::internal("built-in function called with too few arguments")),
    }
}

/// A family's table of scalar bodies: `"prosrc" => function(types);` or, for functions that take the call context first,
/// `"prosrc" => cx function(types);`. Types are what [`FromDatum`] knows; `Option<T>` for non-strict functions.
#[macro_export]
macro_rules! builtins {
    ($vis:vis $table:ident: $($name:literal => $($f:ident)+ [$($t:ty),*];)*) => {
        $vis static $table: &[(&str, pglite_ir::Body)] = &[
            $(($name, pglite_ir::Body::Scalar($crate::builtins!(@wrap [$($f)+], $($t),*))),)*
        ];
    };
    (@wrap [cx $f:ident], $($t:ty),*) => {{
        #[allow(unused_mut, unused_variables)]
        fn call(cx: &pglite_ir::FnCtx<'_>, args: &[pglite_types::Datum]) -> pglite_error::PgResult<pglite_types::Datum> {
            let mut args = args.iter();
            $crate::arg::IntoDatum::into_datum($f(cx, $($crate::arg::next::<$t>(&mut args)?),*))
        }
        call
    }};
    (@wrap [$f:ident], $($t:ty),*) => {{
        #[allow(unused_mut, unused_variables)]
        fn call(_: &pglite_ir::FnCtx<'_>, args: &[pglite_types::Datum]) -> pglite_error::PgResult<pglite_types::Datum> {
            let mut args = args.iter();
            $crate::arg::IntoDatum::into_datum($f($($crate::arg::next::<$t>(&mut args)?),*))
        }
        call
    }};
}
