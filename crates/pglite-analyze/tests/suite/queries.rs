//! Result and parameter types, as PostgreSQL 18 described the same statements.

use crate::support::{columns, env};

#[rustfmt::skip]
const CASES: &[(&str, &str)] = &[
    ("select 1, 'x', null, 1.5, 10000000000, true, b'101'", "?column? integer, ?column? text, ?column? text, ?column? numeric, ?column? bigint, ?column? boolean, ?column? bit"),
    ("select a, b as name, t.*, (t).c from t", "a integer, name text, a integer, b text, c numeric, c numeric"),
    ("select count(*), sum(a), avg(c), max(b), array_agg(a), string_agg(b, ',') from t", "count bigint, sum bigint, avg numeric, max text, array_agg integer[], string_agg text"),
    ("select a + 1.5, a / 2, a || 'x', -a, a::text || b, c * a from t", "?column? numeric, ?column? integer, ?column? text, ?column? integer, ?column? text, ?column? numeric"),
    ("select 'a' || 1, now() - interval '1 day', date '2020-01-01' + 1, current_date, localtime", "?column? text, ?column? timestamp with time zone, ?column? date, current_date date, localtime time without time zone"),
    ("select coalesce(a, 1), nullif(a, 2), greatest(a, c), case when a = 1 then 'x' else b end from t", "coalesce integer, nullif integer, greatest numeric, b text"),
    ("select array[1, 2], array[a, c], array[[1], [2]], (array[1, 2])[1], (array[1, 2])[1:1] from t", "array integer[], array numeric[], array integer[], array integer, array integer[]"),
    ("select row(1, 'x'), (1, 2) < (3, 4), a in (1, 2, 3), a = any (array[1]), exists (select 1) from t", "row record, ?column? boolean, ?column? boolean, ?column? boolean, exists boolean"),
    ("select b like 'x%', b ilike 'x', b similar to 'x', b ~ 'x', a between 1 and 2, a is distinct from 1 from t", "?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean, ?column? boolean"),
    ("select extract(year from now()), position('a' in b), substring(b from 1 for 2), trim(b), overlay(b placing 'x' from 1) from t", "extract numeric, position integer, substring text, btrim text, overlay text"),
    ("select row_number() over (order by a), lag(b) over w, sum(a) over (partition by b rows 1 preceding) from t window w as (order by a)", "row_number bigint, lag text, sum bigint"),
    ("select * from t join u using (a)", "a integer, b text, c numeric, d integer"),
    ("select * from t natural left join u", "a integer, b text, c numeric, d integer"),
    ("select * from t full join u using (a)", "a integer, b text, c numeric, d integer"),
    ("select x.n from generate_series(1, 3) with ordinality as x(n, o)", "n integer"),
    ("select * from unnest(array[1, 2], array['a', 'b']) as x(a, b)", "a integer, b text"),
    ("select * from json_each('{}')", "key text, value json"),
    ("with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) select n from r", "n integer"),
    ("select a from t union all select d from u order by 1", "a integer"),
    ("select 1 union select 2.5 union select null", "?column? numeric"),
    ("select $1::int + 1, $2 from t where b = $2 and a = $3", "?column? integer, ?column? text | integer, text, integer"),
    ("insert into t values ($1, $2, $3)", " | integer, text, numeric"),
    ("insert into t (b, a) select b, a from t returning a, old.a, new.b, *", "a integer, a integer, b text, a integer, b text, c numeric"),
    ("update t set b = $1 where a = $2 returning *", "a integer, b text, c numeric | text, integer"),
    ("delete from t using u where t.a = u.a and u.d = $1", " | integer"),
    ("select b, count(*) from t group by b having count(*) > $1 order by 2 desc limit $2 offset 1", "b text, count bigint | bigint, bigint"),
    ("select grouping(b), b, sum(a) from t group by rollup(b)", "grouping integer, b text, sum bigint"),
    ("select (select max(a) from u where u.a = t.a) from t", "max integer"),
    ("select jsonb '{\"a\": 1}' -> 'a', jsonb '{}' ->> 'a', (jsonb '{}')['a']", "?column? jsonb, ?column? text, jsonb jsonb"),
    ("select int4range(1, 2), int4range(1, 2) @> 1, upper(int4range(1, 2))", "int4range int4range, ?column? boolean, upper integer"),
    ("select to_char(now(), 'YYYY'), round(1.5), round(1.5, 1), mod(5, 2), abs(-1), power(2, 3)", "to_char text, round numeric, round numeric, mod integer, abs integer, power double precision"),
    ("select a::varchar(3), c::numeric(5, 2), '1'::bit(3), interval '1' year from t", "a character varying, c numeric, bit bit, interval interval"),
    ("values (1, 'a'), (2, null)", "column1 integer, column2 text"),
    ("select t from t", "t t"),
    ("select count(distinct b), count(*) filter (where a > 1), percentile_cont(0.5) within group (order by a) from t", "count bigint, count bigint, percentile_cont double precision"),
];

#[test]
fn results_and_parameters_have_the_types_of_postgresql() {
    let env = env();
    let wrong: Vec<String> = CASES
        .iter()
        .filter_map(|(sql, want)| {
            let got = columns(&env, sql);
            (got != *want).then(|| format!("{sql}\n  want {want}\n  got  {got}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
}
