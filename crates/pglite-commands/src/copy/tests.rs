//! Tests of line and field splitting.

use pglite_parser::ast::CopyStmt;

use super::fields::Fields;
use super::lines::Lines;
use super::{Format, Options};

fn options(format: Format) -> Options {
    let stmt = CopyStmt {
        relation: None,
        query: None,
        attlist: vec![],
        is_from: true,
        is_program: false,
        filename: None,
        options: vec![],
        where_clause: None,
    };
    let mut o = Options::parse(&stmt).unwrap();
    o.format = format;
    if format == Format::Csv {
        o.delimiter = b',';
        o.null = String::new();
    }
    o
}

type Rows = Vec<Vec<Option<String>>>;

fn rows(o: &Options, input: &[u8], chunk: usize) -> Result<Rows, String> {
    let (mut lines, mut fields, mut out) = (Lines::new(o), Fields::new(o), Rows::new());
    let mut chunks = input.chunks(chunk);
    loop {
        let more = chunks.next();
        match more {
            Some(c) => lines.feed(c),
            None => lines.finish(),
        }
        while lines.next().map_err(|e| format!("{}: {}", lines.line_no, e.message()))? {
            fields.split(lines.line(), lines.special).map_err(|e| e.message().to_string())?;
            let one = |n| {
                let f = fields.get(n).unwrap();
                let text = || String::from_utf8(fields.bytes(f, lines.line()).to_vec()).unwrap();
                (!f.null).then(text)
            };
            out.push((0..fields.len()).map(one).collect());
        }
        if more.is_none() {
            return Ok(out);
        }
    }
}

fn some(values: &[&str]) -> Vec<Option<String>> {
    values.iter().map(|v| Some(v.to_string())).collect()
}

#[test]
fn text_escapes_and_chunks() {
    let o = options(Format::Text);
    let input = b"1\ta\\tb\t\\N\n2\tx\\\\y\t\\x41\\101\nplain\t\t\n";
    for chunk in 1..=input.len() {
        let got = rows(&o, input, chunk).unwrap();
        assert_eq!(got.len(), 3, "{chunk}");
        assert_eq!(got[0], vec![Some("1".into()), Some("a\tb".into()), None]);
        assert_eq!(got[1], some(&["2", "x\\y", "AA"]));
        assert_eq!(got[2], some(&["plain", "", ""]));
    }
}

#[test]
fn csv_quotes_and_newlines() {
    let o = options(Format::Csv);
    let input = b"1,\"a\"\"b\nc\",,\"\"\nx,y,z,\\.\n";
    for chunk in 1..=input.len() {
        let got = rows(&o, input, chunk).unwrap();
        assert_eq!(got[0], vec![Some("1".into()), Some("a\"b\nc".into()), None, Some("".into())]);
        assert_eq!(got[1], some(&["x", "y", "z", "\\."]));
    }
    let mut o = options(Format::Csv);
    o.escape = b'\\';
    let input = b"\"a\\\"b\\\\\",\"c\nd\"\ne,f\n";
    for chunk in 1..=input.len() {
        let got = rows(&o, input, chunk).unwrap();
        assert_eq!(got, vec![some(&["a\"b\\", "c\nd"]), some(&["e", "f"])], "{chunk}");
    }
}

#[test]
fn newline_styles_and_the_end_marker() {
    let o = options(Format::Text);
    let cases: [(&[u8], Result<usize, &str>); 9] = [
        (b"a\r\nb\r\n", Ok(2)),
        (b"a\rb\r", Ok(2)),
        (b"a\nb", Ok(2)),
        (b"a\\\nb\nc\n", Ok(2)),
        (b"a\nb\r\n", Err("2: literal carriage return found in data")),
        (b"a\r\nb\n", Err("2: literal newline found in data")),
        (b"a\n\\.\nb\n", Ok(1)),
        (b"a\nb\\.\n", Err("2: end-of-copy marker is not alone on its line")),
        (b"a\n\\.\r\n", Err("2: end-of-copy marker does not match previous newline style")),
    ];
    for (input, want) in cases {
        for chunk in 1..=input.len() {
            let got = rows(&o, input, chunk).map(|r| r.len());
            assert_eq!(got, want.map_err(str::to_string), "{} {chunk}", String::from_utf8_lossy(input));
        }
    }
    let csv = options(Format::Csv);
    assert_eq!(rows(&csv, b"a\n\"b", 2), Err("unterminated CSV quoted field".to_string()));
}
