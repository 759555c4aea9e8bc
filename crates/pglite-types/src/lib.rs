//! `Datum`, `Row`, and every built-in type's in/out/send/recv/compare/hash.

pub mod datum;
pub mod io;
pub mod oid;

pub use datum::{Datum, ExtensionValue, Row};
pub use io::{IoSettings, TypeDesc, TypeEnv, TypeKind};
pub use oid::Oid;
