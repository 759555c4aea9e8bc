//! to_char and to_number of numbers.

use pglite_error::{PgResult, bail, err};
use pglite_types::numeric::{self, Numeric};

use super::template::{Case, ordinal};
use crate::builtins;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Item {
    Digit,
    Zero,
    Point,
    Comma,
    Currency,
    Sign,
    Minus,
    Plus,
    PlusMinus,
    Bracket,
    Roman(bool),
    Ordinal(Case),
    Literal(char),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    None,
    Before,
    After,
}

struct Template {
    items: Vec<Item>,
    pre: i32,
    post: i32,
    multi: i32,
    /// Position of the first 0 among the digits, and of the last.
    zero_start: i32,
    zero_end: i32,
    zero: bool,
    decimal: bool,
    shift: bool,
    fill: bool,
    sign: Place,
    sign_at: i32,
    minus: bool,
    plus: bool,
    bracket: bool,
    roman: Option<bool>,
    exponent: bool,
}

fn clash(text: &str) -> pglite_error::PgError {
    err!(SYNTAX_ERROR, "{text}")
}

impl Template {
    fn parse(text: &str) -> PgResult<Template> {
        let mut t = Template {
            items: Vec::new(),
            pre: 0,
            post: 0,
            multi: 0,
            zero_start: 0,
            zero_end: 0,
            zero: false,
            decimal: false,
            shift: false,
            fill: false,
            sign: Place::None,
            sign_at: 0,
            minus: false,
            plus: false,
            bracket: false,
            roman: None,
            exponent: false,
        };
        let mut s = text;
        while let Some(c) = s.chars().next() {
            let two = s.get(..2).unwrap_or("").to_ascii_uppercase();
            let used = if s.len() >= 4 && s.is_char_boundary(4) && s[..4].eq_ignore_ascii_case("EEEE") {
                if t.fill
                    || t.bracket
                    || t.minus
                    || t.plus
                    || t.sign != Place::None
                    || t.shift
                    || t.roman.is_some()
                {
                    return Err(clash("\"EEEE\" is incompatible with other formats").detail(
                        "\"EEEE\" may only be used together with digit and decimal point patterns.",
                    ));
                }
                t.exponent = true;
                4
            } else {
                t.element(c, &two, &mut s)?
            };
            s = &s[used..];
        }
        Ok(t)
    }

    /// Takes one element; returns the bytes it used.
    fn element(&mut self, c: char, two: &str, s: &mut &str) -> PgResult<usize> {
        if self.exponent && (c.is_ascii_digit() || matches!(two, "MI" | "PL" | "SG" | "PR" | "RN" | "FM")) {
            return Err(clash("\"EEEE\" must be the last pattern used"));
        }
        let signs = "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together";
        let simple = |name: &str| format!("cannot use \"S\" and \"{name}\" together");
        match two {
            "FM" => self.fill = true,
            "MI" | "PL" | "SG" => {
                if self.sign != Place::None {
                    return Err(clash(&simple(two)));
                }
                self.minus |= two != "PL";
                self.plus |= two != "MI";
                self.items.push(match two {
                    "MI" => Item::Minus,
                    "PL" => Item::Plus,
                    _ => Item::PlusMinus,
                });
            }
            "PR" => {
                if self.sign != Place::None || self.plus || self.minus {
                    return Err(clash("cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together"));
                }
                self.bracket = true;
                self.items.push(Item::Bracket);
            }
            "RN" => {
                let lower = s.starts_with('r');
                self.roman = Some(lower);
                self.items.push(Item::Roman(lower));
            }
            "TH" => {
                let case = if s.starts_with('t') { Case::Lower } else { Case::Upper };
                self.items.push(Item::Ordinal(case));
            }
            _ => {
                self.single(c, signs, s)?;
                return Ok(c.len_utf8().min(s.len()));
            }
        }
        Ok(2)
    }

    fn single(&mut self, c: char, signs: &str, s: &mut &str) -> PgResult<()> {
        match c {
            '9' | '0' if self.bracket => return Err(clash("\"9\" must be ahead of \"PR\"")),
            '9' => {
                self.items.push(Item::Digit);
                if self.shift {
                    self.multi += 1;
                } else if self.decimal {
                    self.post += 1;
                } else {
                    self.pre += 1;
                }
            }
            '0' => {
                self.items.push(Item::Zero);
                if !self.zero && !self.decimal {
                    self.zero = true;
                    self.zero_start = self.pre + 1;
                }
                if self.decimal {
                    self.post += 1;
                } else {
                    self.pre += 1;
                }
                self.zero_end = self.pre + self.post;
            }
            '.' | 'D' | 'd' => {
                if self.decimal {
                    return Err(clash("multiple decimal points"));
                }
                if self.shift {
                    return Err(clash("cannot use \"V\" and decimal point together"));
                }
                self.decimal = true;
                self.items.push(Item::Point);
            }
            'S' | 's' => {
                if self.sign != Place::None {
                    return Err(clash("cannot use \"S\" twice"));
                }
                if self.plus || self.minus || self.bracket {
                    return Err(clash(signs));
                }
                self.sign = if self.decimal { Place::After } else { Place::Before };
                self.sign_at = self.pre;
                self.items.push(Item::Sign);
            }
            'V' | 'v' => {
                if self.decimal {
                    return Err(clash("cannot use \"V\" and decimal point together"));
                }
                self.shift = true;
            }
            'B' | 'b' => {}
            ',' | 'G' | 'g' => self.items.push(Item::Comma),
            'L' | 'l' => self.items.push(Item::Currency),
            '"' => {
                let end = s[1..].find('"').map_or(s.len() - 1, |at| at + 1);
                s[1..end].chars().for_each(|c| self.items.push(Item::Literal(c)));
                *s = &s[end..];
            }
            '\\' if s.starts_with("\\\"") => {
                self.items.push(Item::Literal('"'));
                *s = &s[1..];
            }
            c => self.items.push(Item::Literal(c)),
        }
        Ok(())
    }
}

/// The state while digits are laid out under a template.
struct Layout<'a> {
    t: &'a Template,
    digits: &'a [u8],
    at: usize,
    negative: bool,
    sign_done: bool,
    /// Blank places before the number.
    blanks: i32,
    count: i32,
    current: i32,
    inside: bool,
    /// Under FM: the last digit worth showing.
    last: Option<usize>,
    bracket: bool,
    sign: Place,
    out: String,
}

impl Layout<'_> {
    fn leading_zero(&self) -> bool {
        !self.t.zero && self.at == 0 && self.digits.first() == Some(&b'0') && self.t.post != 0
    }
    fn last_is_point(&self) -> bool {
        self.last.is_some_and(|l| self.digits[l] == b'.')
    }
    fn write_sign(&mut self) {
        let due = self.current >= self.blanks || (self.t.zero && self.t.zero_start - 1 == self.current);
        if self.sign_done || !due || (self.leading_zero() && !self.last_is_point()) {
            return;
        }
        if self.sign != Place::None {
            if self.sign == Place::Before {
                self.out.push(if self.negative { '-' } else { '+' });
                self.sign_done = true;
            }
            return;
        }
        if self.bracket {
            self.out.push(if self.negative { '<' } else { ' ' });
        } else if self.negative {
            self.out.push('-');
        } else if !self.t.fill {
            self.out.push(' ');
        }
        self.sign_done = true;
    }
    fn digit(&mut self, zero_item: bool) {
        self.inside = false;
        self.write_sign();
        let zero_from = self.t.zero_start - 1;
        if self.current < self.blanks && (!self.t.zero || zero_from > self.current) {
            if !self.t.fill {
                self.out.push(' ');
            }
        } else if self.current < self.blanks {
            self.out.push('0');
            self.inside = true;
        } else {
            match self.digits.get(self.at).copied() {
                Some(b'.') => self.out.push('.'),
                None => {}
                Some(_) if self.last.is_some_and(|l| self.at > l) && !zero_item => {}
                Some(_) if self.leading_zero() => {
                    if !self.t.fill {
                        self.out.push(' ');
                    } else if self.last_is_point() {
                        self.out.push('0');
                    }
                }
                Some(d) => {
                    self.out.push(d as char);
                    self.inside = true;
                }
            }
            self.at = (self.at + 1).min(self.digits.len());
        }
        let mut end = self.count + i32::from(self.blanks > 0) + i32::from(self.t.decimal);
        if self.last.is_some_and(|l| l == self.at) {
            end = self.current;
        }
        if self.current + 1 == end {
            if self.sign_done && self.bracket {
                self.out.push(if self.negative { '>' } else { ' ' });
            } else if self.sign == Place::After {
                self.out.push(if self.negative { '-' } else { '+' });
            }
        }
        self.current += 1;
    }
}

fn lay_out(t: &Template, digits: &str, negative: bool, blanks: i32, roman: &str) -> String {
    let bytes = digits.as_bytes();
    let mut l = Layout {
        t,
        digits: bytes,
        at: 0,
        negative,
        sign_done: true,
        blanks,
        count: t.post + t.pre - 1,
        current: 0,
        inside: false,
        last: None,
        bracket: t.bracket,
        sign: t.sign,
        out: String::new(),
    };
    if t.plus || t.minus {
        l.sign_done = !(t.plus && !t.minus);
    } else {
        if !negative && t.fill {
            l.bracket = false;
        }
        l.sign_done = !negative && t.fill && t.sign == Place::None;
        if t.sign == Place::Before && t.pre == t.sign_at {
            l.sign = Place::After;
        }
    }
    if t.fill
        && t.decimal
        && let Some(point) = digits.find('.')
    {
        let mut last = bytes.iter().rposition(|b| *b != b'0').unwrap_or(point).max(point);
        if t.zero_end > blanks {
            last = last.max((bytes.len() - 1).min((t.zero_end - blanks) as usize));
        }
        l.last = Some(last);
    }
    if !l.sign_done && blanks == 0 {
        l.count += 1;
    }
    for item in &t.items {
        match item {
            Item::Digit | Item::Zero | Item::Point if t.roman.is_some() => {}
            Item::Digit | Item::Point => l.digit(false),
            Item::Zero => l.digit(true),
            Item::Comma if l.inside => l.out.push(','),
            Item::Comma if t.fill => {}
            Item::Comma | Item::Currency => l.out.push(' '),
            Item::Roman(lower) => {
                let text = if *lower { roman.to_ascii_lowercase() } else { roman.to_string() };
                l.out.push_str(&if t.fill { text } else { format!("{text:>15}") });
            }
            Item::Ordinal(case) => {
                if t.roman.is_none() && !digits.starts_with('#') && !negative && !t.decimal {
                    l.out.push_str(ordinal(digits, *case));
                }
            }
            Item::Minus if negative => l.out.push('-'),
            Item::Plus if !negative => l.out.push('+'),
            Item::Minus | Item::Plus if t.fill => {}
            Item::Minus | Item::Plus => l.out.push(' '),
            Item::PlusMinus => l.out.push(if negative { '-' } else { '+' }),
            Item::Sign | Item::Bracket => {}
            Item::Literal(c) => l.out.push(*c),
        }
    }
    l.out
}

fn roman(v: Option<i64>) -> String {
    const PARTS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let Some(mut v) = v.filter(|v| (1..=3999).contains(v)) else { return "#".repeat(15) };
    let mut out = String::new();
    for (n, text) in PARTS {
        while v >= n {
            out.push_str(text);
            v -= n;
        }
    }
    out
}

/// `d.ddde+nn`.
fn exponent(v: &Numeric, t: &Template) -> String {
    if !v.is_finite() {
        // PG: a pattern of # with one more place for the sign.
        let width = (t.pre + 1).max(0) as usize;
        return format!(" {}.{}", "#".repeat(width.saturating_sub(1)), "#".repeat(t.post as usize + 4));
    }
    let plain = v.to_string();
    let negative = plain.starts_with('-');
    let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
    let int_len = plain.trim_start_matches('-').split('.').next().map_or(0, str::len) as i32;
    let lead = digits.bytes().position(|b| b != b'0');
    let Some(lead) = lead else { return format!(" {:.*}e+00", t.post as usize, 0.0) };
    let mut exp = int_len - 1 - lead as i32;
    let keep = t.post as usize + 1;
    let mut sig: Vec<u8> = digits.as_bytes()[lead..].to_vec();
    let round_up = sig.get(keep).is_some_and(|d| *d >= b'5');
    sig.resize(keep, b'0');
    if round_up {
        let mut i = keep;
        loop {
            if i == 0 {
                sig.insert(0, b'1');
                sig.truncate(keep);
                exp += 1;
                break;
            }
            i -= 1;
            if sig[i] == b'9' {
                sig[i] = b'0';
            } else {
                sig[i] += 1;
                break;
            }
        }
    }
    let text: String = sig.iter().map(|b| *b as char).collect();
    let (sign, esign) = (if negative { '-' } else { ' ' }, if exp < 0 { '-' } else { '+' });
    let point = if t.post > 0 { "." } else { "" };
    format!("{sign}{}{point}{}e{esign}{:02}", &text[..1], &text[1..], exp.abs())
}

/// Prints a number; `precision` limits significant digits (floats).
fn print(v: &Numeric, template: &str, precision: Option<i32>) -> PgResult<String> {
    if template.is_empty() {
        return Ok(String::new());
    }
    let mut t = Template::parse(template)?;
    if t.roman.is_some() {
        let whole = numeric::round(v, 0)?.to_i64().ok().filter(|_| v.is_finite());
        return Ok(lay_out(&t, "", false, 0, &roman(whole)));
    }
    if t.exponent {
        return Ok(exponent(v, &t));
    }
    let mut v = v.clone();
    if t.shift {
        let by = numeric::power(&Numeric::from_i64(10), &Numeric::from_i64(i64::from(t.multi)))?;
        v = numeric::mul(&v, &by)?;
        t.pre += t.multi;
    }
    let negative = v.signum() < 0;
    if !v.is_finite() {
        let text = if v.is_nan() { "NaN" } else { "Infinity" };
        let blanks = t.pre - text.len() as i32;
        let mut text = text.to_string();
        if blanks < 0 {
            text = "#".repeat(t.pre as usize);
        }
        if t.post > 0 && blanks < 0 {
            text.push('.');
            text.push_str(&"#".repeat(t.post as usize));
        }
        return Ok(lay_out(&t, &text, negative, blanks.max(0), ""));
    }
    let mut places = t.post;
    if let Some(digits) = precision {
        let whole = numeric::abs(&numeric::trunc(&v, 0)?).to_string().len() as i32;
        places = if whole >= digits { 0 } else { places.min(digits - whole) };
    }
    let rounded = numeric::round(&v, places)?;
    let negative = rounded.signum() < 0 || (negative && precision.is_some());
    let mut text = numeric::abs(&rounded).to_string();
    if precision.is_some() && places < t.post && places == 0 {
        t.post = 0;
    }
    let whole = text.split('.').next().map_or(0, str::len) as i32;
    let blanks = t.pre - whole;
    if blanks < 0 {
        text = "#".repeat(t.pre as usize);
        if t.post > 0 || t.decimal {
            text.push('.');
            text.push_str(&"#".repeat(t.post as usize));
        }
    } else if t.decimal && !text.contains('.') {
        text.push('.');
    }
    Ok(lay_out(&t, &text, negative, blanks.max(0), ""))
}

fn of_numeric(v: &Numeric, template: &str) -> PgResult<String> {
    print(v, template, None)
}
fn of_i4(v: i32, template: &str) -> PgResult<String> {
    print(&Numeric::from_i64(i64::from(v)), template, None)
}
fn of_i8(v: i64, template: &str) -> PgResult<String> {
    print(&Numeric::from_i64(v), template, None)
}
fn of_f4(v: f32, template: &str) -> PgResult<String> {
    print(&exact(f64::from(v))?, template, Some(6))
}
fn of_f8(v: f64, template: &str) -> PgResult<String> {
    print(&exact(v)?, template, Some(15))
}
/// The binary value itself, not its shortest decimal form.
fn exact(v: f64) -> PgResult<Numeric> {
    if v.is_finite() && v.abs() < 1e18 { numeric::parse(&format!("{v:.25}")) } else { Numeric::from_f64(v) }
}

fn to_number(text: &str, template: &str) -> PgResult<Option<Numeric>> {
    if template.is_empty() {
        return Ok(None);
    }
    let t = Template::parse(template)?;
    if t.exponent {
        bail!(FEATURE_NOT_SUPPORTED, "\"EEEE\" not supported for input");
    }
    if t.roman.is_some() {
        return from_roman(text).map(Some);
    }
    let (mut out, mut negative, mut point) = (String::new(), false, false);
    let (mut whole, mut fraction) = (0, 0);
    for c in text.chars() {
        match c {
            '-' | '<' => negative = true,
            '.' if point || !t.decimal => break,
            '.' => {
                point = true;
                out.push('.');
            }
            '0'..='9' if point && fraction < t.post => {
                fraction += 1;
                out.push(c);
            }
            '0'..='9' if !point && whole < t.pre + t.multi => {
                whole += 1;
                out.push(c);
            }
            _ => {}
        }
    }
    if whole + fraction == 0 {
        return Err(pglite_error::PgError::invalid_input(
            "numeric",
            if text.trim().is_empty() { " " } else { text },
        ));
    }
    let body = format!("{}{}", if negative { "-" } else { "" }, out.trim_end_matches('.'));
    let mut v = numeric::parse(&body)?;
    if t.shift {
        let by = numeric::power(&Numeric::from_i64(10), &Numeric::from_i64(-i64::from(t.multi)))?;
        v = numeric::mul(&v, &by)?;
    }
    numeric::round(&v, t.post + t.multi).map(Some)
}

fn from_roman(text: &str) -> PgResult<Numeric> {
    let value = |c: u8| match c.to_ascii_uppercase() {
        b'I' => Some(1),
        b'V' => Some(5),
        b'X' => Some(10),
        b'L' => Some(50),
        b'C' => Some(100),
        b'D' => Some(500),
        b'M' => Some(1000),
        _ => None,
    };
    let s = text.trim();
    let digits: Option<Vec<i64>> = s.bytes().map(value).collect();
    let total = digits.map(|d| {
        d.iter()
            .enumerate()
            .map(|(i, v)| if d.get(i + 1).is_some_and(|n| n > v) { -v } else { *v })
            .sum::<i64>()
    });
    match total {
        Some(n) if roman(Some(n)).eq_ignore_ascii_case(s) => Ok(Numeric::from_i64(n)),
        _ => bail!(INVALID_TEXT_REPRESENTATION, "invalid Roman numeral"),
    }
}

builtins! { pub TABLE:
    "numeric_to_char" => of_numeric[&Numeric, &str];
    "int4_to_char" => of_i4[i32, &str];
    "int8_to_char" => of_i8[i64, &str];
    "float4_to_char" => of_f4[f32, &str];
    "float8_to_char" => of_f8[f64, &str];
    "numeric_to_number" => to_number[&str, &str];
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of PostgreSQL 18.
    #[test]
    fn numbers() {
        let cases = [
            ("485", "999", " 485"),
            ("-485", "999", "-485"),
            ("485", "9 9 9", " 4 8 5"),
            ("1485", "9,999", " 1,485"),
            ("0.1", "0.9", " 0.1"),
            ("0.1", "9.9", "  .1"),
            ("-0.1", "99.99", "  -.10"),
            ("-0.1", "FM9.99", "-.1"),
            ("0.1", "FM9.99", ".1"),
            ("12", "9990999.9", "    0012.0"),
            ("12", "FM9990999.9", "0012."),
            ("485", "FM999MI", "485"),
            ("-485", "999MI", "485-"),
            ("485", "PL999", "+ 485"),
            ("485", "SG999", "+485"),
            ("-485", "999PR", "<485>"),
            ("485", "999S", "485+"),
            ("-485", "S999", "-485"),
            ("485", "RN", "        CDLXXXV"),
            ("485", "FMRN", "CDLXXXV"),
            ("482", "999th", " 482nd"),
            ("12.45", "99V9", " 125"),
            ("0.0004859", "9.99EEEE", " 4.86e-04"),
            ("1234.56", "99.9", " ##.#"),
            ("3148.5", "9G999D999", " 3,148.500"),
            ("148.5", "FM999.990", "148.500"),
            ("12345.678", "FM999,999,999.00", "12,345.68"),
            ("0", "FM9.9", "0."),
            ("0", "99", "  0"),
        ];
        for (v, template, want) in cases {
            let got = print(&numeric::parse(v).unwrap(), template, None).unwrap();
            assert_eq!(got, want, "{v} {template}");
        }
    }
}
