//! Statements that act on the session itself: transactions, settings, prepared statements, cursors, LISTEN.
//! Everything else goes to the commands crate.

mod call;
mod cursors;
mod set;
mod transactions;

use std::sync::Arc;

use pglite_analyze::{ExprKind, ParamTypes, Scope};
use pglite_catalog::{CatalogTxn, RelDesc, Snapshot};
use pglite_commands::{Client, CommandHost, OutColumn, StatementEnv};
use pglite_error::{PgError, PgResult, bail};
use pglite_parser::ast::{ExecuteStmt, RawStmt, Statement};
use pglite_txn::{ReadView, Transaction};
use pglite_types::{Batch, Datum, Oid, Row, oid};

use crate::core::{Block, Core};
use crate::cx::Cx;
use crate::prepared::PreparedStatement;
use crate::run::{self, Action};

pub(crate) use call::do_block;
pub(crate) use transactions::{end_in_procedure, transaction};

pub(crate) fn is_transaction_control(stmt: &Statement) -> bool {
    matches!(stmt, Statement::TransactionStmt(_))
}

/// A text column of a utility's result.
fn text_column(name: &str) -> OutColumn {
    OutColumn { name: name.into(), table: Oid::INVALID, attno: 0, ty: oid::TEXT, typlen: -1, typmod: -1 }
}

/// Sends text rows as a utility's result.
fn send_rows(
    core: &Core,
    client: &mut dyn Client,
    columns: &[OutColumn],
    rows: Vec<Vec<Datum>>,
) -> PgResult<()> {
    client.describe_rows(columns, &[])?;
    let mut batch = Batch::new(columns.len());
    rows.into_iter().for_each(|r| batch.push_row(r));
    let cx = Cx::new(core)?;
    client.rows(&cx, columns, &[], &batch)
}

/// Result columns of a utility statement, for Describe.
pub(crate) fn utility_columns(
    core: &Core,
    stmt: &Statement,
    source: &str,
) -> PgResult<Option<Vec<OutColumn>>> {
    let _ = source;
    Ok(match stmt {
        Statement::VariableShowStmt(s) => Some(set::show_columns(core, &s.name)),
        Statement::FetchStmt(f) if !f.ismove => {
            core.portals.borrow().get(&f.portalname).and_then(|p| p.columns.clone())
        }
        Statement::ExecuteStmt(e) => core.find_prepared(&e.name)?.columns.clone(),
        Statement::CallStmt(c) => call::columns(core, c)?,
        Statement::ExplainStmt(e) => {
            let ty = pglite_commands::explain::result_type(e)?;
            Some(vec![OutColumn { ty, ..text_column("QUERY PLAN") }])
        }
        _ => None,
    })
}

/// Runs a utility statement; returns the command tag. `multi`: the message has several statements.
pub(crate) fn run_utility(
    core: &Core,
    raw: &Arc<RawStmt>,
    source: &str,
    params: &[(Oid, Datum)],
    client: &mut dyn Client,
    multi: bool,
) -> PgResult<String> {
    match &raw.stmt {
        Statement::VariableSetStmt(s) => set::set(core, s),
        Statement::VariableShowStmt(s) => set::show(core, &s.name, client),
        Statement::PrepareStmt(s) => {
            prepare(core, s, source, raw)?;
            Ok("PREPARE".into())
        }
        Statement::ExecuteStmt(s) => execute(core, s, source, params, client),
        Statement::DeallocateStmt(s) => {
            match &s.name {
                None => core.prepared.borrow_mut().clear(),
                Some(name) => {
                    core.find_prepared(name)?;
                    core.prepared.borrow_mut().remove(name);
                }
            }
            Ok(if s.name.is_none() { "DEALLOCATE ALL" } else { "DEALLOCATE" }.into())
        }
        Statement::DeclareCursorStmt(s) => cursors::declare(core, s, raw, source, params, multi),
        Statement::FetchStmt(s) => cursors::fetch(core, s, client),
        Statement::ClosePortalStmt(s) => cursors::close(core, s),
        Statement::ListenStmt(s) => {
            core.listening.borrow_mut().insert(s.conditionname.clone());
            Ok("LISTEN".into())
        }
        Statement::UnlistenStmt(s) => {
            match &s.conditionname {
                None => core.listening.borrow_mut().clear(),
                Some(name) => {
                    core.listening.borrow_mut().remove(name);
                }
            }
            Ok("UNLISTEN".into())
        }
        Statement::NotifyStmt(s) => {
            core.txn()?;
            core.outbox.borrow_mut().push((s.conditionname.clone(), s.payload.clone().unwrap_or_default()));
            Ok("NOTIFY".into())
        }
        Statement::DoStmt(s) => call::do_block(core, s, source, crate::spi::is_atomic(core, multi)),
        Statement::CallStmt(s) => call::call(core, s, params, client, multi),
        Statement::DiscardStmt(s) => set::discard(core, s.target, multi),
        Statement::ConstraintsSetStmt(s) => set::constraints(core, s),
        _ => {
            let cx = Cx::new(core)?;
            if cx.txn.read_only() {
                check_read_only(&cx, &raw.stmt)?;
            }
            let host = Host {
                core,
                txn: cx.txn.clone(),
                view: cx.view.clone(),
                client: std::cell::RefCell::new(client),
                params: params.to_vec(),
                source,
                top_level: core.block.get() != Block::Explicit && !multi && core.depth.get() == 0,
            };
            drop(cx);
            Ok(core.run_long(f64::INFINITY, || pglite_commands::execute(&host, raw))?.tag)
        }
    }
}

/// Utilities that only read may run in a read-only transaction.
fn check_read_only(cx: &Cx<'_>, stmt: &Statement) -> PgResult<()> {
    match stmt {
        Statement::ExplainStmt(_)
        | Statement::LockStmt(_)
        | Statement::CheckPointStmt(_)
        | Statement::LoadStmt(_)
        | Statement::DoStmt(_)
        | Statement::CallStmt(_)
        | Statement::VacuumStmt(_)
        | Statement::ReindexStmt(_) => Ok(()),
        Statement::CopyStmt(c) if !c.is_from => Ok(()),
        other => cx.not_read_only(pglite_commands::command_tag(other)),
    }
}

/// The session as utility statements see it.
struct Host<'a> {
    core: &'a Core,
    txn: Arc<Transaction>,
    view: ReadView,
    client: std::cell::RefCell<&'a mut dyn Client>,
    params: Vec<(Oid, Datum)>,
    source: &'a str,
    top_level: bool,
}

impl CommandHost for Host<'_> {
    fn env(&self) -> Box<dyn StatementEnv + '_> {
        match Cx::with_view(self.core, self.view.clone()) {
            Ok(cx) => Box::new(cx),
            // Why: a transaction is running (we hold it), so the only failure `with_view` has cannot happen.
            Err(e) => unreachable!("no transaction for a running command: {e}"),
        }
    }
    fn snapshot(&self) -> Arc<Snapshot> {
        self.core.snapshot()
    }
    fn txn(&self) -> &Transaction {
        &self.txn
    }
    fn view(&self) -> &ReadView {
        &self.view
    }
    fn with_catalog(&self, f: &mut dyn FnMut(&mut CatalogTxn) -> PgResult<()>) -> PgResult<()> {
        self.core.with_catalog(f)
    }
    fn with_client(&self, f: &mut dyn FnMut(&mut dyn Client) -> PgResult<()>) -> PgResult<()> {
        let mut client = self.client.borrow_mut();
        self.core.send_notices(&mut **client);
        f(&mut **client)
    }
    fn params(&self) -> &[(Oid, Datum)] {
        &self.params
    }
    fn source(&self) -> &str {
        self.source
    }
    fn set_tuplestore(&self, name: &str, store: Option<(Arc<RelDesc>, Arc<Vec<Row>>)>) {
        let mut stores = self.core.tuplestores.borrow_mut();
        match store {
            Some(s) => stores.insert(name.to_string(), s),
            None => stores.remove(name),
        };
    }
    fn is_top_level(&self) -> bool {
        self.top_level
    }
    fn cluster(&self, act: &str, args: &[Datum]) -> PgResult<Datum> {
        crate::cluster::act(self.core, act, args)
    }
    fn run_sql(&self, sql: &str) -> PgResult<()> {
        run::run_nested(self.core, sql, &[]).map(|_| ())
    }
    fn prepared(&self, s: &ExecuteStmt) -> PgResult<(Option<Statement>, String, Vec<(Oid, Datum)>)> {
        let statement = self.core.find_prepared(&s.name)?;
        let values = execute_params(self.core, s, &statement, &self.params)?;
        let params = statement.param_types.iter().copied().zip(values).collect();
        Ok((statement.raw.as_ref().map(|r| r.stmt.clone()), statement.source.to_string(), params))
    }
}

fn prepare(core: &Core, s: &pglite_parser::ast::PrepareStmt, source: &str, raw: &RawStmt) -> PgResult<()> {
    if s.name.is_empty() {
        bail!(INVALID_PSTATEMENT_DEFINITION, "invalid statement name: must not be empty");
    }
    if core.prepared.borrow().contains_key(&s.name) {
        bail!(DUPLICATE_PSTATEMENT, "prepared statement \"{}\" already exists", s.name);
    }
    let types = {
        let cx = Cx::new(core)?;
        s.argtypes
            .iter()
            .map(|t| Ok(pglite_analyze::resolve_type_name(&cx, t)?.0))
            .collect::<PgResult<Vec<Oid>>>()?
    };
    let inner = RawStmt { stmt: s.query.clone(), location: raw.location, len: raw.len };
    let mut statement = PreparedStatement::new(core, source, Arc::new(inner), &types, true)?;
    statement.from_sql = true;
    core.prepared.borrow_mut().insert(s.name.clone(), Arc::new(statement));
    Ok(())
}

/// The values of EXECUTE's arguments, coerced to the parameters' types.
pub(crate) fn execute_params(
    core: &Core,
    s: &pglite_parser::ast::ExecuteStmt,
    statement: &PreparedStatement,
    params: &[(Oid, Datum)],
) -> PgResult<Vec<Datum>> {
    let types = &statement.param_types;
    if s.params.len() != types.len() {
        return Err(PgError::syntax(format!(
            "wrong number of parameters for prepared statement \"{}\"",
            s.name
        ))
        .detail(format!("Expected {} parameters but got {}.", types.len(), s.params.len())));
    }
    let cx = Cx::new(core)?;
    let outer: Vec<Oid> = params.iter().map(|p| p.0).collect();
    s.params
        .iter()
        .zip(types)
        .map(|(e, ty)| {
            let expr = pglite_analyze::analyze_expr_params(
                &cx,
                e,
                &Scope::None,
                ExprKind::ExecuteParameter,
                Some((*ty, -1)),
                &mut ParamTypes::fixed(&outer),
            )?;
            pglite_exec::expr::eval_with_params(&cx.exec_env(), &expr, params)
        })
        .collect()
}

fn execute(
    core: &Core,
    s: &pglite_parser::ast::ExecuteStmt,
    source: &str,
    params: &[(Oid, Datum)],
    client: &mut dyn Client,
) -> PgResult<String> {
    let _ = source;
    let statement = core.find_prepared(&s.name)?;
    let values = execute_params(core, s, &statement, params)?;
    match statement.action(core)? {
        Action::Plans(plans) => run::run_plans(core, &plans, &values.into(), client, &[], true),
        Action::Utility(raw) => {
            let typed: Vec<(Oid, Datum)> = statement.param_types.iter().copied().zip(values).collect();
            run_utility(core, &raw, &statement.source, &typed, client, true)
        }
    }
}
