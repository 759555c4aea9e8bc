//! Where things lie in the store's key space, and how a row's position becomes a `ctid`.
//!
//! ```text
//!   space  := u32 database | u32 filenode                 (big-endian; 8 bytes)
//!   row    := space | u64 row id                          -> varint position | codec row
//!   entry  := space | memcomparable key columns | u64 row id -> empty, or codec row of what the key cannot give back
//!   limit  := u32 max | 1 | u32 database | u32 filenode | u64 limit -> live rows, bytes   (see `counters`)
//! ```
//! Database `u32::MAX`, which no database has as its OID, is ours; other layers keep their own keys in spaces that are
//! no table's or index's of database 0 (shared) or of a real database.
//!
//! Invariant: the keys of one table or index share one 8-byte prefix and no other key has it, so dropping it is one
//! range deletion.

/// The 8-byte prefix of a table's or index's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Space(pub u64);

/// Holds the upper limits of what counters may have given out.
pub(crate) const LIMITS: Space = Space::new(u32::MAX, 1);

impl Space {
    pub const fn new(database: u32, filenode: u32) -> Space {
        Space((database as u64) << 32 | filenode as u64)
    }
    pub const fn database(self) -> u32 {
        (self.0 >> 32) as u32
    }
    pub const fn filenode(self) -> u32 {
        self.0 as u32
    }
    #[inline]
    pub const fn prefix(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
    /// The key of row `row` of the table in this space.
    #[inline]
    pub fn row_key(self, row: u64) -> [u8; 16] {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&self.prefix());
        key[8..].copy_from_slice(&row.to_be_bytes());
        key
    }
    /// The first key after this space.
    #[inline]
    pub const fn end(self) -> [u8; 8] {
        self.0.wrapping_add(1).to_be_bytes()
    }
    /// The space a key lies in. Keys shorter than a prefix are padded with zeros.
    #[inline]
    pub fn of(key: &[u8]) -> Space {
        let mut prefix = [0; 8];
        let len = key.len().min(8);
        prefix[..len].copy_from_slice(&key[..len]);
        Space(u64::from_be_bytes(prefix))
    }
}

/// The row id at the end of a row key or index entry key.
#[inline]
pub(crate) fn row_id_of(key: &[u8]) -> u64 {
    key.last_chunk::<8>().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

/// Row versions per shown block. PG: what a heap page holds of rows with one int4 column.
pub const TUPLES_PER_BLOCK: u64 = 226;

/// The `(block, offset)` that `ctid` shows for a position.
pub fn position_to_tid(position: u64) -> (u32, u16) {
    ((position / TUPLES_PER_BLOCK) as u32, (position % TUPLES_PER_BLOCK + 1) as u16)
}

/// The position a `(block, offset)` stands for; `None` for one that no row can have.
pub fn tid_to_position(block: u32, offset: u16) -> Option<u64> {
    let offset = (offset as u64).checked_sub(1).filter(|o| *o < TUPLES_PER_BLOCK)?;
    Some(block as u64 * TUPLES_PER_BLOCK + offset)
}

/// Hashes a [`Space`] by one multiplication.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SpaceHasher(u64);

impl std::hash::Hasher for SpaceHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(*byte as u64);
        }
    }
    fn write_u64(&mut self, space: u64) {
        let product = (self.0 ^ space).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = product ^ product >> 32;
    }
}

/// A map from spaces.
pub(crate) type SpaceMap<V> = std::collections::HashMap<Space, V, std::hash::BuildHasherDefault<SpaceHasher>>;
