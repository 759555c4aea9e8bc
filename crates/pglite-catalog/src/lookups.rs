//! The lookups that the stages use, by their PostgreSQL names. No allocation: rows are borrowed from the snapshot.

use pglite_types::Oid;

use crate::generated::rows::*;
use crate::key::Key;
use crate::snapshot::Snapshot;

macro_rules! by_oid {
    ($($(#[$doc:meta])* $name:ident: $row:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self, oid: Oid) -> Option<&$row> { self.get::<$row>(oid) })*
    };
}

macro_rules! by_name {
    ($($name:ident: $row:ident $index:ident;)*) => {
        $(pub fn $name(&self, name: &str) -> Option<&$row> {
            self.table::<$row>().find($row::$index, &Key::new().str(name))
        })*
    };
}

macro_rules! by_ns_name {
    ($($name:ident: $row:ident $index:ident;)*) => {
        $(pub fn $name(&self, namespace: Oid, name: &str) -> Option<&$row> {
            self.table::<$row>().find($row::$index, &Key::new().str(name).oid(namespace))
        })*
    };
}

macro_rules! all_of {
    ($($(#[$doc:meta])* $name:ident: $row:ident $index:ident;)*) => {
        $($(#[$doc])* pub fn $name(&self, of: Oid) -> impl Iterator<Item = &$row> + '_ {
            self.scan::<$row>($row::$index, &Key::new().oid(of))
        })*
    };
}

impl Snapshot {
    by_oid! {
        type_by_oid: TypeRow;
        proc_by_oid: ProcRow;
        operator_by_oid: OperatorRow;
        cast_by_oid: CastRow;
        class_by_oid: ClassRow;
        namespace_by_oid: NamespaceRow;
        role_by_oid: AuthidRow;
        database_by_oid: DatabaseRow;
        tablespace_by_oid: TablespaceRow;
        language_by_oid: LanguageRow;
        am_by_oid: AmRow;
        collation_by_oid: CollationRow;
        conversion_by_oid: ConversionRow;
        opclass_by_oid: OpclassRow;
        opfamily_by_oid: OpfamilyRow;
        constraint_by_oid: ConstraintRow;
        trigger_by_oid: TriggerRow;
        rewrite_by_oid: RewriteRow;
        policy_by_oid: PolicyRow;
        attrdef_by_oid: AttrdefRow;
        enum_by_oid: EnumRow;
        statistic_ext_by_oid: StatisticExtRow;
        extension_by_oid: ExtensionRow;
        event_trigger_by_oid: EventTriggerRow;
        publication_by_oid: PublicationRow;
        foreign_server_by_oid: ForeignServerRow;
        foreign_data_wrapper_by_oid: ForeignDataWrapperRow;
        ts_config_by_oid: TsConfigRow;
        ts_dict_by_oid: TsDictRow;
        ts_parser_by_oid: TsParserRow;
        ts_template_by_oid: TsTemplateRow;
        /// By the function's OID.
        aggregate: AggregateRow;
        /// By the range type's OID.
        range: RangeRow;
        /// By the index's OID.
        index: IndexRow;
        /// By the relation's OID.
        sequence: SequenceRow;
        /// By the relation's OID.
        partitioned_table: PartitionedTableRow;
        /// By the relation's OID.
        foreign_table: ForeignTableRow;
    }

    by_name! {
        namespace_by_name: NamespaceRow BY_NSPNAME;
        role_by_name: AuthidRow BY_ROLNAME;
        database_by_name: DatabaseRow BY_DATNAME;
        tablespace_by_name: TablespaceRow BY_SPCNAME;
        language_by_name: LanguageRow BY_NAME;
        am_by_name: AmRow BY_NAME;
        extension_by_name: ExtensionRow BY_NAME;
        event_trigger_by_name: EventTriggerRow BY_EVTNAME;
        publication_by_name: PublicationRow BY_PUBNAME;
        foreign_server_by_name: ForeignServerRow BY_NAME;
        foreign_data_wrapper_by_name: ForeignDataWrapperRow BY_NAME;
    }

    by_ns_name! {
        type_by_name: TypeRow BY_TYPNAME_NSP;
        class_by_name: ClassRow BY_RELNAME_NSP;
        conversion_by_name: ConversionRow BY_NAME_NSP;
        statistic_ext_by_name: StatisticExtRow BY_NAME;
        ts_config_by_name: TsConfigRow BY_CFGNAME;
        ts_dict_by_name: TsDictRow BY_DICTNAME;
        ts_parser_by_name: TsParserRow BY_PRSNAME;
        ts_template_by_name: TsTemplateRow BY_TMPLNAME;
    }

    all_of! {
        indexes_of: IndexRow BY_INDRELID;
        constraints_of: ConstraintRow BY_CONRELID_CONTYPID_CONNAME;
        domain_constraints_of: ConstraintRow BY_CONTYPID;
        /// Foreign keys that refer to the relation.
        foreign_keys_to: ConstraintRow BY_CONFRELID;
        constraints_of_index: ConstraintRow BY_CONINDID;
        triggers_of: TriggerRow BY_TGRELID_TGNAME;
        rules_of: RewriteRow BY_REL_RULENAME;
        policies_of: PolicyRow BY_POLRELID_POLNAME;
        /// Direct children.
        children_of: InheritsRow BY_PARENT;
        /// In sort order.
        enum_labels: EnumRow BY_TYPID_SORTORDER;
        attrdefs_of: AttrdefRow BY_ADRELID_ADNUM;
        statistics_ext_of: StatisticExtRow BY_RELID;
        /// Memberships in the role.
        members_of: AuthMembersRow BY_ROLE_MEMBER;
        /// Memberships that the role has.
        memberships_of: AuthMembersRow BY_MEMBER_ROLE;
        casts_from: CastRow BY_SOURCE_TARGET;
        casts_to: CastRow BY_TARGET;
        amops_of_family: AmopRow BY_FAM_STRAT;
        /// In which families (and strategies) the operator stands.
        amops_of_operator: AmopRow BY_OPR_FAM;
        amprocs_of_family: AmprocRow BY_FAM_PROC;
    }

    /// Columns in attnum order, system columns (negative) first.
    pub fn attributes(&self, relation: Oid) -> impl Iterator<Item = &AttributeRow> + '_ {
        self.table::<AttributeRow>().scan_primary(&Key::new().oid(relation))
    }
    pub fn attribute(&self, relation: Oid, attnum: i16) -> Option<&AttributeRow> {
        self.get::<AttributeRow>(Key::new().oid(relation).with(&attnum))
    }
    pub fn attribute_by_name(&self, relation: Oid, name: &str) -> Option<&AttributeRow> {
        self.table::<AttributeRow>().find(AttributeRow::BY_RELID_ATTNAM, &Key::new().oid(relation).str(name))
    }
    pub fn attrdef(&self, relation: Oid, attnum: i16) -> Option<&AttrdefRow> {
        self.table::<AttrdefRow>().find(AttrdefRow::BY_ADRELID_ADNUM, &Key::new().oid(relation).with(&attnum))
    }
    /// Functions of that name in all namespaces.
    pub fn procs_by_name(&self, name: &str) -> impl Iterator<Item = &ProcRow> + '_ {
        self.scan::<ProcRow>(ProcRow::BY_PRONAME_ARGS_NSP, &Key::new().str(name))
    }
    /// The function of exactly these input argument types.
    pub fn proc_exact(&self, namespace: Oid, name: &str, args: &[Oid]) -> Option<&ProcRow> {
        self.procs_by_name(name).find(|p| p.pronamespace == namespace && *p.proargtypes == *args)
    }
    /// Operators of that name in all namespaces.
    pub fn operators_by_name(&self, name: &str) -> impl Iterator<Item = &OperatorRow> + '_ {
        self.scan::<OperatorRow>(OperatorRow::BY_OPRNAME_L_R_N, &Key::new().str(name))
    }
    /// Operators of that name and argument types (`INVALID` left: prefix) in all namespaces.
    pub fn operators_exact(
        &self,
        name: &str,
        left: Oid,
        right: Oid,
    ) -> impl Iterator<Item = &OperatorRow> + '_ {
        self.scan::<OperatorRow>(OperatorRow::BY_OPRNAME_L_R_N, &Key::new().str(name).oid(left).oid(right))
    }
    pub fn cast(&self, source: Oid, target: Oid) -> Option<&CastRow> {
        self.table::<CastRow>().find(CastRow::BY_SOURCE_TARGET, &Key::new().oid(source).oid(target))
    }
    /// Collations of that name in a namespace (one an encoding).
    pub fn collations_by_name(&self, namespace: Oid, name: &str) -> impl Iterator<Item = &CollationRow> + '_ {
        self.scan::<CollationRow>(CollationRow::BY_NAME_ENC_NSP, &Key::new().str(name))
            .filter(move |c| c.collnamespace == namespace)
    }
    pub fn opclass_by_name(&self, am: Oid, namespace: Oid, name: &str) -> Option<&OpclassRow> {
        let key = Key::new().oid(am).str(name).oid(namespace);
        self.table::<OpclassRow>().find(OpclassRow::BY_AM_NAME_NSP, &key)
    }
    pub fn opfamily_by_name(&self, am: Oid, namespace: Oid, name: &str) -> Option<&OpfamilyRow> {
        let key = Key::new().oid(am).str(name).oid(namespace);
        self.table::<OpfamilyRow>().find(OpfamilyRow::BY_AM_NAME_NSP, &key)
    }
    /// Operator classes of an access method for exactly this input type.
    pub fn opclasses_for(&self, am: Oid, intype: Oid) -> impl Iterator<Item = &OpclassRow> + '_ {
        self.scan::<OpclassRow>(OpclassRow::BY_AM_INTYPE, &Key::new().oid(am).oid(intype))
    }
    /// The default operator class for the type itself; binary-coercible types are [`default_opclass`](Self::default_opclass)'s business.
    pub fn default_opclass_exact(&self, am: Oid, intype: Oid) -> Option<&OpclassRow> {
        self.opclasses_for(am, intype).find(|c| c.opcdefault)
    }
    /// `GetDefaultOpClass`: the default class of the type, its base type, a binary-coercible type or a polymorphic type.
    pub fn default_opclass(&self, am: Oid, type_oid: Oid) -> Option<&OpclassRow> {
        let base = self.base_type(type_oid);
        if let Some(found) = self.default_opclass_exact(am, base) {
            return Some(found);
        }
        let all = || {
            self.scan::<OpclassRow>(OpclassRow::BY_AM_NAME_NSP, &Key::new().oid(am)).filter(|c| c.opcdefault)
        };
        let preferred = |c: &OpclassRow| self.type_by_oid(c.opcintype).is_some_and(|t| t.typispreferred);
        let compatible = |c: &&OpclassRow| self.is_binary_coercible(base, c.opcintype);
        let best = all().filter(compatible).find(|c| preferred(c));
        best.or_else(|| all().find(compatible))
    }
    /// The operator of a strategy for the given (left, right) input types of a family.
    pub fn amop(&self, family: Oid, left: Oid, right: Oid, strategy: i16) -> Option<&AmopRow> {
        let key = Key::new().oid(family).oid(left).oid(right).with(&strategy);
        self.table::<AmopRow>().find(AmopRow::BY_FAM_STRAT, &key)
    }
    /// The support function of a number for the given (left, right) input types of a family.
    pub fn amproc(&self, family: Oid, left: Oid, right: Oid, number: i16) -> Option<&AmprocRow> {
        let key = Key::new().oid(family).oid(left).oid(right).with(&number);
        self.table::<AmprocRow>().find(AmprocRow::BY_FAM_PROC, &key)
    }
    /// The strategy of an operator in a family, as a search operator.
    pub fn op_strategy(&self, operator: Oid, family: Oid) -> Option<&AmopRow> {
        self.amops_of_operator(operator).find(|a| a.amopfamily == family && a.amoppurpose == b's')
    }
    /// Direct parents in order.
    pub fn parents_of(&self, relation: Oid) -> impl Iterator<Item = &InheritsRow> + '_ {
        self.table::<InheritsRow>().scan_primary(&Key::new().oid(relation))
    }
    pub fn enum_label(&self, enum_type: Oid, label: &str) -> Option<&EnumRow> {
        self.table::<EnumRow>().find(EnumRow::BY_TYPID_LABEL, &Key::new().oid(enum_type).str(label))
    }
    /// The range type of a multirange type.
    pub fn range_of_multirange(&self, multirange: Oid) -> Option<&RangeRow> {
        self.table::<RangeRow>().find(RangeRow::BY_RNGMULTITYPID, &Key::new().oid(multirange))
    }
    /// What an object depends on.
    pub fn depends_of(&self, class: Oid, object: Oid) -> impl Iterator<Item = &DependRow> + '_ {
        self.scan::<DependRow>(DependRow::BY_DEPENDER, &Key::new().oid(class).oid(object))
    }
    /// What depends on an object (any of its columns too).
    pub fn dependents_on(&self, class: Oid, object: Oid) -> impl Iterator<Item = &DependRow> + '_ {
        self.scan::<DependRow>(DependRow::BY_REFERENCE, &Key::new().oid(class).oid(object))
    }
    pub fn description(&self, object: Oid, class: Oid, sub: i32) -> Option<&str> {
        let key = Key::new().oid(object).oid(class).with(&sub);
        self.get::<DescriptionRow>(key).map(|d| &*d.description)
    }
    pub fn statistic(&self, relation: Oid, attnum: i16, inherit: bool) -> Option<&StatisticRow> {
        self.get::<StatisticRow>(Key::new().oid(relation).with(&attnum).with(&inherit))
    }
    /// `ALTER ROLE/DATABASE ... SET` values: 0 stands for "any".
    pub fn db_role_setting(&self, database: Oid, role: Oid) -> Option<&DbRoleSettingRow> {
        self.get::<DbRoleSettingRow>(Key::new().oid(database).oid(role))
    }
    /// Constraints of that name in any schema.
    pub fn constraints_by_name(&self, name: &str) -> impl Iterator<Item = &ConstraintRow> + '_ {
        self.scan::<ConstraintRow>(ConstraintRow::BY_CONNAME_NSP, &Key::new().str(name))
    }
    pub fn constraint_by_name(&self, relation: Oid, name: &str) -> Option<&ConstraintRow> {
        let key = Key::new().oid(relation).oid(Oid::INVALID).str(name);
        self.table::<ConstraintRow>().find(ConstraintRow::BY_CONRELID_CONTYPID_CONNAME, &key)
    }
    pub fn trigger_by_name(&self, relation: Oid, name: &str) -> Option<&TriggerRow> {
        self.table::<TriggerRow>().find(TriggerRow::BY_TGRELID_TGNAME, &Key::new().oid(relation).str(name))
    }
    pub fn rule_by_name(&self, relation: Oid, name: &str) -> Option<&RewriteRow> {
        self.table::<RewriteRow>().find(RewriteRow::BY_REL_RULENAME, &Key::new().oid(relation).str(name))
    }
    pub fn namespace_name(&self, namespace: Oid) -> Option<&str> {
        self.namespace_by_oid(namespace).map(|n| &*n.nspname)
    }
    /// The type behind a domain (over all levels); any other type itself.
    pub fn base_type(&self, type_oid: Oid) -> Oid {
        self.base_type_and_typmod(type_oid, -1).0
    }
    /// Likewise, with the typmod that the innermost domain gives.
    pub fn base_type_and_typmod(&self, mut type_oid: Oid, mut typmod: i32) -> (Oid, i32) {
        while let Some(t) = self.type_by_oid(type_oid).filter(|t| t.typtype == b'd') {
            typmod = t.typtypmod;
            type_oid = t.typbasetype;
        }
        (type_oid, typmod)
    }
    /// The element type of a true array type.
    pub fn element_type(&self, array: Oid) -> Option<Oid> {
        let t = self.type_by_oid(array)?;
        (t.typsubscript.0 == ARRAY_SUBSCRIPT_HANDLER).then_some(t.typelem).filter(|e| e.is_valid())
    }
    /// The array type over a type.
    pub fn array_type(&self, element: Oid) -> Option<Oid> {
        self.type_by_oid(element)?.typarray.valid()
    }
    /// `IsBinaryCoercible`: the value of `source` is a value of `target` as it stands.
    pub fn is_binary_coercible(&self, source: Oid, target: Oid) -> bool {
        use pglite_types::oid;
        if source == target || matches!(target, oid::ANY | oid::ANYELEMENT | oid::ANYCOMPATIBLE) {
            return true;
        }
        let source = self.base_type(source);
        if source == target {
            return true;
        }
        let kind = self.type_by_oid(source).map_or(0, |t| t.typtype);
        let is_array = self.element_type(source).is_some();
        match target {
            oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY if is_array => return true,
            oid::ANYNONARRAY | oid::ANYCOMPATIBLENONARRAY if !is_array => return true,
            oid::ANYENUM if kind == b'e' => return true,
            oid::ANYRANGE | oid::ANYCOMPATIBLERANGE if kind == b'r' => return true,
            oid::ANYMULTIRANGE | oid::ANYCOMPATIBLEMULTIRANGE if kind == b'm' => return true,
            oid::RECORD if kind == b'c' => return true,
            oid::RECORD_ARRAY if self.element_type(source).is_some_and(|e| self.is_composite(e)) => {
                return true;
            }
            _ => {}
        }
        self.cast(source, target).is_some_and(|c| c.castmethod == b'b' && c.castcontext == b'i')
    }
    fn is_composite(&self, type_oid: Oid) -> bool {
        self.type_by_oid(type_oid).is_some_and(|t| t.typtype == b'c')
    }
}

/// `array_subscript_handler`: what makes a type with `typelem` a true array.
const ARRAY_SUBSCRIPT_HANDLER: u32 = 6179;
