//! COPY TO: runs a query and formats its rows.

use std::sync::Arc;

use pglite_analyze::{ParamTypes, analyze, rewrite};
use pglite_catalog::names::{quote_ident, quote_qualified};
use pglite_error::{PgError, PgResult, bail, err};
use pglite_exec::{ExecEnv, Executor, Prepared};
use pglite_ir::CommandType;
use pglite_parser::ast::{CopyStmt, RawStmt, Statement};
use pglite_planner::PlanOptions;
use pglite_types::{Batch, Datum, Oid, TypeEnv, binary, text};

use super::end::End;
use super::options::Header;
use super::{Format, Options};
use crate::host::{CommandHost, StatementEnv};

/// The 11-byte signature, flags and extension length of the binary format.
pub(super) const BINARY_HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

pub(super) fn copy_to(
    host: &dyn CommandHost,
    s: &CopyStmt,
    raw: &Arc<RawStmt>,
    o: &Options,
) -> PgResult<u64> {
    let env = host.env();
    let (stmt, source) = query_of(&*env, host, s, raw)?;
    let query = analyze(env.as_analyze_env(), &stmt, &source, &mut ParamTypes::none())?;
    let mut queries = rewrite(env.as_analyze_env(), query)?;
    let Some(query) = queries.pop().filter(|_| queries.is_empty()) else {
        bail!(FEATURE_NOT_SUPPORTED, "multi-statement DO INSTEAD rules are not supported for COPY");
    };
    if query.command != CommandType::Select && query.returning.is_empty() {
        return Err(PgError::unsupported("COPY query must have a RETURNING clause"));
    }
    let targets = if query.command == CommandType::Select { &query.targets } else { &query.returning };
    let columns: Vec<(String, Oid)> = targets
        .iter()
        .filter(|t| !t.junk)
        .map(|t| (t.name.clone().unwrap_or_default(), t.expr.ty()))
        .collect();
    let planned = pglite_planner::plan(env.as_planner_env(), query, PlanOptions::default())?;
    let exec_env = ExecEnv {
        txn: host.txn(),
        view: host.view(),
        host: env.as_fn_host(),
        hooks: env.as_exec_hooks(),
        work_mem: 4 << 20,
    };
    let prepared = Prepared::compile(Arc::new(planned), &exec_env)?;
    let mut writer = Writer::new(o, columns);
    let binary = o.format == Format::Binary;
    let width = writer.columns.len();
    let end = End::open(host, s)?;
    end.begin_out(binary, width)?;
    if o.header != Header::No {
        writer.header();
        end.write(&writer.out)?;
        writer.out.clear();
    }
    if binary {
        writer.out.extend_from_slice(BINARY_HEADER);
    }
    let mut rows = 0;
    let types = env.as_fn_host();
    Executor::new(prepared, Arc::from([])).run(&exec_env, 0, &mut |batch: &mut Batch| {
        for row in batch.rows() {
            writer.row(types, row)?;
            rows += 1;
            // One message a row, as PostgreSQL sends them; chunked towards the socket by the client itself.
            end.write(&writer.out)?;
            writer.out.clear();
        }
        Ok(true)
    })?;
    if binary {
        writer.out.extend_from_slice(&(-1i16).to_be_bytes());
    }
    if !writer.out.is_empty() {
        end.write(&writer.out)?;
    }
    end.finish()?;
    Ok(rows)
}

/// The query to run: the one given, or a SELECT over the relation.
fn query_of(
    env: &dyn StatementEnv,
    host: &dyn CommandHost,
    s: &CopyStmt,
    raw: &Arc<RawStmt>,
) -> PgResult<(Arc<RawStmt>, String)> {
    if let Some(query) = &s.query {
        if let Statement::SelectStmt(q) = query
            && q.leftmost_into().is_some()
        {
            return Err(PgError::unsupported("COPY (SELECT INTO) is not supported"));
        }
        let inner = RawStmt { stmt: query.clone(), location: raw.location, len: raw.len };
        return Ok((Arc::new(inner), host.source().to_string()));
    }
    let Some(rel) = super::relation(env, s)? else { bail!(INTERNAL_ERROR, "COPY without a source") };
    match rel.kind {
        b'r' => {}
        b'm' if rel.populated => {}
        b'm' => {
            return Err(err!(
                OBJECT_NOT_IN_PREREQUISITE_STATE,
                "cannot copy from unpopulated materialized view \"{}\"",
                rel.name
            )
            .hint("Use the REFRESH MATERIALIZED VIEW command to populate the materialized view first."));
        }
        b'v' => return Err(variant("view", &rel.name)),
        b'f' => return Err(variant("foreign table", &rel.name)),
        b'p' => return Err(variant("partitioned table", &rel.name)),
        b'S' => bail!(WRONG_OBJECT_TYPE, "cannot copy from sequence \"{}\"", rel.name),
        _ => bail!(WRONG_OBJECT_TYPE, "cannot copy from non-table relation \"{}\"", rel.name),
    }
    let columns: Vec<String> =
        super::columns(&rel, &s.attlist)?.into_iter().map(|i| quote_ident(&rel.columns[i].name)).collect();
    let schema = env.as_fn_host().catalog().namespace_name(rel.namespace).map(str::to_string);
    let sql =
        format!("SELECT {} FROM ONLY {}", columns.join(", "), quote_qualified(schema.as_deref(), &rel.name));
    let mut parsed = pglite_parser::parse(&sql, &pglite_parser::ParseOptions::default())?;
    match parsed.stmts.pop() {
        Some(stmt) => Ok((Arc::new(stmt), sql)),
        None => bail!(INTERNAL_ERROR, "COPY query is empty"),
    }
}

fn variant(kind: &str, name: &str) -> PgError {
    err!(WRONG_OBJECT_TYPE, "cannot copy from {kind} \"{name}\"")
        .hint("Try the COPY (SELECT ...) TO variant.")
}

struct Writer<'o> {
    o: &'o Options,
    columns: Vec<(String, Oid)>,
    force_quote: Vec<bool>,
    /// What stands after the backslash for each byte of the text format; 0 = the byte stands for itself.
    escapes: [u8; 256],
    /// Bytes that make a csv field quoted.
    quoted: [bool; 256],
    out: Vec<u8>,
    scratch: String,
}

impl<'o> Writer<'o> {
    fn new(o: &'o Options, columns: Vec<(String, Oid)>) -> Writer<'o> {
        let force_quote = columns.iter().map(|(n, _)| o.force_quote.has(n)).collect();
        let (mut escapes, mut quoted) = ([0; 256], [false; 256]);
        for (b, e) in [(8, b'b'), (12, b'f'), (b'\n', b'n'), (b'\r', b'r'), (b'\t', b't'), (11, b'v')] {
            escapes[b as usize] = e;
        }
        for b in [b'\\', o.delimiter] {
            escapes[b as usize] = if escapes[b as usize] == 0 { b } else { escapes[b as usize] };
        }
        for b in [o.delimiter, o.quote, b'\n', b'\r'] {
            quoted[b as usize] = true;
        }
        Writer { o, columns, force_quote, escapes, quoted, out: Vec::new(), scratch: String::new() }
    }

    fn header(&mut self) {
        let names: Vec<String> = self.columns.iter().map(|c| c.0.clone()).collect();
        for (i, name) in names.iter().enumerate() {
            if i > 0 {
                self.out.push(self.o.delimiter);
            }
            self.field(name, false);
        }
        self.out.push(b'\n');
    }

    fn row(&mut self, env: &dyn TypeEnv, row: &[Datum]) -> PgResult<()> {
        if self.o.format == Format::Binary {
            return self.binary_row(env, row);
        }
        for (i, value) in row.iter().take(self.columns.len()).enumerate() {
            if i > 0 {
                self.out.push(self.o.delimiter);
            }
            if value.is_null() {
                self.out.extend_from_slice(self.o.null.as_bytes());
                continue;
            }
            if let Datum::Text(text) = value {
                self.field(text, self.force_quote[i]);
                continue;
            }
            let mut scratch = std::mem::take(&mut self.scratch);
            scratch.clear();
            text::text_out(env, self.columns[i].1, value, &mut scratch)?;
            self.field(&scratch, self.force_quote[i]);
            self.scratch = scratch;
        }
        self.out.push(b'\n');
        Ok(())
    }

    fn field(&mut self, value: &str, force: bool) {
        if self.o.format == Format::Csv { self.csv_field(value, force) } else { self.text_field(value) }
    }

    fn text_field(&mut self, value: &str) {
        let bytes = value.as_bytes();
        let mut from = 0;
        for (i, b) in bytes.iter().enumerate() {
            let escape = self.escapes[*b as usize];
            if escape != 0 {
                self.out.extend_from_slice(&bytes[from..i]);
                self.out.extend_from_slice(&[b'\\', escape]);
                from = i + 1;
            }
        }
        self.out.extend_from_slice(&bytes[from..]);
    }

    fn csv_field(&mut self, value: &str, force: bool) {
        let (q, e) = (self.o.quote, self.o.escape);
        // PG: a lone \. would read as the end of data.
        let lone = self.columns.len() == 1 && value == "\\.";
        let quote = force || lone || value == self.o.null || value.bytes().any(|b| self.quoted[b as usize]);
        if !quote {
            self.out.extend_from_slice(value.as_bytes());
            return;
        }
        self.out.push(q);
        for b in value.bytes() {
            if b == q || b == e {
                self.out.push(e);
            }
            self.out.push(b);
        }
        self.out.push(q);
    }

    fn binary_row(&mut self, env: &dyn TypeEnv, row: &[Datum]) -> PgResult<()> {
        self.out.extend_from_slice(&(self.columns.len() as i16).to_be_bytes());
        for (value, (_, ty)) in row.iter().zip(&self.columns) {
            if value.is_null() {
                self.out.extend_from_slice(&(-1i32).to_be_bytes());
                continue;
            }
            let at = self.out.len();
            self.out.extend_from_slice(&[0; 4]);
            binary::binary_send(env, *ty, value, &mut self.out)?;
            let len = (self.out.len() - at - 4) as u32;
            self.out[at..at + 4].copy_from_slice(&len.to_be_bytes());
        }
        Ok(())
    }
}
