// node-postgres against the server: see ../harness.py for the environment variables that tell where it is.
// The runner installs the packages of package.json beside a copy of this file; DRIVER_SHARED names this folder.

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { Readable } from "node:stream";
import pg from "pg";
import copy from "pg-copy-streams";
import Cursor from "pg-cursor";

const env = process.env;
const shared = env.DRIVER_SHARED ?? path.join(import.meta.dirname, "..");
const base = {
  host: env.DRIVER_HOST ?? "127.0.0.1",
  port: Number(env.DRIVER_PORT ?? 5432),
  user: env.DRIVER_USER ?? "driver",
  password: env.DRIVER_PASSWORD ?? "pencil",
  database: env.DRIVER_DATABASE ?? "driver",
};
const ca = env.DRIVER_CA && fs.readFileSync(env.DRIVER_CA, "utf8");
if (ca) base.ssl = { ca, rejectUnauthorized: true };

// A check that fails leaves promises behind; they must not end the run.
process.on("unhandledRejection", () => {});

const tests = [];
const test = (name, run) => tests.push([name, run]);
const tlsTest = (name, run) => ca && test(name, run);

async function connect(options = {}) {
  const client = new pg.Client({ ...base, ...options });
  client.on("error", () => {});
  await client.connect();
  return client;
}

async function using(run, options) {
  const client = await connect(options);
  try {
    return await run(client);
  } finally {
    await client.end();
  }
}

const setup = fs.readFileSync(path.join(shared, "setup.sql"), "utf8");
const fresh = (run) => using(async (c) => (await c.query(setup), run(c)));
const fails = async (promise) => {
  try {
    await promise;
  } catch (e) {
    return e;
  }
  assert.fail("no error");
};
const raw = { getTypeParser: () => (v) => v };

tlsTest("tls_and_scram", async () => {
  await using(async (c) => {
    const r = await c.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert.deepEqual(r.rows, [{ ssl: true }]);
  });
  const e = await fails(connect({ password: "wrong" }));
  assert.equal(e.code, "28P01");
  const untrusted = await fails(connect({ ssl: { rejectUnauthorized: true } }));
  assert.match(untrusted.message, /self-signed|unable to|certificate/);
  await using(async (c) => c.query("SELECT 1"), { ssl: { ca }, enableChannelBinding: true });
});

test("parameters_and_rows", () =>
  using(async (c) => {
    const r = await c.query("SELECT $1::int AS a, $2::text AS b, $3::timestamptz AS c, $4::jsonb AS d, $5::bytea AS e, $6::int[] AS f, $7::bool AS g, $8::float8 AS h",
      [1, "naïve € 🐘", new Date("2024-02-29T12:00:00.123Z"), { x: [1, null] }, Buffer.from([0, 255, 16]), [1, null, 3], true, 1.5]);
    assert.deepEqual(r.rows[0], {
      a: 1, b: "naïve € 🐘", c: new Date("2024-02-29T12:00:00.123Z"), d: { x: [1, null] }, e: Buffer.from([0, 255, 16]), f: [1, null, 3], g: true, h: 1.5,
    });
    assert.deepEqual(r.fields.map((f) => [f.name, f.dataTypeID]), [["a", 23], ["b", 25], ["c", 1184], ["d", 3802], ["e", 17], ["f", 1007], ["g", 16], ["h", 701]]);
    assert.deepEqual((await c.query({ text: "SELECT 1, 'a' WHERE $1::int IS NULL", values: [null], rowMode: "array" })).rows, [[1, "a"]]);
    assert.equal((await c.query("SELECT $1::int8 + 1 AS n", ["9223372036854775806"])).rows[0].n, "9223372036854775807");
  }));

test("every_type_as_text", () =>
  fresh(async (c) => {
    await c.query("SET timezone = 'UTC'");
    const bad = [];
    for (const { type, values } of JSON.parse(fs.readFileSync(path.join(shared, "types.json"), "utf8"))) {
      for (const [text] of values) {
        try {
          const r = await c.query({ text: `SELECT $1::${type} AS v`, values: [text], types: raw });
          if (r.rows[0].v !== text) bad.push(`${type} ${text}: ${r.rows[0].v}`);
        } catch (e) {
          bad.push(`${type} ${text}: ${e.message}`);
        }
      }
    }
    assert.deepEqual(bad, []);
  }));

test("every_type_as_binary", () =>
  fresh(async (c) => {
    await c.query("SET timezone = 'UTC'");
    const bad = [];
    for (const { type, values } of JSON.parse(fs.readFileSync(path.join(shared, "types.json"), "utf8"))) {
      for (const [text, hex] of values) {
        if (hex === null || ((type === "oidvector" || type === "int2vector") && text === "")) continue;
        const bytes = Buffer.from(hex, "hex");
        // A Buffer parameter is sent in binary.
        const back = await c.query({ text: `SELECT $1::${type} AS v`, values: [bytes], types: raw });
        if (back.rows[0].v !== text) bad.push(`${type} ${text}: came back as ${back.rows[0].v}`);
        // node-postgres reads every value as UTF-8 first, so only such bytes survive it.
        if (bytes.some((b) => b >= 128)) continue;
        const r = await c.query({ text: `SELECT $1::${type} AS v`, values: [text], types: raw, binary: true });
        const got = Buffer.from(r.rows[0].v).toString("hex");
        if (got !== hex) bad.push(`${type} ${text}: ${got}, not ${hex}`);
      }
    }
    assert.deepEqual(bad, []);
  }));

test("prepared_statements", () =>
  fresh(async (c) => {
    const q = { name: "add", text: "SELECT $1::int + $2::int AS sum" };
    for (let i = 0; i < 5; i++) assert.equal((await c.query({ ...q, values: [i, 1] })).rows[0].sum, i + 1);
    const r = await c.query("SELECT name, statement, parameter_types::text AS p FROM pg_prepared_statements");
    assert.deepEqual(r.rows, [{ name: "add", statement: q.text, p: "{integer,integer}" }]);
    const e = await fails(c.query({ name: "bad", text: "SELECT nope", values: [] }));
    assert.equal(e.code, "42703");
    assert.equal((await c.query({ ...q, values: [40, 2] })).rows[0].sum, 42, "usable after an error");
    const two = await c.query("SELECT 1 AS a; SELECT 2 AS b");
    assert.deepEqual(two.map((x) => x.rows), [[{ a: 1 }], [{ b: 2 }]]);
    assert.equal((await c.query("")).rows.length, 0);
  }));

test("transactions", () =>
  fresh(async (c) => {
    await using(async (other) => {
      await c.query("BEGIN");
      await c.query("INSERT INTO parent VALUES ($1, $2)", [1, "a"]);
      assert.equal((await other.query("SELECT count(*)::int AS n FROM parent")).rows[0].n, 0);
      await c.query("SAVEPOINT s");
      assert.equal((await fails(c.query("INSERT INTO parent VALUES ($1, $2)", [1, "a"]))).code, "23505");
      assert.equal((await fails(c.query("SELECT 1"))).code, "25P02");
      await c.query("ROLLBACK TO s");
      await c.query("COMMIT");
      assert.equal((await other.query("SELECT count(*)::int AS n FROM parent")).rows[0].n, 1);
      const r = await c.query("UPDATE parent SET name = $1 RETURNING id, name", ["z"]);
      assert.deepEqual([r.command, r.rowCount, r.rows], ["UPDATE", 1, [{ id: 1, name: "z" }]]);
    });
  }));

test("cursors", () =>
  using(async (c) => {
    const cursor = c.query(new Cursor("SELECT * FROM generate_series(1, $1::int) g", [250]));
    let seen = 0;
    for (;;) {
      const rows = await cursor.read(100);
      if (!rows.length) break;
      seen += rows.length;
    }
    assert.equal(seen, 250);
    const early = c.query(new Cursor("SELECT * FROM generate_series(1, 100000) g"));
    assert.equal((await early.read(10)).length, 10);
    await early.close();
    assert.equal((await c.query("SELECT 1 AS a")).rows[0].a, 1);
  }));

test("copy_both_ways", () =>
  fresh(async (c) => {
    const lines = Array.from({ length: 5000 }, (_, i) => `${i}\tname ${i}\n`);
    const into = c.query(copy.from("COPY parent FROM STDIN"));
    await pipeline(Readable.from(lines), into);
    assert.equal(into.rowCount, 5000);
    const out = c.query(copy.to("COPY (SELECT * FROM parent ORDER BY id) TO STDOUT"));
    const chunks = [];
    for await (const chunk of out) chunks.push(chunk);
    assert.equal(Buffer.concat(chunks).toString(), lines.join(""));
    const binary = c.query(copy.to("COPY (SELECT * FROM parent WHERE id < 1000) TO STDOUT (FORMAT binary)"));
    const image = [];
    for await (const chunk of binary) image.push(chunk);
    await c.query("TRUNCATE parent CASCADE");
    await pipeline(Readable.from(image), c.query(copy.from("COPY parent FROM STDIN (FORMAT binary)")));
    assert.equal((await c.query("SELECT count(*)::int AS n FROM parent")).rows[0].n, 1000);
    const e = await fails(pipeline(Readable.from(["1\ta\n"]), c.query(copy.from("COPY parent FROM STDIN"))));
    assert.equal(e.code, "23505");
    assert.equal((await c.query("SELECT 1 AS a")).rows[0].a, 1);
  }));

test("cancel", () =>
  using(async (c) => {
    const sleeping = fails(c.query("SELECT pg_sleep(30)"));
    await new Promise((r) => setTimeout(r, 300));
    await using((other) => other.query("SELECT pg_cancel_backend($1)", [c.processID]));
    assert.equal((await sleeping).code, "57014");
    // The protocol's own cancel request, by node-postgres's low-level connection.
    const again = fails(c.query("SELECT pg_sleep(30)"));
    await new Promise((r) => setTimeout(r, 300));
    const con = new pg.Connection({ ssl: false });
    con.connect(base.port, base.host);
    con.on("connect", () => con.cancel(c.processID, c.secretKey));
    assert.equal((await again).code, "57014");
    assert.equal((await c.query("SELECT 1 AS a")).rows[0].a, 1);
  }));

test("error_fields", () =>
  fresh(async (c) => {
    await c.query("INSERT INTO parent VALUES (1, 'one')");
    const e = await fails(c.query("INSERT INTO parent VALUES ($1, 'two')", [1]));
    assert.deepEqual(
      { severity: e.severity, code: e.code, message: e.message, detail: e.detail, schema: e.schema, table: e.table, constraint: e.constraint },
      { severity: "ERROR", code: "23505", message: 'duplicate key value violates unique constraint "parent_pkey"', detail: "Key (id)=(1) already exists.", schema: "public", table: "parent", constraint: "parent_pkey" });
    const syntax = await fails(c.query("SELECT 'é' FRM x y"));
    assert.deepEqual([syntax.code, syntax.position, syntax.message], ["42601", "16", 'syntax error at or near "x"']);
    const missing = await fails(c.query("SELECT * FROM parents"));
    assert.deepEqual([missing.code, missing.position], ["42P01", "15"]);
    const column = await fails(c.query("INSERT INTO parent (id) VALUES (5)"));
    assert.deepEqual([column.code, column.column, column.detail], ["23502", "name", "Failing row contains (5, null)."]);
    const text = await fails(c.query("SELECT $1::int", ["x"]));
    assert.deepEqual([text.code, text.message, text.where], ["22P02", 'invalid input syntax for type integer: "x"', "unnamed portal parameter $1 = '...'"]);
  }));

test("notices_and_notifications", () =>
  using(async (c) => {
    const notices = [];
    c.on("notice", (n) => notices.push([n.severity, n.code, n.message]));
    await c.query("DROP TABLE IF EXISTS not_there");
    assert.deepEqual(notices, [["NOTICE", "00000", 'table "not_there" does not exist, skipping']]);
    const got = new Promise((r) => c.on("notification", r));
    await c.query("LISTEN ch");
    await using((other) => other.query("SELECT pg_notify('ch', 'hello')"));
    const n = await got;
    assert.deepEqual([n.channel, n.payload], ["ch", "hello"]);
  }));

test("pool", async () => {
  const pool = new pg.Pool({ ...base, max: 5 });
  const got = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query("SELECT $1::int * 2 AS n", [i])));
  assert.deepEqual(got.map((r) => r.rows[0].n), Array.from({ length: 40 }, (_, i) => 2 * i));
  await pool.end();
});

let failed = 0;
for (const [name, run] of tests) {
  if (process.argv.length > 2 && !process.argv.includes(name)) continue;
  try {
    const late = new Promise((_, no) => setTimeout(() => no(new Error("timeout")), 60000).unref());
    await Promise.race([run(), late]);
    console.log(`ok   ${name}`);
  } catch (e) {
    failed++;
    console.log(`FAIL ${name}: ${String(e.stack ?? e).slice(0, 1500)}`);
  }
}
const { version } = JSON.parse(fs.readFileSync(path.join(import.meta.dirname, "node_modules/pg/package.json"), "utf8"));
console.log(`node-postgres ${version}: ${tests.length - failed} of ${tests.length} checks passed`);
process.exit(failed ? 1 : 0);
