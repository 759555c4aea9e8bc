//! Vfs, WAL, LSM engine, checkpoint, recovery.
