//! JSON text to values, and validation without building any.

use ecow::EcoString;
use pglite_error::{PgError, PgResult, codes};

use super::lexer::{Lexer, Token};
use super::{Jsonb, MAX_DEPTH, too_deep};

/// Checks that a text is JSON; does not recurse.
pub fn validate(text: &str) -> PgResult<()> {
    let mut lex = Lexer::new(text, false);
    lex.advance()?;
    // The open containers: `true` for an object.
    let mut open: Vec<bool> = Vec::new();
    loop {
        // A value is expected here.
        match lex.token {
            Token::ObjectStart => {
                if open.len() >= MAX_DEPTH * 2 {
                    return Err(too_deep());
                }
                match lex.advance()? {
                    Token::ObjectEnd => {}
                    Token::String => {
                        open.push(true);
                        object_colon(&mut lex)?;
                        continue;
                    }
                    _ => return Err(lex.expected("string or \"}\"")),
                }
            }
            Token::ArrayStart => {
                if open.len() >= MAX_DEPTH * 2 {
                    return Err(too_deep());
                }
                if lex.advance()? != Token::ArrayEnd {
                    open.push(false);
                    continue;
                }
            }
            Token::String | Token::Number | Token::True | Token::False | Token::Null => {}
            _ => return Err(lex.expected("JSON value")),
        }
        lex.advance()?;
        // After a value: close containers, or go on in the innermost.
        loop {
            match open.last() {
                None if lex.token == Token::End => return Ok(()),
                None => return Err(lex.expected("end of input")),
                Some(true) => match lex.token {
                    Token::Comma => {
                        if lex.advance()? != Token::String {
                            return Err(lex.expected("string"));
                        }
                        object_colon(&mut lex)?;
                        break;
                    }
                    Token::ObjectEnd => {
                        open.pop();
                        lex.advance()?;
                    }
                    _ => return Err(lex.expected("\",\" or \"}\"")),
                },
                Some(false) => match lex.token {
                    Token::Comma => {
                        lex.advance()?;
                        break;
                    }
                    Token::ArrayEnd => {
                        open.pop();
                        lex.advance()?;
                    }
                    _ => return Err(lex.expected("\",\" or \"]\"")),
                },
            }
        }
    }
}

/// Past a key and its colon, to the value.
fn object_colon(lex: &mut Lexer<'_>) -> PgResult<()> {
    if lex.advance()? != Token::Colon {
        return Err(lex.expected("\":\""));
    }
    lex.advance().map(drop)
}

/// Parses a JSON text; of equal keys the last one counts.
pub fn parse(text: &str) -> PgResult<Jsonb> {
    parse_with(text, false)
}

/// [`parse`], refusing equal keys (`WITH UNIQUE KEYS`).
pub fn parse_unique(text: &str) -> PgResult<Jsonb> {
    parse_with(text, true)
}

fn parse_with(text: &str, unique: bool) -> PgResult<Jsonb> {
    let mut lex = Lexer::new(text, true);
    lex.advance()?;
    let value = parse_value(&mut lex, unique, 0)?;
    if lex.token != Token::End {
        return Err(lex.expected("end of input"));
    }
    Ok(value)
}

fn parse_value(lex: &mut Lexer<'_>, unique: bool, depth: usize) -> PgResult<Jsonb> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    let value = match lex.token {
        Token::ObjectStart => return parse_object(lex, unique, depth),
        Token::ArrayStart => return parse_array(lex, unique, depth),
        Token::String => {
            check_len(lex.string.len())?;
            Jsonb::String(EcoString::from(lex.string.as_str()))
        }
        Token::Number => Jsonb::Number(crate::numeric::parse(lex.text())?),
        Token::True => Jsonb::Bool(true),
        Token::False => Jsonb::Bool(false),
        Token::Null => Jsonb::Null,
        _ => return Err(lex.expected("JSON value")),
    };
    lex.advance()?;
    Ok(value)
}

fn check_len(len: usize) -> PgResult<()> {
    const MAX: usize = 0x0fff_ffff;
    if len <= MAX {
        return Ok(());
    }
    Err(PgError::new(codes::PROGRAM_LIMIT_EXCEEDED, "string too long to represent as jsonb string")
        .detail(format!("Due to an implementation restriction, jsonb strings cannot exceed {MAX} bytes.")))
}

fn parse_array(lex: &mut Lexer<'_>, unique: bool, depth: usize) -> PgResult<Jsonb> {
    let mut items = Vec::new();
    if lex.advance()? != Token::ArrayEnd {
        loop {
            items.push(parse_value(lex, unique, depth + 1)?);
            match lex.token {
                Token::Comma => lex.advance()?,
                Token::ArrayEnd => break,
                _ => return Err(lex.expected("\",\" or \"]\"")),
            };
        }
    }
    lex.advance()?;
    Ok(Jsonb::Array(items))
}

fn parse_object(lex: &mut Lexer<'_>, unique: bool, depth: usize) -> PgResult<Jsonb> {
    let mut pairs: Vec<(EcoString, Jsonb)> = Vec::new();
    match lex.advance()? {
        Token::ObjectEnd => {}
        Token::String => loop {
            check_len(lex.string.len())?;
            let key = EcoString::from(lex.string.as_str());
            object_colon(lex)?;
            let value = parse_value(lex, unique, depth + 1)?;
            pairs.push((key, value));
            match lex.token {
                Token::Comma => {
                    if lex.advance()? != Token::String {
                        return Err(lex.expected("string"));
                    }
                }
                Token::ObjectEnd => break,
                _ => return Err(lex.expected("\",\" or \"}\"")),
            }
        },
        _ => return Err(lex.expected("string or \"}\"")),
    }
    lex.advance()?;
    let count = pairs.len();
    let object = object_from_pairs(pairs);
    if unique && matches!(&object, Jsonb::Object(o) if o.len() < count) {
        return Err(PgError::new(codes::DUPLICATE_JSON_OBJECT_KEY_VALUE, "duplicate JSON object key value"));
    }
    Ok(object)
}

/// An object from pairs in any order; of equal keys the last one counts.
pub fn object_from_pairs(mut pairs: Vec<(EcoString, Jsonb)>) -> Jsonb {
    // A stable sort of the reversed pairs puts the last of equal keys first, where dedup keeps it.
    pairs.reverse();
    pairs.sort_by(|a, b| a.0.len().cmp(&b.0.len()).then_with(|| a.0.as_bytes().cmp(b.0.as_bytes())));
    pairs.dedup_by(|b, a| a.0 == b.0);
    Jsonb::Object(pairs)
}
