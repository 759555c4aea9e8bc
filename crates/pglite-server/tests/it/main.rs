//! Black-box tests of the binary `pglitedb`: as a process, on the wire, and through the real driver tokio-postgres.

mod cert;
mod process;
mod support;
mod tokio_driver;
mod wire;
