//! The shape of an explained plan, and its text, JSON, YAML and XML.

/// A property's value.
#[derive(Clone, Debug)]
pub enum Value {
    Text(String),
    Number(String),
    Bool(bool),
    List(Vec<String>),
}

#[derive(Clone, Debug)]
pub struct Prop {
    pub label: String,
    pub value: Value,
    /// Shown in the text format too.
    pub text: bool,
}

/// One node: its line in the text format, its properties, and the nodes below it.
#[derive(Clone, Debug, Default)]
pub struct Out {
    pub title: String,
    pub props: Vec<Prop>,
    /// Whole lines of the text format that are no properties ("Update on child").
    pub lines: Vec<String>,
    /// With the section's heading ("InitPlan 1", "SubPlan 2", "CTE x").
    pub children: Vec<(Option<String>, Out)>,
}

impl Out {
    pub fn text(&mut self, label: &str, value: impl Into<String>) {
        self.push(label, Value::Text(value.into()), true);
    }
    pub fn list(&mut self, label: &str, value: Vec<String>) {
        self.push(label, Value::List(value), true);
    }
    /// Not part of the text format.
    pub fn hidden(&mut self, label: &str, value: Value) {
        self.push(label, value, false);
    }
    pub fn push(&mut self, label: &str, value: Value, text: bool) {
        self.props.push(Prop { label: label.to_string(), value, text });
    }
}

/// The text format's lines of one plan.
pub fn text(out: &Out, lines: &mut Vec<String>) {
    node_text(out, 0, lines);
}

fn node_text(out: &Out, mut indent: usize, lines: &mut Vec<String>) {
    if indent > 0 {
        lines.push(format!("{}->  {}", "  ".repeat(indent), out.title));
        indent += 2;
    } else {
        lines.push(out.title.clone());
    }
    indent += 1;
    let pad = "  ".repeat(indent);
    lines.extend(out.lines.iter().map(|l| format!("{pad}{l}")));
    for p in out.props.iter().filter(|p| p.text) {
        let value = match &p.value {
            Value::Text(s) | Value::Number(s) => s.clone(),
            Value::Bool(b) => b.to_string(),
            Value::List(l) => l.join(", "),
        };
        // A value may have several lines; the client sees one row for each.
        lines.extend(format!("{pad}{}: {value}", p.label).split('\n').map(str::to_string));
    }
    for (section, child) in &out.children {
        match section {
            Some(name) => {
                lines.push(format!("{pad}{name}"));
                node_text(child, indent + 1, lines);
            }
            None => node_text(child, indent, lines),
        }
    }
}

fn escape_json(s: &str) -> String {
    let mut out = String::from("\"");
    for c in s.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 32 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// JSON of all plans; `extra` are properties beside each "Plan".
pub fn json(plans: &[(Out, Vec<Prop>)]) -> String {
    let mut s = String::from("[");
    for (i, (plan, extra)) in plans.iter().enumerate() {
        s.push_str(if i > 0 { ",\n  {\n" } else { "\n  {\n" });
        s.push_str("    \"Plan\": {\n");
        node_json(plan, 3, &mut s);
        s.push_str("\n    }");
        for p in extra {
            s.push_str(",\n    ");
            prop_json(p, &mut s);
        }
        s.push_str("\n  }");
    }
    s.push_str("\n]");
    s
}

fn prop_json(p: &Prop, s: &mut String) {
    s.push_str(&escape_json(&p.label));
    s.push_str(": ");
    match &p.value {
        Value::Text(t) => s.push_str(&escape_json(t)),
        Value::Number(n) => s.push_str(n),
        Value::Bool(b) => s.push_str(if *b { "true" } else { "false" }),
        Value::List(l) => {
            let items: Vec<String> = l.iter().map(|i| escape_json(i)).collect();
            s.push_str(&format!("[{}]", items.join(", ")));
        }
    }
}

fn node_json(out: &Out, level: usize, s: &mut String) {
    let pad = "  ".repeat(level);
    for (i, p) in out.props.iter().enumerate() {
        if i > 0 {
            s.push_str(",\n");
        }
        s.push_str(&pad);
        prop_json(p, s);
    }
    if out.children.is_empty() {
        return;
    }
    s.push_str(&format!(",\n{pad}\"Plans\": ["));
    for (i, (_, child)) in out.children.iter().enumerate() {
        s.push_str(if i > 0 { ",\n" } else { "\n" });
        s.push_str(&format!("{pad}  {{\n"));
        node_json(child, level + 2, s);
        s.push_str(&format!("\n{pad}  }}"));
    }
    s.push_str(&format!("\n{pad}]"));
}

/// YAML of all plans.
pub fn yaml(plans: &[(Out, Vec<Prop>)]) -> String {
    let mut s = String::new();
    for (plan, extra) in plans {
        if !s.is_empty() {
            s.push('\n');
        }
        s.push_str("- Plan: ");
        node_yaml(plan, 2, false, &mut s);
        for p in extra {
            s.push_str("\n  ");
            prop_yaml(p, 2, &mut s);
        }
    }
    s
}

fn prop_yaml(p: &Prop, indent: usize, s: &mut String) {
    s.push_str(&format!("{}: ", p.label));
    match &p.value {
        Value::Text(t) => s.push_str(&escape_json(t)),
        Value::Number(n) => s.push_str(n),
        Value::Bool(b) => s.push_str(if *b { "true" } else { "false" }),
        Value::List(l) => {
            for item in l {
                s.push_str(&format!("\n{}- {}", " ".repeat(indent + 2), escape_json(item)));
            }
        }
    }
}

/// `inline`: the first property continues the line ("- Node Type: ...").
fn node_yaml(out: &Out, indent: usize, inline: bool, s: &mut String) {
    let pad = " ".repeat(indent + 2);
    for (i, p) in out.props.iter().enumerate() {
        if i > 0 || !inline {
            s.push('\n');
            s.push_str(&pad);
        }
        prop_yaml(p, indent + 2, s);
    }
    if !out.children.is_empty() {
        s.push_str(&format!("\n{pad}Plans: "));
        for (_, child) in &out.children {
            s.push_str(&format!("\n{pad}  - "));
            node_yaml(child, indent + 4, true, s);
        }
    }
}

fn escape_xml(s: &str) -> String {
    s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('\r', "&#x0d;")
}

/// XML of all plans.
pub fn xml(plans: &[(Out, Vec<Prop>)]) -> String {
    let mut s = String::from("<explain xmlns=\"http://www.postgresql.org/2009/explain\">");
    for (plan, extra) in plans {
        s.push_str("\n  <Query>\n    <Plan>\n");
        node_xml(plan, 3, &mut s);
        s.push_str("    </Plan>\n");
        for p in extra {
            prop_xml(p, 2, &mut s);
        }
        s.push_str("  </Query>");
    }
    s.push_str("\n</explain>");
    s
}

fn prop_xml(p: &Prop, level: usize, s: &mut String) {
    let pad = "  ".repeat(level);
    let tag: String = p
        .label
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
        .collect();
    let value = match &p.value {
        Value::Text(t) => escape_xml(t),
        Value::Number(n) => n.clone(),
        Value::Bool(b) => b.to_string(),
        Value::List(l) => {
            s.push_str(&format!("{pad}<{tag}>\n"));
            for item in l {
                s.push_str(&format!("{pad}  <Item>{}</Item>\n", escape_xml(item)));
            }
            s.push_str(&format!("{pad}</{tag}>\n"));
            return;
        }
    };
    s.push_str(&format!("{pad}<{tag}>{value}</{tag}>\n"));
}

fn node_xml(out: &Out, level: usize, s: &mut String) {
    let pad = "  ".repeat(level);
    for p in &out.props {
        prop_xml(p, level, s);
    }
    if out.children.is_empty() {
        return;
    }
    s.push_str(&format!("{pad}<Plans>\n"));
    for (_, child) in &out.children {
        s.push_str(&format!("{pad}  <Plan>\n"));
        node_xml(child, level + 2, s);
        s.push_str(&format!("{pad}  </Plan>\n"));
    }
    s.push_str(&format!("{pad}</Plans>\n"));
}
