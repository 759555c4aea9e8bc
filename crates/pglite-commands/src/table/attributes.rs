//! Attributes behind a column's constraint (`REFERENCES t DEFERRABLE INITIALLY DEFERRED`): the parser gives them as
//! constraints of their own; here they become part of the constraint before them.

use pglite_error::{PgError, PgResult};
use pglite_parser::ast::{ConstrType, Constraint};

/// The column's constraints with their attributes in place.
pub fn apply(constraints: &[Constraint]) -> PgResult<Vec<Constraint>> {
    let mut out: Vec<Constraint> = Vec::with_capacity(constraints.len());
    let (mut deferrability, mut initially, mut enforced) = (false, false, false);
    for c in constraints {
        let Some(name) = attribute(c.contype) else {
            (deferrability, initially, enforced) = (false, false, false);
            out.push(c.clone());
            continue;
        };
        let fail = |text: String| PgError::syntax(text).at(c.location);
        let about_enforcement = matches!(c.contype, ConstrType::AttrEnforced | ConstrType::AttrNotEnforced);
        let takes = |t: ConstrType| match about_enforcement {
            true => matches!(t, ConstrType::Check | ConstrType::Foreign),
            false => matches!(
                t,
                ConstrType::Primary | ConstrType::Unique | ConstrType::Exclusion | ConstrType::Foreign
            ),
        };
        let Some(last) = out.last_mut().filter(|l| takes(l.contype)) else {
            return Err(fail(format!("misplaced {name} clause")));
        };
        let (seen, both) = match c.contype {
            ConstrType::AttrDeferrable | ConstrType::AttrNotDeferrable => {
                (&mut deferrability, "DEFERRABLE/NOT DEFERRABLE")
            }
            ConstrType::AttrEnforced | ConstrType::AttrNotEnforced => {
                (&mut enforced, "ENFORCED/NOT ENFORCED")
            }
            _ => (&mut initially, "INITIALLY IMMEDIATE/DEFERRED"),
        };
        if std::mem::replace(seen, true) {
            return Err(fail(format!("multiple {both} clauses not allowed")));
        }
        match c.contype {
            ConstrType::AttrDeferrable => last.deferrable = true,
            ConstrType::AttrNotDeferrable => last.deferrable = false,
            ConstrType::AttrDeferred => {
                last.initdeferred = true;
                last.deferrable |= !deferrability;
            }
            ConstrType::AttrImmediate => last.initdeferred = false,
            ConstrType::AttrEnforced => last.is_enforced = true,
            _ => {
                last.is_enforced = false;
                last.skip_validation = true;
                last.initially_valid = false;
            }
        }
        if last.initdeferred && !last.deferrable {
            return Err(fail("constraint declared INITIALLY DEFERRED must be DEFERRABLE".into()));
        }
    }
    Ok(out)
}

fn attribute(kind: ConstrType) -> Option<&'static str> {
    Some(match kind {
        ConstrType::AttrDeferrable => "DEFERRABLE",
        ConstrType::AttrNotDeferrable => "NOT DEFERRABLE",
        ConstrType::AttrDeferred => "INITIALLY DEFERRED",
        ConstrType::AttrImmediate => "INITIALLY IMMEDIATE",
        ConstrType::AttrEnforced => "ENFORCED",
        ConstrType::AttrNotEnforced => "NOT ENFORCED",
        _ => return None,
    })
}
