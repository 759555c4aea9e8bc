//! System information: names, visibility, definitions, privileges, sessions, sizes - what `psql`'s backslash commands
//! and drivers ask.
//!
//! On the way of a statement: ordinary bodies; facts of the session come through `FnHost::service`.

pub mod access;
pub mod args;
pub mod define;
pub mod input;
pub mod names;
pub mod objects;
pub mod server;
pub mod session;
pub mod stats;
pub mod storage;

use std::sync::Arc;

use pglite_catalog::{SearchPath, Snapshot};
use pglite_error::{PgError, PgResult};
use pglite_ir::FnCtx;
use pglite_ir::abi::{RowSource, UserKind};
use pglite_types::record::RecordValue;
use pglite_types::{AttrDesc, Datum, Oid, Row};

/// The catalogs of the statement.
pub(crate) fn catalog<'a>(cx: &FnCtx<'a>) -> &'a Arc<Snapshot> {
    cx.host.catalog()
}

/// The first value a service answers with.
pub(crate) fn ask(cx: &FnCtx<'_>, service: &str, args: &[Datum]) -> PgResult<Datum> {
    let mut rows = cx.host.service(service, args)?;
    Ok(rows.first_mut().and_then(|r| r.first_mut()).map(std::mem::take).unwrap_or_default())
}

/// The session's search path.
pub(crate) fn path(cx: &FnCtx<'_>) -> PgResult<SearchPath> {
    let rows = cx.host.service("search_path_implicit", &[])?;
    let temp = ask(cx, "temp_namespace", &[])?.as_oid().and_then(Oid::valid);
    Ok(SearchPath {
        schemas: rows.iter().filter_map(|r| r.first().and_then(Datum::as_oid)).collect(),
        creation: None,
        creation_is_temp: false,
        temp,
        user: cx.host.user(UserKind::Current),
    })
}

/// Rows made in advance.
pub(crate) struct Made(pub std::vec::IntoIter<Row>);

impl RowSource for Made {
    fn next(&mut self, _: &FnCtx<'_>, out: &mut Row) -> PgResult<bool> {
        match self.0.next() {
            Some(mut row) => {
                out.append(&mut row);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

pub(crate) fn made(rows: Vec<Row>) -> PgResult<Box<dyn RowSource>> {
    Ok(Box::new(Made(rows.into_iter())))
}

/// One-column rows.
pub(crate) fn column(values: Vec<Datum>) -> PgResult<Box<dyn RowSource>> {
    made(values.into_iter().map(|v| vec![v]).collect())
}

/// A record of the called function's output columns.
pub(crate) fn record(cx: &FnCtx<'_>, values: Vec<Datum>) -> PgResult<Datum> {
    let missing = || PgError::internal("record function without output columns");
    let proc_ = catalog(cx).proc_by_oid(cx.call.func).ok_or_else(missing)?;
    let types = proc_.proallargtypes.as_ref().ok_or_else(missing)?;
    let modes = proc_.proargmodes.as_ref().ok_or_else(missing)?;
    let names = proc_.proargnames.as_ref().ok_or_else(missing)?;
    let attrs: Vec<AttrDesc> = (0..types.len())
        .filter(|&i| matches!(modes.get(i), Some(b'o' | b'b' | b't')))
        .map(|i| AttrDesc {
            name: names.get(i).map(|n| n.to_arc()).unwrap_or_default(),
            type_oid: types[i],
            typmod: -1,
            dropped: false,
        })
        .collect();
    Ok(Datum::Record(Arc::new(RecordValue::anonymous(attrs.into(), values))))
}

/// A one-dimensional array.
pub(crate) fn array_of(elem: Oid, values: Vec<Datum>) -> Datum {
    Datum::Array(Arc::new(pglite_types::array::ArrayValue::one_dim(elem, values)))
}
