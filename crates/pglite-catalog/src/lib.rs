//! The system catalogs: built-in rows as data, stored rows above them.
//!
//! On the way of a statement every stage asks here: the analyzer for names, types and overloads, the planner for
//! indexes and statistics, the executor for functions, the commands to record what DDL does.
//!
//! - [`Snapshot`] is an immutable view of one database's catalogs: cheap to clone, lookups without allocation.
//! - [`CatalogTxn`] is what a transaction has changed above its snapshot; [`CatalogStore`] is what is committed.
//! - [`SearchPath`] resolves names; [`RelDesc`] is a relation with all that planning needs.
//!
//! Invariant: built-in rows are statics generated from `data/*.dat`; a stored row with the same key shadows one, a
//! tombstone hides one. Expressions and queries (`pg_node_tree`) are stored as SQL text.

pub mod builtin;
pub mod field;
pub mod key;
pub mod row;
pub mod table;
pub mod value;
#[rustfmt::skip]
pub mod generated;
pub mod acl;
pub mod create;
pub mod depend;
pub mod describe;
pub mod facts;
pub mod format_type;
mod lookups;
pub mod names;
pub mod reg;
pub mod reldesc;
pub mod search_path;
pub mod snapshot;
pub mod store;
pub mod txn;
mod type_desc;
pub mod views;

pub use depend::{DependencyType, ObjectAddress};
pub use field::RoleNames;
pub use generated::rows;
pub use generated::rows::*;
pub use key::Key;
pub use reldesc::{ColumnDesc, IndexDesc, IndexKey, PartitionKey, RelDesc};
pub use row::CatalogRow;
pub use search_path::{FuncCandidate, SearchPath};
pub use snapshot::Snapshot;
pub use store::{CatalogStore, CommitGuard};
pub use table::{AnyTable, Table};
pub use txn::{CatalogTxn, Change, Mark};
pub use value::{AclItem, AnyArray, List, Str, Vector};

/// OIDs of namespaces, roles, databases, languages and access methods that the engine knows by number.
pub mod well_known {
    use pglite_types::Oid;
    pub const PG_CATALOG: Oid = Oid(11);
    pub const PG_TOAST: Oid = Oid(99);
    pub const PUBLIC_SCHEMA: Oid = Oid(2200);
    pub const SUPERUSER: Oid = Oid(10);
    pub const DB_TEMPLATE1: Oid = Oid(1);
    pub const DB_TEMPLATE0: Oid = Oid(4);
    pub const DB_POSTGRES: Oid = Oid(5);
    pub const LANG_INTERNAL: Oid = Oid(12);
    pub const LANG_C: Oid = Oid(13);
    pub const LANG_SQL: Oid = Oid(14);
    pub const AM_HEAP: Oid = Oid(2);
    pub const AM_BTREE: Oid = Oid(403);
    pub const AM_HASH: Oid = Oid(405);
    pub const AM_GIST: Oid = Oid(783);
    pub const AM_GIN: Oid = Oid(2742);
    pub const AM_BRIN: Oid = Oid(3580);
    pub const AM_SPGIST: Oid = Oid(4000);
    pub const COLL_DEFAULT: Oid = Oid(100);
    pub const COLL_C: Oid = Oid(950);
    pub const COLL_POSIX: Oid = Oid(951);
    pub const TABLESPACE_DEFAULT: Oid = Oid(1663);
    pub const TABLESPACE_GLOBAL: Oid = Oid(1664);
    pub const ROLE_DATABASE_OWNER: Oid = Oid(6171);
    pub const ROLE_READ_ALL_DATA: Oid = Oid(6181);
    pub const ROLE_WRITE_ALL_DATA: Oid = Oid(6182);
    pub const ROLE_MAINTAIN: Oid = Oid(6337);
}
