//! The built-in rows as statics.
//!
//! Rows are calls of a `const fn` that takes only the columns that vary; the rest is written once, in its body. That
//! keeps the compiler's work small. A row that differs in another column calls the constructor of all columns.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use super::{CHUNK, FILE_CHUNKS, HEADER, row_type, rows::rust_type};
use crate::Result;
use crate::catalog::tables::{Column, Table};

const IMPORTS: &str = "use pglite_types::Oid;\n\nuse crate::generated::rows::*;\nuse crate::value::*;\n\n";

/// Writes the files of one catalog; returns their module names.
pub fn emit(table: &Table, files: &mut BTreeMap<String, String>) -> Result<Vec<String>> {
    let base = format!("data_{}", table.name.trim_start_matches("pg_"));
    let plan = Plan::new(table);
    let mut modules = Vec::new();
    let mut slices = Vec::new();
    for (n, part) in table.rows.chunks(CHUNK * FILE_CHUNKS).enumerate() {
        let module = format!("{base}_{n}");
        let text = plan.file(table, part, &mut slices, &module)?;
        files.insert(format!("{module}.rs"), text);
        modules.push(module);
    }
    let ty = row_type(&table.name);
    let root = format!(
        "{HEADER}use super::rows::{ty};\n\npub static DATA: &[&[{ty}]] = &[\n{}];\n",
        slices.iter().map(|s| format!("    &super::{s},\n")).collect::<String>()
    );
    files.insert(format!("{base}.rs"), root);
    modules.push(base);
    Ok(modules)
}

struct Plan {
    /// The shared value of each column that does not vary (in nearly all rows).
    fixed: Vec<Option<String>>,
}

impl Plan {
    fn new(table: &Table) -> Plan {
        let n = table.rows.len();
        let fixed = (0..table.columns.len())
            .map(|i| {
                let mut counts: HashMap<&str, usize> = HashMap::new();
                for row in &table.rows {
                    *counts.entry(&row[i]).or_default() += 1;
                }
                let (value, count) = counts.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)))?;
                (n > 3 && count * 100 >= n * 97).then(|| value.to_string())
            })
            .collect();
        Plan { fixed }
    }

    fn file(
        &self,
        t: &Table,
        rows: &[Vec<String>],
        slices: &mut Vec<String>,
        module: &str,
    ) -> Result<String> {
        let ty = row_type(&t.name);
        let mut lists = Lists::default();
        let mut body = String::new();
        let mut used_full = false;
        for (n, chunk) in rows.chunks(CHUNK).enumerate() {
            let _ = writeln!(body, "pub static S{n}: [{ty}; {}] = [", chunk.len());
            for row in chunk {
                let common = self.fixed.iter().zip(row).all(|(f, v)| f.as_ref().is_none_or(|f| f == v));
                used_full |= !common;
                let mut args = Vec::new();
                for (i, c) in t.columns.iter().enumerate() {
                    if !common || self.fixed[i].is_none() {
                        args.push(literal(c, &row[i], &mut lists)?);
                    }
                }
                let _ = writeln!(body, "    {}({}),", if common { "r" } else { "x" }, args.join(", "));
            }
            body.push_str("];\n\n");
            slices.push(format!("{module}::S{n}"));
        }
        let mut ctors = self.constructor(t, "r", true, &mut lists)?;
        if used_full {
            ctors.push_str(&self.constructor(t, "x", false, &mut lists)?);
        }
        let attributes = "#![allow(clippy::too_many_arguments, unused_imports)]\n";
        Ok(format!("{HEADER}{attributes}{IMPORTS}{}{ctors}{body}", lists.render()))
    }

    fn constructor(&self, t: &Table, name: &str, fix: bool, lists: &mut Lists) -> Result<String> {
        let ty = row_type(&t.name);
        let mut args = Vec::new();
        let mut fields = Vec::new();
        for (i, c) in t.columns.iter().enumerate() {
            let value = match self.fixed[i].as_ref().filter(|_| fix) {
                Some(v) => literal(c, v, lists)?,
                None => {
                    args.push(format!("{}: {}", c.name, arg_type(c)));
                    c.name.clone()
                }
            };
            let value = convert(c, &value);
            fields.push(if value == c.name {
                format!("        {value},\n")
            } else {
                format!("        {}: {value},\n", c.name)
            });
        }
        Ok(format!(
            "const fn {name}({}) -> {ty} {{\n    {ty} {{\n{}    }}\n}}\n\n",
            args.join(", "),
            fields.concat()
        ))
    }
}

/// The plain type that the constructor takes for a column.
fn arg_type(c: &Column) -> String {
    let ty = rust_type(c);
    let inner = ty.strip_prefix("Option<").and_then(|t| t.strip_suffix('>')).unwrap_or(&ty);
    let plain = match inner {
        "Oid" | "Xid" => "u32".to_string(),
        "Str" => "&'static str".to_string(),
        list if list.contains('<') => {
            let elem = &list[list.find('<').unwrap_or(0) + 1..list.len() - 1];
            format!("&'static [{elem}]")
        }
        other => other.to_string(),
    };
    if c.notnull == "t" { plain } else { format!("Option<{plain}>") }
}

/// From the constructor's argument (or literal) to the column's type.
fn convert(c: &Column, value: &str) -> String {
    let ty = rust_type(c);
    let (inner, optional) = match ty.strip_prefix("Option<").and_then(|t| t.strip_suffix('>')) {
        Some(inner) => (inner.to_string(), true),
        None => (ty.clone(), false),
    };
    let wrap = match inner.as_str() {
        "Oid" => "Oid",
        "Xid" => "Xid",
        "Str" => "Str::Static",
        list if list.contains('<') => "List::Static",
        _ => return value.to_string(),
    };
    if !optional {
        return format!("{wrap}({value})");
    }
    if value == "None" {
        return "None".into();
    }
    format!("match {value} {{ Some(v) => Some({wrap}(v)), None => None }}")
}

/// List constants of one file, each written once.
#[derive(Default)]
struct Lists {
    names: HashMap<String, String>,
    order: Vec<String>,
}

impl Lists {
    fn name(&mut self, ty: &str, text: String) -> String {
        if text.is_empty() {
            return "&[]".into();
        }
        // Byte lists read better as a byte string: b'i', b'o' -> b"io".
        let decl = match text
            .split(", ")
            .map(|v| v.strip_prefix("b'")?.strip_suffix('\''))
            .collect::<Option<String>>()
        {
            Some(bytes) if ty == "u8" => format!("&[u8] = b\"{bytes}\""),
            _ => format!("&[{ty}] = &[{text}]"),
        };
        let next = format!("L{}", self.order.len());
        let order = &mut self.order;
        self.names
            .entry(decl)
            .or_insert_with_key(|decl| {
                order.push(format!("const {next}: {decl};\n"));
                next
            })
            .clone()
    }
    fn render(&self) -> String {
        self.order.concat() + "\n"
    }
}

fn literal(c: &Column, value: &str, lists: &mut Lists) -> Result<String> {
    if c.notnull != "t" {
        if value == "\\N" {
            return Ok("None".into());
        }
        return Ok(format!("Some({})", plain_literal(c, value, lists)?));
    }
    plain_literal(c, value, lists)
}

fn plain_literal(c: &Column, value: &str, lists: &mut Lists) -> Result<String> {
    let text = unescape(value);
    Ok(match c.typ.as_str() {
        "bool" => (text == "t").to_string(),
        "char" => char_literal(&text),
        "name" | "text" | "pg_node_tree" => format!("{text:?}"),
        "float4" => format!("{:?}", text.parse::<f32>().map_err(|e| format!("{}: {e}", c.name))?),
        "oidvector" | "int2vector" => {
            let oid = c.typ == "oidvector";
            let items: Vec<String> = text
                .split(' ')
                .filter(|v| !v.is_empty())
                .map(|v| if oid { format!("Oid({v})") } else { v.to_string() })
                .collect();
            lists.name(if oid { "Oid" } else { "i16" }, items.join(", "))
        }
        "_oid" => list(&text, lists, "Oid", |v| Ok(format!("Oid({v})")))?,
        "_int2" => list(&text, lists, "i16", |v| Ok(v.to_string()))?,
        "_float4" => list(&text, lists, "f32", |v| Ok(format!("{:?}", v.parse::<f32>().unwrap_or(0.0))))?,
        "_char" => list(&text, lists, "u8", |v| Ok(char_literal(v)))?,
        "_text" => list(&text, lists, "Str", |v| Ok(format!("Str::Static({v:?})")))?,
        "_aclitem" => list(&text, lists, "AclItem", acl_literal)?,
        "int2" | "int4" | "int8" | "oid" | "regproc" | "xid" => text,
        other => return Err(format!("{}: no literal of type {other}", c.name)),
    })
}

fn list(text: &str, lists: &mut Lists, ty: &str, f: impl Fn(&str) -> Result<String>) -> Result<String> {
    let items: Result<Vec<String>> = array_items(text).iter().map(|v| f(v)).collect();
    Ok(lists.name(ty, items?.join(", ")))
}

fn char_literal(text: &str) -> String {
    match text.bytes().next() {
        None => "0".into(),
        Some(b) => format!("b'{}'", b.escape_ascii()),
    }
}

/// Undoes the escapes of `COPY` text form.
pub fn unescape(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => {}
            },
            (c, false) => out.push(c),
        }
    }
    out
}

/// The elements of a one-dimensional array literal without NULLs.
pub fn array_items(text: &str) -> Vec<String> {
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let (mut items, mut item, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            '\\' => item.extend(chars.next()),
            ',' if !quoted => {
                items.push(std::mem::take(&mut item));
                any = false;
            }
            c => item.push(c),
        }
    }
    if any || !item.is_empty() || !items.is_empty() {
        items.push(item);
    }
    items
}

const PRIVILEGES: &str = "arwdDxtXUCTcsAm";

/// Built-in roles that occur in built-in ACLs.
fn role_oid(name: &str) -> Result<u32> {
    Ok(match name {
        "" => 0,
        "postgres" => 10,
        "pg_monitor" => 3373,
        "pg_read_all_settings" => 3374,
        "pg_read_all_stats" => 3375,
        "pg_stat_scan_tables" => 3377,
        "pg_database_owner" => 6171,
        other => return Err(format!("unknown role {other} in an ACL")),
    })
}

fn acl_literal(item: &str) -> Result<String> {
    let (grantee, rest) = item.split_once('=').ok_or("bad ACL item")?;
    let (privs, grantor) = rest.split_once('/').ok_or("bad ACL item")?;
    let mut bits = 0u64;
    let mut last = 0u64;
    for c in privs.chars() {
        if c == '*' {
            bits |= last << 32;
        } else {
            last = 1 << PRIVILEGES.find(c).ok_or_else(|| format!("unknown privilege {c}"))?;
            bits |= last;
        }
    }
    Ok(format!(
        "AclItem {{ grantee: Oid({}), grantor: Oid({}), privs: {bits:#x} }}",
        role_oid(grantee)?,
        role_oid(grantor)?
    ))
}
