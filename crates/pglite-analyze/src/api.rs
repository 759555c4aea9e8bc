//! The crate's entry points: whole statements, single expressions, and the lookups that DDL needs.

use std::sync::Arc;

use pglite_catalog::RelDesc;
use pglite_parser::ast::RawStmt;

use crate::coerce::How;
use crate::env::{AnalyzeEnv, ParamTypes};
use crate::func::{FuncKind, LookupOptions, split_name};
use crate::prelude::*;

/// Analyzes one statement. Utility statements pass through with their tree; SELECT INTO becomes CREATE TABLE AS.
pub fn analyze(
    env: &dyn AnalyzeEnv,
    raw: &RawStmt,
    _source: &str,
    params: &mut ParamTypes,
) -> PgResult<Query> {
    let mut a = Analyzer::new(env, params);
    a.push();
    let mut q = match &raw.stmt {
        ast::Statement::SelectStmt(s) => match select_into(s) {
            Some(stmt) => utility(stmt.into()),
            None => a.transform_select(s)?,
        },
        ast::Statement::InsertStmt(_)
        | ast::Statement::UpdateStmt(_)
        | ast::Statement::DeleteStmt(_)
        | ast::Statement::MergeStmt(_) => a.transform_statement_query(&raw.stmt)?,
        other => utility(other.clone()),
    };
    if params.variable {
        check_variable_params(params, &mut q)?;
    }
    q.location = raw.location;
    q.len = raw.len;
    Ok(q)
}

/// Analyzes the query inside a utility statement (EXPLAIN, DECLARE CURSOR, CREATE TABLE AS, COPY, CREATE VIEW).
pub fn analyze_statement(
    env: &dyn AnalyzeEnv,
    stmt: &ast::Statement,
    params: &mut ParamTypes,
) -> PgResult<Query> {
    let raw = RawStmt { stmt: stmt.clone(), location: 0, len: 0 };
    analyze(env, &raw, "", params)
}

/// Rewrites an analyzed query: defaults, views, rules. Utility queries come back as they are.
pub fn rewrite(env: &dyn AnalyzeEnv, query: Query) -> PgResult<Vec<Query>> {
    let mut params = ParamTypes::none();
    Analyzer::new(env, &mut params).rewrite(query)
}

fn utility(stmt: ast::Statement) -> Query {
    let mut q = Query::new(CommandType::Utility);
    q.utility = Some(Box::new(stmt));
    q
}

/// `SELECT ... INTO t` as CREATE TABLE AS.
pub fn select_into(s: &ast::SelectStmt) -> Option<ast::CreateTableAsStmt> {
    let mut leaf = s;
    while let Some(l) = &leaf.larg {
        leaf = l;
    }
    leaf.into_clause.as_ref()?;
    let mut query = s.clone();
    let mut at = &mut query;
    while at.larg.is_some() {
        at = at.larg.as_mut()?;
    }
    let into = at.into_clause.take()?;
    Some(ast::CreateTableAsStmt {
        query: ast::Statement::SelectStmt(Box::new(query)),
        into: *into,
        objtype: ast::ObjectType::Table,
        is_select_into: true,
        if_not_exists: false,
    })
}

/// Parameters that were used before their type was known take it now (`check_variable_parameters`).
fn check_variable_params(params: &ParamTypes, q: &mut Query) -> PgResult<()> {
    let mut error = None;
    let _ = pglite_ir::tree::mutate_query::<()>(q, 0, &mut |e, _| {
        if let Expr::Param(p) = e
            && p.kind == ParamKind::External
        {
            let known = params.types.get(p.id as usize - 1).copied().unwrap_or(Oid::INVALID);
            if p.ty != known {
                error = Some(
                    err!(AMBIGUOUS_PARAMETER, "could not determine data type of parameter ${}", p.id)
                        .at(p.location),
                );
                return Err(());
            }
        }
        Ok(())
    });
    if let Some(e) = error {
        return Err(e);
    }
    for (i, ty) in params.types.iter().enumerate() {
        if !ty.is_valid() || params.is_undetermined(i + 1) {
            return Err(err!(
                INDETERMINATE_DATATYPE,
                "could not determine data type of parameter ${}",
                i + 1
            ));
        }
    }
    Ok(())
}

/// What an expression may refer to.
#[derive(Clone)]
pub enum Scope<'a> {
    /// Nothing (column defaults, partition bounds, EXECUTE parameters).
    None,
    /// The relation's columns, as Vars of range table index 1.
    Relation(&'a Arc<RelDesc>),
    /// Relations under aliases, by position 1, 2 ... (trigger conditions: old and new).
    Relations(&'a [(&'a str, &'a Arc<RelDesc>)]),
    /// Columns by name, as Vars of range table index 1, attno = position.
    Columns(&'a [(String, ColType)]),
    /// `VALUE`.
    Domain(ColType),
    /// Expressions by name (arguments of SQL functions).
    Named(&'a [(String, Expr)]),
}

fn enter_scope(a: &mut Analyzer<'_, '_>, scope: &Scope<'_>) -> PgResult<()> {
    a.push();
    match scope {
        Scope::None => {}
        Scope::Relation(rel) => {
            let item =
                a.add_relation((*rel).clone(), None, false, true, crate::rtable::lock::ACCESS_SHARE)?;
            a.add_namespace(item);
        }
        Scope::Relations(list) => {
            for (alias, rel) in *list {
                let alias = Alias { name: (*alias).to_string(), columns: Vec::new() };
                let rel = (*rel).clone();
                let item =
                    a.add_relation(rel, Some(alias), false, true, crate::rtable::lock::ACCESS_SHARE)?;
                a.add_namespace(item);
            }
        }
        Scope::Columns(cols) => {
            for (i, (name, t)) in cols.iter().enumerate() {
                let attno = i as i16 + 1;
                let v = Expr::Var(Var {
                    rte: 1,
                    attno,
                    levels_up: 0,
                    ty: t.ty,
                    typmod: t.typmod,
                    collation: t.collation,
                    returning: VarReturning::Default,
                    syn_rte: 1,
                    syn_attno: attno,
                    location: -1,
                });
                a.cur().named_columns.push((name.clone(), v));
            }
        }
        Scope::Domain(t) => a.cur().domain_value = Some(*t),
        Scope::Named(list) => a.cur().named_columns = list.to_vec(),
    }
    Ok(())
}

/// Analyzes one expression. With `expected`, coerces it: to boolean with the kind's words, to others by assignment.
pub fn analyze_expr(
    env: &dyn AnalyzeEnv,
    raw: &ast::Expr,
    scope: &Scope<'_>,
    kind: ExprKind,
    expected: Option<(Oid, i32)>,
) -> PgResult<Expr> {
    let mut params = ParamTypes::none();
    analyze_expr_params(env, raw, scope, kind, expected, &mut params)
}

/// [`analyze_expr`] with parameters.
pub fn analyze_expr_params(
    env: &dyn AnalyzeEnv,
    raw: &ast::Expr,
    scope: &Scope<'_>,
    kind: ExprKind,
    expected: Option<(Oid, i32)>,
    params: &mut ParamTypes,
) -> PgResult<Expr> {
    let mut a = Analyzer::new(env, params);
    enter_scope(&mut a, scope)?;
    let mut e = a.transform_as(raw, kind)?;
    e = match expected {
        Some((oid::BOOL, _)) => a.coerce_to_boolean(e, kind.name())?,
        Some((ty, typmod)) => {
            let (input, at) = (e.ty(), e.location());
            match a.coerce_to_target(e, ty, typmod, How::ASSIGNMENT)? {
                Ok(e) => e,
                Err(_) => {
                    return Err(err!(
                        DATATYPE_MISMATCH,
                        "expression is of type {} but type {} is required",
                        a.cat.format_type(input),
                        a.cat.format_type(ty)
                    )
                    .at(at));
                }
            }
        }
        None => e,
    };
    a.assign_expr_collations(&mut e)?;
    Ok(e)
}

/// Analyzes a stored expression (`pg_attrdef.adbin`, `pg_constraint.conbin` ...); errors carry no position.
pub fn analyze_stored_expr(
    env: &dyn AnalyzeEnv,
    text: &str,
    scope: &Scope<'_>,
    kind: ExprKind,
    expected: Option<(Oid, i32)>,
) -> PgResult<Expr> {
    let mut list = crate::stored::parse_stored_exprs(text)?;
    match list.pop() {
        Some(raw) if list.is_empty() => {
            let stored = crate::stored::StoredEnv::new(env);
            analyze_expr(&stored, &raw, scope, kind, expected).map_err(crate::stored::unplaced)
        }
        _ => Err(PgError::internal("stored text is not one expression")),
    }
}

/// Gives a cursor's rows the identity of the table rows they come from, for WHERE CURRENT OF: a hidden column per table
/// of a plain query. Row marks bring their own.
pub fn identify_rows(q: &mut Query) {
    let plain = q.command == CommandType::Select
        && q.row_marks.is_empty()
        && q.set_ops.is_none()
        && q.group.is_empty()
        && q.grouping_sets.is_empty()
        && q.distinct.is_empty()
        && q.having.is_none()
        && !(q.has_aggs || q.has_windows || q.has_target_srfs);
    let [FromItem::Rte(rte)] = q.jointree.from[..] else { return };
    let stored = matches!(&q.rtable[rte as usize - 1].kind, RteKind::Relation { rel, .. } if rel.kind == b'r' && rel.children.is_empty());
    if !plain || !stored {
        return;
    }
    let id = Expr::Var(Var {
        rte,
        attno: pglite_ir::expr::sysattr::ROWID,
        levels_up: 0,
        ty: oid::INT8,
        typmod: -1,
        collation: Oid::INVALID,
        returning: VarReturning::Default,
        syn_rte: rte,
        syn_attno: pglite_ir::expr::sysattr::ROWID,
        location: -1,
    });
    let resno = q.targets.iter().map(|t| t.resno).max().unwrap_or(0) + 1;
    let mut entry = TargetEntry::new(id, resno, Some(format!("rowid{rte}")));
    entry.junk = true;
    q.targets.push(entry);
}

/// A store into a part of a value (`base[i].f := source`): the expression of the whole new value.
pub fn analyze_assignment(
    env: &dyn AnalyzeEnv,
    base: Expr,
    name: &str,
    steps: &[ast::Indirection],
    source: Expr,
    location: i32,
) -> PgResult<Expr> {
    let mut params = ParamTypes::none();
    let mut a = Analyzer::new(env, &mut params);
    a.push();
    a.cur().kind = ExprKind::UpdateTarget;
    a.cur().plpgsql = true;
    let d = crate::target::assign::Dest {
        attno: 0,
        ty: base.ty(),
        typmod: base.typmod(),
        collation: base.collation(),
    };
    let mut e = a.assign_indirection(Some(base), name, false, d, steps, source, location)?;
    a.assign_expr_collations(&mut e)?;
    Ok(e)
}

/// The call of a CALL statement: a function expression with every argument, those of OUT parameters included.
pub fn analyze_call(env: &dyn AnalyzeEnv, call: &ast::FuncCall, params: &mut ParamTypes) -> PgResult<Expr> {
    let mut a = Analyzer::new(env, params);
    a.push();
    let saved = std::mem::replace(&mut a.cur().kind, ExprKind::CallArgument);
    let mut e = a.transform_func_call(call, true)?;
    a.cur().kind = saved;
    a.assign_expr_collations(&mut e)?;
    Ok(e)
}

/// Analyzes a stored query (a view's); errors carry no position.
pub fn analyze_stored_query(env: &dyn AnalyzeEnv, text: &str) -> PgResult<Query> {
    let stmt = crate::stored::parse_stored(text)?;
    let stored = crate::stored::StoredEnv::new(env);
    analyze_statement(&stored, &stmt, &mut ParamTypes::none()).map_err(crate::stored::unplaced)
}

/// The default of a column (identity and domain defaults included), coerced to its type.
pub fn column_default(env: &dyn AnalyzeEnv, rel: &RelDesc, attno: i16) -> PgResult<Option<Expr>> {
    let mut params = ParamTypes::none();
    Analyzer::new(env, &mut params).column_default(rel, attno)
}

/// The (OID, typmod) of a type name.
pub fn resolve_type_name(env: &dyn AnalyzeEnv, t: &ast::TypeName) -> PgResult<(Oid, i32)> {
    let mut params = ParamTypes::none();
    Analyzer::new(env, &mut params).resolve_type(t)
}

/// Like [`resolve_type_name`]; `None` when there is no such type.
pub fn resolve_type_name_opt(env: &dyn AnalyzeEnv, t: &ast::TypeName) -> PgResult<Option<(Oid, i32)>> {
    let mut params = ParamTypes::none();
    Analyzer::new(env, &mut params).lookup_type(t)
}

/// The collation of that name.
pub fn resolve_collation(env: &dyn AnalyzeEnv, names: &[String], location: i32) -> PgResult<Oid> {
    let mut params = ParamTypes::none();
    Analyzer::new(env, &mut params).lookup_collation(names, location)
}

/// Coerces a bound expression; `None` when the types have no such coercion in the context.
pub fn coerce_to_target_type(
    env: &dyn AnalyzeEnv,
    e: Expr,
    ty: Oid,
    typmod: i32,
    context: CoercionContext,
) -> PgResult<Option<Expr>> {
    let mut params = ParamTypes::none();
    let mut a = Analyzer::new(env, &mut params);
    a.push();
    let form = if context == CoercionContext::Explicit {
        CoercionForm::ExplicitCast
    } else {
        CoercionForm::ImplicitCast
    };
    match a.coerce_to_target(e, ty, typmod, How { context, form, location: -1 })? {
        Ok(mut e) => {
            a.assign_expr_collations(&mut e)?;
            Ok(Some(e))
        }
        Err(_) => Ok(None),
    }
}

/// `can_coerce_type` for one type.
pub fn can_coerce(env: &dyn AnalyzeEnv, from: Oid, to: Oid, context: CoercionContext) -> bool {
    let mut params = ParamTypes::none();
    Analyzer::new(env, &mut params).cat.can_coerce(from, to, context)
}

/// The binary operator (or prefix operator, when `left` is INVALID) that the types select.
pub fn resolve_operator(
    env: &dyn AnalyzeEnv,
    names: &[String],
    left: Oid,
    right: Oid,
    location: i32,
) -> PgResult<Oid> {
    let mut params = ParamTypes::none();
    let a = Analyzer::new(env, &mut params);
    if left.is_valid() {
        a.binary_operator(names, left, right, location)
    } else {
        a.prefix_operator(names, right, location)
    }
}

/// A resolved function for DDL (aggregate support functions and the like).
#[derive(Clone, Debug)]
pub struct ResolvedFunction {
    pub oid: Oid,
    pub ret: Oid,
    pub retset: bool,
    /// Declared argument types, polymorphic ones kept.
    pub declared: Vec<Oid>,
}

/// The function that a call with these argument types would select; `None` when there is none.
pub fn resolve_function(
    env: &dyn AnalyzeEnv,
    names: &[String],
    types: &[Oid],
) -> PgResult<Option<ResolvedFunction>> {
    let mut params = ParamTypes::none();
    let a = Analyzer::new(env, &mut params);
    let name = split_name(env, names)?;
    let opts = LookupOptions { expand_variadic: false, expand_defaults: false, include_out: false };
    let d = a.cat.func_detail(&name, &[], types, opts, false)?;
    Ok(match d.kind {
        FuncKind::NotFound | FuncKind::Multiple | FuncKind::Coercion => None,
        _ => Some(ResolvedFunction { oid: d.oid, ret: d.ret, retset: d.retset, declared: d.declared }),
    })
}

/// The function with exactly these input types (`LookupFuncName`).
pub fn lookup_function(env: &dyn AnalyzeEnv, names: &[String], types: &[Oid]) -> PgResult<Option<Oid>> {
    let mut params = ParamTypes::none();
    let a = Analyzer::new(env, &mut params);
    let name = split_name(env, names)?;
    let opts = LookupOptions { expand_variadic: false, expand_defaults: false, include_out: false };
    let found = a.cat.func_candidates(&name, Some(types.len()), &[], opts)?;
    Ok(found.into_iter().find(|c| c.args == types).map(|c| c.oid))
}

/// `LookupFuncWithArgs`: the function, procedure, aggregate or routine that DDL names. `None` with `missing_ok`.
pub fn lookup_func_with_args(
    env: &dyn AnalyzeEnv,
    kind: ast::ObjectType,
    func: &ast::ObjectWithArgs,
    missing_ok: bool,
) -> PgResult<Option<Oid>> {
    let mut params = ParamTypes::none();
    let mut a = Analyzer::new(env, &mut params);
    crate::ddl::lookup_with_args(&mut a, kind, func, missing_ok)
}
