//! The wire protocol, versions 3.0 and 3.2: decoding frontend messages, encoding backend messages.
//!
//! Pure functions over byte buffers; sockets live in [`crate::connection`].

pub mod backend;
pub mod frontend;
