//! How each column type becomes a [`Datum`], and bytes in storage.
//!
//! The stored form is private to this crate: columns in order, integers little-endian, strings and lists with a length.

use std::sync::Arc;

use pglite_error::{PgError, PgResult};
use pglite_types::array::ArrayValue;
use pglite_types::storage::{self, PhysKind};
use pglite_types::{Datum, Oid, oid};

use crate::acl;
use crate::value::{AclItem, AnyArray, Bytes, List, Lsn, Str, Timestamp, Xid};

/// Role names, for the text of ACL items. [`crate::Snapshot`] is one.
pub trait RoleNames {
    fn role_name(&self, role: Oid) -> Option<&str>;
    fn role_oid(&self, name: &str) -> Option<Oid>;
}

/// Reads stored bytes front to back.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, n: usize) -> PgResult<&'a [u8]> {
        if self.0.len() < n {
            return Err(PgError::internal("catalog row is too short"));
        }
        let (head, tail) = self.0.split_at(n);
        self.0 = tail;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> PgResult<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }
    fn len(&mut self) -> PgResult<usize> {
        Ok(u32::from_le_bytes(self.array()?) as usize)
    }
}

/// A column type.
pub trait Field: Sized {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()>;
    fn get(r: &mut Reader<'_>) -> PgResult<Self>;
    fn to_datum(&self, names: &dyn RoleNames) -> Datum;
    fn from_datum(d: &Datum, names: &dyn RoleNames) -> PgResult<Self>;
}

/// A column type that may stand in an array.
pub trait Elem: Field {
    const TYPE: Oid;
}

fn mismatch<T>(what: &str, d: &Datum) -> PgResult<T> {
    Err(PgError::internal(format!("catalog column of type {what} cannot hold {d:?}")))
}

macro_rules! number_field {
    ($ty:ty, $variant:ident, $raw:ty, $to:expr, $from:expr) => {
        impl Field for $ty {
            fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
                let to: fn(&$ty) -> $raw = $to;
                out.extend_from_slice(&to(self).to_le_bytes());
                Ok(())
            }
            fn get(r: &mut Reader<'_>) -> PgResult<Self> {
                let from: fn($raw) -> $ty = $from;
                Ok(from(<$raw>::from_le_bytes(r.array()?)))
            }
            fn to_datum(&self, _: &dyn RoleNames) -> Datum {
                let to: fn(&$ty) -> $raw = $to;
                Datum::$variant(to(self))
            }
            fn from_datum(d: &Datum, _: &dyn RoleNames) -> PgResult<Self> {
                let from: fn($raw) -> $ty = $from;
                match d {
                    Datum::$variant(v) => Ok(from(*v)),
                    other => mismatch(stringify!($ty), other),
                }
            }
        }
    };
}

number_field!(i16, Int2, i16, |v| *v, |v| v);
number_field!(i32, Int4, i32, |v| *v, |v| v);
number_field!(i64, Int8, i64, |v| *v, |v| v);
number_field!(f32, Float4, f32, |v| *v, |v| v);
number_field!(u8, Char, u8, |v| *v, |v| v);
number_field!(Timestamp, Timestamp, i64, |v| v.0, Timestamp);
number_field!(Lsn, Lsn, u64, |v| v.0, Lsn);

impl Field for bool {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
        out.push(*self as u8);
        Ok(())
    }
    fn get(r: &mut Reader<'_>) -> PgResult<Self> {
        Ok(r.take(1)?[0] != 0)
    }
    fn to_datum(&self, _: &dyn RoleNames) -> Datum {
        Datum::Bool(*self)
    }
    fn from_datum(d: &Datum, _: &dyn RoleNames) -> PgResult<Self> {
        d.as_bool().map_or_else(|| mismatch("bool", d), Ok)
    }
}

impl Field for Oid {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
        out.extend_from_slice(&self.0.to_le_bytes());
        Ok(())
    }
    fn get(r: &mut Reader<'_>) -> PgResult<Self> {
        Ok(Oid(u32::from_le_bytes(r.array()?)))
    }
    fn to_datum(&self, _: &dyn RoleNames) -> Datum {
        Datum::Oid(*self)
    }
    fn from_datum(d: &Datum, _: &dyn RoleNames) -> PgResult<Self> {
        d.as_oid().map_or_else(|| mismatch("oid", d), Ok)
    }
}

impl Field for Xid {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
        Oid(self.0).put(out)
    }
    fn get(r: &mut Reader<'_>) -> PgResult<Self> {
        Ok(Xid(Oid::get(r)?.0))
    }
    fn to_datum(&self, _: &dyn RoleNames) -> Datum {
        Datum::Oid(Oid(self.0))
    }
    fn from_datum(d: &Datum, n: &dyn RoleNames) -> PgResult<Self> {
        Ok(Xid(Oid::from_datum(d, n)?.0))
    }
}

impl Field for Str {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
        out.extend_from_slice(&(self.len() as u32).to_le_bytes());
        out.extend_from_slice(self.as_bytes());
        Ok(())
    }
    fn get(r: &mut Reader<'_>) -> PgResult<Self> {
        let n = r.len()?;
        let text =
            std::str::from_utf8(r.take(n)?).map_err(|_| PgError::internal("catalog text is not UTF-8"))?;
        Ok(text.into())
    }
    fn to_datum(&self, _: &dyn RoleNames) -> Datum {
        Datum::text(self.as_str())
    }
    fn from_datum(d: &Datum, _: &dyn RoleNames) -> PgResult<Self> {
        d.as_str().map_or_else(|| mismatch("text", d), |s| Ok(s.into()))
    }
}

impl Field for Bytes {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
        out.extend_from_slice(&(self.0.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.0);
        Ok(())
    }
    fn get(r: &mut Reader<'_>) -> PgResult<Self> {
        let n = r.len()?;
        Ok(Bytes(Arc::from(r.take(n)?)))
    }
    fn to_datum(&self, _: &dyn RoleNames) -> Datum {
        Datum::Bytea(self.0.iter().copied().collect())
    }
    fn from_datum(d: &Datum, _: &dyn RoleNames) -> PgResult<Self> {
        match d {
            Datum::Bytea(b) => Ok(Bytes(Arc::from(b.as_slice()))),
            other => mismatch("bytea", other),
        }
    }
}

impl Field for AclItem {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
        self.grantee.put(out)?;
        self.grantor.put(out)?;
        out.extend_from_slice(&self.privs.to_le_bytes());
        Ok(())
    }
    fn get(r: &mut Reader<'_>) -> PgResult<Self> {
        let (grantee, grantor) = (Oid::get(r)?, Oid::get(r)?);
        Ok(AclItem { grantee, grantor, privs: u64::from_le_bytes(r.array()?) })
    }
    /// The datum of an `aclitem` is its text: `grantee=privileges/grantor`.
    fn to_datum(&self, names: &dyn RoleNames) -> Datum {
        Datum::text(acl::print_item(self, names))
    }
    fn from_datum(d: &Datum, names: &dyn RoleNames) -> PgResult<Self> {
        match d.as_str() {
            Some(s) => acl::parse_item(s, names),
            None => mismatch("aclitem", d),
        }
    }
}

impl Field for AnyArray {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
        let at = out.len();
        out.extend_from_slice(&[0; 4]);
        storage::encode(&Datum::Array(self.0.clone()), out)?;
        let len = (out.len() - at - 4) as u32;
        out[at..at + 4].copy_from_slice(&len.to_le_bytes());
        Ok(())
    }
    fn get(r: &mut Reader<'_>) -> PgResult<Self> {
        let n = r.len()?;
        match storage::decode(PhysKind::Array, r.take(n)?)? {
            Datum::Array(a) => Ok(AnyArray(a)),
            other => mismatch("anyarray", &other),
        }
    }
    fn to_datum(&self, _: &dyn RoleNames) -> Datum {
        Datum::Array(self.0.clone())
    }
    fn from_datum(d: &Datum, _: &dyn RoleNames) -> PgResult<Self> {
        match d {
            Datum::Array(a) => Ok(AnyArray(a.clone())),
            other => mismatch("anyarray", other),
        }
    }
}

impl<T: Field> Field for Option<T> {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
        out.push(self.is_some() as u8);
        self.as_ref().map_or(Ok(()), |v| v.put(out))
    }
    fn get(r: &mut Reader<'_>) -> PgResult<Self> {
        Ok(if r.take(1)?[0] == 0 { None } else { Some(T::get(r)?) })
    }
    fn to_datum(&self, names: &dyn RoleNames) -> Datum {
        self.as_ref().map_or(Datum::Null, |v| v.to_datum(names))
    }
    fn from_datum(d: &Datum, names: &dyn RoleNames) -> PgResult<Self> {
        if d.is_null() { Ok(None) } else { T::from_datum(d, names).map(Some) }
    }
}

impl<T: Elem, const L: i32> Field for List<T, L> {
    fn put(&self, out: &mut Vec<u8>) -> PgResult<()> {
        out.extend_from_slice(&(self.as_slice().len() as u32).to_le_bytes());
        self.iter().try_for_each(|v| v.put(out))
    }
    fn get(r: &mut Reader<'_>) -> PgResult<Self> {
        let n = r.len()?;
        let list: PgResult<Vec<T>> = (0..n).map(|_| T::get(r)).collect();
        Ok(list?.into())
    }
    fn to_datum(&self, names: &dyn RoleNames) -> Datum {
        let values: Vec<Datum> = self.iter().map(|v| v.to_datum(names)).collect();
        Datum::Array(Arc::new(ArrayValue::one_dim_from(T::TYPE, L, values)))
    }
    fn from_datum(d: &Datum, names: &dyn RoleNames) -> PgResult<Self> {
        match d {
            Datum::Array(a) => {
                a.values.iter().map(|v| T::from_datum(v, names)).collect::<PgResult<Vec<T>>>().map(Into::into)
            }
            other => mismatch("array", other),
        }
    }
}

impl Elem for i16 {
    const TYPE: Oid = oid::INT2;
}
impl Elem for Oid {
    const TYPE: Oid = oid::OID;
}
impl Elem for Str {
    const TYPE: Oid = oid::TEXT;
}
impl Elem for u8 {
    const TYPE: Oid = oid::CHAR;
}
impl Elem for f32 {
    const TYPE: Oid = oid::FLOAT4;
}
impl Elem for AclItem {
    const TYPE: Oid = oid::ACLITEM;
}
