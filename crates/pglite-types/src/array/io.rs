//! Text form of arrays, and of int2vector and oidvector.

use pglite_error::{PgError, PgResult, bail, codes};
use smallvec::SmallVec;

use super::{ArrayValue, Dim, MAX_ARRAY_SIZE, MAX_DIMS};
use crate::text::scalar::is_space;
use crate::text::{text_in, text_out};
use crate::{Datum, Oid, TypeEnv, oid};

struct Parser<'a> {
    s: &'a str,
    b: &'a [u8],
    i: usize,
    delim: u8,
    nulls: bool,
    elem: String,
}

enum Token {
    Open,
    Close,
    Delim,
    Elem,
    Null,
}

fn too_many_dims() -> PgError {
    PgError::new(
        codes::PROGRAM_LIMIT_EXCEEDED,
        format!("number of array dimensions exceeds the maximum allowed ({MAX_DIMS})"),
    )
}

fn too_large() -> PgError {
    PgError::new(
        codes::PROGRAM_LIMIT_EXCEEDED,
        format!("array size exceeds the maximum allowed ({MAX_ARRAY_SIZE})"),
    )
}

/// Array input: elements of type `elem` separated by `delim`, modifiers applied to each.
pub fn array_in(env: &dyn TypeEnv, elem: Oid, delim: u8, typmod: i32, s: &str) -> PgResult<ArrayValue> {
    let nulls = env.settings().array_nulls;
    let mut p = Parser { s, b: s.as_bytes(), i: 0, delim, nulls, elem: String::new() };
    let given = p.dimensions()?;
    if given.is_empty() {
        if p.peek() != Some(b'{') {
            return Err(p.malformed("Array value must start with \"{\" or dimension information."));
        }
    } else {
        if p.peek() != Some(b'=') {
            return Err(p.malformed("Missing \"=\" after array dimensions."));
        }
        p.i += 1;
        p.skip_space();
        if p.peek() != Some(b'{') {
            return Err(p.malformed("Array contents must start with \"{\"."));
        }
    }
    let (lens, values) = p.contents(&given, |text| match text {
        Some(t) => text_in(env, elem, typmod, t),
        None => crate::text::null_in(env, elem),
    })?;
    p.skip_space();
    if p.i < p.b.len() {
        return Err(p.malformed("Junk after closing right brace."));
    }
    if values.is_empty() {
        return Ok(ArrayValue::empty(elem));
    }
    let dims = lens
        .iter()
        .enumerate()
        .map(|(i, &len)| Dim { len, lower: given.get(i).map_or(1, |d| d.lower) })
        .collect::<SmallVec<_>>();
    super::check_dims(&dims)?;
    Ok(ArrayValue { elem_type: elem, dims, values })
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.b.get(self.i).copied()
    }
    fn skip_space(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.i += 1;
        }
    }
    fn malformed(&self, detail: &str) -> PgError {
        PgError::new(codes::INVALID_TEXT_REPRESENTATION, format!("malformed array literal: \"{}\"", self.s))
            .detail(detail)
    }
    fn unexpected(&self, c: u8) -> PgError {
        self.malformed(&format!("Unexpected \"{}\" character.", c as char))
    }
    /// A bound; `None` when there is no digit.
    fn bound(&mut self) -> PgResult<Option<i32>> {
        let start = self.i;
        if matches!(self.peek(), Some(b'-' | b'+')) {
            self.i += 1;
        }
        let digits = self.i;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.i += 1;
        }
        if digits == self.i {
            self.i = start;
            return Ok(None);
        }
        match self.s[start..self.i].parse() {
            Ok(v) => Ok(Some(v)),
            Err(_) => bail!(PROGRAM_LIMIT_EXCEEDED, "array bound is out of integer range"),
        }
    }
    /// `[n]` and `[m:n]` items.
    fn dimensions(&mut self) -> PgResult<SmallVec<[Dim; 2]>> {
        let mut dims = SmallVec::new();
        loop {
            self.skip_space();
            if self.peek() != Some(b'[') {
                return Ok(dims);
            }
            self.i += 1;
            if dims.len() >= MAX_DIMS {
                return Err(too_many_dims());
            }
            let Some(first) = self.bound()? else {
                return Err(self.malformed("\"[\" must introduce explicitly-specified array dimensions."));
            };
            let (lower, upper) = if self.peek() == Some(b':') {
                self.i += 1;
                match self.bound()? {
                    Some(upper) => (first, upper),
                    None => return Err(self.malformed("Missing array dimension value.")),
                }
            } else {
                (1, first)
            };
            if self.peek() != Some(b']') {
                return Err(self.malformed("Missing \"]\" after array dimensions."));
            }
            self.i += 1;
            if upper < lower {
                bail!(ARRAY_SUBSCRIPT_ERROR, "upper bound cannot be less than lower bound");
            }
            if upper == i32::MAX {
                bail!(PROGRAM_LIMIT_EXCEEDED, "array upper bound is too large: {upper}");
            }
            let len = upper.checked_sub(lower).and_then(|n| n.checked_add(1)).ok_or_else(too_large)?;
            dims.push(Dim { len, lower });
        }
    }
    fn contents(
        &mut self,
        given: &[Dim],
        mut read: impl FnMut(Option<&str>) -> PgResult<Datum>,
    ) -> PgResult<(Vec<i32>, Vec<Datum>)> {
        let specified = !given.is_empty();
        let mut lens = [-1i32; MAX_DIMS];
        given.iter().enumerate().for_each(|(i, d)| lens[i] = d.len);
        let mismatch = |p: &Parser<'_>| {
            p.malformed(if specified {
                "Specified array dimensions do not match array contents."
            } else {
                "Multidimensional arrays must have sub-arrays with matching dimensions."
            })
        };
        let mut ndim = given.len();
        let mut frozen = specified;
        let mut counts = [0i32; MAX_DIMS];
        let mut level = 0;
        let mut expect_delim = false;
        let mut values = Vec::new();
        loop {
            match self.token()? {
                Token::Open => {
                    if expect_delim {
                        return Err(self.unexpected(b'{'));
                    }
                    if level >= MAX_DIMS {
                        return Err(too_many_dims());
                    }
                    counts[level] = 0;
                    level += 1;
                    if level > ndim {
                        if frozen {
                            return Err(mismatch(self));
                        }
                        ndim = level;
                    }
                }
                Token::Close => {
                    if counts[level - 1] > 0 && !expect_delim {
                        return Err(self.unexpected(b'}'));
                    }
                    level -= 1;
                    if level > 0 {
                        counts[level - 1] += 1;
                    }
                    if lens[level] < 0 {
                        lens[level] = counts[level];
                    } else if counts[level] != lens[level] {
                        return Err(mismatch(self));
                    }
                    expect_delim = true;
                    if level == 0 {
                        return Ok((lens[..ndim].to_vec(), values));
                    }
                }
                Token::Delim => {
                    if !expect_delim {
                        return Err(self.unexpected(self.delim));
                    }
                    expect_delim = false;
                }
                t @ (Token::Elem | Token::Null) => {
                    if expect_delim {
                        return Err(self.malformed("Unexpected array element."));
                    }
                    if values.len() >= MAX_ARRAY_SIZE {
                        return Err(too_large());
                    }
                    values.push(read(matches!(t, Token::Elem).then_some(self.elem.as_str()))?);
                    frozen = true;
                    if level != ndim {
                        return Err(mismatch(self));
                    }
                    counts[level - 1] += 1;
                    expect_delim = true;
                }
            }
        }
    }
    fn token(&mut self) -> PgResult<Token> {
        self.skip_space();
        self.elem.clear();
        let c = self.peek().ok_or_else(|| self.ended())?;
        match c {
            b'{' => {
                self.i += 1;
                Ok(Token::Open)
            }
            b'}' => {
                self.i += 1;
                Ok(Token::Close)
            }
            b'"' => {
                self.i += 1;
                self.quoted()
            }
            c if c == self.delim => {
                self.i += 1;
                Ok(Token::Delim)
            }
            _ => self.unquoted(),
        }
    }
    fn ended(&self) -> PgError {
        self.malformed("Unexpected end of input.")
    }
    /// Takes the character at the cursor, whatever it is.
    fn take_char(&mut self) -> PgResult<()> {
        let c = self.s[self.i..].chars().next().ok_or_else(|| self.ended())?;
        self.elem.push(c);
        self.i += c.len_utf8();
        Ok(())
    }
    fn quoted(&mut self) -> PgResult<Token> {
        loop {
            match self.peek() {
                None => return Err(self.ended()),
                Some(b'\\') => {
                    self.i += 1;
                    self.take_char()?;
                }
                Some(b'"') => break,
                Some(_) => self.take_char()?,
            }
        }
        self.i += 1;
        self.skip_space();
        match self.peek() {
            None => Err(self.ended()),
            Some(c) if c == self.delim || c == b'}' || c == b'{' => Ok(Token::Elem),
            _ => Err(self.malformed("Incorrectly quoted array element.")),
        }
    }
    fn unquoted(&mut self) -> PgResult<Token> {
        let mut keep = 0;
        let mut escaped = false;
        loop {
            match self.peek() {
                None => return Err(self.ended()),
                Some(b'{') => return Err(self.unexpected(b'{')),
                Some(b'"') => return Err(self.malformed("Incorrectly quoted array element.")),
                Some(b'\\') => {
                    self.i += 1;
                    self.take_char()?;
                    keep = self.elem.len();
                    escaped = true;
                }
                Some(c) if c == self.delim || c == b'}' => {
                    self.elem.truncate(keep);
                    let null = self.nulls && !escaped && self.elem.eq_ignore_ascii_case("null");
                    return Ok(if null { Token::Null } else { Token::Elem });
                }
                Some(c) => {
                    self.take_char()?;
                    if !is_space(c) {
                        keep = self.elem.len();
                    }
                }
            }
        }
    }
}

/// Whether an element's text must be quoted.
fn needs_quotes(s: &str, delim: u8) -> bool {
    s.is_empty()
        || s.eq_ignore_ascii_case("null")
        || s.bytes().any(|c| matches!(c, b'"' | b'\\' | b'{' | b'}') || c == delim || is_space(c))
}

/// Array output.
pub fn array_out(env: &dyn TypeEnv, a: &ArrayValue, delim: u8, out: &mut String) -> PgResult<()> {
    if a.dims.is_empty() {
        out.push_str("{}");
        return Ok(());
    }
    if a.dims.iter().any(|d| d.lower != 1) {
        for d in &a.dims {
            out.push('[');
            crate::text::fmt::push_i64(out, d.lower as i64);
            out.push(':');
            crate::text::fmt::push_i64(out, d.lower as i64 + d.len as i64 - 1);
            out.push(']');
        }
        out.push('=');
    }
    let mut tmp = String::new();
    let mut values = a.values.iter();
    level(env, a, 0, &mut values, delim, &mut tmp, out)
}

fn level(
    env: &dyn TypeEnv,
    a: &ArrayValue,
    depth: usize,
    values: &mut std::slice::Iter<'_, Datum>,
    delim: u8,
    tmp: &mut String,
    out: &mut String,
) -> PgResult<()> {
    out.push('{');
    for i in 0..a.dims[depth].len {
        if i > 0 {
            out.push(delim as char);
        }
        if depth + 1 < a.dims.len() {
            level(env, a, depth + 1, values, delim, tmp, out)?;
            continue;
        }
        match values.next() {
            None | Some(Datum::Null) => out.push_str("NULL"),
            Some(v) => {
                tmp.clear();
                text_out(env, a.elem_type, v, tmp)?;
                if !needs_quotes(tmp, delim) {
                    out.push_str(tmp);
                    continue;
                }
                out.push('"');
                for c in tmp.chars() {
                    if c == '"' || c == '\\' {
                        out.push('\\');
                    }
                    out.push(c);
                }
                out.push('"');
            }
        }
    }
    out.push('}');
    Ok(())
}

/// int2vector and oidvector: numbers separated by blanks, subscripts from 0.
pub fn vector_in(type_oid: Oid, s: &str) -> PgResult<ArrayValue> {
    let mut values = Vec::new();
    let elem = if type_oid == oid::INT2VECTOR { oid::INT2 } else { oid::OID };
    let space = |c: char| c.is_ascii() && is_space(c as u8);
    let mut rest = s.trim_start_matches(space);
    while !rest.is_empty() {
        if elem == oid::OID {
            let (v, n) = crate::text::scalar::oid_prefix(rest)?;
            values.push(Datum::Oid(Oid(v)));
            rest = rest[n..].trim_start_matches(space);
            continue;
        }
        let end = rest.find(space).unwrap_or(rest.len());
        // PG: messages quote all that is left.
        let v: i64 = rest[..end].parse().map_err(|_| PgError::invalid_input("smallint", rest))?;
        match i16::try_from(v) {
            Ok(v) => values.push(Datum::Int2(v)),
            Err(_) => bail!(NUMERIC_VALUE_OUT_OF_RANGE, "value \"{rest}\" is out of range for type smallint"),
        }
        rest = rest[end..].trim_start_matches(space);
    }
    // PG: even an empty vector keeps its one dimension.
    let dims = SmallVec::from_slice(&[Dim { len: values.len() as i32, lower: 0 }]);
    Ok(ArrayValue { elem_type: elem, dims, values })
}
