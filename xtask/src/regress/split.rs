//! Splitting a psql script into statements the way psql's lexer does: quotes, dollar quotes, comments, parentheses,
//! BEGIN ATOMIC bodies, COPY data, backslash commands.

/// The lines psql echoes, and the statements.
pub struct Split {
    pub echoed: Vec<Vec<u8>>,
    pub units: Vec<Unit>,
}

/// A statement or a backslash command that prints.
pub struct Unit {
    /// Index of the echoed line it ends on.
    pub line: usize,
    pub text: String,
}

/// Backslash commands that print nothing of their own.
const QUIET: &[&str] = &[
    "set",
    "unset",
    "getenv",
    "setenv",
    "if",
    "else",
    "elif",
    "endif",
    "pset",
    "t",
    "a",
    "x",
    "f",
    "r",
    "reset",
    "c",
    "connect",
    "encoding",
    "timing",
    "bind",
    "bind_named",
    "parse",
    "close_prepared",
    "startpipeline",
    "endpipeline",
    "syncpipeline",
    "sendpipeline",
    "flushrequest",
    "flush",
    "getresults",
    "i",
    "ir",
    "include",
    "qecho",
    "echo",
    "warn",
    "cd",
    "prompt",
    "html",
    "C",
    "T",
    "o",
    "w",
    "p",
    "q",
    "!",
    "errverbose",
];

#[derive(Clone, PartialEq)]
enum State {
    Plain,
    Quote,
    EscapeQuote,
    Ident,
    Dollar(Vec<u8>),
    Comment(u32),
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

fn head_is_routine(buf: &[u8]) -> bool {
    let head = &buf[..buf.len().min(200)];
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    let mut words = text.split_whitespace();
    if words.next() != Some("create") {
        return false;
    }
    let word = match words.next() {
        Some("or") if words.next() == Some("replace") => words.next(),
        other => other,
    };
    word.is_some_and(|w| {
        ["function", "procedure"]
            .iter()
            .any(|k| w.strip_prefix(k).is_some_and(|r| r.bytes().next().is_none_or(|b| !is_word(b))))
    })
}

fn is_copy_from_stdin(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text).to_ascii_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty()).collect();
    words.first() == Some(&"copy") && words.windows(2).any(|w| w == ["from", "stdin"])
}

struct Splitter {
    out: Split,
    buf: Vec<u8>,
    state: State,
    depth: i32,
    begin: i32,
}

/// Splits a whole script.
pub fn split(sql: &[u8]) -> Split {
    let mut lines: Vec<&[u8]> = sql.split(|b| *b == b'\n').collect();
    if lines.last().is_some_and(|l| l.is_empty()) {
        lines.pop();
    }
    let out = Split { echoed: Vec::new(), units: Vec::new() };
    let mut s = Splitter { out, buf: Vec::new(), state: State::Plain, depth: 0, begin: 0 };
    let mut i = 0;
    while i < lines.len() {
        let line = lines[i];
        i += 1;
        if line.is_empty() {
            if s.state == State::Plain {
                continue;
            }
            if !s.buf.is_empty() {
                s.buf.push(b'\n');
            }
            continue;
        }
        s.out.echoed.push(line.to_vec());
        let copy = s.line(line);
        s.buf.push(b'\n');
        if copy {
            while i < lines.len() {
                i += 1;
                if lines[i - 1] == b"\\." {
                    break;
                }
            }
        }
    }
    s.out
}

impl Splitter {
    fn unit(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text).into_owned();
        self.out.units.push(Unit { line: self.out.echoed.len() - 1, text });
    }

    /// One input line; true when COPY data follows it.
    fn line(&mut self, line: &[u8]) -> bool {
        let mut copy = false;
        let mut p = 0;
        while p < line.len() {
            let c = line[p];
            match self.state.clone() {
                State::Quote | State::EscapeQuote => {
                    if self.state == State::EscapeQuote && c == b'\\' {
                        self.buf.extend_from_slice(&line[p..(p + 2).min(line.len())]);
                        p += 2;
                        continue;
                    }
                    if c == b'\'' {
                        if line.get(p + 1) == Some(&b'\'') {
                            self.buf.extend_from_slice(b"''");
                            p += 2;
                            continue;
                        }
                        self.state = State::Plain;
                    }
                    self.buf.push(c);
                    p += 1;
                }
                State::Ident => {
                    if c == b'"' {
                        self.state = State::Plain;
                    }
                    self.buf.push(c);
                    p += 1;
                }
                State::Dollar(tag) => {
                    if line[p..].starts_with(&tag) {
                        self.state = State::Plain;
                        self.buf.extend_from_slice(&tag);
                        p += tag.len();
                    } else {
                        self.buf.push(c);
                        p += 1;
                    }
                }
                State::Comment(n) => {
                    if line[p..].starts_with(b"/*") {
                        self.state = State::Comment(n + 1);
                        p += 2;
                    } else if line[p..].starts_with(b"*/") {
                        self.state = if n == 1 { State::Plain } else { State::Comment(n - 1) };
                        p += 2;
                    } else {
                        p += 1;
                    }
                }
                State::Plain => match self.plain(line, p, &mut copy) {
                    Some(next) => p = next,
                    None => break,
                },
            }
        }
        copy
    }

    /// A character outside quotes and comments; None ends the line.
    fn plain(&mut self, line: &[u8], p: usize, copy: &mut bool) -> Option<usize> {
        let c = line[p];
        let rest = &line[p..];
        if rest.starts_with(b"--") {
            return None;
        }
        if rest.starts_with(b"/*") {
            self.state = State::Comment(1);
            return Some(p + 2);
        }
        match c {
            b'\'' => {
                let escape = p > 0
                    && line[p - 1].eq_ignore_ascii_case(&b'e')
                    && !(p > 1 && (is_word(line[p - 2]) || line[p - 2] == b'$'));
                self.state = if escape { State::EscapeQuote } else { State::Quote };
            }
            b'"' => self.state = State::Ident,
            b'$' => {
                if let Some(tag) = dollar_tag(rest)
                    && !(p > 0 && is_word(line[p - 1]))
                {
                    self.buf.extend_from_slice(tag);
                    self.state = State::Dollar(tag.to_vec());
                    return Some(p + tag.len());
                }
            }
            b'(' => self.depth += 1,
            b')' => self.depth = (self.depth - 1).max(0),
            b'\\' => return self.backslash(line, p, copy),
            b';' if self.depth == 0 && self.begin == 0 => {
                let text = std::mem::take(&mut self.buf);
                if !text.trim_ascii().is_empty() {
                    self.unit(text.trim_ascii());
                    *copy |= is_copy_from_stdin(text.trim_ascii());
                }
                self.depth = 0;
                return Some(p + 1);
            }
            _ => {}
        }
        if c.is_ascii_alphabetic() || c == b'_' {
            let len =
                rest.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'_' || **b == b'$').count();
            self.word(&rest[..len]);
            return Some(p + len);
        }
        self.buf.push(c);
        Some(p + 1)
    }

    /// Counts BEGIN ... END of SQL-standard routine bodies.
    fn word(&mut self, word: &[u8]) {
        if head_is_routine(self.buf.trim_ascii_start()) {
            match word.to_ascii_lowercase().as_slice() {
                b"begin" => self.begin += 1,
                b"case" if self.begin > 0 => self.begin += 1,
                b"end" if self.begin > 0 => self.begin -= 1,
                _ => {}
            }
        }
        self.buf.extend_from_slice(word);
    }

    fn backslash(&mut self, line: &[u8], p: usize, copy: &mut bool) -> Option<usize> {
        let rest = &line[p + 1..];
        if rest.first() == Some(&b';') {
            self.buf.push(b';');
            return Some(p + 2);
        }
        let len =
            rest.iter().take_while(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'!' | b'?')).count();
        let base = String::from_utf8_lossy(&rest[..len]).into_owned();
        let text = self.buf.trim_ascii().to_vec();
        match base.as_str() {
            "g" | "gx" | "gset" | "gdesc" | "gexec" | "crosstabview" | "watch" => {
                if !text.is_empty() {
                    self.unit(&text);
                    *copy = is_copy_from_stdin(&text);
                }
                self.buf.clear();
                self.depth = 0;
                self.begin = 0;
            }
            "r" => self.buf.clear(),
            "copy" => {
                self.unit(&line[p..]);
                let rest = String::from_utf8_lossy(rest).to_ascii_lowercase();
                let words: Vec<&str> = rest.split_whitespace().collect();
                *copy = words
                    .windows(2)
                    .any(|w| w[0] == "from" && (w[1].starts_with("stdin") || w[1].starts_with("pstdin")));
            }
            "" => {}
            other if QUIET.contains(&other) => {}
            _ => self.unit(&line[p..]),
        }
        None
    }
}

/// `$tag$` at the start of `rest`.
fn dollar_tag(rest: &[u8]) -> Option<&[u8]> {
    let end = rest[1..].iter().position(|b| *b == b'$')? + 1;
    let tag = &rest[1..end];
    let ok = tag.is_empty() || (!tag[0].is_ascii_digit() && tag.iter().all(|b| is_word(*b)));
    ok.then(|| &rest[..=end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_psql_ends_them() {
        let s =
            split(b"select ';'; select 1\n;\n\\d t\n\\set x 1\ncopy t from stdin;\n1\n\\.\nselect $$;$$;\n");
        assert_eq!(s.units.iter().map(|u| u.line).collect::<Vec<_>>(), vec![0, 1, 2, 4, 5]);
        assert_eq!(s.units[1].text, "select 1");
    }

    #[test]
    fn routine_bodies_are_one_statement() {
        let s = split(b"create function f() returns int begin atomic; select 1; end;\nselect 2;\n");
        assert_eq!(s.units.iter().map(|u| u.line).collect::<Vec<_>>(), vec![0, 1]);
    }
}
