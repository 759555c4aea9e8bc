//! Privileges: ACL items and their text, defaults, what a role may do.

pub mod grant;

use pglite_error::{PgResult, bail};
use pglite_types::Oid;

use crate::field::RoleNames;
use crate::generated::rows::*;
use crate::key::Key;
use crate::snapshot::Snapshot;
use crate::value::{AclItem, List};
use crate::well_known::{self, ROLE_DATABASE_OWNER};

/// Bits of `AclItem::privs`; the same shifted by 32 is the grant option.
pub const INSERT: u64 = 1 << 0;
pub const SELECT: u64 = 1 << 1;
pub const UPDATE: u64 = 1 << 2;
pub const DELETE: u64 = 1 << 3;
pub const TRUNCATE: u64 = 1 << 4;
pub const REFERENCES: u64 = 1 << 5;
pub const TRIGGER: u64 = 1 << 6;
pub const EXECUTE: u64 = 1 << 7;
pub const USAGE: u64 = 1 << 8;
pub const CREATE: u64 = 1 << 9;
pub const CREATE_TEMP: u64 = 1 << 10;
pub const CONNECT: u64 = 1 << 11;
pub const SET: u64 = 1 << 12;
pub const ALTER_SYSTEM: u64 = 1 << 13;
pub const MAINTAIN: u64 = 1 << 14;

/// The letters, in bit order.
pub const LETTERS: &str = "arwdDxtXUCTcsAm";

/// (keyword, bit), as GRANT and `has_*_privilege` spell them.
pub const KEYWORDS: &[(&str, u64)] = &[
    ("INSERT", INSERT),
    ("SELECT", SELECT),
    ("UPDATE", UPDATE),
    ("DELETE", DELETE),
    ("TRUNCATE", TRUNCATE),
    ("REFERENCES", REFERENCES),
    ("TRIGGER", TRIGGER),
    ("EXECUTE", EXECUTE),
    ("USAGE", USAGE),
    ("CREATE", CREATE),
    ("TEMPORARY", CREATE_TEMP),
    ("TEMP", CREATE_TEMP),
    ("CONNECT", CONNECT),
    ("SET", SET),
    ("ALTER SYSTEM", ALTER_SYSTEM),
    ("MAINTAIN", MAINTAIN),
];

/// The kinds of objects that have privileges; the letter is that of `acldefault`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclKind {
    Column,
    Table,
    Sequence,
    Database,
    Function,
    Language,
    LargeObject,
    Schema,
    Tablespace,
    ForeignDataWrapper,
    ForeignServer,
    Type,
    Parameter,
}

impl AclKind {
    pub fn from_letter(letter: u8) -> Option<AclKind> {
        Some(match letter {
            b'c' => AclKind::Column,
            b'r' => AclKind::Table,
            b's' => AclKind::Sequence,
            b'd' => AclKind::Database,
            b'f' => AclKind::Function,
            b'l' => AclKind::Language,
            b'L' => AclKind::LargeObject,
            b'n' => AclKind::Schema,
            b't' => AclKind::Tablespace,
            b'F' => AclKind::ForeignDataWrapper,
            b'S' => AclKind::ForeignServer,
            b'T' => AclKind::Type,
            b'p' => AclKind::Parameter,
            _ => return None,
        })
    }
    /// Every privilege that exists for this kind.
    pub fn all(self) -> u64 {
        match self {
            AclKind::Column => INSERT | SELECT | UPDATE | REFERENCES,
            AclKind::Table => INSERT | SELECT | UPDATE | DELETE | TRUNCATE | REFERENCES | TRIGGER | MAINTAIN,
            AclKind::Sequence => USAGE | SELECT | UPDATE,
            AclKind::Database => CREATE | CREATE_TEMP | CONNECT,
            AclKind::Function => EXECUTE,
            AclKind::Language | AclKind::ForeignDataWrapper | AclKind::ForeignServer | AclKind::Type => USAGE,
            AclKind::LargeObject => SELECT | UPDATE,
            AclKind::Schema => USAGE | CREATE,
            AclKind::Tablespace => CREATE,
            AclKind::Parameter => SET | ALTER_SYSTEM,
        }
    }
    fn public_default(self) -> u64 {
        match self {
            AclKind::Database => CREATE_TEMP | CONNECT,
            AclKind::Function => EXECUTE,
            AclKind::Language | AclKind::Type => USAGE,
            _ => 0,
        }
    }
}

/// `acldefault`: the privileges of an object whose ACL is null.
pub fn default_acl(kind: AclKind, owner: Oid) -> Vec<AclItem> {
    let mut acl = Vec::new();
    let public = kind.public_default();
    if public != 0 {
        acl.push(AclItem { grantee: Oid::INVALID, grantor: owner, privs: public });
    }
    let own = if kind == AclKind::Column { 0 } else { kind.all() };
    if own != 0 {
        acl.push(AclItem { grantee: owner, grantor: owner, privs: own });
    }
    acl
}

/// The bit of a privilege keyword in any case.
pub fn privilege_bit(word: &str) -> Option<u64> {
    KEYWORDS.iter().find(|k| k.0.eq_ignore_ascii_case(word)).map(|k| k.1)
}

fn push_role(out: &mut String, name: &str) {
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80) {
        out.push_str(name);
    } else {
        out.push('"');
        out.push_str(&name.replace('"', "\"\""));
        out.push('"');
    }
}

/// `aclitemout`.
pub fn print_item(item: &AclItem, names: &dyn RoleNames) -> String {
    let mut out = String::new();
    let role = |out: &mut String, oid: Oid| match names.role_name(oid) {
        Some(name) => push_role(out, name),
        None => out.push_str(&oid.to_string()),
    };
    if item.grantee.is_valid() {
        role(&mut out, item.grantee);
    }
    out.push('=');
    for (i, letter) in LETTERS.chars().enumerate() {
        if item.privs & (1 << i) != 0 {
            out.push(letter);
        }
        if item.privs & (1 << (i + 32)) != 0 {
            out.push('*');
        }
    }
    out.push('/');
    role(&mut out, item.grantor);
    out
}

/// A role name at the start of `text`, and what follows.
fn read_role(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        return Some((text[..end].to_string(), text[end..].trim_start()));
    };
    let mut name = String::new();
    loop {
        let end = rest.find('"')?;
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, rest.trim_start())),
        }
    }
}

/// `aclitemin`.
pub fn parse_item(text: &str, names: &dyn RoleNames) -> PgResult<AclItem> {
    let role = |name: &str| match names.role_oid(name) {
        Some(oid) => Ok(oid),
        None => bail!(UNDEFINED_OBJECT, "role \"{name}\" does not exist"),
    };
    let Some((mut name, mut rest)) = read_role(text) else {
        bail!(INVALID_TEXT_REPRESENTATION, "unterminated quoted identifier");
    };
    if !rest.starts_with('=') {
        // An optional key word "group" or "user" stands before the name.
        if !matches!(name.as_str(), "group" | "user") {
            return Err(pglite_error::err!(INVALID_TEXT_REPRESENTATION, "unrecognized key word: \"{name}\"")
                .hint("ACL key word must be \"group\" or \"user\"."));
        }
        match read_role(rest) {
            Some((n, r)) if !n.is_empty() => (name, rest) = (n, r),
            _ => {
                return Err(pglite_error::err!(INVALID_TEXT_REPRESENTATION, "missing name")
                    .hint("A name must follow the \"group\" or \"user\" key word."));
            }
        }
    }
    let Some(privs) = rest.strip_prefix('=') else {
        bail!(INVALID_TEXT_REPRESENTATION, "missing \"=\" sign");
    };
    let mut bits = 0u64;
    let mut last = 0u64;
    let mut tail = privs;
    for (at, c) in privs.char_indices() {
        tail = &privs[at..];
        if !(c.is_ascii_alphabetic() || c == '*') {
            break;
        }
        tail = "";
        if c == '*' {
            bits |= last << 32;
        } else if let Some(i) = LETTERS.find(c) {
            last = 1 << i;
            bits |= last;
        } else {
            bail!(INVALID_TEXT_REPRESENTATION, "invalid mode character: must be one of \"{LETTERS}\"");
        }
    }
    let grantee = if name.is_empty() { Oid::INVALID } else { role(&name)? };
    let grantor = match tail.strip_prefix('/') {
        Some(g) => match read_role(g) {
            Some((g, after)) if !g.is_empty() => {
                if !after.is_empty() {
                    bail!(INVALID_TEXT_REPRESENTATION, "extra garbage at the end of the ACL specification");
                }
                role(&g)?
            }
            _ => bail!(INVALID_TEXT_REPRESENTATION, "a name must follow the \"/\" sign"),
        },
        None => well_known::SUPERUSER,
    };
    Ok(AclItem { grantee, grantor, privs: bits })
}

/// Superusers pass every check.
pub fn is_superuser(s: &Snapshot, role: Oid) -> bool {
    s.role_by_oid(role).is_some_and(|r| r.rolsuper)
}

/// Which memberships count when walking from role to role.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Walk {
    /// Privileges flow: the membership has INHERIT.
    Inherit,
    /// SET ROLE is possible: the membership has SET.
    Set,
    Member,
    /// The membership has ADMIN.
    Admin,
}

fn reaches(s: &Snapshot, from: Oid, to: Oid, walk: Walk) -> bool {
    let mut seen = vec![from];
    let mut i = 0;
    while i < seen.len() {
        let role = seen[i];
        i += 1;
        if role == to && walk != Walk::Admin {
            return true;
        }
        for m in s.memberships_of(role) {
            let counts = match walk {
                Walk::Inherit => m.inherit_option,
                Walk::Set => m.set_option,
                Walk::Member | Walk::Admin => true,
            };
            if walk == Walk::Admin && m.roleid == to && m.admin_option {
                return true;
            }
            if counts && !seen.contains(&m.roleid) {
                seen.push(m.roleid);
            }
        }
        // PG: the owner of the current database is a member of pg_database_owner.
        let owner = s.database_by_oid(s.database()).map(|d| d.datdba);
        if owner == Some(role) && !seen.contains(&ROLE_DATABASE_OWNER) {
            seen.push(ROLE_DATABASE_OWNER);
        }
    }
    false
}

/// `has_privs_of_role`: `role` has the privileges of `of` (superusers always).
pub fn has_privs_of_role(s: &Snapshot, role: Oid, of: Oid) -> bool {
    role == of || is_superuser(s, role) || reaches(s, role, of, Walk::Inherit)
}
/// `is_member_of_role`.
pub fn is_member_of_role(s: &Snapshot, role: Oid, of: Oid) -> bool {
    role == of || is_superuser(s, role) || reaches(s, role, of, Walk::Member)
}
/// `is_member_of_role_nosuper`: membership proper.
pub fn is_member_of_role_nosuper(s: &Snapshot, role: Oid, of: Oid) -> bool {
    role == of || reaches(s, role, of, Walk::Member)
}
/// `member_can_set_role`.
pub fn can_set_role(s: &Snapshot, role: Oid, to: Oid) -> bool {
    role == to || is_superuser(s, role) || reaches(s, role, to, Walk::Set)
}
/// `is_admin_of_role`.
pub fn is_admin_of_role(s: &Snapshot, role: Oid, of: Oid) -> bool {
    is_superuser(s, role) || (role != of && reaches(s, role, of, Walk::Admin))
}

/// `aclmask`: which of `wanted` (privileges, and grant options in the high half) the role holds.
pub fn acl_mask(s: &Snapshot, acl: &[AclItem], role: Oid, owner: Oid, wanted: u64) -> u64 {
    let mut held = 0;
    // The owner holds all grant options, whatever the ACL says.
    if wanted >> 32 != 0 && has_privs_of_role(s, role, owner) {
        held |= wanted & 0xffff_ffff_0000_0000;
    }
    for item in acl {
        if item.grantee.is_valid() && item.grantee != role {
            continue;
        }
        held |= item.privs & wanted;
    }
    for item in acl {
        if held & wanted == wanted {
            break;
        }
        if item.grantee.is_valid()
            && item.grantee != role
            && item.privs & wanted & !held != 0
            && has_privs_of_role(s, role, item.grantee)
        {
            held |= item.privs & wanted;
        }
    }
    held & wanted
}

/// Privileges on an object: its ACL or the default, superusers hold all.
pub fn object_mask(
    s: &Snapshot,
    kind: AclKind,
    acl: Option<&List<AclItem>>,
    role: Oid,
    owner: Oid,
    wanted: u64,
) -> u64 {
    if is_superuser(s, role) {
        return wanted;
    }
    match acl {
        Some(acl) => acl_mask(s, acl, role, owner, wanted),
        None => acl_mask(s, &default_acl(kind, owner), role, owner, wanted),
    }
}

/// USAGE on a schema.
pub fn schema_usage(s: &Snapshot, role: Oid, schema: Oid) -> bool {
    schema_mask(s, role, schema, USAGE) != 0
}

/// Privileges on a schema; the roles pg_read_all_data and pg_write_all_data may use every schema.
pub fn schema_mask(s: &Snapshot, role: Oid, schema: Oid, wanted: u64) -> u64 {
    let Some(ns) = s.namespace_by_oid(schema) else { return 0 };
    let mut held = object_mask(s, AclKind::Schema, ns.nspacl.as_ref(), role, ns.nspowner, wanted);
    if wanted & USAGE & !held != 0
        && (has_privs_of_role(s, role, well_known::ROLE_READ_ALL_DATA)
            || has_privs_of_role(s, role, well_known::ROLE_WRITE_ALL_DATA))
    {
        held |= USAGE;
    }
    held
}

/// `pg_class_aclmask`: privileges on a relation as a whole.
pub fn relation_mask(s: &Snapshot, role: Oid, relation: Oid, wanted: u64) -> u64 {
    let Some(class) = s.class_by_oid(relation) else { return 0 };
    if is_superuser(s, role) {
        return wanted;
    }
    let mut wanted_here = wanted;
    // PG: system catalogs cannot be written by ordinary roles, whatever their ACL says. Views may be.
    let is_system =
        class.relnamespace == well_known::PG_CATALOG || class.relnamespace == well_known::PG_TOAST;
    if is_system && class.oid.0 < 16384 && class.relkind != b'v' {
        wanted_here &= !(INSERT | UPDATE | DELETE | TRUNCATE | USAGE);
    }
    let kind = if class.relkind == b'S' { AclKind::Sequence } else { AclKind::Table };
    let mut held = object_mask(s, kind, class.relacl.as_ref(), role, class.relowner, wanted_here);
    let more =
        |bits: u64, of: Oid, held: u64| wanted_here & bits & !held != 0 && has_privs_of_role(s, role, of);
    if more(SELECT, well_known::ROLE_READ_ALL_DATA, held) {
        held |= SELECT;
    }
    if more(INSERT | UPDATE | DELETE, well_known::ROLE_WRITE_ALL_DATA, held) {
        held |= wanted_here & (INSERT | UPDATE | DELETE);
    }
    if more(MAINTAIN, well_known::ROLE_MAINTAIN, held) {
        held |= MAINTAIN;
    }
    held
}

/// `pg_attribute_aclmask`: privileges on one column by the column's own ACL.
pub fn column_mask(s: &Snapshot, role: Oid, relation: Oid, attnum: i16, wanted: u64) -> u64 {
    let (Some(class), Some(attr)) = (s.class_by_oid(relation), s.attribute(relation, attnum)) else {
        return 0;
    };
    if attr.attisdropped {
        return 0;
    }
    match &attr.attacl {
        Some(acl) if !is_superuser(s, role) => acl_mask(s, acl, role, class.relowner, wanted),
        Some(_) => wanted,
        None => 0,
    }
}

/// `pg_proc_aclcheck`.
pub fn function_execute(s: &Snapshot, role: Oid, function: Oid) -> bool {
    s.proc_by_oid(function)
        .is_some_and(|p| object_mask(s, AclKind::Function, p.proacl.as_ref(), role, p.proowner, EXECUTE) != 0)
}
/// USAGE on a type (an array type: on its element type).
pub fn type_usage(s: &Snapshot, role: Oid, type_oid: Oid) -> bool {
    let base = s.element_type(type_oid).unwrap_or(type_oid);
    s.type_by_oid(base)
        .is_some_and(|t| object_mask(s, AclKind::Type, t.typacl.as_ref(), role, t.typowner, USAGE) != 0)
}
pub fn database_mask(s: &Snapshot, role: Oid, database: Oid, wanted: u64) -> u64 {
    s.database_by_oid(database)
        .map_or(0, |d| object_mask(s, AclKind::Database, d.datacl.as_ref(), role, d.datdba, wanted))
}

/// The entry of pg_default_acl for (role, schema or INVALID, kind letter).
pub fn default_acl_entry(s: &Snapshot, role: Oid, schema: Oid, kind: u8) -> Option<&DefaultAclRow> {
    let key = Key::new().oid(role).oid(schema).with(&kind);
    s.table::<DefaultAclRow>().find(DefaultAclRow::BY_ROLE_NSP_OBJ, &key)
}
