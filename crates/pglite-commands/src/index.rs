//! CREATE INDEX, and the indexes behind PRIMARY KEY and UNIQUE constraints.

use std::sync::Arc;

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::generated::rows::{ClassRow, CollationRow, IndexRow, OpclassRow};
use pglite_catalog::{RelDesc, Snapshot, Str, Vector, format_type, well_known};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_exec::ExecEnv;
use pglite_functions::deparse::{Scope, storage_text};
use pglite_ir::Expr;
use pglite_parser::ast::{IndexElem, IndexStmt, SortByDir, SortByNulls};
use pglite_types::{Oid, oid};

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::relation::{self, NewColumn, NewRelation};

/// An index to be.
pub(crate) struct NewIndex {
    pub table: Oid,
    pub name: String,
    pub access_method: String,
    pub keys: Vec<IndexElem>,
    pub including: Vec<IndexElem>,
    pub predicate: Option<pglite_parser::ast::Expr>,
    pub unique: bool,
    pub primary: bool,
    pub nulls_not_distinct: bool,
    pub immediate: bool,
    /// The constraint that will own it.
    pub constraint: Option<Oid>,
    pub options: Option<Vec<Str>>,
    /// Partitions get no part of it (ON ONLY, or the caller carries it down).
    pub only: bool,
    pub exclusion: bool,
}

/// A resolved key.
struct KeyPart {
    attnum: i16,
    expr: Option<Expr>,
    column: NewColumn,
    opclass: Oid,
    option: i16,
}

/// CREATE INDEX.
pub(crate) fn create_index(host: &dyn CommandHost, s: &IndexStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE INDEX");
    if s.concurrent && !host.is_top_level() {
        bail!(ACTIVE_SQL_TRANSACTION, "CREATE INDEX CONCURRENTLY cannot run inside a transaction block");
    }
    let rel = ctx::relation(host, &s.relation)?;
    if !matches!(rel.kind, b'r' | b'm' | b'p') {
        return Err(err!(WRONG_OBJECT_TYPE, "cannot create index on relation \"{}\"", rel.name)
            .detail(format!("This operation is not supported for {}.", plural(rel.kind))));
    }
    ctx::must_own(host, &rel)?;
    let snap = host.snapshot();
    let name = match &s.idxname {
        Some(n) => n.clone(),
        None => {
            let parts: Vec<String> = s.index_params.iter().map(part_name).collect();
            ctx::choose_name(&rel.name, Some(&parts.join("_")), "idx", &|n| {
                snap.class_by_name(rel.namespace, n).is_some()
            })
        }
    };
    if s.if_not_exists && snap.class_by_name(rel.namespace, &name).is_some() {
        ctx::notice(
            host,
            PgError::new(codes::DUPLICATE_TABLE, format!("relation \"{name}\" already exists, skipping"))
                .severity(Severity::Notice),
        );
        return Ok(tag);
    }
    if rel.kind == b'p' && s.concurrent {
        bail!(
            FEATURE_NOT_SUPPORTED,
            "cannot create index on partitioned table \"{}\" concurrently",
            rel.name
        );
    }
    let only = rel.kind == b'p' && !s.relation.inh;
    let index = create(
        host,
        NewIndex {
            table: rel.oid,
            name,
            access_method: s.access_method.clone(),
            keys: s.index_params.clone(),
            including: s.index_including_params.clone(),
            predicate: s.where_clause.clone(),
            unique: s.unique,
            primary: false,
            nulls_not_distinct: s.nulls_not_distinct,
            immediate: true,
            constraint: None,
            options: crate::table::rel_options(&s.options)?,
            only,
            exclusion: false,
        },
    )?;
    if only && rel.has_children {
        host.with_catalog(&mut |c| {
            c.modify::<IndexRow>(index, |r| r.indisvalid = false);
            Ok(())
        })?;
    }
    Ok(tag)
}

pub(crate) fn plural(kind: u8) -> &'static str {
    match kind {
        b'v' => "views",
        b'S' => "sequences",
        b'f' => "foreign tables",
        b'i' => "indexes",
        b'I' => "partitioned indexes",
        b'c' => "composite types",
        b'm' => "materialized views",
        b'r' => "tables",
        b'p' => "partitioned tables",
        _ => "relations of this kind",
    }
}

/// What an index element contributes to a generated name.
fn part_name(e: &IndexElem) -> String {
    match (&e.name, &e.expr) {
        (Some(n), _) => n.clone(),
        (None, Some(pglite_parser::ast::Expr::FuncCall(f))) => {
            f.funcname.last().cloned().unwrap_or_else(|| "expr".into())
        }
        _ => "expr".into(),
    }
}

/// Creates the index, its catalog rows, and its entries for the rows there are.
pub(crate) fn create(host: &dyn CommandHost, new: NewIndex) -> PgResult<Oid> {
    let s = host.snapshot();
    let rel = s.rel(new.table).ok_or_else(|| PgError::internal("relation vanished"))?;
    let am = s
        .am_by_name(&new.access_method)
        .ok_or_else(|| err!(UNDEFINED_OBJECT, "access method \"{}\" does not exist", new.access_method))?
        .clone();
    if !matches!(am.oid, well_known::AM_BTREE | well_known::AM_HASH) {
        bail!(FEATURE_NOT_SUPPORTED, "access method \"{}\" is not supported yet", new.access_method);
    }
    if am.oid == well_known::AM_HASH && new.unique {
        bail!(FEATURE_NOT_SUPPORTED, "access method \"hash\" does not support unique indexes");
    }
    if am.oid == well_known::AM_HASH && new.keys.len() > 1 {
        bail!(FEATURE_NOT_SUPPORTED, "access method \"hash\" does not support multicolumn indexes");
    }
    if new.keys.len() + new.including.len() > 32 {
        bail!(TOO_MANY_COLUMNS, "cannot use more than 32 columns in an index");
    }
    let mut parts = Vec::new();
    for e in &new.keys {
        parts.push(key_part(host, &s, &rel, e, am.oid)?);
    }
    let nkeys = parts.len();
    for e in &new.including {
        if e.expr.is_some() {
            bail!(FEATURE_NOT_SUPPORTED, "expressions are not supported in included columns");
        }
        let mut p = column_part(&rel, e)?;
        p.option = 0;
        parts.push(p);
    }
    if (new.unique || new.exclusion) && rel.kind == b'p' {
        covers_partition_key(&rel, &new, &parts[..nkeys])?;
    }
    unique_names(&mut parts);
    let env = host.env();
    let scope = ExprScope::Relation(&rel);
    let predicate = match &new.predicate {
        Some(raw) => {
            let e = analyze_expr(
                env.as_analyze_env(),
                raw,
                &scope,
                ExprKind::IndexPredicate,
                Some((oid::BOOL, -1)),
            )?;
            if !immutable(&s, &e) {
                bail!(INVALID_OBJECT_DEFINITION, "functions in index predicate must be marked IMMUTABLE");
            }
            Some(e)
        }
        None => None,
    };
    let relation = NewRelation {
        name: new.name.clone(),
        namespace: rel.namespace,
        kind: if rel.kind == b'p' { b'I' } else { b'i' },
        persistence: rel.persistence,
        owner: rel.owner,
        am: am.oid,
        of_type: Oid::INVALID,
        tablespace: Oid::INVALID,
        columns: parts.iter().map(|p| stored_column(am.oid, p)).collect(),
        options: new.options.clone(),
        with_types: false,
    };
    let index = relation::create(host, &relation)?;
    let mut texts = Vec::new();
    for p in &parts {
        if let Some(e) = &p.expr {
            texts.push(storage_text(&s, env.as_fn_host(), e, Scope::Relation(&rel))?);
        }
    }
    let predicate_text = match &predicate {
        Some(e) => Some(storage_text(&s, env.as_fn_host(), e, Scope::Relation(&rel))?),
        None => None,
    };
    let row = index_row(&new, index, &parts, nkeys, &texts, predicate_text);
    let references = references(&s, &new, &parts, predicate.as_ref());
    drop(env);
    host.with_catalog(&mut |c| {
        c.insert(row.clone());
        c.modify::<ClassRow>(new.table, |r| r.relhasindex = true);
        let me = ObjectAddress::relation(index);
        if new.constraint.is_none() {
            let columns: Vec<ObjectAddress> = parts
                .iter()
                .filter(|p| p.attnum > 0)
                .map(|p| ObjectAddress::column(new.table, p.attnum))
                .collect();
            if columns.is_empty() {
                c.record_dependency(me, ObjectAddress::relation(new.table), DependencyType::Auto);
            }
            c.record_dependencies(me, columns, DependencyType::Auto);
        }
        for p in &parts[..nkeys] {
            c.record_dependency(me, ObjectAddress::of::<OpclassRow>(p.opclass), DependencyType::Normal);
            if p.column.collation.is_valid() {
                c.record_dependency(
                    me,
                    ObjectAddress::of::<CollationRow>(p.column.collation),
                    DependencyType::Normal,
                );
            }
        }
        c.record_dependencies(me, references.iter().copied(), DependencyType::Normal);
        Ok(())
    })?;
    build(host, new.table, index)?;
    if rel.kind == b'p' && !new.only && new.constraint.is_none() {
        crate::partition::carry_down(host, new.table, index)?;
    }
    Ok(index)
}

/// Uniqueness over partitions needs the whole partition key.
fn covers_partition_key(rel: &RelDesc, new: &NewIndex, keys: &[KeyPart]) -> PgResult<()> {
    let Some(key) = &rel.partition_key else { return Ok(()) };
    let kind = if new.primary {
        "PRIMARY KEY"
    } else if new.exclusion {
        "EXCLUDE"
    } else {
        "UNIQUE"
    };
    for attnum in &key.attnums {
        if *attnum == 0 {
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "unsupported {kind} constraint with partition key definition"
            )
            .detail(format!("{kind} constraints cannot be used when partition keys include expressions.")));
        }
        if !keys.iter().any(|k| k.attnum == *attnum) {
            let column = rel.attr(*attnum).map(|c| c.name.to_string()).unwrap_or_default();
            return Err(err!(
                FEATURE_NOT_SUPPORTED,
                "unique constraint on partitioned table must include all partitioning columns"
            )
            .detail(format!(
                "{kind} constraint on table \"{}\" lacks column \"{column}\" which is part of the partition key.",
                rel.name
            )));
        }
    }
    Ok(())
}

fn references(
    s: &Arc<Snapshot>,
    new: &NewIndex,
    parts: &[KeyPart],
    predicate: Option<&Expr>,
) -> Vec<ObjectAddress> {
    let exprs = parts.iter().filter_map(|p| p.expr.as_ref()).chain(predicate);
    exprs.flat_map(|e| ctx::expr_references(s, e, Some(new.table))).collect()
}

/// The index's own column. PG: a hash index stores hash codes, which are integers.
fn stored_column(am: Oid, part: &KeyPart) -> NewColumn {
    let mut column = part.column.clone();
    if am == well_known::AM_HASH && part.attnum != 0 && part.opclass.is_valid() {
        column.ty = oid::INT4;
        column.typmod = -1;
        column.collation = Oid::INVALID;
    }
    column
}

fn index_row(
    new: &NewIndex,
    index: Oid,
    parts: &[KeyPart],
    nkeys: usize,
    texts: &[String],
    predicate: Option<String>,
) -> IndexRow {
    IndexRow {
        indexrelid: index,
        indrelid: new.table,
        indnatts: parts.len() as i16,
        indnkeyatts: nkeys as i16,
        indisunique: new.unique,
        indnullsnotdistinct: new.nulls_not_distinct,
        indisprimary: new.primary,
        indisexclusion: new.exclusion,
        indimmediate: new.immediate,
        indisclustered: false,
        indisvalid: true,
        indcheckxmin: false,
        indisready: true,
        indislive: true,
        indisreplident: false,
        indkey: Vector::from(parts.iter().map(|p| p.attnum).collect::<Vec<_>>()),
        indcollation: Vector::from(parts[..nkeys].iter().map(|p| p.column.collation).collect::<Vec<_>>()),
        indclass: Vector::from(parts[..nkeys].iter().map(|p| p.opclass).collect::<Vec<_>>()),
        indoption: Vector::from(parts[..nkeys].iter().map(|p| p.option).collect::<Vec<_>>()),
        indexprs: (!texts.is_empty()).then(|| texts.join(", ").into()),
        indpred: predicate.map(Into::into),
    }
}

/// Columns of an index are named after its keys, made unique.
fn unique_names(parts: &mut [KeyPart]) {
    for i in 0..parts.len() {
        let base = parts[i].column.name.clone();
        let mut n = 0;
        while parts[..i].iter().any(|p| p.column.name == parts[i].column.name) {
            n += 1;
            parts[i].column.name = format!("{base}{n}");
        }
    }
}

fn column_part(rel: &RelDesc, e: &IndexElem) -> PgResult<KeyPart> {
    let name = e.name.as_deref().unwrap_or("");
    let Some(c) = rel.column(name) else {
        let system = ["ctid", "xmin", "cmin", "xmax", "cmax", "tableoid"].contains(&name);
        if system {
            bail!(FEATURE_NOT_SUPPORTED, "index creation on system columns is not supported");
        }
        return Err(err!(UNDEFINED_COLUMN, "column \"{name}\" does not exist").at(e.location));
    };
    Ok(KeyPart {
        attnum: c.attnum,
        expr: None,
        column: NewColumn::new(c.name.as_str(), c.type_oid, c.typmod, c.collation),
        opclass: Oid::INVALID,
        option: 0,
    })
}

/// Whether all functions of an expression are immutable.
pub(crate) fn immutable(s: &Snapshot, e: &Expr) -> bool {
    let volatile = |f: Oid| s.proc_by_oid(f).is_some_and(|p| p.provolatile != b'i');
    !pglite_ir::walk::contains(e, &|x| match x {
        Expr::Func(f) => volatile(f.func),
        Expr::Op(o) | Expr::Distinct(o) | Expr::NullIf(o) => volatile(o.func),
        Expr::ScalarArrayOp(o) => volatile(o.func),
        Expr::SqlValue { .. } | Expr::NextValue { .. } => true,
        _ => false,
    })
}

fn key_part(
    host: &dyn CommandHost,
    s: &Arc<Snapshot>,
    rel: &Arc<RelDesc>,
    e: &IndexElem,
    am: Oid,
) -> PgResult<KeyPart> {
    let env = host.env();
    let mut part = match &e.expr {
        None => column_part(rel, e)?,
        Some(raw) => {
            let scope = ExprScope::Relation(rel);
            let expr = analyze_expr(env.as_analyze_env(), raw, &scope, ExprKind::IndexExpression, None)?;
            match &expr {
                Expr::Var(v) if v.attno > 0 => {
                    let c = rel.attr(v.attno).ok_or_else(|| PgError::internal("column vanished"))?;
                    let column = NewColumn::new(c.name.as_str(), c.type_oid, c.typmod, c.collation);
                    KeyPart { attnum: v.attno, expr: None, column, opclass: Oid::INVALID, option: 0 }
                }
                _ => {
                    if !immutable(s, &expr) {
                        bail!(
                            INVALID_OBJECT_DEFINITION,
                            "functions in index expression must be marked IMMUTABLE"
                        );
                    }
                    let column = NewColumn::new(part_name(e), expr.ty(), expr.typmod(), expr.collation());
                    KeyPart { attnum: 0, expr: Some(expr), column, opclass: Oid::INVALID, option: 0 }
                }
            }
        }
    };
    if !e.collation.is_empty() {
        let names: Vec<&str> = e.collation.iter().map(String::as_str).collect();
        let (schema, name) = pglite_catalog::names::split_schema(&names, &env.database_name())?;
        part.column.collation = env.search_path().collation(s, schema, name)?.oid;
    }
    let ty = part.column.ty;
    part.opclass = if e.opclass.is_empty() {
        match s.default_opclass(am, s.base_type(ty)) {
            Some(c) => c.oid,
            None => {
                let shown = format_type::format_type_be(s, env.search_path(), ty);
                let am_name = s.am_by_oid(am).map(|a| a.amname.to_string()).unwrap_or_default();
                return Err(err!(
                    UNDEFINED_OBJECT,
                    "data type {shown} has no default operator class for access method \"{am_name}\""
                )
                .hint("You must specify an operator class for the index or define a default operator class for the data type."));
            }
        }
    } else {
        let names: Vec<&str> = e.opclass.iter().map(String::as_str).collect();
        let (schema, name) = pglite_catalog::names::split_schema(&names, &env.database_name())?;
        let class = env.search_path().opclass(s, am, schema, name)?;
        let base = s.base_type(ty);
        if !s.is_binary_coercible(base, class.opcintype) {
            let shown = format_type::format_type_be(s, env.search_path(), ty);
            bail!(DATATYPE_MISMATCH, "operator class \"{name}\" does not accept data type {shown}");
        }
        class.oid
    };
    let desc = e.ordering == SortByDir::Desc;
    let nulls_first = match e.nulls_ordering {
        SortByNulls::Default => desc,
        SortByNulls::First => true,
        SortByNulls::Last => false,
    };
    if am == well_known::AM_HASH && (desc || e.nulls_ordering != SortByNulls::Default) {
        bail!(FEATURE_NOT_SUPPORTED, "access method \"hash\" does not support ASC/DESC options");
    }
    part.option = i16::from(desc) | if nulls_first { 2 } else { 0 };
    Ok(part)
}

/// Enters the table's rows into a new index.
pub(crate) fn build(host: &dyn CommandHost, table: Oid, index: Oid) -> PgResult<()> {
    let env = host.env();
    let s = host.snapshot();
    let rel = s.rel(table).ok_or_else(|| PgError::internal("relation vanished"))?;
    if rel.kind == b'p' {
        return Ok(());
    }
    let exec = ExecEnv {
        txn: host.txn(),
        view: host.view(),
        host: env.as_fn_host(),
        hooks: env.as_exec_hooks(),
        work_mem: 64 << 20,
    };
    pglite_exec::modify::build_index(&exec, &rel, index)
}
