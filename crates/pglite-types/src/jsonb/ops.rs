//! What jsonb operators and functions need: access, containment, path edits.

use ecow::EcoString;
use pglite_error::{PgResult, bail};

use super::{Jsonb, object_from_pairs};

/// The value of an object's key.
pub fn object_get<'a>(j: &'a Jsonb, key: &str) -> Option<&'a Jsonb> {
    let Jsonb::Object(o) = j else { return None };
    let order = |k: &EcoString| k.len().cmp(&key.len()).then_with(|| k.as_bytes().cmp(key.as_bytes()));
    o.binary_search_by(|(k, _)| order(k)).ok().map(|i| &o[i].1)
}

/// The element of an array; negative indexes count from the end.
pub fn array_get(j: &Jsonb, index: i64) -> Option<&Jsonb> {
    let Jsonb::Array(a) = j else { return None };
    let i = if index < 0 { index + a.len() as i64 } else { index };
    usize::try_from(i).ok().and_then(|i| a.get(i))
}

/// An array index as `#>` reads it.
fn index_of(step: &str) -> Option<i64> {
    let t = step.trim_start();
    t.strip_prefix('+').unwrap_or(t).parse::<i32>().ok().map(i64::from)
}

/// `#>`: follows keys and indexes.
pub fn path_get<'a>(j: &'a Jsonb, path: &[&str]) -> Option<&'a Jsonb> {
    path.iter().try_fold(j, |j, step| match j {
        Jsonb::Object(_) => object_get(j, step),
        Jsonb::Array(_) => array_get(j, index_of(step)?),
        _ => None,
    })
}

/// `?`: a key of an object, or a string element of an array (or the string itself).
pub fn exists(j: &Jsonb, key: &str) -> bool {
    match j {
        Jsonb::Object(_) => object_get(j, key).is_some(),
        Jsonb::Array(a) => a.iter().any(|v| matches!(v, Jsonb::String(s) if s == key)),
        Jsonb::String(s) => s == key,
        _ => false,
    }
}

/// `@>` of documents: an array contains a scalar that is one of its elements.
pub fn contains(a: &Jsonb, b: &Jsonb) -> bool {
    match (a, b) {
        (Jsonb::Array(x), y) if !matches!(y, Jsonb::Array(_) | Jsonb::Object(_)) => x.iter().any(|v| v == y),
        _ => contains_value(a, b),
    }
}

fn contains_value(a: &Jsonb, b: &Jsonb) -> bool {
    match (a, b) {
        (Jsonb::Object(x), Jsonb::Object(y)) => {
            x.len() >= y.len()
                && y.iter().all(|(k, v)| object_get(a, k).is_some_and(|w| contains_value(w, v)))
        }
        (Jsonb::Array(x), Jsonb::Array(y)) => y.iter().all(|v| match v {
            Jsonb::Array(_) | Jsonb::Object(_) => x.iter().any(|w| contains_value(w, v)),
            _ => x.iter().any(|w| w == v),
        }),
        (Jsonb::Array(_) | Jsonb::Object(_), _) | (_, Jsonb::Array(_) | Jsonb::Object(_)) => false,
        _ => a == b,
    }
}

/// `jsonb_typeof`.
pub fn type_name(j: &Jsonb) -> &'static str {
    match j {
        Jsonb::Null => "null",
        Jsonb::Bool(_) => "boolean",
        Jsonb::Number(_) => "number",
        Jsonb::String(_) => "string",
        Jsonb::Array(_) => "array",
        Jsonb::Object(_) => "object",
    }
}

/// `jsonb_strip_nulls`: drops object fields that are null, and with `in_arrays` null elements too.
pub fn strip_nulls(j: &Jsonb, in_arrays: bool) -> Jsonb {
    match j {
        Jsonb::Object(o) => Jsonb::Object(
            o.iter()
                .filter(|(_, v)| !matches!(v, Jsonb::Null))
                .map(|(k, v)| (k.clone(), strip_nulls(v, in_arrays)))
                .collect(),
        ),
        Jsonb::Array(a) => Jsonb::Array(
            a.iter()
                .filter(|v| !(in_arrays && matches!(v, Jsonb::Null)))
                .map(|v| strip_nulls(v, in_arrays))
                .collect(),
        ),
        _ => j.clone(),
    }
}

/// An index of a path step in an array being edited, which must be a number.
fn edit_index(step: &str, level: usize) -> PgResult<i64> {
    match index_of(step) {
        Some(i) => Ok(i),
        None => bail!(
            INVALID_TEXT_REPRESENTATION,
            "path element at position {} is not an integer: \"{step}\"",
            level + 1
        ),
    }
}

/// `#-`: deletes what a path leads to.
pub fn delete_path(j: &Jsonb, path: &[&str]) -> PgResult<Jsonb> {
    delete_at(j, path, 0)
}

fn delete_at(j: &Jsonb, path: &[&str], level: usize) -> PgResult<Jsonb> {
    let Some(step) = path.get(level) else { return Ok(j.clone()) };
    let last = level + 1 == path.len();
    Ok(match j {
        Jsonb::Object(o) => {
            let mut out = Vec::with_capacity(o.len());
            for (k, v) in o {
                if k != step {
                    out.push((k.clone(), v.clone()));
                } else if !last {
                    out.push((k.clone(), delete_at(v, path, level + 1)?));
                }
            }
            Jsonb::Object(out)
        }
        Jsonb::Array(a) => {
            let i = edit_index(step, level)?;
            let i = if i < 0 { i + a.len() as i64 } else { i };
            let mut out = a.clone();
            if let Some(at) = usize::try_from(i).ok().filter(|&at| at < a.len()) {
                if last {
                    out.remove(at);
                } else {
                    out[at] = delete_at(&a[at], path, level + 1)?;
                }
            }
            Jsonb::Array(out)
        }
        _ => j.clone(),
    })
}

/// How [`set_path`] edits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEdit {
    /// `jsonb_set` without creating.
    Replace,
    /// `jsonb_set` creating a missing last step.
    Upsert,
    /// `jsonb_insert` before or after an array element; object keys must be new.
    InsertBefore,
    InsertAfter,
}

/// `jsonb_set` and `jsonb_insert`.
pub fn set_path(j: &Jsonb, path: &[&str], value: &Jsonb, edit: PathEdit) -> PgResult<Jsonb> {
    set_at(j, path, 0, value, edit)
}

fn set_at(j: &Jsonb, path: &[&str], level: usize, value: &Jsonb, edit: PathEdit) -> PgResult<Jsonb> {
    let Some(step) = path.get(level) else { return Ok(j.clone()) };
    let last = level + 1 == path.len();
    let insert = matches!(edit, PathEdit::InsertBefore | PathEdit::InsertAfter);
    Ok(match j {
        Jsonb::Object(o) => {
            let mut out = o.clone();
            match out.iter().position(|(k, _)| k == step) {
                Some(_) if last && insert => {
                    return Err(pglite_error::err!(INVALID_PARAMETER_VALUE, "cannot replace existing key")
                        .hint("Try using the function jsonb_set to replace key value."));
                }
                Some(i) if last => out[i].1 = value.clone(),
                Some(i) => out[i].1 = set_at(&o[i].1, path, level + 1, value, edit)?,
                None if last && edit != PathEdit::Replace => out.push(((*step).into(), value.clone())),
                None => {}
            }
            object_from_pairs(out)
        }
        Jsonb::Array(a) => {
            let i = edit_index(step, level)?;
            let n = a.len() as i64;
            let at = if i < 0 { i + n } else { i };
            let mut out = a.clone();
            if (0..n).contains(&at) {
                let at = at as usize;
                match edit {
                    _ if !last => out[at] = set_at(&a[at], path, level + 1, value, edit)?,
                    PathEdit::InsertBefore => out.insert(at, value.clone()),
                    PathEdit::InsertAfter => out.insert(at + 1, value.clone()),
                    _ => out[at] = value.clone(),
                }
            } else if last && edit != PathEdit::Replace {
                // Past either end the value goes to that end.
                if at < 0 { out.insert(0, value.clone()) } else { out.push(value.clone()) }
            }
            Jsonb::Array(out)
        }
        _ => j.clone(),
    })
}
