//! Names in and out: reg* types, identifiers, ACL changes.

use pglite_catalog::acl::{self, grant};
use pglite_catalog::names::{quote_ident, quote_literal, split_identifiers};
use pglite_catalog::reg::{reg_in, reg_out};
use pglite_catalog::well_known::*;
use pglite_catalog::{AclItem, SearchPath, Snapshot};
use pglite_types::{Oid, TypeKind, oid};

fn setup() -> (Snapshot, SearchPath) {
    let s = Snapshot::builtin(DB_POSTGRES);
    let path = SearchPath::resolve(&s, "\"$user\", public", SUPERUSER, None);
    (s, path)
}

#[test]
fn reg_types_in_and_out() {
    let (s, p) = setup();
    for (kind, text, oid) in [
        (oid::REGCLASS, "pg_class", 1259),
        (oid::REGCLASS, "information_schema.columns", 0),
        (oid::REGTYPE, "integer", 23),
        (oid::REGTYPE, "character varying", 1043),
        (oid::REGTYPE, "timestamp with time zone[]", 1185),
        (oid::REGTYPE, "\"char\"", 18),
        (oid::REGPROC, "int4pl", 177),
        (oid::REGPROCEDURE, "abs(integer)", 1397),
        (oid::REGPROCEDURE, "now()", 1299),
        (oid::REGOPERATOR, "+(integer,integer)", 551),
        (oid::REGOPERATOR, "-(NONE,integer)", 558),
        (oid::REGROLE, "postgres", 10),
        (oid::REGNAMESPACE, "pg_catalog", 11),
        (oid::REGCOLLATION, "\"C\"", 950),
        (oid::REGCONFIG, "simple", 3748),
        (oid::REGDICTIONARY, "simple", 3765),
    ] {
        let found = reg_in(&s, &p, kind, text).unwrap();
        if oid != 0 {
            assert_eq!(found, Oid(oid), "{text}");
        }
        assert_eq!(reg_out(&s, &p, kind, found), text);
    }
    assert_eq!(reg_in(&s, &p, oid::REGTYPE, "int").unwrap(), oid::INT4);
    assert_eq!(reg_in(&s, &p, oid::REGTYPE, "timestamp(3) with time zone").unwrap(), oid::TIMESTAMPTZ);
    assert_eq!(reg_in(&s, &p, oid::REGCLASS, "4711").unwrap(), Oid(4711));
    assert_eq!(reg_out(&s, &p, oid::REGCLASS, Oid(4711)), "4711");
    assert_eq!(reg_out(&s, &p, oid::REGPROC, Oid(1397)), "pg_catalog.abs");
    let e = reg_in(&s, &p, oid::REGPROC, "abs").unwrap_err();
    assert_eq!(e.message(), "more than one function named \"abs\"");
    let e = reg_in(&s, &p, oid::REGTYPE, "nope").unwrap_err();
    assert_eq!(e.message(), "type \"nope\" does not exist");
}

#[test]
fn identifiers() {
    assert_eq!(quote_ident("abc"), "abc");
    assert_eq!(quote_ident("Abc"), "\"Abc\"");
    assert_eq!(quote_ident("select"), "\"select\"");
    assert_eq!(quote_ident("int"), "\"int\"");
    assert_eq!(quote_ident("a\"b"), "\"a\"\"b\"");
    assert_eq!(quote_literal("a'b\\"), "E'a''b\\\\'");
    assert_eq!(split_identifiers("A . \"b.C\"", '.').unwrap(), ["a", "b.C"]);
    assert!(split_identifiers("a.", '.').is_none());
}

#[test]
fn type_descriptors() {
    let (s, _) = setup();
    let t = s.type_desc(oid::INT4_ARRAY).unwrap();
    assert_eq!((t.elem, &*t.name, t.kind), (oid::INT4, "integer[]", TypeKind::Base));
    assert_eq!(s.type_desc(oid::INT4RANGE).unwrap().subtype, oid::INT4);
    assert_eq!(s.type_desc(Oid(83)).unwrap().attrs.len(), 34);
}

#[test]
fn grants_and_revokes() {
    let (s, _) = setup();
    let (owner, a, b) = (SUPERUSER, Oid(3373), Oid(3374));
    let item = |grantee, grantor, privs| AclItem { grantee, grantor, privs };
    let with = |p| p | grant::grant_options(p);
    let acl = acl::default_acl(acl::AclKind::Table, owner);
    let acl =
        grant::update(&s, &acl, item(a, owner, with(acl::SELECT)), grant::Mode::Add, owner, false).unwrap();
    let acl = grant::update(&s, &acl, item(b, a, acl::SELECT), grant::Mode::Add, owner, false).unwrap();
    assert_eq!(acl.len(), 3);
    let take = item(a, owner, grant::grant_options(acl::SELECT));
    let e = grant::update(&s, &acl, take, grant::Mode::Remove, owner, false).unwrap_err();
    assert_eq!(e.message(), "dependent privileges exist");
    let acl = grant::update(&s, &acl, take, grant::Mode::Remove, owner, true).unwrap();
    assert_eq!(
        acl.iter().map(|i| acl::print_item(i, &s)).collect::<Vec<_>>(),
        ["postgres=arwdDxtm/postgres", "pg_monitor=r/postgres"]
    );
}
