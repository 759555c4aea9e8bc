//! Portals: statements being executed, suspended and resumed; cursors are portals with a name and a direction.

use std::collections::HashMap;
use std::sync::Arc;

use pglite_commands::{Client, OutColumn};
use pglite_error::{PgResult, bail};
use pglite_exec::{Executor, Prepared};
use pglite_ir::CommandType;
use pglite_parser::ast::RawStmt;
use pglite_txn::ReadView;
use pglite_types::{Batch, Datum, Oid, Row};

use crate::core::{Block, Core};
use crate::cx::Cx;
use crate::prepared::PreparedStatement;
use crate::run::{self, Action};

/// How running a portal ended.
pub(crate) enum PortalEnd {
    Complete(String),
    Suspended,
    /// An empty statement.
    Empty,
}

/// What DECLARE said.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CursorOptions {
    pub scroll: bool,
    pub no_scroll: bool,
    pub hold: bool,
    pub binary: bool,
}

pub(crate) struct Portal {
    pub source: Arc<str>,
    action: Option<Action>,
    params: Arc<[Datum]>,
    param_types: Vec<Oid>,
    pub formats: Vec<i16>,
    pub columns: Option<Vec<OutColumn>>,
    run: Option<Run>,
    finished: bool,
    pub cursor: Option<CursorOptions>,
    pub declared_at: i64,
    /// Rows fetched so far (cursors that may go back) or all of them (`WITH HOLD` after commit).
    store: Vec<Row>,
    complete: bool,
    /// What RETURNING yielded and no Execute has fetched yet, and the command tag.
    returned: Option<(std::vec::IntoIter<Row>, String)>,
    /// Cursor position: 0 = before the first row, n = on row n.
    pos: usize,
    held: bool,
    /// Where the rows' identities stand: column and table, in the order of `ids`.
    id_columns: Vec<(usize, Oid)>,
    /// Identities of the stored rows.
    ids: Vec<Vec<Option<u64>>>,
}

/// A query under way.
struct Run {
    executor: Executor,
    view: ReadView,
}

impl Portal {
    pub fn new(
        statement: &Arc<PreparedStatement>,
        action: Option<Action>,
        params: Vec<Datum>,
        formats: Vec<i16>,
    ) -> Portal {
        Portal {
            source: statement.source.clone(),
            action,
            params: params.into(),
            param_types: statement.param_types.clone(),
            formats,
            columns: statement.columns.clone(),
            run: None,
            finished: false,
            cursor: None,
            declared_at: 0,
            store: Vec::new(),
            complete: false,
            returned: None,
            pos: 0,
            held: false,
            id_columns: Vec::new(),
            ids: Vec::new(),
        }
    }

    /// A cursor over one planned query.
    pub fn cursor(
        core: &Core,
        source: &str,
        plan: Arc<Prepared>,
        params: Arc<[Datum]>,
        columns: Vec<OutColumn>,
        options: CursorOptions,
    ) -> PgResult<Portal> {
        let view = core.statement_view()?;
        let executor = Executor::new(plan.clone(), params.clone());
        let id_columns = identities(&plan);
        Ok(Portal {
            source: source.into(),
            action: Some(Action::Plans(vec![plan])),
            params,
            param_types: Vec::new(),
            formats: if options.binary { vec![1] } else { Vec::new() },
            columns: Some(columns),
            run: Some(Run { executor, view }),
            finished: false,
            cursor: Some(options),
            declared_at: core.statement_start.get(),
            store: Vec::new(),
            complete: false,
            returned: None,
            pos: 0,
            held: false,
            id_columns,
            ids: Vec::new(),
        })
    }

    /// The row of a table that the cursor stands on: None when it stands on one of another table.
    pub fn current_row(&self, name: &str, rel: Oid, rel_name: &str) -> PgResult<Option<u64>> {
        if self.held {
            bail!(INVALID_CURSOR_STATE, "cursor \"{name}\" is held from a previous transaction");
        }
        if self.id_columns.is_empty() {
            bail!(
                INVALID_CURSOR_STATE,
                "cursor \"{name}\" is not a simply updatable scan of table \"{rel_name}\""
            );
        }
        let Some(ids) = self.pos.checked_sub(1).and_then(|i| self.ids.get(i)) else {
            bail!(INVALID_CURSOR_STATE, "cursor \"{name}\" is not positioned on a row");
        };
        let at = self.id_columns.iter().position(|(_, r)| *r == rel);
        Ok(at.and_then(|i| ids.get(i).copied().flatten()))
    }

    pub fn raw(&self) -> Option<&Arc<RawStmt>> {
        match &self.action {
            Some(Action::Utility(raw)) => Some(raw),
            _ => None,
        }
    }
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Execute of the extended protocol.
    pub fn run(&mut self, core: &Core, max_rows: usize, client: &mut dyn Client) -> PgResult<PortalEnd> {
        let Some(action) = self.action.clone() else { return Ok(PortalEnd::Empty) };
        match action {
            Action::Plans(plans) => match &plans[..] {
                [one] if one.stmt.command == CommandType::Select => {
                    self.run_select(core, one, max_rows, client)
                }
                _ if self.returned.is_some()
                    || (max_rows > 0 && plans.iter().any(|p| run::returns_rows(&p.stmt))) =>
                {
                    self.run_returning(core, &plans, max_rows, client)
                }
                _ => {
                    self.once()?;
                    let tag = run::run_plans(core, &plans, &self.params, client, &self.formats, false)?;
                    Ok(PortalEnd::Complete(tag))
                }
            },
            Action::Utility(raw) => {
                self.once()?;
                let params: Vec<(Oid, Datum)> =
                    self.param_types.iter().copied().zip(self.params.iter().cloned()).collect();
                let tag = if crate::control::is_transaction_control(&raw.stmt) {
                    crate::control::transaction(core, &raw.stmt, client)?
                } else {
                    let tag = crate::control::run_utility(core, &raw, &self.source, &params, client, false)?;
                    if core.in_transaction() {
                        core.command_done()?;
                    }
                    tag
                };
                Ok(PortalEnd::Complete(tag))
            }
        }
    }

    /// INSERT, UPDATE, DELETE, MERGE ... RETURNING with a row limit: the first Execute does all the work, and the rows
    /// are handed out from a store.
    fn run_returning(
        &mut self,
        core: &Core,
        plans: &[Arc<Prepared>],
        max_rows: usize,
        client: &mut dyn Client,
    ) -> PgResult<PortalEnd> {
        if self.returned.is_none() {
            self.once()?;
            let mut collector = crate::collect::Collector::default();
            let mut notices = crate::collect::NoticesBack { core, inner: &mut collector };
            let tag = run::run_plans(core, plans, &self.params, &mut notices, &[], false)?;
            self.returned = Some((collector.rows.into_iter(), tag));
        }
        let Some((rows, tag)) = self.returned.as_mut() else { return Ok(PortalEnd::Empty) };
        let columns = self.columns.as_deref().unwrap_or(&[]);
        let mut batch = Batch::new(columns.len());
        let limit = if max_rows > 0 { max_rows } else { usize::MAX };
        rows.take(limit).for_each(|row| batch.push_row(row));
        let suspended = batch.len() == limit;
        let cx = Cx::new(core)?;
        core.send_notices(client);
        client.rows(&cx, columns, &self.formats, &batch)?;
        Ok(if suspended { PortalEnd::Suspended } else { PortalEnd::Complete(tag.clone()) })
    }

    /// A portal that is not a query runs once.
    fn once(&mut self) -> PgResult<()> {
        if self.finished {
            bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "portal \"\" cannot be run");
        }
        self.finished = true;
        Ok(())
    }

    fn run_select(
        &mut self,
        core: &Core,
        plan: &Arc<Prepared>,
        max: usize,
        client: &mut dyn Client,
    ) -> PgResult<PortalEnd> {
        if self.finished {
            return Ok(PortalEnd::Complete("SELECT 0".into()));
        }
        if self.run.is_none() {
            let view = core.statement_view()?;
            self.run = Some(Run { executor: Executor::new(plan.clone(), self.params.clone()), view });
        }
        let Some(run) = self.run.as_mut() else { return Ok(PortalEnd::Empty) };
        let cx = Cx::with_view(core, run.view.clone())?;
        let columns = self.columns.as_deref().unwrap_or(&[]);
        let formats = &self.formats;
        let result = core.run_long(plan.stmt.plan.cost.total, || {
            run.executor.run(&cx.exec_env(), max as u64, &mut |batch: &mut Batch| {
                core.send_notices(client);
                client.rows(&cx, columns, formats, batch)?;
                Ok(true)
            })
        })?;
        if max > 0 && result.rows == max as u64 && !result.done {
            return Ok(PortalEnd::Suspended);
        }
        self.finished = true;
        self.run = None;
        core.command_done()?;
        Ok(PortalEnd::Complete(format!("SELECT {}", result.rows)))
    }

    // ---- cursors --------------------------------------------------------------------------------------------

    /// Fetches rows from the query until `upto` are stored (or all).
    fn fill(&mut self, core: &Core, upto: usize) -> PgResult<()> {
        let Some(run) = self.run.as_mut().filter(|_| !self.complete) else { return Ok(()) };
        if self.store.len() >= upto {
            return Ok(());
        }
        let want = if upto == usize::MAX { 0 } else { (upto - self.store.len()) as u64 };
        let width = self.columns.as_ref().map_or(0, Vec::len);
        let cx = Cx::with_view(core, run.view.clone())?;
        let (store, ids, id_columns) = (&mut self.store, &mut self.ids, &self.id_columns);
        let id = |r: &[Datum], c: usize| match r.get(c) {
            Some(Datum::Int8(v)) => Some(*v as u64),
            _ => None,
        };
        let result = run.executor.run(&cx.exec_env(), want, &mut |batch: &mut Batch| {
            if !id_columns.is_empty() {
                ids.extend(batch.rows().map(|r| id_columns.iter().map(|(c, _)| id(r, *c)).collect()));
            }
            store.extend(batch.rows().map(|r| r[..width.min(r.len())].to_vec()));
            Ok(true)
        })?;
        if result.done {
            self.complete = true;
            self.run = None;
        }
        Ok(())
    }

    fn check_scroll(&self) -> PgResult<()> {
        if self.cursor.is_some_and(|c| c.no_scroll) {
            return Err(pglite_error::err!(OBJECT_NOT_IN_PREREQUISITE_STATE, "cursor can only scan forward")
                .hint("Declare it with SCROLL option to enable backward scan."));
        }
        Ok(())
    }

    /// Moves to absolute row `n` (1-based; 0 = before the first); returns whether there is such a row.
    fn seek(&mut self, core: &Core, n: usize) -> PgResult<bool> {
        if n < self.pos {
            self.check_scroll()?;
        }
        self.fill(core, n)?;
        self.pos = n.min(self.store.len() + 1);
        Ok(n >= 1 && n <= self.store.len())
    }

    /// FETCH and MOVE: the rows passed over, in order.
    pub fn fetch(&mut self, core: &Core, how: Fetch) -> PgResult<Vec<Row>> {
        let mut out = Vec::new();
        match how {
            Fetch::Forward(n) => {
                let last = self.pos.saturating_add(n);
                self.fill(core, last)?;
                let end = last.min(self.store.len());
                if self.pos < end {
                    out.extend_from_slice(&self.store[self.pos..end]);
                }
                self.pos = if last > self.store.len() { self.store.len() + 1 } else { last };
            }
            Fetch::Backward(n) => {
                self.check_scroll()?;
                let mut left = n;
                while left > 0 && self.pos > 1 {
                    self.pos -= 1;
                    out.push(self.store[self.pos - 1].clone());
                    left -= 1;
                }
                if left > 0 {
                    self.pos = 0;
                }
            }
            Fetch::Absolute(n) => {
                let target = if n >= 0 {
                    n as usize
                } else {
                    self.check_scroll()?;
                    self.fill(core, usize::MAX)?;
                    (self.store.len() + 1).saturating_sub(n.unsigned_abs() as usize)
                };
                if self.seek(core, target)? {
                    out.push(self.store[target - 1].clone());
                }
            }
            Fetch::Relative(n) => {
                let target = (self.pos as i64 + n).max(0) as usize;
                if self.seek(core, target)? {
                    out.push(self.store[target - 1].clone());
                }
            }
        }
        Ok(out)
    }

    /// WITH HOLD at commit: reads everything, so that the cursor outlives the transaction.
    fn hold(&mut self, core: &Core) -> PgResult<()> {
        self.fill(core, usize::MAX)?;
        self.held = true;
        Ok(())
    }
}

/// The hidden columns of a plan that identify table rows.
fn identities(plan: &Prepared) -> Vec<(usize, Oid)> {
    let of = |(i, t): (usize, &pglite_ir::TargetEntry)| {
        let n: usize = t.name.as_deref().filter(|_| t.junk)?.strip_prefix("rowid")?.parse().ok()?;
        match &plan.stmt.rtable.get(n.checked_sub(1)?)?.kind {
            pglite_ir::RteKind::Relation { rel, .. } => Some((i, rel.oid)),
            _ => None,
        }
    };
    plan.stmt.plan.targets.iter().enumerate().filter_map(of).collect()
}

/// A FETCH direction with its count.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fetch {
    Forward(usize),
    Backward(usize),
    Absolute(i64),
    Relative(i64),
}

/// The portals of a session.
#[derive(Default)]
pub(crate) struct Portals {
    map: HashMap<String, Portal>,
}

impl Portals {
    pub fn get(&self, name: &str) -> Option<&Portal> {
        self.map.get(name)
    }
    pub fn source(&self, name: &str) -> Option<Arc<str>> {
        self.map.get(name).map(|p| p.source.clone())
    }
    pub fn insert(&mut self, name: &str, portal: Portal) {
        self.map.insert(name.to_string(), portal);
    }
    /// Takes a portal out while it runs.
    pub fn take(&mut self, name: &str) -> Option<Portal> {
        self.map.remove(name)
    }
    pub fn put_back(&mut self, name: &str, portal: Portal) {
        self.map.entry(name.to_string()).or_insert(portal);
    }
    pub fn remove(&mut self, name: &str) -> bool {
        self.map.remove(name).is_some()
    }
    pub fn drop_unnamed(&mut self) {
        self.map.remove("");
    }
    /// The columns of pg_cursors: name, statement, holdable, binary, scrollable, time.
    pub fn cursor_rows(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self
            .map
            .iter()
            .filter_map(|(name, p)| {
                let c = p.cursor?;
                Some(vec![
                    Datum::text(name.as_str()),
                    Datum::text(&*p.source),
                    Datum::Bool(c.hold),
                    Datum::Bool(c.binary),
                    Datum::Bool(c.scroll),
                    Datum::Timestamp(p.declared_at),
                ])
            })
            .collect();
        rows.sort_by(|a, b| a[0].as_str().cmp(&b[0].as_str()));
        rows
    }
    /// The end of a transaction: held cursors stay.
    pub fn drop_transaction(&mut self) {
        self.map.retain(|_, p| p.held);
    }
    pub fn clear(&mut self) {
        self.map.clear();
    }
    pub fn cursors(&self) -> impl Iterator<Item = (&String, &Portal)> {
        self.map.iter().filter(|(n, _)| !n.is_empty())
    }
    /// After an error nothing of the transaction can go on.
    pub fn fail_active(core: &Core) {
        if core.block.get() != Block::Explicit {
            core.portals.borrow_mut().drop_transaction();
        }
    }
}

/// The cursors of loops under way read the rest of their rows before a procedure ends the transaction.
pub(crate) fn hold_pinned(core: &Core) -> PgResult<()> {
    let names: Vec<String> = core.pl.pinned.borrow().iter().cloned().collect();
    for name in names {
        let Some(mut portal) = core.portals.borrow_mut().take(&name) else { continue };
        if !portal.held {
            portal.hold(core)?;
        }
        core.portals.borrow_mut().put_back(&name, portal);
    }
    Ok(())
}

/// Cursors WITH HOLD read the rest of their rows before the transaction commits.
pub(crate) fn before_commit(core: &Core) -> PgResult<()> {
    let names: Vec<String> = {
        let portals = core.portals.borrow();
        portals
            .map
            .iter()
            .filter(|(_, p)| p.cursor.is_some_and(|c| c.hold) && !p.held)
            .map(|(n, _)| n.clone())
            .collect()
    };
    for name in names {
        let Some(mut portal) = core.portals.borrow_mut().take(&name) else { continue };
        portal.hold(core)?;
        core.portals.borrow_mut().put_back(&name, portal);
    }
    Ok(())
}
