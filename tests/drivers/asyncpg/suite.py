"""asyncpg against the server. It speaks the binary format in both directions for every type it knows."""

import asyncio
import datetime as dt
import decimal
import io
import ipaddress
import pathlib
import ssl
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import asyncpg
from harness import CA, DATABASE, HOST, PASSWORD, PORT, USER, expect, main, setup_statements, test, tls_test, values

UTC = dt.timezone.utc


def tls():
    if not CA:
        return False
    return ssl.create_default_context(cafile=CA)


async def connect(**kw):
    options = dict(host=HOST, port=PORT, user=USER, password=PASSWORD, database=DATABASE, ssl=tls()) | kw
    return await asyncpg.connect(**options)


async def raises(kind, awaitable):
    try:
        await awaitable
    except kind as e:
        return e
    raise AssertionError(f"{kind.__name__} was not raised")


async def fresh():
    conn = await connect()
    await conn.execute(setup_statements())
    await conn.reload_schema_state()
    return conn


@tls_test
async def tls_and_scram():
    conn = await connect()
    expect(await conn.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), True)
    await conn.close()
    conn = await connect(ssl="require")
    await conn.close()
    await raises(ssl.SSLCertVerificationError, connect(ssl=ssl.create_default_context()))
    e = await raises(asyncpg.InvalidPasswordError, connect(password="wrong"))
    expect(str(e), f'password authentication failed for user "{USER}"')


@test
async def server_properties():
    conn = await connect(server_settings={"application_name": "drivers", "search_path": "pg_catalog"})
    expect(conn.get_server_version().major, 18)
    expect(conn.get_settings().application_name, "drivers")
    expect(await conn.fetchval("SHOW search_path"), "pg_catalog")
    assert conn.get_server_pid() == await conn.fetchval("SELECT pg_backend_pid()")
    await conn.close()
    await raises(asyncpg.InvalidCatalogNameError, connect(database="no_such_database"))


@test
async def every_type_in_binary():
    conn = await fresh()
    await conn.execute("SET timezone = 'UTC'")
    # Python has no value, or another one, for these; their bytes are checked by the other suites.
    skipped = {"date": {"0001-01-01", "4713-01-01 BC", "5874897-12-31"}, "int4[]": {"[0:1]={5,6}"},
               "timestamp": {"0001-01-01 00:00:00", "294276-12-31 23:59:59.999999"}, "pair[]": {'{"(1,one)",NULL}'}, "time": {"24:00:00"},
               "interval": {"178000000 years", "infinity", "-infinity", "1 year 2 mons 3 days 04:05:06.789", "-1 mons", "-00:00:00.000001", "1 day -00:00:01"},
               "interval[]": {'{"1 day",-00:00:01}'}, "float4": {"1e-45"}}
    bad, checked = [], 0
    for ty, text, _ in values():
        if text in skipped.get(ty, ()) or ty.startswith(("int4multirange", "jsonpath", "money", "oidvector", "int2vector")):
            continue
        try:
            literal = text.replace("'", "''")
            got = await conn.fetchval(f"SELECT E'{literal.replace(chr(92), chr(92) * 2)}'::{ty}")
            back = await conn.fetchval(f"SELECT ($1::{ty})::text", got)
            plain = await conn.fetchval(f"SELECT (E'{literal.replace(chr(92), chr(92) * 2)}'::{ty})::text")
            checked += 1
            if back != plain:
                bad.append(f"{ty} {text!r}: {got!r} came back as {back!r}")
        except Exception as e:
            bad.append(f"{ty} {text!r}: {type(e).__name__} {e}")
    assert not bad, f"{len(bad)} of {checked}: " + "; ".join(bad)
    assert checked > 180, checked
    await conn.close()


@test
async def python_values():
    conn = await fresh()
    for ty, value in [
        ("bool", True), ("int2", -5), ("int4", 2**31 - 1), ("int8", -(2**63)), ("oid", 2**32 - 1), ("float4", 1.5), ("float8", 0.1),
        ("numeric", decimal.Decimal("-123.4500")), ("text", "naïve € 🐘"), ("varchar", "x"), ("name", "n"), ("bytea", b"\0\xff"),
        ("date", dt.date(2024, 2, 29)), ("time", dt.time(1, 2, 3, 4)), ("timestamp", dt.datetime(1999, 12, 31, 23, 59, 59, 999999)),
        ("timestamptz", dt.datetime(2024, 6, 30, 12, tzinfo=UTC)), ("interval", dt.timedelta(days=3, seconds=4, microseconds=5)),
        ("uuid", uuid.UUID(int=7)), ("json", '{"a": 1}'), ("jsonb", '{"a": [1, null]}'), ("inet", ipaddress.ip_address("::1")),
        ("cidr", ipaddress.ip_network("10.0.0.0/8")), ("int4[]", [1, None, 3]), ("text[]", ["a", None, 'q"']), ("int4[]", [[1, 2], [3, 4]]),
        ("numeric[]", [decimal.Decimal("1.10")]), ("mood", "very happy"), ("mood[]", ["sad", None]), ("posint", 5),
        ("bit(5)", asyncpg.BitString("10101")), ("int4range", asyncpg.Range(1, 5)), ("point", asyncpg.Point(1, 2)),
    ]:
        got = await conn.fetchval(f"SELECT $1::{ty}", value)
        if got != value:
            raise AssertionError(f"{ty}: got {got!r}, expected {value!r}")
        expect(await conn.fetchval(f"SELECT $1::{ty}", None), None)
    row = await conn.fetchval("SELECT (7, 'x', ARRAY[1, 2])::record")
    expect(tuple(row), (7, "x", [1, 2]))
    pair = await conn.fetchval("SELECT $1::pair", (3, "c"))
    expect((pair["x"], pair["label"]), (3, "c"))
    nested = await conn.fetchval("SELECT $1::nested", (7, (1, "x"), ["a", None], "ok"))
    expect((nested["id"], tuple(nested["p"]), nested["tags"], nested["m"]), (7, (1, "x"), ["a", None], "ok"))
    pairs = await conn.fetchval("SELECT $1::pair[]", [(1, "a"), None])
    expect([p and tuple(p) for p in pairs], [(1, "a"), None])
    e = await raises(asyncpg.DataError, conn.fetchval("SELECT $1::int2", 70000))
    await conn.close()


@test
async def text_codecs():
    import json

    conn = await fresh()
    for kind in ("text", "binary"):
        prefix = b"\x01" if kind == "binary" else ""
        await conn.set_type_codec(
            "jsonb", schema="pg_catalog", format=kind,
            encoder=lambda v, p=prefix: p + (json.dumps(v).encode() if p else json.dumps(v)),
            decoder=lambda v, p=prefix: json.loads(v[len(p):]),
        )
        expect(await conn.fetchval("SELECT $1::jsonb", {"a": [1, None, "é"]}), {"a": [1, None, "é"]})
    await conn.set_type_codec("numeric", schema="pg_catalog", format="text", encoder=str, decoder=str)
    expect(await conn.fetchval("SELECT $1::numeric", "1.50"), "1.50")
    await conn.close()


@test
async def prepared_statements():
    conn = await fresh()
    await conn.executemany("INSERT INTO parent VALUES ($1, $2)", [(i, f"n{i}") for i in range(500)])
    statement = await conn.prepare("SELECT id, name FROM parent WHERE id = ANY($1) ORDER BY id")
    expect([(p.name, p.kind) for p in statement.get_parameters()], [("int4[]", "array")])
    expect([(a.name, a.type.name) for a in statement.get_attributes()], [("id", "int4"), ("name", "text")])
    expect(statement.get_statusmsg(), None)
    expect([tuple(r) for r in await statement.fetch([3, 1])], [(1, "n1"), (3, "n3")])
    expect(statement.get_statusmsg(), "SELECT 2")
    expect(await statement.fetchval([4], column=1), "n4")
    expect([tuple(r) for r in await statement.fetchmany([([1],), ([2, 3],)])], [(1, "n1"), (2, "n2"), (3, "n3")])
    plan = await statement.explain([1])
    assert plan[0]["Plan"]["Node Type"], plan
    expect(await conn.execute("UPDATE parent SET name = name || 'x' WHERE id < 10"), "UPDATE 10")
    # The statement cache must survive a change of the table.
    expect(len((await conn.fetch("SELECT * FROM parent WHERE id = $1", 5))[0]), 2)
    await conn.execute("ALTER TABLE parent ADD note text DEFAULT 'new'")
    row = (await conn.fetch("SELECT * FROM parent WHERE id = $1", 5))[0]
    expect(row["note"], "new")
    await conn.close()


@test
async def portals_with_row_limits():
    conn = await fresh()
    async with conn.transaction():
        got = [r[0] async for r in conn.cursor("SELECT * FROM generate_series(1, $1::int) g", 1000, prefetch=7)]
        expect(got, list(range(1, 1001)))
        cursor = await conn.cursor("SELECT * FROM generate_series(1, 100) g")
        expect([r[0] for r in await cursor.fetch(10)], list(range(1, 11)))
        expect(await cursor.forward(50), 50)
        expect((await cursor.fetchrow())[0], 61)
        expect(len(await cursor.fetch(1000)), 39)
        expect(await cursor.fetchrow(), None)
        # Two portals of one statement, taking turns.
        s = await conn.prepare("SELECT * FROM generate_series(1, 6) g")
        a, b = await s.cursor(), await s.cursor()
        expect([(await a.fetchrow())[0], (await b.fetchrow())[0], (await a.fetchrow())[0], (await b.fetchrow())[0]], [1, 1, 2, 2])
        expect([r[0] for r in await conn.fetch("SELECT * FROM parent LIMIT $1", 1)], [])
    await conn.close()


@test
async def transactions():
    conn, other = await fresh(), await connect()
    async with conn.transaction():
        await conn.execute("INSERT INTO parent VALUES (1, 'a')")
        try:
            async with conn.transaction():
                await conn.execute("INSERT INTO parent VALUES (2, 'b')")
                await conn.execute("INSERT INTO parent VALUES (2, 'b')")
        except asyncpg.UniqueViolationError:
            pass
        expect(await other.fetchval("SELECT count(*) FROM parent"), 0)
    expect(await other.fetchval("SELECT array_agg(id) FROM parent"), [1])
    tr = conn.transaction(isolation="repeatable_read", readonly=True)
    await tr.start()
    expect(await conn.fetchval("SELECT count(*) FROM parent"), 1)
    await other.execute("INSERT INTO parent VALUES (3, 'c')")
    expect(await conn.fetchval("SELECT count(*) FROM parent"), 1)
    await raises(asyncpg.ReadOnlySQLTransactionError, conn.execute("DELETE FROM parent"))
    await raises(asyncpg.InFailedSQLTransactionError, conn.execute("SELECT 1"))
    await tr.rollback()
    assert not conn.is_in_transaction()
    await conn.close()
    await other.close()


@test
async def copy_both_ways():
    conn = await fresh()
    await conn.execute("CREATE TABLE c (i int, t text, n numeric, ts timestamptz, a int[], u uuid)")
    rows = [(i, f"t\t{i}\n", decimal.Decimal(i) / 4, dt.datetime(2024, 1, 1, tzinfo=UTC), [i, None], uuid.UUID(int=i)) for i in range(2000)]
    rows.append((None,) * 6)
    expect(await conn.copy_records_to_table("c", records=rows), "COPY 2001")
    expect([tuple(r) for r in await conn.fetch("SELECT * FROM c ORDER BY i")], rows)
    out = io.BytesIO()
    expect(await conn.copy_from_query("SELECT i, t FROM c WHERE i < $1 ORDER BY i", 2, output=out, format="csv", header=True), "COPY 2")
    expect(out.getvalue(), b'i,t\n0,"t\t0\n"\n1,"t\t1\n"\n')
    out = io.BytesIO()
    await conn.copy_from_table("c", output=out, format="binary")
    await conn.execute("TRUNCATE c")
    out.seek(0)
    expect(await conn.copy_to_table("c", source=out, format="binary"), "COPY 2001")
    expect([tuple(r) for r in await conn.fetch("SELECT * FROM c ORDER BY i")], rows)
    e = await raises(asyncpg.BadCopyFileFormatError, conn.copy_to_table("c", source=io.BytesIO(b"PGCOPY\n\xff\r\n\0junkjunk"), format="binary"))
    e = await raises(asyncpg.UniqueViolationError, conn.copy_records_to_table("parent", records=[(1, "a"), (1, "b")]))
    expect((e.constraint_name, e.table_name), ("parent_pkey", "parent"))
    expect(await conn.fetchval("SELECT count(*) FROM parent"), 0)
    await conn.close()


@test
async def cancel_by_timeout_and_task():
    conn = await connect()
    await raises(asyncio.TimeoutError, conn.execute("SELECT pg_sleep(30)", timeout=0.3))
    expect(await conn.fetchval("SELECT 1"), 1)
    task = asyncio.create_task(conn.fetchval("SELECT pg_sleep(30)"))
    await asyncio.sleep(0.3)
    task.cancel()
    await raises(asyncio.CancelledError, task)
    expect(await conn.fetchval("SELECT 2"), 2)
    await conn.close()


@test
async def error_fields():
    conn = await fresh()
    await conn.execute("INSERT INTO parent VALUES (1, 'one')")
    e = await raises(asyncpg.UniqueViolationError, conn.execute("INSERT INTO parent VALUES ($1, 'two')", 1))
    expect((e.sqlstate, e.message, e.detail), ("23505", 'duplicate key value violates unique constraint "parent_pkey"', "Key (id)=(1) already exists."))
    expect((e.schema_name, e.table_name, e.constraint_name, e.severity), ("public", "parent", "parent_pkey", "ERROR"))
    e = await raises(asyncpg.NotNullViolationError, conn.execute("INSERT INTO parent VALUES ($1, $2)", 2, None))
    expect((e.column_name, e.detail), ("name", "Failing row contains (2, null)."))
    e = await raises(asyncpg.UndefinedColumnError, conn.fetch("SELECT nme FROM parent"))
    expect((e.position, e.hint), ("8", 'Perhaps you meant to reference the column "parent.name".'))
    e = await raises(asyncpg.PostgresSyntaxError, conn.fetch("SELECT 1 FROM"))
    expect((e.position, e.message), ("14", "syntax error at end of input"))
    e = await raises(asyncpg.CheckViolationError, conn.fetch("SELECT $1::posint", -1))
    expect((e.data_type_name, e.constraint_name), ("posint", "posint_check"))
    e = await raises(asyncpg.IndeterminateDatatypeError, conn.fetch("SELECT $1 IS NULL"))
    expect(e.sqlstate, "42P18")
    await conn.close()


@test
async def notices_and_notifications():
    conn, other = await connect(), await connect()
    notices = []
    conn.add_log_listener(lambda c, m: notices.append((m.severity, m.sqlstate, m.message)))
    await conn.execute("DROP TABLE IF EXISTS not_there")
    await asyncio.sleep(0.1)
    expect(notices, [("NOTICE", "00000", 'table "not_there" does not exist, skipping')])
    got = asyncio.Queue()
    await conn.add_listener("ch", lambda c, pid, channel, payload: got.put_nowait((pid, channel, payload)))
    await other.execute("NOTIFY ch, 'hello'")
    expect(await asyncio.wait_for(got.get(), 5), (other.get_server_pid(), "ch", "hello"))
    await conn.close()
    await other.close()


@test
async def pool_and_reset():
    async with asyncpg.create_pool(host=HOST, port=PORT, user=USER, password=PASSWORD, database=DATABASE, ssl=tls(), min_size=2, max_size=5) as pool:
        async def one(i):
            async with pool.acquire() as conn:
                await conn.execute("SET application_name = 'changed'")
                await conn.execute("CREATE TEMP TABLE IF NOT EXISTS scratch (a int)")
                return await conn.fetchval("SELECT $1::int * 2", i)

        expect(await asyncio.gather(*(one(i) for i in range(30))), [i * 2 for i in range(30)])
        async with pool.acquire() as conn:
            expect(await conn.fetchval("SHOW application_name"), "")


@test
async def introspection():
    conn = await fresh()
    rows = await conn.fetch(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = $1 ORDER BY ordinal_position", "child")
    expect([tuple(r) for r in rows], [("id", "integer", "NO"), ("parent_id", "integer", "YES"), ("amount", "integer", "YES"), ("size", "integer", "YES")])
    await conn.close()


main(f"asyncpg {asyncpg.__version__}")
