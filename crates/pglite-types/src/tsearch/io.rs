//! Text form of `tsvector` and `tsquery`.

use std::fmt::Write;

use pglite_error::{PgError, PgResult, bail, codes};

use super::{Lexeme, QueryNode, TsQuery, TsVector, WordPos, normalize};
use crate::text::scalar::is_space;

const MAX_WORD: usize = 2046;
const MAX_DISTANCE: u32 = 16384;

struct Scan<'a> {
    whole: &'a str,
    s: &'a str,
    query: bool,
}

impl Scan<'_> {
    fn syntax(&self) -> PgError {
        let what = if self.query { "tsquery" } else { "tsvector" };
        PgError::new(codes::SYNTAX_ERROR, format!("syntax error in {what}: \"{}\"", self.whole))
    }
    fn skip(&mut self) {
        self.s = self.s.trim_start_matches(|c: char| c.is_ascii() && is_space(c as u8));
    }
    fn peek(&self) -> Option<char> {
        self.s.chars().next()
    }
    fn bump(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.s = &self.s[c.len_utf8()..];
        Some(c)
    }
    /// A character after a backslash.
    fn escaped(&mut self) -> PgResult<char> {
        self.bump().ok_or_else(|| {
            PgError::new(codes::SYNTAX_ERROR, format!("there is no escaped character: \"{}\"", self.whole))
        })
    }
    /// A word, quoted or plain.
    fn word(&mut self) -> PgResult<String> {
        let mut out = String::new();
        if self.peek() == Some('\'') {
            self.bump();
            loop {
                match self.bump() {
                    None => return Err(self.syntax()),
                    Some('\\') => out.push(self.escaped()?),
                    Some('\'') if self.peek() == Some('\'') => {
                        self.bump();
                        out.push('\'');
                    }
                    Some('\'') => break,
                    Some(c) => out.push(c),
                }
            }
            if out.is_empty() {
                return Err(self.syntax());
            }
        } else {
            // A word of a vector may begin with anything, a colon too.
            if !self.query && self.peek() == Some(':') {
                self.bump();
                out.push(':');
            }
            loop {
                match self.peek() {
                    None | Some(':') => break,
                    Some(c) if c.is_ascii() && is_space(c as u8) => break,
                    Some('!' | '&' | '|' | '(' | ')') if self.query => break,
                    Some('<') if self.query => break,
                    Some('\\') => {
                        self.bump();
                        out.push(self.escaped()?);
                    }
                    Some(c) => {
                        self.bump();
                        out.push(c);
                    }
                }
            }
            if out.is_empty() {
                return Err(self.syntax());
            }
        }
        if out.len() > MAX_WORD {
            bail!(PROGRAM_LIMIT_EXCEEDED, "word is too long ({} bytes, max {MAX_WORD} bytes)", out.len());
        }
        Ok(out)
    }
    fn digits(&mut self) -> Option<u32> {
        let n = self.s.bytes().take_while(u8::is_ascii_digit).count();
        let v = self.s[..n].parse::<u32>().unwrap_or(u32::MAX);
        self.s = &self.s[n..];
        (n > 0).then_some(v)
    }
    /// `:1A,2` after a word.
    fn positions(&mut self) -> PgResult<Vec<WordPos>> {
        let mut out = Vec::new();
        loop {
            let Some(pos) = self.digits() else { return Err(self.syntax()) };
            if pos == 0 {
                bail!(SYNTAX_ERROR, "wrong position info in tsvector: \"{}\"", self.whole);
            }
            let mut weight = 0;
            loop {
                weight = match self.peek() {
                    Some('a' | 'A' | '*') => 3,
                    Some('b' | 'B') => 2,
                    Some('c' | 'C') => 1,
                    Some('d' | 'D') => 0,
                    _ => break,
                };
                self.bump();
            }
            out.push(WordPos::new(pos.min(16383) as u16, weight));
            match self.peek() {
                Some(',') => {
                    self.bump();
                }
                None => return Ok(out),
                Some(c) if c.is_ascii() && is_space(c as u8) => return Ok(out),
                _ => return Err(self.syntax()),
            }
        }
    }
}

pub fn tsvector_in(s: &str) -> PgResult<TsVector> {
    let mut p = Scan { whole: s, s, query: false };
    let mut lexemes = Vec::new();
    loop {
        p.skip();
        if p.s.is_empty() {
            return Ok(normalize(lexemes));
        }
        let word = p.word()?;
        let positions = if p.peek() == Some(':') {
            p.bump();
            p.positions()?
        } else {
            Vec::new()
        };
        lexemes.push(Lexeme { word: word.as_str().into(), positions });
    }
}

fn write_word(word: &str, out: &mut String) {
    out.push('\'');
    for c in word.chars() {
        if c == '\'' || c == '\\' {
            out.push(c);
        }
        out.push(c);
    }
    out.push('\'');
}

pub fn tsvector_out(v: &TsVector, out: &mut String) {
    for (i, l) in v.lexemes.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        write_word(&l.word, out);
        for (j, p) in l.positions.iter().enumerate() {
            out.push(if j == 0 { ':' } else { ',' });
            crate::text::fmt::push_u64(out, p.pos() as u64);
            match p.weight() {
                3 => out.push('A'),
                2 => out.push('B'),
                1 => out.push('C'),
                _ => {}
            }
        }
    }
}

/// tsquery input without dictionaries. An empty query is legal.
pub fn tsquery_in(s: &str) -> PgResult<TsQuery> {
    let mut p = Scan { whole: s, s, query: true };
    p.skip();
    if p.s.is_empty() {
        return Ok(TsQuery { root: None });
    }
    let root = or(&mut p, 0)?;
    p.skip();
    if !p.s.is_empty() {
        return Err(p.syntax());
    }
    Ok(TsQuery { root: Some(root) })
}

fn or(p: &mut Scan<'_>, depth: usize) -> PgResult<QueryNode> {
    if depth > 2000 {
        return Err(crate::jsonb::too_deep());
    }
    let mut left = and(p, depth)?;
    loop {
        p.skip();
        if p.peek() != Some('|') {
            return Ok(left);
        }
        p.bump();
        left = QueryNode::Or(Box::new(left), Box::new(and(p, depth)?));
    }
}

fn and(p: &mut Scan<'_>, depth: usize) -> PgResult<QueryNode> {
    let mut left = phrase(p, depth)?;
    loop {
        p.skip();
        if p.peek() != Some('&') {
            return Ok(left);
        }
        p.bump();
        left = QueryNode::And(Box::new(left), Box::new(phrase(p, depth)?));
    }
}

fn phrase(p: &mut Scan<'_>, depth: usize) -> PgResult<QueryNode> {
    let mut left = not(p, depth)?;
    loop {
        p.skip();
        if p.peek() != Some('<') {
            return Ok(left);
        }
        p.bump();
        let distance = if p.peek() == Some('-') {
            p.bump();
            1
        } else {
            match p.digits() {
                None => return Err(p.syntax()),
                Some(d) if d > MAX_DISTANCE => bail!(
                    INVALID_PARAMETER_VALUE,
                    "distance in phrase operator must be an integer value between zero and {MAX_DISTANCE} inclusive"
                ),
                Some(d) => d as u16,
            }
        };
        if p.bump() != Some('>') {
            return Err(p.syntax());
        }
        left = QueryNode::Phrase(Box::new(left), Box::new(not(p, depth)?), distance);
    }
}

fn not(p: &mut Scan<'_>, depth: usize) -> PgResult<QueryNode> {
    p.skip();
    match p.peek() {
        Some('!') => {
            p.bump();
            if depth > 2000 {
                return Err(crate::jsonb::too_deep());
            }
            Ok(QueryNode::Not(Box::new(not(p, depth + 1)?)))
        }
        Some('(') => {
            p.bump();
            let inner = or(p, depth + 1)?;
            p.skip();
            if p.bump() != Some(')') {
                return Err(p.syntax());
            }
            Ok(inner)
        }
        None => Err(PgError::new(codes::SYNTAX_ERROR, format!("no operand in tsquery: \"{}\"", p.whole))),
        _ => value(p),
    }
}

fn value(p: &mut Scan<'_>) -> PgResult<QueryNode> {
    let word = p.word()?;
    let (mut weights, mut prefix) = (0, false);
    if p.peek() == Some(':') {
        p.bump();
        loop {
            match p.peek() {
                Some('a' | 'A') => weights |= 8,
                Some('b' | 'B') => weights |= 4,
                Some('c' | 'C') => weights |= 2,
                Some('d' | 'D') => weights |= 1,
                Some('*') => prefix = true,
                _ => break,
            }
            p.bump();
        }
    }
    Ok(QueryNode::Value { word: word.as_str().into(), weights, prefix })
}

fn priority(n: &QueryNode) -> u8 {
    match n {
        QueryNode::Or(..) => 1,
        QueryNode::And(..) => 2,
        QueryNode::Phrase(..) => 3,
        QueryNode::Not(_) => 4,
        QueryNode::Value { .. } => 5,
    }
}

pub fn tsquery_out(q: &TsQuery, out: &mut String) {
    if let Some(root) = &q.root {
        infix(root, 0, false, out);
    }
}

fn infix(n: &QueryNode, parent: u8, right_of_phrase: bool, out: &mut String) {
    let own = priority(n);
    let (l, r, phrase) = match n {
        QueryNode::Value { word, weights, prefix } => {
            write_word(word, out);
            if *weights != 0 || *prefix {
                out.push(':');
                if *prefix {
                    out.push('*');
                }
                for (bit, c) in [(8, 'A'), (4, 'B'), (2, 'C'), (1, 'D')] {
                    if weights & bit != 0 {
                        out.push(c);
                    }
                }
            }
            return;
        }
        QueryNode::Not(x) => {
            let parens = own < parent;
            if parens {
                out.push_str("( ");
            }
            out.push('!');
            infix(x, own, false, out);
            if parens {
                out.push_str(" )");
            }
            return;
        }
        QueryNode::And(l, r) | QueryNode::Or(l, r) => (l, r, None),
        QueryNode::Phrase(l, r, d) => (l, r, Some(*d)),
    };
    let parens = own < parent || (phrase.is_some() && right_of_phrase);
    if parens {
        out.push_str("( ");
    }
    infix(l, own, false, out);
    match phrase {
        Some(1) => out.push_str(" <-> "),
        Some(d) => {
            let _ = write!(out, " <{d}> ");
        }
        None => out.push_str(if matches!(n, QueryNode::Or(..)) { " | " } else { " & " }),
    }
    infix(r, own, phrase.is_some(), out);
    if parens {
        out.push_str(" )");
    }
}
