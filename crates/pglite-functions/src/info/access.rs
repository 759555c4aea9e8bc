//! Privileges: the has_*_privilege families, pg_has_role, and functions over `aclitem`.

use pglite_catalog::acl::{self, AclKind};
use pglite_catalog::reldesc::split_list;
use pglite_catalog::{AclItem, Snapshot};
use pglite_error::{PgResult, bail};
use pglite_ir::abi::{RowSource, UserKind};
use pglite_ir::{Body, FnCtx};
use pglite_types::array::ArrayValue;
use pglite_types::{Datum, Oid, TypeEnv, oid};

use super::{array_of, catalog, made};
use crate::builtins;

/// Which family a call belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Table,
    Sequence,
    AnyColumn,
    Database,
    Function,
    Language,
    Schema,
    Tablespace,
    Wrapper,
    Server,
    Type,
    Parameter,
}

/// A role by name or OID; `public` is 0.
fn role(cx: &FnCtx<'_>, arg: &Datum, public: bool) -> PgResult<Oid> {
    match arg {
        Datum::Text(name) if public && name == "public" => Ok(Oid::INVALID),
        Datum::Text(name) => match catalog(cx).role_by_name(name) {
            Some(r) => Ok(r.oid),
            None => bail!(UNDEFINED_OBJECT, "role \"{name}\" does not exist"),
        },
        other => Ok(other.as_oid().unwrap_or_default()),
    }
}

/// The bits a list of privilege words names, one entry a word.
fn wanted(text: &str, kinds: &[AclKind]) -> PgResult<Vec<u64>> {
    let mut out = Vec::new();
    for part in text.split(',') {
        let part = part.trim();
        let upper = part.to_ascii_uppercase();
        let (word, grant) = match upper.strip_suffix(" WITH GRANT OPTION") {
            Some(w) => (w.trim_end(), true),
            None => (upper.as_str(), false),
        };
        let bit = acl::privilege_bit(word).filter(|b| kinds.iter().any(|k| k.all() & b != 0));
        match bit {
            Some(b) => out.push(if grant { b << 32 } else { b }),
            None => bail!(INVALID_PARAMETER_VALUE, "unrecognized privilege type: \"{part}\""),
        }
    }
    Ok(out)
}

fn object(cx: &FnCtx<'_>, family: Family, arg: &Datum) -> PgResult<Oid> {
    let Some(name) = arg.as_str() else { return Ok(arg.as_oid().unwrap_or_default()) };
    let s = catalog(cx);
    let found = match family {
        Family::Table | Family::Sequence | Family::AnyColumn => {
            let found = TypeEnv::reg_in(cx.host, oid::REGCLASS, name)?;
            if family == Family::Sequence && s.class_by_oid(found).is_some_and(|c| c.relkind != b'S') {
                bail!(WRONG_OBJECT_TYPE, "\"{name}\" is not a sequence");
            }
            return Ok(found);
        }
        Family::Function => return TypeEnv::reg_in(cx.host, oid::REGPROCEDURE, name),
        Family::Type => return TypeEnv::reg_in(cx.host, oid::REGTYPE, name),
        Family::Database => (s.database_by_name(name).map(|r| r.oid), "database"),
        Family::Language => (s.language_by_name(name).map(|r| r.oid), "language"),
        Family::Schema if name == "pg_temp" => (s.namespace_by_name(name).map(|r| r.oid), "schema"),
        Family::Schema => match s.namespace_by_name(name) {
            Some(n) => return Ok(n.oid),
            None => bail!(INVALID_SCHEMA_NAME, "schema \"{name}\" does not exist"),
        },
        Family::Tablespace => (s.tablespace_by_name(name).map(|r| r.oid), "tablespace"),
        Family::Wrapper => (s.foreign_data_wrapper_by_name(name).map(|r| r.oid), "foreign-data wrapper"),
        Family::Server => (s.foreign_server_by_name(name).map(|r| r.oid), "server"),
        Family::Parameter => return Ok(Oid::INVALID),
    };
    match found {
        (Some(o), _) => Ok(o),
        (None, "database") => bail!(UNDEFINED_DATABASE, "database \"{name}\" does not exist"),
        (None, what) => bail!(UNDEFINED_OBJECT, "{what} \"{name}\" does not exist"),
    }
}

/// The held part of `bits`; None when the object does not exist.
fn held(s: &Snapshot, family: Family, user: Oid, o: Oid, bits: u64) -> Option<u64> {
    Some(match family {
        Family::Table | Family::Sequence | Family::AnyColumn => {
            s.class_by_oid(o)?;
            acl::relation_mask(s, user, o, bits)
        }
        Family::Database => {
            s.database_by_oid(o)?;
            acl::database_mask(s, user, o, bits)
        }
        Family::Function => {
            let p = s.proc_by_oid(o)?;
            acl::object_mask(s, AclKind::Function, p.proacl.as_ref(), user, p.proowner, bits)
        }
        Family::Language => {
            let l = s.language_by_oid(o)?;
            acl::object_mask(s, AclKind::Language, l.lanacl.as_ref(), user, l.lanowner, bits)
        }
        Family::Schema => {
            s.namespace_by_oid(o)?;
            acl::schema_mask(s, user, o, bits)
        }
        Family::Tablespace => {
            let t = s.tablespace_by_oid(o)?;
            acl::object_mask(s, AclKind::Tablespace, t.spcacl.as_ref(), user, t.spcowner, bits)
        }
        Family::Wrapper => {
            let w = s.foreign_data_wrapper_by_oid(o)?;
            acl::object_mask(s, AclKind::ForeignDataWrapper, w.fdwacl.as_ref(), user, w.fdwowner, bits)
        }
        Family::Server => {
            let w = s.foreign_server_by_oid(o)?;
            acl::object_mask(s, AclKind::ForeignServer, w.srvacl.as_ref(), user, w.srvowner, bits)
        }
        Family::Type => {
            let base = s.element_type(o).unwrap_or(o);
            let t = s.type_by_oid(base)?;
            acl::object_mask(s, AclKind::Type, t.typacl.as_ref(), user, t.typowner, bits)
        }
        Family::Parameter => {
            if acl::is_superuser(s, user) {
                bits
            } else {
                0
            }
        }
    })
}

fn kinds(family: Family) -> &'static [AclKind] {
    match family {
        Family::Table => &[AclKind::Table],
        Family::Sequence => &[AclKind::Sequence],
        Family::AnyColumn => &[AclKind::Column],
        Family::Database => &[AclKind::Database],
        Family::Function => &[AclKind::Function],
        Family::Language => &[AclKind::Language],
        Family::Schema => &[AclKind::Schema],
        Family::Tablespace => &[AclKind::Tablespace],
        Family::Wrapper => &[AclKind::ForeignDataWrapper],
        Family::Server => &[AclKind::ForeignServer],
        Family::Type => &[AclKind::Type],
        Family::Parameter => &[AclKind::Parameter],
    }
}

/// `[user,] object, privileges`.
fn has(cx: &FnCtx<'_>, family: Family, args: &[Datum]) -> PgResult<Datum> {
    let (user, rest) = match args {
        [user, rest @ ..] if args.len() == 3 => (role(cx, user, true)?, rest),
        rest => (cx.host.user(UserKind::Current), rest),
    };
    let (arg, text) = (&rest[0], rest[1].as_str().unwrap_or(""));
    let o = object(cx, family, arg)?;
    let s = catalog(cx);
    let mut any = false;
    for bit in wanted(text, kinds(family))? {
        let Some(mut got) = held(s, family, user, o, bit) else { return Ok(Datum::Null) };
        if got == 0 && family == Family::AnyColumn {
            let mut columns = s.attributes(o).filter(|a| a.attnum > 0 && !a.attisdropped);
            got = u64::from(columns.any(|a| acl::column_mask(s, user, o, a.attnum, bit) != 0));
        }
        any |= got != 0;
    }
    Ok(Datum::Bool(any))
}

/// `[user,] table, column, privileges`.
fn has_column(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let (user, rest) = match args {
        [user, rest @ ..] if args.len() == 4 => (role(cx, user, true)?, rest),
        rest => (cx.host.user(UserKind::Current), rest),
    };
    let s = catalog(cx);
    let rel = object(cx, Family::Table, &rest[0])?;
    let Some(class) = s.class_by_oid(rel) else { return Ok(Datum::Null) };
    let attr = match &rest[1] {
        Datum::Text(name) => match s.attribute_by_name(rel, name).filter(|a| !a.attisdropped) {
            Some(a) => Some(a),
            None => {
                bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", class.relname)
            }
        },
        Datum::Int2(n) => s.attribute(rel, *n).filter(|a| !a.attisdropped),
        _ => None,
    };
    let bits = wanted(rest[2].as_str().unwrap_or(""), &[AclKind::Column])?;
    let Some(attr) = attr else { return Ok(Datum::Null) };
    let any = bits.iter().any(|&b| {
        acl::relation_mask(s, user, rel, b) != 0 || acl::column_mask(s, user, rel, attr.attnum, b) != 0
    });
    Ok(Datum::Bool(any))
}

/// `[user,] role, privileges`.
fn has_role(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let (user, rest) = match args {
        [user, rest @ ..] if args.len() == 3 => (role(cx, user, false)?, rest),
        rest => (cx.host.user(UserKind::Current), rest),
    };
    let of = role(cx, &rest[0], false)?;
    let s = catalog(cx);
    let mut any = false;
    for part in rest[1].as_str().unwrap_or("").split(',') {
        let part = part.trim();
        any |= match part.to_ascii_uppercase().as_str() {
            "USAGE" => acl::has_privs_of_role(s, user, of),
            "MEMBER" => acl::is_member_of_role(s, user, of),
            "SET" => acl::can_set_role(s, user, of),
            "USAGE WITH GRANT OPTION"
            | "USAGE WITH ADMIN OPTION"
            | "MEMBER WITH GRANT OPTION"
            | "MEMBER WITH ADMIN OPTION"
            | "SET WITH GRANT OPTION"
            | "SET WITH ADMIN OPTION" => acl::is_admin_of_role(s, user, of),
            _ => bail!(INVALID_PARAMETER_VALUE, "unrecognized privilege type: \"{part}\""),
        };
    }
    Ok(Datum::Bool(any))
}

macro_rules! families {
    ($($family:ident: $($name:literal)*;)*) => {
        pub static PRIVILEGES: &[(&str, Body)] = &[
            $($(($name, Body::Scalar(|cx, args| has(cx, Family::$family, args))),)*)*
            ("has_column_privilege_name_name_name", Body::Scalar(has_column)),
            ("has_column_privilege_name_name_attnum", Body::Scalar(has_column)),
            ("has_column_privilege_name_id_name", Body::Scalar(has_column)),
            ("has_column_privilege_name_id_attnum", Body::Scalar(has_column)),
            ("has_column_privilege_id_name_name", Body::Scalar(has_column)),
            ("has_column_privilege_id_name_attnum", Body::Scalar(has_column)),
            ("has_column_privilege_id_id_name", Body::Scalar(has_column)),
            ("has_column_privilege_id_id_attnum", Body::Scalar(has_column)),
            ("has_column_privilege_name_name", Body::Scalar(has_column)),
            ("has_column_privilege_name_attnum", Body::Scalar(has_column)),
            ("has_column_privilege_id_name", Body::Scalar(has_column)),
            ("has_column_privilege_id_attnum", Body::Scalar(has_column)),
            ("pg_has_role_name_name", Body::Scalar(has_role)),
            ("pg_has_role_name_id", Body::Scalar(has_role)),
            ("pg_has_role_id_name", Body::Scalar(has_role)),
            ("pg_has_role_id_id", Body::Scalar(has_role)),
            ("pg_has_role_name", Body::Scalar(has_role)),
            ("pg_has_role_id", Body::Scalar(has_role)),
            ("aclexplode", Body::Set(explode)),
        ];
    };
}

families! {
    Table: "has_table_privilege_name_name" "has_table_privilege_name_id" "has_table_privilege_id_name"
        "has_table_privilege_id_id" "has_table_privilege_name" "has_table_privilege_id";
    Sequence: "has_sequence_privilege_name_name" "has_sequence_privilege_name_id" "has_sequence_privilege_id_name"
        "has_sequence_privilege_id_id" "has_sequence_privilege_name" "has_sequence_privilege_id";
    AnyColumn: "has_any_column_privilege_name_name" "has_any_column_privilege_name_id"
        "has_any_column_privilege_id_name" "has_any_column_privilege_id_id" "has_any_column_privilege_name"
        "has_any_column_privilege_id";
    Database: "has_database_privilege_name_name" "has_database_privilege_name_id" "has_database_privilege_id_name"
        "has_database_privilege_id_id" "has_database_privilege_name" "has_database_privilege_id";
    Function: "has_function_privilege_name_name" "has_function_privilege_name_id" "has_function_privilege_id_name"
        "has_function_privilege_id_id" "has_function_privilege_name" "has_function_privilege_id";
    Language: "has_language_privilege_name_name" "has_language_privilege_name_id" "has_language_privilege_id_name"
        "has_language_privilege_id_id" "has_language_privilege_name" "has_language_privilege_id";
    Schema: "has_schema_privilege_name_name" "has_schema_privilege_name_id" "has_schema_privilege_id_name"
        "has_schema_privilege_id_id" "has_schema_privilege_name" "has_schema_privilege_id";
    Tablespace: "has_tablespace_privilege_name_name" "has_tablespace_privilege_name_id"
        "has_tablespace_privilege_id_name" "has_tablespace_privilege_id_id" "has_tablespace_privilege_name"
        "has_tablespace_privilege_id";
    Wrapper: "has_foreign_data_wrapper_privilege_name_name" "has_foreign_data_wrapper_privilege_name_id"
        "has_foreign_data_wrapper_privilege_id_name" "has_foreign_data_wrapper_privilege_id_id"
        "has_foreign_data_wrapper_privilege_name" "has_foreign_data_wrapper_privilege_id";
    Server: "has_server_privilege_name_name" "has_server_privilege_name_id" "has_server_privilege_id_name"
        "has_server_privilege_id_id" "has_server_privilege_name" "has_server_privilege_id";
    Type: "has_type_privilege_name_name" "has_type_privilege_name_id" "has_type_privilege_id_name"
        "has_type_privilege_id_id" "has_type_privilege_name" "has_type_privilege_id";
    Parameter: "has_parameter_privilege_name_name" "has_parameter_privilege_id_name" "has_parameter_privilege_name";
}

const WORDS: [&str; 15] = [
    "INSERT",
    "SELECT",
    "UPDATE",
    "DELETE",
    "TRUNCATE",
    "REFERENCES",
    "TRIGGER",
    "EXECUTE",
    "USAGE",
    "CREATE",
    "TEMPORARY",
    "CONNECT",
    "SET",
    "ALTER SYSTEM",
    "MAINTAIN",
];

fn items(cx: &FnCtx<'_>, a: &ArrayValue) -> PgResult<Vec<AclItem>> {
    let s: &Snapshot = catalog(cx);
    a.values.iter().filter_map(Datum::as_str).map(|t| acl::parse_item(t, s)).collect()
}
fn to_array(cx: &FnCtx<'_>, items: &[AclItem]) -> Datum {
    let s: &Snapshot = catalog(cx);
    array_of(oid::ACLITEM, items.iter().map(|i| Datum::text(acl::print_item(i, s))).collect())
}

fn explode(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Box<dyn RowSource>> {
    let mut rows = Vec::new();
    if let Some(Datum::Array(a)) = args.first() {
        for i in items(cx, a)? {
            for (bit, word) in WORDS.iter().enumerate().filter(|(bit, _)| i.privs & 1 << bit != 0) {
                rows.push(vec![
                    Datum::Oid(i.grantor),
                    Datum::Oid(i.grantee),
                    Datum::text(*word),
                    Datum::Bool(i.privs & 1 << (bit + 32) != 0),
                ]);
            }
        }
    }
    made(rows)
}

fn acldefault(cx: &FnCtx<'_>, kind: u8, owner: Oid) -> PgResult<Datum> {
    match AclKind::from_letter(kind) {
        Some(k) => Ok(to_array(cx, &acl::default_acl(k, owner))),
        None => bail!(INTERNAL_ERROR, "unrecognized object type abbreviation: {}", kind as char),
    }
}

fn makeaclitem(cx: &FnCtx<'_>, grantee: Oid, grantor: Oid, privs: &str, grantable: bool) -> PgResult<String> {
    let mut bits = 0;
    for part in split_list(privs) {
        let part = part.trim();
        match acl::privilege_bit(part) {
            Some(b) => bits |= b,
            None => bail!(INVALID_PARAMETER_VALUE, "unrecognized privilege type: \"{part}\""),
        }
    }
    let privs = if grantable { bits | bits << 32 } else { bits };
    let s: &Snapshot = catalog(cx);
    Ok(acl::print_item(&AclItem { grantee, grantor, privs }, s))
}

fn contains(cx: &FnCtx<'_>, acl_: &ArrayValue, item: &str) -> PgResult<bool> {
    let s: &Snapshot = catalog(cx);
    let item = acl::parse_item(item, s)?;
    let all = items(cx, acl_)?;
    Ok(all.iter().any(|i| {
        i.grantee == item.grantee && i.grantor == item.grantor && item.privs & i.privs == item.privs
    }))
}
fn same(cx: &FnCtx<'_>, a: &str, b: &str) -> PgResult<bool> {
    let s: &Snapshot = catalog(cx);
    Ok(acl::parse_item(a, s)? == acl::parse_item(b, s)?)
}

builtins! { pub TABLE:
    "acldefault_sql" => cx acldefault[u8, Oid];
    "makeaclitem" => cx makeaclitem[Oid, Oid, &str, bool];
    "aclcontains" => cx contains[&ArrayValue, &str];
    "aclitem_eq" => cx same[&str, &str];
}
