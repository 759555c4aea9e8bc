//! Waiting inside a statement: pg_sleep and friends. Listens to cancel requests and gives the worker up.

use std::time::Duration;

use pglite_error::PgResult;
use pglite_txn::Parker;

use crate::cx::Cx;

/// Slices of a sleep between looks at the cancel flag.
const SLICE: Duration = Duration::from_millis(20);

/// Sleeps for `micros` microseconds.
pub(crate) fn sleep(cx: &Cx<'_>, micros: u64) -> PgResult<()> {
    let backend = &cx.core.slot.backend;
    let clock = &cx.core.shared().env.clock;
    let end = clock.monotonic() + Duration::from_micros(micros);
    let parker = Parker::default();
    let mut result = Ok(());
    backend.wait_hook().clone().block(&mut || {
        loop {
            result = cx.core.check_interrupts();
            let now = clock.monotonic();
            if result.is_err() || now >= end {
                return;
            }
            backend.wait_hook().park(&parker, Some((end - now).min(SLICE)));
        }
    });
    result
}
