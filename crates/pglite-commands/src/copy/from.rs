//! COPY FROM: reads rows from the client and inserts them in batches.
//!
//! The rows stand in a named tuplestore that a planned `INSERT ... SELECT` reads, so defaults, generated columns,
//! constraints, triggers and partition routing are exactly those of INSERT.

use std::sync::Arc;

use pglite_analyze::{ParamTypes, analyze, rewrite};
use pglite_catalog::names::{quote_ident, quote_qualified};
use pglite_catalog::{ColumnDesc, RelDesc};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_exec::{ExecEnv, Executor, Prepared};
use pglite_parser::ast::{CopyStmt, Statement};
use pglite_planner::PlanOptions;
use pglite_types::{Datum, Row, TypeEnv, binary, text};

use super::options::Header;
use super::parse::Lines;
use super::{Format, Options};
use crate::host::{CommandHost, StatementEnv};

/// Rows per run of the INSERT plan.
const BATCH: usize = 1000;
/// The tuplestore's name. Why the space: no user relation is called so by accident.
const STORE: &str = "copy source";

pub(super) fn copy_from(host: &dyn CommandHost, s: &CopyStmt, o: &Options) -> PgResult<u64> {
    let env = host.env();
    let Some(rel) = super::relation(&*env, s)? else { bail!(INTERNAL_ERROR, "COPY FROM without a relation") };
    check_target(&rel)?;
    let columns = super::columns(&rel, &s.attlist)?;
    check_lists(&rel, &columns, o)?;
    let source = Arc::new(source_desc(&rel, &columns));
    host.set_tuplestore(STORE, Some((source, Arc::default())));
    let result = load(host, &*env, s, o, &rel, &columns);
    host.set_tuplestore(STORE, None);
    result
}

fn check_target(rel: &RelDesc) -> PgResult<()> {
    match rel.kind {
        b'r' | b'p' => Ok(()),
        b'v' if rel.has_triggers => Ok(()),
        b'v' => Err(err!(WRONG_OBJECT_TYPE, "cannot copy to view \"{}\"", rel.name)
            .hint("To enable copying to a view, provide an INSTEAD OF INSERT trigger.")),
        b'm' => bail!(WRONG_OBJECT_TYPE, "cannot copy to materialized view \"{}\"", rel.name),
        b'S' => bail!(WRONG_OBJECT_TYPE, "cannot copy to sequence \"{}\"", rel.name),
        _ => bail!(WRONG_OBJECT_TYPE, "cannot copy to non-table relation \"{}\"", rel.name),
    }
}

fn check_lists(rel: &RelDesc, columns: &[usize], o: &Options) -> PgResult<()> {
    for (list, word) in [(&o.force_not_null, "FORCE_NOT_NULL"), (&o.force_null, "FORCE_NULL")] {
        for name in &list.names {
            match rel.columns.iter().position(|c| c.name.as_str() == name) {
                None => {
                    bail!(UNDEFINED_COLUMN, "column \"{name}\" of relation \"{}\" does not exist", rel.name)
                }
                Some(i) if !columns.contains(&i) => {
                    bail!(INVALID_COLUMN_REFERENCE, "{word} column \"{name}\" not referenced by COPY")
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// A relation of just the copied columns, for the tuplestore.
fn source_desc(rel: &RelDesc, columns: &[usize]) -> RelDesc {
    let pick = |(n, i): (usize, &usize)| -> ColumnDesc {
        let mut c = rel.columns[*i].clone();
        c.attnum = n as i16 + 1;
        c.not_null = false;
        c.default = None;
        c.has_default = false;
        c.identity = 0;
        c
    };
    let mut source = rel.clone();
    source.name = STORE.into();
    source.columns = columns.iter().enumerate().map(pick).collect();
    source.indexes.clear();
    source.constraints.clear();
    source.children.clear();
    source
}

/// `INSERT INTO rel (columns) SELECT * FROM store`, compiled. Columns at DEFAULT are left out of both lists.
fn insert_plan(
    env: &dyn StatementEnv,
    exec: &ExecEnv<'_>,
    s: &CopyStmt,
    rel: &RelDesc,
    columns: &[usize],
) -> PgResult<Arc<Prepared>> {
    let schema = env.as_fn_host().catalog().namespace_name(rel.namespace).map(str::to_string);
    let names: Vec<String> = columns.iter().map(|i| quote_ident(&rel.columns[*i].name)).collect();
    let names = names.join(", ");
    let target = quote_qualified(schema.as_deref(), &rel.name);
    let into = if names.is_empty() { String::new() } else { format!(" ({names})") };
    let sql = format!(
        "INSERT INTO {target}{into} OVERRIDING SYSTEM VALUE SELECT {names} FROM {}",
        quote_ident(STORE)
    );
    let mut parsed = pglite_parser::parse(&sql, &pglite_parser::ParseOptions::default())?;
    let Some(mut raw) = parsed.stmts.pop() else { bail!(INTERNAL_ERROR, "COPY statement is empty") };
    if let (Statement::InsertStmt(insert), Some(filter)) = (&mut raw.stmt, &s.where_clause)
        && let Some(select) = &mut insert.select_stmt
    {
        select.where_clause = Some(filter.clone());
    }
    let query = analyze(env.as_analyze_env(), &Arc::new(raw), &sql, &mut ParamTypes::none())?;
    let mut queries = rewrite(env.as_analyze_env(), query)?;
    let Some(query) = queries.pop() else {
        bail!(FEATURE_NOT_SUPPORTED, "COPY FROM to a relation with rules is not supported")
    };
    let planned = pglite_planner::plan(env.as_planner_env(), query, PlanOptions::default())?;
    Prepared::compile(Arc::new(planned), exec)
}

/// What one load keeps while rows come in.
struct Load<'a> {
    host: &'a dyn CommandHost,
    exec: ExecEnv<'a>,
    types: &'a dyn TypeEnv,
    o: &'a Options,
    rel: &'a RelDesc,
    columns: &'a [usize],
    prepared: Arc<Prepared>,
    source: Arc<RelDesc>,
    rows: Vec<Row>,
    /// Line number and text of each pending row.
    lines: Vec<(u64, Vec<u8>)>,
    defaults: Vec<Option<pglite_ir::Expr>>,
    loaded: u64,
    skipped: i64,
}

fn load(
    host: &dyn CommandHost,
    env: &dyn StatementEnv,
    s: &CopyStmt,
    o: &Options,
    rel: &RelDesc,
    columns: &[usize],
) -> PgResult<u64> {
    let exec = ExecEnv {
        txn: host.txn(),
        view: host.view(),
        host: env.as_fn_host(),
        hooks: env.as_exec_hooks(),
        work_mem: 4 << 20,
    };
    let prepared = insert_plan(env, &exec, s, rel, columns)?;
    let mut load = Load {
        host,
        exec,
        types: env.as_fn_host(),
        o,
        rel,
        columns,
        prepared,
        source: Arc::new(source_desc(rel, columns)),
        rows: Vec::with_capacity(BATCH),
        lines: Vec::with_capacity(BATCH),
        defaults: Vec::new(),
        loaded: 0,
        skipped: 0,
    };
    if o.default.is_some() {
        let arc = env.as_fn_host().catalog().rel(rel.oid);
        let exprs = arc.map(|r| env.as_exec_hooks().table_exprs(&r)).transpose()?;
        load.defaults = columns
            .iter()
            .map(|i| {
                let attnum = rel.columns[*i].attnum;
                exprs.as_ref().and_then(|e| e.defaults.iter().find(|d| d.0 == attnum).map(|d| d.1.clone()))
            })
            .collect();
    }
    let binary = o.format == Format::Binary;
    host.with_client(&mut |c| c.copy_in_begin(binary, columns.len()))?;
    if binary {
        load.run_binary()?
    } else {
        load.run_text()?
    }
    load.flush()?;
    if load.skipped > 0 && o.log_verbosity != "silent" {
        let n = load.skipped;
        let noun = if n == 1 { "row was" } else { "rows were" };
        env.as_fn_host()
            .notice(PgError::notice(format!("{n} {noun} skipped due to data type incompatibility")));
    }
    Ok(load.loaded)
}

impl Load<'_> {
    fn next_chunk(&self) -> PgResult<Option<Vec<u8>>> {
        let mut chunk = None;
        self.host.with_client(&mut |c| {
            chunk = c.copy_in()?;
            Ok(())
        })?;
        Ok(chunk)
    }

    fn run_text(&mut self) -> PgResult<()> {
        let mut lines = Lines::new(self.o);
        let mut header = self.o.header;
        loop {
            let chunk = self.next_chunk()?;
            match &chunk {
                Some(c) => lines.feed(c),
                None => lines.finish(),
            }
            while lines.next().map_err(|e| self.at_line(e, lines.line_no + 1, None))? {
                if header != Header::No {
                    self.check_header(&lines, header)?;
                    header = Header::No;
                    continue;
                }
                self.text_row(&lines)?;
                if self.rows.len() >= BATCH {
                    self.flush()?;
                }
            }
            if chunk.is_none() {
                return Ok(());
            }
            self.exec.host.check_interrupts()?;
        }
    }

    fn check_header(&self, lines: &Lines<'_>, header: Header) -> PgResult<()> {
        if header != Header::Match {
            return Ok(());
        }
        if lines.fields.len() != self.columns.len() {
            return Err(self.at_line(
                err!(
                    BAD_COPY_FILE_FORMAT,
                    "wrong number of fields in header line: got {}, expected {}",
                    lines.fields.len(),
                    self.columns.len()
                ),
                lines.line_no,
                Some(&lines.line),
            ));
        }
        for (n, (f, i)) in lines.fields.iter().zip(self.columns).enumerate() {
            let want = &self.rel.columns[*i].name;
            let got = String::from_utf8_lossy(&lines.data[f.start..f.end]);
            if f.null {
                let e = err!(
                    BAD_COPY_FILE_FORMAT,
                    "column name mismatch in header line field {}: got null value (\"{}\"), expected \"{want}\"",
                    n + 1,
                    self.o.null
                );
                return Err(self.at_line(e, lines.line_no, Some(&lines.line)));
            }
            if got != want.as_str() {
                let e = err!(
                    BAD_COPY_FILE_FORMAT,
                    "column name mismatch in header line field {}: got \"{got}\", expected \"{want}\"",
                    n + 1
                );
                return Err(self.at_line(e, lines.line_no, Some(&lines.line)));
            }
        }
        Ok(())
    }

    fn text_row(&mut self, lines: &Lines<'_>) -> PgResult<()> {
        let at = |e: PgError| self.at_line(e, lines.line_no, Some(&lines.line));
        if self.columns.is_empty() && lines.line.is_empty() {
            self.rows.push(Vec::new());
            self.lines.push((lines.line_no, Vec::new()));
            return Ok(());
        }
        if lines.fields.len() > self.columns.len() {
            return Err(at(err!(BAD_COPY_FILE_FORMAT, "extra data after last expected column")));
        }
        let mut row = Vec::with_capacity(self.columns.len());
        for (n, i) in self.columns.iter().enumerate() {
            let column = &self.rel.columns[*i];
            let Some(f) = lines.fields.get(n) else {
                return Err(at(err!(BAD_COPY_FILE_FORMAT, "missing data for column \"{}\"", column.name)));
            };
            let mut null = f.null;
            let bytes = &lines.data[f.start..f.end];
            if self.o.format == Format::Csv {
                if null && self.o.force_not_null.has(&column.name) {
                    null = false;
                } else if !null && self.o.force_null.has(&column.name) && bytes == self.o.null.as_bytes() {
                    null = true;
                }
            }
            if f.default && self.o.default.is_some() {
                let value = match self.defaults.get(n).and_then(Option::as_ref) {
                    Some(e) => pglite_exec::eval_const(&self.exec, e).map_err(at)?,
                    None => Datum::Null,
                };
                row.push(value);
                continue;
            }
            if null {
                row.push(Datum::Null);
                continue;
            }
            let parsed = match std::str::from_utf8(bytes) {
                Ok(s) => text::text_in(self.types, column.type_oid, column.typmod, s),
                Err(e) => {
                    let bad: Vec<String> = bytes[e.valid_up_to()..]
                        .iter()
                        .take(e.error_len().unwrap_or(1))
                        .map(|b| format!("0x{b:02x}"))
                        .collect();
                    Err(err!(
                        CHARACTER_NOT_IN_REPERTOIRE,
                        "invalid byte sequence for encoding \"UTF8\": {}",
                        bad.join(" ")
                    ))
                }
            };
            match parsed {
                Ok(v) => row.push(v),
                Err(_) if self.o.on_error_ignore => {
                    self.skipped += 1;
                    if self.o.reject_limit > 0 && self.skipped > self.o.reject_limit {
                        return Err(self.at_line(
                            err!(
                                INVALID_TEXT_REPRESENTATION,
                                "skipped more than REJECT_LIMIT ({}) rows due to data type incompatibility",
                                self.o.reject_limit
                            ),
                            lines.line_no,
                            None,
                        ));
                    }
                    return Ok(());
                }
                Err(e) => {
                    let shown = shorten(bytes);
                    return Err(e.context(format!(
                        "COPY {}, line {}, column {}: \"{shown}\"",
                        self.rel.name, lines.line_no, column.name
                    )));
                }
            }
        }
        self.rows.push(row);
        self.lines.push((lines.line_no, lines.line.clone()));
        Ok(())
    }

    /// Adds PostgreSQL's context line.
    fn at_line(&self, e: PgError, line: u64, text: Option<&[u8]>) -> PgError {
        match text {
            Some(text) => e.context(format!("COPY {}, line {line}: \"{}\"", self.rel.name, shorten(text))),
            None => e.context(format!("COPY {}, line {line}", self.rel.name)),
        }
    }

    /// Runs the INSERT over the pending rows.
    fn flush(&mut self) -> PgResult<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = Arc::new(std::mem::take(&mut self.rows));
        self.host.set_tuplestore(STORE, Some((self.source.clone(), rows)));
        let mut executor = Executor::new(self.prepared.clone(), Arc::from([]));
        let result = executor.run(&self.exec, 0, &mut |_| Ok(true));
        if let Err(e) = result {
            // Rows go in one by one, so the first row not counted is the one that failed.
            let at = (executor.processed() as usize).min(self.lines.len() - 1);
            let (line, text) = std::mem::take(&mut self.lines[at]);
            return Err(self.at_line(e, line, Some(&text)));
        }
        self.loaded += executor.processed();
        self.lines.clear();
        Ok(())
    }

    fn run_binary(&mut self) -> PgResult<()> {
        let mut data = Vec::new();
        let mut pos = 0;
        let mut line = 0u64;
        let mut eof = false;
        // Why a loop over what is at hand: rows straddle chunks; an incomplete one waits for more input.
        let mut started = false;
        loop {
            loop {
                if !started {
                    if data.len() < super::to::BINARY_HEADER.len() {
                        break;
                    }
                    if data[..11] != super::to::BINARY_HEADER[..11] {
                        bail!(BAD_COPY_FILE_FORMAT, "COPY file signature not recognized");
                    }
                    started = true;
                    pos = super::to::BINARY_HEADER.len();
                }
                match self.binary_row(&data[pos..], line + 1)? {
                    BinaryRow::Incomplete => break,
                    BinaryRow::End => return Ok(()),
                    BinaryRow::Row(used, row) => {
                        pos += used;
                        line += 1;
                        self.rows.push(row);
                        self.lines.push((line, Vec::new()));
                        if self.rows.len() >= BATCH {
                            self.flush()?;
                        }
                    }
                }
            }
            if eof {
                if started && pos == data.len() {
                    return Ok(());
                }
                bail!(BAD_COPY_FILE_FORMAT, "unexpected EOF in COPY data");
            }
            data.drain(..pos.min(data.len()));
            pos = 0;
            match self.next_chunk()? {
                Some(c) => data.extend_from_slice(&c),
                None => eof = true,
            }
        }
    }

    fn binary_row(&self, data: &[u8], line: u64) -> PgResult<BinaryRow> {
        let Some(count) = data.first_chunk::<2>() else { return Ok(BinaryRow::Incomplete) };
        let count = i16::from_be_bytes(*count);
        if count == -1 {
            return Ok(BinaryRow::End);
        }
        if count as usize != self.columns.len() {
            return Err(self.at_line(
                err!(BAD_COPY_FILE_FORMAT, "row field count is {count}, expected {}", self.columns.len()),
                line,
                None,
            ));
        }
        let mut pos = 2;
        let mut row = Vec::with_capacity(self.columns.len());
        for i in self.columns {
            let column = &self.rel.columns[*i];
            let Some(len) = data.get(pos..pos + 4).and_then(|b| b.first_chunk::<4>()) else {
                return Ok(BinaryRow::Incomplete);
            };
            let len = i32::from_be_bytes(*len);
            pos += 4;
            if len == -1 {
                row.push(Datum::Null);
                continue;
            }
            if len < 0 {
                return Err(self.at_line(err!(BAD_COPY_FILE_FORMAT, "invalid field size"), line, None));
            }
            let Some(bytes) = data.get(pos..pos + len as usize) else { return Ok(BinaryRow::Incomplete) };
            pos += len as usize;
            row.push(binary::binary_recv(self.types, column.type_oid, column.typmod, bytes).map_err(
                |e| e.context(format!("COPY {}, line {line}, column {}", self.rel.name, column.name)),
            )?);
        }
        Ok(BinaryRow::Row(pos, row))
    }
}

enum BinaryRow {
    Incomplete,
    End,
    Row(usize, Row),
}

/// At most 100 bytes of a row, as PostgreSQL shows it in contexts.
fn shorten(text: &[u8]) -> String {
    let s = String::from_utf8_lossy(text);
    if s.len() <= 100 {
        return s.into_owned();
    }
    format!("{}...", &s[..s.floor_char_boundary(100)])
}
