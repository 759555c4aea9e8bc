//! From PostgreSQL's regular-expression syntax to that of the matching crate.

use pglite_error::{PgError, PgResult, bail, err};

/// Matching options: the `flags` argument and embedded options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    pub icase: bool,
    pub expanded: bool,
    /// Newline stops `.` and `[^...]`.
    pub newline_stop: bool,
    /// `^` and `$` match at line ends too.
    pub newline_anchor: bool,
    pub literal: bool,
    /// Basic (`b`) syntax.
    pub basic: bool,
    /// Extended (`e`) syntax: no escapes.
    pub extended: bool,
    pub global: bool,
}

impl Flags {
    /// Reads a `flags` argument.
    pub fn parse(text: &str) -> PgResult<Flags> {
        let mut f = Flags::default();
        for c in text.chars() {
            match c {
                'g' => f.global = true,
                _ if f.set(c) => {}
                _ => bail!(INVALID_PARAMETER_VALUE, "invalid regular expression option: \"{c}\""),
            }
        }
        Ok(f)
    }
    fn set(&mut self, c: char) -> bool {
        match c {
            'b' => (self.basic, self.extended, self.literal) = (true, false, false),
            'c' => self.icase = false,
            'e' => (self.extended, self.basic, self.literal) = (true, false, false),
            'i' => self.icase = true,
            'm' | 'n' => (self.newline_stop, self.newline_anchor) = (true, true),
            'p' => (self.newline_stop, self.newline_anchor) = (true, false),
            'q' => (self.literal, self.basic, self.extended) = (true, false, false),
            's' => (self.newline_stop, self.newline_anchor) = (false, false),
            't' => self.expanded = false,
            'w' => (self.newline_stop, self.newline_anchor) = (false, true),
            'x' => self.expanded = true,
            _ => return false,
        }
        true
    }
}

#[cold]
fn bad(what: &str) -> PgError {
    err!(INVALID_REGULAR_EXPRESSION, "invalid regular expression: {what}")
}

struct Tr<'a> {
    src: &'a [char],
    at: usize,
    flags: Flags,
    out: String,
    depth: usize,
    groups: usize,
}

/// The equivalent pattern.
pub fn translate(pattern: &str, mut flags: Flags) -> PgResult<String> {
    let chars: Vec<char> = pattern.chars().collect();
    let mut at = 0;
    if pattern.starts_with("***=") {
        (flags.literal, at) = (true, 4);
    } else if pattern.starts_with("***:") {
        at = 4;
    } else if pattern.starts_with("***") {
        return Err(bad("quantifier operand invalid"));
    }
    if !flags.literal
        && !flags.basic
        && chars[at..].starts_with(&['(', '?'])
        && chars.get(at + 2).is_some_and(char::is_ascii_alphabetic)
    {
        let close =
            chars[at..].iter().position(|c| *c == ')').ok_or_else(|| bad("invalid embedded option"))?;
        for c in &chars[at + 2..at + close] {
            if !flags.set(*c) {
                return Err(bad("invalid embedded option"));
            }
        }
        at += close + 1;
    }
    let mut prefix = String::new();
    prefix.push_str(if flags.icase { "(?i)" } else { "" });
    if flags.literal {
        let rest: String = chars[at..].iter().collect();
        return Ok(prefix + &fancy_regex::escape(&rest));
    }
    let mut t = Tr { src: &chars, at, flags, out: prefix, depth: 0, groups: 0 };
    t.alternatives(false)?;
    if t.at < t.src.len() {
        return Err(bad("parentheses () not balanced"));
    }
    Ok(t.out)
}

impl Tr<'_> {
    fn peek(&self) -> Option<char> {
        self.src.get(self.at).copied()
    }
    fn peek_at(&self, n: usize) -> Option<char> {
        self.src.get(self.at + n).copied()
    }
    /// Whether the operator `c` stands here, as `c` or (basic syntax) `\c`.
    fn operator(&self, c: char) -> bool {
        if self.flags.basic {
            self.peek() == Some('\\') && self.peek_at(1) == Some(c)
        } else {
            self.peek() == Some(c)
        }
    }
    fn skip_operator(&mut self) {
        self.at += if self.flags.basic { 2 } else { 1 };
    }

    fn skip_blanks(&mut self) {
        loop {
            if self.flags.expanded && self.peek().is_some_and(char::is_whitespace) {
                self.at += 1;
            } else if self.flags.expanded && self.peek() == Some('#') {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
            } else if !self.flags.basic
                && self.src[self.at.min(self.src.len())..].starts_with(&['(', '?', '#'])
            {
                while self.peek().is_some_and(|c| c != ')') {
                    self.at += 1;
                }
                self.at += 1;
            } else {
                return;
            }
        }
    }

    /// Branches up to the end or a closing parenthesis. `lazy`: plain quantifiers prefer short matches.
    fn alternatives(&mut self, lazy: bool) -> PgResult<()> {
        self.depth += 1;
        if self.depth > 200 {
            return Err(bad("regular expression is too complex"));
        }
        let mut first = true;
        loop {
            self.skip_blanks();
            match self.peek() {
                None => break,
                Some(')') if !self.flags.basic && (self.depth > 1 || !self.flags.extended) => break,
                Some('\\') if self.flags.basic && self.peek_at(1) == Some(')') => break,
                Some('|') if !self.flags.basic => {
                    self.out.push('|');
                    self.at += 1;
                    first = true;
                }
                Some(_) => {
                    self.quantified(first, lazy)?;
                    first = false;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// An atom and its quantifier.
    fn quantified(&mut self, first: bool, lazy: bool) -> PgResult<()> {
        let start = self.out.len();
        let from = self.at;
        let quantifiable = self.atom(first, lazy)?;
        self.skip_blanks();
        let mut quantifier = String::new();
        match self.peek() {
            Some(c @ ('*' | '+' | '?')) if c == '*' || !self.flags.basic => {
                quantifier.push(c);
                self.at += 1;
            }
            _ if self.operator('{')
                && (self.flags.basic || self.peek_at(1).is_some_and(|c| c.is_ascii_digit())) =>
            {
                self.skip_operator();
                quantifier = self.bounds()?;
            }
            _ => return Ok(()),
        }
        if !quantifiable {
            return Err(bad("quantifier operand invalid"));
        }
        let mut short = lazy;
        if self.peek() == Some('?') && !self.flags.basic && !self.flags.extended {
            self.at += 1;
            short = true;
            // PG: a group quantified lazily prefers short matches inside too.
            if !lazy && self.src.get(from) == Some(&'(') {
                let (end, groups) = (self.at, self.groups);
                self.out.truncate(start);
                self.at = from;
                self.groups -= self.src[from..end].iter().filter(|c| **c == '(').count().min(self.groups);
                self.atom(first, true)?;
                (self.at, self.groups) = (end, groups);
            }
        }
        if matches!(self.peek(), Some('*' | '+' | '?')) && !self.flags.basic {
            return Err(bad("quantifier operand invalid"));
        }
        self.out.push_str(&quantifier);
        if short {
            self.out.push('?');
        }
        Ok(())
    }

    fn number(&mut self) -> PgResult<Option<u32>> {
        let mut v = None;
        while let Some(d) = self.peek().and_then(|c| c.to_digit(10)) {
            let next = v.unwrap_or(0) * 10 + d;
            if next > 255 {
                return Err(bad("invalid repetition count(s)"));
            }
            v = Some(next);
            self.at += 1;
        }
        Ok(v)
    }

    fn bounds(&mut self) -> PgResult<String> {
        let low = self.number()?.ok_or_else(|| bad("invalid repetition count(s)"))?;
        let mut text = format!("{{{low}");
        if self.peek() == Some(',') {
            self.at += 1;
            match self.number()? {
                Some(high) if high < low => return Err(bad("invalid repetition count(s)")),
                Some(high) => text.push_str(&format!(",{high}")),
                None => text.push(','),
            }
        }
        if !self.operator('}') {
            return Err(bad("braces {} not balanced"));
        }
        self.skip_operator();
        text.push('}');
        Ok(text)
    }

    fn group(&mut self, lazy: bool) -> PgResult<bool> {
        self.skip_operator();
        let rest = &self.src[self.at..];
        let mut quantifiable = true;
        if !self.flags.basic && !self.flags.extended && rest.first() == Some(&'?') {
            let looks: [(&[char], &str); 5] = [
                (&['?', ':'], "(?:"),
                (&['?', '='], "(?="),
                (&['?', '!'], "(?!"),
                (&['?', '<', '='], "(?<="),
                (&['?', '<', '!'], "(?<!"),
            ];
            let Some((head, text)) = looks.iter().find(|(head, _)| rest.starts_with(head)) else {
                return Err(bad("quantifier operand invalid"));
            };
            quantifiable = *text == "(?:";
            self.out.push_str(text);
            self.at += head.len();
        } else {
            self.groups += 1;
            self.out.push('(');
        }
        self.alternatives(lazy)?;
        if !self.operator(')') {
            return Err(bad("parentheses () not balanced"));
        }
        self.skip_operator();
        self.out.push(')');
        Ok(quantifiable)
    }

    /// One atom or constraint; false when no quantifier may follow.
    fn atom(&mut self, first: bool, lazy: bool) -> PgResult<bool> {
        if self.operator('(') {
            return self.group(lazy);
        }
        let Some(c) = self.peek() else { return Ok(false) };
        self.at += 1;
        match c {
            '.' => self.out.push_str(if self.flags.newline_stop { "[^\\n]" } else { "(?s:.)" }),
            '[' => return self.bracket(),
            '^' if !self.flags.basic || first => {
                self.out.push_str(if self.flags.newline_anchor { "(?m:^)" } else { "\\A" });
                return Ok(false);
            }
            '$' if !self.flags.basic || self.at == self.src.len() => {
                self.out.push_str(if self.flags.newline_anchor { "(?m:$)" } else { "\\z" });
                return Ok(false);
            }
            '*' | '+' | '?' if !self.flags.basic => return Err(bad("quantifier operand invalid")),
            '{' if !self.flags.basic && self.peek().is_some_and(|c| c.is_ascii_digit()) => {
                return Err(bad("quantifier operand invalid"));
            }
            '\\' => return self.escape(),
            _ => self.push_char(c),
        }
        Ok(true)
    }

    fn push_char(&mut self, c: char) {
        if c.is_ascii_punctuation() && c != '_' && c != '<' && c != '>' && c != '\'' && c != '"' && c != '/' {
            match c {
                '!' | '%' | ',' | ':' | ';' | '=' | '@' | '`' => {}
                _ => self.out.push('\\'),
            }
        }
        self.out.push(c);
    }

    fn hex(&mut self, most: usize, exact: bool) -> PgResult<char> {
        let mut v = 0u32;
        let mut n = 0;
        while let Some(d) = self.peek().and_then(|c| c.to_digit(16)) {
            if n == most {
                break;
            }
            v = v << 4 | d;
            n += 1;
            self.at += 1;
        }
        if n == 0 || (exact && n < most) {
            return Err(bad("invalid escape \\ sequence"));
        }
        char::from_u32(v).ok_or_else(|| bad("invalid escape \\ sequence"))
    }

    /// A character-entry escape after the backslash; None when `c` is something else.
    fn entry(&mut self, c: char) -> PgResult<Option<char>> {
        Ok(Some(match c {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'B' => '\\',
            'c' => {
                let x = self.peek().ok_or_else(|| bad("invalid escape \\ sequence"))?;
                self.at += 1;
                char::from(x as u8 & 0x1f)
            }
            'e' => '\u{1b}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'u' => self.hex(4, true)?,
            'U' => self.hex(8, true)?,
            'x' => self.hex(255, false)?,
            '0' => {
                let mut v = 0u32;
                while let Some(d) = self.peek().and_then(|c| c.to_digit(8)).filter(|_| v < 32) {
                    v = v * 8 + d;
                    self.at += 1;
                }
                char::from_u32(v).unwrap_or('\0')
            }
            _ => return Ok(None),
        }))
    }

    fn escape(&mut self) -> PgResult<bool> {
        let Some(c) = self.peek() else { return Err(bad("invalid escape \\ sequence")) };
        self.at += 1;
        if !c.is_ascii_alphanumeric() || self.flags.extended {
            self.push_char(c);
            return Ok(true);
        }
        if self.flags.basic {
            if let Some(d) = c.to_digit(10).filter(|d| *d > 0) {
                self.out.push_str(&format!("\\{d}"));
            } else {
                self.push_char(c);
            }
            return Ok(true);
        }
        let constraint = match c {
            'A' => Some("\\A"),
            'Z' => Some("\\z"),
            'm' => Some("(?:\\b(?=\\w))"),
            'M' => Some("(?:\\b(?<=\\w))"),
            'y' => Some("\\b"),
            'Y' => Some("\\B"),
            _ => None,
        };
        if let Some(text) = constraint {
            self.out.push_str(text);
            return Ok(false);
        }
        match c {
            'd' => self.out.push_str("[0-9]"),
            'D' => self.out.push_str("[^0-9]"),
            's' => self.out.push_str("\\s"),
            'S' => self.out.push_str("\\S"),
            'w' => self.out.push_str("\\w"),
            'W' => self.out.push_str("\\W"),
            '1'..='9' => {
                let mut n = c.to_digit(10).unwrap_or(0) as usize;
                while let Some(d) = self.peek().and_then(|c| c.to_digit(10)) {
                    if n * 10 + d as usize > self.groups {
                        break;
                    }
                    n = n * 10 + d as usize;
                    self.at += 1;
                }
                if n > self.groups {
                    return Err(bad("invalid backreference number"));
                }
                self.out.push_str(&format!("(?:\\{n})"));
            }
            _ => match self.entry(c)? {
                Some(ch) => self.push_char(ch),
                None => return Err(bad("invalid escape \\ sequence")),
            },
        }
        Ok(true)
    }

    /// The name inside `[:name:]`, `[.x.]` or `[=x=]`.
    fn delimited(&mut self, mark: char) -> PgResult<String> {
        self.at += 2;
        let mut name = String::new();
        loop {
            match self.peek() {
                None => return Err(bad("brackets [] not balanced")),
                Some(c) if c == mark && self.peek_at(1) == Some(']') => break,
                Some(c) => name.push(c),
            }
            self.at += 1;
        }
        self.at += 2;
        Ok(name)
    }

    fn bracket(&mut self) -> PgResult<bool> {
        let rest = &self.src[self.at..];
        for (text, out) in [("[:<:]]", "(?:\\b(?=\\w))"), ("[:>:]]", "(?:\\b(?<=\\w))")] {
            let want: Vec<char> = text.chars().collect();
            if rest.starts_with(&want) {
                self.at += want.len();
                self.out.push_str(out);
                return Ok(false);
            }
        }
        self.out.push('[');
        if self.peek() == Some('^') {
            self.at += 1;
            self.out.push('^');
            if self.flags.newline_stop {
                self.out.push_str("\\n");
            }
        }
        let mut first = true;
        loop {
            let Some(c) = self.peek() else { return Err(bad("brackets [] not balanced")) };
            if c == ']' && !first {
                self.at += 1;
                self.out.push(']');
                return Ok(true);
            }
            first = false;
            if c == '[' && self.peek_at(1) == Some(':') {
                let name = self.delimited(':')?;
                let class = match name.as_str() {
                    "alpha" => "\\p{Alphabetic}",
                    "digit" => "0-9",
                    "alnum" => "\\p{Alphabetic}0-9",
                    "upper" if self.flags.icase => "\\p{Alphabetic}",
                    "lower" if self.flags.icase => "\\p{Alphabetic}",
                    "upper" => "\\p{Uppercase}",
                    "lower" => "\\p{Lowercase}",
                    "space" => "\\s",
                    "punct" => "!-/:-@\\[-`{-~",
                    "blank" => " \\t",
                    "cntrl" => "\\x00-\\x1f\\x7f",
                    "graph" => "!-~\\x{a1}-\\x{10ffff}",
                    "print" => " -~\\x{a0}-\\x{10ffff}",
                    "xdigit" => "0-9A-Fa-f",
                    "word" => "\\w",
                    "ascii" => "\\x00-\\x7f",
                    _ => return Err(bad("invalid character class")),
                };
                self.out.push_str(class);
                continue;
            }
            let Some(low) = self.member()? else { continue };
            if self.peek() == Some('-') && self.peek_at(1).is_some_and(|c| c != ']') {
                self.at += 1;
                let high = self.member()?.ok_or_else(|| bad("invalid character range"))?;
                if high < low {
                    return Err(bad("invalid character range"));
                }
                self.class_char(low);
                self.out.push('-');
                self.class_char(high);
            } else {
                self.class_char(low);
            }
        }
    }

    /// One bracket member; None when it was a class escape, already written.
    fn member(&mut self) -> PgResult<Option<char>> {
        let Some(c) = self.peek() else { return Err(bad("brackets [] not balanced")) };
        if c == '[' && matches!(self.peek_at(1), Some('.' | '=')) {
            let name = self.delimited(self.src[self.at + 1])?;
            let mut it = name.chars();
            return match (it.next(), it.next()) {
                (Some(c), None) => Ok(Some(c)),
                _ => Err(bad("invalid collating element")),
            };
        }
        self.at += 1;
        if c != '\\' || self.flags.basic || self.flags.extended {
            return Ok(Some(c));
        }
        let Some(e) = self.peek() else { return Err(bad("invalid escape \\ sequence")) };
        self.at += 1;
        match e {
            'd' => self.out.push_str("0-9"),
            's' => self.out.push_str("\\s"),
            'w' => self.out.push_str("\\w"),
            'D' => self.out.push_str("[^0-9]"),
            'S' => self.out.push_str("\\S"),
            'W' => self.out.push_str("\\W"),
            _ if !e.is_ascii_alphanumeric() => return Ok(Some(e)),
            _ => return self.entry(e)?.map(Some).ok_or_else(|| bad("invalid escape \\ sequence")),
        }
        Ok(None)
    }

    fn class_char(&mut self, c: char) {
        if matches!(c, '[' | ']' | '\\' | '^' | '-' | '&' | '~' | '#') || c.is_whitespace() {
            self.out.push_str(&format!("\\x{{{:x}}}", c as u32));
        } else {
            self.out.push(c);
        }
    }
}
