//! The results as JSON (the reference scorer's shape) and as HTML: one page of all files, one page a file.

use std::fmt::Write as _;
use std::path::Path;

use super::rank::Cause;
use super::run::End;
use super::score::Score;
use super::split::Split;
use crate::Result;
use crate::shell;

/// A file that was run.
pub struct Done {
    pub test: String,
    pub score: Score,
    pub split: Split,
    pub end: End,
    pub seconds: f64,
}

#[derive(Default)]
pub struct Total {
    pub files: usize,
    pub exact: usize,
    pub units: usize,
    pub ok: usize,
}

impl Total {
    pub fn of(done: &[Done]) -> Total {
        let mut total = Total { files: done.len(), ..Total::default() };
        for d in done {
            total.exact += usize::from(d.score.exact);
            total.units += d.score.units;
            total.ok += d.score.ok;
        }
        total
    }

    pub fn percent(&self) -> f64 {
        100.0 * self.ok as f64 / self.units.max(1) as f64
    }
}

impl std::fmt::Display for Total {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Total { files, exact, units, ok } = self;
        write!(f, "{exact}/{files} files byte-exact; {ok}/{units} statements match ({:.2} %)", self.percent())
    }
}

pub fn json(path: &Path, server: &str, done: &[Done], causes: &[Cause]) -> Result<()> {
    let total = Total::of(done);
    let mut out = String::from("{\n");
    let _ = writeln!(out, " \"server\": {},", quote(server));
    let _ = writeln!(out, " \"files\": {},\n \"byte_exact\": {},", total.files, total.exact);
    let _ = writeln!(out, " \"units\": {},\n \"ok\": {},\n \"tests\": {{", total.units, total.ok);
    for (i, d) in done.iter().enumerate() {
        let comma = if i + 1 < done.len() { "," } else { "" };
        let _ = writeln!(
            out,
            "  {}: {{\"units\": {}, \"ok\": {}, \"byte\": {}, \"timeout\": {}, \"secs\": {:.2}, \"reached\": {}}}{comma}",
            quote(&d.test),
            d.score.units,
            d.score.ok,
            d.score.exact,
            d.end != End::Finished,
            d.seconds,
            d.score.reached
        );
    }
    out.push_str(" },\n \"missing\": [\n");
    for (i, c) in causes.iter().enumerate() {
        let comma = if i + 1 < causes.len() { "," } else { "" };
        let _ = writeln!(
            out,
            "  {{\"statements\": {}, \"files\": {}, \"cause\": {}, \"example\": {}}}{comma}",
            c.statements,
            c.files.len(),
            quote(&c.text),
            quote(&c.example)
        );
    }
    out.push_str(" ]\n}\n");
    shell::write(path, out)
}

fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

const STYLE: &str = "body{font:14px system-ui,sans-serif;margin:2em;max-width:80em}table{border-collapse:collapse}\
td,th{padding:2px 8px;text-align:left;vertical-align:top}.n{text-align:right}.bar{background:#ddd;width:200px;height:10px}\
.bar div{background:#2a7;height:10px}pre{background:#f6f6f6;padding:6px;margin:2px;white-space:pre-wrap;max-width:45em}\
.e pre{background:#efe}.g pre{background:#fee}";

fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style><h1>{title}</h1>\n{body}</html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Writes `index.html` and a page for each file with differences.
pub fn html(dir: &Path, server: &str, done: &[Done], causes: &[Cause]) -> Result<()> {
    let mut body =
        format!("<p>{}</p><p>{}</p>\n<h2>What is missing</h2><table>", escape(server), Total::of(done));
    body.push_str("<tr><th>statements<th>files<th>cause<th>first seen");
    for c in causes.iter().take(100) {
        let _ = writeln!(
            body,
            "<tr><td class=n>{}<td class=n>{}<td>{}<td>{}",
            c.statements,
            c.files.len(),
            escape(&c.text),
            escape(&c.example)
        );
    }
    body.push_str("</table><h2>Files</h2><table><tr><th>file<th>matching<th>of<th><th>seconds<th>");
    for d in done {
        let Score { units, ok, .. } = d.score;
        let width = 200 * ok / units.max(1);
        let note = match (d.end, d.score.exact) {
            (End::Finished, true) => "to the byte",
            (End::Finished, false) => "",
            (End::TimedOut, _) => "timed out",
            (End::Stuck, _) => "stuck",
        };
        let _ = writeln!(
            body,
            "<tr><td><a href=\"{0}.html\">{0}</a><td class=n>{ok}<td class=n>{units}<td><div class=bar><div style=\"width:{width}px\"></div></div><td class=n>{1:.1}<td>{note}",
            escape(&d.test),
            d.seconds
        );
        shell::write(&dir.join(format!("{}.html", d.test)), file_page(d))?;
    }
    body.push_str("</table>");
    shell::write(&dir.join("index.html"), page("PostgreSQL's regression suite against PGLiteDB", &body))
}

fn file_page(done: &Done) -> String {
    let mut body = format!("<p>{} of {} statements match.</p><table>", done.score.ok, done.score.units);
    body.push_str("<tr><th>statement<th>expected<th>printed");
    for miss in &done.score.misses {
        let side = |text: &Option<Vec<u8>>| match text {
            None => "<i>never reached</i>".to_string(),
            Some(t) => {
                let shown: String = String::from_utf8_lossy(t).chars().take(4000).collect();
                format!("<pre>{}</pre>", escape(&shown))
            }
        };
        let _ = writeln!(
            body,
            "<tr><td><pre>{}</pre><td class=e>{}<td class=g>{}",
            escape(&done.split.units[miss.unit].text),
            side(&miss.expected),
            side(&miss.got)
        );
    }
    body.push_str("</table>");
    page(&done.test, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_and_escaped() {
        assert_eq!(quote("a\"b\\\n"), "\"a\\\"b\\\\\\u000a\"");
        assert_eq!(escape("<a&b>"), "&lt;a&amp;b&gt;");
    }
}
