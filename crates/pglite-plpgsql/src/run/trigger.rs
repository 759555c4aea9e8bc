//! Trigger functions: NEW, OLD and the TG_ variables.

use std::sync::Arc;

use pglite_error::PgResult;
use pglite_types::array::ArrayValue;
use pglite_types::record::RecordValue;
use pglite_types::{AttrDesc, Datum, Oid, Row, oid};

use super::{Call, Exec};
use crate::host::PlHost;
use crate::tree::Function;

/// One firing of a trigger.
pub struct TriggerData<'a> {
    pub name: &'a str,
    /// BEFORE, AFTER, INSTEAD OF.
    pub when: &'static str,
    /// ROW, STATEMENT.
    pub level: &'static str,
    /// INSERT, UPDATE, DELETE, TRUNCATE.
    pub op: &'static str,
    pub table: Oid,
    pub table_name: &'a str,
    pub schema: &'a str,
    pub args: Vec<String>,
    pub row_type: Oid,
    pub attrs: Arc<[AttrDesc]>,
    pub old: Option<Row>,
    pub new: Option<Row>,
}

/// Runs a trigger function. None: it returned NULL.
pub fn call_trigger(host: &dyn PlHost, f: &Function, data: TriggerData<'_>) -> PgResult<Option<Row>> {
    let call = Call { atomic: true, expected: None, args: &[] };
    let mut x = Exec::new(host, f, &call);
    let attrs = data.attrs.clone();
    let record = |values: Row| {
        Arc::new(RecordValue { type_oid: data.row_type, typmod: -1, attrs: attrs.clone(), values })
    };
    if let Some((new, old)) = f.new_old {
        for (dno, values) in [(new, data.new), (old, data.old)] {
            let missing = values.is_none();
            let row = record(values.unwrap_or_else(|| vec![Datum::Null; attrs.len()]));
            if missing {
                x.empty.push((dno, row.clone()));
            }
            x.vals[dno] = Datum::Record(row);
        }
    }
    let args: Vec<Datum> = data.args.iter().map(|a| Datum::text(a.as_str())).collect();
    let n = args.len() as i32;
    let argv = if n == 0 {
        Datum::Null
    } else {
        Datum::Array(Arc::new(ArrayValue::one_dim_from(oid::TEXT, 0, args)))
    };
    let values = [
        Datum::text(data.name),
        Datum::text(data.when),
        Datum::text(data.level),
        Datum::text(data.op),
        Datum::Oid(data.table),
        Datum::text(data.table_name),
        Datum::text(data.table_name),
        Datum::text(data.schema),
        Datum::Int4(n),
        argv,
    ];
    for (dno, v) in f.promises.iter().zip(values) {
        x.vals[*dno] = v;
    }
    x.guarded(|x| {
        x.body()?;
        // PG: what a statement trigger returns does not matter.
        if data.level == "STATEMENT" { Ok(None) } else { x.trigger_result(&attrs) }
    })
}
