//! Catalog facts in the planner's words: operators and their families, functions, types, relations.

use std::sync::Arc;

use pglite_catalog::{OperatorRow, ProcRow, RelDesc, Snapshot, well_known};
use pglite_types::{Oid, oid};

/// `pg_proc.provolatile`, least volatile first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

/// How a restriction operator's selectivity is estimated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SelKind {
    None,
    Eq,
    Neq,
    Lt,
    Le,
    Gt,
    Ge,
    Like,
    NotLike,
    Regex,
    NotRegex,
    Prefix,
    Matching,
    Contains,
    Position,
    Area,
    Other,
}

/// Btree strategies.
pub(crate) const BT_LT: i16 = 1;
pub(crate) const BT_LE: i16 = 2;
pub(crate) const BT_EQ: i16 = 3;
pub(crate) const BT_GE: i16 = 4;
pub(crate) const BT_GT: i16 = 5;

/// Membership of an operator in a btree or hash family.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FamilyEntry {
    pub family: Oid,
    pub am: Oid,
    pub left: Oid,
    pub right: Oid,
    pub strategy: i16,
}

pub(crate) struct Cat(pub Arc<Snapshot>);

impl Cat {
    fn op(&self, op: Oid) -> Option<&OperatorRow> {
        self.0.operator_by_oid(op)
    }
    fn proc(&self, func: Oid) -> Option<&ProcRow> {
        self.0.proc_by_oid(func)
    }
    pub fn op_func(&self, op: Oid) -> Oid {
        self.op(op).map_or(Oid::INVALID, |o| o.oprcode)
    }
    pub fn commutator(&self, op: Oid) -> Option<Oid> {
        self.op(op)?.oprcom.valid()
    }
    pub fn negator(&self, op: Oid) -> Option<Oid> {
        self.op(op)?.oprnegate.valid()
    }
    pub fn op_inputs(&self, op: Oid) -> (Oid, Oid) {
        self.op(op).map_or((Oid::INVALID, Oid::INVALID), |o| (o.oprleft, o.oprright))
    }
    pub fn rest_kind(&self, op: Oid) -> SelKind {
        let Some(o) = self.op(op) else { return SelKind::None };
        match o.oprrest.0 {
            0 => SelKind::None,
            101 => SelKind::Eq,
            102 => SelKind::Neq,
            103 => SelKind::Lt,
            336 => SelKind::Le,
            104 => SelKind::Gt,
            337 => SelKind::Ge,
            1819 | 1814 => SelKind::Like,
            1822 | 1815 => SelKind::NotLike,
            1818 | 1820 => SelKind::Regex,
            1821 | 1823 => SelKind::NotRegex,
            3437 => SelKind::Prefix,
            5040 => SelKind::Matching,
            1302 | 3817 | 3169 | 4243 => SelKind::Contains,
            1300 => SelKind::Position,
            139 => SelKind::Area,
            _ => SelKind::Other,
        }
    }
    pub fn join_kind(&self, op: Oid) -> SelKind {
        let Some(o) = self.op(op) else { return SelKind::None };
        match o.oprjoin.0 {
            0 => SelKind::None,
            105 => SelKind::Eq,
            106 => SelKind::Neq,
            107 => SelKind::Lt,
            108 => SelKind::Gt,
            386 => SelKind::Le,
            398 => SelKind::Ge,
            1301 => SelKind::Position,
            140 => SelKind::Area,
            1303 | 3818 => SelKind::Contains,
            _ => SelKind::Other,
        }
    }
    pub fn can_merge(&self, op: Oid) -> bool {
        self.op(op).is_some_and(|o| o.oprcanmerge)
    }
    pub fn can_hash(&self, op: Oid, input: Oid) -> bool {
        match op.0 {
            // array_eq, record_eq: hashable when the element types are.
            1070 => self.elem_hashable(input),
            2988 => false,
            _ => self.op(op).is_some_and(|o| o.oprcanhash),
        }
    }
    fn elem_hashable(&self, array: Oid) -> bool {
        let Some(elem) = self.0.element_type(self.0.base_type(array)) else { return true };
        if elem == oid::RECORD {
            return false;
        }
        self.0.default_opclass(well_known::AM_HASH, elem).is_some()
    }
    /// Btree and hash families in which the operator stands as a search operator.
    pub fn families(&self, op: Oid) -> impl Iterator<Item = FamilyEntry> + '_ {
        self.0.amops_of_operator(op).filter(|a| a.amoppurpose == b's').map(|a| FamilyEntry {
            family: a.amopfamily,
            am: a.amopmethod,
            left: a.amoplefttype,
            right: a.amoprighttype,
            strategy: a.amopstrategy,
        })
    }
    pub fn strategy(&self, op: Oid, family: Oid) -> Option<FamilyEntry> {
        self.families(op).find(|f| f.family == family)
    }
    /// Btree families in which the operator is equality: it can be merge-joined.
    pub fn merge_families(&self, op: Oid) -> Vec<Oid> {
        self.families(op)
            .filter(|f| f.am == well_known::AM_BTREE && f.strategy == BT_EQ)
            .map(|f| f.family)
            .collect()
    }
    pub fn family_member(&self, family: Oid, left: Oid, right: Oid, strategy: i16) -> Option<Oid> {
        self.0.amop(family, left, right, strategy).map(|a| a.amopopr)
    }
    /// The btree (family, input type, descending) an ordering operator stands for.
    pub fn ordering_op(&self, op: Oid) -> Option<(Oid, Oid, bool)> {
        self.families(op)
            .find(|f| {
                f.am == well_known::AM_BTREE && f.left == f.right && matches!(f.strategy, BT_LT | BT_GT)
            })
            .map(|f| (f.family, f.left, f.strategy == BT_GT))
    }
    /// The equality operator that goes with an ordering operator.
    pub fn eq_for_ordering(&self, op: Oid) -> Option<Oid> {
        let (family, ty, _) = self.ordering_op(op)?;
        self.family_member(family, ty, ty, BT_EQ)
    }
    /// The `<` that goes with an equality operator, with the type it orders.
    pub fn ordering_for_eq(&self, op: Oid) -> Option<Oid> {
        self.families(op)
            .filter(|f| f.am == well_known::AM_BTREE && f.strategy == BT_EQ)
            .find_map(|f| self.family_member(f.family, f.left, f.left, BT_LT))
    }
    /// A same-type equality compatible with `op` for the type of its right side (semijoin unique-ification).
    pub fn right_side_eq(&self, op: Oid) -> Option<Oid> {
        self.families(op).find_map(|f| {
            if f.am == well_known::AM_BTREE && f.strategy == BT_EQ {
                self.family_member(f.family, f.right, f.right, BT_EQ)
            } else if f.am == well_known::AM_HASH {
                self.family_member(f.family, f.right, f.right, 1)
            } else {
                None
            }
        })
    }
    pub fn left_side_eq(&self, op: Oid) -> Option<Oid> {
        self.families(op).find_map(|f| {
            (f.am == well_known::AM_BTREE && f.strategy == BT_EQ)
                .then(|| self.family_member(f.family, f.left, f.left, BT_EQ))
                .flatten()
        })
    }
    /// The operator family's declared input type for index column comparisons.
    pub fn opclass(&self, opclass: Oid) -> Option<(Oid, Oid)> {
        self.0.opclass_by_oid(opclass).map(|c| (c.opcfamily, c.opcintype))
    }
    pub fn opclass_keytype(&self, opclass: Oid) -> Oid {
        self.0.opclass_by_oid(opclass).map_or(Oid::INVALID, |c| c.opckeytype)
    }
    /// (equality, `<`) of a type's default btree class, and whether it can be hashed.
    pub fn sort_ops(&self, ty: Oid) -> Option<(Oid, Oid, bool)> {
        let class = self.0.default_opclass(well_known::AM_BTREE, ty)?;
        let (family, input) = (class.opcfamily, class.opcintype);
        let eq = self.family_member(family, input, input, BT_EQ)?;
        let lt = self.family_member(family, input, input, BT_LT)?;
        Some((eq, lt, self.can_hash(eq, ty)))
    }
    pub fn default_eq(&self, ty: Oid) -> Option<Oid> {
        if let Some((eq, _, _)) = self.sort_ops(ty) {
            return Some(eq);
        }
        let class = self.0.default_opclass(well_known::AM_HASH, ty)?;
        self.family_member(class.opcfamily, class.opcintype, class.opcintype, 1)
    }
    pub fn volatility(&self, func: Oid) -> Volatility {
        match self.proc(func).map(|p| p.provolatile) {
            Some(b'i') => Volatility::Immutable,
            Some(b's') => Volatility::Stable,
            _ => Volatility::Volatile,
        }
    }
    pub fn is_strict(&self, func: Oid) -> bool {
        self.proc(func).is_some_and(|p| p.proisstrict)
    }
    pub fn func_cost(&self, func: Oid) -> f64 {
        self.proc(func).map_or(1.0, |p| f64::from(p.procost))
    }
    pub fn func_rows(&self, func: Oid) -> f64 {
        self.proc(func).map_or(1.0, |p| if p.proretset { f64::from(p.prorows) } else { 1.0 })
    }
    pub fn func_name(&self, func: Oid) -> &str {
        self.proc(func).map_or("", |p| &p.proname)
    }
    /// The sort operator of a MIN/MAX-like aggregate.
    pub fn agg_sort_op(&self, func: Oid) -> Option<Oid> {
        self.0.aggregate(func)?.aggsortop.valid()
    }
    /// Volatility of an I/O conversion between two types.
    pub fn io_volatility(&self, from: Oid, to: Oid) -> Volatility {
        let output = self.0.type_by_oid(from).map_or(Volatility::Volatile, |t| self.volatility(t.typoutput));
        let input = self.0.type_by_oid(to).map_or(Volatility::Volatile, |t| self.volatility(t.typinput));
        output.max(input)
    }
    pub fn domain_has_constraints(&self, ty: Oid) -> bool {
        let mut ty = ty;
        while let Some(t) = self.0.type_by_oid(ty).filter(|t| t.typtype == b'd') {
            if t.typnotnull || self.0.domain_constraints_of(ty).next().is_some() {
                return true;
            }
            ty = t.typbasetype;
        }
        false
    }
    /// `get_typavgwidth`.
    pub fn type_width(&self, ty: Oid, typmod: i32) -> i32 {
        let Some(t) = self.0.type_by_oid(ty) else { return 32 };
        if t.typlen > 0 {
            return i32::from(t.typlen);
        }
        let base = self.0.base_type(ty);
        if typmod > 4 {
            if base == oid::BPCHAR {
                return typmod;
            }
            if base == oid::VARCHAR {
                let max = typmod;
                return match max {
                    m if m <= 32 => m,
                    m if m < 1000 => 32 + (m - 32) / 2,
                    _ => 32 + (1000 - 32) / 2,
                };
            }
        }
        32
    }
    pub fn array_elem(&self, ty: Oid) -> Option<Oid> {
        self.0.element_type(ty)
    }
    pub fn array_of(&self, ty: Oid) -> Option<Oid> {
        self.0.array_type(ty)
    }
    pub fn base_type(&self, ty: Oid) -> Oid {
        self.0.base_type(ty)
    }
    pub fn rel(&self, rel: Oid) -> Option<Arc<RelDesc>> {
        self.0.rel(rel)
    }
    pub fn default_collation_is_c(&self, collation: Oid) -> bool {
        match collation {
            well_known::COLL_C | well_known::COLL_POSIX => true,
            well_known::COLL_DEFAULT => {
                let locale = self.0.database_by_oid(self.0.database()).map_or("C", |d| &d.datcollate);
                matches!(locale, "C" | "POSIX" | "C.UTF-8" | "C.utf8")
            }
            other => self
                .0
                .collation_by_oid(other)
                .is_some_and(|c| c.collcollate.as_deref().is_some_and(|l| matches!(l, "C" | "POSIX"))),
        }
    }
}
