//! ALTER TABLE and the same for indexes, views, sequences, foreign tables and composite types.

use pglite_error::{PgError, PgResult, codes};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::relation::column::cas;

fn cmd(subtype: AlterTableType) -> AlterTableCmd {
    AlterTableCmd {
        subtype,
        name: None,
        num: 0,
        newowner: None,
        def: AlterTableDef::None,
        behavior: DropBehavior::Restrict,
        missing_ok: false,
    }
}

impl Parser<'_> {
    /// ALTER TABLE, INDEX, VIEW ..., at the relation's name or IF EXISTS or ALL.
    pub(in crate::parser) fn alter_relation(&mut self, objtype: ObjectType) -> PgResult<Statement> {
        let movable = matches!(objtype, ObjectType::Table | ObjectType::Index | ObjectType::MatView);
        if movable && self.at(Kw::All) {
            return Ok(self.alter_table_move_all(objtype)?.into());
        }
        let missing_ok = self.opt_if_exists()?;
        let tree = matches!(objtype, ObjectType::Table | ObjectType::ForeignTable);
        let relation = if tree { self.relation_expr()? } else { self.qualified_name()? };
        match self.kw() {
            Kw::Rename => return self.rename_relation(objtype, relation, missing_ok),
            Kw::Set if self.ahead(1).kw == Kw::Schema && objtype != ObjectType::Index => {
                self.bump();
                self.bump();
                let newschema = self.name()?;
                let (object_type, relation) = (objtype, Some(relation));
                let object = None;
                return Ok(
                    AlterObjectSchemaStmt { object_type, relation, object, newschema, missing_ok }.into()
                );
            }
            Kw::No | Kw::Depends
                if matches!(objtype, ObjectType::MatView | ObjectType::Index)
                    && !missing_ok
                    && (self.at(Kw::Depends) || self.ahead(1).kw == Kw::Depends) =>
            {
                return Ok(self.alter_depends(objtype, Some(relation), None)?.into());
            }
            _ => {}
        }
        if objtype == ObjectType::Sequence && self.is_alter_seq() {
            let mut options = vec![self.seq_opt_elem()?];
            options.extend(self.seq_options()?);
            return Ok(AlterSeqStmt { sequence: relation, options, missing_ok }.into());
        }
        let cmds = match self.kw() {
            Kw::Attach | Kw::Detach if objtype == ObjectType::Table => vec![self.partition_cmd()?],
            Kw::Attach if objtype == ObjectType::Index && !missing_ok => vec![self.index_partition_cmd()?],
            _ => self.list(Self::alter_table_cmd)?,
        };
        Ok(AlterTableStmt { relation, cmds, objtype, missing_ok }.into())
    }

    fn is_alter_seq(&self) -> bool {
        match self.kw() {
            Kw::No => matches!(self.ahead(1).kw, Kw::Cycle | Kw::Maxvalue | Kw::Minvalue),
            _ => self.is_seq_option(),
        }
    }

    fn rename_relation(
        &mut self,
        objtype: ObjectType,
        relation: RangeVar,
        missing_ok: bool,
    ) -> PgResult<Statement> {
        self.bump();
        let mut stmt = RenameStmt {
            rename_type: objtype,
            relation_type: ObjectType::AccessMethod,
            relation: Some(relation),
            object: None,
            subname: None,
            newname: String::new(),
            behavior: DropBehavior::Restrict,
            missing_ok,
        };
        let columns = !matches!(objtype, ObjectType::Index | ObjectType::Sequence);
        if objtype == ObjectType::Table && self.eat(Kw::Constraint) {
            stmt.rename_type = ObjectType::TabConstraint;
            stmt.subname = Some(self.name()?);
        } else if columns && !self.at(Kw::To) {
            self.eat(Kw::Column);
            stmt.rename_type = ObjectType::Column;
            stmt.relation_type = objtype;
            stmt.subname = Some(self.name()?);
        }
        self.expect(Kw::To)?;
        stmt.newname = self.name()?;
        Ok(stmt.into())
    }

    fn alter_table_move_all(&mut self, objtype: ObjectType) -> PgResult<AlterTableMoveAllStmt> {
        self.expect_all(&[Kw::All, Kw::In, Kw::Tablespace])?;
        let orig_tablespacename = self.name()?;
        let roles = if self.eat_seq(&[Kw::Owned, Kw::By])? { self.role_list()? } else { Vec::new() };
        self.expect_all(&[Kw::Set, Kw::Tablespace])?;
        let new_tablespacename = self.name()?;
        let nowait = self.eat(Kw::Nowait);
        Ok(AlterTableMoveAllStmt { orig_tablespacename, objtype, roles, new_tablespacename, nowait })
    }

    fn partition_cmd(&mut self) -> PgResult<AlterTableCmd> {
        let attach = self.bump().kw == Kw::Attach;
        self.expect(Kw::Partition)?;
        let name = self.qualified_name()?;
        let mut part = PartitionCmd { name, bound: None, concurrent: false };
        let subtype = if attach {
            part.bound = Some(self.partition_bound_spec()?);
            AlterTableType::AttachPartition
        } else if self.eat(Kw::Finalize) {
            AlterTableType::DetachPartitionFinalize
        } else {
            part.concurrent = self.eat(Kw::Concurrently);
            AlterTableType::DetachPartition
        };
        Ok(AlterTableCmd { def: AlterTableDef::Partition(Box::new(part)), ..cmd(subtype) })
    }

    fn index_partition_cmd(&mut self) -> PgResult<AlterTableCmd> {
        self.bump();
        self.expect(Kw::Partition)?;
        let name = self.qualified_name()?;
        let def = AlterTableDef::Partition(Box::new(PartitionCmd { name, bound: None, concurrent: false }));
        Ok(AlterTableCmd { def, ..cmd(AlterTableType::AttachPartition) })
    }

    fn alter_table_cmd(&mut self) -> PgResult<AlterTableCmd> {
        use AlterTableType::*;
        let named = |p: &mut Self, subtype| Ok(AlterTableCmd { name: Some(p.name()?), ..cmd(subtype) });
        let range_var = |p: &mut Self, subtype| {
            let def = AlterTableDef::RangeVar(Box::new(p.qualified_name()?));
            Ok(AlterTableCmd { def, ..cmd(subtype) })
        };
        if self.at(Kw::Options) {
            let def = AlterTableDef::Options(self.alter_generic_options()?);
            return Ok(AlterTableCmd { def, ..cmd(GenericOptions) });
        }
        let kws = [
            Kw::Add,
            Kw::Alter,
            Kw::Drop,
            Kw::Validate,
            Kw::Set,
            Kw::Reset,
            Kw::Cluster,
            Kw::Enable,
            Kw::Disable,
            Kw::Inherit,
            Kw::No,
            Kw::Of,
            Kw::Not,
            Kw::Owner,
            Kw::Replica,
            Kw::Force,
        ];
        match self.eat_any(&kws) {
            Some(Kw::Add) => self.alter_add(),
            Some(Kw::Alter) => self.alter_column(),
            Some(Kw::Drop) => self.alter_drop(),
            Some(Kw::Validate) => {
                self.expect(Kw::Constraint)?;
                named(self, ValidateConstraint)
            }
            Some(Kw::Set) => self.alter_set(),
            Some(Kw::Reset) => {
                let def = AlterTableDef::Options(self.reloptions()?);
                Ok(AlterTableCmd { def, ..cmd(ResetRelOptions) })
            }
            Some(Kw::Cluster) => {
                self.expect(Kw::On)?;
                named(self, ClusterOn)
            }
            Some(Kw::Enable) => self.alter_enable(),
            Some(Kw::Disable) => self.alter_disable(),
            Some(Kw::Inherit) => range_var(self, AddInherit),
            Some(Kw::No) => {
                if self.eat_seq(&[Kw::Force, Kw::Row, Kw::Level, Kw::Security])? {
                    return Ok(cmd(NoForceRowSecurity));
                }
                self.expect(Kw::Inherit)?;
                range_var(self, DropInherit)
            }
            Some(Kw::Of) => {
                let location = self.loc();
                let names = self.any_name()?;
                let t = TypeName { names, location, ..TypeName::default() };
                Ok(AlterTableCmd { def: AlterTableDef::TypeName(Box::new(t)), ..cmd(AddOf) })
            }
            Some(Kw::Not) => self.expect(Kw::Of).map(|()| cmd(DropOf)),
            Some(Kw::Owner) => {
                self.expect(Kw::To)?;
                Ok(AlterTableCmd { newowner: Some(self.role_spec()?), ..cmd(ChangeOwner) })
            }
            Some(Kw::Replica) => self.replica_identity(),
            Some(_) => {
                self.expect_all(&[Kw::Row, Kw::Level, Kw::Security])?;
                Ok(cmd(ForceRowSecurity))
            }
            None => Err(self.unexpected()),
        }
    }

    fn alter_add(&mut self) -> PgResult<AlterTableCmd> {
        if self.is_table_constraint() {
            let def = AlterTableDef::Constraint(Box::new(self.table_constraint()?));
            return Ok(AlterTableCmd { def, ..cmd(AlterTableType::AddConstraint) });
        }
        self.eat(Kw::Column);
        let missing_ok = self.opt_if_not_exists()?;
        let def = AlterTableDef::ColumnDef(Box::new(self.column_def()?));
        Ok(AlterTableCmd { def, missing_ok, ..cmd(AlterTableType::AddColumn) })
    }

    fn alter_drop(&mut self) -> PgResult<AlterTableCmd> {
        let subtype = if self.eat(Kw::Constraint) {
            AlterTableType::DropConstraint
        } else {
            self.eat(Kw::Column);
            AlterTableType::DropColumn
        };
        let missing_ok = self.opt_if_exists()?;
        let name = Some(self.col_id()?);
        let behavior = self.opt_drop_behavior();
        Ok(AlterTableCmd { name, missing_ok, behavior, ..cmd(subtype) })
    }

    fn alter_set(&mut self) -> PgResult<AlterTableCmd> {
        use AlterTableType::*;
        if self.at_tok(Tok::LParen) {
            let def = AlterTableDef::Options(self.reloptions()?);
            return Ok(AlterTableCmd { def, ..cmd(SetRelOptions) });
        }
        match self.eat_any(&[Kw::Without, Kw::Logged, Kw::Unlogged, Kw::Access, Kw::Tablespace]) {
            Some(Kw::Without) => match self.eat_any(&[Kw::Oids, Kw::Cluster]) {
                Some(Kw::Oids) => Ok(cmd(DropOids)),
                Some(_) => Ok(cmd(DropCluster)),
                None => Err(self.unexpected()),
            },
            Some(Kw::Logged) => Ok(cmd(SetLogged)),
            Some(Kw::Unlogged) => Ok(cmd(SetUnLogged)),
            Some(Kw::Access) => {
                self.expect(Kw::Method)?;
                let name = if self.eat(Kw::Default) { None } else { Some(self.col_id()?) };
                Ok(AlterTableCmd { name, ..cmd(SetAccessMethod) })
            }
            Some(_) => Ok(AlterTableCmd { name: Some(self.name()?), ..cmd(SetTableSpace) }),
            None => Err(self.unexpected()),
        }
    }

    fn alter_enable(&mut self) -> PgResult<AlterTableCmd> {
        use AlterTableType::*;
        let named = |p: &mut Self, subtype| Ok(AlterTableCmd { name: Some(p.name()?), ..cmd(subtype) });
        let mode = self.eat_any(&[Kw::Always, Kw::Replica]);
        match self.eat_any(&[Kw::Trigger, Kw::Rule]) {
            Some(Kw::Trigger) => match mode {
                Some(Kw::Always) => named(self, EnableAlwaysTrig),
                Some(_) => named(self, EnableReplicaTrig),
                None => match self.eat_any(&[Kw::All, Kw::User]) {
                    Some(Kw::All) => Ok(cmd(EnableTrigAll)),
                    Some(_) => Ok(cmd(EnableTrigUser)),
                    None => named(self, EnableTrig),
                },
            },
            Some(_) => match mode {
                Some(Kw::Always) => named(self, EnableAlwaysRule),
                Some(_) => named(self, EnableReplicaRule),
                None => named(self, EnableRule),
            },
            None if mode.is_none() => {
                self.expect_all(&[Kw::Row, Kw::Level, Kw::Security])?;
                Ok(cmd(EnableRowSecurity))
            }
            None => Err(self.unexpected()),
        }
    }

    fn alter_disable(&mut self) -> PgResult<AlterTableCmd> {
        use AlterTableType::*;
        match self.eat_any(&[Kw::Trigger, Kw::Rule]) {
            Some(Kw::Trigger) => match self.eat_any(&[Kw::All, Kw::User]) {
                Some(Kw::All) => Ok(cmd(DisableTrigAll)),
                Some(_) => Ok(cmd(DisableTrigUser)),
                None => Ok(AlterTableCmd { name: Some(self.name()?), ..cmd(DisableTrig) }),
            },
            Some(_) => Ok(AlterTableCmd { name: Some(self.name()?), ..cmd(DisableRule) }),
            None => {
                self.expect_all(&[Kw::Row, Kw::Level, Kw::Security])?;
                Ok(cmd(DisableRowSecurity))
            }
        }
    }

    fn replica_identity(&mut self) -> PgResult<AlterTableCmd> {
        self.expect(Kw::Identity)?;
        let mut name = None;
        let identity_type = match self.eat_any(&[Kw::Nothing, Kw::Full, Kw::Default, Kw::Using]) {
            Some(Kw::Nothing) => 'n',
            Some(Kw::Full) => 'f',
            Some(Kw::Default) => 'd',
            Some(_) => {
                self.expect(Kw::Index)?;
                name = Some(self.name()?);
                'i'
            }
            None => return Err(self.unexpected()),
        };
        let def = AlterTableDef::ReplicaIdentity(ReplicaIdentityStmt { identity_type, name });
        Ok(AlterTableCmd { def, ..cmd(AlterTableType::ReplicaIdentity) })
    }

    /// `ALTER [COLUMN] name ...` and `ALTER CONSTRAINT name ...`, after ALTER.
    fn alter_column(&mut self) -> PgResult<AlterTableCmd> {
        use AlterTableType::*;
        if self.eat(Kw::Constraint) {
            return self.alter_constraint();
        }
        self.eat(Kw::Column);
        let location = self.loc();
        if self.at_tok(Tok::Iconst) {
            let number = self.iconst()?;
            self.expect_all(&[Kw::Set, Kw::Statistics])?;
            let def = self.statistics_value()?;
            let Some(num) = i16::try_from(number).ok().filter(|&n| n > 0) else {
                let message = format!("column number must be in range from 1 to {}", i16::MAX);
                return Err(PgError::new(codes::INVALID_PARAMETER_VALUE, message).at(location));
            };
            return Ok(AlterTableCmd { num, def, ..cmd(SetStatistics) });
        }
        let name = Some(self.col_id()?);
        let c = match self.kw() {
            Kw::Options => {
                let def = AlterTableDef::Options(self.alter_generic_options()?);
                AlterTableCmd { def, ..cmd(AlterColumnGenericOptions) }
            }
            Kw::Type => self.alter_column_type(location)?,
            Kw::Restart => self.alter_identity()?,
            Kw::Reset => {
                self.bump();
                AlterTableCmd { def: AlterTableDef::Options(self.reloptions()?), ..cmd(ResetOptions) }
            }
            Kw::Add => {
                self.bump();
                let generated_at = self.loc();
                self.expect(Kw::Generated)?;
                let mut c = Constraint::new(ConstrType::Identity, generated_at);
                c.generated_when = Some(self.generated_when()?);
                self.expect_all(&[Kw::As, Kw::Identity])?;
                c.options = self.opt_paren_seq_options()?;
                AlterTableCmd { def: AlterTableDef::Constraint(Box::new(c)), ..cmd(AddIdentity) }
            }
            Kw::Drop => self.alter_column_drop()?,
            Kw::Set => self.alter_column_set(location)?,
            _ => return Err(self.unexpected()),
        };
        Ok(AlterTableCmd { name, ..c })
    }

    /// `[SET DATA] TYPE type ...`, at TYPE.
    fn alter_column_type(&mut self, location: i32) -> PgResult<AlterTableCmd> {
        self.expect(Kw::Type)?;
        let type_name = Some(self.typename()?);
        let coll_clause = self.opt_collate_clause()?;
        let raw_default = if self.eat(Kw::Using) { Some(self.a_expr()?) } else { None };
        let def = ColumnDef { type_name, coll_clause, raw_default, location, ..ColumnDef::default() };
        Ok(AlterTableCmd {
            def: AlterTableDef::ColumnDef(Box::new(def)),
            ..cmd(AlterTableType::AlterColumnType)
        })
    }

    fn alter_column_drop(&mut self) -> PgResult<AlterTableCmd> {
        use AlterTableType::*;
        self.bump();
        match self.eat_any(&[Kw::Default, Kw::Not, Kw::Expression, Kw::Identity]) {
            Some(Kw::Default) => Ok(cmd(ColumnDefault)),
            Some(Kw::Not) => self.expect(Kw::Null).map(|()| cmd(DropNotNull)),
            Some(kw) => {
                let missing_ok = self.eat_seq(&[Kw::If, Kw::Exists])?;
                let subtype = if kw == Kw::Expression { DropExpression } else { DropIdentity };
                Ok(AlterTableCmd { missing_ok, ..cmd(subtype) })
            }
            None => Err(self.unexpected()),
        }
    }

    fn alter_column_set(&mut self, location: i32) -> PgResult<AlterTableCmd> {
        use AlterTableType::*;
        if self.ahead(1).kw == Kw::Generated || self.is_seq_set() {
            return self.alter_identity();
        }
        self.bump();
        let c = |def, subtype| Ok(AlterTableCmd { def, ..cmd(subtype) });
        if self.at_tok(Tok::LParen) {
            return c(AlterTableDef::Options(self.reloptions()?), SetOptions);
        }
        let kws =
            [Kw::Default, Kw::Not, Kw::Expression, Kw::Statistics, Kw::Storage, Kw::Compression, Kw::Data];
        match self.eat_any(&kws) {
            Some(Kw::Default) => c(AlterTableDef::Expr(self.a_expr()?), ColumnDefault),
            Some(Kw::Not) => self.expect(Kw::Null).map(|()| cmd(SetNotNull)),
            Some(Kw::Expression) => {
                self.expect(Kw::As)?;
                c(AlterTableDef::Expr(self.paren_expr_only()?), SetExpression)
            }
            Some(Kw::Statistics) => c(self.statistics_value()?, SetStatistics),
            Some(Kw::Storage) => c(AlterTableDef::String(self.col_id_or_default()?), SetStorage),
            Some(Kw::Compression) => c(AlterTableDef::String(self.col_id_or_default()?), SetCompression),
            Some(_) => self.alter_column_type(location),
            None => Err(self.unexpected()),
        }
    }

    /// Whether SET is followed by a sequence option.
    fn is_seq_set(&self) -> bool {
        matches!(
            self.ahead(1).kw,
            Kw::As
                | Kw::Cache
                | Kw::Cycle
                | Kw::No
                | Kw::Increment
                | Kw::Logged
                | Kw::Maxvalue
                | Kw::Minvalue
                | Kw::Owned
                | Kw::Sequence
                | Kw::Start
                | Kw::Restart
                | Kw::Unlogged
        )
    }

    /// alter_identity_column_option_list: RESTART, SET GENERATED, SET option.
    fn alter_identity(&mut self) -> PgResult<AlterTableCmd> {
        let mut options = Vec::new();
        while options.is_empty() || matches!(self.kw(), Kw::Restart | Kw::Set) {
            let location = self.loc();
            if self.eat(Kw::Restart) {
                let value = self.opt_restart_value()?;
                options.push(DefElem::new("restart", value, location));
                continue;
            }
            self.expect(Kw::Set)?;
            if self.eat(Kw::Generated) {
                let when = DefArg::Integer(self.generated_when()? as i32);
                options.push(DefElem::new("generated", Some(when), location));
                continue;
            }
            let elem = self.seq_opt_elem()?;
            if matches!(elem.defname.as_str(), "as" | "restart" | "owned_by") {
                let message = format!("sequence option \"{}\" not supported here", elem.defname);
                return Err(PgError::syntax(message).at(elem.location));
            }
            options.push(elem);
        }
        Ok(AlterTableCmd { def: AlterTableDef::Options(options), ..cmd(AlterTableType::SetIdentity) })
    }

    /// set_statistics_value: a number or DEFAULT
    pub(in crate::parser) fn statistics_value(&mut self) -> PgResult<AlterTableDef> {
        if self.eat(Kw::Default) {
            return Ok(AlterTableDef::None);
        }
        self.signed_iconst().map(AlterTableDef::Integer)
    }

    fn alter_constraint(&mut self) -> PgResult<AlterTableCmd> {
        let conname = self.name()?;
        let mut alter = AtAlterConstraint { conname, is_enforced: true, ..AtAlterConstraint::default() };
        if self.eat(Kw::Inherit) {
            alter.is_enforced = false;
            alter.alter_inheritability = true;
        } else {
            let a = self.constraint_attributes()?;
            if a.has(cas::NOT_VALID) {
                let message = "constraints cannot be altered to be NOT VALID";
                return Err(PgError::unsupported(message).at(a.location));
            }
            alter.alter_enforceability = a.has(cas::NOT_ENFORCED | cas::ENFORCED);
            alter.alter_deferrability = a.has(
                cas::DEFERRABLE | cas::NOT_DEFERRABLE | cas::INITIALLY_DEFERRED | cas::INITIALLY_IMMEDIATE,
            );
            alter.alter_inheritability = a.has(cas::NO_INHERIT);
            alter.deferrable = a.has(cas::DEFERRABLE | cas::INITIALLY_DEFERRED);
            alter.initdeferred = a.has(cas::INITIALLY_DEFERRED);
            alter.is_enforced = !a.has(cas::NOT_ENFORCED);
            alter.noinherit = a.has(cas::NO_INHERIT);
        }
        let def = AlterTableDef::AlterConstraint(Box::new(alter));
        Ok(AlterTableCmd { def, ..cmd(AlterTableType::AlterConstraint) })
    }

    /// An attribute command of ALTER TYPE.
    pub(in crate::parser) fn alter_type_cmd(&mut self) -> PgResult<AlterTableCmd> {
        use AlterTableType::*;
        let kw = self.eat_any(&[Kw::Add, Kw::Drop, Kw::Alter]);
        if kw.is_none() {
            return Err(self.unexpected());
        }
        self.expect(Kw::Attribute)?;
        let mut c = match kw {
            Some(Kw::Add) => {
                let def = AlterTableDef::ColumnDef(Box::new(self.table_func_element()?));
                AlterTableCmd { def, ..cmd(AddColumn) }
            }
            Some(Kw::Drop) => {
                let missing_ok = self.opt_if_exists()?;
                AlterTableCmd { name: Some(self.col_id()?), missing_ok, ..cmd(DropColumn) }
            }
            _ => {
                let location = self.loc();
                let name = Some(self.col_id()?);
                self.eat_seq(&[Kw::Set, Kw::Data])?;
                self.expect(Kw::Type)?;
                let type_name = Some(self.typename()?);
                let coll_clause = self.opt_collate_clause()?;
                let def = ColumnDef { type_name, coll_clause, location, ..ColumnDef::default() };
                let def = AlterTableDef::ColumnDef(Box::new(def));
                AlterTableCmd { name, def, ..cmd(AlterColumnType) }
            }
        };
        c.behavior = self.opt_drop_behavior();
        Ok(c)
    }
}
