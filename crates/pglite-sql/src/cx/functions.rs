//! [`FnHost`]: what function bodies ask.

use std::sync::Arc;

use pglite_catalog::{Snapshot, acl};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::abi::{Clock, SequenceOp, UserKind};
use pglite_ir::{Body, CallInfo, FnCtx, FnHost};
use pglite_types::{Datum, Oid, Row};

use super::Cx;
use crate::settings::Source;

impl FnHost for Cx<'_> {
    fn catalog(&self) -> &Arc<Snapshot> {
        &self.catalog
    }
    fn setting(&self, name: &str) -> Option<String> {
        if let Some(v) = self.core.transaction_setting(&name.to_ascii_lowercase()) {
            return Some(v);
        }
        let settings = self.core.settings.borrow();
        settings.get(name)?;
        settings.show(name).ok()
    }
    fn set_setting(&self, name: &str, value: &str, local: bool) -> PgResult<String> {
        let source =
            Source::Session { superuser: acl::is_superuser(&self.catalog, self.core.current_user.get()) };
        let mut settings = self.core.settings.borrow_mut();
        settings.set(name, value, local, source)?;
        settings.show(name)
    }
    fn clock(&self, which: Clock) -> i64 {
        match which {
            Clock::Transaction => self.core.transaction_start(),
            Clock::Statement => self.core.statement_start.get(),
            Clock::Now => self.core.shared().now(),
        }
    }
    fn user(&self, which: UserKind) -> Oid {
        match which {
            UserKind::Current => self.core.current_user.get(),
            UserKind::Session | UserKind::System => self.core.session_user.get(),
        }
    }
    fn sequence(&self, seq: Oid, op: SequenceOp) -> PgResult<(i64, bool)> {
        let class = self.catalog.class_by_oid(seq);
        let name = class.map_or_else(|| seq.to_string(), |c| c.relname.to_string());
        let Some(row) = self.catalog.sequence(seq) else {
            match class {
                Some(_) => bail!(WRONG_OBJECT_TYPE, "\"{name}\" is not a sequence"),
                None => bail!(UNDEFINED_TABLE, "relation with OID {seq} does not exist"),
            }
        };
        let (core, shared) = (self.core, self.core.shared());
        let database = core.slot.database;
        let user = core.current_user.get();
        let need = |bits: u64| -> PgResult<()> {
            if acl::relation_mask(&self.catalog, user, seq, bits) == 0 {
                bail!(INSUFFICIENT_PRIVILEGE, "permission denied for sequence {name}");
            }
            Ok(())
        };
        let (usage, select, update) = (acl::USAGE, acl::SELECT, acl::UPDATE);
        match op {
            SequenceOp::Next => {
                need(usage | update)?;
                self.not_read_only("nextval()")?;
                let value = shared.sequences.next(shared, database, row, &name)?;
                core.currval.borrow_mut().insert(seq, value);
                core.lastval.set(Some(seq));
                Ok((value, true))
            }
            SequenceOp::Current => {
                need(select | usage)?;
                let known = core.currval.borrow().get(&seq).copied();
                known.map(|v| (v, true)).ok_or_else(|| {
                    err!(
                        OBJECT_NOT_IN_PREREQUISITE_STATE,
                        "currval of sequence \"{name}\" is not yet defined in this session"
                    )
                })
            }
            SequenceOp::Set { value, called } => {
                need(update)?;
                self.not_read_only("setval()")?;
                shared.sequences.set(shared, database, row, value, called, &name)?;
                if called {
                    core.currval.borrow_mut().insert(seq, value);
                }
                Ok((value, called))
            }
            SequenceOp::Read => {
                let s = shared.sequences.read(shared, database, row)?;
                Ok((s.last, s.called))
            }
        }
    }
    fn notice(&self, notice: PgError) {
        self.core.notices.borrow_mut().push(notice);
    }
    fn random(&self) -> u64 {
        let Some(mut prng) = self.core.prng.get() else { return self.core.shared().env.rng.next_u64() };
        let value = prng.next();
        self.core.prng.set(Some(prng));
        value
    }
    fn run_query(&self, sql: &str, params: &[(Oid, Datum)]) -> PgResult<Vec<Row>> {
        crate::run::run_nested(self.core, sql, params)
    }
    fn service(&self, name: &str, args: &[Datum]) -> PgResult<Vec<Row>> {
        crate::services::call(self, name, args)
    }
    fn call(&self, func: Oid, collation: Oid, args: &[Datum]) -> PgResult<Datum> {
        let row = self
            .catalog
            .proc_by_oid(func)
            .ok_or_else(|| err!(UNDEFINED_FUNCTION, "cache lookup failed for function {func}"))?;
        let info = CallInfo {
            func,
            ret_type: row.prorettype,
            arg_types: row.proargtypes.iter().copied().collect(),
            collation,
            ..CallInfo::default()
        };
        if row.proisstrict && args.iter().any(Datum::is_null) {
            return Ok(Datum::Null);
        }
        match pglite_functions::body(row.prosrc.as_str()) {
            Some(Body::Scalar(body)) if row.prolang.0 == 12 => body(&FnCtx { host: self, call: &info }, args),
            _ => pglite_exec::ExecHooks::call_function(self, &info, args),
        }
    }
    fn check_interrupts(&self) -> PgResult<()> {
        self.core.check_interrupts()
    }
}

impl Cx<'_> {
    /// 25006 in a read-only transaction.
    pub fn not_read_only(&self, what: &str) -> PgResult<()> {
        if self.txn.read_only() {
            bail!(READ_ONLY_SQL_TRANSACTION, "cannot execute {what} in a read-only transaction");
        }
        Ok(())
    }
}
