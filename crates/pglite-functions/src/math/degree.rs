//! Trigonometry in degrees, exact at multiples of 30 and 45.

use pglite_error::PgResult;

use super::float::input_range;

pub const RADIANS_PER_DEGREE: f64 = 0.017_453_292_519_943_295;

/// sin on [0, 30], scaled so that sin 30 is exactly a half.
fn sin_low(x: f64) -> f64 {
    (x * RADIANS_PER_DEGREE).sin() / (30.0 * RADIANS_PER_DEGREE).sin() / 2.0
}

/// cos on [0, 60], scaled so that cos 60 is exactly a half.
fn cos_low(x: f64) -> f64 {
    let full = 1.0 - (60.0 * RADIANS_PER_DEGREE).cos();
    1.0 - (1.0 - (x * RADIANS_PER_DEGREE).cos()) / full / 2.0
}

fn sin_quarter(x: f64) -> f64 {
    if x <= 30.0 { sin_low(x) } else { cos_low(90.0 - x) }
}

fn cos_quarter(x: f64) -> f64 {
    if x <= 60.0 { cos_low(x) } else { sin_low(90.0 - x) }
}

fn asin_quarter(x: f64) -> f64 {
    if x <= 0.5 { x.asin() / 0.5f64.asin() * 30.0 } else { 90.0 - x.acos() / 0.5f64.acos() * 60.0 }
}

fn acos_quarter(x: f64) -> f64 {
    if x <= 0.5 { 90.0 - x.asin() / 0.5f64.asin() * 30.0 } else { x.acos() / 0.5f64.acos() * 60.0 }
}

fn unit(a: f64, f: impl Fn(f64) -> f64) -> PgResult<f64> {
    if a.is_nan() {
        return Ok(a);
    }
    if (-1.0..=1.0).contains(&a) { Ok(f(a)) } else { Err(input_range()) }
}

pub fn dasind(a: f64) -> PgResult<f64> {
    unit(a, |a| if a >= 0.0 { asin_quarter(a) } else { -asin_quarter(-a) })
}
pub fn dacosd(a: f64) -> PgResult<f64> {
    unit(a, |a| if a >= 0.0 { acos_quarter(a) } else { 90.0 + asin_quarter(-a) })
}
pub fn datand(a: f64) -> f64 {
    a.atan() / 1f64.atan() * 45.0
}
pub fn datan2d(y: f64, x: f64) -> f64 {
    y.atan2(x) / 1f64.atan() * 45.0
}

fn finite(a: f64, f: impl Fn(f64) -> f64) -> PgResult<f64> {
    if a.is_nan() {
        return Ok(a);
    }
    if a.is_infinite() { Err(input_range()) } else { Ok(f(a % 360.0)) }
}

pub fn dsind(a: f64) -> PgResult<f64> {
    finite(a, |mut a| {
        let mut sign = 1.0;
        if a < 0.0 {
            (a, sign) = (-a, -sign);
        }
        if a > 180.0 {
            (a, sign) = (360.0 - a, -sign);
        }
        sign * sin_quarter(if a > 90.0 { 180.0 - a } else { a })
    })
}
pub fn dcosd(a: f64) -> PgResult<f64> {
    finite(a, |a| {
        let a = a.abs();
        let a = if a > 180.0 { 360.0 - a } else { a };
        if a > 90.0 { -cos_quarter(180.0 - a) } else { cos_quarter(a) }
    })
}

/// The first-quadrant angle with the same tangent, and the tangent's sign.
fn tangent_fold(mut a: f64) -> (f64, f64) {
    let mut sign = 1.0;
    if a < 0.0 {
        (a, sign) = (-a, -sign);
    }
    if a > 180.0 {
        (a, sign) = (360.0 - a, -sign);
    }
    if a > 90.0 { (180.0 - a, -sign) } else { (a, sign) }
}

pub fn dtand(a: f64) -> PgResult<f64> {
    finite(a, |a| {
        let (a, sign) = tangent_fold(a);
        let r = sign * (sin_quarter(a) / cos_quarter(a) / (sin_quarter(45.0) / cos_quarter(45.0)));
        if r == 0.0 { 0.0 } else { r }
    })
}
pub fn dcotd(a: f64) -> PgResult<f64> {
    finite(a, |a| {
        let (a, sign) = tangent_fold(a);
        let r = sign * (cos_quarter(a) / sin_quarter(a) / (cos_quarter(45.0) / sin_quarter(45.0)));
        if r == 0.0 { 0.0 } else { r }
    })
}
