//! The queries of the system views and of information_schema: our own SQL, in `data/views`.
//!
//! A file holds many views, each after a line `-- view schema.name`. Names in the queries are meant for a search path of
//! pg_catalog alone; objects of information_schema are written with their schema.

use std::collections::HashMap;
use std::sync::OnceLock;

const FILES: &[&str] = &[
    include_str!("../data/views/pg_catalog.sql"),
    include_str!("../data/views/statistics.sql"),
    include_str!("../data/views/information_schema.sql"),
];

type Views = HashMap<&'static str, &'static str>;

fn views() -> &'static Views {
    static VIEWS: OnceLock<Views> = OnceLock::new();
    VIEWS.get_or_init(|| {
        let chunks = FILES.iter().flat_map(|f| f.split("-- view ").skip(1));
        chunks.filter_map(|c| c.split_once('\n')).map(|(name, sql)| (name.trim(), sql.trim_end())).collect()
    })
}

/// The query of a system view, by schema and name.
pub fn definition(schema: &str, name: &str) -> Option<&'static str> {
    if !matches!(schema, "pg_catalog" | "information_schema") {
        return None;
    }
    views().get(format!("{schema}.{name}").as_str()).copied()
}

/// All system views as (schema.name, query).
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    views().iter().map(|(n, q)| (*n, *q))
}
