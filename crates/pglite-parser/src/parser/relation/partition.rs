//! PARTITION BY and partition bounds.

use pglite_error::{PgError, PgResult, codes};

use crate::ast::*;
use crate::keyword::Kw;
use crate::lexer::Tok;
use crate::parser::Parser;

impl Parser<'_> {
    pub(in crate::parser) fn opt_partition_spec(&mut self) -> PgResult<Option<PartitionSpec>> {
        let location = self.loc();
        if !self.eat_seq(&[Kw::Partition, Kw::By])? {
            return Ok(None);
        }
        let strategy_at = self.loc();
        let strategy = self.col_id()?;
        let part_params = self.paren_list(Self::part_elem)?;
        let strategy = match strategy.to_ascii_lowercase().as_str() {
            "list" => PartitionStrategy::List,
            "range" => PartitionStrategy::Range,
            "hash" => PartitionStrategy::Hash,
            _ => {
                let message = format!("unrecognized partitioning strategy \"{strategy}\"");
                return Err(PgError::new(codes::INVALID_PARAMETER_VALUE, message).at(strategy_at));
            }
        };
        Ok(Some(PartitionSpec { strategy, part_params, location }))
    }

    fn part_elem(&mut self) -> PgResult<PartitionElem> {
        let location = self.loc();
        let mut elem = PartitionElem { location, ..PartitionElem::default() };
        if self.at_tok(Tok::LParen) {
            elem.expr = Some(self.paren_expr_only()?);
        } else if self.is_function_not_name() {
            elem.expr = Some(self.func_expr_windowless()?);
        } else {
            elem.name = Some(self.col_id()?);
        }
        elem.collation = self.opt_collate()?;
        elem.opclass = self.opt_qualified_name()?;
        Ok(elem)
    }

    /// FOR VALUES ..., or DEFAULT
    pub(in crate::parser) fn partition_bound_spec(&mut self) -> PgResult<PartitionBoundSpec> {
        let start = self.loc();
        if self.eat(Kw::Default) {
            return Ok(PartitionBoundSpec {
                is_default: true,
                location: start,
                ..PartitionBoundSpec::default()
            });
        }
        self.expect_all(&[Kw::For, Kw::Values])?;
        let location = self.loc();
        let mut bound = PartitionBoundSpec { location, ..PartitionBoundSpec::default() };
        match self.eat_any(&[Kw::With, Kw::In, Kw::From]) {
            Some(Kw::With) => {
                self.hash_bound(&mut bound, location)?;
            }
            Some(Kw::In) => {
                bound.strategy = Some('l');
                bound.listdatums = self.paren_list(Self::a_expr)?;
            }
            Some(_) => {
                bound.strategy = Some('r');
                bound.lowerdatums = self.paren_list(Self::a_expr)?;
                self.expect(Kw::To)?;
                bound.upperdatums = self.paren_list(Self::a_expr)?;
            }
            None => return Err(self.unexpected()),
        }
        Ok(bound)
    }

    fn hash_bound(&mut self, bound: &mut PartitionBoundSpec, with_at: i32) -> PgResult<()> {
        bound.strategy = Some('h');
        let elems = self.paren_list(|p| {
            let location = p.loc();
            Ok((p.non_reserved_word()?, p.iconst()?, location))
        })?;
        let (mut modulus, mut remainder) = (None, None);
        for (name, value, at) in elems {
            let slot = match name.as_str() {
                "modulus" => &mut modulus,
                "remainder" => &mut remainder,
                _ => {
                    let message = format!("unrecognized hash partition bound specification \"{name}\"");
                    return Err(PgError::syntax(message).at(at));
                }
            };
            if slot.replace(value).is_some() {
                let message = format!("{name} for hash partition provided more than once");
                return Err(PgError::new(codes::DUPLICATE_OBJECT, message).at(at));
            }
        }
        let missing =
            |name: &str| PgError::syntax(format!("{name} for hash partition must be specified")).at(with_at);
        bound.modulus = modulus.ok_or_else(|| missing("modulus"))?;
        bound.remainder = remainder.ok_or_else(|| missing("remainder"))?;
        Ok(())
    }
}
