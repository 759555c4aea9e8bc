//! The registry: every family's table, merged once into a map by `prosrc`.

use std::collections::HashMap;
use std::sync::OnceLock;

use pglite_ir::Body;

/// Every family's table. A new family adds its tables here.
static TABLES: &[&[(&str, Body)]] = &[
    crate::arith::int::TABLE,
    crate::arith::cmp::TABLE,
    crate::array::TABLE,
    crate::array::VARIADIC,
    crate::sets::TABLE,
    crate::json::agg::TABLE,
    crate::json::make::TABLE,
    crate::json::make::VARIADIC,
    crate::json::read::TABLE,
    crate::json::read::SETS,
    crate::json::tree::TABLE,
    crate::order::TABLE,
    crate::hashing::TABLE,
    crate::info::access::TABLE,
    crate::info::access::PRIVILEGES,
    crate::info::args::TABLE,
    crate::info::define::TABLE,
    crate::info::input::TABLE,
    crate::info::names::TABLE,
    crate::info::objects::TABLE,
    crate::info::objects::SETS,
    crate::info::server::TABLE,
    crate::info::server::SETS,
    crate::info::stats::TABLE,
    crate::info::stats::RELATIONS,
    crate::info::stats::DATABASES,
    crate::info::stats::ABSENT,
    crate::info::stats::BACKENDS,
    crate::info::stats::SETS,
    crate::info::session::TABLE,
    crate::info::session::SETS,
    crate::info::session::ADVISORY,
    crate::info::storage::TABLE,
    crate::bits::TABLE,
    crate::cast::TABLE,
    crate::formatting::date_in::TABLE,
    crate::formatting::date_out::TABLE,
    crate::formatting::number::TABLE,
    crate::geometry::TABLE,
    crate::io::TABLE,
    crate::misc::TABLE,
    crate::network::TABLE,
    crate::partition::TABLE,
    crate::ranges::CONSTRUCTORS,
    crate::ranges::TABLE,
    crate::math::float::TABLE,
    crate::math::money::TABLE,
    crate::math::number::TABLE,
    crate::math::random::TABLE,
    crate::text::bytes::TABLE,
    crate::text::digest::TABLE,
    crate::text::edit::TABLE,
    crate::text::format::TABLE,
    crate::text::like::TABLE,
    crate::text::plain::TABLE,
    crate::text::regex::functions::TABLE,
    crate::text::similar::TABLE,
    crate::text::unicode::TABLE,
    crate::time::clock::TABLE,
    crate::time::convert::TABLE,
    crate::time::ops::TABLE,
    crate::time::part::TABLE,
];

fn map() -> &'static HashMap<&'static str, &'static Body> {
    static MAP: OnceLock<HashMap<&'static str, &'static Body>> = OnceLock::new();
    MAP.get_or_init(|| TABLES.iter().flat_map(|t| t.iter()).map(|(name, body)| (*name, body)).collect())
}

/// The body of the built-in function whose `pg_proc.prosrc` is `prosrc`; None when it is not written yet.
pub fn body(prosrc: &str) -> Option<&'static Body> {
    map().get(prosrc).copied()
}

/// Every registered (prosrc, body), for tests and `xtask catalog stats`.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Body)> {
    TABLES.iter().flat_map(|t| t.iter()).map(|(name, body)| (*name, body))
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_unique() {
        let mut seen = std::collections::HashSet::new();
        for (name, _) in super::all() {
            assert!(seen.insert(name), "{name} is registered twice");
        }
    }
}
