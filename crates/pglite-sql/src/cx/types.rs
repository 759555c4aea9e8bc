//! [`TypeEnv`]: what input and output functions ask.

use std::sync::Arc;

use pglite_error::{PgResult, err};
use pglite_types::{Datum, IoSettings, Oid, TypeDesc, TypeEnv};

use super::Cx;

impl TypeEnv for Cx<'_> {
    fn settings(&self) -> &IoSettings {
        &self.io
    }
    fn type_desc(&self, oid: Oid) -> PgResult<Arc<TypeDesc>> {
        self.catalog
            .type_desc(oid)
            .ok_or_else(|| err!(UNDEFINED_OBJECT, "cache lookup failed for type {oid}"))
    }
    fn transaction_timestamp(&self) -> i64 {
        self.core.transaction_start()
    }
    fn reg_in(&self, kind: Oid, name: &str) -> PgResult<Oid> {
        super::reg::reg_in(self, kind, name)
    }
    fn reg_out(&self, kind: Oid, oid: Oid) -> PgResult<String> {
        super::reg::reg_out(self, kind, oid)
    }
    fn check_domain(&self, domain: Oid, value: &Datum) -> PgResult<()> {
        pglite_exec::expr::check_domain(&self.exec_env(), domain, value)
    }
}
