//! Publications and subscriptions.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    /// CREATE PUBLICATION, at PUBLICATION.
    pub(in crate::parser) fn create_publication_stmt(&mut self) -> PgResult<CreatePublicationStmt> {
        self.bump();
        let pubname = self.name()?;
        let mut pubobjects = Vec::new();
        let mut for_all_tables = false;
        if self.eat(Kw::For) {
            if self.eat_seq(&[Kw::All, Kw::Tables])? {
                for_all_tables = true;
            } else {
                pubobjects = self.pub_obj_list()?;
            }
        }
        let options = self.opt_definition()?;
        self.resolve_objects(&mut pubobjects)?;
        Ok(CreatePublicationStmt { pubname, options, pubobjects, for_all_tables })
    }

    fn pub_obj_list(&mut self) -> PgResult<Vec<PublicationObjSpec>> {
        self.list(Self::publication_obj_spec)
    }

    fn publication_obj_spec(&mut self) -> PgResult<PublicationObjSpec> {
        use PublicationObjSpecType::*;
        let location = self.loc();
        let spec =
            |pubobjtype, name, pubtable| Ok(PublicationObjSpec { pubobjtype, name, pubtable, location });
        if self.eat(Kw::Table) {
            let relation = self.relation_expr()?;
            let table = self.publication_table(relation)?;
            return spec(Table, None, Some(table));
        }
        if self.at_all(&[Kw::Tables, Kw::In]) {
            self.expect_all(&[Kw::Tables, Kw::In, Kw::Schema])?;
            let at = self.loc();
            if self.eat(Kw::CurrentSchema) {
                return Ok(PublicationObjSpec {
                    pubobjtype: TablesInCurSchema,
                    name: None,
                    pubtable: None,
                    location: at,
                });
            }
            let name = Some(self.col_id()?);
            return Ok(PublicationObjSpec { pubobjtype: TablesInSchema, name, pubtable: None, location: at });
        }
        if self.eat(Kw::CurrentSchema) {
            return spec(Continuation, None, None);
        }
        // A name alone may go on a list of tables or of schemas.
        let plain = !self.at(Kw::Only);
        let relation = self.relation_expr()?;
        let star = self.prev_tok() == Tok::Star;
        let table = self.publication_table(relation)?;
        let bare =
            table.relation.schemaname.is_none() && table.where_clause.is_none() && table.columns.is_empty();
        if plain && !star && bare {
            return spec(Continuation, Some(table.relation.relname), None);
        }
        // PG: the location of `ONLY t` and `t *` stays unset, and 0 is what that means.
        let location = if plain && !star { location } else { 0 };
        Ok(PublicationObjSpec { pubobjtype: Continuation, name: None, pubtable: Some(table), location })
    }

    fn publication_table(&mut self, relation: RangeVar) -> PgResult<Box<PublicationTable>> {
        let columns = self.opt_name_list()?;
        let where_clause = if self.eat(Kw::Where) { Some(self.paren_expr_only()?) } else { None };
        Ok(Box::new(PublicationTable { relation, where_clause, columns }))
    }

    /// PG: the list is looked at when the token after it has been read.
    fn resolve_objects(&self, objects: &mut [PublicationObjSpec]) -> PgResult<()> {
        if self.at_tok(Tok::Error) { Err(self.unexpected()) } else { resolve_objects(objects) }
    }

    /// ALTER PUBLICATION, at PUBLICATION.
    pub(in crate::parser) fn alter_publication(&mut self) -> PgResult<Statement> {
        self.bump();
        let pubname = self.name()?;
        let action = match self.kw() {
            Kw::Add => AlterPublicationAction::AddObjects,
            Kw::Drop => AlterPublicationAction::DropObjects,
            Kw::Set => AlterPublicationAction::SetObjects,
            _ => return self.alter_common(ObjectType::Publication, ObjectName::Name(pubname), &[]),
        };
        let set = self.bump().kw == Kw::Set;
        if set && self.at_tok(Tok::LParen) {
            let options = self.definition()?;
            let (pubobjects, action) = (Vec::new(), AlterPublicationAction::AddObjects);
            return Ok(AlterPublicationStmt { pubname, options, pubobjects, action }.into());
        }
        let mut pubobjects = self.pub_obj_list()?;
        self.resolve_objects(&mut pubobjects)?;
        Ok(AlterPublicationStmt { pubname, options: Vec::new(), pubobjects, action }.into())
    }

    /// CREATE SUBSCRIPTION, at SUBSCRIPTION.
    pub(in crate::parser) fn create_subscription_stmt(&mut self) -> PgResult<CreateSubscriptionStmt> {
        self.bump();
        let subname = self.name()?;
        self.expect(Kw::Connection)?;
        let conninfo = self.sconst()?;
        self.expect(Kw::Publication)?;
        let publication = self.name_list()?;
        let options = self.opt_definition()?;
        Ok(CreateSubscriptionStmt { subname, conninfo, publication, options })
    }

    /// ALTER SUBSCRIPTION, at SUBSCRIPTION.
    pub(in crate::parser) fn alter_subscription(&mut self) -> PgResult<Statement> {
        use AlterSubscriptionType::*;
        self.bump();
        let subname = self.name()?;
        let mut stmt = AlterSubscriptionStmt {
            kind: Options,
            subname,
            conninfo: None,
            publication: Vec::new(),
            options: Vec::new(),
        };
        let location = self.loc();
        let kws =
            [Kw::Set, Kw::Connection, Kw::Refresh, Kw::Add, Kw::Drop, Kw::Enable, Kw::Disable, Kw::Skip];
        let kw = match self.eat_any(&kws) {
            Some(kw) => kw,
            None => return self.alter_common(ObjectType::Subscription, ObjectName::Name(stmt.subname), &[]),
        };
        match kw {
            Kw::Set if self.at_tok(Tok::LParen) => stmt.options = self.definition()?,
            Kw::Connection => {
                stmt.kind = Connection;
                stmt.conninfo = Some(self.sconst()?);
            }
            Kw::Refresh => {
                stmt.kind = Refresh;
                self.expect(Kw::Publication)?;
                stmt.options = self.opt_definition()?;
            }
            Kw::Enable | Kw::Disable => {
                stmt.kind = Enabled;
                let value = DefArg::Boolean(kw == Kw::Enable);
                stmt.options = vec![DefElem::new("enabled", Some(value), location)];
            }
            Kw::Skip => {
                stmt.kind = Skip;
                stmt.options = self.definition()?;
            }
            _ => {
                stmt.kind = match kw {
                    Kw::Set => SetPublication,
                    Kw::Add => AddPublication,
                    _ => DropPublication,
                };
                self.expect(Kw::Publication)?;
                stmt.publication = self.name_list()?;
                stmt.options = self.opt_definition()?;
            }
        }
        Ok(stmt.into())
    }
}

/// Gives the names that continue a list the kind of what stands before them.
fn resolve_objects(objects: &mut [PublicationObjSpec]) -> PgResult<()> {
    use PublicationObjSpecType::*;
    let mut previous = Continuation;
    for object in objects {
        let fail = |message: &str, at: i32| Err(PgError::syntax(message).at(at));
        let location = object.location;
        if object.pubobjtype == Continuation {
            if previous == Continuation {
                let e = PgError::syntax("invalid publication object list")
                    .detail("One of TABLE or TABLES IN SCHEMA must be specified before a standalone table or schema name.");
                return Err(e.at(location));
            }
            object.pubobjtype = previous;
        }
        if object.pubobjtype == Table {
            match (object.name.take(), &object.pubtable) {
                (Some(name), _) => {
                    let relation = RangeVar::new(name, location);
                    let table = PublicationTable { relation, where_clause: None, columns: Vec::new() };
                    object.pubtable = Some(Box::new(table));
                }
                (None, None) => return fail("invalid table name", location),
                _ => {}
            }
        } else {
            if let Some(table) = &object.pubtable {
                if table.where_clause.is_some() {
                    return fail("WHERE clause not allowed for schema", location);
                }
                if !table.columns.is_empty() {
                    return fail("column specification not allowed for schema", location);
                }
                return fail("invalid schema name", location);
            }
            object.pubobjtype = if object.name.is_some() { TablesInSchema } else { TablesInCurSchema };
        }
        previous = object.pubobjtype;
    }
    Ok(())
}
