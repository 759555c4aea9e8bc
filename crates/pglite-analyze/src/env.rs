//! What analysis asks of the session: the catalog, settings, locks, and the types of parameters.
//!
//! The session implements [`AnalyzeEnv`]; PL/pgSQL and SQL functions wrap it to make their variables visible.

use std::sync::Arc;

use pglite_catalog::{RelDesc, SearchPath, Snapshot};
use pglite_error::{PgError, PgResult};
use pglite_ir::Expr;
use pglite_types::{Oid, TypeEnv, oid};

/// The session as analysis sees it. The catalog must not change during one analysis.
pub trait AnalyzeEnv {
    fn catalog(&self) -> &Arc<Snapshot>;
    fn search_path(&self) -> &SearchPath;
    /// Input functions (constants are converted at analysis time) and the catalog's word on types.
    fn type_env(&self) -> &dyn TypeEnv;
    fn current_user(&self) -> Oid;
    fn setting(&self, name: &str) -> Option<String>;
    fn notice(&self, notice: PgError);
    /// Takes the lock that a statement needs on a relation it names; `mode` is PostgreSQL's lock mode number.
    fn lock_relation(&self, _rel: Oid, _mode: u8) -> PgResult<()> {
        Ok(())
    }
    /// The current database's name, for database-qualified names.
    fn database_name(&self) -> String {
        "postgres".to_string()
    }
    /// An ephemeral named relation (a trigger's transition table) visible to the statement.
    fn ephemeral(&self, _name: &str) -> Option<Arc<RelDesc>> {
        None
    }
    /// A variable of the calling language, by its dotted name. `phase` says whether columns were tried already.
    fn resolve_variable(
        &self,
        _names: &[&str],
        _location: i32,
        _phase: VariablePhase,
    ) -> PgResult<Option<Expr>> {
        Ok(None)
    }
}

/// When a variable of the calling language is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VariablePhase {
    /// Before columns: the variable wins.
    BeforeColumns,
    /// After columns found nothing.
    AfterColumns,
    /// After columns found something: the hook may raise an ambiguity error; its result is not used.
    ColumnFound,
}

/// The types of `$n`: declared ones, and those that analysis infers.
#[derive(Clone, Debug, Default)]
pub struct ParamTypes {
    /// By `$n`, 1-based; INVALID or UNKNOWN = not (yet) known.
    pub types: Vec<Oid>,
    /// Undeclared parameters are allowed and inferred (Parse message, PREPARE).
    pub variable: bool,
}

impl ParamTypes {
    /// No parameters allowed.
    pub fn none() -> ParamTypes {
        ParamTypes::default()
    }
    /// Exactly these parameters.
    pub fn fixed(types: &[Oid]) -> ParamTypes {
        ParamTypes { types: types.to_vec(), variable: false }
    }
    /// These are declared; others are inferred.
    pub fn variable(types: &[Oid]) -> ParamTypes {
        ParamTypes { types: types.to_vec(), variable: true }
    }
    /// After analysis: every parameter must have a type.
    pub(crate) fn is_undetermined(&self, n: usize) -> bool {
        self.types.get(n - 1).is_some_and(|t| *t == oid::UNKNOWN)
    }
}
