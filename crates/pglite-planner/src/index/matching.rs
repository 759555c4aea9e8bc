//! Does a condition restrict an index column, and with which index condition?

use std::rc::Rc;

use pglite_ir::expr::*;
use pglite_types::{Datum, Oid, oid};

use crate::cat::*;
use crate::equal::equal;
use crate::exprs::*;
use crate::sel;
use crate::types::*;
use crate::walker::varnos;

const BOOL_EQ: Oid = Oid(91);

/// The expression is the index column (casts without effect aside).
pub(crate) fn expr_matches(e: &Expr, index: &IndexInfo, col: usize) -> bool {
    let e = strip_relabel(e);
    match index.columns[col] {
        0 => equal(e, strip_relabel(&index.exprs[col])),
        attno => {
            matches!((e, &index.exprs[col]), (Expr::Var(v), Expr::Var(x)) if v.attno == attno && v.rte == x.rte && v.levels_up == 0)
        }
    }
}

/// The other side may be computed before the scan.
fn usable(g: &Glob<'_>, root: &Root, index: &IndexInfo, e: &Expr) -> bool {
    let relid = root.rels[index.rel].relid;
    !varnos(e).contains(relid) && !is_volatile(&g.cat, e)
}

fn collation_fits(index: &IndexInfo, col: usize, collation: Oid) -> bool {
    !index.collations[col].is_valid() || index.collations[col] == collation
}

pub(crate) fn match_clause(
    g: &Glob<'_>,
    root: &Root,
    r: &Rc<RInfo>,
    index: &IndexInfo,
    col: usize,
) -> Option<IndexClause> {
    let make = |quals: Vec<IndexCond>, lossy: bool, columns: Vec<usize>| {
        Some(IndexClause { rinfo: r.clone(), quals, lossy, column: col, columns })
    };
    let clause = &r.clause;
    if index.input_types[col] == oid::BOOL
        && let Some(value) = bool_clause(clause, index, col)
    {
        let op = g.cat.family_member(
            index.families[col],
            oid::BOOL,
            oid::BOOL,
            if index.am == IndexAm::Hash { 1 } else { BT_EQ },
        );
        let original = make_op(&g.cat, BOOL_EQ, index.exprs[col].clone(), Expr::bool(value), Oid::INVALID);
        let strategy = if index.am == IndexAm::Hash { 1 } else { BT_EQ };
        return make(
            vec![IndexCond::Op { op: op?, strategy, value: Expr::bool(value), original }],
            false,
            vec![col],
        );
    }
    match clause {
        Expr::Op(o) if o.args.len() == 2 => {
            match_op(g, root, o, index, col).and_then(|(q, lossy)| make(q, lossy, vec![col]))
        }
        Expr::ScalarArrayOp(s) if s.use_or => {
            if !expr_matches(&s.args[0], index, col)
                || !usable(g, root, index, &s.args[1])
                || !collation_fits(index, col, s.input_collation)
                || index.am != IndexAm::Btree
            {
                return None;
            }
            let f = g.cat.strategy(s.op, index.families[col])?;
            make(
                vec![IndexCond::Array {
                    op: s.op,
                    strategy: f.strategy,
                    array: s.args[1].clone(),
                    original: clause.clone(),
                }],
                false,
                vec![col],
            )
        }
        Expr::RowCompare(rc) if index.am == IndexAm::Btree => {
            let (q, lossy, columns) = match_row(g, root, rc, index, col, clause)?;
            make(vec![q], lossy, columns)
        }
        Expr::NullTest { arg, is_null, arg_is_row: false, .. }
            if index.am == IndexAm::Btree && expr_matches(arg, index, col) =>
        {
            make(vec![IndexCond::Null { is_null: *is_null, original: clause.clone() }], false, vec![col])
        }
        Expr::Bool { op: BoolOp::Or, args, .. } if index.am == IndexAm::Btree => {
            let q = match_or(g, root, args, index, col)?;
            make(vec![q], false, vec![col])
        }
        _ => None,
    }
}

fn bool_clause(e: &Expr, index: &IndexInfo, col: usize) -> Option<bool> {
    match e {
        Expr::Bool { op: BoolOp::Not, args, .. } if expr_matches(&args[0], index, col) => Some(false),
        Expr::BooleanTest { arg, test: BoolTest::IsTrue, .. } if expr_matches(arg, index, col) => Some(true),
        Expr::BooleanTest { arg, test: BoolTest::IsFalse, .. } if expr_matches(arg, index, col) => {
            Some(false)
        }
        e if expr_matches(e, index, col) => Some(true),
        _ => None,
    }
}

fn match_op(
    g: &Glob<'_>,
    root: &Root,
    o: &OpExpr,
    index: &IndexInfo,
    col: usize,
) -> Option<(Vec<IndexCond>, bool)> {
    let (l, r) = (&o.args[0], &o.args[1]);
    let family = index.families[col];
    if expr_matches(l, index, col) && usable(g, root, index, r) {
        if collation_fits(index, col, o.input_collation)
            && let Some(f) = g.cat.strategy(o.op, family)
        {
            let original = Expr::Op(Box::new(o.clone()));
            return Some((
                vec![IndexCond::Op { op: o.op, strategy: f.strategy, value: r.clone(), original }],
                false,
            ));
        }
        return match_pattern(g, o, index, col);
    }
    if expr_matches(r, index, col)
        && usable(g, root, index, l)
        && collation_fits(index, col, o.input_collation)
        && let Some(op) = g.cat.commutator(o.op)
        && let Some(f) = g.cat.strategy(op, family)
    {
        let original = make_op(&g.cat, op, r.clone(), l.clone(), o.input_collation);
        return Some((vec![IndexCond::Op { op, strategy: f.strategy, value: l.clone(), original }], false));
    }
    None
}

/// LIKE 'abc%', ^@ and anchored regular expressions as a range of the column.
fn match_pattern(g: &Glob<'_>, o: &OpExpr, index: &IndexInfo, col: usize) -> Option<(Vec<IndexCond>, bool)> {
    if index.am != IndexAm::Btree {
        return None;
    }
    let kind = g.cat.rest_kind(o.op);
    let Expr::Const(c) = &o.args[1] else { return None };
    let pattern = c.value.as_str()?;
    let (prefix, exact) = match (kind, g.cat.func_name(o.func)) {
        (SelKind::Like, "textlike" | "bpcharlike" | "namelike") => sel::like_prefix(pattern),
        (SelKind::Regex, "textregexeq" | "bpcharregexeq" | "nameregexeq") => sel::regex_prefix(pattern),
        (SelKind::Prefix, _) => (pattern.to_string(), false),
        _ => return None,
    };
    if prefix.is_empty() {
        return None;
    }
    let ty = index.input_types[col];
    if !matches!(ty, oid::TEXT | oid::BPCHAR | oid::NAME | oid::VARCHAR) {
        return None;
    }
    // text_pattern_ops and bpchar_pattern_ops order by bytes; others only in the C collation.
    let by_bytes =
        matches!(index.families[col].0, 2095 | 2097) || g.cat.default_collation_is_c(index.collations[col]);
    let family = index.families[col];
    let value_ty = if ty == oid::NAME { oid::TEXT } else { ty };
    let cond = |strategy: i16, text: &str| -> Option<IndexCond> {
        let op = g.cat.family_member(family, ty, value_ty, strategy)?;
        let value = Expr::Const(Const {
            ty: value_ty,
            typmod: -1,
            collation: c.collation,
            value: Datum::text(text),
            location: -1,
        });
        let original = make_op(&g.cat, op, o.args[0].clone(), value.clone(), index.collations[col]);
        Some(IndexCond::Op { op, strategy, value, original })
    };
    if exact {
        if !collation_fits(index, col, o.input_collation) && !by_bytes {
            return None;
        }
        return Some((vec![cond(BT_EQ, &prefix)?], true));
    }
    if !by_bytes {
        return None;
    }
    let mut quals = vec![cond(BT_GE, &prefix)?];
    if let Some(next) = sel::next_prefix(&prefix) {
        quals.extend(cond(BT_LT, &next));
    }
    Some((quals, true))
}

fn match_row(
    g: &Glob<'_>,
    root: &Root,
    rc: &RowCompareExpr,
    index: &IndexInfo,
    col: usize,
    clause: &Expr,
) -> Option<(IndexCond, bool, Vec<usize>)> {
    let on_left = expr_matches(&rc.left[0], index, col);
    if !on_left && !expr_matches(&rc.right[0], index, col) {
        return None;
    }
    let (vars, values) = if on_left { (&rc.left, &rc.right) } else { (&rc.right, &rc.left) };
    if values.iter().any(|v| !usable(g, root, index, v)) {
        return None;
    }
    let op_at = |i: usize| if on_left { Some(rc.ops[i]) } else { g.cat.commutator(rc.ops[i]) };
    let first = g.cat.strategy(op_at(0)?, index.families[col])?;
    if !collation_fits(index, col, rc.input_collations[0]) || first.strategy == BT_EQ {
        return None;
    }
    let mut columns = vec![col];
    let mut matched = vec![values[0].clone()];
    for i in 1..vars.len() {
        let found = (0..index.columns.len()).find(|c| {
            expr_matches(&vars[i], index, *c)
                && collation_fits(index, *c, rc.input_collations[i])
                && op_at(i)
                    .and_then(|op| g.cat.strategy(op, index.families[*c]))
                    .is_some_and(|f| f.strategy == first.strategy)
        });
        match found {
            Some(c) if c == columns[columns.len() - 1] + 1 && index.desc[c] == index.desc[col] => {
                columns.push(c);
                matched.push(values[i].clone());
            }
            _ => break,
        }
    }
    let complete = columns.len() == vars.len();
    // A prefix of the row comparison admits equality.
    let strategy = match (complete, first.strategy) {
        (true, s) => s,
        (false, BT_LT) => BT_LE,
        (false, BT_GT) => BT_GE,
        (false, s) => s,
    };
    Some((IndexCond::Row { strategy, values: matched, original: clause.clone() }, !complete, columns))
}

/// `col = 1 OR col = 2` as `col = ANY ('{1,2}')`.
fn match_or(g: &Glob<'_>, root: &Root, args: &[Expr], index: &IndexInfo, col: usize) -> Option<IndexCond> {
    let mut op = Oid::INVALID;
    let mut values: Vec<Expr> = Vec::new();
    let mut column = None;
    let mut collation = Oid::INVALID;
    for a in args {
        let (o, l, r) = as_binary(a)?;
        let (this_op, value, var) = if expr_matches(l, index, col) {
            (o.op, r, l)
        } else if expr_matches(r, index, col) {
            (g.cat.commutator(o.op)?, l, r)
        } else {
            return None;
        };
        if !usable(g, root, index, value) || !collation_fits(index, col, o.input_collation) {
            return None;
        }
        if op.is_valid() && op != this_op || values.first().is_some_and(|v| v.ty() != value.ty()) {
            return None;
        }
        if !matches!(value, Expr::Const(_) | Expr::Param(_)) {
            return None;
        }
        op = this_op;
        collation = o.input_collation;
        column.get_or_insert_with(|| var.clone());
        values.push(value.clone());
    }
    let f = g.cat.strategy(op, index.families[col])?;
    let elem = values.first()?.ty();
    let ty = g.cat.array_of(elem)?;
    let mut array =
        Expr::Array { elements: values, ty, elem_type: elem, collation, multidims: false, location: -1 };
    crate::fold::fold(g, &mut array).ok()?;
    let original = Expr::ScalarArrayOp(Box::new(ScalarArrayOpExpr {
        op,
        func: g.cat.op_func(op),
        use_or: true,
        input_collation: collation,
        args: [column?, array.clone()],
        location: -1,
    }));
    Some(IndexCond::Array { op, strategy: f.strategy, array, original })
}
