//! What goes when objects go, in which order, and what the user is told.
//!
//! The walk: an object's dependents are collected before it, newest first. An object that is an internal part of another
//! turns the request into one to drop the whole. The report decides between the error of RESTRICT and the notice of CASCADE.

use pglite_error::{PgError, PgResult, bail, codes, err};

use super::ObjectAddress;
use crate::describe::describe_object;
use crate::search_path::SearchPath;
use crate::snapshot::Snapshot;

/// How an object came to be on the list.
const ORIGINAL: u16 = 1 << 0;
const NORMAL: u16 = 1 << 1;
const AUTO: u16 = 1 << 2;
const INTERNAL: u16 = 1 << 3;
const PARTITION: u16 = 1 << 4;
const EXTENSION: u16 = 1 << 5;
const REVERSE: u16 = 1 << 6;
const IS_PART: u16 = 1 << 7;
const SUBOBJECT: u16 = 1 << 8;

/// PostgreSQL shows at most this many objects to the client.
const MAX_REPORTED: usize = 100;

/// Objects to delete, in this order, and the NOTICE to send first.
#[derive(Debug, Default)]
pub struct Deletion {
    pub order: Vec<ObjectAddress>,
    pub notice: Option<PgError>,
}

#[derive(Clone)]
struct Target {
    object: ObjectAddress,
    flags: u16,
    /// The object whose deletion takes this one along.
    dependee: Option<ObjectAddress>,
}

struct Walk<'a> {
    s: &'a Snapshot,
    path: &'a SearchPath,
    targets: Vec<Target>,
    /// The path from the original object to the present one.
    stack: Vec<(ObjectAddress, u16)>,
    pending: &'a [ObjectAddress],
}

/// `performMultipleDeletions`, up to the point where rows go: checks and order. `quiet` suppresses the notice.
pub fn find_deletion(
    s: &Snapshot,
    path: &SearchPath,
    objects: &[ObjectAddress],
    cascade: bool,
    quiet: bool,
) -> PgResult<Deletion> {
    let mut walk = Walk { s, path, targets: Vec::new(), stack: Vec::new(), pending: objects };
    for object in objects {
        walk.visit(*object, ORIGINAL)?;
    }
    let original = if objects.len() == 1 { objects.first() } else { None };
    let notice = walk.report(cascade, original)?.filter(|_| !quiet);
    Ok(Deletion { order: walk.targets.into_iter().map(|t| t.object).collect(), notice })
}

impl Walk<'_> {
    fn describe(&self, a: &ObjectAddress) -> String {
        describe_object(self.s, self.path, a).unwrap_or_else(|| format!("object {}", a.object))
    }

    fn on_stack(&mut self, object: &ObjectAddress, flags: u16) -> bool {
        let mut found = false;
        for (entry, entry_flags) in self.stack.iter_mut().rev() {
            if entry.class == object.class && entry.object == object.object {
                if entry.sub == object.sub {
                    *entry_flags |= flags;
                    return true;
                }
                // A column while its whole table goes: nothing more to do.
                found |= entry.sub == 0;
            }
        }
        found
    }

    fn on_list(&mut self, object: &ObjectAddress, flags: u16) -> bool {
        let mut found = false;
        for t in self.targets.iter_mut().rev() {
            if t.object.class == object.class && t.object.object == object.object {
                if t.object.sub == object.sub {
                    t.flags |= flags;
                    found = true;
                } else if t.object.sub == 0 {
                    found = true;
                } else if object.sub == 0 && flags != 0 {
                    // The whole table after one of its columns: the column goes along silently.
                    t.flags |= flags | SUBOBJECT;
                }
            }
        }
        found
    }

    fn visit(&mut self, object: ObjectAddress, flags: u16) -> PgResult<()> {
        if self.stack.len() > 10_000 {
            bail!(STATEMENT_TOO_COMPLEX, "stack depth limit exceeded");
        }
        if self.on_stack(&object, flags) || self.on_list(&object, flags) {
            return Ok(());
        }
        if object.is_pinned() {
            bail!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot drop {} because it is required by the database system",
                self.describe(&object)
            );
        }
        let mut flags = flags;
        let mut partition_object = None;
        match self.owners(&object, &mut flags, &mut partition_object)? {
            Owners::None => {}
            Owners::Pending => return Ok(()),
            Owners::Instead(owner) => {
                self.visit(owner, REVERSE)?;
                if !self.on_list(&object, flags) {
                    return Err(PgError::internal(format!(
                        "deletion of owning object {} failed to delete {}",
                        self.describe(&owner),
                        self.describe(&object)
                    )));
                }
                return Ok(());
            }
        }
        self.stack.push((object, flags));
        for (dependent, kind) in self.dependents(&object) {
            self.visit(dependent, kind)?;
        }
        let (_, flags) = self.stack.pop().unwrap_or((object, flags));
        let dependee = if flags & IS_PART != 0 { partition_object } else { self.stack.last().map(|e| e.0) };
        self.targets.push(Target { object, flags, dependee });
        Ok(())
    }

    /// Looks at what the object is a part of.
    fn owners(
        &mut self,
        object: &ObjectAddress,
        flags: &mut u16,
        partition_object: &mut Option<ObjectAddress>,
    ) -> PgResult<Owners> {
        let rows: Vec<(ObjectAddress, u8)> =
            self.s.references_of(object).map(|d| (d.referenced(), d.deptype)).collect();
        let mut owner: Option<ObjectAddress> = None;
        let mut extension_owner = false;
        for (other, kind) in rows {
            if object.sub == 0 && other.class == object.class && other.object == object.object {
                continue;
            }
            match kind {
                b'P' | b'S' => {
                    *flags |= IS_PART;
                    if !self.on_stack_only(&other) {
                        // The primary parent is the better one to name.
                        if partition_object.is_none() || kind == b'P' {
                            *partition_object = Some(other);
                        }
                    } else if partition_object.is_none() {
                        *partition_object = Some(other);
                    }
                }
                b'i' | b'e' => {
                    if self.stack.is_empty() {
                        if self.pending.contains(&other) {
                            return Ok(Owners::Pending);
                        }
                        if owner.is_none() || (kind == b'e' && !extension_owner) {
                            owner = Some(other);
                            extension_owner = kind == b'e';
                        }
                        continue;
                    }
                    if self.on_stack_only(&other) {
                        continue;
                    }
                    return Ok(Owners::Instead(other));
                }
                _ => {}
            }
        }
        match owner {
            Some(owner) => {
                let other = self.describe(&owner);
                Err(err!(
                    DEPENDENT_OBJECTS_STILL_EXIST,
                    "cannot drop {} because {} requires it",
                    self.describe(object),
                    other
                )
                .hint(format!("You can drop {other} instead.")))
            }
            None => Ok(Owners::None),
        }
    }

    fn on_stack_only(&self, object: &ObjectAddress) -> bool {
        self.stack.iter().any(|(e, _)| {
            e.class == object.class && e.object == object.object && (e.sub == object.sub || e.sub == 0)
        })
    }

    /// Dependents, newest first.
    fn dependents(&self, object: &ObjectAddress) -> Vec<(ObjectAddress, u16)> {
        let mut list: Vec<(ObjectAddress, u16)> = self
            .s
            .dependents_of(object)
            .map(|d| (d.depender(), flag_of(d.deptype)))
            .filter(|(o, _)| !(object.sub == 0 && o.class == object.class && o.object == object.object))
            .collect();
        list.sort_by(|(a, _), (b, _)| {
            b.object.cmp(&a.object).then(a.class.cmp(&b.class)).then((a.sub as u32).cmp(&(b.sub as u32)))
        });
        list
    }

    /// `reportDependentObjects`.
    fn report(&self, cascade: bool, original: Option<&ObjectAddress>) -> PgResult<Option<PgError>> {
        let part = self.targets.iter().find(|t| t.flags & IS_PART != 0 && t.flags & PARTITION == 0);
        if let Some(t) = part {
            let other = t.dependee.map(|d| self.describe(&d)).unwrap_or_default();
            return Err(err!(
                DEPENDENT_OBJECTS_STILL_EXIST,
                "cannot drop {} because {} requires it",
                self.describe(&t.object),
                other
            )
            .hint(format!("You can drop {other} instead.")));
        }
        let mut lines: Vec<String> = Vec::new();
        let (mut unreported, mut blocked) = (0usize, false);
        for t in self.targets.iter().rev() {
            if t.flags & (ORIGINAL | SUBOBJECT | AUTO | INTERNAL | PARTITION | EXTENSION) != 0 {
                continue;
            }
            let Some(name) = describe_object(self.s, self.path, &t.object) else { continue };
            let line = if cascade {
                format!("drop cascades to {name}")
            } else {
                blocked = true;
                let Some(other) = t.dependee.and_then(|d| describe_object(self.s, self.path, &d)) else {
                    continue;
                };
                format!("{name} depends on {other}")
            };
            if lines.len() < MAX_REPORTED {
                lines.push(line);
            } else {
                unreported += 1;
            }
        }
        let mut detail = lines.join("\n");
        if unreported > 0 {
            let plural = if unreported == 1 { "object" } else { "objects" };
            detail.push_str(&format!("\nand {unreported} other {plural} (see server log for list)"));
        }
        if blocked {
            let message = match original {
                Some(o) => format!("cannot drop {} because other objects depend on it", self.describe(o)),
                None => "cannot drop desired object(s) because other objects depend on them".to_string(),
            };
            return Err(PgError::new(codes::DEPENDENT_OBJECTS_STILL_EXIST, message)
                .detail(detail)
                .hint("Use DROP ... CASCADE to drop the dependent objects too."));
        }
        Ok(match lines.len() + unreported {
            0 => None,
            1 => Some(PgError::notice(detail)),
            n => Some(PgError::notice(format!("drop cascades to {n} other objects")).detail(detail)),
        })
    }
}

enum Owners {
    None,
    /// The whole is on the list of requests itself.
    Pending,
    /// Drop this one instead.
    Instead(ObjectAddress),
}

fn flag_of(deptype: u8) -> u16 {
    match deptype {
        b'a' | b'x' => AUTO,
        b'i' => INTERNAL,
        b'P' | b'S' => PARTITION,
        b'e' => EXTENSION,
        _ => NORMAL,
    }
}
