//! CALL and DO inside functions.

use pglite_error::{PgError, PgResult, err};
use pglite_exec::{ExecCx, Rows};
use pglite_ir::CallInfo;
use pglite_types::{Datum, Oid, oid};

use super::{Exec, Level, pop_level, push_level};
use crate::expr::{ParamRef, Shapes, in_text, prepare_call};
use crate::tree::*;

impl<'h> Exec<'h> {
    pub(super) fn call_statement(&mut self, e: &'h Expr) -> PgResult<()> {
        self.ensure_env()?;
        let Some(env) = &self.env else { return Err(PgError::internal("no surroundings")) };
        let shapes = Shapes { function: self.f, vals: &self.vals, case_types: &self.case_types };
        let plan = prepare_call(&**env, &shapes, e).map_err(|x| in_text(x, &e.text, e.mode))?;
        let Some(plan) = plan else {
            return self.do_statement(e);
        };
        let catalog = env.analyze().catalog().clone();
        let Some(row) = catalog.proc_by_oid(plan.func) else {
            return Err(PgError::internal("procedure vanished"));
        };
        let modes: Vec<u8> = match &row.proargmodes {
            Some(m) => m.to_vec(),
            None => vec![b'i'; plan.args.len()],
        };
        let names: Vec<String> =
            row.proargnames.iter().flat_map(|l| l.iter()).map(|n| n.to_string()).collect();
        let (mut values, mut types, mut outs) = (Vec::new(), Vec::new(), Vec::<ParamRef>::new());
        let x = env.exec_env();
        for (i, arg) in plan.args.iter().enumerate() {
            let mode = modes.get(i).copied().unwrap_or(b'i');
            if matches!(mode, b'o' | b'b') {
                let Some(target) = &arg.target else {
                    return Err(not_writable(names.get(i), i));
                };
                outs.push(target.clone());
            }
            if mode != b'o' {
                values.push(arg.code.eval(&Rows::outer(&self.vals), &mut ExecCx::new(&x, &mut self.run))?);
                types.push(arg.ty);
            }
        }
        let info =
            CallInfo { func: plan.func, ret_type: oid::RECORD, arg_types: types, ..CallInfo::default() };
        self.check_outs(&outs, &names, &modes)?;
        self.changed();
        push_level(Level::Sql(e.text.clone(), e.mode));
        let result = self.host.call_procedure(&info, &values, self.atomic || self.subtransactions > 0);
        pop_level();
        let result = result.map_err(|x| in_text(x, &e.text, e.mode))?;
        self.host.command_done()?;
        self.changed();
        if outs.is_empty() {
            return Ok(());
        }
        let Datum::Record(r) = result else { return Ok(()) };
        for (i, target) in outs.iter().enumerate() {
            let (Some(v), Some(a)) = (r.values.get(i), r.attrs.get(i)) else { break };
            self.assign_out(target, v.clone(), a.type_oid)?;
        }
        Ok(())
    }

    /// DO inside a function: as free to end the transaction as the function is.
    fn do_statement(&mut self, e: &'h Expr) -> PgResult<()> {
        let Some(raw) = &e.raw else { return self.run_statement(e, 0).map(|_| ()) };
        let atomic = self.atomic || self.subtransactions > 0;
        self.changed();
        push_level(Level::Sql(e.text.clone(), e.mode));
        let result = self.host.utility(raw, &e.text, &[], atomic);
        pop_level();
        result.map_err(|x| in_text(x, &e.text, e.mode))?;
        self.changed();
        Ok(())
    }

    fn check_outs(&self, outs: &[ParamRef], names: &[String], modes: &[u8]) -> PgResult<()> {
        let mut positions =
            modes.iter().enumerate().filter(|(_, m)| matches!(m, b'o' | b'b')).map(|(i, _)| i);
        for o in outs {
            let at = positions.next().unwrap_or(0);
            let _ = (at, names);
            if let Some(v) = self.f.datums[o.dno].var().filter(|v| v.constant) {
                return Err(err!(ERROR_IN_ASSIGNMENT, "variable \"{}\" is declared CONSTANT", v.name));
            }
        }
        Ok(())
    }

    fn assign_out(&mut self, target: &ParamRef, value: Datum, ty: Oid) -> PgResult<()> {
        match &target.field {
            None => self.assign(target.dno, value, ty, -1),
            Some((_, name)) => {
                let field = self.f.datums.iter().position(
                    |d| matches!(d, Decl::Field { record, name: n } if *record == target.dno && n == name),
                );
                match field {
                    Some(dno) => self.assign(dno, value, ty, -1),
                    None => Err(PgError::internal("field of an output argument vanished")),
                }
            }
        }
    }
}

fn not_writable(name: Option<&String>, i: usize) -> PgError {
    match name.filter(|n| !n.is_empty()) {
        Some(n) => err!(
            SYNTAX_ERROR,
            "procedure parameter \"{n}\" is an output parameter but corresponding argument is not writable"
        ),
        None => err!(
            SYNTAX_ERROR,
            "procedure parameter {} is an output parameter but corresponding argument is not writable",
            i + 1
        ),
    }
}
