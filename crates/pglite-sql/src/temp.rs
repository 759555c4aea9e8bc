//! The session's temporary schema: dropped when the session ends.

use crate::core::Core;

/// Drops everything in the session's temporary schema.
pub(crate) fn drop_all(core: &Core) {
    let namespace = core.temp_namespace.get();
    if !namespace.is_valid() {
        return;
    }
    let Some(name) = core.snapshot().namespace_name(namespace).map(str::to_string) else {
        core.temp_namespace.set(pglite_types::Oid::INVALID);
        return;
    };
    // Why: a failure leaves an orphaned schema, which the next session with this number reuses and empties.
    let own_transaction = !core.in_transaction();
    let dropped = crate::run::run_nested(core, &format!("DROP SCHEMA {name} CASCADE"), &[]);
    core.notices.borrow_mut().clear();
    if own_transaction {
        let mut nobody = crate::collect::Collector::default();
        match dropped {
            Ok(_) => {
                let _ = core.commit(&mut nobody);
            }
            Err(_) => core.abort(),
        }
        core.block.set(crate::core::Block::Idle);
    }
    core.temp_namespace.set(pglite_types::Oid::INVALID);
    core.invalidate_path();
}
