//! CREATE FUNCTION and PROCEDURE; parameters; aggregate and operator signatures.

use pglite_error::{PgError, PgResult};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

/// The types of the input parameters.
fn input_types(parameters: &[FunctionParameter]) -> Vec<Option<TypeName>> {
    parameters
        .iter()
        .filter(|p| !matches!(p.mode, FunctionParameterMode::Out | FunctionParameterMode::Table))
        .map(|p| Some(p.arg_type.clone()))
        .collect()
}

impl Parser<'_> {
    /// CREATE FUNCTION or PROCEDURE, at that word.
    pub(in crate::parser) fn create_function_stmt(&mut self, replace: bool) -> PgResult<CreateFunctionStmt> {
        let is_procedure = self.bump().kw == Kw::Procedure;
        let funcname = self.func_name()?;
        let mut parameters = self.func_args(true)?;
        let mut return_type = None;
        if !is_procedure && self.at(Kw::Returns) && self.ahead(1).kw != Kw::Null {
            self.bump();
            let location = self.loc();
            if self.eat(Kw::Table) {
                let columns = self.paren_list(Self::table_func_column)?;
                return_type = Some(self.table_func_type(&columns, location));
                if let Some(p) = parameters.iter().find(|p| {
                    !matches!(
                        p.mode,
                        FunctionParameterMode::Default
                            | FunctionParameterMode::In
                            | FunctionParameterMode::Variadic
                    )
                }) {
                    // PostgreSQL sees the whole statement before it complains.
                    let at = p.location;
                    self.create_func_options()?;
                    self.opt_routine_body()?;
                    let message = "OUT and INOUT arguments aren't allowed in TABLE functions";
                    return Err(PgError::syntax(message).at(at));
                }
                parameters.extend(columns);
            } else {
                return_type = Some(self.func_type()?);
            }
        }
        let options = self.create_func_options()?;
        let sql_body = self.opt_routine_body()?;
        Ok(CreateFunctionStmt { is_procedure, replace, funcname, parameters, return_type, options, sql_body })
    }

    /// The result of RETURNS TABLE: its one column's type, or record; a set.
    fn table_func_type(&self, columns: &[FunctionParameter], location: i32) -> TypeName {
        let mut t = match columns {
            [one] => one.arg_type.clone(),
            _ => TypeName::system("record", -1),
        };
        t.setof = true;
        t.location = location;
        t
    }

    fn table_func_column(&mut self) -> PgResult<FunctionParameter> {
        let location = self.loc();
        let name = Some(self.type_function_name()?);
        let arg_type = self.func_type()?;
        Ok(FunctionParameter { name, arg_type, mode: FunctionParameterMode::Table, defexpr: None, location })
    }

    /// `(parameter, ...)`, perhaps empty.
    pub(in crate::parser) fn func_args(&mut self, defaults: bool) -> PgResult<Vec<FunctionParameter>> {
        self.lparen()?;
        if self.eat_tok(Tok::RParen) {
            return Ok(Vec::new());
        }
        let args = self.list(|p| {
            let mut arg = p.func_arg()?;
            if defaults && (p.at(Kw::Default) || p.at_tok(Tok::Equals)) {
                p.bump();
                arg.defexpr = Some(p.a_expr()?);
            }
            Ok(arg)
        })?;
        self.rparen()?;
        Ok(args)
    }

    fn opt_arg_class(&mut self) -> Option<FunctionParameterMode> {
        match self.eat_any(&[Kw::In, Kw::Out, Kw::Inout, Kw::Variadic])? {
            Kw::In if self.eat(Kw::Out) => Some(FunctionParameterMode::InOut),
            Kw::In => Some(FunctionParameterMode::In),
            Kw::Out => Some(FunctionParameterMode::Out),
            Kw::Inout => Some(FunctionParameterMode::InOut),
            _ => Some(FunctionParameterMode::Variadic),
        }
    }

    /// func_arg: mode and name in either order, both optional.
    pub(in crate::parser) fn func_arg(&mut self) -> PgResult<FunctionParameter> {
        let location = self.loc();
        let mut mode = self.opt_arg_class();
        let mut name = None;
        if self.is_type_function_name(0) && !self.at_all(&[Kw::Double, Kw::Precision]) {
            let class_next = matches!(self.ahead(1).kw, Kw::In | Kw::Out | Kw::Inout | Kw::Variadic);
            if self.is_type_start(1) || (mode.is_none() && class_next) {
                name = Some(self.type_function_name()?);
                if mode.is_none() {
                    mode = self.opt_arg_class();
                }
            }
        }
        let arg_type = self.func_type()?;
        let mode = mode.unwrap_or_default();
        Ok(FunctionParameter { name, arg_type, mode, defexpr: None, location })
    }

    /// function_with_argtypes: a function, perhaps without its arguments.
    pub(in crate::parser) fn function_with_argtypes(&mut self) -> PgResult<ObjectWithArgs> {
        let location = self.loc();
        let callable = self.is_type_function_name(0) || matches!(self.ahead(1).tok, Tok::Dot | Tok::LBracket);
        let objname = if self.is_col_id(0) {
            let first = self.col_id()?;
            self.name_indirection(vec![first])?
        } else {
            vec![self.type_function_name()?]
        };
        if !callable || !self.at_tok(Tok::LParen) {
            return Ok(ObjectWithArgs {
                objname,
                args_unspecified: true,
                location,
                ..ObjectWithArgs::default()
            });
        }
        let objfuncargs = self.func_args(false)?;
        let objargs = input_types(&objfuncargs);
        Ok(ObjectWithArgs { objname, objargs, objfuncargs, args_unspecified: false, location })
    }

    fn aggr_arg(&mut self) -> PgResult<FunctionParameter> {
        use FunctionParameterMode::*;
        let arg = self.func_arg()?;
        if !matches!(arg.mode, Default | In | Variadic) {
            return Err(PgError::unsupported("aggregates cannot have output arguments").at(arg.location));
        }
        Ok(arg)
    }

    /// aggr_args: `(*)`, `(args)`, `([args] ORDER BY args)`
    pub(in crate::parser) fn aggr_args(&mut self) -> PgResult<AggrArgs> {
        self.lparen()?;
        let mut result = AggrArgs { args: Vec::new(), num_direct_args: -1 };
        if self.eat_tok(Tok::Star) {
            self.rparen()?;
            return Ok(result);
        }
        if !self.at(Kw::Order) {
            result.args = self.list(Self::aggr_arg)?;
        }
        if self.eat_seq(&[Kw::Order, Kw::By])? {
            let ordered = self.list(Self::aggr_arg)?;
            result.num_direct_args = result.args.len() as i32;
            self.rparen()?;
            return self.ordered_set_args(result, ordered);
        }
        self.rparen()?;
        Ok(result)
    }

    /// A VARIADIC direct argument stands for the aggregated one, too.
    fn ordered_set_args(&self, mut result: AggrArgs, ordered: Vec<FunctionParameter>) -> PgResult<AggrArgs> {
        let Some(last) = result.args.last().filter(|a| a.mode == FunctionParameterMode::Variadic) else {
            result.args.extend(ordered);
            return Ok(result);
        };
        let same = |a: &TypeName, b: &TypeName| {
            let plain = |t: &TypeName| TypeName { location: -1, ..t.clone() };
            plain(a) == plain(b)
        };
        match &ordered[..] {
            [one] if one.mode == FunctionParameterMode::Variadic && same(&one.arg_type, &last.arg_type) => {
                Ok(result)
            }
            _ => Err(PgError::unsupported(
                "an ordered-set aggregate with a VARIADIC direct argument must have one VARIADIC aggregated argument of the same data type",
            )
            .at(ordered.first().map_or(-1, |a| a.location))),
        }
    }

    pub(in crate::parser) fn aggregate_with_argtypes(&mut self) -> PgResult<ObjectWithArgs> {
        let location = self.loc();
        let objname = self.func_name()?;
        let objfuncargs = self.aggr_args()?.args;
        let objargs = input_types(&objfuncargs);
        Ok(ObjectWithArgs { objname, objargs, objfuncargs, args_unspecified: false, location })
    }

    /// operator_with_argtypes
    pub(in crate::parser) fn operator_with_argtypes(&mut self) -> PgResult<ObjectWithArgs> {
        let location = self.loc();
        let objname = self.any_operator()?;
        let objargs = self.oper_argtypes()?;
        Ok(ObjectWithArgs { objname, objargs, location, ..ObjectWithArgs::default() })
    }

    /// `(left, right)`, either of which may be NONE.
    pub(in crate::parser) fn oper_argtypes(&mut self) -> PgResult<Vec<Option<TypeName>>> {
        self.lparen()?;
        if self.eat(Kw::None) {
            self.expect_tok(Tok::Comma)?;
            let right = self.typename()?;
            self.rparen()?;
            return Ok(vec![None, Some(right)]);
        }
        let left = self.typename()?;
        let location = self.loc();
        if self.eat_tok(Tok::RParen) {
            return Err(PgError::syntax("missing argument")
                .hint("Use NONE to denote the missing argument of a unary operator.")
                .at(location));
        }
        self.expect_tok(Tok::Comma)?;
        let right = if self.eat(Kw::None) { None } else { Some(self.typename()?) };
        self.rparen()?;
        Ok(vec![Some(left), right])
    }
}
