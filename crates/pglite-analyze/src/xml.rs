//! XML constructors and XMLTABLE.

use crate::prelude::*;

impl Analyzer<'_, '_> {
    pub(crate) fn transform_xml(&mut self, x: &ast::XmlExpr) -> PgResult<Expr> {
        use ast::XmlExprOp as X;
        let op = match x.op {
            X::XmlConcat => XmlOp::Concat,
            X::XmlElement => XmlOp::Element,
            X::XmlForest => XmlOp::Forest,
            X::XmlParse => XmlOp::Parse,
            X::XmlPi => XmlOp::Pi,
            X::XmlRoot => XmlOp::Root,
            X::XmlSerialize => XmlOp::Serialize,
            X::Document => XmlOp::Document,
        };
        let mut out = XmlExpr {
            op,
            name: x.name.clone(),
            named_args: Vec::new(),
            arg_names: Vec::new(),
            args: Vec::new(),
            document: x.xmloption == ast::XmlOptionType::Document,
            indent: false,
            ty: if op == XmlOp::Document { oid::BOOL } else { oid::XML },
            typmod: -1,
            location: x.location,
        };
        for t in &x.named_args {
            let Some(val) = &t.val else { continue };
            let e = self.transform_expr(val)?;
            let name = match (&t.name, val) {
                (Some(n), _) => n.clone(),
                (None, ast::Expr::ColumnRef(_)) => crate::target::figure_colname(val),
                _ => {
                    let msg = if op == XmlOp::Element {
                        "unnamed XML attribute value must be a column reference"
                    } else {
                        "unnamed XML element value must be a column reference"
                    };
                    return Err(err!(SYNTAX_ERROR, "{msg}").at(x.location));
                }
            };
            if op == XmlOp::Element && out.arg_names.contains(&name) {
                return Err(
                    err!(SYNTAX_ERROR, "XML attribute name \"{name}\" appears more than once").at(x.location)
                );
            }
            out.named_args.push(e);
            out.arg_names.push(name);
        }
        for (i, a) in x.args.iter().enumerate() {
            let e = self.transform_expr(a)?;
            let want = match (op, i) {
                (XmlOp::Concat, _) => Some((oid::XML, "XMLCONCAT")),
                (XmlOp::Parse, 0) => Some((oid::TEXT, "XMLPARSE")),
                (XmlOp::Parse, _) => Some((oid::BOOL, "XMLPARSE")),
                (XmlOp::Pi, _) => Some((oid::TEXT, "XMLPI")),
                (XmlOp::Root, 0) => Some((oid::XML, "XMLROOT")),
                (XmlOp::Root, 1) => Some((oid::TEXT, "XMLROOT")),
                (XmlOp::Root, _) => Some((oid::INT4, "XMLROOT")),
                (XmlOp::Document, _) => Some((oid::XML, "IS DOCUMENT")),
                _ => None,
            };
            out.args.push(match want {
                Some((ty, what)) => self.coerce_to_specific(e, ty, -1, what)?,
                None => e,
            });
        }
        Ok(Expr::Xml(Box::new(out)))
    }

    pub(crate) fn transform_xml_serialize(&mut self, x: &ast::XmlSerialize) -> PgResult<Expr> {
        let arg = self.transform_expr(&x.expr)?;
        let arg = self.coerce_to_specific(arg, oid::XML, -1, "XMLSERIALIZE")?;
        let (ty, typmod) = self.resolve_type(&x.type_name)?;
        let e = Expr::Xml(Box::new(XmlExpr {
            op: XmlOp::Serialize,
            name: None,
            named_args: Vec::new(),
            arg_names: Vec::new(),
            args: vec![arg],
            document: x.xmloption == ast::XmlOptionType::Document,
            indent: x.indent,
            ty: oid::TEXT,
            typmod: -1,
            location: x.location,
        }));
        let how = crate::coerce::How {
            context: CoercionContext::Implicit,
            form: CoercionForm::ImplicitCast,
            location: -1,
        };
        match self.coerce_to_target(e, ty, typmod, how)? {
            Ok(e) => Ok(e),
            Err(_) => {
                let name = self.cat.format_type(ty);
                Err(err!(CANNOT_COERCE, "cannot cast XMLSERIALIZE result to {name}").at(x.location))
            }
        }
    }

    pub(crate) fn transform_xml_table(&mut self, t: &ast::RangeTableFunc) -> PgResult<NsItem> {
        Err(PgError::unsupported("XMLTABLE is not supported yet").at(t.location))
    }
}
