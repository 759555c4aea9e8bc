//! Black-box tests of the binary `pglitedb`: as a process, on the wire, and through the real driver tokio-postgres.

#![allow(clippy::disallowed_methods)] // Why: tests of a process start processes and write files.

mod cert;
mod process;
mod support;
mod tokio_driver;
mod wire;
