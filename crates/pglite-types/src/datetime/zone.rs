//! Time zones: named, POSIX-style and fixed offsets.

use std::sync::Arc;

/// A time zone of the session or of an `AT TIME ZONE`; cheap to clone.
#[derive(Clone, Debug)]
pub struct TimeZone(Arc<Zone>);

#[derive(Debug)]
struct Zone {
    name: String,
}

impl TimeZone {
    pub fn utc() -> TimeZone {
        TimeZone(Arc::new(Zone { name: "UTC".into() }))
    }
    pub fn name(&self) -> &str {
        &self.0.name
    }
}
