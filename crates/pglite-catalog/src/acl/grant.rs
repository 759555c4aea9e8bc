//! Changing ACLs: GRANT, REVOKE with its cascade, changes of owner, default privileges.

use pglite_error::{PgResult, err};
use pglite_types::Oid;

use super::{AclKind, acl_mask, default_acl, default_acl_entry, has_privs_of_role, is_superuser};
use crate::generated::rows::AuthMembersRow;
use crate::snapshot::Snapshot;
use crate::value::AclItem;

/// The grant-option half of a privilege mask.
pub const fn grant_options(privs: u64) -> u64 {
    privs << 32
}

const LOW: u64 = 0xffff_ffff;

/// How [`update`] combines an item with what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Add,
    Remove,
}

/// `aclupdate`: adds or removes privileges of one (grantee, grantor) pair. Removing a grant option that others' grants
/// rest on is an error unless `cascade`, which takes those away too.
pub fn update(
    s: &Snapshot,
    acl: &[AclItem],
    change: AclItem,
    mode: Mode,
    owner: Oid,
    cascade: bool,
) -> PgResult<Vec<AclItem>> {
    if mode == Mode::Add {
        check_circularity(s, acl, &change, owner)?;
    }
    let mut out = acl.to_vec();
    let at = out.iter().position(|i| i.grantee == change.grantee && i.grantor == change.grantor);
    let at = match at {
        Some(at) => at,
        None if mode == Mode::Remove => return Ok(out),
        None => {
            out.push(AclItem { privs: 0, ..change });
            out.len() - 1
        }
    };
    let old = out[at].privs;
    out[at].privs = match mode {
        Mode::Add => old | change.privs,
        Mode::Remove => old & !change.privs,
    };
    let new = out[at].privs;
    if new == 0 {
        out.remove(at);
    }
    let lost = (old >> 32) & !(new >> 32);
    if lost != 0 {
        out = revoke_dependents(s, out, change.grantee, lost, owner, cascade)?;
    }
    Ok(out)
}

/// A grant option must not come back to its giver, except to the owner, who has all of them.
fn check_circularity(s: &Snapshot, acl: &[AclItem], change: &AclItem, owner: Oid) -> PgResult<()> {
    let options = change.privs >> 32;
    if change.grantor == owner || options == 0 {
        return Ok(());
    }
    // Without the grantee's own grants, the grantor must still hold the options.
    let mut reduced = acl.to_vec();
    loop {
        let found = reduced.iter().find(|i| i.grantee == change.grantee && i.privs >> 32 != 0).copied();
        let Some(item) = found else { break };
        let take = AclItem { privs: item.privs & !LOW | grant_options(item.privs >> 32), ..item };
        reduced = update(s, &reduced, take, Mode::Remove, owner, true)?;
    }
    let held = acl_mask(s, &reduced, change.grantor, owner, grant_options(options)) >> 32;
    if options & !held != 0 {
        return Err(err!(
            INVALID_GRANT_OPERATION,
            "grant options cannot be granted back to your own grantor"
        ));
    }
    Ok(())
}

fn revoke_dependents(
    s: &Snapshot,
    mut acl: Vec<AclItem>,
    grantee: Oid,
    lost: u64,
    owner: Oid,
    cascade: bool,
) -> PgResult<Vec<AclItem>> {
    if grantee == owner {
        return Ok(acl);
    }
    // Options that the grantee still holds from somebody else.
    let still = acl_mask(s, &acl, grantee, owner, grant_options(lost)) >> 32;
    let lost = lost & !still;
    if lost == 0 {
        return Ok(acl);
    }
    loop {
        let found = acl.iter().find(|i| i.grantor == grantee && i.privs & lost != 0).copied();
        let Some(item) = found else { return Ok(acl) };
        if !cascade {
            return Err(err!(DEPENDENT_PRIVILEGE_DESCRIPTORS_STILL_EXIST, "dependent privileges exist")
                .hint("Use CASCADE to revoke them too."));
        }
        let take = AclItem { privs: lost | grant_options(lost), ..item };
        acl = update(s, &acl, take, Mode::Remove, owner, cascade)?;
    }
}

/// `aclnewowner`: the old owner's entries become the new owner's.
pub fn change_owner(acl: &[AclItem], old: Oid, new: Oid) -> Vec<AclItem> {
    let swap = |o: Oid| if o == old { new } else { o };
    let mut out: Vec<AclItem> = Vec::with_capacity(acl.len());
    for item in acl {
        let item = AclItem { grantee: swap(item.grantee), grantor: swap(item.grantor), privs: item.privs };
        match out.iter_mut().find(|i| i.grantee == item.grantee && i.grantor == item.grantor) {
            Some(same) => same.privs |= item.privs,
            None => out.push(item),
        }
    }
    out
}

/// `select_best_grantor`: on whose behalf the role grants, and the grant options that it has there.
pub fn best_grantor(s: &Snapshot, role: Oid, privs: u64, acl: &[AclItem], owner: Oid) -> (Oid, u64) {
    let needed = grant_options(privs);
    if role == owner || is_superuser(s, role) || has_privs_of_role(s, role, owner) {
        return (owner, needed);
    }
    let mut roles = vec![role];
    let mut i = 0;
    while i < roles.len() {
        for m in s.memberships_of(roles[i]).filter(|m: &&AuthMembersRow| m.inherit_option) {
            if !roles.contains(&m.roleid) {
                roles.push(m.roleid);
            }
        }
        i += 1;
    }
    let mut best = (role, 0u64);
    for candidate in roles {
        let held = acl.iter().filter(|a| a.grantee == candidate).fold(0, |bits, a| bits | (a.privs & needed));
        if held == needed {
            return (candidate, held);
        }
        if held.count_ones() > best.1.count_ones() {
            best = (candidate, held);
        }
    }
    best
}

/// `get_user_default_acl`: the ACL that a new object gets, `None` for the built-in default.
pub fn new_object_acl(s: &Snapshot, kind: AclKind, owner: Oid, schema: Oid) -> Option<Vec<AclItem>> {
    let letter = match kind {
        AclKind::Table => b'r',
        AclKind::Sequence => b'S',
        AclKind::Function => b'f',
        AclKind::Type => b'T',
        AclKind::Schema => b'n',
        AclKind::LargeObject => b'L',
        _ => return None,
    };
    let global = default_acl_entry(s, owner, Oid::INVALID, letter);
    let local = default_acl_entry(s, owner, schema, letter).filter(|_| schema.is_valid());
    if global.is_none() && local.is_none() {
        return None;
    }
    let built_in = default_acl(kind, owner);
    let mut acl = global.map_or_else(|| built_in.clone(), |g| g.defaclacl.to_vec());
    for item in local.iter().flat_map(|l| l.defaclacl.iter()) {
        acl = update(s, &acl, *item, Mode::Add, owner, false).unwrap_or(acl);
    }
    let mut a: Vec<_> = acl.iter().map(|i| (i.grantee, i.grantor, i.privs)).collect();
    let mut b: Vec<_> = built_in.iter().map(|i| (i.grantee, i.grantor, i.privs)).collect();
    a.sort();
    b.sort();
    (a != b).then_some(acl)
}
