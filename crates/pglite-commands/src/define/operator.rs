//! CREATE OPERATOR, ALTER OPERATOR ... SET.

use pglite_catalog::acl;
use pglite_catalog::depend::{DependencyType, ObjectAddress};
use pglite_catalog::rows::{NamespaceRow, OperatorRow, ProcRow, TypeRow};
use pglite_error::{PgError, PgResult, Severity, bail, codes, err};
use pglite_parser::ast::{AlterOperatorStmt, DefineStmt, ObjectName, ObjectType};
use pglite_types::{Oid, oid};

use super::{bool_of, function, names_of, type_name_of, type_of};
use crate::ctx;
use crate::host::{CommandHost, CommandOutcome};
use crate::objects::{self, Lookup};

#[derive(Default)]
struct Options {
    left: Option<Oid>,
    right: Option<Oid>,
    function: Option<Vec<String>>,
    commutator: Option<Vec<String>>,
    negator: Option<Vec<String>>,
    restrict: Option<Vec<String>>,
    join: Option<Vec<String>>,
    hashes: bool,
    merges: bool,
}

fn selectivity(host: &dyn CommandHost, names: &[String], types: &[Oid], what: &str) -> PgResult<Oid> {
    let f = function(host, names, types)?;
    let s = host.snapshot();
    if s.proc_by_oid(f).is_none_or(|p| p.prorettype != oid::FLOAT8) {
        bail!(
            INVALID_OBJECT_DEFINITION,
            "{what} estimator function {} must return type {}",
            names.join("."),
            "double precision"
        );
    }
    Ok(f)
}

const RESTRICT_ARGS: [Oid; 4] = [Oid(2281), oid::OID, Oid(2281), oid::INT4];
const JOIN_ARGS: [Oid; 5] = [Oid(2281), oid::OID, Oid(2281), oid::INT2, Oid(2281)];

fn join_function(host: &dyn CommandHost, names: &[String]) -> PgResult<Oid> {
    match selectivity(host, names, &JOIN_ARGS, "join") {
        Ok(f) => Ok(f),
        Err(e) if e.code() == codes::UNDEFINED_FUNCTION => {
            selectivity(host, names, &JOIN_ARGS[..4], "join").map_err(|_| e)
        }
        Err(e) => Err(e),
    }
}

fn options(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<Options> {
    let mut o = Options::default();
    for e in &d.definition {
        match e.defname.as_str() {
            "leftarg" | "rightarg" => {
                let t = type_name_of(e)?;
                if t.setof {
                    bail!(INVALID_FUNCTION_DEFINITION, "SETOF type not allowed for operator argument");
                }
                let ty = type_of(host, &t)?;
                if e.defname == "leftarg" { o.left = Some(ty) } else { o.right = Some(ty) }
            }
            "function" | "procedure" => o.function = Some(names_of(e)?),
            "commutator" => o.commutator = Some(names_of(e)?),
            "negator" => o.negator = Some(names_of(e)?),
            "restrict" => o.restrict = Some(names_of(e)?),
            "join" => o.join = Some(names_of(e)?),
            "hashes" => o.hashes = bool_of(e)?,
            "merges" => o.merges = bool_of(e)?,
            "sort1" | "sort2" | "ltcmp" | "gtcmp" => o.merges = true,
            other => {
                let w = PgError::new(
                    codes::SYNTAX_ERROR,
                    format!("operator attribute \"{other}\" not recognized"),
                );
                ctx::notice(host, w.severity(Severity::Warning));
            }
        }
    }
    Ok(o)
}

fn valid_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() < 64
        && name.chars().all(|c| "~!@#^&|`?+-*/%<>=".contains(c))
        && !name.contains("/*")
        && !name.contains("--")
        && name != "!="
}

/// The partner operator by name: one that is there, this very one (0), or a new shell.
fn partner(
    host: &dyn CommandHost,
    names: &[String],
    left: Oid,
    right: Oid,
    own: (&str, Oid, Oid, Oid),
    commutator: bool,
) -> PgResult<Option<Oid>> {
    let env = host.env();
    let (schema, name) = objects::split(&*env, names)?;
    let s = host.snapshot();
    if let Some(found) = env.search_path().operator_exact(&s, schema.as_deref(), &name, left, right)? {
        return Ok(Some(found.oid));
    }
    drop(env);
    let (namespace, name) = objects::creation_namespace(host, names)?;
    if name == own.0 && namespace == own.1 && left == own.2 && right == own.3 {
        if !commutator {
            bail!(INVALID_FUNCTION_DEFINITION, "operator cannot be its own negator");
        }
        return Ok(None);
    }
    let oid = ctx::new_oid(host)?;
    let row = OperatorRow {
        oid,
        oprname: name.as_str().into(),
        oprnamespace: namespace,
        oprowner: ctx::user(host),
        oprkind: if left.is_valid() { b'b' } else { b'l' },
        oprcanmerge: false,
        oprcanhash: false,
        oprleft: left,
        oprright: right,
        oprresult: Oid::INVALID,
        oprcom: Oid::INVALID,
        oprnegate: Oid::INVALID,
        oprcode: Oid::INVALID,
        oprrest: Oid::INVALID,
        oprjoin: Oid::INVALID,
    };
    store(host, row)?;
    Ok(Some(oid))
}

fn store(host: &dyn CommandHost, row: OperatorRow) -> PgResult<()> {
    host.with_catalog(&mut |c| {
        let me = ObjectAddress::of::<OperatorRow>(row.oid);
        c.forget_dependencies(me, true);
        c.forget_shared_dependencies(me);
        c.insert(row.clone());
        let n = DependencyType::Normal;
        c.record_dependency(me, ObjectAddress::of::<NamespaceRow>(row.oprnamespace), n);
        for t in [row.oprleft, row.oprright, row.oprresult].into_iter().filter(|t| t.is_valid()) {
            c.record_dependency(me, ObjectAddress::of::<TypeRow>(t), n);
        }
        for f in [row.oprcode, row.oprrest, row.oprjoin].into_iter().filter(|f| f.is_valid()) {
            c.record_dependency(me, ObjectAddress::of::<ProcRow>(f), n);
        }
        c.record_owner(me, row.oprowner);
        Ok(())
    })
}

/// Partners point back at the operator.
fn link_back(host: &dyn CommandHost, row: &OperatorRow) -> PgResult<()> {
    let s = host.snapshot();
    let com = s.operator_by_oid(row.oprcom).filter(|o| o.oid != row.oid).cloned();
    let neg = s.operator_by_oid(row.oprnegate).cloned();
    let taken = |kind: &str, other: &OperatorRow| {
        err!(
            INVALID_FUNCTION_DEFINITION,
            "{kind} operator {} is already the {kind} of operator {}",
            other.oprname,
            s.operator_by_oid(if kind == "commutator" { other.oprcom } else { other.oprnegate })
                .map_or(String::new(), |o| o.oprname.to_string())
        )
    };
    if let Some(c) = &com
        && c.oprcom.is_valid()
        && c.oprcom != row.oid
    {
        return Err(taken("commutator", c));
    }
    if let Some(n) = &neg
        && n.oprnegate.is_valid()
        && n.oprnegate != row.oid
    {
        return Err(taken("negator", n));
    }
    host.with_catalog(&mut |c| {
        if let Some(o) = &com {
            c.modify::<OperatorRow>(o.oid, |r| r.oprcom = row.oid);
        }
        if let Some(o) = &neg {
            c.modify::<OperatorRow>(o.oid, |r| r.oprnegate = row.oid);
        }
        Ok(())
    })
}

pub(crate) fn create(host: &dyn CommandHost, d: &DefineStmt) -> PgResult<()> {
    let (namespace, name) = objects::creation_namespace(host, &d.defnames)?;
    let o = options(host, d)?;
    let Some(func) = &o.function else {
        bail!(INVALID_FUNCTION_DEFINITION, "operator function must be specified");
    };
    let (left, right) = (o.left.unwrap_or_default(), o.right.unwrap_or_default());
    if !left.is_valid() && !right.is_valid() {
        bail!(INVALID_FUNCTION_DEFINITION, "operator argument types must be specified");
    }
    if !right.is_valid() {
        return Err(err!(INVALID_FUNCTION_DEFINITION, "operator right argument type must be specified")
            .detail("Postfix operators are not supported."));
    }
    if !valid_name(&name) {
        bail!(INVALID_NAME, "\"{name}\" is not a valid operator name");
    }
    let types: Vec<Oid> = [left, right].into_iter().filter(|t| t.is_valid()).collect();
    let code = function(host, func, &types)?;
    let s = host.snapshot();
    let user = ctx::user(host);
    if !acl::function_execute(&s, user, code) {
        bail!(INSUFFICIENT_PRIVILEGE, "permission denied for function {}", func.join("."));
    }
    let rest = match &o.restrict {
        Some(f) => selectivity(host, f, &RESTRICT_ARGS, "restriction")?,
        None => Oid::INVALID,
    };
    let join = match &o.join {
        Some(f) => join_function(host, f)?,
        None => Oid::INVALID,
    };
    let result = s.proc_by_oid(code).map_or(Oid::INVALID, |p| p.prorettype);
    if types.len() != 2 {
        if o.commutator.is_some() {
            bail!(INVALID_FUNCTION_DEFINITION, "only binary operators can have commutators");
        }
        if join.is_valid() {
            bail!(INVALID_FUNCTION_DEFINITION, "only binary operators can have join selectivity");
        }
        if o.merges {
            bail!(INVALID_FUNCTION_DEFINITION, "only binary operators can merge join");
        }
        if o.hashes {
            bail!(INVALID_FUNCTION_DEFINITION, "only binary operators can hash");
        }
    }
    if result != oid::BOOL {
        if o.negator.is_some() {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can have negators");
        }
        if rest.is_valid() {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can have restriction selectivity");
        }
        if join.is_valid() {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can have join selectivity");
        }
        if o.merges {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can merge join");
        }
        if o.hashes {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can hash");
        }
    }
    let existing = s.operators_exact(&name, left, right).find(|x| x.oprnamespace == namespace).cloned();
    if let Some(x) = &existing
        && x.oprcode.is_valid()
    {
        bail!(DUPLICATE_FUNCTION, "operator {name} already exists");
    }
    let own = (name.as_str(), namespace, left, right);
    let me = match &existing {
        Some(x) => x.oid,
        None => ctx::new_oid(host)?,
    };
    let com = match &o.commutator {
        Some(n) => partner(host, n, right, left, own, true)?.unwrap_or(me),
        None => existing.as_ref().map_or(Oid::INVALID, |x| x.oprcom),
    };
    let neg = match &o.negator {
        Some(n) => match partner(host, n, left, right, own, false)? {
            Some(x) if x == me => bail!(INVALID_FUNCTION_DEFINITION, "operator cannot be its own negator"),
            other => other.unwrap_or_default(),
        },
        None => existing.as_ref().map_or(Oid::INVALID, |x| x.oprnegate),
    };
    let row = OperatorRow {
        oid: me,
        oprname: name.as_str().into(),
        oprnamespace: namespace,
        oprowner: user,
        oprkind: if left.is_valid() { b'b' } else { b'l' },
        oprcanmerge: o.merges,
        oprcanhash: o.hashes,
        oprleft: left,
        oprright: right,
        oprresult: result,
        oprcom: com,
        oprnegate: neg,
        oprcode: code,
        oprrest: rest,
        oprjoin: join,
    };
    store(host, row.clone())?;
    link_back(host, &row)
}

/// ALTER OPERATOR ... SET (...).
pub(crate) fn alter(host: &dyn CommandHost, a: &AlterOperatorStmt) -> PgResult<CommandOutcome> {
    let object = ObjectName::WithArgs(Box::new(a.opername.clone()));
    let found = objects::resolve(host, &ObjectType::Operator, &object, Lookup::default())?;
    objects::check_owner(host, &found, &ObjectType::Operator)?;
    let s = host.snapshot();
    let mut row = s.operator_by_oid(found.object).cloned().unwrap_or_default();
    let old = row.clone();
    let name = row.oprname.to_string();
    let own = (name.as_str(), row.oprnamespace, row.oprleft, row.oprright);
    for d in &a.options {
        match d.defname.as_str() {
            "restrict" => {
                row.oprrest = match d.arg {
                    None => Oid::INVALID,
                    _ => selectivity(host, &names_of(d)?, &RESTRICT_ARGS, "restriction")?,
                }
            }
            "join" => {
                row.oprjoin = match d.arg {
                    None => Oid::INVALID,
                    _ => join_function(host, &names_of(d)?)?,
                }
            }
            "commutator" => {
                let p = partner(host, &names_of(d)?, row.oprright, row.oprleft, own, true)?;
                row.oprcom = p.unwrap_or(row.oid);
            }
            "negator" => {
                row.oprnegate =
                    partner(host, &names_of(d)?, row.oprleft, row.oprright, own, false)?.unwrap_or_default();
                if row.oprnegate == row.oid {
                    bail!(INVALID_FUNCTION_DEFINITION, "operator cannot be its own negator");
                }
            }
            "merges" => row.oprcanmerge = bool_of(d)?,
            "hashes" => row.oprcanhash = bool_of(d)?,
            "leftarg" | "rightarg" | "function" | "procedure" => {
                bail!(SYNTAX_ERROR, "operator attribute \"{}\" cannot be changed", d.defname)
            }
            other => bail!(SYNTAX_ERROR, "operator attribute \"{other}\" not recognized"),
        }
    }
    if row.oprkind != b'b' && row.oprjoin.is_valid() {
        bail!(INVALID_FUNCTION_DEFINITION, "only binary operators can have join selectivity");
    }
    if row.oprresult != oid::BOOL {
        if row.oprrest.is_valid() {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can have restriction selectivity");
        }
        if row.oprjoin.is_valid() {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can have join selectivity");
        }
        if row.oprnegate.is_valid() {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can have negators");
        }
        if row.oprcanmerge {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can merge join");
        }
        if row.oprcanhash {
            bail!(INVALID_FUNCTION_DEFINITION, "only boolean operators can hash");
        }
    }
    let fixed = |what: &str| -> PgResult<()> {
        bail!(
            INVALID_FUNCTION_DEFINITION,
            "operator attribute \"{what}\" cannot be changed if it has already been set"
        )
    };
    if old.oprcom.is_valid() && old.oprcom != row.oprcom {
        fixed("commutator")?;
    }
    if old.oprnegate.is_valid() && old.oprnegate != row.oprnegate {
        fixed("negator")?;
    }
    if old.oprcanmerge && !row.oprcanmerge {
        fixed("merges")?;
    }
    if old.oprcanhash && !row.oprcanhash {
        fixed("hashes")?;
    }
    store(host, row.clone())?;
    link_back(host, &row)?;
    Ok(CommandOutcome::tag("ALTER OPERATOR"))
}
