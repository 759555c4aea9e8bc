//! Geometric types.

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// Any geometric value; the SQL type is the variant.
#[derive(Clone, Debug, PartialEq)]
pub enum Geo {
    Point(Point),
    Lseg([Point; 2]),
    Path {
        closed: bool,
        points: Vec<Point>,
    },
    /// High corner (upper right) first.
    Box {
        high: Point,
        low: Point,
    },
    Polygon {
        points: Vec<Point>,
    },
    /// `Ax + By + C = 0`.
    Line {
        a: f64,
        b: f64,
        c: f64,
    },
    Circle {
        center: Point,
        radius: f64,
    },
}

impl Geo {
    /// The points of a value that has any.
    pub fn points(&self) -> &[Point] {
        match self {
            Geo::Point(p) => std::slice::from_ref(p),
            Geo::Lseg(p) => p,
            Geo::Path { points, .. } | Geo::Polygon { points } => points,
            Geo::Circle { center, .. } => std::slice::from_ref(center),
            Geo::Box { .. } | Geo::Line { .. } => &[],
        }
    }
    /// Every number of the value, in storage order.
    pub fn coordinates(&self) -> impl Iterator<Item = f64> + '_ {
        let extra = match self {
            Geo::Box { high, low } => [Some(high.x), Some(high.y), Some(low.x), Some(low.y)],
            Geo::Line { a, b, c } => [Some(*a), Some(*b), Some(*c), None],
            Geo::Circle { radius, .. } => [Some(*radius), None, None, None],
            _ => [None; 4],
        };
        self.points().iter().flat_map(|p| [p.x, p.y]).chain(extra.into_iter().flatten())
    }
}

mod io;
mod ops;

pub use io::{geo_in, geo_out};
pub use ops::*;

/// A box from two opposite corners.
pub fn make_box(a: Point, b: Point) -> Geo {
    let order = |p: f64, q: f64| if crate::compare::cmp_f64(p, q).is_ge() { (p, q) } else { (q, p) };
    let (hx, lx) = order(a.x, b.x);
    let (hy, ly) = order(a.y, b.y);
    Geo::Box { high: Point { x: hx, y: hy }, low: Point { x: lx, y: ly } }
}
