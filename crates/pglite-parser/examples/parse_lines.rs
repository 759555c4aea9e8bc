//! Reads statements from standard input, separated by NUL, and prints a line for each: `OK`, or
//! `ERR <byte position> <SQLSTATE> <message>`. The comparison with PostgreSQL's own grammar
//! (`tests/parser/compare_pglast.py`) drives it. With `--dump` it prints the debug form of each tree instead of `OK`.

use std::io::{Read, Write};

use pglite_parser::{ParseOptions, parse};

fn main() -> std::io::Result<()> {
    let dump = std::env::args().any(|a| a == "--dump");
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let opts = ParseOptions::default();
    for sql in input.split(|&b| b == 0) {
        let sql = String::from_utf8_lossy(sql);
        match parse(&sql, &opts) {
            Ok(parsed) if dump => writeln!(out, "OK {:?}", parsed.stmts)?,
            Ok(_) => writeln!(out, "OK")?,
            Err(e) => {
                let position = e.fields().position.map_or(-1, i64::from);
                let message = e.message().replace('\n', "\\n");
                writeln!(out, "ERR {position} {} {message}", e.code().as_str())?;
            }
        }
    }
    out.flush()
}
