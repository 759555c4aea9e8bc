//! Composite values.

use std::sync::Arc;

use crate::io::AttrDesc;
use crate::{Datum, Oid, oid};

/// A row value. `type_oid` is the named composite type, or RECORD for an anonymous row described by `attrs`.
#[derive(Clone, Debug)]
pub struct RecordValue {
    pub type_oid: Oid,
    pub typmod: i32,
    pub attrs: Arc<[AttrDesc]>,
    pub values: Vec<Datum>,
}

impl RecordValue {
    pub fn anonymous(attrs: Arc<[AttrDesc]>, values: Vec<Datum>) -> RecordValue {
        RecordValue { type_oid: oid::RECORD, typmod: -1, attrs, values }
    }
    /// The position of the live attribute `name`.
    pub fn attr(&self, name: &str) -> Option<usize> {
        self.attrs.iter().position(|a| !a.dropped && &*a.name == name)
    }
}
