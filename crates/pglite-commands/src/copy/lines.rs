//! Splitting COPY input into lines: newline styles, quoted newlines, the end-of-data marker.
//!
//! Invariant: input arrives in chunks of any size; a line is handed out only when it is complete, and no byte is looked
//! at twice however small the chunks are.

use pglite_error::{PgError, PgResult, err};

use super::scan::find;
use super::{Format, Options};

/// How lines end; the first one decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Eol {
    Unknown,
    Nl,
    Cr,
    CrNl,
}

/// What [`Lines::advance`] found.
enum Found {
    /// End of the line's bytes and start of the next line.
    Line(usize, usize),
    /// More input is needed.
    Nothing,
    /// `\.`
    EndOfData,
}

/// A reader of lines.
pub(super) struct Lines<'o> {
    options: &'o Options,
    buf: Vec<u8>,
    /// Start of the current line.
    start: usize,
    end: usize,
    /// Start of the next line.
    next: usize,
    /// How far the next line has been looked through, and in what state.
    at: usize,
    quoted: bool,
    escaped: bool,
    eol: Eol,
    eof: bool,
    done: bool,
    /// The current line has a backslash or a quote.
    pub special: bool,
    pub line_no: u64,
}

impl<'o> Lines<'o> {
    pub fn new(options: &'o Options) -> Lines<'o> {
        Lines {
            options,
            buf: Vec::new(),
            start: 0,
            end: 0,
            next: 0,
            at: 0,
            quoted: false,
            escaped: false,
            eol: Eol::Unknown,
            eof: false,
            done: false,
            special: false,
            line_no: 0,
        }
    }

    pub fn feed(&mut self, chunk: &[u8]) {
        if self.next > 0 {
            self.buf.drain(..self.next);
            self.at -= self.next;
            (self.start, self.end, self.next) = (0, 0, 0);
        }
        self.buf.extend_from_slice(chunk);
    }

    pub fn finish(&mut self) {
        self.eof = true;
    }

    /// The current line.
    #[inline]
    pub fn line(&self) -> &[u8] {
        &self.buf[self.start..self.end]
    }

    /// Steps to the next line; false = feed more (or, after `finish`, the end).
    pub fn next(&mut self) -> PgResult<bool> {
        if self.done {
            return Ok(false);
        }
        if self.at == self.next {
            self.special = false;
        }
        let found = match self.options.format {
            Format::Csv => self.advance_csv(),
            _ => self.advance_text(),
        };
        match found {
            Ok(Found::Line(end, next)) => {
                self.line_no += 1;
                (self.start, self.end, self.next, self.at) = (self.next, end, next, next);
                (self.quoted, self.escaped) = (false, false);
                Ok(true)
            }
            Ok(Found::Nothing) => Ok(false),
            Ok(Found::EndOfData) => {
                self.done = true;
                Ok(false)
            }
            Err(e) => {
                self.line_no += 1;
                Err(e)
            }
        }
    }

    /// The line that ends with the input.
    fn last(&mut self) -> Found {
        if !self.eof || self.next >= self.buf.len() {
            return Found::Nothing;
        }
        Found::Line(self.buf.len(), self.buf.len())
    }

    fn advance_text(&mut self) -> PgResult<Found> {
        loop {
            let Some(i) = find(&self.buf, self.at, [b'\n', b'\r', b'\\']) else {
                self.at = self.buf.len();
                return Ok(self.last());
            };
            self.at = i;
            if self.buf[i] != b'\\' {
                return Ok(self.newline(i)?.unwrap_or(Found::Nothing));
            }
            self.special = true;
            match self.buf.get(i + 1) {
                None if self.eof => {
                    self.at = self.buf.len();
                    return Ok(self.last());
                }
                None => return Ok(Found::Nothing),
                Some(b'.') => return self.end_marker(i),
                // Why: an escaped newline is data.
                Some(_) => self.at = i + 2,
            }
        }
    }

    /// `\.` at `i`: the end of the data, if it stands alone and the line ends as lines do.
    fn end_marker(&mut self, i: usize) -> PgResult<Found> {
        let alone = || Err(bad("end-of-copy marker is not alone on its line"));
        let style = || Err(bad("end-of-copy marker does not match previous newline style"));
        let rest = &self.buf[i + 2..];
        let (first, second) = (rest.first().copied(), rest.get(1).copied());
        match first {
            None if !self.eof => return Ok(Found::Nothing),
            None => {}
            Some(b'\n') if matches!(self.eol, Eol::Cr | Eol::CrNl) => return style(),
            Some(b'\r') if self.eol == Eol::Nl => return style(),
            Some(b'\r') if self.eol == Eol::CrNl => match second {
                Some(b'\n') => {}
                Some(b'\r') => return style(),
                None if !self.eof => return Ok(Found::Nothing),
                _ => return alone(),
            },
            Some(b'\n' | b'\r') => {}
            Some(_) => return alone(),
        }
        if i > self.next {
            return alone();
        }
        Ok(Found::EndOfData)
    }

    fn advance_csv(&mut self) -> PgResult<Found> {
        let (quote, escape) = (self.options.quote, self.options.escape);
        let own_escape = escape != quote;
        loop {
            let Some(i) = find(&self.buf, self.at, [b'\n', b'\r', quote, escape]) else {
                self.escaped &= self.at == self.buf.len();
                self.at = self.buf.len();
                return Ok(self.last());
            };
            if i > self.at {
                self.escaped = false;
            }
            self.at = i;
            let c = self.buf[i];
            if own_escape && c == escape && self.quoted {
                self.escaped = !self.escaped;
                if c != quote {
                    self.at = i + 1;
                    continue;
                }
            }
            if c == quote {
                self.special = true;
                if !self.escaped {
                    self.quoted = !self.quoted;
                }
                self.escaped = false;
                self.at = i + 1;
                continue;
            }
            self.escaped = false;
            if self.quoted || (c == escape && c != b'\n' && c != b'\r') {
                // PG: before the first line has ended, carriage returns count.
                if c == if self.eol == Eol::Nl { b'\n' } else { b'\r' } {
                    self.line_no += 1;
                }
                self.at = i + 1;
                continue;
            }
            return Ok(self.newline(i)?.unwrap_or(Found::Nothing));
        }
    }

    /// A newline character at `i` outside quotes; `None`: the next byte decides.
    fn newline(&mut self, i: usize) -> PgResult<Option<Found>> {
        let csv = self.options.format == Format::Csv;
        if self.buf[i] == b'\n' {
            return match self.eol {
                Eol::Cr | Eol::CrNl => Err(stray(csv, "newline", "\\n")),
                _ => {
                    self.eol = Eol::Nl;
                    Ok(Some(Found::Line(i, i + 1)))
                }
            };
        }
        match (self.eol, self.buf.get(i + 1)) {
            (Eol::Nl, _) => Err(stray(csv, "carriage return", "\\r")),
            (Eol::Unknown | Eol::CrNl, None) if !self.eof => Ok(None),
            (Eol::Unknown | Eol::CrNl, Some(b'\n')) => {
                self.eol = Eol::CrNl;
                Ok(Some(Found::Line(i, i + 2)))
            }
            (Eol::CrNl, _) => Err(stray(csv, "carriage return", "\\r")),
            _ => {
                self.eol = Eol::Cr;
                Ok(Some(Found::Line(i, i + 1)))
            }
        }
    }
}

#[cold]
fn bad(message: &str) -> PgError {
    err!(BAD_COPY_FILE_FORMAT, "{message}")
}

#[cold]
fn stray(csv: bool, what: &str, escape: &str) -> PgError {
    if csv {
        err!(BAD_COPY_FILE_FORMAT, "unquoted {what} found in data")
            .hint(format!("Use quoted CSV field to represent {what}."))
    } else {
        err!(BAD_COPY_FILE_FORMAT, "literal {what} found in data")
            .hint(format!("Use \"{escape}\" to represent {what}."))
    }
}
