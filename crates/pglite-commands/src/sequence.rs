//! CREATE SEQUENCE, and the sequences behind serial and identity columns.

use pglite_analyze::resolve_type_name;
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::generated::rows::SequenceRow;
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_ir::abi::SequenceOp;
use pglite_parser::ast::{AlterSeqStmt, CreateSeqStmt, DefArg, DefElem};
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::relation::{self, NewColumn, NewRelation};

/// Options as written; unwritten ones are None.
#[derive(Clone, Debug, Default)]
pub(crate) struct SequenceOptions {
    pub ty: Option<Oid>,
    pub increment: Option<i64>,
    pub min: Option<Option<i64>>,
    pub max: Option<Option<i64>>,
    pub start: Option<i64>,
    pub cache: Option<i64>,
    pub cycle: Option<bool>,
    /// RESTART [WITH n]
    pub restart: Option<Option<i64>>,
    pub owned_by: Option<Vec<String>>,
}

fn number(d: &DefElem) -> PgResult<i64> {
    match &d.arg {
        Some(DefArg::Integer(i)) => Ok(i64::from(*i)),
        Some(DefArg::Float(s)) => s
            .parse()
            .map_err(|_| err!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{s}\" is out of range for type bigint")),
        _ => bail!(SYNTAX_ERROR, "{} requires a numeric value", d.defname),
    }
}

impl SequenceOptions {
    pub fn parse(host: &dyn CommandHost, options: &[DefElem], ty: Option<Oid>) -> PgResult<SequenceOptions> {
        let mut o = SequenceOptions { ty, ..SequenceOptions::default() };
        let mut seen: Vec<&str> = Vec::new();
        for d in options {
            if seen.contains(&d.defname.as_str()) {
                return Err(PgError::syntax("conflicting or redundant options").at(d.location));
            }
            seen.push(&d.defname);
            match d.defname.as_str() {
                "as" => {
                    let Some(DefArg::TypeName(t)) = &d.arg else { bail!(SYNTAX_ERROR, "AS requires a type") };
                    if ty.is_some() {
                        return Err(PgError::syntax(
                            "identity column type must be smallint, integer, or bigint",
                        )
                        .at(d.location));
                    }
                    let env = host.env();
                    let (found, _) = resolve_type_name(env.as_analyze_env(), t)?;
                    if !matches!(found, oid::INT2 | oid::INT4 | oid::INT8) {
                        bail!(INVALID_PARAMETER_VALUE, "sequence type must be smallint, integer, or bigint");
                    }
                    o.ty = Some(found);
                }
                "increment" => o.increment = Some(number(d)?),
                "minvalue" => o.min = Some(d.arg.as_ref().map(|_| number(d)).transpose()?),
                "maxvalue" => o.max = Some(d.arg.as_ref().map(|_| number(d)).transpose()?),
                "start" => o.start = Some(number(d)?),
                "cache" => o.cache = Some(number(d)?),
                "cycle" => o.cycle = Some(!matches!(d.arg, Some(DefArg::Boolean(false)))),
                "restart" => o.restart = Some(d.arg.as_ref().map(|_| number(d)).transpose()?),
                "owned_by" => {
                    if let Some(DefArg::Names(n)) = &d.arg {
                        o.owned_by = Some(n.clone());
                    }
                }
                "sequence_name" | "logged" | "unlogged" => {}
                other => bail!(SYNTAX_ERROR, "option \"{other}\" not recognized"),
            }
        }
        Ok(o)
    }

    pub fn for_type(mut self, ty: Oid) -> SequenceOptions {
        self.ty = Some(ty);
        self
    }

    /// Applies the options to a row (new ones start from defaults), with PostgreSQL's checks.
    pub fn apply(&self, row: &mut SequenceRow, is_new: bool) -> PgResult<()> {
        let old_limits = limits(row.seqtypid);
        let (mut reset_min, mut reset_max) = (false, false);
        if let Some(ty) = self.ty {
            if !is_new && ty != row.seqtypid {
                // PG: limits that were the old type's own follow the new type.
                reset_max = row.seqincrement > 0 && row.seqmax == old_limits.1
                    || row.seqmax == -1 && row.seqincrement < 0;
                reset_min = row.seqincrement < 0 && row.seqmin == old_limits.0
                    || row.seqmin == 1 && row.seqincrement > 0;
                reset_max = reset_max && row.seqincrement > 0;
                reset_min = reset_min && row.seqincrement < 0;
            }
            row.seqtypid = ty;
        }
        let (lowest, highest) = limits(row.seqtypid);
        let type_name = match row.seqtypid {
            oid::INT2 => "smallint",
            oid::INT4 => "integer",
            _ => "bigint",
        };
        if let Some(i) = self.increment {
            if i == 0 {
                bail!(INVALID_PARAMETER_VALUE, "INCREMENT must not be zero");
            }
            row.seqincrement = i;
        }
        if let Some(c) = self.cycle {
            row.seqcycle = c;
        }
        match self.max {
            Some(Some(v)) => row.seqmax = v,
            Some(None) => row.seqmax = if row.seqincrement > 0 { highest } else { -1 },
            None if is_new || reset_max => row.seqmax = if row.seqincrement > 0 { highest } else { -1 },
            None => {}
        }
        if row.seqmax < lowest || row.seqmax > highest {
            bail!(
                INVALID_PARAMETER_VALUE,
                "MAXVALUE ({}) is out of range for sequence data type {type_name}",
                row.seqmax
            );
        }
        match self.min {
            Some(Some(v)) => row.seqmin = v,
            Some(None) => row.seqmin = if row.seqincrement > 0 { 1 } else { lowest },
            None if is_new || reset_min => row.seqmin = if row.seqincrement > 0 { 1 } else { lowest },
            None => {}
        }
        if row.seqmin < lowest || row.seqmin > highest {
            bail!(
                INVALID_PARAMETER_VALUE,
                "MINVALUE ({}) is out of range for sequence data type {type_name}",
                row.seqmin
            );
        }
        if row.seqmin >= row.seqmax {
            bail!(
                INVALID_PARAMETER_VALUE,
                "MINVALUE ({}) must be less than MAXVALUE ({})",
                row.seqmin,
                row.seqmax
            );
        }
        if let Some(v) = self.start {
            row.seqstart = v;
        } else if is_new {
            row.seqstart = if row.seqincrement > 0 { row.seqmin } else { row.seqmax };
        }
        if row.seqstart < row.seqmin {
            bail!(
                INVALID_PARAMETER_VALUE,
                "START value ({}) cannot be less than MINVALUE ({})",
                row.seqstart,
                row.seqmin
            );
        }
        if row.seqstart > row.seqmax {
            bail!(
                INVALID_PARAMETER_VALUE,
                "START value ({}) cannot be greater than MAXVALUE ({})",
                row.seqstart,
                row.seqmax
            );
        }
        if let Some(c) = self.cache {
            if c <= 0 {
                bail!(INVALID_PARAMETER_VALUE, "CACHE ({c}) must be greater than zero");
            }
            row.seqcache = c;
        }
        Ok(())
    }
}

fn limits(ty: Oid) -> (i64, i64) {
    match ty {
        oid::INT2 => (i16::MIN.into(), i16::MAX.into()),
        oid::INT4 => (i32::MIN.into(), i32::MAX.into()),
        _ => (i64::MIN, i64::MAX),
    }
}

/// Creates a sequence relation; returns its OID.
pub(crate) fn create_sequence(
    host: &dyn CommandHost,
    name: &str,
    namespace: Oid,
    persistence: u8,
    o: &SequenceOptions,
) -> PgResult<Oid> {
    let mut row = SequenceRow {
        seqrelid: Oid::INVALID,
        seqtypid: o.ty.unwrap_or(oid::INT8),
        seqstart: 1,
        seqincrement: 1,
        seqmax: 0,
        seqmin: 0,
        seqcache: 1,
        seqcycle: false,
    };
    o.apply(&mut row, true)?;
    let column = |n: &str, ty| NewColumn { not_null: true, ..NewColumn::new(n, ty, -1, Oid::INVALID) };
    let rel = NewRelation {
        name: name.into(),
        namespace,
        kind: b'S',
        persistence,
        owner: ctx::user(host),
        am: Oid::INVALID,
        of_type: Oid::INVALID,
        tablespace: Oid::INVALID,
        columns: vec![
            column("last_value", oid::INT8),
            column("log_cnt", oid::INT8),
            column("is_called", oid::BOOL),
        ],
        options: None,
        with_types: false,
    };
    let oid_ = relation::create(host, &rel)?;
    row.seqrelid = oid_;
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        Ok(())
    })?;
    Ok(oid_)
}

/// OWNED BY: the sequence goes with the column.
pub(crate) fn set_owner_column(
    host: &dyn CommandHost,
    seq: Oid,
    table: Oid,
    attnum: i16,
    identity: bool,
) -> PgResult<()> {
    let kind = if identity { DependencyType::Internal } else { DependencyType::Auto };
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::relation(seq);
        let class = <pglite_catalog::generated::rows::ClassRow as pglite_catalog::CatalogRow>::CATALOG;
        c.forget_dependencies_on_class(me, class, DependencyType::Auto);
        if table.is_valid() {
            c.record_dependency(me, ObjectAddress::column(table, attnum), kind);
        }
        Ok(())
    })
}

/// OWNED BY as written: NONE or table.column.
fn owned_by(host: &dyn CommandHost, seq: Oid, names: &[String]) -> PgResult<()> {
    if names.len() == 1 {
        if !names[0].eq_ignore_ascii_case("none") {
            return Err(PgError::syntax("invalid OWNED BY option")
                .hint("Specify OWNED BY table.column or OWNED BY NONE."));
        }
        return set_owner_column(host, seq, Oid::INVALID, 0, false);
    }
    let (column, table) = names.split_last().ok_or_else(|| PgError::internal("OWNED BY without a name"))?;
    let mut target = pglite_parser::ast::RangeVar::new(table.last().cloned().unwrap_or_default(), -1);
    target.schemaname = (table.len() > 1).then(|| table[table.len() - 2].clone());
    let rel = ctx::relation(host, &target)?;
    if !matches!(rel.kind, b'r' | b'f' | b'v' | b'p') {
        return Err(err!(WRONG_OBJECT_TYPE, "sequence cannot be owned by relation \"{}\"", rel.name));
    }
    let s = host.snapshot();
    let me = s.class_by_oid(seq).ok_or_else(|| PgError::internal("sequence vanished"))?;
    if me.relowner != rel.owner {
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "sequence must have same owner as table it is linked to");
    }
    if me.relnamespace != rel.namespace {
        bail!(OBJECT_NOT_IN_PREREQUISITE_STATE, "sequence must be in same schema as table it is linked to");
    }
    let Some(c) = rel.column(column) else {
        bail!(UNDEFINED_COLUMN, "column \"{column}\" of relation \"{}\" does not exist", rel.name);
    };
    set_owner_column(host, seq, rel.oid, c.attnum, false)
}

pub(crate) fn create(host: &dyn CommandHost, s: &CreateSeqStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE SEQUENCE");
    let (namespace, persistence) = ctx::creation_target(host, &s.sequence)?;
    let name = &s.sequence.relname;
    if s.if_not_exists && host.snapshot().class_by_name(namespace, name).is_some() {
        ctx::notice(
            host,
            PgError::new(codes::DUPLICATE_TABLE, format!("relation \"{name}\" already exists, skipping"))
                .severity(Severity::Notice),
        );
        return Ok(tag);
    }
    let options = SequenceOptions::parse(host, &s.options, None)?;
    let seq = create_sequence(host, name, namespace, persistence, &options)?;
    if let Some(owner) = &options.owned_by {
        owned_by(host, seq, owner)?;
    }
    Ok(tag)
}

pub(crate) fn alter(host: &dyn CommandHost, s: &AlterSeqStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("ALTER SEQUENCE");
    let rel = match ctx::relation(host, &s.sequence) {
        Ok(rel) => rel,
        Err(e) if s.missing_ok && e.code() == codes::UNDEFINED_TABLE => {
            ctx::notice(
                host,
                PgError::notice(format!("relation \"{}\" does not exist, skipping", s.sequence.relname)),
            );
            return Ok(tag);
        }
        Err(e) => return Err(e),
    };
    ctx::must_own(host, &rel)?;
    let snap = host.snapshot();
    let Some(row) = snap.sequence(rel.oid) else {
        bail!(WRONG_OBJECT_TYPE, "\"{}\" is not a sequence", rel.name)
    };
    let options = SequenceOptions::parse(host, &s.options, None)?;
    let mut row = row.clone();
    options.apply(&mut row, false)?;
    let env = host.env();
    let (last, _) = env.as_fn_host().sequence(rel.oid, SequenceOp::Read)?;
    drop(env);
    let restart = options.restart.map(|r| r.unwrap_or(row.seqstart));
    let value = restart.unwrap_or(last);
    if value < row.seqmin {
        bail!(
            INVALID_PARAMETER_VALUE,
            "RESTART value ({value}) cannot be less than MINVALUE ({})",
            row.seqmin
        );
    }
    if value > row.seqmax {
        bail!(
            INVALID_PARAMETER_VALUE,
            "RESTART value ({value}) cannot be greater than MAXVALUE ({})",
            row.seqmax
        );
    }
    host.with_catalog(&mut |c| {
        c.update(row.clone());
        Ok(())
    })?;
    if restart.is_some() {
        let env = host.env();
        env.as_fn_host().sequence(rel.oid, SequenceOp::Set { value, called: false })?;
    }
    if let Some(owner) = &options.owned_by {
        owned_by(host, rel.oid, owner)?;
    }
    Ok(tag)
}
