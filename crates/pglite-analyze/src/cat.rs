//! The catalog as the analyzer asks it: one small method a question, borrowed answers.
//!
//! Everything that depends on how the catalog crate spells its tables stands here and in the files below `cat/`.

mod order;
mod relation;

use pglite_catalog::{
    AggregateRow, CastRow, CatalogRow, ClassRow, CollationRow, InheritsRow, Key, NamespaceRow, OperatorRow,
    ProcRow, RangeRow, SearchPath, Snapshot, Table, TypeRow,
};
use pglite_error::{PgError, PgResult};
use pglite_types::{Oid, oid};

pub(crate) use order::SortOps;
#[allow(unused_imports)]
pub(crate) use relation::Att;

/// `pg_proc.oid` of `array_subscript_handler`: marks true array types.
const ARRAY_SUBSCRIPT_HANDLER: Oid = Oid(6179);
const RAW_ARRAY_SUBSCRIPT_HANDLER: Oid = Oid(6180);
pub(crate) const DEFAULT_COLLATION: Oid = Oid(100);
pub(crate) const BTREE_AM: Oid = Oid(403);
pub(crate) const HASH_AM: Oid = Oid(405);

/// How a type stands towards subscripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubscriptKind {
    Array,
    Jsonb,
    None,
}

/// The snapshot and search path of one analysis. Copied freely.
#[derive(Clone, Copy)]
pub(crate) struct Cat<'e> {
    pub snap: &'e Snapshot,
    pub path: &'e SearchPath,
}

impl<'e> Cat<'e> {
    pub fn table<T: CatalogRow>(self) -> &'e Table<T> {
        T::table(self.snap)
    }

    pub fn ty_opt(self, ty: Oid) -> Option<&'e TypeRow> {
        self.table::<TypeRow>().get(&Key::from(ty))
    }

    pub fn ty(self, ty: Oid) -> PgResult<&'e TypeRow> {
        self.ty_opt(ty).ok_or_else(|| PgError::internal(format!("cache lookup failed for type {ty}")))
    }

    pub fn proc(self, func: Oid) -> PgResult<&'e ProcRow> {
        self.table::<ProcRow>()
            .get(&Key::from(func))
            .ok_or_else(|| PgError::internal(format!("cache lookup failed for function {func}")))
    }

    pub fn oper(self, op: Oid) -> PgResult<&'e OperatorRow> {
        self.table::<OperatorRow>()
            .get(&Key::from(op))
            .ok_or_else(|| PgError::internal(format!("cache lookup failed for operator {op}")))
    }

    pub fn aggregate(self, func: Oid) -> PgResult<&'e AggregateRow> {
        self.table::<AggregateRow>()
            .get(&Key::from(func))
            .ok_or_else(|| PgError::internal(format!("cache lookup failed for aggregate {func}")))
    }

    pub fn class(self, rel: Oid) -> Option<&'e ClassRow> {
        self.table::<ClassRow>().get(&Key::from(rel))
    }

    pub fn range(self, ty: Oid) -> Option<&'e RangeRow> {
        self.table::<RangeRow>().get(&Key::from(ty))
    }

    pub fn cast(self, source: Oid, target: Oid) -> Option<&'e CastRow> {
        self.table::<CastRow>().find(CastRow::BY_SOURCE_TARGET, &Key::from(source).oid(target))
    }

    pub fn namespace_oid(self, name: &str) -> Option<Oid> {
        self.table::<NamespaceRow>().find(NamespaceRow::BY_NSPNAME, &Key::new().str(name)).map(|n| n.oid)
    }

    pub fn namespace_name(self, nsp: Oid) -> Option<&'e str> {
        self.table::<NamespaceRow>().get(&Key::from(nsp)).map(|n| n.nspname.as_str())
    }

    pub fn collation_name(self, coll: Oid) -> &'e str {
        self.table::<CollationRow>().get(&Key::from(coll)).map_or("???", |c| c.collname.as_str())
    }

    /// The schema of an explicitly qualified name.
    pub fn explicit_namespace(self, name: &str) -> PgResult<Oid> {
        if name == "pg_temp"
            && let Some(temp) = self.temp_namespace()
        {
            return Ok(temp);
        }
        self.namespace_oid(name)
            .ok_or_else(|| pglite_error::err!(UNDEFINED_SCHEMA, "schema \"{name}\" does not exist"))
    }

    /// Domains resolved to their base type.
    pub fn base_type(self, ty: Oid) -> Oid {
        self.base_type_mod(ty, -1).0
    }

    /// Domains resolved to their base type; the domain's typmod replaces the given one.
    pub fn base_type_mod(self, mut ty: Oid, mut typmod: i32) -> (Oid, i32) {
        while let Some(row) = self.ty_opt(ty).filter(|r| r.typtype == b'd') {
            typmod = row.typtypmod;
            ty = row.typbasetype;
        }
        (ty, typmod)
    }

    pub fn typtype(self, ty: Oid) -> u8 {
        self.ty_opt(ty).map_or(0, |t| t.typtype)
    }

    /// The element type of a true array type, else INVALID.
    pub fn element_type(self, ty: Oid) -> Oid {
        match self.ty_opt(ty) {
            Some(t) if t.typsubscript == ARRAY_SUBSCRIPT_HANDLER => t.typelem,
            _ => Oid::INVALID,
        }
    }

    /// Like `element_type`, looking through domains.
    pub fn base_element_type(self, ty: Oid) -> Oid {
        self.element_type(self.base_type(ty))
    }

    pub fn array_type(self, elem: Oid) -> Oid {
        self.ty_opt(elem).map_or(Oid::INVALID, |t| t.typarray)
    }

    /// PostgreSQL's `get_promoted_array_type`: arrays stay as they are.
    pub fn promoted_array_type(self, ty: Oid) -> Oid {
        match self.array_type(ty) {
            t if t.is_valid() => t,
            _ if self.element_type(ty).is_valid() => ty,
            _ => Oid::INVALID,
        }
    }

    /// How to subscript a type, and its element type.
    pub fn subscript_kind(self, ty: Oid) -> (SubscriptKind, Oid) {
        match self.ty_opt(ty) {
            Some(t)
                if t.typsubscript == ARRAY_SUBSCRIPT_HANDLER
                    || t.typsubscript == RAW_ARRAY_SUBSCRIPT_HANDLER =>
            {
                (SubscriptKind::Array, t.typelem)
            }
            Some(t) if t.typsubscript.is_valid() && ty == oid::JSONB => (SubscriptKind::Jsonb, Oid::INVALID),
            _ => (SubscriptKind::None, Oid::INVALID),
        }
    }

    pub fn category(self, ty: Oid) -> (u8, bool) {
        self.ty_opt(ty).map_or((b'X', false), |t| (t.typcategory, t.typispreferred))
    }

    pub fn is_preferred(self, category: u8, ty: Oid) -> bool {
        let (c, p) = self.category(ty);
        p && c == category
    }

    pub fn type_collation(self, ty: Oid) -> Oid {
        match ty {
            oid::INT4 | oid::BOOL | oid::INT8 | oid::NUMERIC => Oid::INVALID,
            oid::TEXT => DEFAULT_COLLATION,
            _ => self.ty_opt(ty).map_or(Oid::INVALID, |t| t.typcollation),
        }
    }

    pub fn is_collatable(self, ty: Oid) -> bool {
        self.type_collation(ty).is_valid()
    }

    /// The relation of a composite type, INVALID for others.
    pub fn type_relid(self, ty: Oid) -> Oid {
        self.ty_opt(ty).map_or(Oid::INVALID, |t| t.typrelid)
    }

    /// The relation of a composite type or of a domain over one.
    pub fn type_or_domain_relid(self, ty: Oid) -> Oid {
        match self.ty_opt(ty) {
            Some(t) if t.typtype == b'c' => t.typrelid,
            Some(t) if t.typtype == b'd' => self.type_relid(self.base_type(ty)),
            _ => Oid::INVALID,
        }
    }

    /// A composite type or RECORD.
    pub fn is_rowtype(self, ty: Oid) -> bool {
        if ty == oid::RECORD {
            return true;
        }
        match self.typtype(ty) {
            b'c' => true,
            b'd' => self.typtype(self.base_type(ty)) == b'c',
            _ => false,
        }
    }

    pub fn multirange_range(self, multirange: Oid) -> Oid {
        self.table::<RangeRow>()
            .find(RangeRow::BY_RNGMULTITYPID, &Key::from(multirange))
            .map_or(Oid::INVALID, |r| r.rngtypid)
    }

    pub fn range_multirange(self, range: Oid) -> Oid {
        self.range(range).map_or(Oid::INVALID, |r| r.rngmultitypid)
    }

    pub fn range_subtype(self, range: Oid) -> Oid {
        self.range(range).map_or(Oid::INVALID, |r| r.rngsubtype)
    }

    /// PostgreSQL's `IsBinaryCoercible`.
    pub fn is_binary_coercible(self, source: Oid, target: Oid) -> bool {
        if source == target || target == oid::ANY || target == oid::ANYELEMENT || target == oid::ANYCOMPATIBLE
        {
            return true;
        }
        let base = self.base_type(source);
        if base == target {
            return true;
        }
        match target {
            oid::ANYARRAY | oid::ANYCOMPATIBLEARRAY if self.element_type(base).is_valid() => return true,
            oid::ANYNONARRAY | oid::ANYCOMPATIBLENONARRAY if !self.element_type(base).is_valid() => {
                return true;
            }
            oid::ANYENUM if self.typtype(base) == b'e' => return true,
            oid::ANYRANGE | oid::ANYCOMPATIBLERANGE if self.typtype(base) == b'r' => return true,
            oid::ANYMULTIRANGE | oid::ANYCOMPATIBLEMULTIRANGE if self.typtype(base) == b'm' => return true,
            oid::RECORD if self.typtype(base) == b'c' => return true,
            oid::RECORD_ARRAY if self.typtype(self.element_type(base)) == b'c' => return true,
            _ => {}
        }
        self.cast(base, target).is_some_and(|c| c.castmethod == b'b' && c.castcontext == b'i')
    }

    /// PostgreSQL's `typeInheritsFrom`: both composite, and the relation a descendant.
    pub fn type_inherits_from(self, sub: Oid, parent: Oid) -> bool {
        let sub_rel = self.type_or_domain_relid(sub);
        let parent_rel = self.type_relid(parent);
        if !sub_rel.is_valid() || !parent_rel.is_valid() {
            return false;
        }
        let inherits = self.table::<InheritsRow>();
        let (mut todo, mut at) = (vec![sub_rel], 0);
        while at < todo.len() {
            for row in inherits.scan_primary(&Key::from(todo[at])) {
                if row.inhparent == parent_rel {
                    return true;
                }
                if !todo.contains(&row.inhparent) {
                    todo.push(row.inhparent);
                }
            }
            at += 1;
        }
        false
    }

    /// `format_type` without typmod, for messages.
    pub fn format_type(self, ty: Oid) -> String {
        pglite_catalog::format_type::format_type_be(self.snap, self.path, ty)
    }

    /// `format_type(oid, typmod)`.
    pub fn format_type_mod(self, ty: Oid, typmod: i32) -> String {
        pglite_catalog::format_type::format_type(self.snap, self.path, ty, Some(typmod))
    }

    /// The type that an unqualified name means.
    pub fn lookup_type_in_path(self, name: &str) -> Option<Oid> {
        let table = self.table::<TypeRow>();
        let key = Key::new().str(name);
        self.path_namespaces()
            .iter()
            .find_map(|nsp| table.find(TypeRow::BY_TYPNAME_NSP, &key.clone().oid(*nsp)).map(|t| t.oid))
    }

    pub fn lookup_type_in(self, nsp: Oid, name: &str) -> Option<Oid> {
        self.table::<TypeRow>().find(TypeRow::BY_TYPNAME_NSP, &Key::new().str(name).oid(nsp)).map(|t| t.oid)
    }

    /// `name(type, type)` as errors about functions print a call.
    pub fn signature(self, name: &str, arg_names: &[Option<&str>], types: &[Oid]) -> String {
        let named = arg_names.len();
        let positional = types.len() - named;
        let parts: Vec<String> = types
            .iter()
            .enumerate()
            .map(|(i, t)| match i.checked_sub(positional).and_then(|n| arg_names[n]) {
                Some(n) => format!("{n} => {}", self.format_type(*t)),
                None => self.format_type(*t),
            })
            .collect();
        format!("{name}({})", parts.join(", "))
    }

    /// `left op right` as errors about operators print it.
    pub fn op_signature(self, name: &[String], left: Oid, right: Oid) -> String {
        let mut out = String::new();
        if left.is_valid() {
            out = format!("{} ", self.format_type(left));
        }
        out.push_str(&name_list(name));
        if right.is_valid() {
            out = format!("{out} {}", self.format_type(right));
        }
        out
    }
}

/// A dotted name as written.
pub(crate) fn name_list(names: &[String]) -> String {
    names.join(".")
}
