//! Prepared statements and their cached plans.

use parking_lot::Mutex;
use std::sync::Arc;

use pglite_analyze::ParamTypes;
use pglite_commands::OutColumn;
use pglite_error::{PgResult, bail, err};
use pglite_ir::RteKind;
use pglite_parser::ast::{RawStmt, Statement};
use pglite_txn::Space;
use pglite_types::Oid;

use crate::core::Core;
use crate::cx::Cx;
use crate::run::{self, Action};

pub(crate) struct PreparedStatement {
    pub source: Arc<str>,
    /// None: an empty text.
    pub raw: Option<Arc<RawStmt>>,
    pub param_types: Vec<Oid>,
    pub columns: Option<Vec<OutColumn>>,
    /// Made by PREPARE rather than Parse.
    pub from_sql: bool,
    pub prepared_at: i64,
    /// How often it ran.
    pub runs: std::sync::atomic::AtomicI64,
    cached: Mutex<Option<Cached>>,
}

/// A plan, and what it was made under.
struct Cached {
    generation: u64,
    settings: u64,
    user: Oid,
    action: Action,
    /// Executions since the sizes were last compared.
    uses: u32,
    /// The tables read or written, with the size each was planned for.
    sizes: Vec<(Space, u32)>,
}

/// How many executions pass before a cached plan's table sizes are compared again.
const COMPARE_EVERY: u32 = 128;

impl Cached {
    /// Whether a table has become so much larger or smaller that another plan may be better.
    fn outgrown(&mut self, core: &Core) -> bool {
        self.uses += 1;
        if self.uses < COMPARE_EVERY {
            return false;
        }
        self.uses = 0;
        self.sizes.iter().any(|(space, planned)| size_class(core, *space).abs_diff(*planned) > 1)
    }
}

/// The order of magnitude (base 2) of a table's rows and old versions, in units of a page's worth of small rows.
fn size_class(core: &Core, space: Space) -> u32 {
    let stats = core.shared().manager.table_stats(space).unwrap_or_default();
    ((stats.live_rows + stats.dead_rows) / 64).checked_ilog2().map_or(0, |n| n + 1)
}

/// The query inside EXPLAIN: its parameters are the statement's.
fn inner_query(raw: &RawStmt) -> Option<RawStmt> {
    let Statement::ExplainStmt(e) = &raw.stmt else { return None };
    let plannable = matches!(
        e.query,
        Statement::SelectStmt(_)
            | Statement::InsertStmt(_)
            | Statement::UpdateStmt(_)
            | Statement::DeleteStmt(_)
            | Statement::MergeStmt(_)
    );
    plannable.then(|| RawStmt { stmt: e.query.clone(), location: raw.location, len: raw.len })
}

impl PreparedStatement {
    pub fn empty(sql: &str) -> PreparedStatement {
        PreparedStatement {
            source: sql.into(),
            raw: None,
            param_types: Vec::new(),
            columns: None,
            from_sql: false,
            prepared_at: 0,
            runs: Default::default(),
            cached: Mutex::new(None),
        }
    }

    /// Analyzes and plans. `infer`: parameters without a declared type get one from their use.
    pub fn new(
        core: &Core,
        sql: &str,
        raw: Arc<RawStmt>,
        types: &[Oid],
        infer: bool,
    ) -> PgResult<PreparedStatement> {
        core.refresh_catalog()?;
        let mut statement = PreparedStatement::empty(sql);
        statement.prepared_at = core.shared().now();
        statement.raw = Some(raw.clone());
        if crate::control::is_transaction_control(&raw.stmt) {
            statement.param_types = types.to_vec();
            return Ok(statement);
        }
        let mut params = if infer { ParamTypes::variable(types) } else { ParamTypes::fixed(types) };
        let planned = {
            let cx = Cx::new(core)?;
            if let Some(query) = inner_query(&raw) {
                pglite_analyze::analyze(&cx, &query, sql, &mut params)?;
            }
            match run::plan(&cx, &raw, sql, &mut params) {
                Ok(action) => Ok(action),
                // PG: only analysis belongs to preparing; what planning finds (1/0) is told when it is bound.
                Err(e) => match pglite_analyze::analyze(&cx, &raw, sql, &mut params) {
                    Ok(query) => Err(run::columns_of_query(&cx, &query)),
                    Err(_) => return Err(e),
                },
            }
        };
        if let Some(n) = params.types.iter().position(|t| !t.is_valid() || *t == pglite_types::oid::UNKNOWN) {
            bail!(INDETERMINATE_DATATYPE, "could not determine data type of parameter ${}", n + 1);
        }
        statement.param_types = params.types;
        match planned {
            Ok(action) => {
                statement.columns = action.columns(core, sql)?;
                statement.remember(core, action);
            }
            Err(columns) => statement.columns = columns,
        }
        Ok(statement)
    }

    fn remember(&self, core: &Core, action: Action) {
        let mut sizes = Vec::new();
        if let Action::Plans(plans) = &action {
            for rte in plans.iter().flat_map(|p| &p.stmt.rtable) {
                if let RteKind::Relation { rel, .. } = &rte.kind
                    && !rel.is_catalog
                {
                    let space = Space::new(core.slot.database.0, rel.filenode.0);
                    sizes.push((space, size_class(core, space)));
                }
            }
        }
        *self.cached.lock() = Some(Cached {
            uses: 0,
            sizes,
            generation: core.generation(),
            settings: core.settings.borrow().version(),
            user: core.current_user.get(),
            action,
        });
    }

    /// The plan, made anew when the catalogs or settings have changed.
    pub fn action(&self, core: &Core) -> PgResult<Action> {
        self.runs.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        if let Some(c) = &mut *self.cached.lock()
            && c.generation == core.generation()
            && c.settings == core.settings.borrow().version()
            && c.user == core.current_user.get()
            && !c.outgrown(core)
        {
            return Ok(c.action.clone());
        }
        let Some(raw) = &self.raw else { bail!(INTERNAL_ERROR, "empty statement has no plan") };
        if crate::control::is_transaction_control(&raw.stmt) {
            return Ok(Action::Utility(raw.clone()));
        }
        let action = {
            let cx = Cx::new(core)?;
            run::plan(&cx, raw, &self.source, &mut ParamTypes::fixed(&self.param_types))?
        };
        let columns = action.columns(core, &self.source)?;
        let shape = |c: &Option<Vec<OutColumn>>| {
            c.as_ref().map(|c| c.iter().map(|c| (c.ty, c.typmod)).collect::<Vec<_>>())
        };
        if shape(&columns) != shape(&self.columns) {
            bail!(FEATURE_NOT_SUPPORTED, "cached plan must not change result type");
        }
        self.remember(core, action.clone());
        Ok(action)
    }
}

impl Core {
    pub fn find_prepared(&self, name: &str) -> PgResult<Arc<PreparedStatement>> {
        self.prepared.borrow().get(name).cloned().ok_or_else(|| {
            if name.is_empty() {
                err!(UNDEFINED_PSTATEMENT, "unnamed prepared statement does not exist")
            } else {
                err!(UNDEFINED_PSTATEMENT, "prepared statement \"{name}\" does not exist")
            }
        })
    }
}
