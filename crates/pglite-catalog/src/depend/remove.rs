//! `deleteOneObject`: takes away all catalog rows of one object.

use pglite_error::{PgError, PgResult};
use pglite_types::Oid;

use super::ObjectAddress;
use crate::generated::rows::*;
use crate::key::Key;
use crate::row::CatalogRow;
use crate::snapshot::Snapshot;
use crate::txn::CatalogTxn;
use crate::value::Str;

/// What the caller must do outside the catalogs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// A relation with storage went: its OID, filenode and tablespace.
    pub storage: Option<(Oid, Oid, Oid)>,
    /// A large object went.
    pub large_object: Option<Oid>,
}

/// Removes the object's rows, its dependencies, comments and labels. Dependents must be gone already
/// ([`find_deletion`](super::find_deletion) gives the order).
pub fn remove_object(t: &mut CatalogTxn, a: &ObjectAddress) -> PgResult<Removed> {
    let mut removed = Removed::default();
    match a.class {
        ClassRow::CATALOG if a.sub != 0 => remove_column(t, a.object, a.sub as i16),
        ClassRow::CATALOG => remove_relation(t, a.object, &mut removed),
        ProcRow::CATALOG => {
            t.delete::<ProcRow>(a.object);
            t.delete::<AggregateRow>(a.object);
        }
        TypeRow::CATALOG => {
            t.delete::<TypeRow>(a.object);
            t.delete::<RangeRow>(a.object);
            delete_by::<EnumRow>(t, EnumRow::BY_TYPID_LABEL, a.object);
        }
        ConstraintRow::CATALOG => remove_constraint(t, a.object),
        AttrdefRow::CATALOG => remove_default(t, a.object),
        RewriteRow::CATALOG => remove_rule(t, a.object),
        TriggerRow::CATALOG => {
            t.delete::<TriggerRow>(a.object);
        }
        super::LARGE_OBJECT => {
            t.delete::<LargeobjectMetadataRow>(a.object);
            removed.large_object = Some(a.object);
        }
        TsConfigRow::CATALOG => {
            t.delete::<TsConfigRow>(a.object);
            let map = |s: &Snapshot| {
                s.table::<TsConfigMapRow>().scan_primary(&Key::new().oid(a.object)).map(|r| r.key()).collect()
            };
            t.delete_where::<TsConfigMapRow>(map);
        }
        StatisticExtRow::CATALOG => {
            t.delete::<StatisticExtRow>(a.object);
            for inherited in [false, true] {
                t.delete::<StatisticExtDataRow>(Key::new().oid(a.object).with(&inherited));
            }
        }
        class => remove_plain(t, class, a.object)?,
    }
    forget(t, a);
    Ok(removed)
}

/// Objects that are one row under their OID.
fn remove_plain(t: &mut CatalogTxn, class: Oid, object: Oid) -> PgResult<()> {
    macro_rules! one_row {
        ($($row:ident)*) => {
            match class {
                $($row::CATALOG => { t.delete::<$row>(object); })*
                _ => return Err(PgError::internal(format!("unrecognized object class: {class}"))),
            }
        };
    }
    one_row! {
        CastRow CollationRow ConversionRow LanguageRow OperatorRow OpclassRow OpfamilyRow AmopRow AmprocRow AmRow
        NamespaceRow TsParserRow TsDictRow TsTemplateRow ForeignDataWrapperRow ForeignServerRow UserMappingRow
        DefaultAclRow ExtensionRow EventTriggerRow PolicyRow PublicationRow PublicationRelRow PublicationNamespaceRow
        TransformRow AuthMembersRow AuthidRow DatabaseRow TablespaceRow SubscriptionRow ParameterAclRow
    };
    Ok(())
}

fn delete_by<T: CatalogRow>(t: &mut CatalogTxn, index: usize, of: Oid) {
    t.delete_where::<T>(|s| s.scan::<T>(index, &Key::new().oid(of)).map(|r| r.key()).collect());
}

fn delete_prefix<T: CatalogRow>(t: &mut CatalogTxn, of: Oid) {
    t.delete_where::<T>(|s| s.table::<T>().scan_primary(&Key::new().oid(of)).map(|r| r.key()).collect());
}

fn remove_relation(t: &mut CatalogTxn, oid: Oid, removed: &mut Removed) {
    let Some(class) = t.snapshot().class_by_oid(oid).cloned() else { return };
    if matches!(class.relkind, b'r' | b'i' | b'S' | b't' | b'm') {
        removed.storage = Some((oid, class.relfilenode, class.reltablespace));
    }
    match class.relkind {
        b'i' | b'I' => {
            t.delete::<IndexRow>(oid);
        }
        b'S' => {
            t.delete::<SequenceRow>(oid);
        }
        b'p' => {
            t.delete::<PartitionedTableRow>(oid);
        }
        b'f' => {
            t.delete::<ForeignTableRow>(oid);
        }
        _ => {}
    }
    // A default partition is remembered by its parent.
    let parents: Vec<Oid> = t.snapshot().parents_of(oid).map(|i| i.inhparent).collect();
    for parent in parents {
        if t.snapshot().partitioned_table(parent).is_some_and(|p| p.partdefid == oid) {
            t.modify::<PartitionedTableRow>(parent, |p| p.partdefid = Oid::INVALID);
        }
    }
    delete_prefix::<InheritsRow>(t, oid);
    delete_prefix::<StatisticRow>(t, oid);
    delete_prefix::<AttributeRow>(t, oid);
    t.delete::<ClassRow>(oid);
}

/// `RemoveAttributeById`: a column that went keeps its place.
fn remove_column(t: &mut CatalogTxn, relation: Oid, attnum: i16) {
    if attnum <= 0 {
        return;
    }
    t.modify::<AttributeRow>(Key::new().oid(relation).with(&attnum), |a| {
        a.atttypid = Oid::INVALID;
        a.attnotnull = false;
        a.attgenerated = 0;
        a.attisdropped = true;
        a.attname = Str::from(format!("........pg.dropped.{attnum}........"));
        a.atthasmissing = false;
        a.attmissingval = None;
        a.attstattarget = None;
        a.attacl = None;
        a.attoptions = None;
        a.attfdwoptions = None;
    });
    for inherited in [false, true] {
        t.delete::<StatisticRow>(Key::new().oid(relation).with(&attnum).with(&inherited));
    }
}

fn remove_constraint(t: &mut CatalogTxn, oid: Oid) {
    let Some(con) = t.snapshot().constraint_by_oid(oid).cloned() else { return };
    t.delete::<ConstraintRow>(oid);
    if !con.conrelid.is_valid() {
        return;
    }
    if con.contype == b'c' {
        t.modify::<ClassRow>(con.conrelid, |c| c.relchecks = (c.relchecks - 1).max(0));
    }
    if con.contype == b'n' {
        for attnum in con.conkey.iter().flat_map(|k| k.iter()) {
            // A column of the primary key stays NOT NULL.
            let in_primary = t
                .snapshot()
                .constraints_of(con.conrelid)
                .any(|c| c.contype == b'p' && c.conkey.as_ref().is_some_and(|k| k.contains(attnum)));
            if !in_primary {
                t.modify::<AttributeRow>(Key::new().oid(con.conrelid).with(attnum), |a| a.attnotnull = false);
            }
        }
    }
}

fn remove_default(t: &mut CatalogTxn, oid: Oid) {
    let Some(def) = t.snapshot().attrdef_by_oid(oid).cloned() else { return };
    t.delete::<AttrdefRow>(oid);
    t.modify::<AttributeRow>(Key::new().oid(def.adrelid).with(&def.adnum), |a| a.atthasdef = false);
}

fn remove_rule(t: &mut CatalogTxn, oid: Oid) {
    let Some(rule) = t.snapshot().rewrite_by_oid(oid).cloned() else { return };
    t.delete::<RewriteRow>(oid);
    let any = t.snapshot().rules_of(rule.ev_class).next().is_some();
    if !any {
        t.modify::<ClassRow>(rule.ev_class, |c| c.relhasrules = false);
    }
}

/// Dependencies, comments, labels and initial privileges of an object (with sub 0: of its parts too).
fn forget(t: &mut CatalogTxn, a: &ObjectAddress) {
    t.forget_dependencies(*a, false);
    t.forget_shared_dependencies(*a);
    let with_sub = |key: Key| if a.sub == 0 { key } else { key.with(&a.sub) };
    t.delete_where::<DescriptionRow>(|s| {
        let key = with_sub(Key::new().oid(a.object).oid(a.class));
        s.table::<DescriptionRow>().scan_primary(&key).map(|r| r.key()).collect()
    });
    t.delete_where::<SeclabelRow>(|s| {
        let key = with_sub(Key::new().oid(a.object).oid(a.class));
        s.table::<SeclabelRow>().scan_primary(&key).map(|r| r.key()).collect()
    });
    t.delete_where::<InitPrivsRow>(|s| {
        let key = with_sub(Key::new().oid(a.object).oid(a.class));
        s.table::<InitPrivsRow>().scan_primary(&key).map(|r| r.key()).collect()
    });
    if crate::snapshot::is_shared_catalog(a.class) {
        t.delete::<ShdescriptionRow>(Key::new().oid(a.object).oid(a.class));
    }
}
