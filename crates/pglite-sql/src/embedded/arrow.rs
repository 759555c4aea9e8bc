//! Results as Arrow record batches (feature `arrow`): for an embedder whose next stage is columnar.
//!
//! Rows leave the executor a portal's row limit at a time, so a stream holds one batch, not the result. Types with a
//! counterpart in Arrow get it (see [`data_type`]); all others come as text in PostgreSQL's own form.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, Date32Builder, Float32Builder, Float64Builder, Int16Builder,
    Int32Builder, Int64Builder, RecordBatch, RecordBatchOptions, StringBuilder, Time64MicrosecondBuilder,
    TimestampMicrosecondBuilder, UInt32Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use pglite_commands::{Client, OutColumn, PendingCommit};
use pglite_error::{PgError, PgResult, bail};
use pglite_types::{Batch, Datum, Oid, TypeEnv, oid, text};

use crate::session::{ExecuteOutcome, Session};

/// Rows of a batch, at most.
const BATCH_ROWS: usize = 8192;
const UNIX_EPOCH_DAYS: i32 = 10_957;
const UNIX_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// A query's batches. Dropping it ends the query.
pub struct ArrowStream<'s> {
    session: &'s mut Session,
    sink: Sink,
    done: bool,
}

impl Session {
    /// Runs one query and hands its rows out as record batches.
    pub fn query_arrow(&mut self, sql: &str) -> PgResult<ArrowStream<'_>> {
        let begun = self.begin_arrow(sql);
        match begun {
            Ok(sink) => Ok(ArrowStream { session: self, sink, done: false }),
            Err(e) => {
                self.fail(&e);
                Err(e)
            }
        }
    }

    fn begin_arrow(&mut self, sql: &str) -> PgResult<Sink> {
        let mut sink = Sink::default();
        self.parse("", sql, &[], &mut sink)?;
        self.bind("", "", &[], &[], &[], &mut sink)?;
        let Some((columns, _)) = self.describe_portal("")? else {
            bail!(WRONG_OBJECT_TYPE, "the statement returns no rows");
        };
        let fields: Vec<Field> =
            columns.iter().map(|c| Field::new(&*c.name, data_type(c.ty), true)).collect();
        sink.builders = columns.iter().map(|c| Builder::of(c.ty)).collect();
        sink.schema = Arc::new(Schema::new(fields));
        Ok(sink)
    }
}

impl ArrowStream<'_> {
    pub fn schema(&self) -> SchemaRef {
        self.sink.schema.clone()
    }

    fn step(&mut self) -> PgResult<Option<RecordBatch>> {
        let outcome = self.session.execute_portal("", BATCH_ROWS, &mut self.sink)?;
        if outcome == ExecuteOutcome::Complete {
            self.done = true;
            self.finish()?;
        }
        if self.sink.rows == 0 {
            return Ok(None);
        }
        let arrays: Vec<ArrayRef> = self.sink.builders.iter_mut().map(Builder::finish).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(std::mem::take(&mut self.sink.rows)));
        RecordBatch::try_new_with_options(self.sink.schema.clone(), arrays, &options)
            .map(Some)
            .map_err(|e| PgError::internal(format!("could not build a record batch: {e}")))
    }

    fn finish(&mut self) -> PgResult<()> {
        self.session.close_portal("");
        self.session.sync(&mut self.sink)?;
        self.sink.commit.take().map_or(Ok(()), |c| c.wait())
    }
}

impl Iterator for ArrowStream<'_> {
    type Item = PgResult<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let step = self.step();
        if let Err(e) = &step {
            self.done = true;
            self.session.fail(e);
        }
        step.transpose()
    }
}

impl Drop for ArrowStream<'_> {
    fn drop(&mut self) {
        if !self.done
            && let Err(e) = self.finish()
        {
            self.session.fail(&e);
        }
    }
}

/// The Arrow type of a PostgreSQL type; text for what Arrow has no exact counterpart of.
pub fn data_type(ty: Oid) -> DataType {
    match ty {
        oid::BOOL => DataType::Boolean,
        oid::INT2 => DataType::Int16,
        oid::INT4 => DataType::Int32,
        oid::INT8 => DataType::Int64,
        oid::OID => DataType::UInt32,
        oid::FLOAT4 => DataType::Float32,
        oid::FLOAT8 => DataType::Float64,
        oid::BYTEA => DataType::Binary,
        oid::DATE => DataType::Date32,
        oid::TIME => DataType::Time64(TimeUnit::Microsecond),
        oid::TIMESTAMP => DataType::Timestamp(TimeUnit::Microsecond, None),
        oid::TIMESTAMPTZ => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        _ => DataType::Utf8,
    }
}

/// A column being gathered.
enum Builder {
    Bool(BooleanBuilder),
    Int2(Int16Builder),
    Int4(Int32Builder),
    Int8(Int64Builder),
    Oid(UInt32Builder),
    Float4(Float32Builder),
    Float8(Float64Builder),
    Bytes(BinaryBuilder),
    Date(Date32Builder),
    Time(Time64MicrosecondBuilder),
    Timestamp(TimestampMicrosecondBuilder),
    Text(StringBuilder),
}

/// One call on whichever builder it is.
macro_rules! each {
    ($self:expr, $b:ident => $e:expr) => {
        match $self {
            Builder::Bool($b) => $e,
            Builder::Int2($b) => $e,
            Builder::Int4($b) => $e,
            Builder::Int8($b) => $e,
            Builder::Oid($b) => $e,
            Builder::Float4($b) => $e,
            Builder::Float8($b) => $e,
            Builder::Bytes($b) => $e,
            Builder::Date($b) => $e,
            Builder::Time($b) => $e,
            Builder::Timestamp($b) => $e,
            Builder::Text($b) => $e,
        }
    };
}

impl Builder {
    fn of(ty: Oid) -> Builder {
        match ty {
            oid::BOOL => Builder::Bool(BooleanBuilder::new()),
            oid::INT2 => Builder::Int2(Int16Builder::new()),
            oid::INT4 => Builder::Int4(Int32Builder::new()),
            oid::INT8 => Builder::Int8(Int64Builder::new()),
            oid::OID => Builder::Oid(UInt32Builder::new()),
            oid::FLOAT4 => Builder::Float4(Float32Builder::new()),
            oid::FLOAT8 => Builder::Float8(Float64Builder::new()),
            oid::BYTEA => Builder::Bytes(BinaryBuilder::new()),
            oid::DATE => Builder::Date(Date32Builder::new()),
            oid::TIME => Builder::Time(Time64MicrosecondBuilder::new()),
            oid::TIMESTAMP => Builder::Timestamp(TimestampMicrosecondBuilder::new()),
            oid::TIMESTAMPTZ => {
                Builder::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(data_type(ty)))
            }
            _ => Builder::Text(StringBuilder::new()),
        }
    }

    fn push(&mut self, env: &dyn TypeEnv, ty: Oid, value: &Datum, scratch: &mut String) -> PgResult<()> {
        match (self, value) {
            (this, Datum::Null) => each!(this, b => b.append_null()),
            (Builder::Bool(b), Datum::Bool(v)) => b.append_value(*v),
            (Builder::Int2(b), Datum::Int2(v)) => b.append_value(*v),
            (Builder::Int4(b), Datum::Int4(v)) => b.append_value(*v),
            (Builder::Int8(b), Datum::Int8(v)) => b.append_value(*v),
            (Builder::Oid(b), Datum::Oid(v)) => b.append_value(v.0),
            (Builder::Float4(b), Datum::Float4(v)) => b.append_value(*v),
            (Builder::Float8(b), Datum::Float8(v)) => b.append_value(*v),
            (Builder::Bytes(b), Datum::Bytea(v)) => b.append_value(v),
            (Builder::Date(b), Datum::Date(v)) => {
                b.append_value(
                    v.checked_add(UNIX_EPOCH_DAYS).filter(|_| *v != i32::MIN).ok_or_else(infinite)?,
                );
            }
            (Builder::Time(b), Datum::Time(v)) => b.append_value(*v),
            (Builder::Timestamp(b), Datum::Timestamp(v)) => {
                b.append_value(
                    v.checked_add(UNIX_EPOCH_MICROS).filter(|_| *v != i64::MIN).ok_or_else(infinite)?,
                );
            }
            (Builder::Text(b), Datum::Text(v)) => b.append_value(v),
            (Builder::Text(b), v) => {
                scratch.clear();
                text::text_out(env, ty, v, scratch)?;
                b.append_value(&*scratch);
            }
            (_, v) => return Err(PgError::internal(format!("a value of another type: {v:?}"))),
        }
        Ok(())
    }

    fn finish(&mut self) -> ArrayRef {
        each!(self, b => Arc::new(b.finish()))
    }
}

fn infinite() -> PgError {
    pglite_error::err!(DATETIME_VALUE_OUT_OF_RANGE, "infinite dates and timestamps have no form in Arrow")
}

/// The client that gathers rows into builders.
struct Sink {
    schema: SchemaRef,
    builders: Vec<Builder>,
    rows: usize,
    scratch: String,
    commit: Option<PendingCommit>,
}

impl Default for Sink {
    fn default() -> Sink {
        Sink {
            schema: Arc::new(Schema::empty()),
            builders: Vec::new(),
            rows: 0,
            scratch: String::new(),
            commit: None,
        }
    }
}

impl Client for Sink {
    fn describe_rows(&mut self, _: &[OutColumn], _: &[i16]) -> PgResult<()> {
        Ok(())
    }
    fn rows(&mut self, env: &dyn TypeEnv, columns: &[OutColumn], _: &[i16], batch: &Batch) -> PgResult<()> {
        for row in batch.rows() {
            for ((builder, column), value) in self.builders.iter_mut().zip(columns).zip(row) {
                builder.push(env, column.ty, value, &mut self.scratch)?;
            }
            self.rows += 1;
        }
        Ok(())
    }
    fn complete(&mut self, _: &str) -> PgResult<()> {
        Ok(())
    }
    fn empty_query(&mut self) -> PgResult<()> {
        Ok(())
    }
    fn notice(&mut self, _: &PgError) {}
    fn parameter_status(&mut self, _: &str, _: &str) {}
    fn notification(&mut self, _: u32, _: &str, _: &str) {}
    fn commit_pending(&mut self, commit: PendingCommit) -> PgResult<()> {
        self.commit.replace(commit).map_or(Ok(()), |earlier| earlier.wait())
    }
    fn copy_out_begin(&mut self, _: bool, _: usize) -> PgResult<()> {
        Err(PgError::unsupported("COPY to stdout needs a client connection"))
    }
    fn copy_out(&mut self, _: Option<&[u8]>) -> PgResult<()> {
        Ok(())
    }
    fn copy_in_begin(&mut self, _: bool, _: usize) -> PgResult<()> {
        Err(PgError::unsupported("COPY from stdin needs a client connection"))
    }
    fn copy_in(&mut self) -> PgResult<Option<Vec<u8>>> {
        Ok(None)
    }
}
