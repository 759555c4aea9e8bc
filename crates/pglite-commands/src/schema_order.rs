//! The order in which CREATE SCHEMA runs its elements: as PostgreSQL, sequences, tables, views, indexes, triggers, grants.

use pglite_parser::ast::Statement;

fn rank(s: &Statement) -> u8 {
    match s {
        Statement::CreateSeqStmt(_) => 0,
        Statement::CreateStmt(_) => 1,
        Statement::ViewStmt(_) => 2,
        Statement::IndexStmt(_) => 3,
        Statement::CreateTrigStmt(_) => 4,
        _ => 5,
    }
}

pub(crate) fn ordered(list: &[Statement]) -> Vec<&Statement> {
    let mut out: Vec<&Statement> = list.iter().collect();
    out.sort_by_key(|s| rank(s));
    out
}
