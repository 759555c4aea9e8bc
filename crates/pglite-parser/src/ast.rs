//! The raw parse tree: what the grammar produces and the analyzer reads.
//!
//! Node and field names are PostgreSQL's (`SelectStmt.target_list` is its `SelectStmt.targetList`), so its
//! documentation of the tree holds here. Nothing is looked up: names are names, constants are their spelling.
//!
//! Invariant: `location` fields are 0-based byte offsets into the parsed text, -1 where unknown.
//! Invariant: every name is already downcased (if unquoted) and truncated to 63 bytes.
//! Invariant: the height of a tree is bounded (see `parser::limits`), so recursion over it cannot run away.

/// Declares plain tree nodes: public fields, `Debug + Clone + PartialEq`; with `default` also `Default`.
macro_rules! nodes {
    () => {};
    ($(#[$m:meta])* default struct $n:ident { $($(#[$fm:meta])* $f:ident : $t:ty),* $(,)? } $($rest:tt)*) => {
        $(#[$m])*
        #[derive(Debug, Clone, PartialEq, Default)]
        pub struct $n { $($(#[$fm])* pub $f: $t),* }
        nodes! { $($rest)* }
    };
    ($(#[$m:meta])* struct $n:ident { $($(#[$fm:meta])* $f:ident : $t:ty),* $(,)? } $($rest:tt)*) => {
        $(#[$m])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $n { $($(#[$fm])* pub $f: $t),* }
        nodes! { $($rest)* }
    };
    ($(#[$m:meta])* enum $n:ident { $first:ident, $($v:ident),* $(,)? } $($rest:tt)*) => {
        $(#[$m])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub enum $n { #[default] $first, $($v),* }
        nodes! { $($rest)* }
    };
}

pub mod constraint;
pub mod ddl;
pub mod define;
pub mod dml;
pub mod expr;
pub mod function;
pub mod json;
mod location;
pub mod object;
pub mod select;
pub mod statement;
pub mod table;
pub mod types;
pub mod utility;

pub use constraint::*;
pub use ddl::*;
pub use define::*;
pub use dml::*;
pub use expr::*;
pub use function::*;
pub use json::*;
pub use object::*;
pub use select::*;
pub use statement::*;
pub use table::*;
pub use types::*;
pub use utility::*;
