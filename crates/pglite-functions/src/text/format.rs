//! concat, concat_ws, format: functions of arguments of any type.

use pglite_error::{PgError, PgResult, bail, err};
use pglite_ir::{Body, FnCtx};
use pglite_types::{Datum, Oid};

use super::edit::{quote_ident, quote_literal};
use super::{chars, output};

/// The arguments from `skip` on with their types; None when an explicit VARIADIC array is NULL.
fn spread<'a>(cx: &FnCtx<'_>, args: &'a [Datum], skip: usize) -> Option<Vec<(Oid, &'a Datum)>> {
    if cx.call.variadic {
        return match args.last() {
            Some(Datum::Array(a)) => Some(a.values.iter().map(|v| (a.elem_type, v)).collect()),
            _ => None,
        };
    }
    let ty = |i: usize| cx.call.arg_types.get(i).copied().unwrap_or(Oid::INVALID);
    Some(args.iter().enumerate().skip(skip).map(|(i, v)| (ty(i), v)).collect())
}

fn join(cx: &FnCtx<'_>, sep: &str, items: &[(Oid, &Datum)]) -> PgResult<Datum> {
    let mut out = String::new();
    let mut first = true;
    for (ty, v) in items.iter().filter(|(_, v)| !v.is_null()) {
        if !first {
            out.push_str(sep);
        }
        first = false;
        output(cx, *ty, v, &mut out)?;
    }
    Ok(Datum::text(out))
}

fn concat(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    match spread(cx, args, 0) {
        Some(items) => join(cx, "", &items),
        None => Ok(Datum::Null),
    }
}

fn concat_ws(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let Some(Datum::Text(sep)) = args.first() else { return Ok(Datum::Null) };
    match spread(cx, args, 1) {
        Some(items) => join(cx, sep, &items),
        None => Ok(Datum::Null),
    }
}

#[cold]
fn unterminated() -> PgError {
    err!(INVALID_PARAMETER_VALUE, "unterminated format() type specifier")
        .hint("For a single \"%\" use \"%%\".")
}

/// A conversion: `%[position$][-][width|*|*n$]type`.
#[derive(Default)]
struct Spec {
    position: Option<usize>,
    left: bool,
    width: Option<Width>,
}

enum Width {
    Fixed(i32),
    /// From an argument: its number, or the next one.
    Arg(Option<usize>),
}

struct Scan<'a> {
    it: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Scan<'_> {
    fn peek(&mut self) -> PgResult<char> {
        self.it.peek().copied().ok_or_else(unterminated)
    }
    fn digits(&mut self) -> PgResult<Option<i32>> {
        let mut v: Option<i32> = None;
        while let Some(d) = self.peek()?.to_digit(10) {
            let next = v.unwrap_or(0).checked_mul(10).and_then(|v| v.checked_add(d as i32));
            v = Some(next.ok_or_else(|| err!(NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range"))?);
            self.it.next();
        }
        Ok(v)
    }
    fn spec(&mut self) -> PgResult<Spec> {
        let mut spec = Spec::default();
        if let Some(n) = self.digits()? {
            if self.peek()? != '$' {
                // Not a position but a width.
                spec.width = Some(Width::Fixed(n));
                return Ok(spec);
            }
            self.it.next();
            if n == 0 {
                bail!(
                    INVALID_PARAMETER_VALUE,
                    "format specifies argument 0, but arguments are numbered from 1"
                );
            }
            spec.position = Some(n as usize);
        }
        while self.peek()? == '-' {
            spec.left = true;
            self.it.next();
        }
        if self.peek()? == '*' {
            self.it.next();
            let n = self.digits()?;
            if n.is_some() {
                if self.peek()? != '$' {
                    bail!(INVALID_PARAMETER_VALUE, "width argument position must be ended by \"$\"");
                }
                self.it.next();
            }
            if n == Some(0) {
                bail!(
                    INVALID_PARAMETER_VALUE,
                    "format specifies argument 0, but arguments are numbered from 1"
                );
            }
            spec.width = Some(Width::Arg(n.map(|n| n as usize)));
        } else if let Some(n) = self.digits()? {
            spec.width = Some(Width::Fixed(n));
        }
        Ok(spec)
    }
}

fn argument<'a>(items: &[(Oid, &'a Datum)], n: usize) -> PgResult<(Oid, &'a Datum)> {
    match items.get(n - 1) {
        Some(v) => Ok(*v),
        None => bail!(INVALID_PARAMETER_VALUE, "too few arguments for format()"),
    }
}

fn width_of(cx: &FnCtx<'_>, ty: Oid, v: &Datum) -> PgResult<i32> {
    match v {
        Datum::Null => Ok(0),
        Datum::Int4(n) => Ok(*n),
        Datum::Int2(n) => Ok(i32::from(*n)),
        _ => {
            let mut text = String::new();
            output(cx, ty, v, &mut text)?;
            pglite_types::text::scalar::int4_in(&text)
        }
    }
}

fn append(out: &mut String, text: &str, width: i32, left: bool) -> PgResult<()> {
    if width == 0 {
        out.push_str(text);
        return Ok(());
    }
    if width == i32::MIN {
        bail!(NUMERIC_VALUE_OUT_OF_RANGE, "number is out of range");
    }
    let left = left || width < 0;
    let width = width.unsigned_abs() as usize;
    if width > 1 << 28 {
        return Err(super::too_long());
    }
    let fill = " ".repeat(width.saturating_sub(chars(text)));
    if left {
        out.push_str(text);
        out.push_str(&fill);
    } else {
        out.push_str(&fill);
        out.push_str(text);
    }
    Ok(())
}

fn format(cx: &FnCtx<'_>, args: &[Datum]) -> PgResult<Datum> {
    let Some(Datum::Text(fmt)) = args.first() else { return Ok(Datum::Null) };
    let items = spread(cx, args, 1).unwrap_or_default();
    let mut out = String::with_capacity(fmt.len());
    let mut scan = Scan { it: fmt.chars().peekable() };
    let mut last = 0;
    while let Some(c) = scan.it.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if scan.peek()? == '%' {
            scan.it.next();
            out.push('%');
            continue;
        }
        let spec = scan.spec()?;
        let kind = scan.peek()?;
        if !matches!(kind, 's' | 'I' | 'L') {
            return Err(err!(INVALID_PARAMETER_VALUE, "unrecognized format() type specifier \"{kind}\"")
                .hint("For a single \"%\" use \"%%\"."));
        }
        scan.it.next();
        let width = match spec.width {
            None => 0,
            Some(Width::Fixed(n)) => n,
            Some(Width::Arg(n)) => {
                last = n.unwrap_or(last + 1);
                let (ty, v) = argument(&items, last)?;
                width_of(cx, ty, v)?
            }
        };
        last = spec.position.unwrap_or(last + 1);
        let (ty, v) = argument(&items, last)?;
        if v.is_null() {
            match kind {
                's' => append(&mut out, "", width, spec.left)?,
                'L' => append(&mut out, "NULL", width, spec.left)?,
                _ => bail!(NULL_VALUE_NOT_ALLOWED, "null values cannot be formatted as an SQL identifier"),
            }
            continue;
        }
        let mut text = String::new();
        output(cx, ty, v, &mut text)?;
        let text = match kind {
            'I' => quote_ident(&text),
            'L' => quote_literal(&text),
            _ => text,
        };
        append(&mut out, &text, width, spec.left)?;
    }
    Ok(Datum::text(out))
}

pub static TABLE: &[(&str, Body)] = &[
    ("text_concat", Body::Scalar(concat)),
    ("text_concat_ws", Body::Scalar(concat_ws)),
    ("text_format", Body::Scalar(format)),
    ("text_format_nv", Body::Scalar(format)),
];
