//! Type names: `schema.name(mods)[]`, `relation.column%TYPE`.

use crate::func::split_name;
use crate::prelude::*;

impl Analyzer<'_, '_> {
    /// A type name as (OID, typmod).
    pub fn resolve_type(&mut self, t: &ast::TypeName) -> PgResult<(Oid, i32)> {
        match self.lookup_type(t)? {
            Some(found) => Ok(found),
            None => {
                Err(err!(UNDEFINED_OBJECT, "type \"{}\" does not exist", type_name_text(t)).at(t.location))
            }
        }
    }

    /// Like `resolve_type`; `None` when there is no such type.
    pub fn lookup_type(&mut self, t: &ast::TypeName) -> PgResult<Option<(Oid, i32)>> {
        if t.pct_type {
            return self.column_type(t).map(Some);
        }
        let name = split_name(self.env, &t.names).map_err(|e| e.at_if_unset(t.location))?;
        let found = match name.schema {
            Some(s) => {
                let nsp = self.cat.explicit_namespace(s).map_err(|e| e.at_if_unset(t.location))?;
                self.cat.lookup_type_in(nsp, name.name)
            }
            None => self.cat.lookup_type_in_path(name.name),
        };
        let Some(mut ty) = found else { return Ok(None) };
        let row = self.cat.ty(ty)?;
        if !row.typisdefined {
            return Err(
                err!(UNDEFINED_OBJECT, "type \"{}\" is only a shell", type_name_text(t)).at(t.location)
            );
        }
        if !t.array_bounds.is_empty() {
            ty = self.cat.array_type(ty);
            if !ty.is_valid() {
                return Ok(None);
            }
        }
        let typmod = self.typmod_of(t, found.unwrap_or(ty))?;
        Ok(Some((ty, typmod)))
    }

    /// `rel.column%TYPE`.
    fn column_type(&mut self, t: &ast::TypeName) -> PgResult<(Oid, i32)> {
        let at = t.location;
        let (rel_names, column) = match t.names.split_last() {
            Some((c, r)) if !r.is_empty() => (r, c),
            _ => {
                return Err(err!(
                    SYNTAX_ERROR,
                    "improper %TYPE reference (too few dotted names): {}",
                    name_list(&t.names)
                )
                .at(at));
            }
        };
        let name = split_name(self.env, rel_names).map_err(|e| e.at_if_unset(at))?;
        let rel = match name.schema {
            Some(s) => self.cat.relation_in(self.cat.explicit_namespace(s)?, name.name),
            None => self.cat.relation_in_path(name.name),
        };
        let Some(rel) = rel.and_then(|r| self.cat.relation(r)) else {
            return Err(err!(UNDEFINED_TABLE, "relation \"{}\" does not exist", name_list(rel_names)).at(at));
        };
        let Some(att) = self.cat.live_atts(&rel).find(|a| a.name == column) else {
            return Err(err!(
                UNDEFINED_COLUMN,
                "column \"{column}\" of relation \"{}\" does not exist",
                rel.name
            )
            .at(at));
        };
        let (mut ty, typmod) = (att.ty, att.typmod);
        if !t.array_bounds.is_empty() {
            ty = self.cat.array_type(ty);
        }
        self.env.notice(PgError::notice(format!(
            "type reference {} converted to {}",
            type_name_text(t),
            self.cat.format_type(ty)
        )));
        Ok((ty, typmod))
    }

    /// The modifiers between the parentheses, given to the type's typmodin.
    fn typmod_of(&mut self, t: &ast::TypeName, ty: Oid) -> PgResult<i32> {
        if t.typmods.is_empty() {
            return Ok(-1);
        }
        let row = self.cat.ty(ty)?;
        if !row.typmodin.is_valid() {
            return Err(err!(
                SYNTAX_ERROR,
                "type modifier is not allowed for type \"{}\"",
                type_name_text(t)
            )
            .at(t.location));
        }
        let mut args = Vec::new();
        for m in &t.typmods {
            args.push(match m {
                ast::Expr::AConst(c) => match &c.val {
                    ast::Value::Integer(i) => i.to_string(),
                    ast::Value::Float(s) | ast::Value::String(s) => s.clone(),
                    _ => return Err(bad_typmod(t)),
                },
                ast::Expr::ColumnRef(c) => match c.fields.as_slice() {
                    [ast::Field::Name(n)] => n.clone(),
                    _ => return Err(bad_typmod(t)),
                },
                ast::Expr::AExpr(a) if a.lexpr.is_none() && a.name.first().is_some_and(|n| n == "-") => {
                    match &a.rexpr {
                        ast::AExprRight::Expr(ast::Expr::AConst(c)) => match &c.val {
                            ast::Value::Integer(i) => format!("-{i}"),
                            ast::Value::Float(s) => format!("-{s}"),
                            _ => return Err(bad_typmod(t)),
                        },
                        _ => return Err(bad_typmod(t)),
                    }
                }
                _ => return Err(bad_typmod(t)),
            });
        }
        let refs: Vec<&str> = args.iter().map(String::as_str).collect();
        let elem = self.cat.element_type(ty);
        let base = if elem.is_valid() { elem } else { ty };
        pglite_types::typmod::typmod_in(base, &refs).map_err(|e| e.at_if_unset(t.location))
    }
}

fn bad_typmod(t: &ast::TypeName) -> PgError {
    err!(SYNTAX_ERROR, "type modifiers must be simple constants or identifiers").at(t.location)
}

/// The type name as messages show it.
pub(crate) fn type_name_text(t: &ast::TypeName) -> String {
    let mut out = name_list(&t.names);
    if t.pct_type {
        out.push_str("%TYPE");
    }
    if !t.array_bounds.is_empty() {
        out.push_str("[]");
    }
    out
}
