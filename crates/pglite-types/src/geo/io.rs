//! Text form of geometric types.

use pglite_error::{PgError, PgResult, bail};

use super::{Geo, Point, line_through, make_box};
use crate::text::fmt::push_f64;
use crate::text::scalar::is_space;
use crate::{Oid, oid};

struct Scan<'a> {
    whole: &'a str,
    s: &'a str,
    type_name: &'static str,
}

impl<'a> Scan<'a> {
    fn bad(&self) -> PgError {
        PgError::invalid_input(self.type_name, self.whole)
    }
    fn skip(&mut self) {
        self.s = self.s.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
    }
    fn peek(&self) -> Option<u8> {
        self.s.bytes().next()
    }
    /// Takes `c` if it is next.
    fn eat(&mut self, c: u8) -> bool {
        let hit = self.peek() == Some(c);
        if hit {
            self.s = &self.s[1..];
        }
        hit
    }
    fn need(&mut self, c: u8) -> PgResult<()> {
        if self.eat(c) { Ok(()) } else { Err(self.bad()) }
    }
    /// A number with blanks around it.
    fn number(&mut self) -> PgResult<f64> {
        self.skip();
        let b = self.s.as_bytes();
        let sign = matches!(b.first(), Some(b'+' | b'-')) as usize;
        let rest = &b[sign..];
        let word = |w: &str| rest.len() >= w.len() && rest[..w.len()].eq_ignore_ascii_case(w.as_bytes());
        let n = if word("infinity") {
            8
        } else if word("inf") || word("nan") {
            3
        } else {
            number_len(rest)
        };
        if n == 0 {
            return Err(self.bad());
        }
        let (text, rest) = self.s.split_at(sign + n);
        let v = crate::text::scalar::float8_in(text).map_err(|e| {
            if e.code() == pglite_error::codes::INVALID_TEXT_REPRESENTATION { self.bad() } else { e }
        })?;
        self.s = rest;
        self.skip();
        Ok(v)
    }
    /// `x,y` or `(x,y)`.
    fn pair(&mut self) -> PgResult<Point> {
        self.skip();
        let paren = self.eat(b'(');
        let x = self.number()?;
        self.need(b',')?;
        let y = self.number()?;
        if paren {
            self.need(b')')?;
            self.skip();
        }
        Ok(Point { x, y })
    }
    /// `n` points within optional parentheses, or brackets where those are allowed; tells whether it was brackets.
    fn points(&mut self, n: usize, brackets: bool) -> PgResult<(Vec<Point>, bool)> {
        self.skip();
        let mut depth = 0;
        let open = self.peek() == Some(b'[');
        if open {
            if !brackets {
                return Err(self.bad());
            }
            self.s = &self.s[1..];
            depth = 1;
        } else if self.peek() == Some(b'(') {
            let mut inner = Scan { s: &self.s[1..], whole: self.whole, type_name: self.type_name };
            inner.skip();
            if inner.peek() == Some(b'(') || self.s.rfind('(') == Some(0) {
                self.s = inner.s;
                depth = 1;
            }
        }
        let mut out = Vec::with_capacity(n);
        for _ in 0..n {
            out.push(self.pair()?);
            self.eat(b',');
        }
        while depth > 0 {
            if self.eat(b')') || (open && depth == 1 && self.eat(b']')) {
                depth -= 1;
                self.skip();
            } else {
                return Err(self.bad());
            }
        }
        Ok((out, open))
    }
    fn finish(&mut self) -> PgResult<()> {
        if self.s.is_empty() { Ok(()) } else { Err(self.bad()) }
    }
    /// Points by the number of commas.
    fn count(&self) -> PgResult<usize> {
        let commas = self.whole.bytes().filter(|&c| c == b',').count();
        if commas % 2 == 1 { Ok(commas.div_ceil(2)) } else { Err(self.bad()) }
    }
}

/// Bytes of the number at the start of `b`.
fn number_len(b: &[u8]) -> usize {
    let digits = |from: usize| b[from.min(b.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut n = digits(0);
    let mut any = n > 0;
    if b.get(n) == Some(&b'.') {
        let frac = digits(n + 1);
        any |= frac > 0;
        n += 1 + frac;
    }
    if !any {
        return 0;
    }
    if matches!(b.get(n), Some(b'e' | b'E')) {
        let sign = matches!(b.get(n + 1), Some(b'+' | b'-')) as usize;
        let exp = digits(n + 1 + sign);
        if exp > 0 {
            n += 1 + sign + exp;
        }
    }
    n
}

fn name(type_oid: Oid) -> &'static str {
    match type_oid {
        oid::POINT => "point",
        oid::LSEG => "lseg",
        oid::PATH => "path",
        oid::BOX => "box",
        oid::POLYGON => "polygon",
        oid::LINE => "line",
        _ => "circle",
    }
}

/// Input of any geometric type.
pub fn geo_in(type_oid: Oid, s: &str) -> PgResult<Geo> {
    let mut p = Scan { whole: s, s, type_name: name(type_oid) };
    let v = match type_oid {
        oid::POINT => Geo::Point(p.pair()?),
        oid::LSEG => {
            let (v, _) = p.points(2, true)?;
            Geo::Lseg([v[0], v[1]])
        }
        oid::BOX => {
            let (v, _) = p.points(2, false)?;
            make_box(v[0], v[1])
        }
        oid::PATH => path_in(&mut p)?,
        oid::POLYGON => Geo::Polygon {
            points: {
                let n = p.count()?;
                p.points(n, false)?.0
            },
        },
        oid::LINE => line_in(&mut p)?,
        _ => circle_in(&mut p)?,
    };
    p.finish()?;
    Ok(v)
}

fn path_in(p: &mut Scan<'_>) -> PgResult<Geo> {
    let n = p.count()?;
    p.skip();
    // One parenthesis around all, when the points have none of their own.
    let single = p.s.starts_with('(') && p.s.rfind('(') == Some(0);
    if single {
        p.s = &p.s[1..];
    }
    let (points, open) = p.points(n, true)?;
    if single {
        p.need(b')')?;
        p.skip();
    }
    Ok(Geo::Path { closed: !open, points })
}

fn line_in(p: &mut Scan<'_>) -> PgResult<Geo> {
    p.skip();
    if p.eat(b'{') {
        let a = p.number()?;
        p.need(b',')?;
        let b = p.number()?;
        p.need(b',')?;
        let c = p.number()?;
        p.need(b'}')?;
        p.skip();
        p.finish()?;
        if a.abs() <= super::EPSILON && b.abs() <= super::EPSILON {
            bail!(INVALID_TEXT_REPRESENTATION, "invalid line specification: A and B cannot both be zero");
        }
        return Ok(Geo::Line { a, b, c });
    }
    let (v, _) = p.points(2, true)?;
    p.finish()?;
    if super::point_eq(&v[0], &v[1]) {
        bail!(INVALID_TEXT_REPRESENTATION, "invalid line specification: must be two distinct points");
    }
    line_through(&v[0], &v[1])
}

fn circle_in(p: &mut Scan<'_>) -> PgResult<Geo> {
    p.skip();
    let mut depth = 0;
    if p.eat(b'<') {
        depth = 1;
    } else if p.peek() == Some(b'(') {
        let mut inner = Scan { s: &p.s[1..], whole: p.whole, type_name: p.type_name };
        inner.skip();
        if inner.peek() == Some(b'(') {
            p.s = inner.s;
            depth = 1;
        }
    }
    let center = p.pair()?;
    p.eat(b',');
    let radius = p.number()?;
    if radius < 0.0 {
        return Err(p.bad());
    }
    while depth > 0 {
        if p.eat(b')') || (depth == 1 && p.eat(b'>')) {
            depth -= 1;
            p.skip();
        } else {
            return Err(p.bad());
        }
    }
    Ok(Geo::Circle { center, radius })
}

/// Output of any geometric value.
pub fn geo_out(g: &Geo, extra_float_digits: i32, out: &mut String) {
    let num = |v: f64, out: &mut String| push_f64(out, v, extra_float_digits);
    let pair = |p: &Point, out: &mut String| {
        out.push('(');
        num(p.x, out);
        out.push(',');
        num(p.y, out);
        out.push(')');
    };
    let list = |points: &[Point], out: &mut String| {
        for (i, p) in points.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            pair(p, out);
        }
    };
    match g {
        Geo::Point(p) => pair(p, out),
        Geo::Lseg(p) => {
            out.push('[');
            list(p, out);
            out.push(']');
        }
        Geo::Path { closed, points } => {
            out.push(if *closed { '(' } else { '[' });
            list(points, out);
            out.push(if *closed { ')' } else { ']' });
        }
        Geo::Box { high, low } => list(&[*high, *low], out),
        Geo::Polygon { points } => {
            out.push('(');
            list(points, out);
            out.push(')');
        }
        Geo::Line { a, b, c } => {
            out.push('{');
            num(*a, out);
            out.push(',');
            num(*b, out);
            out.push(',');
            num(*c, out);
            out.push('}');
        }
        Geo::Circle { center, radius } => {
            out.push('<');
            pair(center, out);
            out.push(',');
            num(*radius, out);
            out.push('>');
        }
    }
}
