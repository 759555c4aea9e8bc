//! CREATE STATISTICS, ALTER STATISTICS ... SET STATISTICS.

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_expr};
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{NamespaceRow, StatisticExtRow};
use pglite_catalog::{List, Vector, format_type, well_known};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_functions::deparse::{Scope, storage_text};
use pglite_ir::Expr;
use pglite_parser::ast::{AlterStatsStmt, CreateStatsStmt, FromItem, ObjectName, ObjectType};
use pglite_types::Oid;

use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};

const MAX_COLUMNS: usize = 8;

pub(crate) fn create(host: &dyn CommandHost, c: &CreateStatsStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("CREATE STATISTICS");
    let s = host.snapshot();
    let [FromItem::RangeVar(rv)] = c.relations.as_slice() else {
        return Err(PgError::unsupported("only a single relation is allowed in CREATE STATISTICS"));
    };
    let rel = ctx::relation(host, rv)?;
    if !matches!(rel.kind, b'r' | b'm' | b'f' | b'p') {
        return Err(err!(WRONG_OBJECT_TYPE, "cannot define statistics for relation \"{}\"", rel.name)
            .detail(format!("This operation is not supported for {}.", crate::index::plural(rel.kind))));
    }
    ctx::must_own(host, &rel)?;
    if rel.is_catalog {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied: \"{}\" is a system catalog", rel.name);
    }
    if c.exprs.len() > MAX_COLUMNS {
        bail!(TOO_MANY_COLUMNS, "cannot have more than {MAX_COLUMNS} columns in statistics");
    }
    let (mut keys, mut exprs, mut labels): (Vec<i16>, Vec<Expr>, Vec<String>) = Default::default();
    for e in &c.exprs {
        let mut column = |name: &str| -> PgResult<()> {
            if pglite_catalog::create::SYSTEM_COLUMNS.iter().any(|x| x.0 == name) {
                return Err(PgError::unsupported("statistics creation on system columns is not supported"));
            }
            let Some(col) = rel.column(name) else {
                bail!(UNDEFINED_COLUMN, "column \"{name}\" does not exist");
            };
            if col.generated == b'v' {
                return Err(PgError::unsupported(
                    "statistics creation on virtual generated columns is not supported",
                ));
            }
            sortable(host, col.type_oid, Some(name))?;
            keys.push(col.attnum);
            labels.push(name.to_string());
            Ok(())
        };
        match (&e.name, &e.expr) {
            (Some(name), _) => column(name)?,
            (None, Some(raw)) => {
                let env = host.env();
                let scope = ExprScope::Relation(&rel);
                let x = analyze_expr(env.as_analyze_env(), raw, &scope, ExprKind::StatsExpression, None)?;
                if let Expr::Var(v) = &x
                    && v.attno > 0
                {
                    let name = rel.attr(v.attno).map(|c| c.name.to_string()).unwrap_or_default();
                    column(&name)?;
                    continue;
                }
                if pglite_ir::walk::contains(&x, &|y| matches!(y, Expr::Var(v) if v.attno < 0)) {
                    return Err(PgError::unsupported(
                        "statistics creation on system columns is not supported",
                    ));
                }
                if c.exprs.len() > 1 {
                    sortable(host, x.ty(), None)?;
                }
                exprs.push(x);
                labels.push("expr".into());
            }
            _ => {}
        }
    }
    let (namespace, name) = if c.defnames.is_empty() {
        let name = ctx::choose_name(&rel.name, Some(&unique(&labels).join("_")), "stat", &|n| {
            s.statistic_ext_by_name(rel.namespace, n).is_some()
        });
        (rel.namespace, name)
    } else {
        objects::creation_namespace(host, &c.defnames)?
    };
    if s.statistic_ext_by_name(namespace, &name).is_some() {
        let text = format!("statistics object \"{name}\" already exists");
        if c.if_not_exists {
            let n = PgError::new(codes::DUPLICATE_OBJECT, format!("{text}, skipping"));
            ctx::notice(host, n.severity(Severity::Notice));
            return Ok(tag);
        }
        bail!(DUPLICATE_OBJECT, "{text}");
    }
    let mut sorted = keys.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|w| w[0] == w[1]) {
        bail!(DUPLICATE_COLUMN, "duplicate column name in statistics definition");
    }
    let texts = {
        let env = host.env();
        let print = |e| storage_text(&s, env.as_fn_host(), e, Scope::Relation(&rel));
        exprs.iter().map(print).collect::<PgResult<Vec<_>>>()?
    };
    if (1..texts.len()).any(|i| texts[..i].contains(&texts[i])) {
        bail!(DUPLICATE_COLUMN, "duplicate expression in statistics definition");
    }
    let single = keys.is_empty() && exprs.len() == 1;
    if keys.len() + exprs.len() < 2 && !single {
        bail!(INVALID_OBJECT_DEFINITION, "extended statistics require at least 2 columns");
    }
    if single && !c.stat_types.is_empty() {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "when building statistics on a single expression, statistics kinds may not be specified"
        );
    }
    let mut kinds = Vec::new();
    for t in &c.stat_types {
        kinds.push(match t.as_str() {
            "ndistinct" => b'd',
            "dependencies" => b'f',
            "mcv" => b'm',
            other => return Err(PgError::syntax(format!("unrecognized statistics kind \"{other}\""))),
        });
    }
    let mut all: Vec<u8> = [b'd', b'f', b'm']
        .into_iter()
        .filter(|k| if kinds.is_empty() { !single } else { kinds.contains(k) })
        .collect();
    if !exprs.is_empty() {
        all.push(b'e');
    }
    let row = StatisticExtRow {
        oid: ctx::new_oid(host)?,
        stxrelid: rel.oid,
        stxname: name.as_str().into(),
        stxnamespace: namespace,
        stxowner: ctx::user(host),
        stxkeys: Vector::from(sorted.clone()),
        stxstattarget: None,
        stxkind: List::from(all),
        stxexprs: (!texts.is_empty()).then(|| texts.join(", ").into()),
    };
    let refs: Vec<ObjectAddress> =
        exprs.iter().flat_map(|e| ctx::expr_references(&s, e, Some(rel.oid))).collect();
    host.with_catalog(&mut |t| {
        let me = ObjectAddress::of::<StatisticExtRow>(row.oid);
        t.insert(row.clone());
        let columns: Vec<ObjectAddress> = sorted.iter().map(|a| ObjectAddress::column(rel.oid, *a)).collect();
        t.record_dependencies(me, columns.iter().copied(), DependencyType::Auto);
        let (own, others): (Vec<_>, Vec<_>) = refs
            .iter()
            .copied()
            .filter(|r| !columns.contains(r))
            .partition(|r| r.object == rel.oid && r.sub != 0);
        if columns.is_empty() && own.is_empty() {
            t.record_dependency(me, ObjectAddress::relation(rel.oid), DependencyType::Auto);
        }
        t.record_dependencies(me, own, DependencyType::Auto);
        t.record_dependencies(me, others, DependencyType::Normal);
        t.record_dependency(me, ObjectAddress::of::<NamespaceRow>(namespace), DependencyType::Normal);
        t.record_owner(me, row.stxowner);
        Ok(())
    })?;
    Ok(tag)
}

fn unique(labels: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for l in labels {
        let mut n = 0;
        let mut name = l.clone();
        while out.contains(&name) {
            n += 1;
            name = format!("{l}{n}");
        }
        out.push(name);
    }
    out
}

fn sortable(host: &dyn CommandHost, ty: Oid, column: Option<&str>) -> PgResult<()> {
    let s = host.snapshot();
    if s.default_opclass(well_known::AM_BTREE, s.base_type(ty)).is_some() {
        return Ok(());
    }
    let shown = format_type::format_type_be(&s, host.env().search_path(), ty);
    Err(PgError::unsupported(match column {
        Some(c) => format!(
            "column \"{c}\" cannot be used in statistics because its type {shown} has no default btree operator class"
        ),
        None => format!(
            "expression cannot be used in multivariate statistics because its type {shown} has no default btree operator class"
        ),
    }))
}

pub(crate) fn alter(host: &dyn CommandHost, a: &AlterStatsStmt) -> PgResult<CommandOutcome> {
    let tag = CommandOutcome::tag("ALTER STATISTICS");
    let object = ObjectName::Names(a.defnames.clone());
    let found = match objects::resolve(host, &ObjectType::StatisticExt, &object, Lookup::default()) {
        Ok(found) => found,
        Err(e) if a.missing_ok && crate::drop::is_missing(&e) => {
            ctx::notice(host, PgError::notice(format!("{}, skipping", e.message())));
            return Ok(tag);
        }
        Err(e) => return Err(e),
    };
    objects::check_owner(host, &found, &ObjectType::StatisticExt)?;
    let target = match a.stxstattarget {
        None | Some(-1) => None,
        Some(n) if n < 0 => bail!(INVALID_PARAMETER_VALUE, "statistics target {n} is too low"),
        Some(n) if n > 10000 => {
            let w = PgError::new(codes::INVALID_PARAMETER_VALUE, "lowering statistics target to 10000");
            ctx::notice(host, w.severity(Severity::Warning));
            Some(10000)
        }
        Some(n) => Some(n as i16),
    };
    host.with_catalog(&mut |c| {
        c.modify::<StatisticExtRow>(found.object, |r| r.stxstattarget = target);
        Ok(())
    })?;
    Ok(tag)
}
