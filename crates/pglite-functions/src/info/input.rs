//! pg_input_is_valid and pg_input_error_info: whether a text is a type's input.

use pglite_catalog::reg::resolve_type_text;
use pglite_error::{PgError, PgResult};
use pglite_ir::FnCtx;
use pglite_types::{Datum, text};

use super::{catalog, path, record};
use crate::builtins;

/// The error that the type's input function raises on `value`. An unknown type is an error of the call.
fn input_error(cx: &FnCtx<'_>, value: &str, type_name: &str) -> PgResult<Option<PgError>> {
    let (ty, typmod) = resolve_type_text(catalog(cx), &path(cx)?, type_name)?;
    Ok(text::text_in(cx.host, ty, typmod, value).err())
}

fn is_valid(cx: &FnCtx<'_>, value: &str, type_name: &str) -> PgResult<bool> {
    Ok(input_error(cx, value, type_name)?.is_none())
}

fn error_info(cx: &FnCtx<'_>, value: &str, type_name: &str) -> PgResult<Datum> {
    let Some(e) = input_error(cx, value, type_name)? else { return record(cx, vec![Datum::Null; 4]) };
    let f = e.fields();
    let opt = |t: Option<&str>| t.map_or(Datum::Null, Datum::text);
    let values = vec![
        Datum::text(f.message.as_str()),
        opt(f.detail.as_deref()),
        opt(f.hint.as_deref()),
        Datum::text(e.code().as_str()),
    ];
    record(cx, values)
}

builtins! { pub TABLE:
    "pg_input_is_valid" => cx is_valid[&str, &str];
    "pg_input_error_info" => cx error_info[&str, &str];
}
