//! What `pg_locks` and `pg_blocking_pids` show.

use super::mode::LockMode;
use super::table::LockManager;
use super::tag::LockTag;

/// A row of `pg_locks`. The columns that a kind of lock does not have are `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockInfo {
    pub locktype: &'static str,
    pub database: Option<u32>,
    pub relation: Option<u32>,
    pub virtualxid: Option<String>,
    pub transactionid: Option<u32>,
    pub classid: Option<u32>,
    pub objid: Option<u32>,
    pub objsubid: Option<i16>,
    pub virtualtransaction: String,
    pub pid: i32,
    pub mode: &'static str,
    pub granted: bool,
    pub fastpath: bool,
}

impl LockInfo {
    fn of(tag: LockTag, mode: LockMode, granted: bool) -> LockInfo {
        let info = LockInfo { mode: mode.name(), granted, ..LockInfo::default() };
        match tag {
            LockTag::Relation(rel) => LockInfo {
                locktype: "relation",
                database: Some(rel.database.0),
                relation: Some(rel.relation.0),
                // PG: the weak modes go through the fast path as long as nobody takes a strong one.
                fastpath: granted && mode <= LockMode::RowExclusive,
                ..info
            },
            LockTag::Row(..) | LockTag::Key(..) => {
                LockInfo { locktype: "transactionid", mode: LockMode::Share.name(), ..info }
            }
            LockTag::Object(database, class, object) => LockInfo {
                locktype: "object",
                database: Some(database),
                classid: Some(class),
                objid: Some(object),
                objsubid: Some(0),
                ..info
            },
            LockTag::AdvisoryBig(database, key) => LockInfo {
                locktype: "advisory",
                database: Some(database),
                classid: Some((key >> 32) as u32),
                objid: Some(key as u32),
                objsubid: Some(1),
                ..info
            },
            LockTag::AdvisoryPair(database, a, b) => LockInfo {
                locktype: "advisory",
                database: Some(database),
                classid: Some(a),
                objid: Some(b),
                objsubid: Some(2),
                ..info
            },
        }
    }
}

impl LockManager {
    /// Everything held and waited for. Row and key locks show as PostgreSQL's do: only waits, for a transaction.
    pub(crate) fn report(&self) -> Vec<LockInfo> {
        let backends = self.backends();
        let find = |owner| backends.iter().find(|b| b.owner == owner);
        let mut rows = Vec::new();
        for backend in &backends {
            if !backend.in_transaction() {
                continue;
            }
            let own = LockInfo {
                locktype: "virtualxid",
                virtualxid: Some(backend.virtual_xid()),
                virtualtransaction: backend.virtual_xid(),
                pid: backend.pid(),
                mode: LockMode::Exclusive.name(),
                granted: true,
                fastpath: true,
                ..LockInfo::default()
            };
            if let Some(xid) = backend.xid_if_assigned() {
                rows.push(LockInfo {
                    locktype: "transactionid",
                    virtualxid: None,
                    transactionid: Some(xid),
                    fastpath: false,
                    ..own.clone()
                });
            }
            rows.push(own);
        }
        for shard in self.each_shard() {
            for (tag, entry) in shard.iter() {
                for holder in entry.holders.iter().filter(|_| !tag.waits_for_transaction()) {
                    let Some(backend) = find(holder.owner) else { continue };
                    for mode in LockMode::ALL.into_iter().filter(|m| holder.modes() & m.bit() != 0) {
                        let (pid, virtualtransaction) = (backend.pid(), backend.virtual_xid());
                        rows.push(LockInfo { pid, virtualtransaction, ..LockInfo::of(*tag, mode, true) });
                    }
                }
                for waiter in entry.waiting() {
                    let (pid, virtualtransaction) = (waiter.backend.pid(), waiter.backend.virtual_xid());
                    let mut row =
                        LockInfo { pid, virtualtransaction, ..LockInfo::of(*tag, waiter.mode, false) };
                    if tag.waits_for_transaction() {
                        let blocker = entry.holders.iter().find(|h| h.modes() & waiter.mode.conflicts() != 0);
                        row.transactionid = blocker.and_then(|h| find(h.owner)).map(|b| b.shown_xid());
                    }
                    rows.push(row);
                }
            }
        }
        rows
    }

    /// The sessions a session waits for.
    pub(crate) fn blocking_pids(&self, pid: i32) -> Vec<i32> {
        let Some(backend) = self.backends().into_iter().find(|b| b.pid() == pid) else { return Vec::new() };
        let Some((tag, mode)) = *backend.waiting.lock() else { return Vec::new() };
        let mut pids: Vec<i32> = Vec::new();
        for owner in self.blockers(backend.owner, tag, mode).into_iter().rev() {
            if let Some(blocker) = self.backend(owner)
                && !pids.contains(&blocker.pid())
            {
                pids.push(blocker.pid());
            }
        }
        pids
    }
}
