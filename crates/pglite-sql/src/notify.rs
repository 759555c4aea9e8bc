//! LISTEN/NOTIFY: delivery at commit, in commit order.

use pglite_types::Oid;

use crate::database::Shared;

/// Puts each notification into the inbox of every session of the database; receivers drop what they do not listen to.
pub(crate) fn deliver(shared: &Shared, database: Oid, pid: u32, messages: &[(String, String)]) {
    let sessions = shared.sessions.lock();
    for slot in sessions.values().filter(|s| s.database == database) {
        for (channel, payload) in messages {
            slot.notify(pid, channel, payload);
        }
    }
}
