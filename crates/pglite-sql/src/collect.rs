//! Clients that are not on a wire: collecting rows for nested queries and embedders.

use pglite_commands::{Client, OutColumn, PendingCommit};
use pglite_error::{PgError, PgResult};
use pglite_types::{Batch, Row, TypeEnv};

use crate::core::Core;

/// Keeps rows as values.
#[derive(Default)]
pub(crate) struct Collector {
    pub columns: Vec<OutColumn>,
    pub rows: Vec<Row>,
    pub tag: String,
    pub notices: Vec<PgError>,
    pub commit: Option<PendingCommit>,
}

impl Client for Collector {
    fn describe_rows(&mut self, columns: &[OutColumn], _formats: &[i16]) -> PgResult<()> {
        self.columns = columns.to_vec();
        Ok(())
    }
    fn rows(
        &mut self,
        _env: &dyn TypeEnv,
        columns: &[OutColumn],
        _formats: &[i16],
        batch: &Batch,
    ) -> PgResult<()> {
        self.rows.extend(batch.rows().map(|r| r[..columns.len().min(r.len())].to_vec()));
        Ok(())
    }
    fn complete(&mut self, tag: &str) -> PgResult<()> {
        self.tag = tag.to_string();
        Ok(())
    }
    fn empty_query(&mut self) -> PgResult<()> {
        Ok(())
    }
    fn notice(&mut self, notice: &PgError) {
        self.notices.push(notice.clone());
    }
    fn parameter_status(&mut self, _name: &str, _value: &str) {}
    fn notification(&mut self, _pid: u32, _channel: &str, _payload: &str) {}
    fn commit_pending(&mut self, commit: PendingCommit) -> PgResult<()> {
        if let Some(earlier) = self.commit.replace(commit) {
            earlier.wait()?;
        }
        Ok(())
    }
    fn copy_out_begin(&mut self, _binary: bool, _columns: usize) -> PgResult<()> {
        Err(PgError::unsupported("COPY to stdout needs a client connection"))
    }
    fn copy_out(&mut self, _data: Option<&[u8]>) -> PgResult<()> {
        Ok(())
    }
    fn copy_in_begin(&mut self, _binary: bool, _columns: usize) -> PgResult<()> {
        Err(PgError::unsupported("COPY from stdin needs a client connection"))
    }
    fn copy_in(&mut self) -> PgResult<Option<Vec<u8>>> {
        Ok(None)
    }
}

/// Sends everything to `inner`, but notices back to the session, which sends them to the real client.
pub(crate) struct NoticesBack<'a> {
    pub core: &'a Core,
    pub inner: &'a mut dyn Client,
}

/// Sends everything to `inner` except row descriptions (the extended protocol describes portals separately).
pub(crate) struct Undescribed<'a> {
    pub inner: &'a mut dyn Client,
    pub formats: &'a [i16],
}

macro_rules! forward {
    ($t:ident: $($special:item)*) => {
        impl Client for $t<'_> {
            $($special)*
            fn complete(&mut self, tag: &str) -> PgResult<()> {
                self.inner.complete(tag)
            }
            fn empty_query(&mut self) -> PgResult<()> {
                self.inner.empty_query()
            }
            fn parameter_status(&mut self, name: &str, value: &str) {
                self.inner.parameter_status(name, value);
            }
            fn notification(&mut self, pid: u32, channel: &str, payload: &str) {
                self.inner.notification(pid, channel, payload);
            }
            fn commit_pending(&mut self, commit: PendingCommit) -> PgResult<()> {
                self.inner.commit_pending(commit)
            }
            fn copy_out_begin(&mut self, binary: bool, columns: usize) -> PgResult<()> {
                self.inner.copy_out_begin(binary, columns)
            }
            fn copy_out(&mut self, data: Option<&[u8]>) -> PgResult<()> {
                self.inner.copy_out(data)
            }
            fn copy_in_begin(&mut self, binary: bool, columns: usize) -> PgResult<()> {
                self.inner.copy_in_begin(binary, columns)
            }
            fn copy_in(&mut self) -> PgResult<Option<Vec<u8>>> {
                self.inner.copy_in()
            }
        }
    };
}

forward! { NoticesBack:
    fn describe_rows(&mut self, columns: &[OutColumn], formats: &[i16]) -> PgResult<()> {
        self.inner.describe_rows(columns, formats)
    }
    fn rows(&mut self, env: &dyn TypeEnv, columns: &[OutColumn], formats: &[i16], batch: &Batch) -> PgResult<()> {
        self.inner.rows(env, columns, formats, batch)
    }
    fn notice(&mut self, notice: &PgError) {
        self.core.notices.borrow_mut().push(notice.clone());
    }
}

forward! { Undescribed:
    fn describe_rows(&mut self, _columns: &[OutColumn], _formats: &[i16]) -> PgResult<()> {
        Ok(())
    }
    fn rows(&mut self, env: &dyn TypeEnv, columns: &[OutColumn], _formats: &[i16], batch: &Batch) -> PgResult<()> {
        self.inner.rows(env, columns, self.formats, batch)
    }
    fn notice(&mut self, notice: &PgError) {
        self.inner.notice(notice);
    }
}
