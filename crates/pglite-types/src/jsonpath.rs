//! `jsonpath`: the tree of a path expression, its parser and its canonical text.
//!
//! Values of the type hold the canonical text (`Datum::Text`); evaluation parses it again, once per plan.

mod lex;
mod parse;
mod print;

pub use parse::parse;
pub use print::print;

use crate::numeric::Numeric;

/// A whole path.
#[derive(Clone, Debug)]
pub struct JsonPath {
    pub lax: bool,
    pub expr: Item,
}

/// A primary and the accessors applied to it.
#[derive(Clone, Debug)]
pub struct Item {
    pub node: Node,
    pub next: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    StartsWith,
}

/// Methods without arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Abs,
    Size,
    Type,
    Floor,
    Double,
    Ceiling,
    KeyValue,
    Bigint,
    Boolean,
    Date,
    Integer,
    Number,
    String,
}

/// Methods with an optional argument: a template, or a precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeMethod {
    Datetime,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
}

/// The "last" level of `**{...}`.
pub const LAST_LEVEL: u32 = u32::MAX;

#[derive(Clone, Debug)]
pub enum Node {
    Null,
    String(String),
    Numeric(Numeric),
    Bool(bool),
    Variable(String),
    Root,
    Current,
    Last,
    Binary(BinaryOp, Box<Item>, Box<Item>),
    Plus(Box<Item>),
    Minus(Box<Item>),
    Not(Box<Item>),
    IsUnknown(Box<Item>),
    Exists(Box<Item>),
    LikeRegex {
        expr: Box<Item>,
        pattern: String,
        flags: RegexFlags,
    },
    /// `.key`
    Key(String),
    /// `.*`
    AnyKey,
    /// `[*]`
    AnyArray,
    /// `[a, b to c]`
    Index(Vec<(Item, Option<Item>)>),
    /// `.**{first to last}`
    Any(u32, u32),
    /// `?(...)`
    Filter(Box<Item>),
    Method(Method),
    Decimal(Option<Box<Item>>, Option<Box<Item>>),
    Time(TimeMethod, Option<Box<Item>>),
}

/// Flags of `like_regex`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RegexFlags {
    pub icase: bool,
    pub dotall: bool,
    pub multiline: bool,
    pub whitespace: bool,
    pub quote: bool,
}

impl From<Node> for Item {
    fn from(node: Node) -> Item {
        Item { node, next: Vec::new() }
    }
}

/// jsonpath input: the canonical text.
pub fn jsonpath_in(s: &str) -> pglite_error::PgResult<String> {
    let path = parse(s)?;
    let mut out = String::with_capacity(s.len());
    print(&path, &mut out);
    Ok(out)
}
