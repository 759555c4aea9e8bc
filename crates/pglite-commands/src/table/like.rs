//! LIKE ... INCLUDING: what is copied once the table exists - indexes with their constraints, statistics, comments.

use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{DescriptionRow, NamespaceRow, StatisticExtRow};
use pglite_catalog::{RelDesc, Vector};
use pglite_error::PgResult;
use pglite_parser::ast::{TableLikeClause, like_option};
use pglite_types::Oid;

use crate::alter::desc;
use crate::ctx;
use crate::host::CommandHost;

fn comment(host: &dyn CommandHost, from: ObjectAddress, to: ObjectAddress) -> PgResult<()> {
    let s = host.snapshot();
    let Some(text) = s.description(from.object, from.class, from.sub).map(str::to_string) else {
        return Ok(());
    };
    host.with_catalog(&mut |c| {
        c.insert(DescriptionRow {
            objoid: to.object,
            classoid: to.class,
            objsubid: to.sub,
            description: text.as_str().into(),
        });
        Ok(())
    })
}

/// Copies what stands beside the columns of the source.
pub(super) fn objects(host: &dyn CommandHost, new: Oid, like: &TableLikeClause) -> PgResult<()> {
    let source = ctx::relation(host, &like.relation)?;
    let has = |bit: u32| like.options & bit != 0;
    let comments = has(like_option::COMMENTS);
    if comments {
        let rel = desc(&host.snapshot(), new)?;
        for c in source.live_columns() {
            if let Some(own) = rel.column(&c.name) {
                let (from, to) = (source.oid, new);
                comment(host, ObjectAddress::column(from, c.attnum), ObjectAddress::column(to, own.attnum))?;
            }
        }
        for k in &source.constraints {
            let wanted = k.contype == b'n' || k.contype == b'c' && has(like_option::CONSTRAINTS);
            let own = rel.constraints.iter().find(|o| o.contype == k.contype && o.conname == k.conname);
            if let Some(own) = own.filter(|_| wanted) {
                comment(host, ObjectAddress::constraint(k.oid), ObjectAddress::constraint(own.oid))?;
            }
        }
    }
    if has(like_option::INDEXES) && source.kind != b'v' {
        for index in &source.indexes {
            let rel = desc(&host.snapshot(), new)?;
            let made = crate::partition::create_like(host, &rel, &source, index, None)?;
            if comments {
                comment(host, ObjectAddress::relation(index.oid), ObjectAddress::relation(made))?;
                let s = host.snapshot();
                if let (Some(from), Some(to)) = (s.index_constraint(index.oid), s.index_constraint(made)) {
                    comment(host, ObjectAddress::constraint(from), ObjectAddress::constraint(to))?;
                }
            }
        }
    }
    if has(like_option::STATISTICS) {
        let s = host.snapshot();
        let mut list: Vec<StatisticExtRow> = s.statistics_ext_of(source.oid).cloned().collect();
        list.sort_by_key(|x| x.oid);
        for x in &list {
            let made = statistics(host, new, &source, x)?;
            if comments {
                let (from, to) =
                    (ObjectAddress::of::<StatisticExtRow>(x.oid), ObjectAddress::of::<StatisticExtRow>(made));
                comment(host, from, to)?;
            }
        }
    }
    Ok(())
}

fn statistics(host: &dyn CommandHost, new: Oid, source: &RelDesc, x: &StatisticExtRow) -> PgResult<Oid> {
    let s = host.snapshot();
    let rel = desc(&s, new)?;
    let names: Vec<String> =
        x.stxkeys.iter().filter_map(|a| source.attr(*a).map(|c| c.name.to_string())).collect();
    let mut keys: Vec<i16> = names.iter().filter_map(|n| rel.column(n).map(|c| c.attnum)).collect();
    keys.sort_unstable();
    let exprs = x.stxexprs.as_ref().map_or(0, |e| pglite_catalog::reldesc::split_list(e).len());
    let mut labels = names;
    for i in 0..exprs {
        labels.push(if i == 0 { "expr".to_string() } else { format!("expr{i}") });
    }
    let name = ctx::choose_name(&rel.name, Some(&labels.join("_")), "stat", &|n| {
        s.statistic_ext_by_name(rel.namespace, n).is_some()
    });
    let row = StatisticExtRow {
        oid: ctx::new_oid(host)?,
        stxrelid: new,
        stxname: name.into(),
        stxnamespace: rel.namespace,
        stxowner: ctx::user(host),
        stxkeys: Vector::from(keys.clone()),
        ..x.clone()
    };
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::of::<StatisticExtRow>(row.oid);
        c.insert(row.clone());
        if keys.is_empty() {
            c.record_dependency(me, ObjectAddress::relation(new), DependencyType::Auto);
        }
        let columns = keys.iter().map(|a| ObjectAddress::column(new, *a));
        c.record_dependencies(me, columns, DependencyType::Auto);
        let schema = ObjectAddress::of::<NamespaceRow>(rel.namespace);
        c.record_dependency(me, schema, DependencyType::Normal);
        c.record_owner(me, row.stxowner);
        Ok(())
    })?;
    Ok(row.oid)
}
