//! Keys of catalog rows: order-preserving bytes of the key columns.
//!
//! The bytes of a primary key are also the row's key in storage (below the catalog's OID). A shorter key is a prefix:
//! `Key::new().oid(relid)` finds all attributes of a relation.

use smallvec::SmallVec;

use pglite_types::Oid;

use crate::value::{List, Str};

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Key(SmallVec<[u8; 24]>);

impl Key {
    pub fn new() -> Key {
        Key::default()
    }
    pub fn from_bytes(bytes: &[u8]) -> Key {
        Key(SmallVec::from_slice(bytes))
    }
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// Adds a column.
    pub fn with<T: KeyPart + ?Sized>(mut self, part: &T) -> Key {
        part.append(&mut self);
        self
    }
    pub fn oid(self, oid: Oid) -> Key {
        self.with(&oid)
    }
    pub fn str(self, s: &str) -> Key {
        self.with(s)
    }
    fn bytes(&mut self, b: &[u8]) {
        self.0.extend_from_slice(b);
    }
    /// `self` followed by `other`.
    pub(crate) fn join(&self, other: &Key) -> Key {
        let mut k = self.clone();
        k.bytes(&other.0);
        k
    }
}

impl std::borrow::Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl From<Oid> for Key {
    fn from(oid: Oid) -> Key {
        Key::new().oid(oid)
    }
}

/// A column type that may stand in a key.
pub trait KeyPart {
    fn append(&self, key: &mut Key);
}

impl KeyPart for Oid {
    fn append(&self, key: &mut Key) {
        key.bytes(&self.0.to_be_bytes());
    }
}
impl KeyPart for i16 {
    fn append(&self, key: &mut Key) {
        key.bytes(&((*self as u16) ^ 0x8000).to_be_bytes());
    }
}
impl KeyPart for i32 {
    fn append(&self, key: &mut Key) {
        key.bytes(&((*self as u32) ^ 0x8000_0000).to_be_bytes());
    }
}
impl KeyPart for f32 {
    fn append(&self, key: &mut Key) {
        let bits = self.to_bits();
        let flipped = if bits >> 31 == 1 { !bits } else { bits | 0x8000_0000 };
        key.bytes(&flipped.to_be_bytes());
    }
}
impl KeyPart for u8 {
    fn append(&self, key: &mut Key) {
        key.bytes(&[*self]);
    }
}
impl KeyPart for bool {
    fn append(&self, key: &mut Key) {
        key.bytes(&[*self as u8]);
    }
}
impl KeyPart for str {
    fn append(&self, key: &mut Key) {
        // Invariant: catalog strings hold no NUL, so the terminator sorts a prefix first.
        key.bytes(self.as_bytes());
        key.bytes(&[0]);
    }
}
impl KeyPart for Str {
    fn append(&self, key: &mut Key) {
        self.as_str().append(key);
    }
}
impl<T: KeyPart> KeyPart for Option<T> {
    fn append(&self, key: &mut Key) {
        match self {
            Some(v) => {
                key.bytes(&[1]);
                v.append(key);
            }
            None => key.bytes(&[2]),
        }
    }
}
impl<T: KeyPart, const L: i32> KeyPart for List<T, L> {
    fn append(&self, key: &mut Key) {
        for v in self.iter() {
            key.bytes(&[1]);
            v.append(key);
        }
        key.bytes(&[0]);
    }
}
