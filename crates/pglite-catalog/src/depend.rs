//! Dependencies between objects: recording them, and what must go when an object goes.
//!
//! `deletion` finds the objects and their order, `remove` takes their rows away, `shared` keeps roles and tablespaces.

mod deletion;
mod remove;
mod shared;

use pglite_types::Oid;

use crate::generated::rows::*;
use crate::key::Key;
use crate::row::CatalogRow;
use crate::snapshot::Snapshot;
use crate::txn::CatalogTxn;
use crate::well_known::PUBLIC_SCHEMA;

pub use deletion::{Deletion, find_deletion};
pub use remove::{Removed, remove_object};
pub use shared::{SharedDependency, role_dependents};

/// An object: its catalog, its OID, and a column number for a part of a relation (0 for the whole).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ObjectAddress {
    pub class: Oid,
    pub object: Oid,
    pub sub: i32,
}

impl ObjectAddress {
    pub const fn new(class: Oid, object: Oid) -> ObjectAddress {
        ObjectAddress { class, object, sub: 0 }
    }
    /// An object of the catalog whose rows are `T`.
    pub fn of<T: CatalogRow>(object: Oid) -> ObjectAddress {
        ObjectAddress::new(T::CATALOG, object)
    }
    pub fn relation(oid: Oid) -> ObjectAddress {
        ObjectAddress::of::<ClassRow>(oid)
    }
    pub fn column(relation: Oid, attnum: i16) -> ObjectAddress {
        ObjectAddress { sub: attnum as i32, ..ObjectAddress::relation(relation) }
    }
    pub fn proc(oid: Oid) -> ObjectAddress {
        ObjectAddress::of::<ProcRow>(oid)
    }
    pub fn type_(oid: Oid) -> ObjectAddress {
        ObjectAddress::of::<TypeRow>(oid)
    }
    pub fn schema(oid: Oid) -> ObjectAddress {
        ObjectAddress::of::<NamespaceRow>(oid)
    }
    pub fn constraint(oid: Oid) -> ObjectAddress {
        ObjectAddress::of::<ConstraintRow>(oid)
    }
    /// `IsPinnedObject`: part of the system; nobody drops it, and no dependency on it is recorded.
    pub fn is_pinned(&self) -> bool {
        self.object.0 < FIRST_UNPINNED
            && !(self.class == NamespaceRow::CATALOG && self.object == PUBLIC_SCHEMA)
            && self.class != DatabaseRow::CATALOG
            && self.class != LARGE_OBJECT
    }
}

const FIRST_UNPINNED: u32 = 12000;
/// pg_largeobject stands for large objects in addresses.
pub(crate) const LARGE_OBJECT: Oid = Oid(2613);

/// `pg_depend.deptype`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DependencyType {
    Normal = b'n',
    Auto = b'a',
    Internal = b'i',
    PartitionPrimary = b'P',
    PartitionSecondary = b'S',
    Extension = b'e',
    AutoExtension = b'x',
}

impl DependRow {
    pub fn depender(&self) -> ObjectAddress {
        ObjectAddress { class: self.classid, object: self.objid, sub: self.objsubid }
    }
    pub fn referenced(&self) -> ObjectAddress {
        ObjectAddress { class: self.refclassid, object: self.refobjid, sub: self.refobjsubid }
    }
}

fn key_of(class: Oid, object: Oid, sub: i32) -> Key {
    let key = Key::new().oid(class).oid(object);
    if sub == 0 { key } else { key.with(&sub) }
}

impl Snapshot {
    /// What an object (or, with sub 0, any part of it) depends on.
    pub fn references_of(&self, a: &ObjectAddress) -> impl Iterator<Item = &DependRow> + '_ {
        self.scan::<DependRow>(DependRow::BY_DEPENDER, &key_of(a.class, a.object, a.sub))
    }
    /// What depends on an object (or, with sub 0, on any part of it).
    pub fn dependents_of(&self, a: &ObjectAddress) -> impl Iterator<Item = &DependRow> + '_ {
        self.scan::<DependRow>(DependRow::BY_REFERENCE, &key_of(a.class, a.object, a.sub))
    }
    /// `sequenceIsOwned`: the table column that owns a sequence, with the dependency's type.
    pub fn sequence_owner(&self, sequence: Oid) -> Option<(Oid, i16, u8)> {
        self.references_of(&ObjectAddress::relation(sequence))
            .find(|d| d.refclassid == ClassRow::CATALOG && matches!(d.deptype, b'a' | b'i'))
            .map(|d| (d.refobjid, d.refobjsubid as i16, d.deptype))
    }
    /// `getOwnedSequences`: the sequences that a table's column (or any column, for 0) owns.
    pub fn owned_sequences(&self, relation: Oid, attnum: i16) -> Vec<Oid> {
        self.dependents_of(&ObjectAddress::column(relation, attnum))
            .filter(|d| d.classid == ClassRow::CATALOG && d.objsubid == 0 && d.refobjsubid != 0)
            .filter(|d| matches!(d.deptype, b'a' | b'i'))
            .filter(|d| self.class_by_oid(d.objid).is_some_and(|c| c.relkind == b'S'))
            .map(|d| d.objid)
            .collect()
    }
    /// `get_index_constraint`: the constraint that an index implements.
    pub fn index_constraint(&self, index: Oid) -> Option<Oid> {
        self.references_of(&ObjectAddress::relation(index))
            .find(|d| d.refclassid == ConstraintRow::CATALOG && d.refobjsubid == 0 && d.deptype == b'i')
            .map(|d| d.refobjid)
    }
    /// The extension that an object belongs to.
    pub fn extension_of(&self, a: &ObjectAddress) -> Option<Oid> {
        self.references_of(a)
            .find(|d| d.refclassid == ExtensionRow::CATALOG && d.deptype == b'e')
            .map(|d| d.refobjid)
    }
}

impl CatalogTxn {
    /// `recordDependencyOn`. A dependency on a part of the system is not recorded.
    pub fn record_dependency(
        &mut self,
        depender: ObjectAddress,
        referenced: ObjectAddress,
        kind: DependencyType,
    ) {
        if referenced.is_pinned() || !referenced.object.is_valid() {
            return;
        }
        self.insert(DependRow {
            classid: depender.class,
            objid: depender.object,
            objsubid: depender.sub,
            refclassid: referenced.class,
            refobjid: referenced.object,
            refobjsubid: referenced.sub,
            deptype: kind as u8,
        });
    }
    /// Likewise for many, each once.
    pub fn record_dependencies(
        &mut self,
        depender: ObjectAddress,
        referenced: impl IntoIterator<Item = ObjectAddress>,
        kind: DependencyType,
    ) {
        let mut list: Vec<ObjectAddress> = referenced.into_iter().collect();
        list.sort();
        list.dedup();
        for r in list {
            self.record_dependency(depender, r, kind);
        }
    }
    /// `deleteDependencyRecordsFor`: forgets what `depender` depends on; membership in an extension may stay.
    pub fn forget_dependencies(&mut self, depender: ObjectAddress, keep_extension: bool) -> usize {
        self.delete_where::<DependRow>(|s| {
            s.references_of(&depender)
                .filter(|d| !keep_extension || d.deptype != b'e')
                .map(|d| d.key())
                .collect()
        })
    }
    /// `deleteDependencyRecordsForClass`: only those on objects of one catalog and of one type.
    pub fn forget_dependencies_on_class(
        &mut self,
        depender: ObjectAddress,
        class: Oid,
        kind: DependencyType,
    ) -> usize {
        self.delete_where::<DependRow>(|s| {
            s.references_of(&depender)
                .filter(|d| d.refclassid == class && d.deptype == kind as u8)
                .map(|d| d.key())
                .collect()
        })
    }
    /// `changeDependencyFor`: moves the dependencies on one object to another (`ALTER ... SET SCHEMA`).
    pub fn change_dependency(&mut self, depender: ObjectAddress, class: Oid, old: Oid, new: Oid) -> usize {
        let rows: Vec<DependRow> = self
            .snapshot()
            .references_of(&depender)
            .filter(|d| d.refclassid == class && d.refobjid == old)
            .cloned()
            .collect();
        let n = rows.len();
        let old_address = ObjectAddress::new(class, old);
        for row in rows {
            self.delete::<DependRow>(row.key());
            let mut row = row;
            row.refobjid = new;
            if !row.referenced().is_pinned() {
                self.insert(row);
            }
        }
        // PG: a dependency on a pinned object has no row, so moving away from it adds one.
        if n == 0 && old_address.is_pinned() {
            self.record_dependency(depender, ObjectAddress::new(class, new), DependencyType::Normal);
        }
        n
    }
}
