//! `Datum`, `Row`, and every built-in type's in/out/send/recv/compare/hash.
//!
//! The entry points by type OID are [`text`], [`binary`], [`compare`], [`hash`], [`storage`] and [`typmod`]; the modules
//! of the families hold the typed functions that the built-in function bodies call.

pub mod array;
pub mod batch;
pub mod binary;
pub mod bits;
pub mod compare;
pub mod datetime;
pub mod datum;
pub mod geo;
pub mod hash;
pub mod io;
pub mod jsonb;
pub mod jsonpath;
pub mod keys;
pub mod net;
pub mod numeric;
pub mod oid;
pub mod range;
pub mod record;
pub mod storage;
pub mod text;
pub mod tsearch;
pub mod typmod;

pub use batch::{BATCH_ROWS, Batch};
pub use datum::{Datum, ExtensionValue, Row};
pub use io::{AttrDesc, IoSettings, TypeDesc, TypeEnv, TypeKind};
pub use oid::Oid;
