"""Writes ../types.json: the shared table of types and values, with PostgreSQL's own text and binary forms.

Run it against a real PostgreSQL 18 (see harness.py for the environment variables), never against the server under test.
"""

import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
import psycopg
from harness import DATABASE, HOST, PASSWORD, PORT, TYPES, USER, setup_statements

# Types whose binary form holds OIDs of this database have no recorded bytes.
LOCAL = {"record", "pair", "nested", "pair[]", "mood[]", "posint[]", "regrole", "regclass", "regtype", "regnamespace"}

VALUES = {
    "bool": ["t", "f"],
    "int2": ["0", "-32768", "32767"],
    "int4": ["0", "-2147483648", "2147483647", "42"],
    "int8": ["0", "-9223372036854775808", "9223372036854775807"],
    "oid": ["0", "1", "4294967295"],
    "float4": ["0", "-0", "1.5", "3.4028235e+38", "1e-45", "NaN", "Infinity", "-Infinity", "0.1"],
    "float8": ["0", "-0", "0.1", "1.7976931348623157e+308", "5e-324", "NaN", "Infinity", "-Infinity", "123456.789"],
    "numeric": [
        "0", "0.00", "1", "-1", "10000", "0.0001", "12345678901234567890.0123456789", "-99999999.9999",
        "1000000000000000000000000000000", "0.000000000000000000000000000001", "NaN", "Infinity", "-Infinity", "1.10",
    ],
    "text": ["", "plain", "naïve €  🐘", "a\\b'c\"d", "line\nbreak\ttab"],
    "varchar": ["", "abc", "ü"],
    "varchar(3)": ["abc", "äöü"],
    "bpchar": ["abc", "x  "],
    "char(5)": ["ab", "äö"],
    "name": ["x", "pg_catalog"],
    '"char"': ["a", "\\200", ""],
    "bytea": ["", "\\x00", "\\x00ff10deadbeef", "\\x" + "ab" * 100],
    "date": ["2000-01-01", "1999-12-31", "2024-02-29", "0001-01-01", "4713-01-01 BC", "5874897-12-31", "infinity", "-infinity"],
    "time": ["00:00:00", "23:59:59.999999", "24:00:00", "12:34:56.5"],
    "timetz": ["00:00:00+00", "23:59:59.999999-07", "12:00:00+05:30"],
    "timestamp": ["2000-01-01 00:00:00", "1999-12-31 23:59:59.999999", "2024-02-29 12:00:00.25", "0001-01-01 00:00:00",
                  "294276-12-31 23:59:59.999999", "infinity", "-infinity"],
    "timestamptz": ["2000-01-01 00:00:00+00", "2024-06-30 23:59:59.123456+00", "infinity", "-infinity"],
    "interval": ["00:00:00", "1 year 2 mons 3 days 04:05:06.789", "-1 mons", "-00:00:00.000001", "178000000 years", "1 day -00:00:01",
                 "infinity", "-infinity"],
    "uuid": ["00000000-0000-0000-0000-000000000000", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
    "json": ["null", "[]", '{"b": 1,  "a": [1.50, "x", null]}', '"\\u00e9"'],
    "jsonb": ["null", "[]", '{"b": 1, "a": [1.50, "x", null, true]}', '"é"', "-1e3", '{"a": {"b": {"c": []}}}'],
    "jsonpath": ['$."a"[*]'],
    "xid": ["3", "4294967295"],
    "xid8": ["18446744073709551615"],
    "tid": ["(0,1)", "(4294967295,65535)"],
    "pg_lsn": ["0/0", "16/B374D848"],
    "bit": ["1"],
    "bit(5)": ["10101"],
    "varbit": ["", "1", "101010101"],
    "money": ["$0.00", "-$92,233,720,368,547,758.08"],
    "inet": ["127.0.0.1", "10.1.2.3/8", "::1", "2001:db8::/32"],
    "cidr": ["10.0.0.0/8", "2001:db8::/32"],
    "macaddr": ["08:00:2b:01:02:03"],
    "macaddr8": ["08:00:2b:01:02:03:04:05"],
    "point": ["(1,2.5)"],
    "box": ["(3,4),(1,2)"],
    "circle": ["<(1,2),3>"],
    "path": ["[(0,0),(1,1)]", "((0,0),(1,1),(2,0))"],
    "polygon": ["((0,0),(1,1),(2,0))"],
    "lseg": ["[(0,0),(1,1)]"],
    "line": ["{1,2,3}"],
    "int4range": ["empty", "[1,10)", "(,5)", "[3,)", "(,)"],
    "numrange": ["[1.5,2.5]"],
    "tstzrange": ['["2024-01-01 00:00:00+00",)'],
    "int4multirange": ["{}", "{[1,3),[5,8)}"],
    "tsvector": ["'a':1A 'fat':2,4B 'sat'"],
    "tsquery": ["'a' & ( 'b' | !'c' )", "'x':*"],
    "regproc": ["now", "-"],
    "regprocedure": ["abs(integer)"],
    "regoper": ["pg_catalog.||/"],
    "regoperator": ["+(integer,integer)"],
    "regclass": ["pg_class", "parent"],
    "regtype": ["integer", "mood"],
    "regnamespace": ["pg_catalog"],
    "regconfig": ["english"],
    "regdictionary": ["simple"],
    "regcollation": ['"C"'],
    "regrole": ["pg_monitor"],
    "oidvector": ["", "1 2 3"],
    "int2vector": ["", "1 -2 3"],
    "mood": ["sad", "very happy"],
    "posint": ["1", "2147483647"],
    "shortname": ["", "abcdefgh"],
    "pair": ["(1,one)", "(,)", '(2,"a ""b"", c")', '(3,"")'],
    "nested": ['(7,"(1,x)","{a,""b c"",NULL}",ok)'],
    "bool[]": ["{t,f,NULL}"],
    "int2[]": ["{1,-2}"],
    "int4[]": ["{}", "{1,2,NULL,4}", "{{1,2},{3,4}}", "[0:1]={5,6}"],
    "int8[]": ["{9223372036854775807}"],
    "oid[]": ["{1,4294967295}"],
    "float4[]": ["{0.1,NaN}"],
    "float8[]": ["{0.1,-Infinity}"],
    "numeric[]": ["{1.10,NaN,-2}"],
    "text[]": ["{}", '{a,NULL,"NULL","",\"b c\",\"q\\"\\\\\",{}}'.replace(",{}", ""), "{{{x}}}"],
    "varchar[]": ["{a,b}"],
    "bpchar[]": ["{ab}"],
    "name[]": ["{a,b}"],
    '"char"[]': ["{a,b}"],
    "bytea[]": ['{"\\\\x00ff",NULL}'],
    "date[]": ["{2024-02-29,infinity}"],
    "time[]": ["{12:34:56.5}"],
    "timestamp[]": ['{"2024-02-29 12:00:00"}'],
    "timestamptz[]": ['{"2024-02-29 12:00:00+00"}'],
    "interval[]": ['{"1 day",-00:00:01}'],
    "uuid[]": ["{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"],
    "json[]": ['{"{\\"a\\": 1}"}'],
    "jsonb[]": ['{"{\\"a\\": 1}",NULL}'],
    "mood[]": ['{sad,"very happy",NULL}'],
    "posint[]": ["{1,2}"],
    "pair[]": ['{"(1,one)",NULL}'],
    "int4range[]": ['{"[1,3)",empty}'],
    "inet[]": ["{10.0.0.1,::1}"],
}


def main():
    conn = psycopg.connect(host=HOST, port=PORT, user=USER, password=PASSWORD, dbname=DATABASE, autocommit=True)
    version = conn.execute("SELECT version()").fetchone()[0]
    if not version.startswith("PostgreSQL 18") or "PGLite" in version:
        sys.exit(f"not a PostgreSQL 18: {version}")
    conn.execute(setup_statements())
    conn.execute("SET timezone = 'UTC'")
    out = []
    for ty, texts in VALUES.items():
        rows = []
        for text in texts:
            sent = [text.encode()]
            canonical = conn.pgconn.exec_params(f"SELECT $1::{ty}".encode(), sent)
            if canonical.error_message:
                sys.exit(f"{ty} {text!r}: {canonical.error_message.decode()}")
            binary = conn.pgconn.exec_params(f"SELECT $1::{ty}".encode(), sent, result_format=1)
            value = canonical.get_value(0, 0).decode()
            if value != text:
                print(f"note: {ty} {text!r} prints as {value!r}")
            rows.append([value, None if ty in LOCAL else binary.get_value(0, 0).hex()])
        out.append({"type": ty, "values": rows})
    lines = ",\n".join("  " + json.dumps(e, ensure_ascii=False) for e in out)
    TYPES.write_text(f"[\n{lines}\n]\n")
    print(f"{sum(len(e['values']) for e in out)} values of {len(out)} types from {version}")


if __name__ == "__main__":
    main()
