//! A database in memory for tests of the executor: tables, plans by hand, a host that answers the little they ask.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use pglite_catalog::{ColumnDesc, IndexDesc, IndexKey, RelDesc, Snapshot, Str, well_known};
use pglite_error::{PgError, PgResult};
use pglite_ir::abi::*;
use pglite_ir::expr::*;
use pglite_ir::plan::*;
use pglite_ir::query::{CommandType, TargetEntry};
use pglite_storage::{Durability, Env, Store, StoreOptions};
use pglite_txn::{BlockThread, IndexRef, Isolation, KeyIndex, RowTable, TableDesc, Transaction, TxnManager};
use pglite_types::*;

use crate::env::*;
use crate::state::{ExecCx, RunState};
use crate::{Executor, Prepared};

pub struct Db {
    pub catalog: Arc<Snapshot>,
    pub manager: Arc<TxnManager>,
    settings: IoSettings,
    open: RefCell<HashMap<Oid, Arc<OpenRel>>>,
    pub exprs: RefCell<HashMap<Oid, Arc<TableExprs>>>,
    pub sequence: std::cell::Cell<i64>,
}

impl Db {
    pub fn new() -> Db {
        let store = Arc::new(Store::open(Env::memory(), Path::new("/db"), StoreOptions::default()).unwrap());
        Db {
            catalog: Arc::new(Snapshot::builtin(well_known::DB_POSTGRES)),
            manager: TxnManager::open(store).unwrap(),
            settings: IoSettings::default(),
            open: RefCell::default(),
            exprs: RefCell::default(),
            sequence: Default::default(),
        }
    }
    pub fn begin(&self) -> Transaction {
        let backend = self.manager.backend(1, Arc::new(BlockThread));
        self.manager.begin(&backend, Isolation::ReadCommitted, false)
    }
    pub fn commit(&self, txn: Transaction) {
        txn.commit(Durability::Async).unwrap().wait().unwrap();
    }
    /// Runs a plan and collects its rows; bumps the command.
    pub fn run(&self, txn: &Transaction, stmt: PlannedStmt) -> PgResult<(Vec<Row>, u64)> {
        let view = txn.statement_view();
        let env = ExecEnv { txn, view: &view, host: self, hooks: self, work_mem: 4 << 20 };
        let prepared = Prepared::compile(Arc::new(stmt), &env)?;
        let mut executor = Executor::new(prepared, Arc::from(Vec::new()));
        let mut rows = Vec::new();
        executor.run(&env, 0, &mut |b: &mut Batch| {
            rows.extend((0..b.len()).map(|i| b.row(i).to_vec()));
            Ok(true)
        })?;
        txn.bump_command()?;
        Ok((rows, executor.processed()))
    }
}

/// A table without constraints; indexes are (oid, unique, columns).
pub fn table(oid: u32, columns: &[(&str, Oid)], indexes: &[(u32, bool, &[i16])]) -> Arc<RelDesc> {
    let cols = columns
        .iter()
        .enumerate()
        .map(|(i, (name, ty))| ColumnDesc {
            attnum: i as i16 + 1,
            name: Str::from(*name),
            type_oid: *ty,
            typmod: -1,
            collation: Oid(if *ty == oid::TEXT { 100 } else { 0 }),
            not_null: false,
            ndims: 0,
            has_default: false,
            default: None,
            identity: 0,
            generated: 0,
            dropped: false,
            storage: b'p',
            compression: 0,
            missing: None,
            is_local: true,
            inherited: 0,
        })
        .collect();
    let catalog = Snapshot::builtin(well_known::DB_POSTGRES);
    let index = |(io, unique, cols): &(u32, bool, &[i16])| {
        let keys: Vec<IndexKey> = cols
            .iter()
            .map(|c| {
                let ty = columns[*c as usize - 1].1;
                let class = catalog.default_opclass(well_known::AM_BTREE, ty).unwrap();
                IndexKey {
                    attnum: *c,
                    expr: None,
                    type_oid: ty,
                    typmod: -1,
                    opclass: class.oid,
                    opfamily: class.opcfamily,
                    opcintype: class.opcintype,
                    collation: Oid(0),
                    desc: false,
                    nulls_first: false,
                }
            })
            .collect();
        Arc::new(IndexDesc {
            oid: Oid(*io),
            name: Str::from(format!("index_{io}").as_str()),
            namespace: well_known::PUBLIC_SCHEMA,
            table: Oid(oid),
            filenode: Oid(*io),
            tablespace: Oid(0),
            am: well_known::AM_BTREE,
            unique: *unique,
            primary: false,
            exclusion: false,
            nulls_not_distinct: false,
            immediate: true,
            valid: true,
            ready: true,
            clustered: false,
            replica_identity: false,
            nkeys: keys.len(),
            keys,
            predicate: None,
            options: None,
        })
    };
    Arc::new(RelDesc {
        oid: Oid(oid),
        name: Str::from(format!("t{oid}").as_str()),
        namespace: well_known::PUBLIC_SCHEMA,
        kind: b'r',
        persistence: b'p',
        owner: Oid(10),
        row_type: Oid(0),
        of_type: Oid(0),
        am: well_known::AM_HEAP,
        filenode: Oid(oid),
        tablespace: Oid(0),
        toast: Oid(0),
        shared: false,
        is_catalog: false,
        pages: 0,
        tuples: 0.0,
        columns: cols,
        indexes: indexes.iter().map(index).collect(),
        constraints: Vec::new(),
        has_triggers: false,
        has_rules: false,
        row_security: false,
        force_row_security: false,
        populated: true,
        replica_identity: b'd',
        options: None,
        parents: Vec::new(),
        children: Vec::new(),
        has_children: false,
        is_partition: false,
        partition_bound: None,
        partition_key: None,
        view: None,
    })
}

pub fn var(rte: u32, attno: i16, ty: Oid) -> Expr {
    Expr::Var(Var {
        rte,
        attno,
        levels_up: 0,
        ty,
        typmod: -1,
        collation: Oid(0),
        returning: VarReturning::Default,
        syn_rte: 0,
        syn_attno: 0,
        location: -1,
    })
}

pub fn outer(attno: i16, ty: Oid) -> Expr {
    var(OUTER_VAR, attno, ty)
}

pub fn int(v: i32) -> Expr {
    Expr::constant(oid::INT4, Datum::Int4(v))
}

pub fn op(name: &str, a: Expr, b: Expr) -> Expr {
    let catalog = Snapshot::builtin(well_known::DB_POSTGRES);
    let row = catalog.operators_exact(name, a.ty(), b.ty()).next().unwrap();
    Expr::Op(Box::new(OpExpr {
        op: row.oid,
        func: row.oprcode,
        ty: row.oprresult,
        retset: false,
        collation: Oid(0),
        input_collation: Oid(0),
        args: vec![a, b],
        location: -1,
    }))
}

pub fn op_oid(name: &str, ty: Oid) -> Oid {
    Snapshot::builtin(well_known::DB_POSTGRES).operators_exact(name, ty, ty).next().unwrap().oid
}

pub fn aggref(name: &str, args: Vec<Expr>) -> Expr {
    let catalog = Snapshot::builtin(well_known::DB_POSTGRES);
    let types: Vec<Oid> = args.iter().map(Expr::ty).collect();
    let row = catalog.proc_exact(well_known::PG_CATALOG, name, &types).unwrap();
    Expr::Aggref(Box::new(Aggref {
        func: row.oid,
        ty: row.prorettype,
        collation: Oid(0),
        input_collation: Oid(0),
        arg_types: types,
        direct_args: Vec::new(),
        star: args.is_empty(),
        args: args.into_iter().enumerate().map(|(i, e)| TargetEntry::new(e, i as i16 + 1, None)).collect(),
        order: Vec::new(),
        distinct: Vec::new(),
        filter: None,
        variadic: false,
        kind: AggKind::Normal,
        levels_up: 0,
        location: -1,
    }))
}

pub fn targets(exprs: Vec<Expr>) -> Vec<TargetEntry> {
    exprs
        .into_iter()
        .enumerate()
        .map(|(i, e)| TargetEntry::new(e, i as i16 + 1, Some(format!("c{i}"))))
        .collect()
}

pub fn plan(node: PlanNode, exprs: Vec<Expr>) -> Plan {
    Plan::new(node, targets(exprs))
}

pub fn above(node: PlanNode, left: Plan, exprs: Vec<Expr>) -> Plan {
    Plan { left: Some(Box::new(left)), ..plan(node, exprs) }
}

pub fn values(rows: Vec<Vec<Expr>>) -> Plan {
    let exprs = rows[0].iter().enumerate().map(|(i, e)| var(1, i as i16 + 1, e.ty())).collect();
    plan(PlanNode::ValuesScan { rte: 1, rows }, exprs)
}

pub fn stmt(command: CommandType, plan: Plan) -> PlannedStmt {
    PlannedStmt {
        command,
        plan,
        rtable: Vec::new(),
        subplans: Vec::new(),
        exec_params: 8,
        has_returning: false,
        has_modifying_cte: false,
        result_relations: if command == CommandType::Select { Vec::new() } else { vec![1] },
        read_only: false,
        can_scroll: false,
    }
}

pub fn select(plan: Plan) -> PlannedStmt {
    stmt(CommandType::Select, plan)
}

pub fn modify(
    command: CommandType,
    rel: &Arc<RelDesc>,
    left: Plan,
    rowid: i16,
    update: Vec<i16>,
) -> PlannedStmt {
    let m = ModifyTable {
        command,
        nominal_rte: 1,
        root: None,
        targets: vec![ModifyTarget {
            rte: 1,
            rel: rel.clone(),
            update_columns: update,
            merge_actions: Vec::new(),
            returning: Vec::new(),
            check_options: Vec::new(),
        }],
        rowid_column: rowid,
        tableoid_column: 0,
        on_conflict: None,
        merge_actions: Vec::new(),
        can_set_tag: true,
        output: Vec::new(),
    };
    stmt(command, above(PlanNode::ModifyTable(Box::new(m)), left, Vec::new()))
}

pub fn with_cx(f: impl FnOnce(&mut ExecCx<'_>)) {
    let db = Db::new();
    let txn = db.begin();
    let view = txn.statement_view();
    let env = ExecEnv { txn: &txn, view: &view, host: &db, hooks: &db, work_mem: 4 << 20 };
    let mut run = RunState::bare(Arc::from(Vec::new()));
    f(&mut ExecCx::new(&env, &mut run));
}

fn no<T>() -> PgResult<T> {
    Err(PgError::unsupported("not in this test"))
}

impl TypeEnv for Db {
    fn settings(&self) -> &IoSettings {
        &self.settings
    }
    fn type_desc(&self, oid: Oid) -> PgResult<Arc<TypeDesc>> {
        let Some(t) = self.catalog.type_by_oid(oid) else { return no() };
        Ok(Arc::new(TypeDesc {
            oid,
            name: t.typname.to_arc(),
            kind: TypeKind::Base,
            len: t.typlen,
            delim: b',',
            elem: self.catalog.element_type(oid).unwrap_or_default(),
            array: t.typarray,
            base: Oid(0),
            base_typmod: -1,
            attrs: Arc::from(Vec::new()),
            labels: Arc::from(Vec::new()),
            subtype: Oid(0),
            collation: t.typcollation,
        }))
    }
    fn transaction_timestamp(&self) -> i64 {
        0
    }
    fn reg_in(&self, _: Oid, _: &str) -> PgResult<Oid> {
        no()
    }
    fn reg_out(&self, _: Oid, _: Oid) -> PgResult<String> {
        no()
    }
    fn check_domain(&self, _: Oid, _: &Datum) -> PgResult<()> {
        no()
    }
}

impl FnHost for Db {
    fn catalog(&self) -> &Arc<Snapshot> {
        &self.catalog
    }
    fn setting(&self, _: &str) -> Option<String> {
        None
    }
    fn set_setting(&self, _: &str, _: &str, _: bool) -> PgResult<String> {
        no()
    }
    fn clock(&self, _: Clock) -> i64 {
        0
    }
    fn user(&self, _: UserKind) -> Oid {
        Oid(10)
    }
    fn sequence(&self, _: Oid, _: SequenceOp) -> PgResult<(i64, bool)> {
        self.sequence.set(self.sequence.get() + 1);
        Ok((self.sequence.get(), true))
    }
    fn notice(&self, _: PgError) {}
    fn random(&self) -> u64 {
        4
    }
    fn run_query(&self, _: &str, _: &[(Oid, Datum)]) -> PgResult<Vec<Row>> {
        no()
    }
    fn service(&self, _: &str, _: &[Datum]) -> PgResult<Vec<Row>> {
        no()
    }
    fn call(&self, _: Oid, _: Oid, _: &[Datum]) -> PgResult<Datum> {
        no()
    }
    fn check_interrupts(&self) -> PgResult<()> {
        Ok(())
    }
}

impl ExecHooks for Db {
    fn open_relation(&self, rel: &Arc<RelDesc>) -> PgResult<Arc<OpenRel>> {
        if let Some(o) = self.open.borrow().get(&rel.oid) {
            return Ok(o.clone());
        }
        let am: Arc<dyn pglite_txn::am::IndexAm> = Arc::new(KeyIndex);
        let indexes = rel
            .indexes
            .iter()
            .map(|i| {
                let index = Arc::new(IndexRef::from_catalog(&self.catalog, rel, i)?);
                Ok(OpenIndex { oid: i.oid, index, am: am.clone() })
            })
            .collect::<PgResult<_>>()?;
        let table = Arc::new(TableDesc::from_catalog(&self.catalog, rel)?);
        let open = Arc::new(OpenRel { rel: rel.clone(), table, am: Arc::new(RowTable), indexes });
        self.open.borrow_mut().insert(rel.oid, open.clone());
        Ok(open)
    }
    fn call_function(&self, _: &CallInfo, _: &[Datum]) -> PgResult<Datum> {
        no()
    }
    fn call_set_function(&self, _: &CallInfo, _: &[Datum]) -> PgResult<Box<dyn RowSource>> {
        no()
    }
    fn domain_checks(&self, _: Oid) -> PgResult<Vec<DomainChecks>> {
        Ok(Vec::new())
    }
    fn table_exprs(&self, rel: &Arc<RelDesc>) -> PgResult<Arc<TableExprs>> {
        Ok(self.exprs.borrow().get(&rel.oid).cloned().unwrap_or_default())
    }
    fn fire_triggers(&self, _: &TriggerCall<'_>) -> PgResult<TriggerOutcome> {
        no()
    }
    fn has_triggers(&self, _: &Arc<RelDesc>, _: TriggerEvent, _: TriggerTiming, _: bool) -> bool {
        false
    }
    fn defer(&self, _: DeferredCheck) -> PgResult<()> {
        no()
    }
    fn is_immediate(&self, _: Oid, _: bool) -> bool {
        true
    }
    fn cursor_row(&self, _: &str, _: Oid) -> PgResult<Option<u64>> {
        no()
    }
    fn tuplestore(&self, _: &str) -> PgResult<Arc<Vec<Row>>> {
        no()
    }
    fn nanos(&self) -> u64 {
        0
    }
}
