//! Tables, views, indexes, sequences: their definition and ALTER TABLE.

mod alter_table;
pub(in crate::parser) mod column;
mod index;
mod partition;
mod sequence;
mod table;
mod view;
