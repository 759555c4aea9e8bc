"""psycopg 3 (libpq 18) against the server: see ../harness.py for how it is told where that is."""

import asyncio
import datetime as dt
import decimal
import ipaddress
import pathlib
import sys
import threading
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import psycopg
from harness import CA, DATABASE, HOST, PASSWORD, PORT, USER, expect, main, setup_statements, test, tls_test, values
from psycopg import errors, pq, sql
from psycopg.rows import dict_row
from psycopg.types.composite import CompositeInfo, register_composite
from psycopg.types.enum import EnumInfo, register_enum
from psycopg.types.json import Json, Jsonb
from psycopg.types.range import Range

UTC = dt.timezone.utc
BASE = dict(host=HOST, port=PORT, user=USER, password=PASSWORD, dbname=DATABASE)
if CA:
    BASE |= dict(sslmode="verify-full", sslrootcert=CA)


def connect(**kw):
    options = BASE | dict(autocommit=True) | kw
    return psycopg.connect(**options)


def raises(kind, function, *args, **kw):
    try:
        function(*args, **kw)
    except kind as e:
        return e
    raise AssertionError(f"{kind.__name__} was not raised")


def reset():
    with connect() as conn:
        conn.execute(setup_statements())


# ---- connecting -------------------------------------------------------------------------------------------------


@tls_test
def scram_checks_the_password():
    e = raises(psycopg.OperationalError, connect, password="wrong")
    assert f'password authentication failed for user "{USER}"' in str(e), str(e)
    e = raises(psycopg.OperationalError, connect, user="nobody_of_that_name")
    assert "password authentication failed" in str(e), str(e)
    with connect(require_auth="scram-sha-256") as conn:
        assert conn.pgconn.used_password


@tls_test
def tls_require_and_verify_full():
    for mode in ("require", "verify-ca", "verify-full"):
        with connect(sslmode=mode) as conn:
            assert conn.pgconn.ssl_in_use
            expect(conn.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone(), (True,))
    raises(psycopg.OperationalError, connect, sslmode="verify-full", sslrootcert="system")
    if HOST == "127.0.0.1":
        e = raises(psycopg.OperationalError, connect, host="ip6-name.invalid", hostaddr=HOST)
        assert "does not match host name" in str(e) or "certificate" in str(e), str(e)


@tls_test
def channel_binding():
    with connect(channel_binding="require") as conn:
        expect(conn.execute("SELECT 1").fetchone(), (1,))


@tls_test
def direct_tls_negotiation():
    with connect(sslnegotiation="direct", sslmode="require") as conn:
        expect(conn.execute("SELECT 1").fetchone(), (1,))


@test
def unknown_database_is_refused():
    e = raises(psycopg.OperationalError, connect, dbname="no_such_database")
    assert 'database "no_such_database" does not exist' in str(e), str(e)


@test
def protocol_versions():
    for version in ("3.0", "3.2"):
        with connect(min_protocol_version=version, max_protocol_version=version) as conn:
            expect(conn.execute("SELECT 1").fetchone(), (1,))
            expect(conn.pgconn.protocol_version, 3)
            cancel_sleep(conn)
    with connect(max_protocol_version="latest") as conn:
        expect(conn.execute("SELECT 2").fetchone(), (2,))


@test
def parameter_status():
    with connect(application_name="drivers", options="-c search_path=pg_catalog") as conn:
        status = conn.pgconn.parameter_status
        for name, value in {
            b"client_encoding": b"UTF8",
            b"server_encoding": b"UTF8",
            b"standard_conforming_strings": b"on",
            b"integer_datetimes": b"on",
            b"application_name": b"drivers",
            b"search_path": b"pg_catalog",
            b"is_superuser": b"off",
            b"session_authorization": USER.encode(),
            b"in_hot_standby": b"off",
            b"default_transaction_read_only": b"off",
            b"IntervalStyle": b"postgres",
            b"DateStyle": b"ISO, MDY",
        }.items():
            expect(status(name), value, name.decode())
        assert status(b"server_version").startswith(b"18")
        expect(conn.info.server_version // 10000, 18)
        conn.execute("SET application_name = 'other'")
        expect(status(b"application_name"), b"other")
        conn.execute("SET timezone = 'Asia/Tokyo'")
        expect(status(b"TimeZone"), b"Asia/Tokyo")
        with conn.transaction(force_rollback=True):
            conn.execute("SET LOCAL timezone = 'UTC'")
            expect(status(b"TimeZone"), b"UTC")
        expect(status(b"TimeZone"), b"Asia/Tokyo", "after rollback")


# ---- values -----------------------------------------------------------------------------------------------------


@test
def every_type_text_and_binary():
    reset()
    with connect() as conn:
        conn.execute("SET timezone = 'UTC'")
        run = conn.pgconn.exec_params
        bad = []
        for ty, text, recorded in values():
            query = f"SELECT $1::{ty}".encode()
            as_text = run(query, [text.encode()])
            as_binary = run(query, [text.encode()], result_format=1)
            if as_text.error_message or as_binary.error_message:
                bad.append(f"{ty} {text!r}: {(as_text.error_message or as_binary.error_message).decode().strip()}")
                continue
            if as_text.get_value(0, 0) != text.encode():
                bad.append(f"{ty} {text!r}: printed {as_text.get_value(0, 0)!r}")
            sent = as_binary.get_value(0, 0)
            if recorded is not None and sent.hex() != recorded:
                bad.append(f"{ty} {text!r}: sent {sent.hex()}, PostgreSQL sends {recorded}")
            if ty in ("oidvector", "int2vector") and not text:
                continue  # PostgreSQL sends an empty vector that it does not take back
            back = run(query, [sent], param_formats=[1])
            if back.error_message or back.get_value(0, 0) != text.encode():
                bad.append(f"{ty} {text!r}: binary came back as {back.get_value(0, 0)!r} {back.error_message.decode()}")
        assert not bad, f"{len(bad)} values: " + "; ".join(bad)


@test
def malformed_binary_values_are_errors():
    with connect() as conn:
        for ty, data, state in [
            ("int4", b"\0\0\1", "08P01"),
            ("int8", b"\0" * 9, "22P03"),
            ("bool", b"", "08P01"),
            ("numeric", b"\0\1\0\0\x12\0\0\0\0\1", "22P03"),
            ("text", b"\xff\xfe", "22021"),
            ("uuid", b"\0" * 15, "08P01"),
            ("jsonb", b"\x02{}", "XX000"),
            ("int4[]", b"\0\0\0\7" + b"\0" * 8, "54000"),
            ("timestamp", b"\x7f", "08P01"),
            ("date", b"\x7f\xff\xff\xfe", "22008"),
        ]:
            r = conn.pgconn.exec_params(f"SELECT $1::{ty}".encode(), [data], param_formats=[1])
            expect((r.error_field(pq.DiagnosticField.SQLSTATE) or b"no error").decode(), state, ty)


@test
def python_values_both_ways():
    reset()
    samples = [
        True, 0, -1, 32767, 2**31, -(2**63), 1.5, float("inf"), decimal.Decimal("1.10"), decimal.Decimal("-Infinity"),
        "", "naïve € 🐘", b"", b"\x00\xff", dt.date(2024, 2, 29), dt.time(12, 34, 56, 789), dt.datetime(1999, 12, 31, 23, 59, 59, 999999),
        dt.datetime(2024, 6, 30, 12, tzinfo=UTC), dt.timedelta(days=3, seconds=4, microseconds=5), uuid.UUID(int=2**127 + 5),
        [1, 2, None], [[1, 2], [3, 4]], ["a", None, "", 'q"\\'], [1.5], [decimal.Decimal("1.5")], [dt.date(2000, 1, 1)], [uuid.UUID(int=1)],
        ipaddress.ip_address("10.0.0.1"), ipaddress.ip_network("2001:db8::/32"), Range(1, 5, "[)"), [True, False], [b"x"],
    ]
    with connect() as conn:
        conn.execute("SET timezone = 'UTC'")
        for binary in (False, True):
            for marker in ("%s", "%t", "%b"):
                for value in samples:
                    cast = {dt.time: "::time", dt.timedelta: "::interval"}.get(type(value), "")
                    if isinstance(value, str):
                        cast = "::text"
                    if isinstance(value, Range):
                        cast = "::int4range"
                    if isinstance(value, list) and isinstance(value[0], str):
                        cast = "::text[]"
                    got = conn.execute(f"SELECT {marker}{cast}", [value], binary=binary).fetchone()[0]
                    expect(got, value, f"{marker} binary={binary}")
        for binary in (False, True):
            got = conn.execute("SELECT %s, %s", [Json({"a": [1, None]}), Jsonb({"b": "é"})], binary=binary).fetchone()
            expect(got, ({"a": [1, None]}, {"b": "é"}))
            expect(conn.execute("SELECT (1, 'x'::text, NULL::int)", binary=binary).fetchone()[0],
                   ("1", "x", None) if not binary else (1, "x", None))
        expect(conn.execute("SELECT %s::int, %s::text", [None, None]).fetchone(), (None, None))


@test
def enum_composite_domain():
    import enum

    class Mood(enum.Enum):
        sad = "sad"
        ok = "ok"
        happy = "very happy"

    reset()
    with connect() as conn:
        register_enum(EnumInfo.fetch(conn, "mood"), conn, Mood, mapping={m: m.value for m in Mood})
        pair = CompositeInfo.fetch(conn, "pair")
        expect(list(pair.field_names), ["x", "label"])
        register_composite(pair, conn)
        for binary in (False, True):
            got = conn.execute("SELECT %s::mood, %s::mood[]", [Mood.happy, [Mood.sad, Mood.ok]], binary=binary).fetchone()
            expect(got, (Mood.happy, [Mood.sad, Mood.ok]))
            p = pair.python_type(5, 'a "b", c')
            expect(conn.execute("SELECT %s::pair", [p], binary=binary).fetchone()[0], p)
            expect(conn.execute("SELECT %s::pair[]", [[p, p]], binary=binary).fetchone()[0], [p, p])
        expect(conn.execute("SELECT %b::posint", [7], binary=True).fetchone()[0], 7)
        e = raises(errors.CheckViolation, conn.execute, "SELECT %s::posint", [-7])
        expect((e.diag.datatype_name, e.diag.constraint_name), ("posint", "posint_check"))
        e = raises(errors.InvalidTextRepresentation, conn.execute, "SELECT %s::text::mood", ["bored"])
        expect(e.diag.message_primary, 'invalid input value for enum mood: "bored"')


@test
def big_values_and_many_parameters():
    with connect() as conn:
        blob = bytes(range(256)) * 16384
        got = conn.execute("SELECT %b, md5(%b), length(%b)", [blob, blob, blob], binary=True).fetchone()
        expect(got[0], blob)
        expect(got[2], len(blob))
        n = 2000
        query = "SELECT count(x) FROM (VALUES " + ",".join(f"(${i + 1}::int)" for i in range(n)) + ") v (x)"
        expect(conn.pgconn.exec_params(query.encode(), [b"1"] * n).get_value(0, 0), str(n).encode())
        row = conn.execute("SELECT " + ",".join(["%s::int"] * 1500), list(range(1500))).fetchone()
        expect(row, tuple(range(1500)))


# ---- statements -------------------------------------------------------------------------------------------------


@test
def simple_protocol_many_statements():
    with connect() as conn:
        cur = conn.execute("SELECT 1; SELECT 'two'; CREATE TEMP TABLE t (a int); INSERT INTO t VALUES (1), (2); SELECT count(*) FROM t")
        tags = [cur.statusmessage]
        rows = [cur.fetchall()]
        while cur.nextset():
            tags.append(cur.statusmessage)
            rows.append(cur.fetchall() if cur.description else None)
        expect(tags, ["SELECT 1", "SELECT 1", "CREATE TABLE", "INSERT 0 2", "SELECT 1"])
        expect(rows, [[(1,)], [("two",)], None, None, [(2,)]])
        expect(pq.ExecStatus(conn.pgconn.exec_(b"").status), pq.ExecStatus.EMPTY_QUERY)
        expect(pq.ExecStatus(conn.pgconn.exec_(b"  ; -- nothing").status), pq.ExecStatus.EMPTY_QUERY)
        raises(errors.DivisionByZero, conn.execute, "INSERT INTO t VALUES (3); SELECT 1/0; INSERT INTO t VALUES (4)")
        expect(conn.execute("SELECT count(*) FROM t").fetchone(), (2,), "an implicit transaction is one")


@test
def prepared_statements():
    reset()
    with connect() as conn:
        for i in range(10):
            expect(conn.execute("SELECT %s::int + 1", [i], prepare=True).fetchone(), (i + 1,))
        rows = conn.execute("SELECT name, statement, parameter_types::text, result_types::text, from_sql FROM pg_prepared_statements").fetchall()
        expect([r[1:] for r in rows if "+ 1" in r[1]], [("SELECT $1::int + 1", "{smallint}", "{integer}", False)])
        conn.execute("DEALLOCATE ALL")
        prepared = conn.pgconn.prepare(b"s", b"SELECT $1 || $2, $3::int", [25])
        expect(pq.ExecStatus(prepared.status), pq.ExecStatus.COMMAND_OK)
        d = conn.pgconn.describe_prepared(b"s")
        expect(([d.param_type(i) for i in range(d.nparams)], [d.ftype(i) for i in range(d.nfields)]), ([25, 25, 23], [25, 23]))
        r = conn.pgconn.exec_prepared(b"s", [b"a", b"b", b"\0\0\0\7"], param_formats=[0, 0, 1], result_format=1)
        expect((r.get_value(0, 0), r.get_value(0, 1)), (b"ab", b"\0\0\0\7"))
        expect(conn.pgconn.prepare(b"s", b"SELECT 1").error_field(pq.DiagnosticField.SQLSTATE), b"42P05")
        expect(pq.ExecStatus(conn.pgconn.close_prepared(b"s").status), pq.ExecStatus.COMMAND_OK)
        expect(conn.pgconn.exec_prepared(b"s", []).error_field(pq.DiagnosticField.SQLSTATE), b"26000")
        expect(conn.pgconn.prepare(b"", b"SELECT $1").error_field(pq.DiagnosticField.SQLSTATE) or b"ok", b"ok")
        expect(conn.pgconn.prepare(b"", b"SELECT 1; SELECT 2").error_field(pq.DiagnosticField.SQLSTATE), b"42601")
        # A plan survives a change of its table, unless its columns change.
        conn.execute("INSERT INTO parent VALUES (1, 'a')")
        conn.pgconn.prepare(b"p", b"SELECT * FROM parent")
        conn.execute("CREATE INDEX ON parent (name)")
        expect(conn.pgconn.exec_prepared(b"p", []).ntuples, 1)
        conn.execute("ALTER TABLE parent ADD note text")
        r = conn.pgconn.exec_prepared(b"p", [])
        expect(r.error_field(pq.DiagnosticField.MESSAGE_PRIMARY), b"cached plan must not change result type")


@test
def executemany_and_returning():
    reset()
    with connect() as conn:
        cur = conn.cursor()
        cur.executemany("INSERT INTO parent VALUES (%s, %s) RETURNING id", [(i, f"n{i}") for i in range(50)], returning=True)
        got = []
        while True:
            got.append(cur.fetchone()[0])
            if not cur.nextset():
                break
        expect(got, list(range(50)))
        cur.execute("UPDATE parent SET name = name || 'x' WHERE id < %s", [10])
        expect((cur.rowcount, cur.statusmessage), (10, "UPDATE 10"))
        cur.execute("DELETE FROM parent WHERE id >= %s RETURNING *", [48])
        expect(cur.fetchall(), [(48, "n48"), (49, "n49")])
        with conn.cursor(row_factory=dict_row) as rows:
            expect(rows.execute("SELECT id, name FROM parent WHERE id = 1").fetchone(), {"id": 1, "name": "n1x"})


@test
def row_description():
    reset()
    with connect() as conn:
        cur = conn.execute("SELECT id, name, 1.5::numeric(6,2) AS n, 'a'::varchar(7) AS v FROM parent")
        expect([(c.name, c.type_code, c.internal_size, c.precision, c.scale) for c in cur.description],
               [("id", 23, 4, None, None), ("name", 25, None, None, None), ("n", 1700, None, 6, 2), ("v", 1043, None, None, None)])
        r = conn.pgconn.exec_(b"SELECT name, id, 1 FROM parent")
        oid = int(conn.execute("SELECT 'parent'::regclass::oid").fetchone()[0])
        expect([(r.ftable(i), r.ftablecol(i)) for i in range(3)], [(oid, 2), (oid, 1), (0, 0)])


@test
def cursors_and_streams():
    with connect(autocommit=False) as conn:
        with conn.cursor(name="c", scrollable=True) as cur:
            cur.execute("SELECT * FROM generate_series(1, 1000) g")
            expect(cur.fetchone(), (1,))
            expect(cur.fetchmany(3), [(2,), (3,), (4,)])
            cur.scroll(100, mode="absolute")
            expect(cur.fetchone(), (101,))
            cur.scroll(-1)
            expect(cur.fetchone(), (101,))
            expect(len(cur.fetchall()), 899)
        with conn.cursor(name="h", withhold=True) as cur:
            cur.execute("SELECT * FROM generate_series(1, 20) g")
            cur.fetchone()
            conn.commit()
            expect(len(cur.fetchall()), 19)
        cur = conn.cursor()
        expect(sum(r[0] for r in cur.stream("SELECT * FROM generate_series(1, 5000) g")), 12502500)
        expect(sum(r[0] for r in cur.stream("SELECT * FROM generate_series(1, 5000) g", size=64)), 12502500)


@test
def pipelines():
    reset()
    with connect() as conn:
        with conn.pipeline() as p:
            cur = [conn.execute("INSERT INTO parent VALUES (%s, %s)", [i, str(i)]) for i in range(100)]
            one = conn.execute("SELECT count(*) FROM parent")
            p.sync()
            expect(one.fetchone(), (100,))
            expect(cur[7].rowcount, 1)
        try:
            with conn.pipeline():
                conn.execute("INSERT INTO parent VALUES (200, 'x')")
                conn.execute("INSERT INTO parent VALUES (1, 'dup')")
                conn.execute("INSERT INTO parent VALUES (201, 'y')")
            raise AssertionError("no error")
        except errors.UniqueViolation:
            pass
        expect(conn.execute("SELECT count(*) FROM parent").fetchone(), (100,), "a failed pipeline leaves nothing")


# ---- transactions -----------------------------------------------------------------------------------------------


@test
def transactions():
    reset()
    with connect(autocommit=False) as conn, connect() as other:
        expect(conn.info.transaction_status, pq.TransactionStatus.IDLE)
        conn.execute("INSERT INTO parent VALUES (1, 'a')")
        expect(conn.info.transaction_status, pq.TransactionStatus.INTRANS)
        expect(other.execute("SELECT count(*) FROM parent").fetchone(), (0,))
        conn.commit()
        expect(other.execute("SELECT count(*) FROM parent").fetchone(), (1,))
        raises(errors.UndefinedTable, conn.execute, "SELECT * FROM missing")
        expect(conn.info.transaction_status, pq.TransactionStatus.INERROR)
        raises(errors.InFailedSqlTransaction, conn.execute, "SELECT 1")
        conn.rollback()
        with conn.transaction():
            conn.execute("INSERT INTO parent VALUES (2, 'b')")
            try:
                with conn.transaction():
                    conn.execute("INSERT INTO parent VALUES (3, 'c')")
                    conn.execute("INSERT INTO parent VALUES (3, 'c')")
            except errors.UniqueViolation:
                pass
            with conn.transaction(force_rollback=True):
                conn.execute("INSERT INTO parent VALUES (4, 'd')")
            conn.execute("INSERT INTO parent VALUES (5, 'e')")
        expect(other.execute("SELECT array_agg(id ORDER BY id) FROM parent").fetchone()[0], [1, 2, 5])
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        expect(conn.execute("SHOW transaction_isolation").fetchone(), ("repeatable read",))
        expect(conn.execute("SELECT count(*) FROM parent").fetchone(), (3,))
        other.execute("INSERT INTO parent VALUES (6, 'f')")
        expect(conn.execute("SELECT count(*) FROM parent").fetchone(), (3,))
        raises(errors.ReadOnlySqlTransaction, conn.execute, "INSERT INTO parent VALUES (7, 'g')")
        conn.rollback()


@test
def conflicts_between_sessions():
    reset()
    with connect(autocommit=False) as a, connect(autocommit=False) as b:
        a.execute("INSERT INTO parent VALUES (1, 'a')")
        a.commit()
        for c in (a, b):
            c.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        a.execute("SELECT * FROM parent")
        b.execute("SELECT * FROM parent")
        a.execute("UPDATE parent SET name = 'b'")
        a.commit()
        e = raises(errors.SerializationFailure, b.execute, "UPDATE parent SET name = 'c'")
        expect(e.diag.message_primary, "could not serialize access due to concurrent update")
        b.rollback()
        a.execute("SELECT * FROM parent FOR UPDATE")
        b.execute("SET LOCAL lock_timeout = '100ms'")
        raises(errors.LockNotAvailable, b.execute, "SELECT * FROM parent FOR UPDATE")
        b.rollback()
        e = raises(errors.LockNotAvailable, b.execute, "SELECT * FROM parent FOR UPDATE NOWAIT")
        expect(e.diag.message_primary, 'could not obtain lock on row in relation "parent"')


# ---- COPY -------------------------------------------------------------------------------------------------------


@test
def copy_both_ways():
    reset()
    with connect() as conn:
        conn.execute("CREATE TABLE c (i int, t text, n numeric, ts timestamptz, b bytea, a int[])")
        rows = [(i, f"t\t{i}\\\n", decimal.Decimal(i) / 4, dt.datetime(2024, 1, 1, tzinfo=UTC) + dt.timedelta(i), bytes([i % 256]), [i, None])
                for i in range(3000)]
        rows.append((None,) * 6)
        types = ["int4", "text", "numeric", "timestamptz", "bytea", "int4[]"]
        cur = conn.cursor()
        with cur.copy("COPY c FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        expect(cur.statusmessage, "COPY 3001")
        with cur.copy("COPY c TO STDOUT") as copy:
            copy.set_types(types)
            expect(sorted(copy.rows(), key=lambda r: (r[0] is None, r[0])), rows)
        conn.execute("TRUNCATE c")
        with cur.copy("COPY c (i, t, n, ts, b, a) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
        expect(cur.statusmessage, "COPY 3001")
        with cur.copy("COPY (SELECT * FROM c ORDER BY i) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(types)
            expect(list(copy.rows()), rows)
        with cur.copy("COPY (SELECT i, t FROM c WHERE i < 2 ORDER BY i) TO STDOUT (FORMAT csv, HEADER)") as copy:
            expect(b"".join(bytes(x) for x in copy), b'i,t\n0,"t\t0\\\n"\n1,"t\t1\\\n"\n')
        conn.execute("TRUNCATE c")
        with cur.copy("COPY c (i, t) FROM STDIN (FORMAT csv, HEADER, NULL 'none')") as copy:
            copy.write('i,t\n1,"a ""b"", c"\n2,')
            copy.write("none\n")
        expect(conn.execute("SELECT i, t FROM c ORDER BY i").fetchall(), [(1, 'a "b", c'), (2, None)])


@test
def copy_errors_leave_a_usable_connection():
    reset()
    with connect() as conn:
        cur = conn.cursor()

        def bad_row():
            with cur.copy("COPY parent FROM STDIN") as copy:
                copy.write("1\tone\nx\ttwo\n")

        e = raises(errors.InvalidTextRepresentation, bad_row)
        expect(e.diag.message_primary, 'invalid input syntax for type integer: "x"')
        expect(e.diag.context, 'COPY parent, line 2, column id: "x"')

        def too_few():
            with cur.copy("COPY parent FROM STDIN") as copy:
                copy.write("1\n")

        e = raises(errors.BadCopyFileFormat, too_few)
        expect((e.diag.message_primary, e.diag.context), ('missing data for column "name"', 'COPY parent, line 1: "1"'))

        def given_up():
            with cur.copy("COPY parent FROM STDIN") as copy:
                copy.write("1\tone\n")
                raise KeyError("the client gives up")

        raises(KeyError, given_up)
        expect(conn.execute("SELECT count(*) FROM parent").fetchone(), (0,))
        expect(conn.info.transaction_status, pq.TransactionStatus.IDLE)
        raises(errors.UndefinedTable, lambda: cur.copy("COPY missing FROM STDIN").__enter__())


# ---- cancel, errors, notices ------------------------------------------------------------------------------------


def cancel_sleep(conn):
    timer = threading.Timer(0.3, lambda: conn.cancel_safe())
    timer.start()
    started = time.monotonic()
    e = raises(errors.QueryCanceled, conn.execute, "SELECT pg_sleep(30)")
    timer.join()
    expect(e.diag.message_primary, "canceling statement due to user request")
    assert time.monotonic() - started < 10
    expect(conn.execute("SELECT 'alive'").fetchone(), ("alive",))


@test
def cancel():
    with connect() as conn:
        cancel_sleep(conn)
        timer = threading.Timer(0.3, lambda: conn.cancel_safe())
        timer.start()
        raises(errors.QueryCanceled, conn.execute, "SELECT count(*) FROM generate_series(1, 1000000000) a, generate_series(1, 1000) b")
        timer.join()
        conn.execute("SET statement_timeout = '200ms'")
        e = raises(errors.QueryCanceled, conn.execute, "SELECT pg_sleep(30)")
        expect(e.diag.message_primary, "canceling statement due to statement timeout")


@test
def cancel_of_a_waiting_lock():
    reset()
    with connect(autocommit=False) as holder, connect() as waiter:
        holder.execute("LOCK TABLE parent")
        timer = threading.Timer(0.3, lambda: waiter.cancel_safe())
        timer.start()
        raises(errors.QueryCanceled, waiter.execute, "SELECT * FROM parent")
        timer.join()


@test
def terminate_backend():
    with connect() as conn, connect() as victim:
        expect(conn.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid]).fetchone(), (True,))
        e = raises(psycopg.OperationalError, victim.execute, "SELECT 1")
        expect(e.sqlstate, "57P01")


@test
def error_fields():
    reset()
    with connect() as conn:
        conn.execute("INSERT INTO parent VALUES (1, 'one')")
        d = raises(errors.UniqueViolation, conn.execute, "INSERT INTO parent VALUES (1, 'two')").diag
        expect((d.severity, d.severity_nonlocalized, d.sqlstate), ("ERROR", "ERROR", "23505"))
        expect(d.message_primary, 'duplicate key value violates unique constraint "parent_pkey"')
        expect(d.message_detail, "Key (id)=(1) already exists.")
        expect((d.schema_name, d.table_name, d.column_name, d.constraint_name), ("public", "parent", None, "parent_pkey"))
        assert d.source_file and d.source_line and d.source_function
        d = raises(errors.ForeignKeyViolation, conn.execute, "INSERT INTO child VALUES (1, 99)").diag
        expect((d.table_name, d.constraint_name, d.message_detail),
               ("child", "child_parent_id_fkey", 'Key (parent_id)=(99) is not present in table "parent".'))
        d = raises(errors.CheckViolation, conn.execute, "INSERT INTO child VALUES (1, 1, 0)").diag
        expect((d.table_name, d.constraint_name), ("child", "amount_positive"))
        expect(d.message_detail, "Failing row contains (1, 1, 0, null).")
        d = raises(errors.NotNullViolation, conn.execute, "INSERT INTO parent VALUES (2, NULL)").diag
        expect((d.schema_name, d.table_name, d.column_name), ("public", "parent", "name"))
        d = raises(errors.UndefinedColumn, conn.execute, "SELECT 'é', nme FROM parent").diag
        expect((d.statement_position, d.message_hint), ("13", 'Perhaps you meant to reference the column "parent.name".'))
        d = raises(errors.SyntaxError, conn.execute, "SELEC 1").diag
        expect((d.statement_position, d.message_primary), ("1", 'syntax error at or near "SELEC"'))
        d = raises(errors.UndefinedFunction, conn.execute, "SELECT no_such(%s)", [1]).diag
        expect((d.statement_position, d.message_primary), ("8", "function no_such(smallint) does not exist"))
        d = raises(errors.NumericValueOutOfRange, conn.execute, "SELECT 2147483647 + 1").diag
        expect(d.message_primary, "integer out of range")
        d = raises(errors.StringDataRightTruncation, conn.execute, "SELECT 'x' WHERE 'toolong'::text = 'a'; CREATE TEMP TABLE v (a varchar(3)); INSERT INTO v VALUES ('long')").diag
        expect(d.message_primary, "value too long for type character varying(3)")
        d = \
            raises(errors.InvalidTextRepresentation, conn.execute, "SELECT %s::text::int", ["a"])
        expect(d.diag.message_primary, 'invalid input syntax for type integer: "a"')


@test
def plpgsql_errors_and_notices():
    with connect() as conn:
        notices = []
        conn.add_notice_handler(lambda d: notices.append((d.severity, d.sqlstate, d.message_primary, d.message_hint)))
        conn.execute("DO $$ BEGIN RAISE NOTICE 'n %', 1 USING HINT = 'h'; RAISE WARNING 'w'; RAISE DEBUG 'd'; END $$")
        expect(notices, [("NOTICE", "00000", "n 1", "h"), ("WARNING", "01000", "w", None)])
        notices.clear()
        conn.execute("DROP TABLE IF EXISTS not_there")
        expect(notices, [("NOTICE", "00000", 'table "not_there" does not exist, skipping', None)])
        conn.execute("SET client_min_messages = error")
        notices.clear()
        conn.execute("DROP TABLE IF EXISTS not_there")
        expect(notices, [])
        e = raises(errors.RaiseException, conn.execute,
                   "DO $$ BEGIN RAISE EXCEPTION 'bad' USING DETAIL = 'd', HINT = 'h', TABLE = 't', COLUMN = 'c', CONSTRAINT = 'k', DATATYPE = 'y', SCHEMA = 's'; END $$")
        d = e.diag
        expect((d.message_primary, d.message_detail, d.message_hint, d.schema_name, d.table_name, d.column_name, d.datatype_name, d.constraint_name),
               ("bad", "d", "h", "s", "t", "c", "y", "k"))
        expect(d.context, "PL/pgSQL function inline_code_block line 1 at RAISE")


@test
def listen_and_notify():
    with connect() as a, connect() as b:
        a.execute("LISTEN ch")
        b.execute("NOTIFY ch, 'payload'")
        b.execute("SELECT pg_notify('ch', 'second')")
        b.execute("NOTIFY elsewhere, 'x'")
        got = [(n.channel, n.payload, n.pid) for n in a.notifies(timeout=5, stop_after=2)]
        expect(got, [("ch", "payload", b.info.backend_pid), ("ch", "second", b.info.backend_pid)])


@test
async def async_connection():
    reset()
    async with await psycopg.AsyncConnection.connect(**BASE, autocommit=True) as conn:
        async with conn.cursor() as cur:
            await cur.execute("SELECT * FROM generate_series(1, %s) g", [10])
            expect([r[0] async for r in cur], list(range(1, 11)))
        sleeper = asyncio.create_task(conn.execute("SELECT pg_sleep(30)"))
        await asyncio.sleep(0.3)
        await conn.cancel_safe()
        try:
            await sleeper
            raise AssertionError("not cancelled")
        except errors.QueryCanceled:
            pass


@test
def composed_identifiers():
    with connect() as conn:
        name = sql.Identifier('odd "name"')
        conn.execute(sql.SQL("CREATE TEMP TABLE {} ({} int)").format(name, sql.Identifier("Select")))
        conn.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(name, sql.Literal(5)))
        expect(conn.execute(sql.SQL('SELECT "Select" FROM {}').format(name)).fetchone(), (5,))


main(f"psycopg {psycopg.__version__} (libpq {pq.version()})")
