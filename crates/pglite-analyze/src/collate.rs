//! Collation derivation: which collation each expression has and which one each function receives.
//!
//! PostgreSQL's rules: explicit beats implicit; two different implicit ones conflict, which matters only where a
//! collation is needed; `default` yields to any other.

use pglite_ir::walk::each_child_mut;

use crate::cat::DEFAULT_COLLATION;
use crate::prelude::*;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Strength {
    None,
    Implicit,
    Conflict,
    Explicit,
}

/// What the parts of an expression say about its collation.
#[derive(Clone, Copy)]
struct State {
    collation: Oid,
    strength: Strength,
    location: i32,
    /// The other collation of a conflict, for the message.
    other: Oid,
    other_location: i32,
}

impl State {
    const NONE: State = State {
        collation: Oid::INVALID,
        strength: Strength::None,
        location: -1,
        other: Oid::INVALID,
        other_location: -1,
    };
}

impl Analyzer<'_, '_> {
    /// Assigns collations in one expression.
    pub fn assign_expr_collations(&mut self, e: &mut Expr) -> PgResult<()> {
        self.collate(e).map(|_| ())
    }

    /// Assigns collations in every expression of a list on its own.
    pub fn assign_list_collations<'a>(
        &mut self,
        list: impl IntoIterator<Item = &'a mut Expr>,
    ) -> PgResult<()> {
        list.into_iter().try_for_each(|e| self.assign_expr_collations(e))
    }

    /// Assigns collations in a whole query (its subqueries are done already).
    pub fn assign_query_collations(&mut self, q: &mut Query) -> PgResult<()> {
        for t in q.targets.iter_mut().chain(&mut q.returning) {
            self.collate_target(t)?;
        }
        self.collate_tree(&mut q.jointree)?;
        if let Some(h) = &mut q.having {
            self.assign_expr_collations(h)?;
        }
        self.assign_list_collations(q.limit.iter_mut().chain(&mut q.offset))?;
        if let Some(m) = &mut q.merge {
            self.assign_list_collations(&mut m.join_condition)?;
            for a in &mut m.actions {
                self.assign_list_collations(&mut a.qual)?;
                self.assign_list_collations(a.targets.iter_mut().map(|t| &mut t.expr))?;
            }
        }
        Ok(())
    }

    /// A sorted or grouped target must not have a conflict.
    fn collate_target(&mut self, t: &mut TargetEntry) -> PgResult<State> {
        let s = self.collate(&mut t.expr)?;
        if s.strength == Strength::Conflict && t.sort_group_ref != 0 {
            return Err(self.implicit_conflict(&s));
        }
        Ok(s)
    }

    fn collate_tree(&mut self, tree: &mut JoinTree) -> PgResult<()> {
        for item in &mut tree.from {
            self.collate_from(item)?;
        }
        self.assign_list_collations(&mut tree.quals)
    }

    fn collate_from(&mut self, item: &mut FromItem) -> PgResult<()> {
        match item {
            FromItem::Rte(_) => Ok(()),
            FromItem::Join(j) => {
                self.collate_from(&mut j.left)?;
                self.collate_from(&mut j.right)?;
                self.assign_list_collations(&mut j.quals)
            }
            FromItem::From(t) => self.collate_tree(t),
        }
    }

    /// The common collation of several expressions (`select_common_collation`); with `none_ok` a conflict gives none.
    pub fn common_collation(&mut self, exprs: &mut [&mut Expr], none_ok: bool) -> PgResult<Oid> {
        let mut s = State::NONE;
        for e in exprs.iter_mut() {
            let one = self.collate(e)?;
            self.merge(&mut s, one)?;
        }
        if s.strength == Strength::Conflict {
            if none_ok {
                return Ok(Oid::INVALID);
            }
            return Err(self.implicit_conflict(&s));
        }
        Ok(s.collation)
    }

    fn implicit_conflict(&self, s: &State) -> PgError {
        err!(
            COLLATION_MISMATCH,
            "collation mismatch between implicit collations \"{}\" and \"{}\"",
            self.cat.collation_name(s.collation),
            self.cat.collation_name(s.other)
        )
        .hint("You can choose the collation by applying the COLLATE clause to one or both expressions.")
        .at(s.other_location)
    }

    fn merge(&self, into: &mut State, s: State) -> PgResult<()> {
        if s.strength > into.strength {
            *into = s;
            return Ok(());
        }
        if s.strength < into.strength {
            return Ok(());
        }
        match s.strength {
            Strength::Implicit if s.collation != into.collation => {
                if into.collation == DEFAULT_COLLATION {
                    *into = s;
                } else if s.collation != DEFAULT_COLLATION {
                    into.strength = Strength::Conflict;
                    into.other = s.collation;
                    into.other_location = s.location;
                }
                Ok(())
            }
            Strength::Explicit if s.collation != into.collation => Err(err!(
                COLLATION_MISMATCH,
                "collation mismatch between explicit collations \"{}\" and \"{}\"",
                self.cat.collation_name(into.collation),
                self.cat.collation_name(s.collation)
            )
            .at(s.location)),
            _ => Ok(()),
        }
    }

    fn leaf(&self, collation: Oid, location: i32) -> State {
        if !collation.is_valid() {
            return State::NONE;
        }
        State { collation, strength: Strength::Implicit, location, ..State::NONE }
    }

    /// The state after a node with merged children: what its own type makes of it.
    fn settle(&self, children: State, ty: Oid, location: i32) -> (State, Oid) {
        let own = self.cat.type_collation(ty);
        if !own.is_valid() {
            return (State::NONE, Oid::INVALID);
        }
        match children.strength {
            Strength::None => {
                (State { collation: own, strength: Strength::Implicit, location, ..State::NONE }, own)
            }
            Strength::Implicit => (State { location, ..children }, children.collation),
            Strength::Explicit => (children, children.collation),
            Strength::Conflict => (children, Oid::INVALID),
        }
    }

    /// The collation that goes to a function as its input collation.
    fn input_of(&self, children: &State) -> Oid {
        if children.strength == Strength::Conflict { Oid::INVALID } else { children.collation }
    }

    fn children(&mut self, e: &mut Expr) -> PgResult<State> {
        let mut s = State::NONE;
        each_child_mut(e, &mut |c| {
            let one = self.collate(c)?;
            self.merge(&mut s, one)
        })?;
        Ok(s)
    }

    fn collate_all<'a>(&mut self, list: impl IntoIterator<Item = &'a mut Expr>) -> PgResult<State> {
        let mut s = State::NONE;
        for e in list {
            let one = self.collate(e)?;
            self.merge(&mut s, one)?;
        }
        Ok(s)
    }

    fn collate(&mut self, e: &mut Expr) -> PgResult<State> {
        self.check_depth()?;
        let location = e.location();
        match e {
            Expr::Const(_)
            | Expr::Var(_)
            | Expr::Param(_)
            | Expr::CaseTest { .. }
            | Expr::SqlValue { .. }
            | Expr::CoerceToDomainValue { .. }
            | Expr::SetToDefault { .. }
            | Expr::MultiAssign { .. }
            | Expr::CurrentOf { .. }
            | Expr::NextValue { .. } => {
                if let Expr::Const(c) = e
                    && !c.collation.is_valid()
                    && c.ty != oid::UNKNOWN
                {
                    c.collation = self.cat.type_collation(c.ty);
                }
                Ok(self.leaf(e.collation(), location))
            }
            Expr::Grouping { args, .. } => {
                // never evaluated, but compared with the grouping expressions
                for a in args {
                    self.collate(a)?;
                }
                Ok(State::NONE)
            }
            Expr::Collate { arg, collation, location } => {
                let (c, l) = (*collation, *location);
                self.collate(arg)?;
                Ok(State { collation: c, strength: Strength::Explicit, location: l, ..State::NONE })
            }
            Expr::FieldSelect { arg, ty, collation, .. } => {
                self.collate(arg)?;
                if !collation.is_valid() {
                    *collation = self.cat.type_collation(*ty);
                }
                let c = *collation;
                Ok(self.leaf(c, location))
            }
            Expr::Aggref(_) => self.collate_aggregate(e, location),
            Expr::WindowFunc(w) => {
                let s = self.collate_all(w.args.iter_mut())?;
                if let Some(f) = &mut w.filter {
                    self.collate(f)?;
                }
                w.input_collation = self.input_of(&s);
                let (state, c) = self.settle(s, w.ty, location);
                w.collation = c;
                Ok(state)
            }
            Expr::SubLink(s) => {
                if let Some(t) = &mut s.test
                    && s.kind != SubLinkKind::Array
                {
                    self.collate(t)?;
                }
                let c = e.collation();
                Ok(self.leaf(c, location))
            }
            Expr::Case(c) => {
                if let Some(a) = &mut c.arg {
                    self.collate(a)?;
                }
                let mut s = State::NONE;
                for (w, r) in &mut c.whens {
                    self.collate(w)?;
                    let one = self.collate(r)?;
                    self.merge(&mut s, one)?;
                }
                if let Some(d) = &mut c.default {
                    let one = self.collate(d)?;
                    self.merge(&mut s, one)?;
                }
                let (state, coll) = self.settle(s, c.ty, location);
                c.collation = coll;
                Ok(state)
            }
            Expr::Row { args, .. } => {
                for a in args {
                    self.collate(a)?;
                }
                Ok(State::NONE)
            }
            Expr::RowCompare(r) => {
                for i in 0..r.left.len() {
                    let mut pair = [&mut r.left[i], &mut r.right[i]];
                    let c = self.common_collation(&mut pair, true)?;
                    r.input_collations[i] = c;
                }
                Ok(State::NONE)
            }
            Expr::Subscript(s) => {
                for ix in s.upper.iter_mut().chain(&mut s.lower).flatten() {
                    self.collate(ix)?;
                }
                let mut state = self.collate(&mut s.container)?;
                if let Some(a) = &mut s.assign {
                    let one = self.collate(a)?;
                    self.merge(&mut state, one)?;
                }
                let (state, c) = self.settle(state, s.ty, location);
                s.collation = c;
                Ok(state)
            }
            Expr::CoerceToDomain { arg, ty, collation, .. } => {
                let mut s = self.collate(arg)?;
                let own = self.cat.type_collation(*ty);
                if own.is_valid() && own != DEFAULT_COLLATION && s.strength <= Strength::Implicit {
                    s = State { collation: own, strength: Strength::Implicit, location, ..State::NONE };
                }
                let (state, c) = self.settle(s, *ty, location);
                *collation = c;
                Ok(state)
            }
            _ => self.collate_plain(e, location),
        }
    }

    fn collate_aggregate(&mut self, e: &mut Expr, location: i32) -> PgResult<State> {
        let Expr::Aggref(a) = e else { return Ok(State::NONE) };
        if let Some(f) = &mut a.filter {
            self.collate(f)?;
        }
        let s = if a.kind == AggKind::Normal {
            let mut s = State::NONE;
            for t in &mut a.args {
                let one = self.collate_target(t)?;
                if !t.junk {
                    self.merge(&mut s, one)?;
                }
            }
            s
        } else {
            if a.kind == AggKind::Hypothetical {
                let first = a.direct_args.len().saturating_sub(a.args.len());
                for (d, t) in a.direct_args[first..].iter_mut().zip(&mut a.args) {
                    self.common_collation(&mut [d, &mut t.expr], false)?;
                }
            }
            let mut s = self.collate_all(a.direct_args.iter_mut())?;
            let merge_aggregated = a.args.len() == 1 && self.cat.proc(a.func)?.provariadic != oid::ANY;
            for t in &mut a.args {
                let one = self.collate_target(t)?;
                if merge_aggregated {
                    self.merge(&mut s, one)?;
                }
            }
            s
        };
        a.input_collation = self.input_of(&s);
        let (state, c) = self.settle(s, a.ty, location);
        a.collation = c;
        Ok(state)
    }

    /// Nodes that merge all children and pass the result up.
    fn collate_plain(&mut self, e: &mut Expr, location: i32) -> PgResult<State> {
        let s = self.children(e)?;
        let input = self.input_of(&s);
        let ty = e.ty();
        let (state, own) = self.settle(s, ty, location);
        match e {
            Expr::Func(f) => (f.collation, f.input_collation) = (own, input),
            Expr::Op(o) | Expr::Distinct(o) | Expr::NullIf(o) => {
                (o.collation, o.input_collation) = (own, input)
            }
            Expr::ScalarArrayOp(o) => o.input_collation = input,
            Expr::Relabel { collation, .. }
            | Expr::CoerceViaIo { collation, .. }
            | Expr::ArrayCoerce { collation, .. }
            | Expr::Array { collation, .. }
            | Expr::Coalesce { collation, .. } => *collation = own,
            Expr::MinMax { collation, input_collation, .. } => (*collation, *input_collation) = (own, input),
            Expr::Json(j) => j.collation = own,
            _ => {}
        }
        Ok(state)
    }
}
