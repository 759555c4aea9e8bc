//! The common face of all typed catalog rows, and the macros that the generated code calls.

use pglite_error::PgResult;
use pglite_types::{Oid, Row};

use crate::builtin::Builtin;
use crate::field::{Reader, RoleNames};
use crate::key::Key;
use crate::snapshot::Snapshot;
use crate::table::Table;

/// An index of a catalog: PostgreSQL's own, plus a few of ours.
#[derive(Debug)]
pub struct IndexSpec {
    pub name: &'static str,
    pub unique: bool,
    pub columns: &'static [&'static str],
}

/// A row of one system catalog.
pub trait CatalogRow: Clone + Default + std::fmt::Debug + PartialEq + Send + Sync + 'static {
    /// The catalog's OID (`pg_class` is 1259).
    const CATALOG: Oid;
    const NAME: &'static str;
    /// One for all databases.
    const SHARED: bool;
    const COLUMNS: &'static [&'static str];
    /// Secondary indexes; a lookup names one by its place (`ClassRow::BY_RELNAME_NSP`).
    const INDEXES: &'static [IndexSpec];
    fn key(&self) -> Key;
    fn index_key(&self, index: usize) -> Key;
    fn to_row(&self, names: &dyn RoleNames) -> Row;
    fn from_row(row: &[pglite_types::Datum], names: &dyn RoleNames) -> PgResult<Self>;
    fn encode(&self, out: &mut Vec<u8>) -> PgResult<()>;
    fn decode(r: &mut Reader<'_>) -> PgResult<Self>;
    fn builtin() -> &'static Builtin<Self>;
    fn table(snapshot: &Snapshot) -> &Table<Self>;
    fn table_mut(snapshot: &mut Snapshot) -> &mut Table<Self>;
}

/// Defines one catalog's row type. Called by the generated `rows.rs`.
macro_rules! catalog_row {
    (
        $name:ident $catalog:ident $oid:literal $scope:ident { $($col:ident: $ty:ty,)* }
        key($($k:ident)*)
        indexes { $( $ix:ident = $n:literal $ixname:literal $unique:literal ($($c:ident)*); )* }
        data $data:expr
    ) => {
        #[doc = concat!("A row of `", stringify!($catalog), "`.")]
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name { $(pub $col: $ty,)* }

        impl $name { $( #[doc = concat!("Index `", $ixname, "`.")] pub const $ix: usize = $n; )* }

        impl CatalogRow for $name {
            const CATALOG: Oid = Oid($oid);
            const NAME: &'static str = stringify!($catalog);
            const SHARED: bool = catalog_row!(@shared $scope);
            const COLUMNS: &'static [&'static str] = &[$(stringify!($col)),*];
            const INDEXES: &'static [IndexSpec] =
                &[$(IndexSpec { name: $ixname, unique: $unique, columns: &[$(stringify!($c)),*] }),*];
            fn key(&self) -> Key {
                Key::new()$(.with(&self.$k))*
            }
            fn index_key(&self, index: usize) -> Key {
                match index {
                    $($n => Key::new()$(.with(&self.$c))*,)*
                    _ => Key::new(),
                }
            }
            fn to_row(&self, names: &dyn RoleNames) -> Row {
                vec![$(Field::to_datum(&self.$col, names)),*]
            }
            fn from_row(row: &[Datum], names: &dyn RoleNames) -> PgResult<Self> {
                let mut it = row.iter();
                $(let $col = Field::from_datum(it.next().unwrap_or(&Datum::Null), names)?;)*
                Ok($name { $($col),* })
            }
            fn encode(&self, out: &mut Vec<u8>) -> PgResult<()> {
                $(Field::put(&self.$col, out)?;)*
                Ok(())
            }
            fn decode(r: &mut Reader<'_>) -> PgResult<Self> {
                Ok($name { $($col: Field::get(r)?),* })
            }
            fn builtin() -> &'static Builtin<Self> {
                static DATA: Builtin<$name> = Builtin::new($data);
                &DATA
            }
            fn table(s: &Snapshot) -> &Table<Self> {
                &s.$scope.$catalog
            }
            fn table_mut(s: &mut Snapshot) -> &mut Table<Self> {
                Arc::make_mut(&mut Arc::make_mut(&mut s.$scope).$catalog)
            }
        }
    };
    (@shared shared) => { true };
    (@shared local) => { false };
}

/// Defines a set of tables (`LocalTables`, `SharedTables`) and access by catalog OID.
macro_rules! catalog_tables {
    ($set:ident { $($field:ident: $row:ident,)* }) => {
        #[doc = "The stored rows of a set of catalogs over the built-in ones."]
        #[derive(Clone, Debug, Default)]
        pub struct $set { $(pub $field: Arc<Table<$row>>,)* }

        impl $set {
            /// OIDs of the catalogs in this set.
            pub const CATALOGS: &'static [(Oid, &'static str)] = &[$((<$row as CatalogRow>::CATALOG, <$row as CatalogRow>::NAME)),*];
            pub fn by_oid(&self, catalog: Oid) -> Option<&dyn AnyTable> {
                match catalog {
                    $(c if c == $row::CATALOG => Some(&*self.$field),)*
                    _ => None,
                }
            }
            pub fn by_oid_mut(&mut self, catalog: Oid) -> Option<&mut dyn AnyTable> {
                match catalog {
                    $(c if c == $row::CATALOG => { let t: &mut Table<$row> = Arc::make_mut(&mut self.$field); Some(t) },)*
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use {catalog_row, catalog_tables};
