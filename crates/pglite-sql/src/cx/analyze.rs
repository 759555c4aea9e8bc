//! [`AnalyzeEnv`]: what parse analysis asks.

use std::sync::Arc;

use pglite_analyze::AnalyzeEnv;
use pglite_catalog::{RelDesc, SearchPath, Snapshot};
use pglite_error::{PgError, PgResult};
use pglite_txn::LockMode;
use pglite_txn::am::{RelKey, Wait};
use pglite_types::{Oid, TypeEnv};

use super::Cx;

impl AnalyzeEnv for Cx<'_> {
    fn catalog(&self) -> &Arc<Snapshot> {
        &self.catalog
    }
    fn search_path(&self) -> &SearchPath {
        &self.path
    }
    fn type_env(&self) -> &dyn TypeEnv {
        self
    }
    fn current_user(&self) -> Oid {
        self.core.current_user.get()
    }
    fn setting(&self, name: &str) -> Option<String> {
        self.core.settings.borrow().get(name).map(|v| v.to_string())
    }
    fn notice(&self, notice: PgError) {
        self.core.notices.borrow_mut().push(notice);
    }
    fn lock_relation(&self, rel: Oid, mode: u8) -> PgResult<()> {
        if rel < Oid::FIRST_NORMAL {
            return Ok(());
        }
        if let Some(mode) = LockMode::ALL.get(usize::from(mode).wrapping_sub(1)).copied() {
            self.txn.lock_table(
                RelKey { database: self.core.slot.database, relation: rel },
                mode,
                Wait::Block,
            )?;
        }
        Ok(())
    }
    fn ephemeral(&self, name: &str) -> Option<Arc<RelDesc>> {
        self.core.tuplestores.borrow().get(name).map(|s| s.0.clone())
    }
    fn database_name(&self) -> String {
        self.core.slot.database_name.clone()
    }
}
