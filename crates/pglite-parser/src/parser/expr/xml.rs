//! SQL/XML: the XML functions and XMLTABLE.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;
use crate::parser::expr::sql_call;

fn xml_expr(op: XmlExprOp, args: Vec<Expr>, location: i32) -> XmlExpr {
    XmlExpr { op, args, location, ..XmlExpr::default() }
}

fn const_expr(val: Value) -> Expr {
    Expr::AConst(Box::new(AConst { val, location: -1 }))
}

/// The values of XMLROOT's STANDALONE argument.
mod standalone {
    pub const YES: i32 = 0;
    pub const NO: i32 = 1;
    pub const NO_VALUE: i32 = 2;
    pub const OMITTED: i32 = 3;
}

impl Parser<'_> {
    /// Inside the parentheses of an XML function.
    pub(in crate::parser) fn xml_func(&mut self, kw: Kw, location: i32) -> PgResult<Expr> {
        let x = match kw {
            Kw::Xmlconcat => xml_expr(XmlExprOp::XmlConcat, self.expr_list()?, location),
            Kw::Xmlelement => self.xml_element(location)?,
            Kw::Xmlforest => {
                let named_args = self.xml_attribute_list()?;
                XmlExpr { named_args, ..xml_expr(XmlExprOp::XmlForest, Vec::new(), location) }
            }
            Kw::Xmlparse => {
                let xmloption = self.document_or_content()?;
                let arg = self.a_expr()?;
                let preserve = match self.eat_any(&[Kw::Preserve, Kw::Strip]) {
                    Some(kw) => {
                        self.expect(Kw::Whitespace)?;
                        kw == Kw::Preserve
                    }
                    None => false,
                };
                let args = vec![arg, const_expr(Value::Boolean(preserve))];
                XmlExpr { xmloption, ..xml_expr(XmlExprOp::XmlParse, args, location) }
            }
            Kw::Xmlpi => {
                self.expect(Kw::Name)?;
                let name = Some(self.col_label()?);
                let args = if self.eat_tok(Tok::Comma) { vec![self.a_expr()?] } else { Vec::new() };
                XmlExpr { name, ..xml_expr(XmlExprOp::XmlPi, args, location) }
            }
            Kw::Xmlroot => self.xml_root(location)?,
            Kw::Xmlexists => {
                let path = self.c_expr()?;
                let doc = self.xmlexists_argument()?;
                return Ok(sql_call("xmlexists", vec![path, doc], location));
            }
            _ => {
                let xmloption = self.document_or_content()?;
                let expr = self.a_expr()?;
                self.expect(Kw::As)?;
                let type_name = self.simple_typename()?;
                let indent = if self.eat(Kw::No) {
                    self.expect(Kw::Indent)?;
                    false
                } else {
                    self.eat(Kw::Indent)
                };
                return Ok(Expr::XmlSerialize(Box::new(XmlSerialize {
                    xmloption,
                    expr,
                    type_name,
                    indent,
                    location,
                })));
            }
        };
        Ok(Expr::XmlExpr(Box::new(x)))
    }

    fn xml_element(&mut self, location: i32) -> PgResult<XmlExpr> {
        self.expect(Kw::Name)?;
        let mut x = xml_expr(XmlExprOp::XmlElement, Vec::new(), location);
        x.name = Some(self.col_label()?);
        if !self.eat_tok(Tok::Comma) {
            return Ok(x);
        }
        if self.at(Kw::Xmlattributes) && self.ahead(1).tok == Tok::LParen {
            self.bump();
            self.bump();
            x.named_args = self.xml_attribute_list()?;
            self.rparen()?;
            if !self.eat_tok(Tok::Comma) {
                return Ok(x);
            }
        }
        x.args = self.expr_list()?;
        Ok(x)
    }

    fn xml_attribute_list(&mut self) -> PgResult<Vec<ResTarget>> {
        self.list(|p| {
            let location = p.loc();
            let val = Some(p.a_expr()?);
            let name = if p.eat(Kw::As) { Some(p.col_label()?) } else { None };
            Ok(ResTarget { name, indirection: Vec::new(), val, location })
        })
    }

    fn xml_root(&mut self, location: i32) -> PgResult<XmlExpr> {
        let doc = self.a_expr()?;
        self.expect_tok(Tok::Comma)?;
        self.expect(Kw::Version)?;
        let version = if self.at_all(&[Kw::No, Kw::Value]) {
            self.bump();
            self.bump();
            const_expr(Value::Null)
        } else {
            self.a_expr()?
        };
        let mut alone = standalone::OMITTED;
        if self.eat_tok(Tok::Comma) {
            self.expect(Kw::Standalone)?;
            alone = match self.eat_any(&[Kw::Yes, Kw::No]) {
                Some(Kw::Yes) => standalone::YES,
                Some(_) if self.eat(Kw::Value) => standalone::NO_VALUE,
                Some(_) => standalone::NO,
                None => return Err(self.unexpected()),
            };
        }
        let args = vec![doc, version, const_expr(Value::Integer(alone))];
        Ok(xml_expr(XmlExprOp::XmlRoot, args, location))
    }

    pub(in crate::parser) fn document_or_content(&mut self) -> PgResult<XmlOptionType> {
        match self.eat_any(&[Kw::Document, Kw::Content]) {
            Some(Kw::Document) => Ok(XmlOptionType::Document),
            Some(_) => Ok(XmlOptionType::Content),
            None => Err(self.unexpected()),
        }
    }

    /// PASSING [BY REF] doc [BY REF]
    fn xmlexists_argument(&mut self) -> PgResult<Expr> {
        self.expect(Kw::Passing)?;
        // BY can also be a column's name.
        if self.at(Kw::By) && matches!(self.ahead(1).kw, Kw::Ref | Kw::Value) {
            self.bump();
            self.bump();
        }
        let doc = self.c_expr()?;
        if self.eat(Kw::By) && self.eat_any(&[Kw::Ref, Kw::Value]).is_none() {
            return Err(self.unexpected());
        }
        Ok(doc)
    }

    /// XMLTABLE(...), at the keyword.
    pub(in crate::parser) fn xmltable(&mut self) -> PgResult<RangeTableFunc> {
        let location = self.bump().start as i32;
        self.lparen()?;
        let mut namespaces = Vec::new();
        if self.at(Kw::Xmlnamespaces) && self.ahead(1).tok == Tok::LParen {
            self.bump();
            namespaces = self.paren_list(Self::xml_namespace_el)?;
            self.expect_tok(Tok::Comma)?;
        }
        let rowexpr = self.c_expr()?;
        let docexpr = self.xmlexists_argument()?;
        self.expect(Kw::Columns)?;
        let columns = self.list(Self::xmltable_column)?;
        self.rparen()?;
        Ok(RangeTableFunc { lateral: false, docexpr, rowexpr, namespaces, columns, alias: None, location })
    }

    fn xml_namespace_el(&mut self) -> PgResult<ResTarget> {
        let location = self.loc();
        if self.eat(Kw::Default) {
            let val = Some(self.b_expr()?);
            return Ok(ResTarget { name: None, indirection: Vec::new(), val, location });
        }
        let val = Some(self.b_expr()?);
        self.expect(Kw::As)?;
        let name = Some(self.col_label()?);
        Ok(ResTarget { name, indirection: Vec::new(), val, location })
    }

    fn xmltable_column(&mut self) -> PgResult<RangeTableFuncCol> {
        let location = self.loc();
        let colname = self.col_id()?;
        let mut col = RangeTableFuncCol { colname, location, ..RangeTableFuncCol::default() };
        if self.eat(Kw::For) {
            self.expect(Kw::Ordinality)?;
            col.for_ordinality = true;
            return Ok(col);
        }
        col.type_name = Some(self.typename()?);
        let mut nullability = false;
        // PostgreSQL looks at the options when it has read them all; the first fault counts.
        let mut fault: Option<PgError> = None;
        loop {
            let at = self.loc();
            let mut fail = |message: String| {
                fault.get_or_insert_with(|| PgError::syntax(message).at(at));
            };
            let null = match (self.tok(), self.kw()) {
                (_, Kw::Not) => {
                    self.bump();
                    self.expect(Kw::Null)?;
                    true
                }
                (_, Kw::Null) => {
                    self.bump();
                    false
                }
                (_, Kw::Default) => {
                    self.bump();
                    if col.coldefexpr.replace(self.b_expr()?).is_some() {
                        fail("only one DEFAULT value is allowed".to_string());
                    }
                    continue;
                }
                (_, Kw::Path) => {
                    self.bump();
                    if col.colexpr.replace(self.b_expr()?).is_some() {
                        fail("only one PATH value per column is allowed".to_string());
                    }
                    continue;
                }
                (Tok::Ident, _) => {
                    let name = self.ident()?;
                    self.b_expr()?;
                    if name == "__pg__is_not_null" {
                        let message = format!("option name \"{name}\" cannot be used in XMLTABLE");
                        return Err(PgError::syntax(message).at(at));
                    }
                    fail(format!("unrecognized column option \"{name}\""));
                    continue;
                }
                _ => break,
            };
            if nullability {
                fail(format!(
                    "conflicting or redundant NULL / NOT NULL declarations for column \"{}\"",
                    col.colname
                ));
            }
            nullability = true;
            col.is_not_null = null;
        }
        fault.map_or(Ok(col), Err)
    }
}
