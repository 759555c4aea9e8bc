//! The names that nearly every file of this crate uses.

pub(crate) use pglite_error::{PgError, PgResult, bail, err};
pub(crate) use pglite_ir::expr::*;
pub(crate) use pglite_ir::query::*;
pub(crate) use pglite_parser::ast;
pub(crate) use pglite_types::{Datum, Oid, oid};

pub(crate) use crate::cat::{Cat, SubscriptKind, name_list};
pub(crate) use crate::coerce::CoercionContext;
pub(crate) use crate::kind::ExprKind;
pub(crate) use crate::state::{Analyzer, CteEntry, MultiAssign, NsColumn, NsItem};
