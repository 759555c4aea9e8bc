//! What can be locked, and how PostgreSQL names it in deadlock reports.

use crate::am::RelKey;
use crate::layout::{Space, position_to_tid};

/// A lockable thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockTag {
    Relation(RelKey),
    /// A row: its table's space and its row id.
    Row(Space, u64),
    /// A unique key: its index's space and the hash of the encoded key.
    Key(Space, u64),
    /// A database object that is no relation: database, catalog, OID.
    Object(u32, u32, u32),
    /// `pg_advisory_lock(int8)`: database, key.
    AdvisoryBig(u32, u64),
    /// `pg_advisory_lock(int4, int4)`: database, keys.
    AdvisoryPair(u32, u32, u32),
}

impl LockTag {
    /// Whether PostgreSQL waits for the holder's transaction rather than for the thing itself.
    pub(crate) fn waits_for_transaction(self) -> bool {
        matches!(self, LockTag::Row(..) | LockTag::Key(..))
    }
    /// As in `Process 1 waits for ShareLock on relation 2 of database 3`.
    pub(crate) fn describe(self) -> String {
        match self {
            LockTag::Relation(rel) => format!("relation {} of database {}", rel.relation, rel.database),
            LockTag::Row(space, row) => {
                let (block, offset) = position_to_tid(row);
                let (relation, database) = (space.filenode(), space.database());
                format!("tuple ({block},{offset}) of relation {relation} of database {database}")
            }
            LockTag::Key(space, _) => {
                format!("relation {} of database {}", space.filenode(), space.database())
            }
            LockTag::Object(database, class, object) => {
                format!("object {object} of class {class} of database {database}")
            }
            LockTag::AdvisoryBig(database, key) => {
                format!("advisory lock [{database},{},{},1]", (key >> 32) as u32, key as u32)
            }
            LockTag::AdvisoryPair(database, a, b) => format!("advisory lock [{database},{a},{b},2]"),
        }
    }
    /// A well-mixed hash: picks the shard and the bucket.
    #[inline]
    pub(crate) fn hash64(&self) -> u64 {
        let (kind, a, b) = match *self {
            LockTag::Relation(rel) => (1, (rel.database.0 as u64) << 32 | rel.relation.0 as u64, 0),
            LockTag::Row(space, row) => (2, space.0, row),
            LockTag::Key(space, hash) => (3, space.0, hash),
            LockTag::Object(database, class, object) => {
                (4, (database as u64) << 32 | class as u64, object as u64)
            }
            LockTag::AdvisoryBig(database, key) => (5, database as u64, key),
            LockTag::AdvisoryPair(database, x, y) => (6, database as u64, (x as u64) << 32 | y as u64),
        };
        mix(mix(a ^ (kind << 56)) ^ b)
    }
}

#[inline]
fn mix(x: u64) -> u64 {
    let product = (x ^ 0x9e37_79b9_7f4a_7c15) as u128 * 0xa076_1d64_78bd_642f_u128;
    (product >> 64) as u64 ^ product as u64
}

/// A 64-bit hash of bytes, for key locks.
pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut chunks = bytes.chunks_exact(8);
    let mut hash = bytes.len() as u64;
    for chunk in &mut chunks {
        hash = mix(hash ^ u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
    }
    let mut tail = [0; 8];
    tail[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
    mix(hash ^ u64::from_le_bytes(tail))
}
