//! The other objects that have a schema: collations, operator classes and families, conversions, text search objects,
//! extended statistics. One lookup, one error text and one visibility test each.

use pglite_error::{PgResult, bail};
use pglite_types::Oid;

use super::{SearchPath, full_name};
use crate::generated::rows::*;
use crate::snapshot::Snapshot;

/// A database whose encoding is UTF8 (the only one we serve): `pg_collation.collencoding` matches -1 or this.
const UTF8: i32 = 6;

macro_rules! in_path {
    ($($find:ident $get:ident $visible:ident $by_oid:ident: $row:ident $lookup:ident $ns:ident $name:ident $what:literal;)*) => {
        $(
            /// By unqualified name.
            pub fn $find<'a>(&self, s: &'a Snapshot, name: &str) -> Option<&'a $row> {
                self.for_functions().find_map(|ns| s.$lookup(ns, name))
            }
            /// By optional schema and name, or PostgreSQL's error.
            pub fn $get<'a>(&self, s: &'a Snapshot, schema: Option<&str>, name: &str) -> PgResult<&'a $row> {
                let found = match schema {
                    None => self.$find(s, name),
                    Some(schema) => s.$lookup(self.namespace(s, schema)?, name),
                };
                match found {
                    Some(row) => Ok(row),
                    None => bail!(UNDEFINED_OBJECT, concat!($what, " \"{}\" does not exist"), full_name(schema, name)),
                }
            }
            pub fn $visible(&self, s: &Snapshot, oid: Oid) -> bool {
                s.$by_oid(oid).is_some_and(|r| self.$find(s, &r.$name).is_some_and(|f| f.oid == oid))
            }
        )*
    };
}

impl SearchPath {
    in_path! {
        find_conversion conversion conversion_is_visible conversion_by_oid:
            ConversionRow conversion_by_name connamespace conname "conversion";
        find_statistics statistics statistics_is_visible statistic_ext_by_oid:
            StatisticExtRow statistic_ext_by_name stxnamespace stxname "statistics object";
        find_ts_config ts_config ts_config_is_visible ts_config_by_oid:
            TsConfigRow ts_config_by_name cfgnamespace cfgname "text search configuration";
        find_ts_dict ts_dict ts_dict_is_visible ts_dict_by_oid:
            TsDictRow ts_dict_by_name dictnamespace dictname "text search dictionary";
        find_ts_parser ts_parser ts_parser_is_visible ts_parser_by_oid:
            TsParserRow ts_parser_by_name prsnamespace prsname "text search parser";
        find_ts_template ts_template ts_template_is_visible ts_template_by_oid:
            TsTemplateRow ts_template_by_name tmplnamespace tmplname "text search template";
    }

    fn collation_in<'a>(&self, s: &'a Snapshot, ns: Oid, name: &str) -> Option<&'a CollationRow> {
        let usable = |e: i32| s.collations_by_name(ns, name).find(move |c| c.collencoding == e);
        usable(UTF8).or_else(|| usable(-1))
    }
    pub fn find_collation<'a>(&self, s: &'a Snapshot, name: &str) -> Option<&'a CollationRow> {
        self.for_functions().find_map(|ns| self.collation_in(s, ns, name))
    }
    pub fn collation<'a>(
        &self,
        s: &'a Snapshot,
        schema: Option<&str>,
        name: &str,
    ) -> PgResult<&'a CollationRow> {
        let found = match schema {
            None => self.find_collation(s, name),
            Some(schema) => self.collation_in(s, self.namespace(s, schema)?, name),
        };
        match found {
            Some(c) => Ok(c),
            None => bail!(
                UNDEFINED_OBJECT,
                "collation \"{}\" for encoding \"UTF8\" does not exist",
                full_name(schema, name)
            ),
        }
    }
    pub fn collation_is_visible(&self, s: &Snapshot, oid: Oid) -> bool {
        s.collation_by_oid(oid)
            .is_some_and(|c| self.find_collation(s, &c.collname).is_some_and(|f| f.oid == oid))
    }

    pub fn find_opclass<'a>(&self, s: &'a Snapshot, am: Oid, name: &str) -> Option<&'a OpclassRow> {
        self.for_functions().find_map(|ns| s.opclass_by_name(am, ns, name))
    }
    /// By access method, optional schema and name, or PostgreSQL's error.
    pub fn opclass<'a>(
        &self,
        s: &'a Snapshot,
        am: Oid,
        schema: Option<&str>,
        name: &str,
    ) -> PgResult<&'a OpclassRow> {
        let found = match schema {
            None => self.find_opclass(s, am, name),
            Some(schema) => s.opclass_by_name(am, self.namespace(s, schema)?, name),
        };
        match found {
            Some(c) => Ok(c),
            None => bail!(
                UNDEFINED_OBJECT,
                "operator class \"{}\" does not exist for access method \"{}\"",
                full_name(schema, name),
                s.am_by_oid(am).map_or("???", |a| &*a.amname)
            ),
        }
    }
    pub fn opclass_is_visible(&self, s: &Snapshot, oid: Oid) -> bool {
        s.opclass_by_oid(oid)
            .is_some_and(|c| self.find_opclass(s, c.opcmethod, &c.opcname).is_some_and(|f| f.oid == oid))
    }
    pub fn find_opfamily<'a>(&self, s: &'a Snapshot, am: Oid, name: &str) -> Option<&'a OpfamilyRow> {
        self.for_functions().find_map(|ns| s.opfamily_by_name(am, ns, name))
    }
    pub fn opfamily<'a>(
        &self,
        s: &'a Snapshot,
        am: Oid,
        schema: Option<&str>,
        name: &str,
    ) -> PgResult<&'a OpfamilyRow> {
        let found = match schema {
            None => self.find_opfamily(s, am, name),
            Some(schema) => s.opfamily_by_name(am, self.namespace(s, schema)?, name),
        };
        match found {
            Some(f) => Ok(f),
            None => bail!(
                UNDEFINED_OBJECT,
                "operator family \"{}\" does not exist for access method \"{}\"",
                full_name(schema, name),
                s.am_by_oid(am).map_or("???", |a| &*a.amname)
            ),
        }
    }
    pub fn opfamily_is_visible(&self, s: &Snapshot, oid: Oid) -> bool {
        s.opfamily_by_oid(oid)
            .is_some_and(|f| self.find_opfamily(s, f.opfmethod, &f.opfname).is_some_and(|g| g.oid == oid))
    }
}
