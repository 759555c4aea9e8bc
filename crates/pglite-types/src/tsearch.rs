//! `tsvector` and `tsquery` values. No dictionaries here.

use ecow::EcoString;

/// A position and weight: weight (0 D, 1 C, 2 B, 3 A) in the top two bits, position 1..=16383 below.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WordPos(pub u16);

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lexeme {
    pub word: EcoString,
    /// Ascending, unique, at most 255.
    pub positions: Vec<WordPos>,
}

/// Lexemes sorted by bytes, unique.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TsVector {
    pub lexemes: Vec<Lexeme>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryNode {
    Value {
        word: EcoString,
        /// Bit set of the weights asked for (bit 0 = D ... bit 3 = A); 0 means any.
        weights: u8,
        prefix: bool,
    },
    Not(Box<QueryNode>),
    And(Box<QueryNode>, Box<QueryNode>),
    Or(Box<QueryNode>, Box<QueryNode>),
    Phrase(Box<QueryNode>, Box<QueryNode>, u16),
}

/// A query; `None` is the empty query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TsQuery {
    pub root: Option<QueryNode>,
}

impl WordPos {
    pub fn new(pos: u16, weight: u8) -> WordPos {
        WordPos((pos & 0x3fff) | (weight as u16) << 14)
    }
    pub fn pos(self) -> u16 {
        self.0 & 0x3fff
    }
    pub fn weight(self) -> u8 {
        (self.0 >> 14) as u8
    }
}

/// Order of vectors: number of lexemes first, then lexeme by lexeme.
pub fn cmp_vector(a: &TsVector, b: &TsVector) -> std::cmp::Ordering {
    a.lexemes.len().cmp(&b.lexemes.len()).then_with(|| {
        for (x, y) in a.lexemes.iter().zip(&b.lexemes) {
            let o = x.word.cmp(&y.word).then(x.positions.len().cmp(&y.positions.len())).then_with(|| {
                x.positions
                    .iter()
                    .map(|p| (p.pos(), p.weight()))
                    .cmp(y.positions.iter().map(|p| (p.pos(), p.weight())))
            });
            if o.is_ne() {
                return o;
            }
        }
        std::cmp::Ordering::Equal
    })
}

/// Order of queries: number of nodes first, then structure.
pub fn cmp_query(a: &TsQuery, b: &TsQuery) -> std::cmp::Ordering {
    fn size(n: &QueryNode) -> usize {
        match n {
            QueryNode::Value { .. } => 1,
            QueryNode::Not(x) => 1 + size(x),
            QueryNode::And(x, y) | QueryNode::Or(x, y) | QueryNode::Phrase(x, y, _) => 1 + size(x) + size(y),
        }
    }
    let n = |q: &TsQuery| q.root.as_ref().map_or(0, size);
    n(a).cmp(&n(b)).then_with(|| format!("{a:?}").cmp(&format!("{b:?}")))
}

mod io;

pub use io::{tsquery_in, tsquery_out, tsvector_in, tsvector_out};

/// Sorts lexemes, joins equal ones, and orders and bounds their positions.
pub fn normalize(mut lexemes: Vec<Lexeme>) -> TsVector {
    lexemes.sort_by(|a, b| a.word.as_bytes().cmp(b.word.as_bytes()));
    let mut out: Vec<Lexeme> = Vec::with_capacity(lexemes.len());
    for l in lexemes {
        match out.last_mut() {
            Some(last) if last.word == l.word => last.positions.extend(l.positions),
            _ => out.push(l),
        }
    }
    for l in &mut out {
        // Of equal positions the heaviest weight stays.
        l.positions.sort_by_key(|p| (p.pos(), std::cmp::Reverse(p.weight())));
        l.positions.dedup_by_key(|p| p.pos());
        l.positions.truncate(255);
    }
    TsVector { lexemes: out }
}
