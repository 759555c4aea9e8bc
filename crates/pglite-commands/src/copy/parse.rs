//! Splitting COPY input into rows and fields.
//!
//! Invariant: input arrives in chunks of any size; a row is handed out only when it is complete.

use pglite_error::{PgResult, bail};

use super::{Format, Options};

/// One field: None = the NULL marker.
pub(super) struct Field {
    /// Byte range in `Lines::fields_data`.
    pub start: usize,
    pub end: usize,
    pub null: bool,
    pub default: bool,
}

/// A reader of text or csv rows.
pub(super) struct Lines<'o> {
    options: &'o Options,
    buf: Vec<u8>,
    pos: usize,
    eof: bool,
    done: bool,
    /// Unescaped bytes of the current row's fields.
    pub data: Vec<u8>,
    pub fields: Vec<Field>,
    /// The current row as it came, for error contexts.
    pub line: Vec<u8>,
    pub line_no: u64,
}

impl<'o> Lines<'o> {
    pub fn new(options: &'o Options) -> Lines<'o> {
        Lines {
            options,
            buf: Vec::new(),
            pos: 0,
            eof: false,
            done: false,
            data: Vec::new(),
            fields: Vec::new(),
            line: Vec::new(),
            line_no: 0,
        }
    }
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.pos > 0 {
            self.buf.drain(..self.pos);
            self.pos = 0;
        }
        self.buf.extend_from_slice(chunk);
    }
    pub fn finish(&mut self) {
        self.eof = true;
    }

    /// The next row's fields in `fields`; false = feed more (or, after `finish`, the end).
    pub fn next(&mut self) -> PgResult<bool> {
        if self.done {
            return Ok(false);
        }
        let Some((end, next)) = self.line_end() else { return Ok(false) };
        self.line.clear();
        self.line.extend_from_slice(&self.buf[self.pos..end]);
        self.pos = next;
        self.line_no += 1;
        if self.line == b"\\." && self.options.format == Format::Text {
            self.done = true;
            return Ok(false);
        }
        self.data.clear();
        self.fields.clear();
        match self.options.format {
            Format::Csv => self.split_csv()?,
            _ => self.split_text()?,
        }
        Ok(true)
    }

    /// End of the row's bytes and start of the next row.
    fn line_end(&self) -> Option<(usize, usize)> {
        let rest = &self.buf[self.pos..];
        let csv = self.options.format == Format::Csv;
        let (quote, escape) = (self.options.quote, self.options.escape);
        let mut quoted = false;
        let mut i = 0;
        while i < rest.len() {
            let c = rest[i];
            if csv {
                if quoted && c == escape && escape != quote {
                    i += 2;
                    continue;
                }
                if c == quote {
                    quoted = !quoted;
                }
            } else if c == b'\\' {
                // Why: an escaped newline is data, and "\." must be seen whole.
                i += 2;
                continue;
            }
            if !quoted && c == b'\n' {
                let end = if i > 0 && rest[i - 1] == b'\r' { i - 1 } else { i };
                return Some((self.pos + end, self.pos + i + 1));
            }
            i += 1;
        }
        if self.eof && !rest.is_empty() {
            let end = if rest.ends_with(b"\r") { rest.len() - 1 } else { rest.len() };
            return Some((self.pos + end, self.buf.len()));
        }
        None
    }

    fn end_field(&mut self, start: usize, raw: &[u8], quoted: bool) {
        let null = !quoted && raw == self.options.null.as_bytes();
        let default = !quoted && self.options.default.as_deref().is_some_and(|d| raw == d.as_bytes());
        self.fields.push(Field { start, end: self.data.len(), null, default });
    }

    fn split_text(&mut self) -> PgResult<()> {
        let line = std::mem::take(&mut self.line);
        let mut from = 0;
        loop {
            let start = self.data.len();
            let end = self.text_field(&line, from);
            let raw = &line[from..end];
            self.end_field(start, raw, false);
            if end >= line.len() {
                break;
            }
            from = end + 1;
        }
        self.line = line;
        Ok(())
    }

    /// Unescapes one field from `from`; returns where it ends.
    fn text_field(&mut self, line: &[u8], from: usize) -> usize {
        let delimiter = self.options.delimiter;
        let mut i = from;
        while i < line.len() {
            // Fast path: a run without delimiter or backslash.
            let run = line[i..].iter().position(|c| *c == delimiter || *c == b'\\').unwrap_or(line.len() - i);
            self.data.extend_from_slice(&line[i..i + run]);
            i += run;
            if i >= line.len() || line[i] == delimiter {
                return i;
            }
            i += 1;
            let Some(c) = line.get(i).copied() else {
                self.data.push(b'\\');
                return i;
            };
            i += 1;
            match c {
                b'b' => self.data.push(8),
                b'f' => self.data.push(12),
                b'n' => self.data.push(b'\n'),
                b'r' => self.data.push(b'\r'),
                b't' => self.data.push(b'\t'),
                b'v' => self.data.push(11),
                b'0'..=b'7' => {
                    let mut v = u32::from(c - b'0');
                    let mut n = 1;
                    while n < 3 && i < line.len() && (b'0'..=b'7').contains(&line[i]) {
                        v = v * 8 + u32::from(line[i] - b'0');
                        i += 1;
                        n += 1;
                    }
                    self.data.push(v as u8);
                }
                b'x' if line.get(i).is_some_and(u8::is_ascii_hexdigit) => {
                    let mut v = 0u32;
                    let mut n = 0;
                    while n < 2 && line.get(i).is_some_and(u8::is_ascii_hexdigit) {
                        v = v * 16 + (line[i] as char).to_digit(16).unwrap_or(0);
                        i += 1;
                        n += 1;
                    }
                    self.data.push(v as u8);
                }
                other => self.data.push(other),
            }
        }
        i
    }

    fn split_csv(&mut self) -> PgResult<()> {
        let line = std::mem::take(&mut self.line);
        let (delimiter, quote, escape) = (self.options.delimiter, self.options.quote, self.options.escape);
        let mut i = 0;
        loop {
            let (start, from) = (self.data.len(), i);
            let (mut quoted, mut saw_quote) = (false, false);
            while i < line.len() {
                let c = line[i];
                if quoted {
                    if c == escape && line.get(i + 1).is_some_and(|n| *n == quote || *n == escape) {
                        self.data.push(line[i + 1]);
                        i += 2;
                        continue;
                    }
                    if c == quote {
                        quoted = false;
                        i += 1;
                        continue;
                    }
                } else if c == delimiter {
                    break;
                } else if c == quote {
                    quoted = true;
                    saw_quote = true;
                    i += 1;
                    continue;
                }
                self.data.push(c);
                i += 1;
            }
            if quoted {
                self.line = line;
                bail!(BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field");
            }
            self.end_field(start, &line[from..i], saw_quote);
            if i >= line.len() {
                break;
            }
            i += 1;
        }
        self.line = line;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::options::Options;
    use super::*;
    use pglite_parser::ast::CopyStmt;

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

    fn rows(format: Format, input: &[u8], chunk: usize) -> Vec<Vec<Option<String>>> {
        let o = options(format);
        let mut lines = Lines::new(&o);
        let mut out = Vec::new();
        let mut take = |lines: &mut Lines<'_>| {
            while lines.next().unwrap() {
                let row = lines
                    .fields
                    .iter()
                    .map(|f| {
                        (!f.null).then(|| String::from_utf8(lines.data[f.start..f.end].to_vec()).unwrap())
                    })
                    .collect();
                out.push(row);
            }
        };
        for c in input.chunks(chunk) {
            lines.feed(c);
            take(&mut lines);
        }
        lines.finish();
        take(&mut lines);
        out
    }

    #[test]
    fn text_escapes_and_chunks() {
        let input = b"1\ta\\tb\t\\N\n2\tx\\\\y\t\\x41\\101\n";
        for chunk in 1..input.len() {
            let got = rows(Format::Text, input, chunk);
            assert_eq!(got.len(), 2);
            assert_eq!(got[0], vec![Some("1".into()), Some("a\tb".into()), None]);
            assert_eq!(got[1], vec![Some("2".into()), Some("x\\y".into()), Some("AA".into())]);
        }
    }

    #[test]
    fn csv_quotes_and_newlines() {
        let input = b"1,\"a\"\"b\nc\",,\"\"\n";
        for chunk in 1..input.len() {
            let got = rows(Format::Csv, input, chunk);
            assert_eq!(got, vec![vec![Some("1".into()), Some("a\"b\nc".into()), None, Some("".into())]]);
        }
    }
}
