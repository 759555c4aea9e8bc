//! Points, boxes, segments, circles: constructors, operators, measures.

use pglite_error::{PgResult, bail};
use pglite_types::geo::{self, Geo, Point, fp_eq, fp_le, fp_lt};

use crate::builtins;

/// The point a value is, or its centre.
fn point(g: &Geo) -> Point {
    match g {
        Geo::Point(p) => *p,
        Geo::Circle { center, .. } => *center,
        Geo::Box { high, low } => middle(*high, *low),
        Geo::Lseg([a, b]) => middle(*a, *b),
        _ => g.points().first().copied().unwrap_or(Point { x: 0.0, y: 0.0 }),
    }
}
fn middle(a: Point, b: Point) -> Point {
    Point { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 }
}
/// Bounding box: high and low corner.
fn frame(g: &Geo) -> (Point, Point) {
    match g {
        Geo::Box { high, low } => (*high, *low),
        Geo::Circle { center: c, radius: r } => {
            (Point { x: c.x + r, y: c.y + r }, Point { x: c.x - r, y: c.y - r })
        }
        _ => geo::bounds(g.points()).unwrap_or((point(g), point(g))),
    }
}

fn construct_point(x: f64, y: f64) -> Geo {
    Geo::Point(Point { x, y })
}
fn point_eq(a: &Geo, b: &Geo) -> bool {
    geo::point_eq(&point(a), &point(b))
}
fn point_ne(a: &Geo, b: &Geo) -> bool {
    !point_eq(a, b)
}
fn point_left(a: &Geo, b: &Geo) -> bool {
    fp_lt(point(a).x, point(b).x)
}
fn point_right(a: &Geo, b: &Geo) -> bool {
    point_left(b, a)
}
fn point_below(a: &Geo, b: &Geo) -> bool {
    fp_lt(point(a).y, point(b).y)
}
fn point_above(a: &Geo, b: &Geo) -> bool {
    point_below(b, a)
}
fn point_horiz(a: &Geo, b: &Geo) -> bool {
    fp_eq(point(a).y, point(b).y)
}
fn point_vert(a: &Geo, b: &Geo) -> bool {
    fp_eq(point(a).x, point(b).x)
}
fn point_distance(a: &Geo, b: &Geo) -> f64 {
    geo::distance(&point(a), &point(b))
}
fn point_slope(a: &Geo, b: &Geo) -> f64 {
    geo::slope(&point(a), &point(b))
}

fn plus(p: Point, q: Point) -> Point {
    Point { x: p.x + q.x, y: p.y + q.y }
}
fn minus(p: Point, q: Point) -> Point {
    Point { x: p.x - q.x, y: p.y - q.y }
}
fn times(p: Point, q: Point) -> Point {
    Point { x: p.x * q.x - p.y * q.y, y: p.x * q.y + p.y * q.x }
}
fn over(p: Point, q: Point) -> PgResult<Point> {
    let d = q.x * q.x + q.y * q.y;
    if d == 0.0 {
        bail!(DIVISION_BY_ZERO, "division by zero");
    }
    Ok(Point { x: (p.x * q.x + p.y * q.y) / d, y: (p.y * q.x - p.x * q.y) / d })
}
/// Applies a move of points to any value.
fn each(g: &Geo, f: impl Fn(Point) -> PgResult<Point>) -> PgResult<Geo> {
    Ok(match g {
        Geo::Point(p) => Geo::Point(f(*p)?),
        Geo::Lseg([a, b]) => Geo::Lseg([f(*a)?, f(*b)?]),
        Geo::Box { high, low } => geo::make_box(f(*high)?, f(*low)?),
        Geo::Path { closed, points } => {
            Geo::Path { closed: *closed, points: points.iter().map(|p| f(*p)).collect::<PgResult<_>>()? }
        }
        Geo::Polygon { points } => {
            Geo::Polygon { points: points.iter().map(|p| f(*p)).collect::<PgResult<_>>()? }
        }
        Geo::Circle { center, radius } => Geo::Circle { center: f(*center)?, radius: *radius },
        Geo::Line { .. } => g.clone(),
    })
}
fn add(a: &Geo, b: &Geo) -> PgResult<Geo> {
    each(a, |p| Ok(plus(p, point(b))))
}
fn sub(a: &Geo, b: &Geo) -> PgResult<Geo> {
    each(a, |p| Ok(minus(p, point(b))))
}
fn scaled(g: Geo, by: f64) -> Geo {
    match g {
        Geo::Circle { center, radius } => Geo::Circle { center, radius: radius * by },
        other => other,
    }
}
fn mul(a: &Geo, b: &Geo) -> PgResult<Geo> {
    let q = point(b);
    Ok(scaled(each(a, |p| Ok(times(p, q)))?, q.x.hypot(q.y)))
}
fn div(a: &Geo, b: &Geo) -> PgResult<Geo> {
    let q = point(b);
    Ok(scaled(each(a, |p| over(p, q))?, 1.0 / q.x.hypot(q.y)))
}

fn make_box(a: &Geo, b: &Geo) -> Geo {
    geo::make_box(point(a), point(b))
}
fn point_box(a: &Geo) -> Geo {
    geo::make_box(point(a), point(a))
}
fn bounding(g: &Geo) -> Geo {
    let (high, low) = match g {
        // The square inside the circle.
        Geo::Circle { center: c, radius } => {
            let d = radius / 2f64.sqrt();
            (Point { x: c.x + d, y: c.y + d }, Point { x: c.x - d, y: c.y - d })
        }
        _ => frame(g),
    };
    Geo::Box { high, low }
}
fn both(a: &Geo, b: &Geo) -> Geo {
    let ((h, l), (i, m)) = (frame(a), frame(b));
    Geo::Box {
        high: Point { x: h.x.max(i.x), y: h.y.max(i.y) },
        low: Point { x: l.x.min(m.x), y: l.y.min(m.y) },
    }
}
fn width(g: &Geo) -> f64 {
    let (h, l) = frame(g);
    h.x - l.x
}
fn height(g: &Geo) -> f64 {
    let (h, l) = frame(g);
    h.y - l.y
}
fn box_area(g: &Geo) -> f64 {
    width(g) * height(g)
}
fn center(g: &Geo) -> Geo {
    Geo::Point(point(g))
}
fn diagonal(g: &Geo) -> Geo {
    let (h, l) = frame(g);
    Geo::Lseg([h, l])
}
fn box_circle(g: &Geo) -> Geo {
    let (h, _) = frame(g);
    let center = point(g);
    Geo::Circle { center, radius: geo::distance(&center, &h) }
}
fn box_poly(g: &Geo) -> Geo {
    let (h, l) = frame(g);
    Geo::Polygon { points: vec![l, Point { x: l.x, y: h.y }, h, Point { x: h.x, y: l.y }] }
}
fn box_distance(a: &Geo, b: &Geo) -> f64 {
    geo::distance(&point(a), &point(b))
}
fn same(a: &Geo, b: &Geo) -> bool {
    let ((h, l), (i, m)) = (frame(a), frame(b));
    geo::point_eq(&h, &i) && geo::point_eq(&l, &m)
}
fn overlap(a: &Geo, b: &Geo) -> bool {
    let ((h, l), (i, m)) = (frame(a), frame(b));
    fp_le(l.x, i.x) && fp_le(m.x, h.x) && fp_le(l.y, i.y) && fp_le(m.y, h.y)
}
fn intersection(a: &Geo, b: &Geo) -> Option<Geo> {
    let ((h, l), (i, m)) = (frame(a), frame(b));
    overlap(a, b).then(|| Geo::Box {
        high: Point { x: h.x.min(i.x), y: h.y.min(i.y) },
        low: Point { x: l.x.max(m.x), y: l.y.max(m.y) },
    })
}
fn contain(a: &Geo, b: &Geo) -> bool {
    let ((h, l), (i, m)) = (frame(a), frame(b));
    fp_le(i.x, h.x) && fp_le(l.x, m.x) && fp_le(i.y, h.y) && fp_le(l.y, m.y)
}
fn contained(a: &Geo, b: &Geo) -> bool {
    contain(b, a)
}
fn box_has_point(a: &Geo, p: &Geo) -> bool {
    let ((h, l), p) = (frame(a), point(p));
    h.x >= p.x && l.x <= p.x && h.y >= p.y && l.y <= p.y
}
fn point_in_box(p: &Geo, a: &Geo) -> bool {
    box_has_point(a, p)
}
fn left(a: &Geo, b: &Geo) -> bool {
    fp_lt(frame(a).0.x, frame(b).1.x)
}
fn right(a: &Geo, b: &Geo) -> bool {
    left(b, a)
}
fn over_left(a: &Geo, b: &Geo) -> bool {
    fp_le(frame(a).0.x, frame(b).0.x)
}
fn over_right(a: &Geo, b: &Geo) -> bool {
    fp_le(frame(b).1.x, frame(a).1.x)
}
fn below(a: &Geo, b: &Geo) -> bool {
    fp_lt(frame(a).0.y, frame(b).1.y)
}
fn above(a: &Geo, b: &Geo) -> bool {
    below(b, a)
}
fn over_below(a: &Geo, b: &Geo) -> bool {
    fp_le(frame(a).0.y, frame(b).0.y)
}
fn over_above(a: &Geo, b: &Geo) -> bool {
    fp_le(frame(b).1.y, frame(a).1.y)
}
fn below_eq(a: &Geo, b: &Geo) -> bool {
    fp_le(frame(a).0.y, frame(b).1.y)
}
fn above_eq(a: &Geo, b: &Geo) -> bool {
    fp_le(frame(b).0.y, frame(a).1.y)
}

fn circle(p: &Geo, radius: f64) -> Geo {
    Geo::Circle { center: point(p), radius }
}
fn radius(g: &Geo) -> f64 {
    if let Geo::Circle { radius, .. } = g { *radius } else { 0.0 }
}
fn diameter(g: &Geo) -> f64 {
    2.0 * radius(g)
}
fn circle_area(g: &Geo) -> f64 {
    radius(g) * radius(g) * std::f64::consts::PI
}
fn circle_distance(a: &Geo, b: &Geo) -> f64 {
    (point_distance(a, b) - (radius(a) + radius(b))).max(0.0)
}
fn circle_point_distance(a: &Geo, b: &Geo) -> f64 {
    (point_distance(a, b) - radius(a) - radius(b)).max(0.0)
}
fn circle_same(a: &Geo, b: &Geo) -> bool {
    let radii = (radius(a).is_nan() && radius(b).is_nan()) || fp_eq(radius(a), radius(b));
    radii && point_eq(a, b)
}
fn circle_overlap(a: &Geo, b: &Geo) -> bool {
    fp_le(point_distance(a, b), radius(a) + radius(b))
}
fn circle_contain(a: &Geo, b: &Geo) -> bool {
    fp_le(point_distance(a, b), radius(a) - radius(b))
}
fn circle_contained(a: &Geo, b: &Geo) -> bool {
    circle_contain(b, a)
}
fn circle_has_point(a: &Geo, p: &Geo) -> bool {
    point_distance(a, p) <= radius(a)
}
fn point_in_circle(p: &Geo, a: &Geo) -> bool {
    circle_has_point(a, p)
}
fn circle_poly(n: i32, g: &Geo) -> PgResult<Geo> {
    if fp_eq(radius(g), 0.0) {
        bail!(FEATURE_NOT_SUPPORTED, "cannot convert circle with radius zero to polygon");
    }
    if n < 2 {
        bail!(INVALID_PARAMETER_VALUE, "must request at least 2 points");
    }
    let (c, r) = (point(g), radius(g));
    let step = 2.0 * std::f64::consts::PI / f64::from(n);
    let at = |i: i32| {
        let angle = step * f64::from(i);
        Point { x: c.x - r * angle.cos(), y: c.y + r * angle.sin() }
    };
    Ok(Geo::Polygon { points: (0..n).map(at).collect() })
}

macro_rules! by_measure {
    ($($measure:ident: $eq:ident $ne:ident $lt:ident $le:ident $gt:ident $ge:ident;)*) => {$(
        #[allow(dead_code)]
        fn $eq(a: &Geo, b: &Geo) -> bool {
            fp_eq($measure(a), $measure(b))
        }
        #[allow(dead_code)]
        fn $ne(a: &Geo, b: &Geo) -> bool {
            !$eq(a, b)
        }
        fn $lt(a: &Geo, b: &Geo) -> bool {
            fp_lt($measure(a), $measure(b))
        }
        fn $le(a: &Geo, b: &Geo) -> bool {
            fp_le($measure(a), $measure(b))
        }
        fn $gt(a: &Geo, b: &Geo) -> bool {
            $lt(b, a)
        }
        fn $ge(a: &Geo, b: &Geo) -> bool {
            $le(b, a)
        }
    )*};
}
by_measure! {
    circle_area: circle_eq circle_ne circle_lt circle_le circle_gt circle_ge;
    lseg_length: lseg_len_eq lseg_len_ne lseg_lt lseg_le lseg_gt lseg_ge;
    npoints_of: path_eq path_ne path_lt path_le path_gt path_ge;
    box_area: box_eq box_ne box_lt box_le box_gt box_ge;
}

fn lseg(a: &Geo, b: &Geo) -> Geo {
    Geo::Lseg([point(a), point(b)])
}
fn ends(g: &Geo) -> (Point, Point) {
    let p = g.points();
    (p.first().copied().unwrap_or(point(g)), p.last().copied().unwrap_or(point(g)))
}
fn lseg_length(g: &Geo) -> f64 {
    let (a, b) = ends(g);
    geo::distance(&a, &b)
}
fn lseg_eq(a: &Geo, b: &Geo) -> bool {
    let ((p, q), (r, s)) = (ends(a), ends(b));
    geo::point_eq(&p, &r) && geo::point_eq(&q, &s)
}
fn lseg_ne(a: &Geo, b: &Geo) -> bool {
    !lseg_eq(a, b)
}
fn lseg_horizontal(g: &Geo) -> bool {
    let (a, b) = ends(g);
    fp_eq(a.y, b.y)
}
fn lseg_vertical(g: &Geo) -> bool {
    let (a, b) = ends(g);
    fp_eq(a.x, b.x)
}
fn lseg_slope(g: &Geo) -> f64 {
    let (a, b) = ends(g);
    geo::slope(&a, &b)
}
fn lseg_parallel(a: &Geo, b: &Geo) -> bool {
    let (m, n) = (lseg_slope(a), lseg_slope(b));
    m == n || fp_eq(m, n)
}
fn line_construct(a: &Geo, b: &Geo) -> PgResult<Geo> {
    if point_eq(a, b) {
        bail!(INVALID_PARAMETER_VALUE, "invalid line specification: must be two distinct points");
    }
    geo::line_through(&point(a), &point(b))
}
/// Distance of a point from a segment.
fn point_lseg(p: Point, a: Point, b: Point) -> f64 {
    let d = minus(b, a);
    let len = d.x * d.x + d.y * d.y;
    let t = if len == 0.0 { 0.0 } else { (((p.x - a.x) * d.x + (p.y - a.y) * d.y) / len).clamp(0.0, 1.0) };
    geo::distance(&p, &Point { x: a.x + t * d.x, y: a.y + t * d.y })
}
fn dist_ps(p: &Geo, s: &Geo) -> f64 {
    let (a, b) = ends(s);
    point_lseg(point(p), a, b)
}
fn dist_sp(s: &Geo, p: &Geo) -> f64 {
    dist_ps(p, s)
}
fn dist_pb(p: &Geo, b: &Geo) -> f64 {
    let (p, (h, l)) = (point(p), frame(b));
    let gap = |v: f64, low: f64, high: f64| (low - v).max(v - high).max(0.0);
    gap(p.x, l.x, h.x).hypot(gap(p.y, l.y, h.y))
}
fn dist_bp(b: &Geo, p: &Geo) -> f64 {
    dist_pb(p, b)
}
fn dist_pl(p: &Geo, l: &Geo) -> f64 {
    let (Geo::Line { a, b, c }, p) = (l, point(p)) else { return 0.0 };
    (a * p.x + b * p.y + c).abs() / a.hypot(*b)
}
fn dist_lp(l: &Geo, p: &Geo) -> f64 {
    dist_pl(p, l)
}

/// The sides of a path or polygon.
fn sides(g: &Geo) -> Vec<(Point, Point)> {
    let p = g.points();
    let closed = !matches!(g, Geo::Path { closed: false, .. });
    let mut out: Vec<_> = p.windows(2).map(|w| (w[0], w[1])).collect();
    if let (true, [first, .., last]) = (closed, p) {
        out.push((*last, *first));
    }
    out
}
fn npoints(g: &Geo) -> i32 {
    g.points().len() as i32
}
fn npoints_of(g: &Geo) -> f64 {
    f64::from(npoints(g))
}
fn path_length(g: &Geo) -> f64 {
    sides(g).iter().map(|(a, b)| geo::distance(a, b)).sum()
}
fn is_closed(g: &Geo) -> bool {
    matches!(g, Geo::Path { closed: true, .. })
}
fn is_open(g: &Geo) -> bool {
    !is_closed(g)
}
fn path_close(g: &Geo) -> Geo {
    Geo::Path { closed: true, points: g.points().to_vec() }
}
fn path_open(g: &Geo) -> Geo {
    Geo::Path { closed: false, points: g.points().to_vec() }
}
fn path_area(g: &Geo) -> Option<f64> {
    is_closed(g).then(|| geo::polygon_area(g.points()))
}
fn path_add(a: &Geo, b: &Geo) -> Option<Geo> {
    if is_closed(a) || is_closed(b) {
        return None;
    }
    Some(Geo::Path { closed: false, points: [a.points(), b.points()].concat() })
}
fn path_poly(g: &Geo) -> PgResult<Geo> {
    if is_open(g) {
        bail!(INVALID_PARAMETER_VALUE, "open path cannot be converted to polygon");
    }
    Ok(Geo::Polygon { points: g.points().to_vec() })
}
fn poly_center(g: &Geo) -> Geo {
    let p = g.points();
    let n = p.len().max(1) as f64;
    let sum = p.iter().fold(Point { x: 0.0, y: 0.0 }, |acc, p| plus(acc, *p));
    Geo::Point(Point { x: sum.x / n, y: sum.y / n })
}
fn poly_circle(g: &Geo) -> Geo {
    let center = point(&poly_center(g));
    let total: f64 = g.points().iter().map(|p| geo::distance(p, &center)).sum();
    Geo::Circle { center, radius: total / g.points().len().max(1) as f64 }
}
/// Inside, or on a side.
fn inside(g: &Geo, p: Point) -> bool {
    let sides = sides(g);
    if sides.iter().any(|(a, b)| fp_eq(geo::distance(a, &p) + geo::distance(&p, b), geo::distance(a, b))) {
        return true;
    }
    let crossing = |a: &Point, b: &Point| {
        (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x
    };
    sides.iter().filter(|(a, b)| crossing(a, b)).count() % 2 == 1
}
fn poly_has_point(g: &Geo, p: &Geo) -> bool {
    inside(g, point(p))
}
fn point_in_poly(p: &Geo, g: &Geo) -> bool {
    inside(g, point(p))
}
fn path_point(g: &Geo, p: &Geo) -> f64 {
    let p = point(p);
    sides(g).iter().map(|(a, b)| point_lseg(p, *a, *b)).fold(f64::INFINITY, f64::min)
}
fn point_path(p: &Geo, g: &Geo) -> f64 {
    path_point(g, p)
}
fn poly_point(g: &Geo, p: &Geo) -> f64 {
    if inside(g, point(p)) { 0.0 } else { path_point(g, p) }
}
fn point_poly(p: &Geo, g: &Geo) -> f64 {
    poly_point(g, p)
}

builtins! { pub TABLE:
    "construct_point" => construct_point[f64, f64];
    "point_eq" => point_eq[&Geo, &Geo];
    "point_ne" => point_ne[&Geo, &Geo];
    "point_left" => point_left[&Geo, &Geo];
    "point_right" => point_right[&Geo, &Geo];
    "point_below" => point_below[&Geo, &Geo];
    "point_above" => point_above[&Geo, &Geo];
    "point_horiz" => point_horiz[&Geo, &Geo];
    "point_vert" => point_vert[&Geo, &Geo];
    "point_distance" => point_distance[&Geo, &Geo];
    "point_slope" => point_slope[&Geo, &Geo];
    "point_add" => add[&Geo, &Geo];
    "point_sub" => sub[&Geo, &Geo];
    "point_mul" => mul[&Geo, &Geo];
    "point_div" => div[&Geo, &Geo];
    "box_add" => add[&Geo, &Geo];
    "box_sub" => sub[&Geo, &Geo];
    "box_mul" => mul[&Geo, &Geo];
    "box_div" => div[&Geo, &Geo];
    "path_add_pt" => add[&Geo, &Geo];
    "path_sub_pt" => sub[&Geo, &Geo];
    "path_mul_pt" => mul[&Geo, &Geo];
    "path_div_pt" => div[&Geo, &Geo];
    "circle_add_pt" => add[&Geo, &Geo];
    "circle_sub_pt" => sub[&Geo, &Geo];
    "circle_mul_pt" => mul[&Geo, &Geo];
    "circle_div_pt" => div[&Geo, &Geo];
    "points_box" => make_box[&Geo, &Geo];
    "point_box" => point_box[&Geo];
    "poly_box" => bounding[&Geo];
    "circle_box" => bounding[&Geo];
    "boxes_bound_box" => both[&Geo, &Geo];
    "box_width" => width[&Geo];
    "box_height" => height[&Geo];
    "box_area" => box_area[&Geo];
    "box_center" => center[&Geo];
    "circle_center" => center[&Geo];
    "lseg_center" => center[&Geo];
    "box_diagonal" => diagonal[&Geo];
    "box_circle" => box_circle[&Geo];
    "box_poly" => box_poly[&Geo];
    "box_distance" => box_distance[&Geo, &Geo];
    "box_same" => same[&Geo, &Geo];
    "box_overlap" => overlap[&Geo, &Geo];
    "box_intersect" => intersection[&Geo, &Geo];
    "box_contain" => contain[&Geo, &Geo];
    "box_contained" => contained[&Geo, &Geo];
    "box_contain_pt" => box_has_point[&Geo, &Geo];
    "on_pb" => point_in_box[&Geo, &Geo];
    "box_left" => left[&Geo, &Geo];
    "box_right" => right[&Geo, &Geo];
    "box_overleft" => over_left[&Geo, &Geo];
    "box_overright" => over_right[&Geo, &Geo];
    "box_below" => below[&Geo, &Geo];
    "box_above" => above[&Geo, &Geo];
    "box_overbelow" => over_below[&Geo, &Geo];
    "box_overabove" => over_above[&Geo, &Geo];
    "box_below_eq" => below_eq[&Geo, &Geo];
    "box_above_eq" => above_eq[&Geo, &Geo];
    "box_eq" => box_eq[&Geo, &Geo];
    "box_lt" => box_lt[&Geo, &Geo];
    "box_le" => box_le[&Geo, &Geo];
    "box_gt" => box_gt[&Geo, &Geo];
    "box_ge" => box_ge[&Geo, &Geo];
    "circle_left" => left[&Geo, &Geo];
    "circle_right" => right[&Geo, &Geo];
    "circle_overleft" => over_left[&Geo, &Geo];
    "circle_overright" => over_right[&Geo, &Geo];
    "circle_below" => below[&Geo, &Geo];
    "circle_above" => above[&Geo, &Geo];
    "circle_overbelow" => over_below[&Geo, &Geo];
    "circle_overabove" => over_above[&Geo, &Geo];
    "cr_circle" => circle[&Geo, f64];
    "circle_radius" => radius[&Geo];
    "circle_diameter" => diameter[&Geo];
    "circle_area" => circle_area[&Geo];
    "circle_distance" => circle_distance[&Geo, &Geo];
    "dist_pc" => circle_point_distance[&Geo, &Geo];
    "dist_cpoint" => circle_point_distance[&Geo, &Geo];
    "circle_same" => circle_same[&Geo, &Geo];
    "circle_overlap" => circle_overlap[&Geo, &Geo];
    "circle_contain" => circle_contain[&Geo, &Geo];
    "circle_contained" => circle_contained[&Geo, &Geo];
    "circle_contain_pt" => circle_has_point[&Geo, &Geo];
    "pt_contained_circle" => point_in_circle[&Geo, &Geo];
    "circle_poly" => circle_poly[i32, &Geo];
    "circle_eq" => circle_eq[&Geo, &Geo];
    "circle_ne" => circle_ne[&Geo, &Geo];
    "circle_lt" => circle_lt[&Geo, &Geo];
    "circle_le" => circle_le[&Geo, &Geo];
    "circle_gt" => circle_gt[&Geo, &Geo];
    "circle_ge" => circle_ge[&Geo, &Geo];
    "lseg_construct" => lseg[&Geo, &Geo];
    "lseg_length" => lseg_length[&Geo];
    "lseg_eq" => lseg_eq[&Geo, &Geo];
    "lseg_ne" => lseg_ne[&Geo, &Geo];
    "lseg_lt" => lseg_lt[&Geo, &Geo];
    "lseg_le" => lseg_le[&Geo, &Geo];
    "lseg_gt" => lseg_gt[&Geo, &Geo];
    "lseg_ge" => lseg_ge[&Geo, &Geo];
    "lseg_horizontal" => lseg_horizontal[&Geo];
    "lseg_vertical" => lseg_vertical[&Geo];
    "lseg_parallel" => lseg_parallel[&Geo, &Geo];
    "line_construct_pp" => line_construct[&Geo, &Geo];
    "dist_ps" => dist_ps[&Geo, &Geo];
    "dist_sp" => dist_sp[&Geo, &Geo];
    "dist_pb" => dist_pb[&Geo, &Geo];
    "dist_bp" => dist_bp[&Geo, &Geo];
    "dist_pl" => dist_pl[&Geo, &Geo];
    "dist_lp" => dist_lp[&Geo, &Geo];
    "dist_ppath" => point_path[&Geo, &Geo];
    "dist_pathp" => path_point[&Geo, &Geo];
    "dist_ppoly" => point_poly[&Geo, &Geo];
    "dist_polyp" => poly_point[&Geo, &Geo];
    "path_npoints" => npoints[&Geo];
    "poly_npoints" => npoints[&Geo];
    "path_length" => path_length[&Geo];
    "path_isclosed" => is_closed[&Geo];
    "path_isopen" => is_open[&Geo];
    "path_close" => path_close[&Geo];
    "poly_path" => path_close[&Geo];
    "path_open" => path_open[&Geo];
    "path_area" => path_area[&Geo];
    "path_add" => path_add[&Geo, &Geo];
    "path_poly" => path_poly[&Geo];
    "path_n_eq" => path_eq[&Geo, &Geo];
    "path_n_lt" => path_lt[&Geo, &Geo];
    "path_n_le" => path_le[&Geo, &Geo];
    "path_n_gt" => path_gt[&Geo, &Geo];
    "path_n_ge" => path_ge[&Geo, &Geo];
    "poly_center" => poly_center[&Geo];
    "poly_circle" => poly_circle[&Geo];
    "poly_left" => left[&Geo, &Geo];
    "poly_right" => right[&Geo, &Geo];
    "poly_overleft" => over_left[&Geo, &Geo];
    "poly_overright" => over_right[&Geo, &Geo];
    "poly_below" => below[&Geo, &Geo];
    "poly_above" => above[&Geo, &Geo];
    "poly_overbelow" => over_below[&Geo, &Geo];
    "poly_overabove" => over_above[&Geo, &Geo];
    "poly_contain_pt" => poly_has_point[&Geo, &Geo];
    "pt_contained_poly" => point_in_poly[&Geo, &Geo];
}
