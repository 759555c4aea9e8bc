//! Partitions: ATTACH and DETACH.

use pglite_catalog::rows::{ClassRow, PartitionedTableRow};
use pglite_error::{PgError, PgResult, bail};
use pglite_parser::ast::PartitionCmd;
use pglite_types::Oid;

use crate::alter::{abandon, desc};
use crate::ctx;
use crate::host::CommandHost;

pub(crate) fn attach(host: &dyn CommandHost, parent: Oid, _p: &PartitionCmd) -> PgResult<()> {
    let s = host.snapshot();
    let rel = desc(&s, parent)?;
    if rel.kind != b'p' {
        bail!(
            WRONG_OBJECT_TYPE,
            "ALTER action ATTACH PARTITION cannot be performed on relation \"{}\"",
            rel.name
        );
    }
    Err(PgError::unsupported("ATTACH PARTITION is not supported yet"))
}

pub(crate) fn detach(host: &dyn CommandHost, parent: Oid, p: &PartitionCmd) -> PgResult<()> {
    let child = ctx::relation(host, &p.name)?;
    let s = host.snapshot();
    let rel = desc(&s, parent)?;
    if !child.parents.contains(&parent) || !child.is_partition {
        bail!(UNDEFINED_TABLE, "relation \"{}\" is not a partition of relation \"{}\"", child.name, rel.name);
    }
    abandon(host, parent, child.oid)?;
    host.with_catalog(&mut |c| {
        c.modify::<ClassRow>(child.oid, |r| {
            r.relispartition = false;
            r.relpartbound = None;
        });
        c.modify::<PartitionedTableRow>(parent, |r| {
            if r.partdefid == child.oid {
                r.partdefid = Oid::INVALID;
            }
        });
        Ok(())
    })
}
