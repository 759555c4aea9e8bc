//! Operator lookup and the expressions that operators make.

use pglite_catalog::{Key, OperatorRow};

use crate::coerce::How;
use crate::func::{Candidate, split_name};
use crate::prelude::*;

impl<'e> Cat<'e> {
    /// The operator with exactly these input types along the path (or in the schema).
    pub fn exact_operator(
        self,
        schema: Option<&str>,
        name: &str,
        left: Oid,
        right: Oid,
    ) -> PgResult<Option<Oid>> {
        let table = self.table::<OperatorRow>();
        let key = Key::new().str(name).oid(left).oid(right);
        if let Some(s) = schema {
            let nsp = self.explicit_namespace(s)?;
            return Ok(table.find(OperatorRow::BY_OPRNAME_L_R_N, &key.oid(nsp)).map(|o| o.oid));
        }
        let temp = self.temp_namespace();
        let mut best: Option<(usize, Oid)> = None;
        for o in table.scan(OperatorRow::BY_OPRNAME_L_R_N, &key) {
            let pos = self.path_namespaces().iter().position(|n| *n == o.oprnamespace && Some(*n) != temp);
            if let Some(pos) = pos
                && best.is_none_or(|(p, _)| pos < p)
            {
                best = Some((pos, o.oid));
            }
        }
        Ok(best.map(|(_, o)| o))
    }

    /// PostgreSQL's `OpernameGetCandidates`.
    fn operator_candidates(self, schema: Option<&str>, name: &str, prefix: bool) -> PgResult<Vec<Candidate>> {
        let namespace = schema.map(|s| self.explicit_namespace(s)).transpose()?;
        let temp = self.temp_namespace();
        let mut out: Vec<(usize, Candidate)> = Vec::new();
        for o in self.table::<OperatorRow>().scan(OperatorRow::BY_OPRNAME_L_R_N, &Key::new().str(name)) {
            if (o.oprkind == b'l') != prefix {
                continue;
            }
            let pos = match namespace {
                Some(n) if n == o.oprnamespace => 0,
                Some(_) => continue,
                None => {
                    match self.path_namespaces().iter().position(|n| *n == o.oprnamespace && Some(*n) != temp)
                    {
                        Some(p) => p,
                        None => continue,
                    }
                }
            };
            let args = if prefix { vec![o.oprright] } else { vec![o.oprleft, o.oprright] };
            if let Some((old_pos, old)) = out.iter_mut().find(|(_, c)| c.args == args) {
                if pos < *old_pos {
                    *old_pos = pos;
                    old.oid = o.oid;
                }
                continue;
            }
            out.push((pos, Candidate::plain(o.oid, args)));
        }
        Ok(out.into_iter().map(|(_, c)| c).collect())
    }

    /// The binary operator with these exact types, given that one side may be an unknown literal.
    fn binary_exact(self, schema: Option<&str>, name: &str, left: Oid, right: Oid) -> PgResult<Option<Oid>> {
        let mut was_unknown = false;
        let (mut l, mut r) = (left, right);
        if l == oid::UNKNOWN && r.is_valid() {
            l = r;
            was_unknown = true;
        } else if r == oid::UNKNOWN && l.is_valid() {
            r = l;
            was_unknown = true;
        }
        if let Some(op) = self.exact_operator(schema, name, l, r)? {
            return Ok(Some(op));
        }
        if was_unknown {
            let base = self.base_type(l);
            if base != l {
                return self.exact_operator(schema, name, base, base);
            }
        }
        Ok(None)
    }
}

impl Analyzer<'_, '_> {
    /// PostgreSQL's `oper`: the binary operator for two operand types.
    pub fn binary_operator(&self, names: &[String], left: Oid, right: Oid, location: i32) -> PgResult<Oid> {
        let name = split_name(self.env, names)?;
        if let Some(op) =
            self.cat.binary_exact(name.schema, name.name, left, right).map_err(|e| e.at_if_unset(location))?
        {
            return Ok(op);
        }
        let candidates = self.cat.operator_candidates(name.schema, name.name, false)?;
        let (l, r) = match (left, right) {
            (Oid::INVALID, r) => (r, r),
            (l, Oid::INVALID) => (l, l),
            both => both,
        };
        self.choose_operator(names, &[l, r], left, right, candidates, location)
    }

    /// PostgreSQL's `left_oper`: a prefix operator.
    pub fn prefix_operator(&self, names: &[String], arg: Oid, location: i32) -> PgResult<Oid> {
        let name = split_name(self.env, names)?;
        if let Some(op) = self.cat.exact_operator(name.schema, name.name, Oid::INVALID, arg)? {
            return Ok(op);
        }
        let candidates = self.cat.operator_candidates(name.schema, name.name, true)?;
        self.choose_operator(names, &[arg], Oid::INVALID, arg, candidates, location)
    }

    fn choose_operator(
        &self,
        names: &[String],
        input: &[Oid],
        left: Oid,
        right: Oid,
        candidates: Vec<Candidate>,
        location: i32,
    ) -> PgResult<Oid> {
        let mut ambiguous = false;
        if !candidates.is_empty() {
            let mut usable = self.cat.match_arg_types(input, &candidates);
            if usable.len() == 1 {
                return Ok(usable.swap_remove(0).oid);
            }
            if usable.len() > 1 {
                if let Some(c) = self.cat.select_candidate(input, usable) {
                    return Ok(c.oid);
                }
                ambiguous = true;
            }
        }
        let signature = self.cat.op_signature(names, left, right);
        if ambiguous {
            return Err(err!(AMBIGUOUS_FUNCTION, "operator is not unique: {signature}")
                .hint(
                    "Could not choose a best candidate operator. You might need to add explicit type casts.",
                )
                .at(location));
        }
        let hint = if !left.is_valid() || !right.is_valid() {
            "No operator matches the given name and argument type. You might need to add an explicit type cast."
        } else {
            "No operator matches the given name and argument types. You might need to add explicit type casts."
        };
        Err(err!(UNDEFINED_FUNCTION, "operator does not exist: {signature}").hint(hint).at(location))
    }

    /// PostgreSQL's `make_op`: `left` is missing for prefix operators.
    pub fn make_op(
        &mut self,
        names: &[String],
        left: Option<Expr>,
        right: Expr,
        location: i32,
    ) -> PgResult<Expr> {
        let right_type = right.ty();
        let op = match &left {
            Some(l) => self.binary_operator(names, l.ty(), right_type, location)?,
            None => self.prefix_operator(names, right_type, location)?,
        };
        let row = self.cat.oper(op)?;
        if !row.oprcode.is_valid() {
            let sig = self.cat.op_signature(names, row.oprleft, row.oprright);
            return Err(err!(UNDEFINED_FUNCTION, "operator is only a shell: {sig}").at(location));
        }
        let (args, actual, mut declared) = match left {
            Some(l) => {
                let types = vec![l.ty(), right_type];
                (vec![l, right], types, vec![row.oprleft, row.oprright])
            }
            None => (vec![right], vec![right_type], vec![row.oprright]),
        };
        let ty = self
            .cat
            .enforce_generic_types(&actual, &mut declared, row.oprresult, false)
            .map_err(|e| e.at_if_unset(location))?;
        let args = self.make_arguments(args, &declared)?;
        let retset = self.cat.proc(row.oprcode)?.proretset;
        if retset {
            self.check_srf_placement(location)?;
        }
        let expr = Expr::Op(Box::new(OpExpr {
            op,
            func: row.oprcode,
            ty,
            retset,
            collation: Oid::INVALID,
            input_collation: Oid::INVALID,
            args,
            location,
        }));
        Ok(expr)
    }

    /// PostgreSQL's `make_fn_arguments`: coerces the arguments to the declared types.
    pub fn make_arguments(&mut self, args: Vec<Expr>, declared: &[Oid]) -> PgResult<Vec<Expr>> {
        let mut out = Vec::with_capacity(args.len());
        for (i, arg) in args.into_iter().enumerate() {
            let Some(&want) = declared.get(i) else {
                out.push(arg);
                continue;
            };
            if arg.ty() == want {
                out.push(arg);
                continue;
            }
            out.push(match arg {
                Expr::NamedArg { name, arg, argno, location } => {
                    let arg = Box::new(self.coerce_type(*arg, want, -1, How::IMPLICIT)?);
                    Expr::NamedArg { name, arg, argno, location }
                }
                arg => self.coerce_type(arg, want, -1, How::IMPLICIT)?,
            });
        }
        Ok(out)
    }

    /// PostgreSQL's `make_scalar_array_op`: `left op ANY/ALL (right)`.
    pub fn make_scalar_array_op(
        &mut self,
        names: &[String],
        use_or: bool,
        left: Expr,
        right: Expr,
        location: i32,
    ) -> PgResult<Expr> {
        let left_type = left.ty();
        let array_type = right.ty();
        let elem = if array_type == oid::UNKNOWN {
            oid::UNKNOWN
        } else {
            let e = self.cat.base_element_type(array_type);
            if !e.is_valid() {
                return Err(
                    err!(WRONG_OBJECT_TYPE, "op ANY/ALL (array) requires array on right side").at(location)
                );
            }
            e
        };
        let op = self.binary_operator(names, left_type, elem, location)?;
        let row = self.cat.oper(op)?;
        if !row.oprcode.is_valid() {
            let sig = self.cat.op_signature(names, row.oprleft, row.oprright);
            return Err(err!(UNDEFINED_FUNCTION, "operator is only a shell: {sig}").at(location));
        }
        let mut declared = [row.oprleft, row.oprright];
        let ret = self
            .cat
            .enforce_generic_types(&[left_type, elem], &mut declared, row.oprresult, false)
            .map_err(|e| e.at_if_unset(location))?;
        if ret != oid::BOOL {
            return Err(
                err!(WRONG_OBJECT_TYPE, "op ANY/ALL (array) requires operator to yield boolean").at(location)
            );
        }
        if self.cat.proc(row.oprcode)?.proretset {
            return Err(err!(WRONG_OBJECT_TYPE, "op ANY/ALL (array) requires operator not to return a set")
                .at(location));
        }
        let array = if crate::coerce::is_polymorphic(declared[1]) {
            array_type
        } else {
            let a = self.cat.array_type(declared[1]);
            if !a.is_valid() {
                let name = self.cat.format_type(declared[1]);
                return Err(
                    err!(UNDEFINED_OBJECT, "could not find array type for data type {name}").at(location)
                );
            }
            a
        };
        let mut args = self.make_arguments(vec![left, right], &[declared[0], array])?;
        let right = args.pop().unwrap_or_else(|| Expr::null(array));
        let left = args.pop().unwrap_or_else(|| Expr::null(declared[0]));
        Ok(Expr::ScalarArrayOp(Box::new(ScalarArrayOpExpr {
            op,
            func: row.oprcode,
            use_or,
            input_collation: Oid::INVALID,
            args: [left, right],
            location,
        })))
    }
}
