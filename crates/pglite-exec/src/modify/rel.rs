//! What a data-modifying node knows of a table: its constraints, indexes, foreign keys and triggers, compiled.

use std::sync::Arc;

use pglite_catalog::{ConstraintRow, IndexDesc, RelDesc};
use pglite_error::PgResult;
use pglite_ir::expr::{Expr, Var, VarReturning, sysattr};
use pglite_types::{AttrDesc, Datum, Oid};

use crate::env::{ExecEnv, TableExprs, TriggerEvent, TriggerTiming};
use crate::expr::{Code, Compiler, Layout, VarMap, WholeRow};
use crate::node::scan::rel_attrs;

/// Where an index column's value comes from.
pub enum KeySource {
    Column(usize),
    Expr(Code),
}

pub struct IndexProgram {
    pub desc: Arc<IndexDesc>,
    /// Key columns, then INCLUDE columns.
    pub sources: Vec<KeySource>,
    pub predicate: Option<Code>,
}

/// Which triggers a table has.
#[derive(Clone, Copy, Debug, Default)]
pub struct TriggerFlags {
    bits: u32,
    /// Transition tables wanted, by event: old, new.
    pub old_table: [bool; 3],
    pub new_table: [bool; 3],
}

pub fn event_index(event: TriggerEvent) -> usize {
    match event {
        TriggerEvent::Insert => 0,
        TriggerEvent::Update => 1,
        TriggerEvent::Delete => 2,
        TriggerEvent::Truncate => 3,
    }
}

fn bit(event: TriggerEvent, timing: TriggerTiming, row: bool) -> u32 {
    let t = match timing {
        TriggerTiming::Before => 0,
        TriggerTiming::After => 1,
        TriggerTiming::Instead => 2,
    };
    1 << (event_index(event) * 6 + t * 2 + usize::from(row))
}

impl TriggerFlags {
    fn of(env: &ExecEnv<'_>, rel: &Arc<RelDesc>) -> TriggerFlags {
        use TriggerEvent::*;
        use TriggerTiming::*;
        let mut flags = TriggerFlags::default();
        if !rel.has_triggers {
            return flags;
        }
        for event in [Insert, Update, Delete] {
            for timing in [Before, After, Instead] {
                for row in [false, true] {
                    if env.hooks.has_triggers(rel, event, timing, row) {
                        flags.bits |= bit(event, timing, row);
                    }
                }
            }
        }
        for t in env.host.catalog().triggers_of(rel.oid).filter(|t| !t.tgisinternal && t.tgenabled != b'D') {
            // pg_trigger.tgtype: 4 INSERT, 16 UPDATE, 8 DELETE.
            for (i, mask) in [(0, 4), (1, 16), (2, 8)] {
                if t.tgtype & mask != 0 {
                    flags.old_table[i] |= t.tgoldtable.is_some();
                    flags.new_table[i] |= t.tgnewtable.is_some();
                }
            }
        }
        flags
    }
    pub fn has(&self, event: TriggerEvent, timing: TriggerTiming, row: bool) -> bool {
        self.bits & bit(event, timing, row) != 0
    }
    pub fn transition(&self, event: TriggerEvent) -> bool {
        let i = event_index(event);
        i < 3 && (self.old_table[i] || self.new_table[i])
    }
}

pub struct RelProgram {
    pub rel: Arc<RelDesc>,
    pub attrs: Arc<[AttrDesc]>,
    /// Positions of NOT NULL columns.
    pub not_null: Vec<usize>,
    pub checks: Vec<(String, Code)>,
    /// Stored generated columns.
    pub generated: Vec<(usize, Code)>,
    pub partition: Option<Code>,
    pub partition_key: Vec<Code>,
    pub indexes: Vec<IndexProgram>,
    pub fks_out: Vec<ConstraintRow>,
    /// Foreign keys that refer to this table (or to the partitioned table it belongs to).
    pub fks_in: Vec<ConstraintRow>,
    pub triggers: TriggerFlags,
    /// Columns of unique indexes that foreign keys may refer to.
    pub key_columns: Vec<i16>,
}

/// Stored expressions: Vars of relation 1 are columns of slot 0.
struct TableMap<'r> {
    rel: &'r RelDesc,
    attrs: Arc<[AttrDesc]>,
}

impl VarMap for TableMap<'_> {
    fn var(&mut self, var: &Var) -> PgResult<Code> {
        match var.attno {
            0 => {
                let whole = WholeRow { ty: self.rel.row_type, attrs: self.attrs.clone() };
                let cols = whole
                    .attrs
                    .iter()
                    .enumerate()
                    .map(|(i, a)| (!a.dropped).then_some((0, i as u16)))
                    .collect();
                Ok(Code::WholeRow { ty: whole.ty, attrs: whole.attrs, cols, null_if: None })
            }
            sysattr::TABLEOID => Ok(Code::Const(Datum::Oid(self.rel.oid))),
            n if n > 0 => Ok(Code::Slot { slot: 0, col: n as u16 - 1 }),
            _ => Layout.var(var),
        }
    }
}

impl RelProgram {
    pub fn compile(env: &ExecEnv<'_>, rel: &Arc<RelDesc>) -> PgResult<Arc<RelProgram>> {
        let exprs: Arc<TableExprs> =
            if matches!(rel.kind, b'r' | b'p' | b'm') { env.hooks.table_exprs(rel)? } else { Arc::default() };
        let attrs = rel_attrs(rel);
        let mut map = TableMap { rel, attrs: attrs.clone() };
        let mut c = Compiler::new(env, &mut map);
        let mut checks = Vec::new();
        for (name, e) in &exprs.checks {
            checks.push((name.clone(), c.compile(e)?));
        }
        let mut generated = Vec::new();
        for (attno, e, stored) in &exprs.generated {
            if *stored {
                generated.push((*attno as usize - 1, c.compile(e)?));
            }
        }
        let partition = exprs.partition.as_ref().map(|e| c.compile(e)).transpose()?;
        let partition_key = exprs.partition_key.iter().map(|e| c.compile(e)).collect::<PgResult<_>>()?;
        let mut indexes = Vec::new();
        for desc in rel.indexes.iter().filter(|i| i.ready) {
            indexes.push(index_program(&mut c, desc, &exprs)?);
        }
        let snapshot = env.host.catalog();
        let fks_out = rel.foreign_keys().filter(|f| f.conenforced).cloned().collect();
        let mut fks_in: Vec<ConstraintRow> = Vec::new();
        let mut of = vec![rel.oid];
        let mut at = rel.clone();
        while at.is_partition {
            let Some(parent) = at.parents.first().and_then(|p| snapshot.rel(*p)) else { break };
            of.push(parent.oid);
            at = parent;
        }
        for oid in of {
            for fk in snapshot.foreign_keys_to(oid).filter(|f| f.contype == b'f' && f.conenforced) {
                // A partition's own copy of a constraint stands for its parent's.
                if fk.conparentid.is_valid() || fks_in.iter().any(|f| f.oid == fk.oid) {
                    continue;
                }
                fks_in.push(fk.clone());
            }
        }
        let key_columns = rel
            .indexes
            .iter()
            .filter(|i| i.unique && i.predicate.is_none() && !i.has_expressions())
            .flat_map(|i| i.key_columns().iter().map(|k| k.attnum))
            .collect();
        Ok(Arc::new(RelProgram {
            not_null: rel
                .columns
                .iter()
                .enumerate()
                .filter(|(_, c)| c.not_null && !c.dropped && c.generated != b'v')
                .map(|(i, _)| i)
                .collect(),
            rel: rel.clone(),
            attrs,
            checks,
            generated,
            partition,
            partition_key,
            indexes,
            fks_out,
            fks_in,
            triggers: TriggerFlags::of(env, rel),
            key_columns,
        }))
    }

    pub fn width(&self) -> usize {
        self.rel.columns.len()
    }
}

/// Compiles an expression over the rows of a table.
pub fn table_code(env: &ExecEnv<'_>, program: &RelProgram, expr: &Expr) -> PgResult<Code> {
    let mut map = TableMap { rel: &program.rel, attrs: program.attrs.clone() };
    Compiler::new(env, &mut map).compile(expr)
}

fn index_program(c: &mut Compiler<'_>, desc: &Arc<IndexDesc>, exprs: &TableExprs) -> PgResult<IndexProgram> {
    let own = exprs.indexes.iter().find(|(oid, _, _)| *oid == desc.oid);
    let mut key_exprs = own.map(|(_, e, _)| e.as_slice()).unwrap_or_default().iter();
    let mut sources = Vec::new();
    for key in &desc.keys {
        sources.push(if key.attnum > 0 {
            KeySource::Column(key.attnum as usize - 1)
        } else {
            let e = key_exprs.next().ok_or_else(|| {
                pglite_error::PgError::internal(format!("index \"{}\" lacks an expression", desc.name))
            })?;
            KeySource::Expr(c.compile(e)?)
        });
    }
    let predicate = match own.and_then(|(_, _, p)| p.as_ref()) {
        Some(p) => Some(c.compile(p)?),
        None => None,
    };
    Ok(IndexProgram { desc: desc.clone(), sources, predicate })
}

/// Expressions of a data-modifying node over the plan's row and the target's row versions.
///
/// Slot 0: the plan's row. Slot 1: EXCLUDED. Slot 2: the old row, slot 3: the new row, each followed by ctid and
/// tableoid.
pub struct TargetMap<'r> {
    pub rte: u32,
    pub excluded: u32,
    pub rel: &'r RelDesc,
    pub attrs: Arc<[AttrDesc]>,
    /// The slot of Vars without OLD or NEW.
    pub default_slot: u8,
}

pub const EXCLUDED: u8 = 1;
pub const OLD: u8 = 2;
pub const NEW: u8 = 3;

impl VarMap for TargetMap<'_> {
    fn var(&mut self, var: &Var) -> PgResult<Code> {
        let slot = if var.rte == self.rte {
            match var.returning {
                VarReturning::Old => OLD,
                VarReturning::New => NEW,
                VarReturning::Default => self.default_slot,
            }
        } else if self.excluded != 0 && var.rte == self.excluded {
            EXCLUDED
        } else {
            return Layout.var(var);
        };
        let n = self.rel.columns.len() as u16;
        Ok(match var.attno {
            0 => {
                let cols = self
                    .attrs
                    .iter()
                    .enumerate()
                    .map(|(i, a)| (!a.dropped).then_some((slot, i as u16)))
                    .collect();
                let null_if = if slot == EXCLUDED { None } else { Some((slot, n + 1)) };
                Code::WholeRow { ty: self.rel.row_type, attrs: self.attrs.clone(), cols, null_if }
            }
            sysattr::CTID => Code::Slot { slot, col: n },
            sysattr::TABLEOID => Code::Slot { slot, col: n + 1 },
            a if a > 0 => Code::Slot { slot, col: a as u16 - 1 },
            _ => Code::Const(Datum::Oid(Oid(0))),
        })
    }
}

/// Whether expressions read a system column of the target that costs a fetch.
pub fn wants_ctid(exprs: &[pglite_ir::TargetEntry], rte: u32) -> bool {
    exprs.iter().any(|t| {
        pglite_ir::walk::contains(
            &t.expr,
            &|e| matches!(e, Expr::Var(v) if v.rte == rte && v.attno == sysattr::CTID),
        )
    })
}
