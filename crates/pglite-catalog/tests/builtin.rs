//! The built-in rows: counts as in PostgreSQL 18.6, and lookups over them.

use pglite_catalog::rows::*;
use pglite_catalog::search_path::FuncQuery;
use pglite_catalog::well_known::*;
use pglite_catalog::{CatalogRow, Key, SearchPath, Snapshot, format_type};
use pglite_types::{Oid, oid};

fn snap() -> Snapshot {
    Snapshot::builtin(DB_POSTGRES)
}

fn count<T: CatalogRow>() -> usize {
    T::builtin().len()
}

/// `SELECT count(*)` of each catalog on a fresh PostgreSQL 18.6.
#[test]
fn row_counts() {
    assert_eq!(count::<TypeRow>(), 621);
    assert_eq!(count::<ProcRow>(), 3413);
    assert_eq!(count::<OperatorRow>(), 799);
    assert_eq!(count::<CastRow>(), 235);
    assert_eq!(count::<OpfamilyRow>(), 146);
    assert_eq!(count::<OpclassRow>(), 177);
    assert_eq!(count::<AmopRow>(), 945);
    assert_eq!(count::<AmprocRow>(), 714);
    assert_eq!(count::<AmRow>(), 7);
    assert_eq!(count::<AggregateRow>(), 161);
    assert_eq!(count::<CollationRow>(), 8);
    assert_eq!(count::<LanguageRow>(), 4);
    assert_eq!(count::<NamespaceRow>(), 4);
    assert_eq!(count::<ClassRow>(), 415);
    assert_eq!(count::<AttributeRow>(), 3161);
    assert_eq!(count::<IndexRow>(), 163);
    assert_eq!(count::<ConstraintRow>(), 194);
    assert_eq!(count::<ConversionRow>(), 128);
    assert_eq!(count::<RangeRow>(), 6);
    assert_eq!(count::<TsConfigRow>(), 30);
    assert_eq!(count::<TsConfigMapRow>(), 570);
    assert_eq!(count::<AuthidRow>(), 17);
    assert_eq!(count::<AuthMembersRow>(), 3);
    assert_eq!(count::<DatabaseRow>(), 3);
    assert_eq!(count::<TablespaceRow>(), 2);
    assert_eq!(count::<RewriteRow>(), 147);
    assert_eq!(count::<DependRow>(), 1725);
    assert_eq!(count::<InitPrivsRow>(), 229);
}

#[test]
fn every_row_is_found_by_its_key() {
    fn check<T: CatalogRow>() {
        let s = snap();
        for row in s.iter::<T>() {
            assert_eq!(s.get::<T>(row.key()), Some(row), "{}", T::NAME);
            for i in 0..T::INDEXES.len() {
                assert!(s.scan::<T>(i, &row.index_key(i)).any(|r| r == row), "{} {i}", T::NAME);
            }
        }
    }
    check::<TypeRow>();
    check::<OperatorRow>();
    check::<ClassRow>();
    check::<AmopRow>();
    check::<ConstraintRow>();
}

#[test]
fn rows_survive_datums_and_bytes() {
    let s = snap();
    for (catalog, name) in pglite_catalog::snapshot::catalogs() {
        let width = s.attributes(catalog).filter(|a| a.attnum > 0).count();
        for row in s.rows(catalog).expect(name) {
            assert_eq!(row.len(), width, "{name}");
        }
    }
    for p in s.iter::<ProcRow>() {
        assert_eq!(&ProcRow::from_row(&p.to_row(&s), &s).unwrap(), p);
        let mut bytes = Vec::new();
        p.encode(&mut bytes).unwrap();
        assert_eq!(&ProcRow::decode(&mut pglite_catalog::field::Reader(&bytes)).unwrap(), p);
    }
    for c in s.iter::<ClassRow>() {
        assert_eq!(&ClassRow::from_row(&c.to_row(&s), &s).unwrap(), c);
    }
}

#[test]
fn lookups() {
    let s = snap();
    assert_eq!(s.type_by_name(PG_CATALOG, "int4").map(|t| t.oid), Some(oid::INT4));
    assert_eq!(s.class_by_name(PG_CATALOG, "pg_class").map(|c| c.oid), Some(Oid(1259)));
    assert_eq!(s.procs_by_name("int4pl").next().map(|p| p.oid), Some(Oid(177)));
    let plus = s.operators_exact("+", oid::INT4, oid::INT4).next().unwrap();
    assert_eq!((plus.oid, plus.oprcode), (Oid(551), Oid(177)));
    assert_eq!(s.cast(oid::INT4, oid::INT8).map(|c| c.castcontext), Some(b'i'));
    assert_eq!(s.default_opclass(AM_BTREE, oid::VARCHAR).map(|c| &*c.opcname), Some("text_ops"));
    assert_eq!(s.default_opclass(AM_BTREE, oid::INT4_ARRAY).map(|c| &*c.opcname), Some("array_ops"));
    let int_ops = s.default_opclass(AM_BTREE, oid::INT4).unwrap();
    assert_eq!(s.amop(int_ops.opcfamily, oid::INT4, oid::INT4, 1).map(|a| a.amopopr), Some(Oid(97)));
    assert_eq!(s.amproc(int_ops.opcfamily, oid::INT4, oid::INT4, 1).map(|a| a.amproc), Some(Oid(351)));
    assert_eq!(s.element_type(oid::INT4_ARRAY), Some(oid::INT4));
    assert_eq!(s.element_type(oid::INT2VECTOR), Some(oid::INT2));
    assert_eq!(s.attributes(Oid(1259)).filter(|a| a.attnum > 0).count(), 34);
    assert!(s.rel(Oid(1259)).unwrap().is_catalog);
    assert_eq!(s.rel(Oid(1259)).unwrap().indexes.len(), 3);
    assert_eq!(s.memberships_of(Oid(3373)).count(), 3);
    assert!(s.proc_by_oid(Oid(1)).is_none());
    let scanned = s.scan::<ClassRow>(ClassRow::BY_RELNAME_NSP, &Key::new().str("pg_type")).count();
    assert_eq!(scanned, 1);
}

#[test]
fn search_path() {
    let s = snap();
    let path = SearchPath::resolve(&s, "\"$user\", public", SUPERUSER, None);
    assert_eq!(path.schemas.as_slice(), &[PG_CATALOG, PUBLIC_SCHEMA]);
    assert_eq!(path.creation, Some(PUBLIC_SCHEMA));
    assert_eq!(path.find_relation(&s, "pg_class").map(|c| c.oid), Some(Oid(1259)));
    let e = path.relation(&s, None, "nope").unwrap_err();
    assert_eq!(e.message(), "relation \"nope\" does not exist");
    let e = path.type_opt(&s, Some("nope"), "t").unwrap_err();
    assert_eq!(e.message(), "schema \"nope\" does not exist");
    let q = FuncQuery { name: "abs", nargs: Some(1), ..FuncQuery::default() };
    assert_eq!(path.func_candidates(&s, &q).unwrap().len(), 6);
    let q = FuncQuery { name: "concat", nargs: Some(3), expand_variadic: true, ..FuncQuery::default() };
    let c = path.func_candidates(&s, &q).unwrap();
    assert_eq!((c.len(), c[0].nvargs, c[0].args.len()), (1, 3, 3));
    let q = FuncQuery {
        name: "make_interval",
        nargs: Some(1),
        arg_names: &["days"],
        expand_defaults: true,
        ..FuncQuery::default()
    };
    let c = path.func_candidates(&s, &q).unwrap();
    assert_eq!(c[0].arg_numbers.as_ref().unwrap()[0], 3);
}

#[test]
fn type_names() {
    let s = snap();
    let p = SearchPath::resolve(&s, "public", SUPERUSER, None);
    let f = |o, m| format_type::format_type(&s, &p, o, m);
    assert_eq!(f(oid::INT4, None), "integer");
    assert_eq!(f(oid::VARCHAR, Some(14)), "character varying(10)");
    assert_eq!(f(oid::TIMESTAMPTZ_ARRAY, Some(3)), "timestamp(3) with time zone[]");
    assert_eq!(f(oid::BIT, Some(-1)), "\"bit\"");
    assert_eq!(f(oid::BPCHAR, Some(-1)), "bpchar");
    assert_eq!(f(oid::CHAR, None), "\"char\"");
    assert_eq!(f(oid::OIDVECTOR, None), "oidvector");
    assert_eq!(f(Oid(99999), None), "???");
}

#[test]
fn privileges() {
    use pglite_catalog::acl::{self, AclKind};
    let s = snap();
    let item = acl::parse_item("=r*w/postgres", &s).unwrap();
    assert_eq!(acl::print_item(&item, &s), "=r*w/postgres");
    assert!(acl::is_superuser(&s, SUPERUSER));
    assert!(acl::has_privs_of_role(&s, Oid(3373), Oid(3374)));
    assert!(!acl::has_privs_of_role(&s, Oid(3374), Oid(3373)));
    assert_eq!(acl::default_acl(AclKind::Function, SUPERUSER).len(), 2);
    assert!(acl::function_execute(&s, Oid(3374), Oid(177)));
}

#[test]
fn every_system_view_has_a_query() {
    let s = snap();
    for class in s.iter::<ClassRow>().filter(|c| c.relkind == b'v') {
        assert!(s.rel(class.oid).unwrap().view.is_some(), "{}", class.relname);
    }
}

/// Every SQL text of the built-in rows is one statement (or one expression) of our grammar.
#[test]
fn sql_texts_parse() {
    let parse = |what: &str, sql: &str| {
        let parsed = pglite_parser::parse(sql, &pglite_parser::ParseOptions::default());
        assert!(parsed.is_ok(), "{what}: {:?}\n{sql}", parsed.err());
    };
    let s = snap();
    for (name, sql) in pglite_catalog::views::all() {
        parse(name, sql);
    }
    for p in s.iter::<ProcRow>() {
        if let Some(body) = &p.prosqlbody {
            parse(&p.proname, body);
        }
        if let Some(defaults) = &p.proargdefaults {
            parse(&p.proname, &format!("SELECT {defaults}"));
            assert_eq!(pglite_catalog::reldesc::split_list(defaults).len(), p.pronargdefaults as usize);
        }
    }
    for c in s.iter::<ConstraintRow>() {
        if let Some(check) = &c.conbin {
            parse(&c.conname, &format!("SELECT {check}"));
        }
    }
}
