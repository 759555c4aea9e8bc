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
