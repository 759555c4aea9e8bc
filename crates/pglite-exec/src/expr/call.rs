//! Function calls: built-in bodies through resolved pointers, everything else through the session's callback.

use pglite_error::{PgError, PgResult};
use pglite_ir::abi::{Body, CallInfo, FnCtx, ScalarFn};
use pglite_types::{Datum, Oid};
use smallvec::SmallVec;

use super::code::{Code, Rows};
use crate::facts::{self, Lang};
use crate::state::ExecCx;

/// Where a function's body is.
#[derive(Clone)]
pub enum FnPtr {
    Native(ScalarFn),
    User,
    /// In the catalog, but without a body: raises when called.
    Missing(String),
}

/// A function resolved for one call site.
#[derive(Clone)]
pub struct FnRef {
    pub info: CallInfo,
    pub ptr: FnPtr,
    pub strict: bool,
}

impl FnRef {
    pub fn resolve(snapshot: &pglite_catalog::Snapshot, info: CallInfo) -> PgResult<FnRef> {
        let proc_ = facts::proc_facts(snapshot, info.func)?;
        let ptr = match proc_.lang {
            Lang::Other => FnPtr::User,
            Lang::Internal | Lang::C => match pglite_functions::body(&proc_.prosrc) {
                Some(Body::Scalar(f)) => FnPtr::Native(*f),
                _ => FnPtr::Missing(proc_.name.to_string()),
            },
        };
        Ok(FnRef { info, ptr, strict: proc_.strict })
    }

    /// A support function of `args` types, such as a comparison.
    pub fn support(
        snapshot: &pglite_catalog::Snapshot,
        func: Oid,
        collation: Oid,
        arg_types: Vec<Oid>,
    ) -> PgResult<FnRef> {
        let ret_type = facts::proc_facts(snapshot, func)?.ret_type;
        FnRef::resolve(snapshot, CallInfo { func, ret_type, arg_types, collation, ..CallInfo::default() })
    }

    #[inline]
    pub fn call(&self, cx: &mut ExecCx<'_>, args: &[Datum]) -> PgResult<Datum> {
        if self.strict && args.iter().any(Datum::is_null) {
            return Ok(Datum::Null);
        }
        self.call_unchecked(cx, args)
    }

    /// Strictness already settled.
    #[inline]
    pub fn call_unchecked(&self, cx: &mut ExecCx<'_>, args: &[Datum]) -> PgResult<Datum> {
        match &self.ptr {
            FnPtr::Native(f) => f(&FnCtx { host: cx.env.host, call: &self.info }, args),
            FnPtr::User => cx.env.hooks.call_function(&self.info, args),
            FnPtr::Missing(name) => {
                Err(PgError::unsupported(format!("function {name} is not supported by this server")))
            }
        }
    }
}

/// A call with its arguments.
pub struct CallCode {
    pub f: FnRef,
    pub args: Box<[Code]>,
}

impl CallCode {
    pub fn eval(&self, rows: &Rows<'_>, cx: &mut ExecCx<'_>) -> PgResult<Datum> {
        let mut args: SmallVec<[Datum; 4]> = SmallVec::with_capacity(self.args.len());
        let mut null = false;
        for code in &self.args {
            let v = code.eval(rows, cx)?;
            null |= v.is_null();
            args.push(v);
        }
        if null && self.f.strict {
            return Ok(Datum::Null);
        }
        self.f.call_unchecked(cx, &args)
    }
}
