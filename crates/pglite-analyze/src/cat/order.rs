//! Sorting, grouping and hashing: default operator classes and the operators they bring.

use pglite_catalog::{AmopRow, Key, OpclassRow};
use pglite_types::{Oid, oid};

use super::{BTREE_AM, Cat, HASH_AM};

/// What a type sorts and groups with; INVALID where there is nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SortOps {
    pub lt: Oid,
    pub eq: Oid,
    pub gt: Oid,
    pub hashable: bool,
}

const ANYARRAY_EQ: Oid = Oid(1070);
const RECORD_EQ: Oid = Oid(2988);

impl<'e> Cat<'e> {
    /// The default operator class of an access method for a type (PostgreSQL's `GetDefaultOpClass`).
    pub fn default_opclass(self, ty: Oid, am: Oid) -> Option<&'e OpclassRow> {
        let ty = self.base_type(ty);
        let category = self.category(ty).0;
        let mut preferred = Vec::new();
        let mut compatible = Vec::new();
        for row in self.table::<OpclassRow>().scan(OpclassRow::BY_AM_INTYPE, &Key::from(am)) {
            if !row.opcdefault {
                continue;
            }
            if row.opcintype == ty {
                return Some(row);
            }
            if self.is_preferred(category, row.opcintype) && self.is_binary_coercible(ty, row.opcintype) {
                preferred.push(row);
            } else if preferred.is_empty() && self.is_binary_coercible(ty, row.opcintype) {
                compatible.push(row);
            }
        }
        match (preferred.as_slice(), compatible.as_slice()) {
            ([one], _) => Some(one),
            ([], [one]) => Some(one),
            _ => None,
        }
    }

    /// The operator of a family for a pair of types and a strategy.
    pub fn opfamily_member(self, family: Oid, left: Oid, right: Oid, strategy: i16) -> Option<Oid> {
        self.table::<AmopRow>()
            .find(AmopRow::BY_FAM_STRAT, &Key::from(family).oid(left).oid(right).with(&strategy))
            .map(|r| r.amopopr)
    }

    /// The families (of any method) an operator belongs to as a search operator.
    pub fn operator_families(self, op: Oid) -> impl Iterator<Item = &'e AmopRow> {
        self.table::<AmopRow>().scan(AmopRow::BY_OPR_FAM, &Key::from(op).with(&b's'))
    }

    /// The `<`, `=` and `>` of a type's default ordering, and whether its values can be hashed.
    pub fn sort_ops(self, ty: Oid) -> SortOps {
        let mut ops = SortOps::default();
        if let Some(class) = self.default_opclass(ty, BTREE_AM) {
            let get = |s| {
                self.opfamily_member(class.opcfamily, class.opcintype, class.opcintype, s)
                    .unwrap_or(Oid::INVALID)
            };
            (ops.lt, ops.eq, ops.gt) = (get(1), get(3), get(5));
        }
        if let Some(class) = self.default_opclass(ty, HASH_AM) {
            let eq = self.opfamily_member(class.opcfamily, class.opcintype, class.opcintype, 1);
            if !ops.eq.is_valid() {
                ops.eq = eq.unwrap_or(Oid::INVALID);
            }
            ops.hashable = eq.is_some() && ops.eq == eq.unwrap_or(Oid::INVALID);
        }
        self.restrict_container(ty, &mut ops);
        ops
    }

    /// Arrays, records and ranges have what their parts have.
    fn restrict_container(self, ty: Oid, ops: &mut SortOps) {
        let base = self.base_type(ty);
        if ops.eq == ANYARRAY_EQ {
            let elem = self.sort_ops(self.element_type(base));
            self.limit(ops, elem);
        } else if ops.eq == RECORD_EQ && base != oid::RECORD {
            let relid = self.type_relid(base);
            if let Some(rel) = self.relation(relid) {
                for att in self.live_atts(&rel) {
                    let part = self.sort_ops(att.ty);
                    self.limit(ops, part);
                }
            }
        } else if matches!(self.typtype(base), b'r' | b'm') {
            let range = if self.typtype(base) == b'm' { self.multirange_range(base) } else { base };
            let part = self.sort_ops(self.range_subtype(range));
            ops.hashable &= part.hashable;
        }
    }

    fn limit(self, ops: &mut SortOps, part: SortOps) {
        if !part.lt.is_valid() {
            ops.lt = Oid::INVALID;
            ops.gt = Oid::INVALID;
        }
        if !part.eq.is_valid() {
            ops.eq = Oid::INVALID;
        }
        ops.hashable &= part.hashable;
    }

    /// For an operator that is `<` or `>` of some btree family: family, its input type, and whether it is `>`.
    pub fn ordering_op(self, op: Oid) -> Option<(Oid, Oid, bool)> {
        self.operator_families(op)
            .find(|r| {
                r.amopmethod == BTREE_AM
                    && (r.amopstrategy == 1 || r.amopstrategy == 5)
                    && r.amoplefttype == r.amoprighttype
            })
            .map(|r| (r.amopfamily, r.amoplefttype, r.amopstrategy == 5))
    }

    /// The `=` that goes with an ordering operator, and whether the ordering is descending.
    pub fn equality_for_ordering(self, op: Oid) -> Option<(Oid, bool)> {
        let (family, ty, reverse) = self.ordering_op(op)?;
        Some((self.opfamily_member(family, ty, ty, 3)?, reverse))
    }

    /// Whether an equality operator can be used for hashing on this input type.
    pub fn op_hashable(self, op: Oid, input: Oid) -> bool {
        if op == ANYARRAY_EQ || op == RECORD_EQ {
            return self.sort_ops(input).hashable;
        }
        self.oper(op).is_ok_and(|o| o.oprcanhash)
    }
}
