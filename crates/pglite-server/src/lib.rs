//! Wire protocol server.
