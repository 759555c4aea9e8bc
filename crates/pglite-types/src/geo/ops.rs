//! Geometry: fuzzy comparison and the measures that functions and operators build on.

use pglite_error::PgResult;

use super::{Geo, Point};

/// Differences up to this do not count.
pub const EPSILON: f64 = 1.0e-6;

pub fn fp_eq(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= EPSILON
}

pub fn fp_lt(a: f64, b: f64) -> bool {
    a + EPSILON < b
}

pub fn fp_le(a: f64, b: f64) -> bool {
    a <= b + EPSILON
}

/// Points are equal within [`EPSILON`]; with NaN, bit for bit.
pub fn point_eq(a: &Point, b: &Point) -> bool {
    if a.x.is_nan() || a.y.is_nan() || b.x.is_nan() || b.y.is_nan() {
        let same = |x: f64, y: f64| x == y || (x.is_nan() && y.is_nan());
        return same(a.x, b.x) && same(a.y, b.y);
    }
    fp_eq(a.x, b.x) && fp_eq(a.y, b.y)
}

pub fn distance(a: &Point, b: &Point) -> f64 {
    (a.x - b.x).hypot(a.y - b.y)
}

/// The slope from `a` to `b`; infinite for a vertical line.
pub fn slope(a: &Point, b: &Point) -> f64 {
    if fp_eq(a.x, b.x) {
        f64::INFINITY
    } else if fp_eq(a.y, b.y) {
        0.0
    } else {
        (a.y - b.y) / (a.x - b.x)
    }
}

/// The line of slope `m` through a point.
pub fn line_at(p: &Point, m: f64) -> Geo {
    if m.is_infinite() {
        return Geo::Line { a: -1.0, b: 0.0, c: p.x };
    }
    if m == 0.0 {
        return Geo::Line { a: 0.0, b: -1.0, c: p.y };
    }
    let mut c = p.y - m * p.x;
    if c == 0.0 {
        // No negative zero.
        c = 0.0;
    }
    Geo::Line { a: m, b: -1.0, c }
}

pub fn line_through(a: &Point, b: &Point) -> PgResult<Geo> {
    Ok(line_at(a, slope(a, b)))
}

/// The bounding box of points: high and low corner.
pub fn bounds(points: &[Point]) -> Option<(Point, Point)> {
    let first = *points.first()?;
    Some(points.iter().fold((first, first), |(h, l), p| {
        (Point { x: h.x.max(p.x), y: h.y.max(p.y) }, Point { x: l.x.min(p.x), y: l.y.min(p.y) })
    }))
}

/// Twice the signed area of a polygon, halved and made positive.
pub fn polygon_area(points: &[Point]) -> f64 {
    let n = points.len();
    let twice: f64 = (0..n)
        .map(|i| {
            let (p, q) = (&points[i], &points[(i + 1) % n]);
            p.x * q.y - p.y * q.x
        })
        .sum();
    twice.abs() / 2.0
}
