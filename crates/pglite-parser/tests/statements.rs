//! The shape of statements, family by family: the fields that later stages rely on.

use pglite_parser::ast::*;
use pglite_parser::{ParseOptions, parse};

#[track_caller]
fn one(sql: &str) -> Statement {
    let mut parsed = parse(sql, &ParseOptions::default()).unwrap_or_else(|e| panic!("{sql}: {e}"));
    assert_eq!(parsed.stmts.len(), 1, "{sql}");
    parsed.stmts.remove(0).stmt
}

macro_rules! get {
    ($kind:ident, $sql:expr) => {
        match one($sql) {
            Statement::$kind(s) => *s,
            other => panic!("{other:?}"),
        }
    };
}

#[test]
fn texts_are_cut_into_statements() {
    let sql = " ; select 1; -- c\n ;insert into t default values ; ";
    let parsed = parse(sql, &ParseOptions::default()).unwrap();
    let spans: Vec<_> = parsed.stmts.iter().map(|s| (s.location, s.len)).collect();
    assert_eq!(spans, [(3, 8), (20, 29)]);
    assert!(parse("", &ParseOptions::default()).unwrap().stmts.is_empty());
    let parsed = parse("select 1", &ParseOptions::default()).unwrap();
    assert_eq!((parsed.stmts[0].location, parsed.stmts[0].len), (0, 0));
}

#[test]
fn long_names_are_truncated_with_a_notice() {
    let long = "é".repeat(40);
    let parsed = parse(&format!("select {long}, \"{long}\""), &ParseOptions::default()).unwrap();
    assert_eq!(parsed.notices.len(), 2);
    let short = "é".repeat(31);
    assert_eq!(
        parsed.notices[0].message(),
        format!("identifier \"{long}\" will be truncated to \"{short}\"")
    );
    assert_eq!(parsed.notices[0].code().as_str(), "42622");
}

#[test]
fn backslashes_without_e() {
    let opts = ParseOptions { standard_conforming_strings: false, ..ParseOptions::default() };
    let parsed = parse(r"select 'a\nb\'c'", &opts).unwrap();
    assert_eq!(parsed.notices.len(), 1);
    assert_eq!(parsed.notices[0].message(), "nonstandard use of escape in a string literal");
    assert_eq!(parsed.notices[0].fields().position, Some(7));
    assert!(parse(r"select U&'a'", &opts).is_err());
}

#[test]
fn selects() {
    let s = get!(
        SelectStmt,
        "select distinct on (a) a, b c from t as x (y), only u where d group by rollup (a, b), () having e window w as (partition by a) order by 1 desc nulls last limit all offset 3 rows for no key update of t skip locked"
    );
    assert_eq!(s.distinct_clause.as_ref().map(Vec::len), Some(1));
    assert_eq!(s.target_list[1].name.as_deref(), Some("c"));
    let FromItem::RangeVar(t) = &s.from_clause[0] else { panic!() };
    assert_eq!(t.alias, Some(Alias { aliasname: "x".into(), colnames: vec!["y".into()] }));
    let FromItem::RangeVar(u) = &s.from_clause[1] else { panic!() };
    assert!(!u.inh);
    assert!(matches!(&s.group_clause[1], GroupItem::GroupingSet(g) if g.kind == GroupingSetKind::Empty));
    assert_eq!(s.sort_clause[0].sortby_dir, SortByDir::Desc);
    assert_eq!(s.sort_clause[0].sortby_nulls, SortByNulls::Last);
    assert_eq!(s.limit_option, LimitOption::Count);
    assert_eq!(s.locking_clause[0].strength, LockClauseStrength::ForNoKeyUpdate);
    assert_eq!(s.locking_clause[0].wait_policy, LockWaitPolicy::Skip);

    let s = get!(SelectStmt, "select 1 into temp x union select 2 intersect all select 3 except select 4");
    assert_eq!(s.op, SetOperation::Except);
    let union = s.larg.as_ref().unwrap();
    assert_eq!(union.op, SetOperation::Union);
    assert!(union.rarg.as_ref().unwrap().all);
    assert_eq!(s.leftmost_into().unwrap().rel.relpersistence, 't');
    assert!(get!(SelectStmt, "values (1, 2), (3, 4)").values_lists.len() == 2);
    let s = get!(
        SelectStmt,
        "with recursive a (x) as materialized (select 1) search depth first by x set y cycle x set c using p select * from a"
    );
    let with = s.with_clause.unwrap();
    assert!(with.recursive && with.ctes[0].ctematerialized == CteMaterialize::Always);
    assert!(with.ctes[0].search_clause.is_some() && with.ctes[0].cycle_clause.is_some());
}

#[test]
fn joins() {
    let s = get!(
        SelectStmt,
        "select 1 from a left join b natural join c on true, (d cross join e) as f, lateral g(1) with ordinality as h (i int)"
    );
    let FromItem::JoinExpr(left) = &s.from_clause[0] else { panic!() };
    assert_eq!(left.jointype, JoinType::Left);
    assert!(matches!(&left.rarg, FromItem::JoinExpr(j) if j.is_natural));
    assert!(matches!(&s.from_clause[1], FromItem::JoinExpr(j) if j.alias.is_some()));
    let FromItem::RangeFunction(f) = &s.from_clause[2] else { panic!() };
    assert!(f.lateral && f.ordinality && f.coldeflist.len() == 1);
    let s = get!(SelectStmt, "select 1 from a join b using (x, y) as z");
    assert!(
        matches!(&s.from_clause[0], FromItem::JoinExpr(j) if j.using_clause.len() == 2 && j.join_using_alias.is_some())
    );
}

#[test]
fn data_modification() {
    let s = get!(
        InsertStmt,
        "insert into t as x (a, b[1].c) overriding user value select 1, 2 on conflict (a collate c) where b do update set a = excluded.a where d returning with (old as o) o.a"
    );
    assert_eq!((s.cols.len(), s.cols[1].indirection.len()), (2, 2));
    assert_eq!(s.override_, OverridingKind::UserValue);
    assert_eq!(s.on_conflict_clause.unwrap().action, OnConflictAction::Update);
    assert_eq!(s.returning_clause.unwrap().options[0].value, "o");
    assert!(get!(InsertStmt, "insert into t default values").select_stmt.is_none());
    let s =
        get!(UpdateStmt, "update only t x set (a, b) = (select 1, 2), c = default from u where current of k");
    assert_eq!(s.target_list.len(), 3);
    assert!(matches!(s.where_clause, Some(Expr::CurrentOfExpr(_))));
    assert!(get!(UpdateStmt, "update t set a = 1").relation.alias.is_none());
    let s = get!(DeleteStmt, "with x as (select 1) delete from t using x where true returning *");
    assert!(s.with_clause.is_some() && s.using_clause.len() == 1);
    let s = get!(
        MergeStmt,
        "merge into t using u on a = b when matched and c then update set d = 1 when not matched by source then delete when not matched then insert (e) values (2) when matched then do nothing"
    );
    let kinds: Vec<_> = s.merge_when_clauses.iter().map(|c| (c.match_kind, c.command_type)).collect();
    assert_eq!(kinds[1], (MergeMatchKind::NotMatchedBySource, CmdType::Delete));
    assert_eq!(kinds[2], (MergeMatchKind::NotMatchedByTarget, CmdType::Insert));
}

#[test]
fn tables() {
    let s = get!(
        CreateStmt,
        "create unlogged table if not exists s.t (a int default 1 + 2 not null constraint k unique nulls not distinct, b text collate \"C\" generated always as (a) stored, like u including all excluding indexes, check (a > 0) no inherit, foreign key (a) references v (c) match full on delete set null (a) on update cascade deferrable) inherits (w) partition by range (a, (b || 'x') collate \"C\" text_ops) with (fillfactor = 70) tablespace ts"
    );
    assert_eq!(s.relation.relpersistence, 'u');
    let TableElement::ColumnDef(a) = &s.table_elts[0] else { panic!() };
    let kinds: Vec<_> = a.constraints.iter().map(|c| c.contype).collect();
    assert_eq!(kinds, [ConstrType::Default, ConstrType::NotNull, ConstrType::Unique]);
    assert!(a.constraints[2].nulls_not_distinct && a.constraints[2].conname.as_deref() == Some("k"));
    let TableElement::Like(like) = &s.table_elts[2] else { panic!() };
    assert_eq!(like.options, like_option::ALL & !like_option::INDEXES);
    let TableElement::Constraint(fk) = &s.table_elts[4] else { panic!() };
    assert_eq!((fk.fk_matchtype, fk.fk_upd_action, fk.fk_del_action, fk.deferrable), ('f', 'c', 'n', true));
    assert_eq!(s.partspec.as_ref().unwrap().part_params.len(), 2);
    assert_eq!(s.options[0].arg, Some(DefArg::Integer(70)));
    let s = get!(CreateStmt, "create table p partition of t for values with (modulus 4, remainder 1)");
    let bound = s.partbound.unwrap();
    assert_eq!((bound.strategy, bound.modulus, bound.remainder), (Some('h'), 4, 1));
    let s = get!(CreateTableAsStmt, "create temp table t (a, b) on commit drop as select 1, 2 with no data");
    assert!(s.into.skip_data && s.into.on_commit == OnCommitAction::Drop);
    let s = get!(
        IndexStmt,
        "create unique index concurrently i on t using gist (a desc, lower(b) collate c ops (x = 1), (c + 1)) include (d) where e"
    );
    assert_eq!((s.access_method.as_str(), s.index_params.len(), s.concurrent), ("gist", 3, true));
    assert_eq!(get!(IndexStmt, "create index on t (a)").access_method, "btree");
    let s = get!(ViewStmt, "create or replace temp recursive view v (a) as select 1");
    assert!(s.query.with_clause.is_some() && s.replace);
}

#[test]
fn alter_tables() {
    use AlterTableType::*;
    let s = get!(
        AlterTableStmt,
        "alter table if exists only t add column if not exists a int, alter b type text using b::text, alter b set default 1, alter b drop identity if exists, drop constraint c cascade, add primary key using index i, enable always trigger g, set (x = 1), owner to current_user, alter constraint k not enforced, replica identity full, no force row level security, alter b set statistics -1, alter b add generated by default as identity (start 5)"
    );
    let kinds: Vec<_> = s.cmds.iter().map(|c| c.subtype).collect();
    assert_eq!(
        kinds,
        [
            AddColumn,
            AlterColumnType,
            ColumnDefault,
            DropIdentity,
            DropConstraint,
            AddConstraint,
            EnableAlwaysTrig,
            SetRelOptions,
            ChangeOwner,
            AlterConstraint,
            ReplicaIdentity,
            NoForceRowSecurity,
            SetStatistics,
            AddIdentity
        ]
    );
    assert!(s.missing_ok && !s.relation.inh);
    assert!(
        matches!(one("alter table t rename a to b"), Statement::RenameStmt(s) if s.rename_type == ObjectType::Column)
    );
    assert!(matches!(one("alter index i attach partition j"), Statement::AlterTableStmt(_)));
    assert!(
        matches!(one("alter sequence s increment 2 owned by none"), Statement::AlterSeqStmt(s) if s.options.len() == 2)
    );
    assert!(matches!(one("alter view v set schema x"), Statement::AlterObjectSchemaStmt(_)));
    assert!(
        matches!(one("alter type t add value if not exists 'a' before 'b'"), Statement::AlterEnumStmt(s) if !s.new_val_is_after)
    );
}

#[test]
fn routines() {
    let s = get!(
        CreateFunctionStmt,
        "create or replace function f(in a int default 1, out b text, variadic double precision[]) returns setof record language sql strict cost 5 set x to 'y' begin atomic select 1; ; return a; end"
    );
    let modes: Vec<_> = s.parameters.iter().map(|p| (p.name.as_deref(), p.mode)).collect();
    use FunctionParameterMode::*;
    assert_eq!(modes, [(Some("a"), In), (Some("b"), Out), (None, Variadic)]);
    assert!(matches!(s.sql_body, Some(SqlBody::Atomic(stmts)) if stmts.len() == 2));
    let s = get!(CreateFunctionStmt, "create function f() returns table (a int, b t.c%type) return 1");
    assert!(s.return_type.unwrap().setof && s.parameters.len() == 2);
    let s = get!(
        CreateTrigStmt,
        "create trigger g instead of insert or update of a, b on v for each row when (true) execute procedure p(1, 'x', y)"
    );
    assert_eq!((s.timing, s.events), (trigger_type::INSTEAD, trigger_type::INSERT | trigger_type::UPDATE));
    assert_eq!(s.args, ["1", "x", "y"]);
    let s = get!(RuleStmt, "create rule r as on update to t do instead (delete from a; ; notify b)");
    assert_eq!(s.actions.len(), 2);
    let s = get!(DefineStmt, "create aggregate a(int, text order by text) (sfunc = f, stype = int)");
    assert_eq!(s.args.unwrap().num_direct_args, 2);
    assert!(get!(DefineStmt, "create aggregate a (basetype = int, sfunc = f)").oldstyle);
    assert!(
        matches!(one("drop function if exists a(int), b cascade"), Statement::DropStmt(s) if s.missing_ok && s.objects.len() == 2)
    );
}

#[test]
fn utilities() {
    let s = get!(VariableSetStmt, "set local a.b to 1, x, 'y', on");
    assert_eq!((s.name.as_str(), s.args.len(), s.is_local), ("a.b", 4, true));
    assert_eq!(get!(VariableSetStmt, "set session characteristics as transaction read only").modes.len(), 1);
    assert_eq!(get!(VariableSetStmt, "set time zone local").kind, VariableSetKind::SetDefault);
    assert_eq!(get!(VariableShowStmt, "show transaction isolation level").name, "transaction_isolation");
    let s = get!(TransactionStmt, "begin isolation level repeatable read, read only deferrable");
    assert_eq!(s.options.len(), 3);
    assert!(get!(TransactionStmt, "commit and chain").chain);
    assert_eq!(get!(TransactionStmt, "rollback to savepoint a").savepoint_name.as_deref(), Some("a"));
    let s = get!(FetchStmt, "fetch backward all in c");
    assert_eq!((s.direction, s.how_many), (FetchDirection::Backward, FETCH_ALL));
    assert_eq!(get!(FetchStmt, "fetch next").portalname, "next");
    let s = get!(CopyStmt, "copy t (a) from stdin with (format csv, force_null (a), header) where a > 1");
    assert!(s.is_from && s.filename.is_none() && s.options.len() == 3);
    assert!(get!(CopyStmt, "copy (select 1) to program 'x' csv").query.is_some());
    let s = get!(ExplainStmt, "explain (analyze, format json, buffers off) (select 1)");
    assert_eq!(s.options.len(), 3);
    assert!(get!(ExplainStmt, "explain analyze verbose select 1").options.len() == 2);
    assert_eq!(get!(LockStmt, "lock a, only b in share row exclusive mode nowait").mode, 6);
    assert_eq!(get!(VacuumStmt, "vacuum full analyze t (a)").options.len(), 2);
    assert_eq!(get!(PrepareStmt, "prepare p (int, text) as select $1").argtypes.len(), 2);
    let s = get!(GrantStmt, "grant select (a), update on t, u to public, current_user with grant option");
    assert_eq!((s.privileges.len(), s.objects.len(), s.grant_option), (2, 2, true));
    assert!(
        get!(GrantStmt, "revoke all privileges on all tables in schema s from r cascade")
            .privileges
            .is_empty()
    );
    assert_eq!(get!(GrantRoleStmt, "grant a, b to c with admin option, inherit false").opt.len(), 2);
    let s = get!(CommentStmt, "comment on operator pg_catalog.+ (none, int) is null");
    assert_eq!((s.objtype, s.comment), (ObjectType::Operator, None));
    assert_eq!(get!(CreateRoleStmt, "create user u with superuser password 'x' in role a").options.len(), 3);
}
