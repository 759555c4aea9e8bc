//! Input and output of the reg* types: names of catalog objects as values.

use pglite_catalog::reg;
use pglite_error::PgResult;
use pglite_types::{Oid, oid};

use super::Cx;

pub fn reg_in(cx: &Cx<'_>, kind: Oid, name: &str) -> PgResult<Oid> {
    // Why: type names have the whole grammar's spellings, which the catalog's reader does not know.
    let numeric = name == "-" || name.bytes().all(|b| b.is_ascii_digit());
    if kind == oid::REGTYPE && !numeric {
        let type_name = pglite_parser::parse_type_name(name)?;
        return Ok(pglite_analyze::resolve_type_name(cx, &type_name)?.0);
    }
    reg::reg_in(&cx.catalog, &cx.path, kind, name)
}

pub fn reg_out(cx: &Cx<'_>, kind: Oid, value: Oid) -> PgResult<String> {
    Ok(reg::reg_out(&cx.catalog, &cx.path, kind, value))
}
