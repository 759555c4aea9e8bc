//! Text search: parsers, dictionaries, templates, configurations.

use pglite_error::PgResult;

use crate::ast::*;
use crate::keyword::Kw;
use crate::parser::Parser;
use crate::parser::object::define::define;

impl Parser<'_> {
    /// `TEXT SEARCH kind`, at TEXT.
    pub(in crate::parser) fn text_search_type(&mut self) -> PgResult<ObjectType> {
        self.bump();
        self.expect(Kw::Search)?;
        match self.eat_any(&[Kw::Parser, Kw::Dictionary, Kw::Template, Kw::Configuration]) {
            Some(Kw::Parser) => Ok(ObjectType::TsParser),
            Some(Kw::Dictionary) => Ok(ObjectType::TsDictionary),
            Some(Kw::Template) => Ok(ObjectType::TsTemplate),
            Some(_) => Ok(ObjectType::TsConfiguration),
            None => Err(self.unexpected()),
        }
    }

    pub(in crate::parser) fn create_text_search(&mut self) -> PgResult<DefineStmt> {
        let location = self.loc();
        let kind = self.text_search_type()?;
        let names = self.any_name()?;
        let definition = self.definition()?;
        Ok(DefineStmt { definition, ..define(kind, names, location) })
    }

    /// ALTER TEXT SEARCH, at TEXT.
    pub(in crate::parser) fn alter_text_search(&mut self) -> PgResult<Statement> {
        let kind = self.text_search_type()?;
        let names = self.any_name()?;
        match self.kw() {
            Kw::Add | Kw::Alter | Kw::Drop if kind == ObjectType::TsConfiguration => {
                Ok(self.alter_ts_configuration(names)?.into())
            }
            _ if kind == ObjectType::TsDictionary && self.at_tok(crate::lexer::Tok::LParen) => {
                Ok(AlterTSDictionaryStmt { dictname: names, options: self.definition()? }.into())
            }
            _ => {
                let owned = matches!(kind, ObjectType::TsDictionary | ObjectType::TsConfiguration);
                let without: &[Kw] = if owned { &[] } else { &[Kw::Owner] };
                self.alter_common(kind, ObjectName::Names(names), without)
            }
        }
    }

    /// ADD, ALTER, DROP MAPPING
    fn alter_ts_configuration(&mut self, cfgname: Vec<String>) -> PgResult<AlterTSConfigurationStmt> {
        use AlterTSConfigType::*;
        let kw = self.bump().kw;
        self.expect(Kw::Mapping)?;
        let mut stmt = AlterTSConfigurationStmt {
            kind: AddMapping,
            cfgname,
            tokentype: Vec::new(),
            dicts: Vec::new(),
            override_: kw == Kw::Alter,
            replace: false,
            missing_ok: false,
        };
        if kw == Kw::Drop {
            stmt.kind = DropMapping;
            stmt.missing_ok = self.eat_seq(&[Kw::If, Kw::Exists])?;
            self.expect(Kw::For)?;
            stmt.tokentype = self.name_list()?;
            return Ok(stmt);
        }
        let replace_all = kw == Kw::Alter && self.at(Kw::Replace);
        if !replace_all {
            self.expect(Kw::For)?;
            stmt.tokentype = self.name_list()?;
        }
        if kw == Kw::Alter && self.eat(Kw::Replace) {
            stmt.kind = if replace_all { ReplaceDict } else { ReplaceDictForToken };
            stmt.override_ = false;
            stmt.replace = true;
            let old = self.any_name()?;
            self.any_with()?;
            stmt.dicts = vec![old, self.any_name()?];
            return Ok(stmt);
        }
        if kw == Kw::Alter {
            stmt.kind = AlterMappingForToken;
        }
        self.any_with()?;
        stmt.dicts = self.any_name_list()?;
        Ok(stmt)
    }

    fn any_with(&mut self) -> PgResult<()> {
        if self.eat_any(&[Kw::With, Kw::WithLa]).is_none() { Err(self.unexpected()) } else { Ok(()) }
    }
}
