//! DECLARE, FETCH, MOVE, CLOSE.

use std::sync::Arc;

use pglite_analyze::ParamTypes;
use pglite_commands::Client;
use pglite_error::{PgError, PgResult, bail, codes, err};
use pglite_parser::ast::{
    ClosePortalStmt, DeclareCursorStmt, FetchDirection, FetchStmt, RawStmt, Statement, cursor_option,
};
use pglite_planner::PlanOptions;
use pglite_types::{Batch, Datum, Oid};

use crate::core::{Block, Core};
use crate::cx::Cx;
use crate::portal::{CursorOptions, Fetch, Portal};
use crate::run::{self, Action};

pub(super) fn declare(
    core: &Core,
    s: &DeclareCursorStmt,
    raw: &RawStmt,
    source: &str,
    params: &[(Oid, Datum)],
    multi: bool,
) -> PgResult<String> {
    let bit = |b: u32| s.options & b != 0;
    let options = CursorOptions {
        scroll: bit(cursor_option::SCROLL),
        no_scroll: bit(cursor_option::NO_SCROLL),
        hold: bit(cursor_option::HOLD),
        binary: bit(cursor_option::BINARY),
    };
    if !options.hold && core.block.get() != Block::Explicit && !multi && core.depth.get() == 0 {
        bail!(NO_ACTIVE_SQL_TRANSACTION, "DECLARE CURSOR can only be used in transaction blocks");
    }
    if s.portalname.is_empty() {
        bail!(INVALID_CURSOR_NAME, "invalid cursor name: must not be empty");
    }
    if core.portals.borrow().get(&s.portalname).is_some() {
        bail!(DUPLICATE_CURSOR, "cursor \"{}\" already exists", s.portalname);
    }
    let select =
        RawStmt { stmt: Statement::SelectStmt(s.query.clone()), location: raw.location, len: raw.len };
    let types: Vec<Oid> = params.iter().map(|p| p.0).collect();
    let (plan, columns) = {
        let cx = Cx::new(core)?;
        let plan_options = PlanOptions { cursor: true, scroll: options.scroll, params: None };
        let action =
            run::plan_with(&cx, &Arc::new(select), source, &mut ParamTypes::fixed(&types), &plan_options)?;
        let Action::Plans(mut plans) = action else { bail!(INVALID_CURSOR_DEFINITION, "cannot open cursor") };
        let Some(plan) = plans.pop().filter(|_| plans.is_empty()) else {
            bail!(INVALID_CURSOR_DEFINITION, "cannot open multi-query plan as cursor");
        };
        if plan.stmt.has_modifying_cte {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "DECLARE CURSOR must not contain data-modifying statements in WITH"
            ));
        }
        let columns = run::client_columns(&cx, &plan.stmt);
        (plan, columns)
    };
    let values: Arc<[Datum]> = params.iter().map(|p| p.1.clone()).collect();
    let portal = Portal::cursor(core, source, plan, values, columns, options)?;
    core.portals.borrow_mut().insert(&s.portalname, portal);
    Ok("DECLARE CURSOR".into())
}

fn direction(s: &FetchStmt) -> Fetch {
    let n = s.how_many;
    let count = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
    match s.direction {
        FetchDirection::Forward if n < 0 => Fetch::Backward(count(n.saturating_neg())),
        FetchDirection::Backward if n < 0 => Fetch::Forward(count(n.saturating_neg())),
        // PG: FETCH 0 rereads the current row.
        FetchDirection::Forward | FetchDirection::Backward if n == 0 => Fetch::Relative(0),
        FetchDirection::Forward => Fetch::Forward(if n == i64::MAX { usize::MAX } else { count(n) }),
        FetchDirection::Backward => Fetch::Backward(if n == i64::MAX { usize::MAX } else { count(n) }),
        FetchDirection::Absolute => Fetch::Absolute(n),
        FetchDirection::Relative => Fetch::Relative(n),
    }
}

pub(super) fn fetch(core: &Core, s: &FetchStmt, client: &mut dyn Client) -> PgResult<String> {
    let Some(mut portal) = core.portals.borrow_mut().take(&s.portalname) else {
        return Err(PgError::new(
            codes::UNDEFINED_CURSOR,
            format!("cursor \"{}\" does not exist", s.portalname),
        ));
    };
    let result = portal.fetch(core, direction(s));
    let columns = portal.columns.clone().unwrap_or_default();
    let formats = portal.formats.clone();
    core.portals.borrow_mut().put_back(&s.portalname, portal);
    let rows = result?;
    let count = rows.len();
    if s.ismove {
        return Ok(format!("MOVE {count}"));
    }
    client.describe_rows(&columns, &formats)?;
    let mut batch = Batch::new(columns.len());
    rows.into_iter().for_each(|r| batch.push_row(r));
    let cx = Cx::new(core)?;
    client.rows(&cx, &columns, &formats, &batch)?;
    Ok(format!("FETCH {count}"))
}

pub(super) fn close(core: &Core, s: &ClosePortalStmt) -> PgResult<String> {
    match &s.portalname {
        None => {
            core.portals.borrow_mut().clear();
            Ok("CLOSE CURSOR ALL".into())
        }
        Some(name) => {
            if !core.portals.borrow_mut().remove(name) {
                bail!(UNDEFINED_CURSOR, "cursor \"{name}\" does not exist");
            }
            Ok("CLOSE CURSOR".into())
        }
    }
}
