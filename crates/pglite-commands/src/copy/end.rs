//! The other end of a COPY: the client, or a file on the server's machine.

use std::cell::{Cell, RefCell};
use std::io;
use std::path::Path;
use std::sync::Arc;

use pglite_analyze::AnalyzeEnv;
use pglite_catalog::acl;
use pglite_error::{PgError, PgResult, SqlState, bail, codes, err};
use pglite_parser::ast::CopyStmt;
use pglite_storage::env::{File, OpenMode, RealVfs, Vfs, reason};
use pglite_types::Oid;

use crate::host::CommandHost;

/// Bytes read from or written to a file at once.
const CHUNK: usize = 1 << 16;

const READ_SERVER_FILES: Oid = Oid(4569);
const WRITE_SERVER_FILES: Oid = Oid(4570);
const EXECUTE_SERVER_PROGRAM: Oid = Oid(4571);

pub(super) enum End<'a> {
    Client(&'a dyn CommandHost),
    File {
        file: Arc<dyn File>,
        at: Cell<u64>,
        /// Bytes not written yet.
        pending: RefCell<Vec<u8>>,
    },
}

impl<'a> End<'a> {
    /// Opens the end that the statement names.
    pub fn open(host: &'a dyn CommandHost, s: &CopyStmt) -> PgResult<End<'a>> {
        let Some(name) = &s.filename else { return Ok(End::Client(host)) };
        if s.is_program {
            return Err(PgError::unsupported("COPY with an external program is not supported"));
        }
        let path = Path::new(name.as_str());
        // Why the real file system: the statement names a file of the machine, wherever the database itself lives.
        let vfs = RealVfs;
        let file = if s.is_from {
            let file = vfs.open(path, OpenMode::Read).map_err(|e| cannot_open(name, "reading", &e))?;
            if vfs.list(path).is_ok() {
                bail!(WRONG_OBJECT_TYPE, "\"{name}\" is a directory");
            }
            file
        } else {
            if !path.is_absolute() {
                bail!(INVALID_NAME, "relative path not allowed for COPY to file");
            }
            vfs.open(path, OpenMode::Create).map_err(|e| cannot_open(name, "writing", &e))?
        };
        Ok(End::File { file, at: Cell::new(0), pending: RefCell::default() })
    }

    pub fn begin_in(&self, binary: bool, columns: usize) -> PgResult<()> {
        match self {
            End::Client(host) => host.with_client(&mut |c| c.copy_in_begin(binary, columns)),
            End::File { .. } => Ok(()),
        }
    }
    /// The next piece of the data; None at the end.
    pub fn read(&self) -> PgResult<Option<Vec<u8>>> {
        match self {
            End::Client(host) => {
                let mut chunk = None;
                host.with_client(&mut |c| {
                    chunk = c.copy_in()?;
                    Ok(())
                })?;
                Ok(chunk)
            }
            End::File { file, at, .. } => {
                let mut chunk = vec![0; CHUNK];
                let n = file
                    .read_at(&mut chunk, at.get())
                    .map_err(|e| err!(IO_ERROR, "could not read from COPY file: {}", reason(&e)))?;
                at.set(at.get() + n as u64);
                chunk.truncate(n);
                Ok((n > 0).then_some(chunk))
            }
        }
    }

    pub fn begin_out(&self, binary: bool, columns: usize) -> PgResult<()> {
        match self {
            End::Client(host) => host.with_client(&mut |c| c.copy_out_begin(binary, columns)),
            End::File { .. } => Ok(()),
        }
    }
    pub fn write(&self, data: &[u8]) -> PgResult<()> {
        match self {
            End::Client(host) => host.with_client(&mut |c| c.copy_out(Some(data))),
            End::File { pending, .. } => {
                pending.borrow_mut().extend_from_slice(data);
                if pending.borrow().len() >= CHUNK { self.write_pending() } else { Ok(()) }
            }
        }
    }
    pub fn finish(&self) -> PgResult<()> {
        match self {
            End::Client(host) => host.with_client(&mut |c| c.copy_out(None)),
            End::File { .. } => self.write_pending(),
        }
    }

    fn write_pending(&self) -> PgResult<()> {
        let End::File { file, at, pending } = self else { return Ok(()) };
        let mut pending = pending.borrow_mut();
        file.write_at(&pending, at.get())
            .map_err(|e| err!(IO_ERROR, "could not write to COPY file: {}", reason(&e)))?;
        at.set(at.get() + pending.len() as u64);
        pending.clear();
        Ok(())
    }
}

/// A file needs a role that may use the server's files.
pub(super) fn check_privilege(host: &dyn CommandHost, s: &CopyStmt) -> PgResult<()> {
    if s.filename.is_none() {
        return Ok(());
    }
    let env = host.env();
    let user = AnalyzeEnv::current_user(&*env);
    let (what, role, name) = match (s.is_program, s.is_from) {
        (true, _) => {
            ("COPY to or from an external program", EXECUTE_SERVER_PROGRAM, "pg_execute_server_program")
        }
        (false, true) => ("COPY from a file", READ_SERVER_FILES, "pg_read_server_files"),
        (false, false) => ("COPY to a file", WRITE_SERVER_FILES, "pg_write_server_files"),
    };
    if acl::has_privs_of_role(env.as_fn_host().catalog(), user, role) {
        return Ok(());
    }
    Err(err!(INSUFFICIENT_PRIVILEGE, "permission denied to {what}")
        .detail(format!("Only roles with privileges of the \"{name}\" role may {what}."))
        .hint("Anyone can COPY to stdout or from stdin. psql's \\copy command also works for anyone."))
}

fn code_of(e: &io::Error) -> SqlState {
    match e.kind() {
        io::ErrorKind::NotFound => codes::UNDEFINED_FILE,
        io::ErrorKind::PermissionDenied => codes::INSUFFICIENT_PRIVILEGE,
        io::ErrorKind::IsADirectory => codes::WRONG_OBJECT_TYPE,
        io::ErrorKind::StorageFull => codes::DISK_FULL,
        _ => codes::IO_ERROR,
    }
}

fn cannot_open(name: &str, purpose: &str, e: &io::Error) -> PgError {
    let error =
        PgError::new(code_of(e), format!("could not open file \"{name}\" for {purpose}: {}", reason(e)));
    if !matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) {
        return error;
    }
    let (direction, verb) = if purpose == "reading" { ("FROM", "read") } else { ("TO", "write") };
    error.hint(format!(
        "COPY {direction} instructs the PostgreSQL server process to {verb} a file. You may want a client-side facility such as psql's \\copy."
    ))
}
