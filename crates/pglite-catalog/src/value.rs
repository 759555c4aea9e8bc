//! Column values of catalog rows: strings and lists that are either in the binary or shared on the heap.
//!
//! Invariant: one struct serves built-in rows (statics) and stored rows; cloning never copies text.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use pglite_types::Oid;
use pglite_types::array::ArrayValue;

/// A string column (`name`, `text`, or the SQL text of a `pg_node_tree`).
#[derive(Clone)]
pub enum Str {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Str {
    pub const EMPTY: Str = Str::Static("");
    pub fn as_str(&self) -> &str {
        match self {
            Str::Static(s) => s,
            Str::Shared(s) => s,
        }
    }
    /// The same text as a shared string (no copy when it is one already).
    pub fn to_arc(&self) -> Arc<str> {
        match self {
            Str::Static(s) => Arc::from(*s),
            Str::Shared(s) => s.clone(),
        }
    }
}

impl Deref for Str {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}
impl Borrow<str> for Str {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}
impl AsRef<str> for Str {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}
impl Default for Str {
    fn default() -> Str {
        Str::EMPTY
    }
}
impl From<&str> for Str {
    fn from(s: &str) -> Str {
        if s.is_empty() { Str::EMPTY } else { Str::Shared(Arc::from(s)) }
    }
}
impl From<String> for Str {
    fn from(s: String) -> Str {
        Str::Shared(Arc::from(s))
    }
}
impl From<Arc<str>> for Str {
    fn from(s: Arc<str>) -> Str {
        Str::Shared(s)
    }
}
impl PartialEq for Str {
    fn eq(&self, other: &Str) -> bool {
        self.as_str() == other.as_str()
    }
}
impl PartialEq<str> for Str {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}
impl PartialEq<&str> for Str {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}
impl Eq for Str {}
impl PartialOrd for Str {
    fn partial_cmp(&self, other: &Str) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Str {
    fn cmp(&self, other: &Str) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}
impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}
impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
impl fmt::Display for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A list column. `LOWER` is the lower bound that SQL sees: 0 for `oidvector` and `int2vector`, 1 for arrays.
#[derive(Clone)]
pub enum List<T: 'static, const LOWER: i32 = 1> {
    Static(&'static [T]),
    Shared(Arc<[T]>),
}

/// `oidvector`, `int2vector`.
pub type Vector<T> = List<T, 0>;

impl<T, const L: i32> List<T, L> {
    pub const EMPTY: List<T, L> = List::Static(&[]);
    pub fn as_slice(&self) -> &[T] {
        match self {
            List::Static(s) => s,
            List::Shared(s) => s,
        }
    }
}
impl<T, const L: i32> Deref for List<T, L> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        self.as_slice()
    }
}
impl<T, const L: i32> Default for List<T, L> {
    fn default() -> Self {
        Self::EMPTY
    }
}
impl<T, const L: i32> From<Vec<T>> for List<T, L> {
    fn from(v: Vec<T>) -> Self {
        if v.is_empty() { Self::EMPTY } else { List::Shared(Arc::from(v)) }
    }
}
impl<T: Clone, const L: i32> From<&[T]> for List<T, L> {
    fn from(v: &[T]) -> Self {
        v.to_vec().into()
    }
}
impl<T, const L: i32> FromIterator<T> for List<T, L> {
    fn from_iter<I: IntoIterator<Item = T>>(iter: I) -> Self {
        iter.into_iter().collect::<Vec<T>>().into()
    }
}
impl<T: PartialEq, const L: i32> PartialEq for List<T, L> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}
impl<T: fmt::Debug, const L: i32> fmt::Debug for List<T, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().fmt(f)
    }
}

/// A `bytea`-like column.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Bytes(pub Arc<[u8]>);

/// `timestamptz`: microseconds since 2000-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Timestamp(pub i64);

/// `pg_lsn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Lsn(pub u64);

/// `xid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Xid(pub u32);

/// An `anyarray` column: statistics and missing values.
#[derive(Clone, Debug)]
pub struct AnyArray(pub Arc<ArrayValue>);

impl PartialEq for AnyArray {
    fn eq(&self, other: &AnyArray) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// One `aclitem`: privileges of a grantee (0 = PUBLIC). Low 32 bits: privileges; high 32 bits: grant options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AclItem {
    pub grantee: Oid,
    pub grantor: Oid,
    pub privs: u64,
}
