//! The `pglitedb` binary.

fn main() {}
