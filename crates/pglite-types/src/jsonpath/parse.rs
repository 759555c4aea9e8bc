//! The jsonpath parser: recursive descent over the SQL/JSON path grammar.
//!
//! Predicates and value expressions are different classes; each result says which one it is.

use pglite_error::{PgError, PgResult, codes};

use super::lex::{Lexer, Tok, error};
use super::{BinaryOp, Item, JsonPath, LAST_LEVEL, Method, Node, RegexFlags, TimeMethod};
use crate::numeric;

struct Parser<'a> {
    lex: Lexer<'a>,
    tok: Tok,
    depth: usize,
}

/// A parsed expression, and whether it is a predicate.
struct Parsed {
    item: Item,
    predicate: bool,
}

/// Keywords that a bare word may be; all but three in any case.
const KEYWORDS: &[&str] =
    &["exists", "is", "last", "lax", "like_regex", "starts", "strict", "to", "unknown", "with", "flag"];

fn keyword(w: &str) -> Option<&'static str> {
    for k in ["null", "true", "false"] {
        if w == k {
            return Some(k);
        }
    }
    KEYWORDS.iter().find(|k| k.eq_ignore_ascii_case(w)).copied()
}

/// Parses a path.
pub fn parse(s: &str) -> PgResult<JsonPath> {
    let mut p = Parser { lex: Lexer::new(s), tok: Tok::End, depth: 0 };
    p.advance()?;
    if p.tok == Tok::End {
        return Err(PgError::invalid_input("jsonpath", s));
    }
    let lax = if p.is_word("strict") {
        p.advance()?;
        false
    } else {
        if p.is_word("lax") {
            p.advance()?;
        }
        true
    };
    let expr = p.or()?.item;
    if p.tok != Tok::End {
        return Err(p.syntax());
    }
    check(&expr, 0, false)?;
    Ok(JsonPath { lax, expr })
}

impl Parser<'_> {
    fn advance(&mut self) -> PgResult<Tok> {
        let next = self.lex.next()?;
        Ok(std::mem::replace(&mut self.tok, next))
    }
    fn syntax(&self) -> PgError {
        error("syntax error", &self.lex.near)
    }
    fn is_word(&self, k: &str) -> bool {
        matches!(&self.tok, Tok::Word(w) if keyword(w) == Some(k))
    }
    fn is_char(&self, c: char) -> bool {
        self.tok == Tok::Char(c)
    }
    fn eat(&mut self, c: char) -> PgResult<()> {
        if !self.is_char(c) {
            return Err(self.syntax());
        }
        self.advance().map(drop)
    }
    fn nested<T>(&mut self, f: impl FnOnce(&mut Self) -> PgResult<T>) -> PgResult<T> {
        self.depth += 1;
        if self.depth > 1000 {
            return Err(crate::jsonb::too_deep());
        }
        let r = f(self);
        self.depth -= 1;
        r
    }
    /// A value expression.
    fn expr(&mut self) -> PgResult<Item> {
        let p = self.nested(Self::additive)?;
        if p.predicate { Err(self.syntax()) } else { Ok(p.item) }
    }
    /// A predicate.
    fn predicate(&mut self) -> PgResult<Item> {
        let p = self.nested(Self::or)?;
        if p.predicate { Ok(p.item) } else { Err(self.syntax()) }
    }
    fn binary(op: BinaryOp, l: Item, r: Item) -> Item {
        Node::Binary(op, Box::new(l), Box::new(r)).into()
    }
    fn or(&mut self) -> PgResult<Parsed> {
        let mut left = self.and()?;
        while left.predicate && self.tok == Tok::Or {
            self.advance()?;
            let right = self.and()?;
            if !right.predicate {
                return Err(self.syntax());
            }
            left.item = Self::binary(BinaryOp::Or, left.item, right.item);
        }
        Ok(left)
    }
    fn and(&mut self) -> PgResult<Parsed> {
        let mut left = self.comparison()?;
        while left.predicate && self.tok == Tok::And {
            self.advance()?;
            let right = self.comparison()?;
            if !right.predicate {
                return Err(self.syntax());
            }
            left.item = Self::binary(BinaryOp::And, left.item, right.item);
        }
        Ok(left)
    }
    fn comparison(&mut self) -> PgResult<Parsed> {
        if self.tok == Tok::Not {
            self.advance()?;
            let inner = self.delimited_predicate()?;
            return Ok(Parsed { item: Node::Not(Box::new(inner)).into(), predicate: true });
        }
        let left = self.additive()?;
        if left.predicate {
            return Ok(left);
        }
        let op = match self.tok {
            Tok::Eq => BinaryOp::Equal,
            Tok::NotEq => BinaryOp::NotEqual,
            Tok::Less => BinaryOp::Less,
            Tok::LessEq => BinaryOp::LessOrEqual,
            Tok::Greater => BinaryOp::Greater,
            Tok::GreaterEq => BinaryOp::GreaterOrEqual,
            _ if self.is_word("starts") => return self.starts_with(left.item),
            _ if self.is_word("like_regex") => return self.like_regex(left.item),
            _ => return Ok(left),
        };
        self.advance()?;
        let right = self.expr()?;
        Ok(Parsed { item: Self::binary(op, left.item, right), predicate: true })
    }
    fn starts_with(&mut self, left: Item) -> PgResult<Parsed> {
        self.advance()?;
        if !self.is_word("with") {
            return Err(self.syntax());
        }
        self.advance()?;
        let right = match &self.tok {
            Tok::String(s) => Node::String(s.clone()),
            Tok::Variable(s) => Node::Variable(s.clone()),
            _ => return Err(self.syntax()),
        };
        self.advance()?;
        Ok(Parsed { item: Self::binary(BinaryOp::StartsWith, left, right.into()), predicate: true })
    }
    fn string(&mut self) -> PgResult<String> {
        match self.advance_if(|t| matches!(t, Tok::String(_)))? {
            Some(Tok::String(s)) => Ok(s),
            _ => Err(self.syntax()),
        }
    }
    fn advance_if(&mut self, ok: impl Fn(&Tok) -> bool) -> PgResult<Option<Tok>> {
        if ok(&self.tok) { self.advance().map(Some) } else { Ok(None) }
    }
    fn like_regex(&mut self, left: Item) -> PgResult<Parsed> {
        self.advance()?;
        let pattern = self.string()?;
        let mut flags = RegexFlags::default();
        if self.is_word("flag") {
            self.advance()?;
            for c in self.string()?.chars() {
                match c {
                    'i' => flags.icase = true,
                    's' => flags.dotall = true,
                    'm' => flags.multiline = true,
                    'x' => flags.whitespace = true,
                    'q' => flags.quote = true,
                    _ => {
                        return Err(PgError::syntax("invalid input syntax for type jsonpath").detail(
                            format!("Unrecognized flag character \"{c}\" in LIKE_REGEX predicate."),
                        ));
                    }
                }
            }
        }
        if flags.whitespace && !flags.quote {
            return Err(PgError::unsupported(
                "XQuery \"x\" flag (expanded regular expressions) is not implemented",
            ));
        }
        let node = Node::LikeRegex { expr: Box::new(left), pattern, flags };
        Ok(Parsed { item: node.into(), predicate: true })
    }
    /// `(predicate)` or `exists (expr)`.
    fn delimited_predicate(&mut self) -> PgResult<Item> {
        if self.is_word("exists") {
            return self.exists();
        }
        self.eat('(')?;
        let inner = self.predicate()?;
        self.eat(')')?;
        Ok(inner)
    }
    fn exists(&mut self) -> PgResult<Item> {
        self.advance()?;
        self.eat('(')?;
        let inner = self.expr()?;
        self.eat(')')?;
        Ok(Node::Exists(Box::new(inner)).into())
    }
    fn additive(&mut self) -> PgResult<Parsed> {
        let mut left = self.multiplicative()?;
        loop {
            let op = match self.tok {
                Tok::Char('+') => BinaryOp::Add,
                Tok::Char('-') => BinaryOp::Sub,
                _ => return Ok(left),
            };
            if left.predicate {
                return Ok(left);
            }
            self.advance()?;
            let right = self.multiplicative()?;
            if right.predicate {
                return Err(self.syntax());
            }
            left.item = Self::binary(op, left.item, right.item);
        }
    }
    fn multiplicative(&mut self) -> PgResult<Parsed> {
        let mut left = self.unary()?;
        loop {
            let op = match self.tok {
                Tok::Char('*') => BinaryOp::Mul,
                Tok::Char('/') => BinaryOp::Div,
                Tok::Char('%') => BinaryOp::Mod,
                _ => return Ok(left),
            };
            if left.predicate {
                return Ok(left);
            }
            self.advance()?;
            let right = self.unary()?;
            if right.predicate {
                return Err(self.syntax());
            }
            left.item = Self::binary(op, left.item, right.item);
        }
    }
    fn unary(&mut self) -> PgResult<Parsed> {
        let minus = self.is_char('-');
        if !minus && !self.is_char('+') {
            return self.nested(Self::accessor);
        }
        self.advance()?;
        let arg = self.nested(Self::unary)?;
        if arg.predicate {
            return Err(self.syntax());
        }
        Ok(Parsed { item: signed(minus, arg.item), predicate: false })
    }
    /// A primary with its accessors, or something in parentheses.
    fn accessor(&mut self) -> PgResult<Parsed> {
        if self.is_word("exists") {
            return Ok(Parsed { item: self.exists()?, predicate: true });
        }
        if self.is_char('(') {
            self.advance()?;
            let inner = self.nested(Self::or)?;
            self.eat(')')?;
            if inner.predicate && self.is_word("is") {
                self.advance()?;
                if !self.is_word("unknown") {
                    return Err(self.syntax());
                }
                self.advance()?;
                return Ok(Parsed { item: Node::IsUnknown(Box::new(inner.item)).into(), predicate: true });
            }
            let mut item = inner.item;
            let before = item.next.len();
            self.accessors(&mut item)?;
            let predicate = inner.predicate && item.next.len() == before;
            return Ok(Parsed { item, predicate });
        }
        let node = match &self.tok {
            Tok::String(s) => Node::String(s.clone()),
            Tok::Numeric(s) | Tok::Int(s) => Node::Numeric(numeric::parse(s)?),
            Tok::Variable(s) => Node::Variable(s.clone()),
            Tok::Char('$') => Node::Root,
            Tok::Char('@') => Node::Current,
            Tok::Word(w) => match keyword(w) {
                Some("null") => Node::Null,
                Some("true") => Node::Bool(true),
                Some("false") => Node::Bool(false),
                Some("last") => Node::Last,
                _ => return Err(self.syntax()),
            },
            _ => return Err(self.syntax()),
        };
        self.advance()?;
        let mut item = Item::from(node);
        self.accessors(&mut item)?;
        Ok(Parsed { item, predicate: false })
    }
    fn accessors(&mut self, item: &mut Item) -> PgResult<()> {
        loop {
            let node = match self.tok {
                Tok::Char('.') => {
                    self.advance()?;
                    self.member()?
                }
                Tok::Char('[') => {
                    self.advance()?;
                    self.subscripts()?
                }
                Tok::Char('?') => {
                    self.advance()?;
                    self.eat('(')?;
                    let inner = self.predicate()?;
                    self.eat(')')?;
                    Node::Filter(Box::new(inner))
                }
                _ => return Ok(()),
            };
            item.next.push(node);
        }
    }
    fn subscripts(&mut self) -> PgResult<Node> {
        if self.is_char('*') {
            self.advance()?;
            self.eat(']')?;
            return Ok(Node::AnyArray);
        }
        let mut list = Vec::new();
        loop {
            let from = self.expr()?;
            let mut to = None;
            if self.is_word("to") {
                self.advance()?;
                to = Some(self.expr()?);
            }
            list.push((from, to));
            if !self.is_char(',') {
                break;
            }
            self.advance()?;
        }
        self.eat(']')?;
        Ok(Node::Index(list))
    }
    /// What follows a point.
    fn member(&mut self) -> PgResult<Node> {
        match self.advance_if(|t| matches!(t, Tok::Char('*') | Tok::Any | Tok::String(_) | Tok::Word(_)))? {
            Some(Tok::Char('*')) => Ok(Node::AnyKey),
            Some(Tok::Any) => self.any_levels(),
            Some(Tok::String(s)) => Ok(Node::Key(s)),
            Some(Tok::Word(w)) if self.is_char('(') => self.method(w),
            Some(Tok::Word(w)) => Ok(Node::Key(w)),
            _ => Err(self.syntax()),
        }
    }
    fn level(&mut self) -> PgResult<u32> {
        let v = match &self.tok {
            Tok::Int(s) => crate::text::scalar::int4_in(s)? as u32,
            Tok::Word(w) if keyword(w) == Some("last") => LAST_LEVEL,
            _ => return Err(self.syntax()),
        };
        self.advance()?;
        Ok(v)
    }
    fn any_levels(&mut self) -> PgResult<Node> {
        if !self.is_char('{') {
            return Ok(Node::Any(0, LAST_LEVEL));
        }
        self.advance()?;
        let first = self.level()?;
        let mut last = first;
        if self.is_word("to") {
            self.advance()?;
            last = self.level()?;
        }
        self.eat('}')?;
        Ok(Node::Any(first, last))
    }
    /// A method call; the opening parenthesis is the current token.
    fn method(&mut self, name: String) -> PgResult<Node> {
        let lower = name.to_ascii_lowercase();
        let plain = match lower.as_str() {
            "abs" => Some(Method::Abs),
            "size" => Some(Method::Size),
            "type" => Some(Method::Type),
            "floor" => Some(Method::Floor),
            "double" => Some(Method::Double),
            "ceiling" => Some(Method::Ceiling),
            "keyvalue" => Some(Method::KeyValue),
            "bigint" => Some(Method::Bigint),
            "boolean" => Some(Method::Boolean),
            "date" => Some(Method::Date),
            "integer" => Some(Method::Integer),
            "number" => Some(Method::Number),
            "string" => Some(Method::String),
            _ => None,
        };
        let timed = match lower.as_str() {
            "datetime" => Some(TimeMethod::Datetime),
            "time" => Some(TimeMethod::Time),
            "time_tz" => Some(TimeMethod::TimeTz),
            "timestamp" => Some(TimeMethod::Timestamp),
            "timestamp_tz" => Some(TimeMethod::TimestampTz),
            _ => None,
        };
        if plain.is_none() && timed.is_none() && lower != "decimal" {
            return Err(self.syntax());
        }
        self.advance()?;
        if let Some(m) = plain {
            self.eat(')')?;
            return Ok(Node::Method(m));
        }
        if let Some(m) = timed {
            let arg = match &self.tok {
                Tok::String(s) if m == TimeMethod::Datetime => Some(Node::String(s.clone())),
                Tok::Int(s) if m != TimeMethod::Datetime => Some(Node::Numeric(numeric::parse(s)?)),
                _ => None,
            };
            if arg.is_some() {
                self.advance()?;
            }
            self.eat(')')?;
            return Ok(Node::Time(m, arg.map(|n| Box::new(n.into()))));
        }
        self.decimal()
    }
    fn decimal(&mut self) -> PgResult<Node> {
        let mut args = Vec::new();
        while !self.is_char(')') {
            if !args.is_empty() {
                self.eat(',')?;
            }
            let minus = self.is_char('-');
            let signs = minus || self.is_char('+');
            if signs {
                self.advance()?;
            }
            let Tok::Int(s) = &self.tok else { return Err(self.syntax()) };
            let n: Item = Node::Numeric(numeric::parse(s)?).into();
            self.advance()?;
            args.push(Box::new(if signs { signed(minus, n) } else { n }));
        }
        self.advance()?;
        if args.len() > 2 {
            return Err(PgError::new(codes::SYNTAX_ERROR, "invalid input syntax for type jsonpath")
                .detail(".decimal() can only have an optional precision[,scale]."));
        }
        let mut it = args.into_iter();
        Ok(Node::Decimal(it.next(), it.next()))
    }
}

/// A sign on a number folds into it.
fn signed(minus: bool, arg: Item) -> Item {
    match arg {
        Item { node: Node::Numeric(n), next } if next.is_empty() => {
            Node::Numeric(if minus { numeric::neg(&n) } else { n }).into()
        }
        arg if minus => Node::Minus(Box::new(arg)).into(),
        arg => Node::Plus(Box::new(arg)).into(),
    }
}

/// `@` needs a filter around it, `last` a subscript.
fn check(item: &Item, filters: usize, subscript: bool) -> PgResult<()> {
    check_node(&item.node, filters, subscript)?;
    item.next.iter().try_for_each(|n| check_node(n, filters, subscript))
}

fn check_node(node: &Node, filters: usize, subscript: bool) -> PgResult<()> {
    let bad = |text: &str| Err(PgError::new(codes::SYNTAX_ERROR, text));
    match node {
        Node::Current if filters == 0 => bad("@ is not allowed in root expressions"),
        Node::Last if !subscript => bad("LAST is allowed only in array subscripts"),
        Node::Binary(_, a, b) => check(a, filters, subscript).and_then(|()| check(b, filters, subscript)),
        Node::Plus(a) | Node::Minus(a) | Node::Not(a) | Node::IsUnknown(a) | Node::Exists(a) => {
            check(a, filters, subscript)
        }
        Node::LikeRegex { expr, .. } => check(expr, filters, subscript),
        Node::Filter(a) => check(a, filters + 1, subscript),
        Node::Index(list) => list.iter().try_for_each(|(a, b)| {
            check(a, filters, true)?;
            b.as_ref().map_or(Ok(()), |b| check(b, filters, true))
        }),
        _ => Ok(()),
    }
}
