//! Date and time functions and operators; the calendar work is done in `pglite_types::datetime`.

pub mod clock;
pub mod convert;
pub mod ops;
pub mod part;

use pglite_ir::FnCtx;
use pglite_types::datetime::TimeZone;

/// The session's time zone.
pub fn zone<'a>(cx: &'a FnCtx<'_>) -> &'a TimeZone {
    &cx.host.settings().timezone
}
