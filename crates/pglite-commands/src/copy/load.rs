//! Loading: values from input rows into batches, batches into the table, and errors with the line they came from.
//!
//! A row is built in place in the pending batch; a batch is written when it is full. Row triggers and partition routing
//! make rows go one by one.

use pglite_catalog::RelDesc;
use pglite_error::{PgError, PgResult, err};
use pglite_exec::modify::bulk::BulkInsert;
use pglite_exec::{Code, ExecEnv};
use pglite_types::{Batch, Datum, Oid, text};

use super::end::End;
use super::fields::Fields;
use super::lines::Lines;
use super::options::Header;
use super::{Format, Options};

/// Rows and input bytes that may wait to be written together.
const BATCH_ROWS: usize = 1000;
const BATCH_BYTES: usize = 1 << 20;

/// A copied column.
pub(super) struct Column {
    /// Position in the table's rows.
    pub at: usize,
    pub name: String,
    pub type_oid: Oid,
    pub typmod: i32,
    /// A NULL is checked by the type, too.
    pub domain: bool,
    pub force_not_null: bool,
    pub force_null: bool,
    /// For fields that read as the DEFAULT marker.
    pub default: Option<Code>,
}

/// A load under way.
pub(super) struct Load<'a> {
    pub exec: &'a ExecEnv<'a>,
    pub o: &'a Options,
    rel: &'a RelDesc,
    pub columns: Vec<Column>,
    missing: Vec<(usize, Code)>,
    filter: Option<Code>,
    bulk: BulkInsert,
    batched: bool,
    pub batch: Batch,
    bytes: usize,
    /// Line number of each pending row.
    lines: Vec<u64>,
    loaded: u64,
    pub skipped: i64,
}

impl<'a> Load<'a> {
    pub fn new(
        exec: &'a ExecEnv<'a>,
        o: &'a Options,
        rel: &'a RelDesc,
        columns: Vec<Column>,
        missing: Vec<(usize, Code)>,
        filter: Option<Code>,
        bulk: BulkInsert,
    ) -> Load<'a> {
        let batched = bulk.is_batched();
        Load {
            exec,
            o,
            rel,
            columns,
            missing,
            filter,
            bulk,
            batched,
            batch: Batch::new(rel.columns.len()),
            bytes: 0,
            lines: Vec::with_capacity(BATCH_ROWS),
            loaded: 0,
            skipped: 0,
        }
    }

    pub fn run_text(&mut self, source: &End<'_>) -> PgResult<()> {
        let mut lines = Lines::new(self.o);
        let mut fields = Fields::new(self.o);
        let mut header = self.o.header;
        loop {
            let chunk = source.read()?;
            match &chunk {
                Some(c) => lines.feed(c),
                None => lines.finish(),
            }
            loop {
                match lines.next() {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(e) => return Err(self.at_line(e, lines.line_no, None)),
                }
                let line = lines.line();
                let split = fields.split(line, lines.special);
                if std::mem::replace(&mut header, Header::No) != Header::No {
                    if self.o.header == Header::Match {
                        split
                            .and_then(|()| self.check_header(&fields, line))
                            .map_err(|e| self.at_line(e, lines.line_no, Some(line)))?;
                    }
                    continue;
                }
                split.map_err(|e| self.at_line(e, lines.line_no, Some(line)))?;
                self.text_row(&fields, line, lines.line_no)?;
            }
            if chunk.is_none() {
                return Ok(());
            }
            self.exec.host.check_interrupts()?;
        }
    }

    fn check_header(&self, fields: &Fields<'_>, line: &[u8]) -> PgResult<()> {
        if fields.len() != self.columns.len() {
            return Err(err!(
                BAD_COPY_FILE_FORMAT,
                "wrong number of fields in header line: got {}, expected {}",
                fields.len(),
                self.columns.len()
            ));
        }
        for (n, column) in self.columns.iter().enumerate() {
            let Some(f) = fields.get(n) else { break };
            let (n, want) = (n + 1, &column.name);
            if f.null {
                return Err(err!(
                    BAD_COPY_FILE_FORMAT,
                    "column name mismatch in header line field {n}: got null value (\"{}\"), expected \"{want}\"",
                    self.o.null
                ));
            }
            let got = String::from_utf8_lossy(fields.bytes(f, line));
            if got != want.as_str() {
                return Err(err!(
                    BAD_COPY_FILE_FORMAT,
                    "column name mismatch in header line field {n}: got \"{got}\", expected \"{want}\""
                ));
            }
        }
        Ok(())
    }

    fn text_row(&mut self, fields: &Fields<'_>, line: &[u8], line_no: u64) -> PgResult<()> {
        let given = if self.columns.is_empty() && line.is_empty() { 0 } else { fields.len() };
        if given > self.columns.len() {
            let e = err!(BAD_COPY_FILE_FORMAT, "extra data after last expected column");
            return Err(self.at_line(e, line_no, Some(line)));
        }
        let start = self.open_row();
        for n in 0..self.columns.len() {
            let Some(value) = self.text_value(n, fields, line, line_no)? else {
                self.batch.abandon_row();
                return Ok(());
            };
            self.batch.values_mut()[start + self.columns[n].at] = value;
        }
        self.close_row(start, line_no, Some(line))
    }

    /// Field `n` as a value; `None`: the row is skipped (ON_ERROR ignore).
    #[inline]
    fn text_value(
        &mut self,
        n: usize,
        fields: &Fields<'_>,
        line: &[u8],
        line_no: u64,
    ) -> PgResult<Option<Datum>> {
        let column = &self.columns[n];
        let Some(f) = fields.get(n) else {
            let e = err!(BAD_COPY_FILE_FORMAT, "missing data for column \"{}\"", column.name);
            return Err(self.at_line(e, line_no, Some(line)));
        };
        let bytes = fields.bytes(f, line);
        let mut null = f.null;
        if self.o.format == Format::Csv {
            if null && column.force_not_null {
                null = false;
            } else if !null && column.force_null && bytes == self.o.null.as_bytes() {
                null = true;
            }
        }
        if f.default {
            let Some(code) = &column.default else { return Ok(Some(Datum::Null)) };
            return match self.bulk.eval(self.exec, code, &[]) {
                Ok(v) => Ok(Some(v)),
                Err(e) => Err(self.at_line(e, line_no, Some(line))),
            };
        }
        let parsed = if null {
            if !column.domain {
                return Ok(Some(Datum::Null));
            }
            self.exec.host.check_domain(column.type_oid, &Datum::Null).map(|()| Datum::Null)
        } else {
            let s = match std::str::from_utf8(bytes) {
                Ok(s) if !s.as_bytes().contains(&0) => s,
                _ => return Err(self.at_line(bad_encoding(bytes), line_no, None)),
            };
            text::text_in(self.exec.host, column.type_oid, column.typmod, s)
        };
        match parsed {
            Ok(v) => Ok(Some(v)),
            Err(e) => self.refused(e, n, (!null).then_some(bytes), line_no),
        }
    }

    /// A value that its type does not take.
    #[cold]
    fn refused(
        &mut self,
        e: PgError,
        n: usize,
        value: Option<&[u8]>,
        line_no: u64,
    ) -> PgResult<Option<Datum>> {
        let (name, rel) = (&self.columns[n].name, &self.rel.name);
        let shown = match value {
            Some(v) => format!("\"{}\"", shorten(v)),
            None => "null input".to_string(),
        };
        let context = format!("COPY {rel}, line {line_no}, column {name}: {shown}");
        if !self.o.on_error_ignore {
            return Err(e.context(context));
        }
        self.skipped += 1;
        if self.o.log_verbosity == "verbose" {
            self.exec.host.notice(
                PgError::notice(format!(
                    "skipping row due to data type incompatibility at line {line_no} for column \"{name}\": {shown}"
                ))
                .context(format!("COPY {rel}")),
            );
        }
        if self.o.reject_limit > 0 && self.skipped > self.o.reject_limit {
            return Err(err!(
                INVALID_TEXT_REPRESENTATION,
                "skipped more than REJECT_LIMIT ({}) rows due to data type incompatibility",
                self.o.reject_limit
            )
            .context(context));
        }
        Ok(None)
    }

    /// Begins a row of NULLs at the end of the batch; returns where its values begin.
    #[inline]
    pub fn open_row(&mut self) -> usize {
        let width = self.rel.columns.len();
        let values = self.batch.values_mut();
        let start = values.len();
        values.resize(start + width, Datum::Null);
        start
    }

    /// Completes a row whose copied columns are in place: defaults, filter, checks; then it waits or goes on its way.
    pub fn close_row(&mut self, start: usize, line_no: u64, line: Option<&[u8]>) -> PgResult<()> {
        for (at, code) in &self.missing {
            match self.bulk.eval(self.exec, code, &[]) {
                Ok(v) => self.batch.values_mut()[start + at] = v,
                Err(e) => return Err(self.at_line(e, line_no, line)),
            }
        }
        if let Some(filter) = &self.filter {
            match self.bulk.test(self.exec, filter, &self.batch.values_mut()[start..]) {
                Ok(true) => {}
                Ok(false) => {
                    self.batch.abandon_row();
                    return Ok(());
                }
                Err(e) => return Err(self.at_line(e, line_no, line)),
            }
        }
        if !self.batched {
            let row = self.batch.values_mut().drain(start..).collect();
            let kept = self.bulk.one(self.exec, row).map_err(|e| self.at_line(e, line_no, line))?;
            self.loaded += u64::from(kept);
            return Ok(());
        }
        let checked = self.bulk.check(self.exec, &mut self.batch.values_mut()[start..]);
        checked.map_err(|e| self.at_line(e, line_no, line))?;
        self.batch.finish_row();
        self.lines.push(line_no);
        self.bytes += line.map_or(0, <[u8]>::len);
        if self.lines.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes the waiting rows.
    pub fn flush(&mut self) -> PgResult<()> {
        if self.batch.is_empty() {
            return Ok(());
        }
        if let Err((row, e)) = self.bulk.write(self.exec, &self.batch) {
            let line = row.and_then(|i| self.lines.get(i)).or(self.lines.last());
            return Err(self.at_line(e, line.copied().unwrap_or(0), None));
        }
        self.loaded += self.batch.len() as u64;
        self.batch.clear();
        self.lines.clear();
        self.bytes = 0;
        Ok(())
    }

    /// Foreign keys and AFTER triggers; returns the number of rows loaded.
    pub fn finish(self) -> PgResult<u64> {
        self.bulk.finish(self.exec)?;
        Ok(self.loaded)
    }

    /// Adds PostgreSQL's context line.
    #[cold]
    pub fn at_line(&self, e: PgError, line: u64, text: Option<&[u8]>) -> PgError {
        match text {
            Some(text) => e.context(format!("COPY {}, line {line}: \"{}\"", self.rel.name, shorten(text))),
            None => e.context(format!("COPY {}, line {line}", self.rel.name)),
        }
    }

    #[cold]
    pub fn at_column(&self, e: PgError, line: u64, n: usize) -> PgError {
        e.context(format!("COPY {}, line {line}, column {}", self.rel.name, self.columns[n].name))
    }
}

/// The first bytes that are no character of UTF-8.
#[cold]
fn bad_encoding(bytes: &[u8]) -> PgError {
    let at = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.iter().position(|b| *b == 0).unwrap_or(0),
        Err(e) => e.valid_up_to(),
    };
    let len = match bytes[at] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    };
    let shown: Vec<String> = bytes[at..].iter().take(len).map(|b| format!("0x{b:02x}")).collect();
    err!(CHARACTER_NOT_IN_REPERTOIRE, "invalid byte sequence for encoding \"UTF8\": {}", shown.join(" "))
}

/// At most 100 bytes of a row, as PostgreSQL shows it in contexts.
fn shorten(text: &[u8]) -> String {
    let s = String::from_utf8_lossy(text);
    if s.len() <= 100 {
        return s.into_owned();
    }
    format!("{}...", &s[..s.floor_char_boundary(100)])
}
