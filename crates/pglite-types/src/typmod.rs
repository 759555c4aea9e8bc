//! Type modifiers: input, output, application on a value, and `format_type` of built-in types.

mod names;

use ecow::EcoString;
use pglite_error::{PgError, PgResult, bail, err};

pub use names::{builtin_elem, format_type};

use crate::bits::BitString;
use crate::{Datum, Oid, oid};

/// Longest varchar, bpchar and bit declarations.
const MAX_ATTR_SIZE: i64 = 10 * 1024 * 1024;
/// `interval` without a field restriction, and without a precision.
pub const INTERVAL_FULL_RANGE: i32 = 0x7fff;
pub const INTERVAL_FULL_PRECISION: i32 = 0xffff;

fn ints(args: &[&str]) -> PgResult<Vec<i32>> {
    args.iter().map(|a| crate::text::scalar::int4_in(a)).collect()
}

/// `typmodin`: the modifiers between the parentheses of a type name.
pub fn typmod_in(type_oid: Oid, args: &[&str]) -> PgResult<i32> {
    let element = builtin_elem(type_oid).unwrap_or(type_oid);
    let v = ints(args)?;
    match element {
        oid::VARCHAR => char_typmod(&v, "varchar").map(|n| n + 4),
        oid::BPCHAR => char_typmod(&v, "char").map(|n| n + 4),
        oid::BIT => bit_typmod(&v, "bit"),
        oid::VARBIT => bit_typmod(&v, "varbit"),
        oid::NUMERIC => numeric_typmod(&v),
        oid::TIME => time_typmod(&v, "TIME", ""),
        oid::TIMETZ => time_typmod(&v, "TIME", " WITH TIME ZONE"),
        oid::TIMESTAMP => time_typmod(&v, "TIMESTAMP", ""),
        oid::TIMESTAMPTZ => time_typmod(&v, "TIMESTAMP", " WITH TIME ZONE"),
        oid::INTERVAL => interval_typmod(&v),
        _ => {
            let name = format_type(type_oid, -1).unwrap_or_else(|| type_oid.to_string());
            bail!(SYNTAX_ERROR, "type modifier is not allowed for type \"{name}\"")
        }
    }
}

/// Whether the type takes modifiers at all.
pub fn has_typmod(type_oid: Oid) -> bool {
    matches!(
        builtin_elem(type_oid).unwrap_or(type_oid),
        oid::VARCHAR
            | oid::BPCHAR
            | oid::BIT
            | oid::VARBIT
            | oid::NUMERIC
            | oid::TIME
            | oid::TIMETZ
            | oid::TIMESTAMP
            | oid::TIMESTAMPTZ
            | oid::INTERVAL
    )
}

fn one(v: &[i32]) -> PgResult<i32> {
    match v {
        [n] => Ok(*n),
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid type modifier"),
    }
}

fn char_typmod(v: &[i32], name: &str) -> PgResult<i32> {
    let n = one(v)?;
    if n < 1 {
        bail!(INVALID_PARAMETER_VALUE, "length for type {name} must be at least 1");
    }
    if n as i64 > MAX_ATTR_SIZE {
        bail!(INVALID_PARAMETER_VALUE, "length for type {name} cannot exceed {MAX_ATTR_SIZE}");
    }
    Ok(n)
}

fn bit_typmod(v: &[i32], name: &str) -> PgResult<i32> {
    let n = one(v)?;
    if n < 1 {
        bail!(INVALID_PARAMETER_VALUE, "length for type {name} must be at least 1");
    }
    let max = MAX_ATTR_SIZE * 8;
    if n as i64 > max {
        bail!(INVALID_PARAMETER_VALUE, "length for type {name} cannot exceed {max}");
    }
    Ok(n)
}

fn numeric_typmod(v: &[i32]) -> PgResult<i32> {
    let (p, s) = match v {
        [p] => (*p, 0),
        [p, s] => (*p, *s),
        _ => bail!(INVALID_PARAMETER_VALUE, "invalid NUMERIC type modifier"),
    };
    if !(1..=1000).contains(&p) {
        bail!(INVALID_PARAMETER_VALUE, "NUMERIC precision {p} must be between 1 and 1000");
    }
    if !(-1000..=1000).contains(&s) {
        bail!(INVALID_PARAMETER_VALUE, "NUMERIC scale {s} must be between -1000 and 1000");
    }
    Ok(((p << 16) | (s & 0x7ff)) + 4)
}

/// Time and timestamp precision; past 6 it is cut to 6, and [`precision_warning`] says so.
fn time_typmod(v: &[i32], name: &str, tz: &str) -> PgResult<i32> {
    let n = one(v)?;
    if n < 0 {
        bail!(INVALID_PARAMETER_VALUE, "{name}({n}){tz} precision must not be negative");
    }
    Ok(n.min(6))
}

/// The warning to raise beside [`typmod_in`] when a precision was reduced.
pub fn precision_warning(type_oid: Oid, args: &[&str]) -> Option<PgError> {
    let (name, tz, n) = match (builtin_elem(type_oid).unwrap_or(type_oid), args) {
        (oid::TIME, [n]) => ("TIME", "", n),
        (oid::TIMETZ, [n]) => ("TIME", " WITH TIME ZONE", n),
        (oid::TIMESTAMP, [n]) => ("TIMESTAMP", "", n),
        (oid::TIMESTAMPTZ, [n]) => ("TIMESTAMP", " WITH TIME ZONE", n),
        (oid::INTERVAL, [_, n]) => ("INTERVAL", "", n),
        _ => return None,
    };
    let n: i32 = n.parse().ok()?;
    (n > 6).then(|| {
        PgError::warning(
            pglite_error::codes::INVALID_PARAMETER_VALUE,
            format!("{name}({n}){tz} precision reduced to maximum allowed, 6"),
        )
    })
}

/// Interval fields as bits of the range mask.
pub mod interval_mask {
    pub const MONTH: i32 = 1 << 1;
    pub const YEAR: i32 = 1 << 2;
    pub const DAY: i32 = 1 << 3;
    pub const HOUR: i32 = 1 << 10;
    pub const MINUTE: i32 = 1 << 11;
    pub const SECOND: i32 = 1 << 12;
}

const INTERVAL_RANGES: &[(i32, &str)] = {
    use interval_mask::*;
    &[
        (YEAR, "year"),
        (MONTH, "month"),
        (DAY, "day"),
        (HOUR, "hour"),
        (MINUTE, "minute"),
        (SECOND, "second"),
        (YEAR | MONTH, "year to month"),
        (DAY | HOUR, "day to hour"),
        (DAY | HOUR | MINUTE, "day to minute"),
        (DAY | HOUR | MINUTE | SECOND, "day to second"),
        (HOUR | MINUTE, "hour to minute"),
        (HOUR | MINUTE | SECOND, "hour to second"),
        (MINUTE | SECOND, "minute to second"),
        (INTERVAL_FULL_RANGE, ""),
    ]
};

fn interval_typmod(v: &[i32]) -> PgResult<i32> {
    let invalid = || err!(INVALID_PARAMETER_VALUE, "invalid INTERVAL type modifier");
    let range = *v.first().ok_or_else(invalid)?;
    if !INTERVAL_RANGES.iter().any(|(m, _)| *m == range) || v.len() > 2 {
        return Err(invalid());
    }
    match v.get(1) {
        None if range == INTERVAL_FULL_RANGE => Ok(-1),
        None => Ok((INTERVAL_FULL_PRECISION & 0xffff) | (range << 16)),
        Some(p) if *p < 0 => {
            bail!(INVALID_PARAMETER_VALUE, "INTERVAL({p}) precision must not be negative")
        }
        Some(p) => Ok((*p).min(6) | (range << 16)),
    }
}

/// The range mask and precision (`None` when full) of an interval typmod.
pub fn interval_parts(typmod: i32) -> (i32, Option<i32>) {
    if typmod < 0 {
        return (INTERVAL_FULL_RANGE, None);
    }
    let precision = typmod & 0xffff;
    ((typmod >> 16) & 0x7fff, (precision != INTERVAL_FULL_PRECISION).then_some(precision))
}

/// `typmodout`: the text after the type's name, empty for -1.
pub fn typmod_out(type_oid: Oid, typmod: i32) -> String {
    if typmod < 0 {
        return String::new();
    }
    match type_oid {
        oid::VARCHAR | oid::BPCHAR if typmod > 4 => format!("({})", typmod - 4),
        oid::VARCHAR | oid::BPCHAR => String::new(),
        oid::BIT | oid::VARBIT => format!("({typmod})"),
        oid::NUMERIC if typmod >= 4 => {
            let (p, s) = numeric_parts(typmod);
            format!("({p},{s})")
        }
        oid::NUMERIC => String::new(),
        oid::TIME | oid::TIMESTAMP => format!("({typmod}) without time zone"),
        oid::TIMETZ | oid::TIMESTAMPTZ => format!("({typmod}) with time zone"),
        oid::INTERVAL => {
            let (range, precision) = interval_parts(typmod);
            let fields = INTERVAL_RANGES.iter().find(|(m, _)| *m == range).map_or("", |(_, n)| n);
            let mut out = String::new();
            if !fields.is_empty() {
                out.push(' ');
                out.push_str(fields);
            }
            if let Some(p) = precision {
                out.push_str(&format!("({p})"));
            }
            out
        }
        _ => format!("({typmod})"),
    }
}

/// Precision and scale of a numeric typmod.
pub fn numeric_parts(typmod: i32) -> (i32, i32) {
    let t = typmod - 4;
    ((t >> 16) & 0xffff, ((t & 0x7ff) ^ 1024) - 1024)
}

/// Applies a type modifier to a value of the type: the length coercion casts. `explicit` truncates where an
/// assignment would raise an error.
pub fn apply(type_oid: Oid, typmod: i32, value: Datum, explicit: bool) -> PgResult<Datum> {
    if typmod < 0 {
        return Ok(value);
    }
    Ok(match value {
        Datum::Null => Datum::Null,
        Datum::Text(s) if matches!(type_oid, oid::VARCHAR | oid::BPCHAR) => {
            return apply_text(type_oid, typmod, s, explicit);
        }
        Datum::Numeric(n) => Datum::Numeric(crate::numeric::apply_typmod(n, typmod)?),
        Datum::Bits(b) => Datum::Bits(apply_bits(type_oid, typmod, b, explicit)?),
        Datum::Time(t) => Datum::Time(round_micros(t, typmod)),
        Datum::TimeTz(t) => {
            Datum::TimeTz(crate::datetime::TimeTz { micros: round_micros(t.micros, typmod), zone: t.zone })
        }
        Datum::Timestamp(t) => Datum::Timestamp(crate::datetime::round_timestamp(t, typmod)),
        Datum::Interval(i) => Datum::Interval(crate::datetime::apply_interval_typmod(i, typmod)?),
        Datum::Array(a) => {
            let elem = a.elem_type;
            let mut out = (*a).clone();
            for v in &mut out.values {
                *v = apply(elem, typmod, std::mem::take(v), explicit)?;
            }
            Datum::Array(out.into())
        }
        other => other,
    })
}

/// Rounds microseconds half up to `precision` decimals of a second.
pub fn round_micros(v: i64, precision: i32) -> i64 {
    if !(0..6).contains(&precision) {
        return v;
    }
    let unit = 10i64.pow(6 - precision as u32);
    let half = unit / 2;
    if v >= 0 { (v + half) / unit * unit } else { -((-v + half) / unit * unit) }
}

/// The byte length of the first `n` characters.
fn prefix_len(s: &str, n: usize) -> usize {
    if s.len() <= n {
        return s.len();
    }
    s.char_indices().nth(n).map_or(s.len(), |(at, _)| at)
}

/// `varchar(n)` and `char(n)`: cuts blanks (or, explicitly, anything) past n characters; char pads with blanks.
pub fn apply_text(type_oid: Oid, typmod: i32, s: EcoString, explicit: bool) -> PgResult<Datum> {
    if typmod < 4 {
        return Ok(Datum::Text(s));
    }
    let n = (typmod - 4) as usize;
    let keep = prefix_len(&s, n);
    if keep < s.len() {
        if !explicit && s.as_bytes()[keep..].iter().any(|&c| c != b' ') {
            let name = if type_oid == oid::VARCHAR { "character varying" } else { "character" };
            bail!(STRING_DATA_RIGHT_TRUNCATION, "value too long for type {name}({n})");
        }
        return Ok(Datum::Text(EcoString::from(&s[..keep])));
    }
    if type_oid == oid::BPCHAR {
        let chars = if s.is_ascii() { s.len() } else { s.chars().count() };
        if chars < n {
            return Ok(Datum::Text(padded(&s, n - chars)));
        }
    }
    Ok(Datum::Text(s))
}

/// `s` with blanks after it.
fn padded(s: &str, mut blanks: usize) -> EcoString {
    const BLANKS: &str = "                                                                ";
    let mut out = EcoString::with_capacity(s.len() + blanks);
    out.push_str(s);
    while blanks > 0 {
        let n = blanks.min(BLANKS.len());
        out.push_str(&BLANKS[..n]);
        blanks -= n;
    }
    out
}

fn apply_bits(
    type_oid: Oid,
    typmod: i32,
    bits: std::sync::Arc<BitString>,
    explicit: bool,
) -> PgResult<std::sync::Arc<BitString>> {
    let n = typmod as u32;
    if type_oid == oid::VARBIT {
        if bits.len <= n {
            return Ok(bits);
        }
        if !explicit {
            bail!(STRING_DATA_RIGHT_TRUNCATION, "bit string too long for type bit varying({n})");
        }
        return Ok(bits.resized(n).into());
    }
    if bits.len == n {
        return Ok(bits);
    }
    if !explicit {
        bail!(STRING_DATA_LENGTH_MISMATCH, "bit string length {} does not match type bit({n})", bits.len);
    }
    Ok(bits.resized(n).into())
}
