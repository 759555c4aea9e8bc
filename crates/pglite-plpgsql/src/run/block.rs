//! Blocks: variables on entry, exception handlers; IF's relative CASE; entering a function.

use pglite_error::{PgResult, SqlState, codes, err};
use pglite_types::{Datum, oid};

use super::{Caught, Exec, Flow, stack_lines};
use crate::host::SubAct;
use crate::tree::*;

pub(super) const INIT: &str = "during statement block local variable initialization";

impl<'h> Exec<'h> {
    /// Arguments take their variables' types: anonymous records stay, domains are checked already.
    pub(super) fn enter(&mut self) -> PgResult<()> {
        Ok(())
    }

    pub(super) fn block(&mut self, b: &'h Block) -> PgResult<Flow> {
        if !b.init.is_empty() {
            let phase = self.place.phase.replace(Some(INIT));
            let line = self.place.line.replace(b.line);
            for dno in &b.init {
                self.initialise(*dno)?;
            }
            self.place.phase.set(phase);
            self.place.line.set(line);
        }
        let flow = match &b.handlers {
            None => self.statements(&b.body)?,
            Some(handlers) => self.protected(b, handlers)?,
        };
        Ok(match flow {
            Flow::Exit(Some(l)) if b.label.as_deref() == Some(&l) => Flow::Next,
            other => other,
        })
    }

    fn initialise(&mut self, dno: Dno) -> PgResult<()> {
        let Some(v) = self.f.datums[dno].var() else { return Ok(()) };
        self.case_types.retain(|(d, _)| *d != dno);
        self.vals[dno] = Datum::Null;
        if let Some(default) = &v.default {
            let want = (!v.is_record).then_some((v.ty.oid, v.ty.typmod));
            self.place.line.set(v.line);
            let (value, ty, typmod) = self.eval(default, want)?;
            return self.assign(dno, value, ty, typmod);
        }
        if v.cursor.is_some() {
            return Ok(());
        }
        if v.ty.domain {
            self.place.line.set(v.line);
            return self.assign(dno, Datum::Null, oid::UNKNOWN, -1);
        }
        Ok(())
    }

    /// A block with EXCEPTION: its body in a subtransaction.
    fn protected(&mut self, b: &'h Block, handlers: &'h [Handler]) -> PgResult<Flow> {
        self.host.subtransaction(SubAct::Begin)?;
        self.changed();
        self.subtransactions += 1;
        let (line, what) = (self.place.line.get(), self.place.what.get());
        let result = self.statements(&b.body);
        self.subtransactions -= 1;
        let error = match result {
            Ok(flow) => {
                self.host.subtransaction(SubAct::Release)?;
                return Ok(flow);
            }
            Err(e) => e,
        };
        self.host.subtransaction(SubAct::Rollback)?;
        self.changed();
        let found = handlers.iter().find(|h| h.conditions.iter().any(|c| matches(c, error.code())));
        let Some(handler) = found else { return Err(error) };
        // The error has the lines of what it called; this function's own and the callers' are on the stack.
        let mut outer = stack_lines();
        let mut error = error;
        if self.context_done {
            self.context_done = false;
            outer.remove(0);
        } else if !outer.is_empty() {
            error = error.context(outer.remove(0));
        }
        self.place.line.set(line);
        self.place.what.set(what);
        self.place.phase.set(None);
        self.vals[b.sqlstate] = Datum::text(error.code().as_str());
        self.vals[b.sqlerrm] = Datum::text(error.message());
        self.caught.push(Caught { error, outer });
        let result = self.statements(&handler.body);
        self.caught.pop();
        result
    }

    pub(super) fn case(
        &mut self,
        test: &'h Option<(Expr, Dno)>,
        whens: &'h [(Expr, Vec<Stmt>, u32)],
        otherwise: &'h Option<Vec<Stmt>>,
    ) -> PgResult<Flow> {
        if let Some((e, dno)) = test {
            let (value, ty, _) = self.eval(e, None)?;
            let ty = if ty == oid::UNKNOWN { oid::TEXT } else { ty };
            match self.case_types.iter_mut().find(|(d, _)| d == dno) {
                Some(known) => known.1 = ty,
                None => self.case_types.push((*dno, ty)),
            }
            self.vals[*dno] = value;
        }
        for (cond, body, _) in whens {
            if self.condition(cond)? {
                if let Some((_, dno)) = test {
                    self.vals[*dno] = Datum::Null;
                }
                return self.statements(body);
            }
        }
        match otherwise {
            Some(body) => self.statements(body),
            None => Err(err!(CASE_NOT_FOUND, "case not found").hint("CASE statement is missing ELSE part.")),
        }
    }
}

/// Whether a handler's condition takes an error: others take all but cancellation and failed assertions, a class code
/// its whole class.
fn matches(c: &Condition, code: SqlState) -> bool {
    match c {
        Condition::Others => !matches!(code, codes::QUERY_CANCELED | codes::ASSERT_FAILURE),
        Condition::Code(want) => *want == code || (want.0[2..] == *b"000" && want.0[..2] == code.0[..2]),
    }
}
