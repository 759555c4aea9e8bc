//! Splitting a COPY line into fields.

use pglite_error::{PgResult, bail};

use super::scan::find;
use super::{Format, Options};

/// One field. Its bytes stand in the line or, when it had escapes or quotes, in [`Fields::data`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Field {
    start: usize,
    end: usize,
    unescaped: bool,
    pub null: bool,
    pub default: bool,
}

/// The fields of one line.
pub(super) struct Fields<'o> {
    options: &'o Options,
    data: Vec<u8>,
    fields: Vec<Field>,
}

impl<'o> Fields<'o> {
    pub fn new(options: &'o Options) -> Fields<'o> {
        Fields { options, data: Vec::new(), fields: Vec::new() }
    }
    #[inline]
    pub fn len(&self) -> usize {
        self.fields.len()
    }
    #[inline]
    pub fn get(&self, n: usize) -> Option<Field> {
        self.fields.get(n).copied()
    }
    /// A field's bytes; `line` is what was split.
    #[inline]
    pub fn bytes<'a>(&'a self, field: Field, line: &'a [u8]) -> &'a [u8] {
        if field.unescaped { &self.data[field.start..field.end] } else { &line[field.start..field.end] }
    }

    /// `special`: the line has backslashes or quotes.
    pub fn split(&mut self, line: &[u8], special: bool) -> PgResult<()> {
        self.data.clear();
        self.fields.clear();
        match (self.options.format, special) {
            (_, false) => self.split_plain(line),
            (Format::Csv, true) => return self.split_csv(line),
            _ => self.split_text(line),
        }
        Ok(())
    }

    #[inline]
    fn push(&mut self, start: usize, end: usize, unescaped: bool, raw: &[u8], quoted: bool) {
        let null = !quoted && raw == self.options.null.as_bytes();
        let default = !quoted && self.options.default.as_deref().is_some_and(|d| raw == d.as_bytes());
        self.fields.push(Field { start, end, unescaped, null, default });
    }

    fn split_plain(&mut self, line: &[u8]) {
        let delimiter = self.options.delimiter;
        let mut from = 0;
        loop {
            let end = find(line, from, [delimiter]).unwrap_or(line.len());
            self.push(from, end, false, &line[from..end], false);
            if end >= line.len() {
                return;
            }
            from = end + 1;
        }
    }

    fn split_text(&mut self, line: &[u8]) {
        let mut from = 0;
        loop {
            let start = self.data.len();
            let end = self.text_field(line, from);
            self.push(start, self.data.len(), true, &line[from..end], false);
            if end >= line.len() {
                return;
            }
            from = end + 1;
        }
    }

    /// Unescapes one field from `from`; returns where it ends.
    fn text_field(&mut self, line: &[u8], from: usize) -> usize {
        let delimiter = self.options.delimiter;
        let mut i = from;
        while i < line.len() {
            let run = find(line, i, [delimiter, b'\\']).unwrap_or(line.len());
            self.data.extend_from_slice(&line[i..run]);
            i = run;
            if i >= line.len() || line[i] == delimiter {
                return i;
            }
            i += 1;
            let Some(c) = line.get(i).copied() else {
                self.data.push(b'\\');
                return i;
            };
            i += 1;
            let plain = match c {
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 11,
                b'0'..=b'7' => number(line, &mut i, u32::from(c - b'0'), 8, 2),
                b'x' if line.get(i).is_some_and(u8::is_ascii_hexdigit) => number(line, &mut i, 0, 16, 2),
                other => other,
            };
            self.data.push(plain);
        }
        i
    }

    fn split_csv(&mut self, line: &[u8]) -> PgResult<()> {
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
                bail!(BAD_COPY_FILE_FORMAT, "unterminated CSV quoted field");
            }
            self.push(start, self.data.len(), true, &line[from..i], saw_quote);
            if i >= line.len() {
                return Ok(());
            }
            i += 1;
        }
    }
}

/// Up to `more` further digits of an octal or hexadecimal escape.
fn number(line: &[u8], i: &mut usize, mut value: u32, radix: u32, more: usize) -> u8 {
    for _ in 0..more {
        let Some(d) = line.get(*i).and_then(|c| (*c as char).to_digit(radix)) else { break };
        value = value * radix + d;
        *i += 1;
    }
    value as u8
}
