//! Column definitions, constraints, index elements, partitioning.

use super::*;

nodes! {
    default struct ColumnDef {
        colname: String,
        /// None in typed tables and partitions.
        type_name: Option<TypeName>,
        compression: Option<String>,
        /// STORAGE name as written.
        storage_name: Option<String>,
        /// USING expression of ALTER COLUMN TYPE.
        raw_default: Option<Expr>,
        coll_clause: Option<CollateClause>,
        constraints: Vec<Constraint>,
        fdwoptions: Vec<DefElem>,
        is_not_null: bool,
        location: i32,
    }
    enum ConstrType {
        Null, NotNull, Default, Identity, Generated, Check, Primary, Unique, Exclusion, Foreign,
        AttrDeferrable, AttrNotDeferrable, AttrDeferred, AttrImmediate, AttrEnforced, AttrNotEnforced,
    }
    /// A column, table or domain constraint; which fields count depends on `contype`.
    struct Constraint {
        contype: ConstrType,
        conname: Option<String>,
        deferrable: bool,
        initdeferred: bool,
        is_enforced: bool,
        skip_validation: bool,
        initially_valid: bool,
        is_no_inherit: bool,
        raw_expr: Option<Expr>,
        /// 'a' ALWAYS, 'd' BY DEFAULT
        generated_when: Option<char>,
        /// 's' STORED, 'v' VIRTUAL
        generated_kind: Option<char>,
        nulls_not_distinct: bool,
        keys: Vec<String>,
        without_overlaps: bool,
        including: Vec<String>,
        exclusions: Vec<(IndexElem, Vec<String>)>,
        options: Vec<DefElem>,
        indexname: Option<String>,
        indexspace: Option<String>,
        access_method: Option<String>,
        where_clause: Option<Expr>,
        pktable: Option<RangeVar>,
        fk_attrs: Vec<String>,
        pk_attrs: Vec<String>,
        fk_with_period: bool,
        pk_with_period: bool,
        /// 'f' FULL, 'p' PARTIAL, 's' SIMPLE
        fk_matchtype: char,
        /// 'a' NO ACTION, 'r' RESTRICT, 'c' CASCADE, 'n' SET NULL, 'd' SET DEFAULT
        fk_upd_action: char,
        fk_del_action: char,
        fk_del_set_cols: Vec<String>,
        location: i32,
    }
    /// A key of an index or of ON CONFLICT: either `name` or `expr`.
    default struct IndexElem {
        name: Option<String>,
        expr: Option<Expr>,
        collation: Vec<String>,
        opclass: Vec<String>,
        opclassopts: Vec<DefElem>,
        ordering: SortByDir,
        nulls_ordering: SortByNulls,
        location: i32,
    }
    struct PartitionSpec { strategy: PartitionStrategy, part_params: Vec<PartitionElem>, location: i32 }
    enum PartitionStrategy { List, Range, Hash }
    default struct PartitionElem {
        name: Option<String>,
        expr: Option<Expr>,
        collation: Vec<String>,
        opclass: Vec<String>,
        location: i32,
    }
    default struct PartitionBoundSpec {
        /// 'h' hash, 'l' list, 'r' range; unset for DEFAULT
        strategy: Option<char>,
        is_default: bool,
        modulus: i32,
        remainder: i32,
        listdatums: Vec<Expr>,
        lowerdatums: Vec<Expr>,
        upperdatums: Vec<Expr>,
        location: i32,
    }
    struct PartitionCmd { name: RangeVar, bound: Option<PartitionBoundSpec>, concurrent: bool }
    /// `options` is a set of [`like_option`] bits.
    struct TableLikeClause { relation: RangeVar, options: u32 }
}

/// Bits of `TableLikeClause::options`.
pub mod like_option {
    pub const COMMENTS: u32 = 1 << 0;
    pub const COMPRESSION: u32 = 1 << 1;
    pub const CONSTRAINTS: u32 = 1 << 2;
    pub const DEFAULTS: u32 = 1 << 3;
    pub const GENERATED: u32 = 1 << 4;
    pub const IDENTITY: u32 = 1 << 5;
    pub const INDEXES: u32 = 1 << 6;
    pub const STATISTICS: u32 = 1 << 7;
    pub const STORAGE: u32 = 1 << 8;
    pub const ALL: u32 = 0x7fff_ffff;
}

impl Constraint {
    /// A constraint of the kind with the grammar's defaults.
    pub fn new(contype: ConstrType, location: i32) -> Constraint {
        Constraint {
            contype,
            conname: None,
            deferrable: false,
            initdeferred: false,
            is_enforced: true,
            skip_validation: false,
            initially_valid: true,
            is_no_inherit: false,
            raw_expr: None,
            generated_when: None,
            generated_kind: None,
            nulls_not_distinct: false,
            keys: Vec::new(),
            without_overlaps: false,
            including: Vec::new(),
            exclusions: Vec::new(),
            options: Vec::new(),
            indexname: None,
            indexspace: None,
            access_method: None,
            where_clause: None,
            pktable: None,
            fk_attrs: Vec::new(),
            pk_attrs: Vec::new(),
            fk_with_period: false,
            pk_with_period: false,
            fk_matchtype: 's',
            fk_upd_action: 'a',
            fk_del_action: 'a',
            fk_del_set_cols: Vec::new(),
            location,
        }
    }
}
