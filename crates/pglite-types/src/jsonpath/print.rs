//! The canonical text of a path.

use std::fmt::Write;

use super::{BinaryOp, Item, JsonPath, LAST_LEVEL, Method, Node, RegexFlags, TimeMethod};
use crate::jsonb::write_string;

/// Appends the canonical text.
pub fn print(p: &JsonPath, out: &mut String) {
    if !p.lax {
        out.push_str("strict ");
    }
    item(&p.expr, true, out);
}

fn priority(n: &Node) -> u8 {
    use BinaryOp::*;
    match n {
        Node::Binary(op, ..) => match op {
            Or => 0,
            And => 1,
            Equal | NotEqual | Less | Greater | LessOrEqual | GreaterOrEqual | StartsWith => 2,
            Add | Sub => 3,
            Mul | Div | Mod => 4,
        },
        Node::Plus(_) | Node::Minus(_) => 5,
        _ => 6,
    }
}

fn op_name(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::And => "&&",
        BinaryOp::Or => "||",
        BinaryOp::Equal => "==",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::Greater => ">",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Sub => "-",
        BinaryOp::Mul => "*",
        BinaryOp::Div => "/",
        BinaryOp::Mod => "%",
        BinaryOp::StartsWith => "starts with",
    }
}

fn method_name(m: Method) -> &'static str {
    match m {
        Method::Abs => "abs",
        Method::Size => "size",
        Method::Type => "type",
        Method::Floor => "floor",
        Method::Double => "double",
        Method::Ceiling => "ceiling",
        Method::KeyValue => "keyvalue",
        Method::Bigint => "bigint",
        Method::Boolean => "boolean",
        Method::Date => "date",
        Method::Integer => "integer",
        Method::Number => "number",
        Method::String => "string",
    }
}

fn item(i: &Item, brackets: bool, out: &mut String) {
    // A number with accessors needs parentheses of its own.
    let wrap = matches!(i.node, Node::Numeric(_)) && !i.next.is_empty();
    if wrap {
        out.push('(');
    }
    node(&i.node, false, brackets, out);
    if wrap {
        out.push(')');
    }
    i.next.iter().for_each(|n| node(n, true, true, out));
}

fn operand(i: &Item, parent: u8, out: &mut String) {
    item(i, priority(&i.node) <= parent, out);
}

fn node(n: &Node, in_key: bool, brackets: bool, out: &mut String) {
    let own = priority(n);
    let open = |out: &mut String| {
        if brackets {
            out.push('(');
        }
    };
    let close = |out: &mut String| {
        if brackets {
            out.push(')');
        }
    };
    let inside = |before: &str, i: &Item, out: &mut String| {
        out.push_str(before);
        item(i, false, out);
        out.push(')');
    };
    match n {
        Node::Null => out.push_str("null"),
        Node::String(s) => write_string(s, out),
        Node::Numeric(v) => crate::numeric::write_text(v, out),
        Node::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Node::Variable(s) => {
            out.push('$');
            write_string(s, out);
        }
        Node::Root => out.push('$'),
        Node::Current => out.push('@'),
        Node::Last => out.push_str("last"),
        Node::Binary(op, l, r) => {
            open(out);
            operand(l, own, out);
            let _ = write!(out, " {} ", op_name(*op));
            operand(r, own, out);
            close(out);
        }
        Node::Plus(a) | Node::Minus(a) => {
            open(out);
            out.push(if matches!(n, Node::Plus(_)) { '+' } else { '-' });
            operand(a, own, out);
            close(out);
        }
        Node::Not(a) => inside("!(", a, out),
        Node::IsUnknown(a) => {
            inside("(", a, out);
            out.push_str(" is unknown");
        }
        Node::Exists(a) => inside("exists (", a, out),
        Node::Filter(a) => inside("?(", a, out),
        Node::LikeRegex { expr, pattern, flags } => {
            open(out);
            operand(expr, own, out);
            out.push_str(" like_regex ");
            write_string(pattern, out);
            regex_flags(flags, out);
            close(out);
        }
        Node::Key(k) => {
            if in_key {
                out.push('.');
            }
            write_string(k, out);
        }
        Node::AnyKey => out.push_str(if in_key { ".*" } else { "*" }),
        Node::AnyArray => out.push_str("[*]"),
        Node::Index(list) => index(list, out),
        Node::Any(first, last) => {
            if in_key {
                out.push('.');
            }
            any(*first, *last, out);
        }
        Node::Method(m) => {
            let _ = write!(out, ".{}()", method_name(*m));
        }
        Node::Decimal(p, s) => {
            out.push_str(".decimal(");
            if let Some(p) = p {
                item(p, false, out);
            }
            if let Some(s) = s {
                out.push(',');
                item(s, false, out);
            }
            out.push(')');
        }
        Node::Time(m, arg) => {
            out.push_str(match m {
                TimeMethod::Datetime => ".datetime(",
                TimeMethod::Time => ".time(",
                TimeMethod::TimeTz => ".time_tz(",
                TimeMethod::Timestamp => ".timestamp(",
                TimeMethod::TimestampTz => ".timestamp_tz(",
            });
            if let Some(a) = arg {
                item(a, false, out);
            }
            out.push(')');
        }
    }
}

fn regex_flags(f: &RegexFlags, out: &mut String) {
    if *f == RegexFlags::default() {
        return;
    }
    out.push_str(" flag \"");
    let all = [(f.icase, 'i'), (f.dotall, 's'), (f.multiline, 'm'), (f.whitespace, 'x'), (f.quote, 'q')];
    all.iter().filter(|x| x.0).for_each(|x| out.push(x.1));
    out.push('"');
}

fn index(list: &[(Item, Option<Item>)], out: &mut String) {
    out.push('[');
    for (i, (from, to)) in list.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        item(from, false, out);
        if let Some(to) = to {
            out.push_str(" to ");
            item(to, false, out);
        }
    }
    out.push(']');
}

fn any(first: u32, last: u32, out: &mut String) {
    let level = |v: u32| if v == LAST_LEVEL { "last".to_string() } else { v.to_string() };
    out.push_str("**");
    if first == 0 && last == LAST_LEVEL {
        return;
    }
    let _ = match first == last {
        true => write!(out, "{{{}}}", level(first)),
        false => write!(out, "{{{} to {}}}", level(first), level(last)),
    };
}
