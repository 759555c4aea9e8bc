//! Constants in printed SQL.

use pglite_catalog::names::quote_literal;
use pglite_error::PgResult;
use pglite_ir::expr::Const;
use pglite_types::{Datum, oid, text};

use super::Deparser;

/// Whether a cast is printed behind a constant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ShowType {
    Never,
    IfNeeded,
    Always,
}

impl Deparser<'_> {
    pub(super) fn constant(&mut self, c: &Const, show: ShowType) -> PgResult<()> {
        if c.value.is_null() {
            self.push("NULL");
            if show != ShowType::Never {
                let name = self.type_name(c.ty, c.typmod);
                self.push("::");
                self.push(&name);
            }
            return Ok(());
        }
        let mut value = String::new();
        text::text_out(self.env, c.ty, &c.value, &mut value)?;
        let mut needs_label = show == ShowType::Always;
        let mut is_numeric = false;
        match c.ty {
            oid::INT4 => {
                if value.starts_with('-') {
                    self.push(&quote_literal(&value));
                    needs_label = true;
                } else {
                    self.push(&value);
                }
                is_numeric = true;
            }
            oid::NUMERIC => {
                let plain =
                    value.starts_with(|ch: char| ch.is_ascii_digit()) && value.contains(['.', 'e', 'E']);
                if plain {
                    self.push(&value);
                } else {
                    self.push(&quote_literal(&value));
                    needs_label = true;
                }
                needs_label = needs_label || c.typmod >= 0;
                is_numeric = true;
            }
            oid::BOOL => self.push(if matches!(c.value, Datum::Bool(true)) { "true" } else { "false" }),
            _ => self.push(&quote_literal(&value)),
        }
        if show == ShowType::Never {
            return Ok(());
        }
        needs_label = match c.ty {
            oid::BOOL | oid::UNKNOWN => show == ShowType::Always && c.ty != oid::UNKNOWN,
            _ if is_numeric => needs_label,
            _ => true,
        };
        if needs_label {
            let name = self.type_name(c.ty, c.typmod);
            self.push("::");
            self.push(&name);
        }
        // PG: a constant of a nondefault collation shows it.
        if c.collation.is_valid() {
            let default = self.catalog.type_by_oid(c.ty).map_or(c.collation, |t| t.typcollation);
            if c.collation != default {
                let name = self.collation_name(c.collation);
                self.push(" COLLATE ");
                self.push(&name);
            }
        }
        Ok(())
    }
}
