//! COMMENT ON.

use pglite_catalog::rows::*;
use pglite_catalog::{CatalogRow, Key};
use pglite_error::{PgResult, bail};
use pglite_parser::ast::{CommentStmt, ObjectType};

use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};

pub(crate) fn comment(host: &dyn CommandHost, s: &CommentStmt) -> PgResult<CommandOutcome> {
    let a = objects::resolve(host, &s.objtype, &s.object, Lookup::default())?;
    let snap = host.snapshot();
    if s.objtype == ObjectType::Column
        && let Some(rel) = snap.class_by_oid(a.object)
        && !matches!(rel.relkind, b'r' | b'v' | b'm' | b'c' | b'f' | b'p')
    {
        bail!(WRONG_OBJECT_TYPE, "cannot set comment on relation \"{}\"", rel.relname);
    }
    if a.class != AuthidRow::CATALOG {
        objects::check_owner(host, &a, &s.objtype)?;
    }
    // PG: an empty comment is no comment.
    let text = s.comment.as_deref().filter(|t| !t.is_empty());
    let shared = [DatabaseRow::CATALOG, AuthidRow::CATALOG, TablespaceRow::CATALOG, SubscriptionRow::CATALOG]
        .contains(&a.class);
    host.with_catalog(&mut |c| {
        match (text, shared) {
            (Some(t), true) => {
                c.insert(ShdescriptionRow { objoid: a.object, classoid: a.class, description: t.into() })
            }
            (None, true) => {
                c.delete::<ShdescriptionRow>(Key::new().oid(a.object).oid(a.class));
            }
            (Some(t), false) => {
                c.insert(DescriptionRow {
                    objoid: a.object,
                    classoid: a.class,
                    objsubid: a.sub,
                    description: t.into(),
                });
            }
            (None, false) => {
                c.delete::<DescriptionRow>(objects::comment_key(&a));
            }
        }
        Ok(())
    })?;
    Ok(CommandOutcome::tag("COMMENT"))
}
