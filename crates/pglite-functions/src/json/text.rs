//! Slices of JSON text: the members of a document without parsing what is inside them.

use pglite_error::PgResult;
use pglite_types::jsonb::{Lexer, Token};

/// The outermost structure of a JSON text.
pub enum Outer<'a> {
    Object(Vec<(String, &'a str)>),
    Array(Vec<&'a str>),
    Scalar(Token),
}

/// Moves past one value; returns its text.
fn value<'a>(lex: &mut Lexer<'a>, whole: &'a str) -> PgResult<&'a str> {
    let start = lex.start;
    let mut depth = 0usize;
    loop {
        match lex.token {
            Token::ObjectStart | Token::ArrayStart => depth += 1,
            Token::ObjectEnd | Token::ArrayEnd => depth = depth.saturating_sub(1),
            Token::End => return Err(lex.expected("JSON value")),
            _ => {}
        }
        let end = lex.end;
        lex.advance()?;
        if depth == 0 {
            return Ok(whole.get(start..end).unwrap_or(""));
        }
    }
}

/// The members of a valid JSON text.
pub fn outer(text: &str) -> PgResult<Outer<'_>> {
    let mut lex = Lexer::new(text, true);
    match lex.advance()? {
        Token::ObjectStart => {
            let mut members = Vec::new();
            lex.advance()?;
            while lex.token == Token::String {
                let key = lex.string.clone();
                lex.advance()?; // the colon
                lex.advance()?;
                members.push((key, value(&mut lex, text)?));
                if lex.token == Token::Comma {
                    lex.advance()?;
                }
            }
            Ok(Outer::Object(members))
        }
        Token::ArrayStart => {
            let mut items = Vec::new();
            lex.advance()?;
            while lex.token != Token::ArrayEnd && lex.token != Token::End {
                items.push(value(&mut lex, text)?);
                if lex.token == Token::Comma {
                    lex.advance()?;
                }
            }
            Ok(Outer::Array(items))
        }
        token => Ok(Outer::Scalar(token)),
    }
}

/// A value as `->>` shows it: strings unescaped, JSON null as SQL NULL.
pub fn shown(text: &str) -> PgResult<Option<String>> {
    let mut lex = Lexer::new(text, true);
    Ok(match lex.advance()? {
        Token::Null => None,
        Token::String => Some(std::mem::take(&mut lex.string)),
        _ => Some(text.to_string()),
    })
}

/// The member of an object; of equal keys the last one.
pub fn field<'a>(text: &'a str, key: &str) -> PgResult<Option<&'a str>> {
    Ok(match outer(text)? {
        Outer::Object(m) => m.into_iter().rev().find(|(k, _)| k == key).map(|(_, v)| v),
        _ => None,
    })
}

/// The element of an array; negative indexes count from the end.
pub fn element(text: &str, index: i64) -> PgResult<Option<&str>> {
    Ok(match outer(text)? {
        Outer::Array(items) => {
            let i = if index < 0 { index + items.len() as i64 } else { index };
            usize::try_from(i).ok().and_then(|i| items.get(i).copied())
        }
        _ => None,
    })
}

/// What a path of keys and indexes leads to.
pub fn follow<'a>(text: &'a str, path: &[&str]) -> PgResult<Option<&'a str>> {
    let mut at = text;
    for step in path {
        let next = match outer(at)? {
            Outer::Object(m) => m.into_iter().rev().find(|(k, _)| k == step).map(|(_, v)| v),
            Outer::Array(_) => match step.trim_start().parse::<i32>() {
                Ok(i) => element(at, i64::from(i))?,
                Err(_) => None,
            },
            Outer::Scalar(_) => None,
        };
        match next {
            Some(v) => at = v,
            None => return Ok(None),
        }
    }
    Ok(Some(at.trim()))
}

/// `json_typeof`.
pub fn type_name(text: &str) -> PgResult<&'static str> {
    Ok(match outer(text)? {
        Outer::Object(_) => "object",
        Outer::Array(_) => "array",
        Outer::Scalar(Token::String) => "string",
        Outer::Scalar(Token::Null) => "null",
        Outer::Scalar(Token::True | Token::False) => "boolean",
        Outer::Scalar(_) => "number",
    })
}
