//! Definitions of objects as SQL: pg_get_expr, pg_get_viewdef, pg_get_indexdef, pg_get_constraintdef, pg_get_triggerdef,
//! pg_get_partkeydef and relatives.
//!
//! The catalogs hold expressions and queries as SQL text; the services `display_expr` and `display_query` bind that
//! text and print it as the session's search path and the `pretty` flag want it.

use pglite_catalog::names::{quote_ident, quote_literal, quote_qualified};
use pglite_catalog::reldesc::split_list;
use pglite_catalog::*;
use pglite_error::{PgResult, bail, err};
use pglite_ir::FnCtx;
use pglite_types::{Datum, Oid, TypeEnv, oid};

use super::{catalog, path};
use crate::builtins;

/// One stored expression for display, and whether it looks like a function call.
pub(super) fn display(
    cx: &FnCtx<'_>,
    text: &str,
    rel: Oid,
    pretty: bool,
    scope: &str,
) -> PgResult<(String, bool)> {
    let args = [Datum::text(text), Datum::Oid(rel), Datum::Bool(pretty), Datum::text(scope)];
    let rows = cx.host.service("display_expr", &args)?;
    let mut parts = Vec::new();
    let mut call = false;
    for row in &rows {
        parts.push(row.first().and_then(Datum::as_str).unwrap_or("").to_string());
        call = row.get(1).and_then(Datum::as_bool).unwrap_or(false);
    }
    Ok((parts.join(", "), call))
}

fn relation_name(cx: &FnCtx<'_>, rel: Oid, qualify: bool) -> PgResult<String> {
    let s = catalog(cx);
    let c =
        s.class_by_oid(rel).ok_or_else(|| err!(INTERNAL_ERROR, "cache lookup failed for relation {rel}"))?;
    let hidden = qualify || !path(cx)?.relation_is_visible(s, rel);
    Ok(quote_qualified(if hidden { s.namespace_name(c.relnamespace) } else { None }, &c.relname))
}

fn column_name(cx: &FnCtx<'_>, rel: Oid, attnum: i16) -> String {
    catalog(cx).attribute(rel, attnum).map_or_else(String::new, |a| quote_ident(&a.attname))
}

fn columns(cx: &FnCtx<'_>, rel: Oid, list: Option<&List<i16>>) -> Vec<String> {
    list.map_or_else(Vec::new, |l| l.iter().map(|&n| column_name(cx, rel, n)).collect())
}

fn is_bound(text: &str) -> bool {
    text.starts_with("FOR VALUES") || text == "DEFAULT"
}

fn expr_ext(cx: &FnCtx<'_>, text: &str, rel: Oid, pretty: bool) -> PgResult<Option<String>> {
    if is_bound(text) {
        return Ok(Some(text.to_string()));
    }
    if rel.is_valid() && catalog(cx).class_by_oid(rel).is_none() {
        return Ok(None);
    }
    if !rel.is_valid() {
        // A domain's condition names no relation; its constraint tells the domain.
        let mut constraints = catalog(cx).iter::<ConstraintRow>().filter(|c| c.contypid.is_valid());
        if let Some(c) = constraints.find(|c| c.conbin.as_deref() == Some(text)) {
            return display(cx, text, c.contypid, pretty, "domain").map(|t| Some(t.0));
        }
    }
    display(cx, text, rel, pretty, "relation").map(|t| Some(t.0))
}
fn expr(cx: &FnCtx<'_>, text: &str, rel: Oid) -> PgResult<Option<String>> {
    expr_ext(cx, text, rel, false)
}

fn view_ext(cx: &FnCtx<'_>, rel: Oid, pretty: bool) -> PgResult<Option<String>> {
    let Some(class) = catalog(cx).class_by_oid(rel) else { return Ok(None) };
    if !matches!(class.relkind, b'v' | b'm') {
        return Ok(None);
    }
    let rows = cx.host.service("display_view", &[Datum::Oid(rel), Datum::Bool(pretty)])?;
    Ok(rows.first().and_then(|r| r.first()).and_then(Datum::as_str).map(|t| format!("{t};")))
}
fn view(cx: &FnCtx<'_>, rel: Oid) -> PgResult<Option<String>> {
    view_ext(cx, rel, false)
}
fn view_wrap(cx: &FnCtx<'_>, rel: Oid, _columns: i32) -> PgResult<Option<String>> {
    view_ext(cx, rel, true)
}
fn view_name_ext(cx: &FnCtx<'_>, name: &str, pretty: bool) -> PgResult<Option<String>> {
    view_ext(cx, TypeEnv::reg_in(cx.host, oid::REGCLASS, name)?, pretty)
}
fn view_name(cx: &FnCtx<'_>, name: &str) -> PgResult<Option<String>> {
    view_name_ext(cx, name, false)
}

fn rule_ext(cx: &FnCtx<'_>, rule: Oid, pretty: bool) -> PgResult<Option<String>> {
    let s = catalog(cx);
    let Some(r) = s.rewrite_by_oid(rule) else { return Ok(None) };
    let target = relation_name(cx, r.ev_class, !pretty)?;
    let event = match r.ev_type {
        b'1' => "SELECT",
        b'2' => "UPDATE",
        b'3' => "INSERT",
        _ => "DELETE",
    };
    let mut out = format!("CREATE RULE {} AS", quote_ident(&r.rulename));
    out.push_str(if pretty { "\n    ON " } else { " ON " });
    out.push_str(&format!("{event} TO {target}"));
    if !r.ev_qual.is_empty() && &*r.ev_qual != "<>" {
        out.push_str(&format!(" WHERE {}", display(cx, &r.ev_qual, r.ev_class, pretty, "trigger")?.0));
    }
    out.push_str(if r.is_instead { " DO INSTEAD " } else { " DO " });
    if event == "SELECT" {
        out.push_str(view_ext(cx, r.ev_class, pretty)?.unwrap_or_default().trim_end_matches(';'));
    } else if r.ev_action.is_empty() || &*r.ev_action == "<>" {
        out.push_str("NOTHING");
    } else {
        out.push_str(&r.ev_action);
    }
    out.push(';');
    Ok(Some(out))
}
fn rule(cx: &FnCtx<'_>, rule: Oid) -> PgResult<Option<String>> {
    rule_ext(cx, rule, false)
}

/// `name=value, name=value` of storage parameters.
fn options(list: &List<Str>) -> String {
    let one = |o: &Str| {
        let (name, value) = o.split_once('=').unwrap_or((o, ""));
        let value = if quote_ident(value) == value && !value.is_empty() {
            value.into()
        } else {
            quote_literal(value)
        };
        format!("{}={value}", quote_ident(name))
    };
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn opclass_name(cx: &FnCtx<'_>, opclass: Oid, column_type: Oid) -> PgResult<String> {
    let s = catalog(cx);
    let Some(o) = s.opclass_by_oid(opclass) else { return Ok(String::new()) };
    if s.default_opclass(o.opcmethod, column_type).is_some_and(|d| d.oid == opclass) {
        return Ok(String::new());
    }
    let hidden = !path(cx)?.opclass_is_visible(s, opclass);
    Ok(format!(
        " {}",
        quote_qualified(if hidden { s.namespace_name(o.opcnamespace) } else { None }, &o.opcname)
    ))
}

fn collation_text(cx: &FnCtx<'_>, collation: Oid) -> PgResult<String> {
    Ok(format!(" COLLATE {}", TypeEnv::reg_out(cx.host, oid::REGCOLLATION, collation)?))
}

/// The key columns of an index with collation, operator class and order; INCLUDE columns apart.
fn index_columns(
    cx: &FnCtx<'_>,
    i: &IndexRow,
    desc: &IndexDesc,
    pretty: bool,
    operators: Option<&List<Oid>>,
) -> PgResult<(Vec<String>, Vec<String>)> {
    let s = catalog(cx);
    let (mut keys, mut include) = (Vec::new(), Vec::new());
    for (n, key) in desc.keys.iter().enumerate() {
        let (mut text, default_collation) = key_text(cx, i.indrelid, key, pretty)?;
        if n >= desc.nkeys {
            include.push(text);
            continue;
        }
        if key.collation.is_valid() && key.collation != default_collation {
            text.push_str(&collation_text(cx, key.collation)?);
        }
        // PG: an index stores a name as cstring, so the table tells the column's type.
        let column = s.attribute(i.indrelid, key.attnum).filter(|_| key.attnum != 0);
        text.push_str(&opclass_name(cx, key.opclass, column.map_or(key.type_oid, |a| a.atttypid))?);
        if desc.am == well_known::AM_BTREE {
            match (key.desc, key.nulls_first) {
                (true, true) => text.push_str(" DESC"),
                (true, false) => text.push_str(" DESC NULLS LAST"),
                (false, true) => text.push_str(" NULLS FIRST"),
                (false, false) => {}
            }
        }
        if let Some(op) = operators.and_then(|o| o.get(n)).and_then(|o| s.operator_by_oid(*o)) {
            let name = if path(cx)?.operator_is_visible(s, op.oid) {
                op.oprname.to_string()
            } else {
                format!(
                    "OPERATOR({}.{})",
                    quote_ident(s.namespace_name(op.oprnamespace).unwrap_or("")),
                    op.oprname
                )
            };
            text.push_str(&format!(" WITH {name}"));
        }
        keys.push(text);
    }
    Ok((keys, include))
}

/// A key column's text and the collation it has by itself.
fn key_text(cx: &FnCtx<'_>, rel: Oid, key: &IndexKey, pretty: bool) -> PgResult<(String, Oid)> {
    if let Some(a) = catalog(cx).attribute(rel, key.attnum).filter(|_| key.attnum != 0) {
        return Ok((quote_ident(&a.attname), a.attcollation));
    }
    let (text, call) = display(cx, key.expr.as_deref().unwrap_or(""), rel, pretty, "relation")?;
    // The expression's own collation: its type's default unless the text says otherwise.
    let own = catalog(cx).type_by_oid(key.type_oid).map_or(Oid::INVALID, |t| t.typcollation);
    Ok((if call { text } else { format!("({text})") }, own))
}

fn index_desc(cx: &FnCtx<'_>, i: &IndexRow) -> Option<std::sync::Arc<IndexDesc>> {
    let rel = catalog(cx).rel(i.indrelid)?;
    rel.indexes.iter().find(|d| d.oid == i.indexrelid).cloned()
}

fn index_ext(cx: &FnCtx<'_>, index: Oid, column: i32, pretty: bool) -> PgResult<Option<String>> {
    let s = catalog(cx);
    let (Some(i), Some(class)) = (s.index(index), s.class_by_oid(index)) else { return Ok(None) };
    let Some(desc) = index_desc(cx, i) else { return Ok(None) };
    if column > 0 {
        let Some(key) = desc.keys.get(column as usize - 1) else { return Ok(Some(String::new())) };
        return Ok(Some(key_text(cx, i.indrelid, key, pretty)?.0));
    }
    let (keys, include) = index_columns(cx, i, &desc, pretty, None)?;
    let am = s.am_by_oid(class.relam).map_or("btree", |a| &*a.amname);
    let mut out = format!(
        "CREATE {}INDEX {} ON {}{} USING {} ({})",
        if i.indisunique { "UNIQUE " } else { "" },
        quote_ident(&class.relname),
        if class.relkind == b'I' { "ONLY " } else { "" },
        relation_name(cx, i.indrelid, !pretty)?,
        quote_ident(am),
        keys.join(", ")
    );
    tail(cx, &mut out, i, class, &include, pretty)?;
    Ok(Some(out))
}

/// What follows an index's columns.
fn tail(
    cx: &FnCtx<'_>,
    out: &mut String,
    i: &IndexRow,
    class: &ClassRow,
    include: &[String],
    pretty: bool,
) -> PgResult<()> {
    if !include.is_empty() {
        out.push_str(&format!(" INCLUDE ({})", include.join(", ")));
    }
    if i.indnullsnotdistinct {
        out.push_str(" NULLS NOT DISTINCT");
    }
    if let Some(o) = class.reloptions.as_ref().filter(|o| !o.is_empty()) {
        out.push_str(&format!(" WITH ({})", options(o)));
    }
    if let Some(pred) = &i.indpred {
        out.push_str(&format!(" WHERE {}", display(cx, pred, i.indrelid, pretty, "relation")?.0));
    }
    Ok(())
}
fn index(cx: &FnCtx<'_>, index: Oid) -> PgResult<Option<String>> {
    index_ext(cx, index, 0, false)
}

fn foreign_key(cx: &FnCtx<'_>, c: &ConstraintRow) -> PgResult<String> {
    let list = |rel: Oid, cols: Option<&List<i16>>| {
        let mut names = columns(cx, rel, cols);
        if c.conperiod
            && let Some(last) = names.last_mut()
        {
            *last = format!("PERIOD {last}");
        }
        names.join(", ")
    };
    let mut out = format!(
        "FOREIGN KEY ({}) REFERENCES {}({})",
        list(c.conrelid, c.conkey.as_ref()),
        relation_name(cx, c.confrelid, false)?,
        list(c.confrelid, c.confkey.as_ref())
    );
    match c.confmatchtype {
        b'f' => out.push_str(" MATCH FULL"),
        b'p' => out.push_str(" MATCH PARTIAL"),
        _ => {}
    }
    let action = |a: u8| match a {
        b'r' => Some("RESTRICT"),
        b'c' => Some("CASCADE"),
        b'n' => Some("SET NULL"),
        b'd' => Some("SET DEFAULT"),
        _ => None,
    };
    if let Some(a) = action(c.confupdtype) {
        out.push_str(&format!(" ON UPDATE {a}"));
    }
    if let Some(a) = action(c.confdeltype) {
        out.push_str(&format!(" ON DELETE {a}"));
    }
    let set = columns(cx, c.conrelid, c.confdelsetcols.as_ref());
    if !set.is_empty() {
        out.push_str(&format!(" ({})", set.join(", ")));
    }
    Ok(out)
}

fn key_constraint(cx: &FnCtx<'_>, c: &ConstraintRow) -> PgResult<String> {
    let mut out = String::from(if c.contype == b'p' { "PRIMARY KEY " } else { "UNIQUE " });
    let index = catalog(cx).index(c.conindid);
    if index.is_some_and(|i| i.indnullsnotdistinct) {
        out.push_str("NULLS NOT DISTINCT ");
    }
    let names = columns(cx, c.conrelid, c.conkey.as_ref());
    let overlaps = if c.conperiod { " WITHOUT OVERLAPS" } else { "" };
    out.push_str(&format!("({}{overlaps})", names.join(", ")));
    if let Some(i) = index {
        let include: Vec<String> =
            i.indkey.iter().skip(i.indnkeyatts as usize).map(|&n| column_name(cx, c.conrelid, n)).collect();
        if !include.is_empty() {
            out.push_str(&format!(" INCLUDE ({})", include.join(", ")));
        }
    }
    Ok(out)
}

fn exclusion(cx: &FnCtx<'_>, c: &ConstraintRow, pretty: bool) -> PgResult<String> {
    let s = catalog(cx);
    let (Some(i), Some(class)) = (s.index(c.conindid), s.class_by_oid(c.conindid)) else {
        bail!(INTERNAL_ERROR, "cache lookup failed for index {}", c.conindid);
    };
    let Some(desc) = index_desc(cx, i) else { return Ok(String::new()) };
    let (keys, include) = index_columns(cx, i, &desc, pretty, c.conexclop.as_ref())?;
    let am = s.am_by_oid(class.relam).map_or("gist", |a| &*a.amname);
    let mut out = format!("EXCLUDE USING {} ({})", quote_ident(am), keys.join(", "));
    if !include.is_empty() {
        out.push_str(&format!(" INCLUDE ({})", include.join(", ")));
    }
    if let Some(pred) = &i.indpred {
        let text = display(cx, pred, i.indrelid, pretty, "relation")?.0;
        out.push_str(&format!(" WHERE ({text})"));
    }
    Ok(out)
}

fn constraint_ext(cx: &FnCtx<'_>, constraint: Oid, pretty: bool) -> PgResult<Option<String>> {
    let Some(c) = catalog(cx).constraint_by_oid(constraint) else { return Ok(None) };
    let mut out = match c.contype {
        b'f' => foreign_key(cx, c)?,
        b'p' | b'u' => key_constraint(cx, c)?,
        b'x' => exclusion(cx, c, pretty)?,
        b't' => "TRIGGER".into(),
        b'n' => {
            let name = columns(cx, c.conrelid, c.conkey.as_ref()).pop();
            let mut text = name.map_or_else(|| "NOT NULL".to_string(), |n| format!("NOT NULL {n}"));
            if c.connoinherit {
                text.push_str(" NO INHERIT");
            }
            text
        }
        _ => {
            let text = c.conbin.as_deref().unwrap_or("");
            let shown = match c.contypid.valid() {
                Some(domain) => display(cx, text, domain, pretty, "domain")?.0,
                None => display(cx, text, c.conrelid, pretty, "relation")?.0,
            };
            format!("CHECK ({shown}){}", if c.connoinherit { " NO INHERIT" } else { "" })
        }
    };
    if c.condeferrable {
        out.push_str(" DEFERRABLE");
    }
    if c.condeferred {
        out.push_str(" INITIALLY DEFERRED");
    }
    if !c.conenforced {
        out.push_str(" NOT ENFORCED");
    } else if !c.convalidated {
        out.push_str(" NOT VALID");
    }
    Ok(Some(out))
}
fn constraint(cx: &FnCtx<'_>, constraint: Oid) -> PgResult<Option<String>> {
    constraint_ext(cx, constraint, false)
}

fn trigger_events(cx: &FnCtx<'_>, t: &TriggerRow) -> String {
    let mut events = Vec::new();
    for (bit, word) in [(4, "INSERT"), (8, "DELETE"), (16, "UPDATE"), (32, "TRUNCATE")] {
        if t.tgtype & bit == 0 {
            continue;
        }
        let mut text = word.to_string();
        if bit == 16 && !t.tgattr.is_empty() {
            let names: Vec<String> = t.tgattr.iter().map(|&n| column_name(cx, t.tgrelid, n)).collect();
            text.push_str(&format!(" OF {}", names.join(", ")));
        }
        events.push(text);
    }
    events.join(" OR ")
}

fn trigger_ext(cx: &FnCtx<'_>, trigger: Oid, pretty: bool) -> PgResult<Option<String>> {
    let s = catalog(cx);
    let Some(t) = s.trigger_by_oid(trigger) else { return Ok(None) };
    let is_constraint = t.tgconstraint.is_valid();
    let timing = match t.tgtype & (2 | 64) {
        2 => "BEFORE",
        0 => "AFTER",
        _ => "INSTEAD OF",
    };
    let mut out = format!(
        "CREATE {}TRIGGER {} {timing} {} ON {} ",
        if is_constraint { "CONSTRAINT " } else { "" },
        quote_ident(&t.tgname),
        trigger_events(cx, t),
        relation_name(cx, t.tgrelid, !pretty)?
    );
    if is_constraint {
        if t.tgconstrrelid.is_valid() {
            out.push_str(&format!("FROM {} ", relation_name(cx, t.tgconstrrelid, false)?));
        }
        if !t.tgdeferrable {
            out.push_str("NOT ");
        }
        out.push_str("DEFERRABLE INITIALLY ");
        out.push_str(if t.tginitdeferred { "DEFERRED " } else { "IMMEDIATE " });
    }
    if t.tgoldtable.is_some() || t.tgnewtable.is_some() {
        out.push_str("REFERENCING ");
        if let Some(n) = &t.tgoldtable {
            out.push_str(&format!("OLD TABLE AS {} ", quote_ident(n)));
        }
        if let Some(n) = &t.tgnewtable {
            out.push_str(&format!("NEW TABLE AS {} ", quote_ident(n)));
        }
    }
    out.push_str(if t.tgtype & 1 != 0 { "FOR EACH ROW " } else { "FOR EACH STATEMENT " });
    if let Some(q) = &t.tgqual {
        out.push_str(&format!("WHEN ({}) ", display(cx, q, t.tgrelid, pretty, "trigger")?.0));
    }
    let function = super::args::function_name(cx, t.tgfoid)?;
    let args: Vec<String> = t
        .tgargs
        .0
        .split(|b| *b == 0)
        .take(t.tgnargs.max(0) as usize)
        .map(|a| quote_literal(&String::from_utf8_lossy(a)))
        .collect();
    out.push_str(&format!("EXECUTE FUNCTION {function}({})", args.join(", ")));
    Ok(Some(out))
}
fn trigger(cx: &FnCtx<'_>, trigger: Oid) -> PgResult<Option<String>> {
    trigger_ext(cx, trigger, false)
}

fn partkey(cx: &FnCtx<'_>, rel: Oid) -> PgResult<Option<String>> {
    let s = catalog(cx);
    let Some(p) = s.partitioned_table(rel) else { return Ok(None) };
    let word = match p.partstrat {
        b'l' => "LIST",
        b'r' => "RANGE",
        _ => "HASH",
    };
    let mut exprs = p.partexprs.as_deref().map(split_list).unwrap_or_default().into_iter();
    let mut keys = Vec::new();
    for (n, &attnum) in p.partattrs.iter().enumerate() {
        let (mut text, ty, own) = match s.attribute(rel, attnum).filter(|_| attnum != 0) {
            Some(a) => (quote_ident(&a.attname), a.atttypid, a.attcollation),
            None => {
                let (text, call) =
                    display(cx, exprs.next().unwrap_or("NULL").trim(), rel, false, "relation")?;
                let collation = p.partcollation.get(n).copied().unwrap_or_default();
                let ty = p
                    .partclass
                    .get(n)
                    .and_then(|o| s.opclass_by_oid(*o))
                    .map_or(Oid::INVALID, |o| o.opcintype);
                (if call { text } else { format!("({text})") }, ty, collation)
            }
        };
        if let Some(&c) = p.partcollation.get(n).filter(|c| c.is_valid() && **c != own) {
            text.push_str(&collation_text(cx, c)?);
        }
        if let Some(&o) = p.partclass.get(n) {
            text.push_str(&opclass_name(cx, o, ty)?);
        }
        keys.push(text);
    }
    Ok(Some(format!("{word} ({})", keys.join(", "))))
}

fn statistics_columns(cx: &FnCtx<'_>, stat: Oid) -> PgResult<Option<String>> {
    let s = catalog(cx);
    let Some(x) = s.statistic_ext_by_oid(stat) else { return Ok(None) };
    let mut parts: Vec<String> = x.stxkeys.iter().map(|&n| column_name(cx, x.stxrelid, n)).collect();
    if let Some(exprs) = &x.stxexprs {
        for e in split_list(exprs) {
            let (text, call) = display(cx, e.trim(), x.stxrelid, true, "relation")?;
            parts.push(if call { text } else { format!("({text})") });
        }
    }
    Ok(Some(parts.join(", ")))
}
fn statistics(cx: &FnCtx<'_>, stat: Oid) -> PgResult<Option<String>> {
    let s = catalog(cx);
    let Some(x) = s.statistic_ext_by_oid(stat) else { return Ok(None) };
    let has = |k: u8| x.stxkind.contains(&k);
    let kinds: Vec<&str> = [(b'd', "ndistinct"), (b'f', "dependencies"), (b'm', "mcv")]
        .into_iter()
        .filter(|k| has(k.0))
        .map(|k| k.1)
        .collect();
    let name = quote_qualified(s.namespace_name(x.stxnamespace), &x.stxname);
    let single = x.stxkeys.is_empty() && x.stxexprs.as_deref().is_some_and(|e| split_list(e).len() == 1);
    let list = if kinds.len() == 3 || single { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let columns = statistics_columns(cx, stat)?.unwrap_or_default();
    Ok(Some(format!(
        "CREATE STATISTICS {name}{list} ON {columns} FROM {}",
        relation_name(cx, x.stxrelid, false)?
    )))
}

/// The sequence that a serial or identity column owns.
fn serial_sequence(cx: &FnCtx<'_>, table: &str, column: &str) -> PgResult<Option<String>> {
    let s = catalog(cx);
    let rel = TypeEnv::reg_in(cx.host, oid::REGCLASS, table)?;
    let Some(a) = s.attribute_by_name(rel, column).filter(|a| !a.attisdropped) else {
        let name = s.class_by_oid(rel).map_or("", |c| &*c.relname);
        bail!(UNDEFINED_COLUMN, "column \"{column}\" of relation \"{name}\" does not exist");
    };
    let class = <ClassRow as CatalogRow>::CATALOG;
    let owned = s.dependents_on(class, rel).find(|d| {
        d.classid == class
            && d.refobjsubid == i32::from(a.attnum)
            && matches!(d.deptype, b'a' | b'i')
            && s.class_by_oid(d.objid).is_some_and(|c| c.relkind == b'S')
    });
    let Some(seq) = owned.map(|d| d.objid) else { return Ok(None) };
    relation_name(cx, seq, true).map(Some)
}

builtins! { pub TABLE:
    "pg_get_expr" => cx expr[&str, Oid];
    "pg_get_expr_ext" => cx expr_ext[&str, Oid, bool];
    "pg_get_viewdef" => cx view[Oid];
    "pg_get_viewdef_ext" => cx view_ext[Oid, bool];
    "pg_get_viewdef_wrap" => cx view_wrap[Oid, i32];
    "pg_get_viewdef_name" => cx view_name[&str];
    "pg_get_viewdef_name_ext" => cx view_name_ext[&str, bool];
    "pg_get_ruledef" => cx rule[Oid];
    "pg_get_ruledef_ext" => cx rule_ext[Oid, bool];
    "pg_get_indexdef" => cx index[Oid];
    "pg_get_indexdef_ext" => cx index_ext[Oid, i32, bool];
    "pg_get_constraintdef" => cx constraint[Oid];
    "pg_get_constraintdef_ext" => cx constraint_ext[Oid, bool];
    "pg_get_triggerdef" => cx trigger[Oid];
    "pg_get_triggerdef_ext" => cx trigger_ext[Oid, bool];
    "pg_get_partkeydef" => cx partkey[Oid];
    "pg_get_statisticsobjdef" => cx statistics[Oid];
    "pg_get_statisticsobjdef_columns" => cx statistics_columns[Oid];
    "pg_get_serial_sequence" => cx serial_sequence[&str, &str];
}
