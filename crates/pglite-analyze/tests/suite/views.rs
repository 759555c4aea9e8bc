//! Every built-in view can be read: its stored query parses, binds and expands.

use pglite_analyze::AnalyzeEnv;
use pglite_catalog::rows::{ClassRow, NamespaceRow};

use crate::support::{env, query};

#[test]
fn built_in_views_expand() {
    let env = env();
    let catalog = env.catalog().clone();
    let mut failed = Vec::new();
    let mut count = 0;
    for class in catalog.iter::<ClassRow>().filter(|c| c.relkind == b'v') {
        let nsp = catalog.get::<NamespaceRow>(class.relnamespace).map_or("", |n| n.nspname.as_str());
        let sql = format!("select * from {nsp}.\"{}\"", class.relname);
        count += 1;
        if let Err(e) = query(&env, &sql).and_then(|(q, _)| pglite_analyze::rewrite(&env, q)) {
            failed.push(format!("{sql}: {e}"));
        }
    }
    assert!(count > 100);
    assert!(failed.is_empty(), "{} of {count} fail:\n{}", failed.len(), failed.join("\n"));
}
