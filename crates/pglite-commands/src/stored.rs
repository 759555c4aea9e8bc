//! Stored SQL texts when something they name gets another name: they are read under the old name and written again
//! under the new one.
//!
//! Invariant: a text is read before the catalog changes and printed after, so it means the same objects all along.
//! Texts that do not contain the old name are left alone.

use std::sync::Arc;

use pglite_analyze::{ExprKind, Scope as ExprScope, analyze_stored_expr};
use pglite_catalog::depend::ObjectAddress;
use pglite_catalog::reldesc::split_list;
use pglite_catalog::rows::*;
use pglite_catalog::{CatalogRow, Key, RelDesc, Snapshot};
use pglite_error::{PgError, PgResult};
use pglite_functions::deparse::{Scope, storage_query, storage_text};
use pglite_ir::Expr;
use pglite_ir::query::{ColType, Query, RteKind};
use pglite_ir::tree::each_subquery_mut;
use pglite_types::Oid;

use crate::host::CommandHost;

/// Puts the relations' present descriptors and names into a query.
fn refresh(s: &Arc<Snapshot>, q: &mut Query) {
    for rte in &mut q.rtable {
        if let RteKind::Relation { rel, .. } = &mut rte.kind
            && let Some(now) = s.rel(rel.oid)
        {
            let renamed = rte.alias.as_ref().is_none_or(|a| a.columns.is_empty());
            if renamed {
                rte.eref.columns = now
                    .columns
                    .iter()
                    .map(|c| if c.dropped { String::new() } else { c.name.to_string() })
                    .collect();
            }
            if rte.alias.is_none() {
                rte.eref.name = now.name.to_string();
            }
            *rel = now;
        }
    }
    let _ = each_subquery_mut::<()>(q, &mut |sub| {
        refresh(s, sub);
        Ok(())
    });
    let _ = pglite_ir::tree::each_query_expr_mut::<()>(q, &mut |e| {
        refresh_expr(s, e);
        Ok(())
    });
}

fn refresh_expr(s: &Arc<Snapshot>, e: &mut Expr) {
    if let Expr::SubLink(sub) = e {
        refresh(s, &mut sub.query);
    }
    let _ = pglite_ir::walk::each_child_mut::<()>(e, &mut |c| {
        refresh_expr(s, c);
        Ok(())
    });
}

/// Where a list of expressions is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Default(Oid),
    Check(Oid),
    IndexExprs(Oid),
    IndexPredicate(Oid),
    PolicyQual(Oid),
    PolicyCheck(Oid),
    PartitionKey(Oid),
    Statistics(Oid),
    TriggerQual(Oid),
    TypeDefault(Oid),
    FunctionDefaults(Oid),
    PublicationQual(Oid),
}

/// What the names in an expression are.
#[derive(Clone, Copy)]
enum Over {
    Nothing,
    Relation(Oid),
    OldNew(Oid),
    Domain(ColType),
}

struct Kept {
    place: Place,
    over: Over,
    exprs: Vec<Expr>,
}

/// Texts read before a change, to be written after it.
pub(crate) struct Texts {
    kept: Vec<Kept>,
    rules: Vec<(Oid, Query)>,
}

struct Reader<'h> {
    host: &'h dyn CommandHost,
    s: Arc<Snapshot>,
    names: Vec<String>,
    out: Texts,
}

impl Reader<'_> {
    fn concerns(&self, text: &str) -> bool {
        self.names.iter().any(|n| text.contains(n.as_str()))
    }

    fn keep(&mut self, place: Place, over: Over, text: &str) -> PgResult<()> {
        if !self.concerns(text) || self.out.kept.iter().any(|k| k.place == place) {
            return Ok(());
        }
        let env = self.host.env();
        let a = env.as_analyze_env();
        let rel = match over {
            Over::Relation(r) | Over::OldNew(r) => self.s.rel(r),
            _ => None,
        };
        let mut exprs = Vec::new();
        for part in split_list(text) {
            let pair;
            let (scope, kind) = match (over, &rel) {
                (Over::Relation(_), Some(rel)) => (ExprScope::Relation(rel), ExprKind::Policy),
                (Over::OldNew(_), Some(rel)) => {
                    pair = [("old", rel), ("new", rel)];
                    (ExprScope::Relations(&pair), ExprKind::TriggerWhen)
                }
                (Over::Domain(t), _) => (ExprScope::Domain(t), ExprKind::DomainCheck),
                _ => (ExprScope::None, ExprKind::ColumnDefault),
            };
            exprs.push(analyze_stored_expr(a, part, &scope, kind, None)?);
        }
        self.out.kept.push(Kept { place, over, exprs });
        Ok(())
    }

    fn rule(&mut self, oid: Oid) -> PgResult<()> {
        let s = self.s.clone();
        let Some(r) = s.rewrite_by_oid(oid).filter(|r| &*r.rulename == "_RETURN") else { return Ok(()) };
        if !self.concerns(&r.ev_action) || self.out.rules.iter().any(|x| x.0 == oid) {
            return Ok(());
        }
        let env = self.host.env();
        let mut q = pglite_analyze::analyze_stored_query(env.as_analyze_env(), &r.ev_action)?;
        if let Some(view) = s.rel(r.ev_class) {
            for (t, c) in q.targets.iter_mut().filter(|t| !t.junk).zip(view.live_columns()) {
                t.name = Some(c.name.to_string());
            }
        }
        self.out.rules.push((oid, q));
        Ok(())
    }

    fn index(&mut self, oid: Oid) -> PgResult<()> {
        let s = self.s.clone();
        let Some(i) = s.index(oid) else { return Ok(()) };
        let over = Over::Relation(i.indrelid);
        if let Some(t) = &i.indexprs {
            self.keep(Place::IndexExprs(oid), over, t)?;
        }
        if let Some(t) = &i.indpred {
            self.keep(Place::IndexPredicate(oid), over, t)?;
        }
        Ok(())
    }

    fn policy(&mut self, oid: Oid) -> PgResult<()> {
        let s = self.s.clone();
        let Some(p) = s.policy_by_oid(oid) else { return Ok(()) };
        let over = Over::Relation(p.polrelid);
        if let Some(t) = &p.polqual {
            self.keep(Place::PolicyQual(oid), over, t)?;
        }
        if let Some(t) = &p.polwithcheck {
            self.keep(Place::PolicyCheck(oid), over, t)?;
        }
        Ok(())
    }

    /// All that a relation keeps itself.
    fn relation(&mut self, oid: Oid) -> PgResult<()> {
        let s = self.s.clone();
        for d in s.attrdefs_of(oid) {
            self.dependent(&ObjectAddress::of::<AttrdefRow>(d.oid))?;
        }
        for k in s.constraints_of(oid) {
            self.dependent(&ObjectAddress::constraint(k.oid))?;
        }
        for i in s.indexes_of(oid) {
            self.index(i.indexrelid)?;
        }
        for p in s.policies_of(oid) {
            self.policy(p.oid)?;
        }
        for t in s.triggers_of(oid) {
            self.dependent(&ObjectAddress::of::<TriggerRow>(t.oid))?;
        }
        for x in s.statistics_ext_of(oid) {
            self.dependent(&ObjectAddress::of::<StatisticExtRow>(x.oid))?;
        }
        if let Some(t) = s.partitioned_table(oid).and_then(|p| p.partexprs.clone()) {
            self.keep(Place::PartitionKey(oid), Over::Relation(oid), &t)?;
        }
        Ok(())
    }

    /// The texts of one object.
    fn dependent(&mut self, a: &ObjectAddress) -> PgResult<()> {
        let s = self.s.clone();
        match a.class {
            RewriteRow::CATALOG => self.rule(a.object),
            PolicyRow::CATALOG => self.policy(a.object),
            ClassRow::CATALOG => match s.class_by_oid(a.object).map(|c| c.relkind) {
                Some(b'i' | b'I') => self.index(a.object),
                Some(b'p') => match s.partitioned_table(a.object).and_then(|p| p.partexprs.clone()) {
                    Some(t) => self.keep(Place::PartitionKey(a.object), Over::Relation(a.object), &t),
                    None => Ok(()),
                },
                _ => Ok(()),
            },
            AttrdefRow::CATALOG => {
                let Some(d) = s.attrdef_by_oid(a.object) else { return Ok(()) };
                let generated = s.attribute(d.adrelid, d.adnum).is_some_and(|c| c.attgenerated != 0);
                let over = if generated { Over::Relation(d.adrelid) } else { Over::Nothing };
                self.keep(Place::Default(d.oid), over, &d.adbin)
            }
            ConstraintRow::CATALOG => {
                let Some(k) = s.constraint_by_oid(a.object) else { return Ok(()) };
                let Some(text) = &k.conbin else { return Ok(()) };
                let over = match s.type_by_oid(k.contypid) {
                    Some(t) => Over::Domain(ColType {
                        ty: t.typbasetype,
                        typmod: t.typtypmod,
                        collation: t.typcollation,
                    }),
                    None => Over::Relation(k.conrelid),
                };
                self.keep(Place::Check(k.oid), over, text)
            }
            TriggerRow::CATALOG => match s.trigger_by_oid(a.object) {
                Some(t) => match &t.tgqual {
                    Some(q) => self.keep(Place::TriggerQual(t.oid), Over::OldNew(t.tgrelid), q),
                    None => Ok(()),
                },
                None => Ok(()),
            },
            StatisticExtRow::CATALOG => match s.statistic_ext_by_oid(a.object) {
                Some(x) => match &x.stxexprs {
                    Some(t) => self.keep(Place::Statistics(x.oid), Over::Relation(x.stxrelid), t),
                    None => Ok(()),
                },
                None => Ok(()),
            },
            TypeRow::CATALOG => match s.type_by_oid(a.object).and_then(|t| t.typdefaultbin.clone()) {
                Some(t) => self.keep(Place::TypeDefault(a.object), Over::Nothing, &t),
                None => Ok(()),
            },
            ProcRow::CATALOG => match s.proc_by_oid(a.object).and_then(|p| p.proargdefaults.clone()) {
                Some(t) => self.keep(Place::FunctionDefaults(a.object), Over::Nothing, &t),
                None => Ok(()),
            },
            PublicationRelRow::CATALOG => match s.get::<PublicationRelRow>(a.object) {
                Some(r) => match &r.prqual {
                    Some(t) => self.keep(Place::PublicationQual(r.oid), Over::Relation(r.prrelid), t),
                    None => Ok(()),
                },
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn dependents(&mut self, a: &ObjectAddress) -> PgResult<()> {
        let s = self.s.clone();
        let list: Vec<ObjectAddress> = s.dependents_of(a).map(|d| d.depender()).collect();
        for d in &list {
            self.dependent(d)?;
        }
        Ok(())
    }
}

/// The texts that name an object (by one of `names`), before it is renamed or moved.
pub(crate) fn read(host: &dyn CommandHost, roots: &[ObjectAddress], names: &[&str]) -> PgResult<Texts> {
    let s = host.snapshot();
    let names = names.iter().filter(|n| !n.is_empty()).map(|n| n.to_string()).collect();
    let out = Texts { kept: Vec::new(), rules: Vec::new() };
    let mut r = Reader { host, s: s.clone(), names, out };
    for a in roots {
        r.dependents(a)?;
        match a.class {
            ClassRow::CATALOG => {
                r.relation(a.object)?;
                if let Some(t) = s.class_by_oid(a.object).and_then(|c| c.reltype.valid()) {
                    r.dependents(&ObjectAddress::type_(t))?;
                    if let Some(array) = s.array_type(t) {
                        r.dependents(&ObjectAddress::type_(array))?;
                    }
                }
            }
            TypeRow::CATALOG => {
                if let Some(array) = s.array_type(a.object) {
                    r.dependents(&ObjectAddress::type_(array))?;
                }
                if let Some(rel) = s.type_by_oid(a.object).and_then(|t| t.typrelid.valid()) {
                    r.dependents(&ObjectAddress::relation(rel))?;
                }
            }
            NamespaceRow::CATALOG => {
                let members: Vec<ObjectAddress> = s.dependents_of(a).map(|d| d.depender()).collect();
                for m in &members {
                    r.dependents(m)?;
                    r.dependent(m)?;
                    if m.class == ClassRow::CATALOG {
                        r.relation(m.object)?;
                    }
                }
            }
            _ => {}
        }
    }
    Ok(r.out)
}

/// Writes the texts again, as the catalogs now name things.
pub(crate) fn write(host: &dyn CommandHost, texts: Texts) -> PgResult<()> {
    let s = host.snapshot();
    let mut kept = Vec::new();
    for mut k in texts.kept {
        k.exprs.iter_mut().for_each(|e| refresh_expr(&s, e));
        let rel: Option<Arc<RelDesc>> = match k.over {
            Over::Relation(r) | Over::OldNew(r) => s.rel(r),
            _ => None,
        };
        let mut parts = Vec::new();
        for e in &k.exprs {
            let env = host.env();
            parts.push(match (&rel, k.over) {
                (Some(rel), Over::Relation(_)) => crate::policy::text(host, rel, e)?,
                (Some(rel), Over::OldNew(_)) => storage_text(&s, env.as_fn_host(), e, Scope::OldNew(rel))?,
                _ => storage_text(&s, env.as_fn_host(), e, Scope::None)?,
            });
        }
        kept.push((k.place, parts.join(", ")));
    }
    let mut rules = Vec::new();
    for (oid, mut q) in texts.rules {
        refresh(&s, &mut q);
        let env = host.env();
        rules.push((oid, storage_query(&s, env.as_fn_host(), &q)?));
    }
    host.with_catalog(&mut |c| {
        for (place, text) in &kept {
            let t = text.as_str();
            match *place {
                Place::Default(o) => c.modify::<AttrdefRow>(o, |r| r.adbin = t.into()),
                Place::Check(o) => c.modify::<ConstraintRow>(o, |r| r.conbin = Some(t.into())),
                Place::IndexExprs(o) => c.modify::<IndexRow>(o, |r| r.indexprs = Some(t.into())),
                Place::IndexPredicate(o) => c.modify::<IndexRow>(o, |r| r.indpred = Some(t.into())),
                Place::PolicyQual(o) => c.modify::<PolicyRow>(o, |r| r.polqual = Some(t.into())),
                Place::PolicyCheck(o) => c.modify::<PolicyRow>(o, |r| r.polwithcheck = Some(t.into())),
                Place::PartitionKey(o) => {
                    c.modify::<PartitionedTableRow>(o, |r| r.partexprs = Some(t.into()))
                }
                Place::Statistics(o) => c.modify::<StatisticExtRow>(o, |r| r.stxexprs = Some(t.into())),
                Place::TriggerQual(o) => c.modify::<TriggerRow>(o, |r| r.tgqual = Some(t.into())),
                Place::TypeDefault(o) => c.modify::<TypeRow>(o, |r| {
                    r.typdefaultbin = Some(t.into());
                    r.typdefault = Some(t.into());
                }),
                Place::FunctionDefaults(o) => c.modify::<ProcRow>(o, |r| r.proargdefaults = Some(t.into())),
                Place::PublicationQual(o) => c.modify::<PublicationRelRow>(o, |r| r.prqual = Some(t.into())),
            };
        }
        for (rule, t) in &rules {
            c.modify::<RewriteRow>(*rule, |r| r.ev_action = t.as_str().into());
        }
        Ok(())
    })
}

/// Renames the column and rewrites the texts that name it.
pub(crate) fn rename_column(host: &dyn CommandHost, rel: Oid, attnum: i16, new: &str) -> PgResult<()> {
    let s = host.snapshot();
    let old = s
        .attribute(rel, attnum)
        .map(|a| a.attname.to_string())
        .ok_or_else(|| PgError::internal("column vanished"))?;
    let texts = read(host, &[ObjectAddress::relation(rel)], &[&old])?;
    host.with_catalog(&mut |c| {
        c.modify::<AttributeRow>(Key::new().oid(rel).with(&attnum), |a| a.attname = new.into());
        Ok(())
    })?;
    write(host, texts)
}
