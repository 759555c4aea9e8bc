//! Who may connect, and how they prove it: host-based rules and SCRAM-SHA-256.

pub mod hba;
pub mod login;
pub mod scram;
