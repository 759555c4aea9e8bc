//! What EXPLAIN ANALYZE tells of a node beyond its rows: sort method, hash table, caches, stores, index searches.

use pglite_exec::instrument::{Detail, NodeStats};
use pglite_ir::plan::PlanNode;

use super::output::{Out, Value};

/// The least that PostgreSQL reports for a sort, for a table of groups, for kept rows.
const MIN_SORT: usize = 25;
const MIN_GROUPS: usize = 24;
const MIN_STORE: usize = 17;

fn kilobytes(bytes: usize) -> usize {
    bytes.div_ceil(1024)
}

fn number(n: impl ToString) -> Value {
    Value::Number(n.to_string())
}

/// The lines after a node's conditions.
pub fn push(out: &mut Out, node: &PlanNode, s: &NodeStats, text: bool) {
    match (node, s.detail) {
        (PlanNode::IndexOnlyScan(_), _) => {
            // Entries have versions of their own: the table is never asked.
            out.push("Heap Fetches", number(0), true);
            out.push("Index Searches", number(s.searches), true);
        }
        (PlanNode::IndexScan(_), _) => out.push("Index Searches", number(s.searches), true),
        (_, Detail::Sort { method, bytes, disk }) => {
            sort(out, method, kilobytes(bytes).max(MIN_SORT), disk, text)
        }
        (_, Detail::Groups { bytes }) => {
            let kb = kilobytes(bytes).max(MIN_GROUPS);
            if text {
                out.text("Batches", format!("1  Memory Usage: {kb}kB"));
            } else {
                out.push("HashAgg Batches", number(1), true);
                out.push("Peak Memory Usage", number(kb), true);
                out.push("Disk Usage", number(0), true);
            }
        }
        (_, Detail::Cache((hits, misses, evictions, bytes))) => {
            let kb = kilobytes(bytes).max(1);
            if text {
                out.text(
                    "Hits",
                    format!(
                        "{hits}  Misses: {misses}  Evictions: {evictions}  Overflows: 0  Memory Usage: {kb}kB"
                    ),
                );
            } else {
                out.push("Cache Hits", number(hits), true);
                out.push("Cache Misses", number(misses), true);
                out.push("Cache Evictions", number(evictions), true);
                out.push("Cache Overflows", number(0), true);
                out.push("Peak Memory Usage", number(kb), true);
            }
        }
        (_, Detail::Store { bytes }) => {
            let kb = kilobytes(bytes).max(MIN_STORE);
            if text {
                out.text("Storage", format!("Memory  Maximum Storage: {kb}kB"));
            } else {
                out.push("Storage", Value::Text("Memory".into()), true);
                out.push("Maximum Storage", number(kb), true);
            }
        }
        _ => {}
    }
}

fn sort(out: &mut Out, method: &str, kb: usize, disk: bool, text: bool) {
    let place = if disk { "Disk" } else { "Memory" };
    if text {
        out.text("Sort Method", format!("{method}  {place}: {kb}kB"));
        return;
    }
    out.push("Sort Method", Value::Text(method.to_string()), true);
    out.push("Sort Space Used", number(kb), true);
    out.push("Sort Space Type", Value::Text(place.to_string()), true);
}

/// The Hash node of a join.
pub fn hash(out: &mut Out, join: &NodeStats, text: bool) {
    let Detail::Hash { planned, buckets, bytes } = join.detail else { return };
    let kb = kilobytes(bytes);
    if !text {
        out.push("Hash Buckets", number(buckets), true);
        out.push("Original Hash Buckets", number(planned), true);
        out.push("Hash Batches", number(1), true);
        out.push("Original Hash Batches", number(1), true);
        out.push("Peak Memory Usage", number(kb), true);
    } else if buckets == planned {
        out.text("Buckets", format!("{buckets}  Batches: 1  Memory Usage: {kb}kB"));
    } else {
        out.text(
            "Buckets",
            format!("{buckets} (originally {planned})  Batches: 1 (originally 1)  Memory Usage: {kb}kB"),
        );
    }
}
