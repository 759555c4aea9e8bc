//! The tables of facts that are no catalogs: settings, encodings, time zone abbreviations, key words.

use std::fmt::Write;
use std::path::Path;

use super::HEADER;
use super::statics::{array_items, unescape};
use crate::Result;
use crate::catalog::dat;

pub fn emit(data: &Path) -> Result<String> {
    let mut out = format!("{HEADER}use crate::facts::*;\n\n");
    settings(data, &mut out)?;
    let encodings = dat::read(&data.join("encodings.dat"))?;
    let _ = writeln!(out, "pub static ENCODINGS: &[Encoding] = &[");
    for r in &encodings.rows {
        let _ = writeln!(
            out,
            "    Encoding {{ id: {}, name: {:?}, server: {}, max_len: {} }},",
            r[0],
            r[1],
            r[2] == "t",
            r[3]
        );
    }
    let _ = writeln!(out, "];\n\npub static TIMEZONE_ABBREVS: &[(&str, i32, bool)] = &[");
    for r in &dat::read(&data.join("timezone_abbrevs.dat"))?.rows {
        let _ = writeln!(out, "    ({:?}, {}, {}),", r[0], r[1], r[2] == "t");
    }
    let _ = writeln!(
        out,
        "];\n\n/// Sorted. The category is that of `pg_get_keywords`; the flag says \"usable as a bare label\"."
    );
    let _ = writeln!(out, "pub static KEYWORDS: &[(&str, u8, bool)] = &[");
    for r in &dat::read(&data.join("keywords.dat"))?.rows {
        let _ = writeln!(out, "    ({:?}, b'{}', {}),", r[0], r[1], r[2] == "t");
    }
    out.push_str("];\n");
    Ok(out)
}

fn settings(data: &Path, out: &mut String) -> Result<()> {
    let file = dat::read(&data.join("settings.dat"))?;
    let optional = |v: &str| if v == "\\N" { "None".to_string() } else { format!("Some({:?})", unescape(v)) };
    for (n, chunk) in file.rows.chunks(super::CHUNK).enumerate() {
        let _ = writeln!(out, "static SETTINGS_{n}: [Setting; {}] = [", chunk.len());
        for r in chunk {
            let list = |v: &str| {
                let items: Vec<String> = if v == "\\N" {
                    vec![]
                } else {
                    array_items(&unescape(v)).iter().map(|i| format!("{i:?}")).collect()
                };
                format!("&[{}]", items.join(", "))
            };
            let _ = writeln!(
                out,
                "    Setting {{ name: {:?}, unit: {}, category: {:?}, context: {:?}, vartype: {:?}, min: {}, max: {}, \
                 enumvals: {}, boot: {}, flags: {} }},",
                r[0],
                optional(&r[1]),
                r[2],
                r[3],
                r[4],
                optional(&r[5]),
                optional(&r[6]),
                list(&r[7]),
                optional(&r[8]),
                list(&r[9])
            );
        }
        out.push_str("];\n\n");
    }
    let parts: Vec<String> =
        (0..file.rows.chunks(super::CHUNK).len()).map(|n| format!("&SETTINGS_{n}")).collect();
    let _ =
        writeln!(out, "/// Sorted by name.\npub static SETTINGS: &[&[Setting]] = &[{}];\n", parts.join(", "));
    Ok(())
}
