//! Comparing pieces of syntax regardless of where they stand, by their printed structure.

use pglite_parser::ast;

/// Whether two expressions were written the same way.
pub(crate) fn same(a: &ast::Expr, b: &ast::Expr) -> bool {
    let (a, b) = (format!("{a:?}"), format!("{b:?}"));
    strip_locations(&a) == strip_locations(&b)
}

pub(crate) fn same_all(a: &[ast::Expr], b: &[ast::Expr]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same(x, y))
}

pub(crate) fn same_opt(a: &Option<ast::Expr>, b: &Option<ast::Expr>) -> bool {
    match (a, b) {
        (Some(x), Some(y)) => same(x, y),
        (None, None) => true,
        _ => false,
    }
}

/// Drops the numbers after `location: `.
fn strip_locations(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = text.split("location: ");
    out.push_str(parts.next().unwrap_or(""));
    for p in parts {
        out.push_str(p.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit()));
    }
    out
}
