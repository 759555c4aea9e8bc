//! Settings, transactions, cursors and the remaining utility statements.

mod cursor;
mod maintenance;
mod set;
mod transaction;
