// pgjdbc against the server: see ../harness.py for the environment variables that tell where it is.
// Run from source: `java -cp postgresql.jar Suite.java`.

import java.io.*;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.*;
import java.sql.*;
import java.time.*;
import java.util.*;
import java.util.concurrent.*;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;
import org.postgresql.copy.CopyManager;
import org.postgresql.util.*;

public class Suite {
    static final String HOST = env("DRIVER_HOST", "127.0.0.1");
    static final String PORT = env("DRIVER_PORT", "5432");
    static final String DATABASE = env("DRIVER_DATABASE", "driver");
    static final String CA = System.getenv("DRIVER_CA");
    static final Path SHARED = Path.of(env("DRIVER_SHARED", ".."));

    static String env(String name, String otherwise) {
        return System.getenv().getOrDefault(name, otherwise);
    }

    interface Check { void run() throws Exception; }
    interface Action { void run() throws Exception; }

    static final Map<String, Check> TESTS = new LinkedHashMap<>();

    static Connection connect(String... options) throws SQLException {
        Properties p = new Properties();
        p.put("user", env("DRIVER_USER", "driver"));
        p.put("password", env("DRIVER_PASSWORD", "pencil"));
        if (CA != null) {
            p.put("sslmode", "verify-full");
            p.put("sslrootcert", CA);
        } else {
            p.put("sslmode", "disable");
        }
        for (int i = 0; i < options.length; i += 2) p.put(options[i], options[i + 1]);
        return DriverManager.getConnection("jdbc:postgresql://" + HOST + ":" + PORT + "/" + DATABASE, p);
    }

    static Connection fresh(String... options) throws Exception {
        Connection c = connect(options);
        try (Statement s = c.createStatement()) {
            s.execute(Files.readString(SHARED.resolve("setup.sql")));
        }
        return c;
    }

    static void equal(Object got, Object expected, String what) {
        if (!Objects.deepEquals(got, expected)) {
            throw new AssertionError(what + ": got " + show(got) + ", expected " + show(expected));
        }
    }

    static void equal(Object got, Object expected) {
        equal(got, expected, "value");
    }

    static String show(Object o) {
        return o instanceof Object[] a ? Arrays.deepToString(a) : o instanceof byte[] b ? HexFormat.of().formatHex(b) : String.valueOf(o);
    }

    static SQLException fails(Action action) throws Exception {
        try {
            action.run();
        } catch (SQLException e) {
            return e;
        }
        throw new AssertionError("no error");
    }

    static Object one(Connection c, String sql, Object... params) throws SQLException {
        try (PreparedStatement s = c.prepareStatement(sql)) {
            for (int i = 0; i < params.length; i++) s.setObject(i + 1, params[i]);
            try (ResultSet r = s.executeQuery()) {
                r.next();
                return r.getObject(1);
            }
        }
    }

    // ---- the table of values ----

    record Value(String type, String text, String hex) {}

    /** types.json: an array of {"type": string, "values": [[string, string or null], ...]}. */
    static List<Value> values() throws IOException {
        String json = Files.readString(SHARED.resolve("types.json"));
        List<Value> out = new ArrayList<>();
        int[] at = {0};
        String type = null;
        List<String> pair = new ArrayList<>();
        while (at[0] < json.length()) {
            char ch = json.charAt(at[0]);
            if (ch == '"') {
                String s = string(json, at);
                if (s.equals("type") && json.charAt(at[0]) == ':') {
                    at[0] = json.indexOf('"', at[0]);
                    type = string(json, at);
                } else if (!(s.equals("values") && json.charAt(at[0]) == ':')) {
                    pair.add(s);
                }
                continue;
            }
            if (json.startsWith("null", at[0])) pair.add(null);
            if (ch == '[') pair.clear();
            if (ch == ']' && pair.size() == 2) {
                out.add(new Value(type, pair.get(0), pair.get(1)));
                pair.clear();
            }
            at[0]++;
        }
        if (out.size() < 200) throw new AssertionError("only " + out.size() + " values");
        return out;
    }

    static String string(String json, int[] at) {
        StringBuilder s = new StringBuilder();
        for (at[0]++; json.charAt(at[0]) != '"'; at[0]++) {
            char ch = json.charAt(at[0]);
            if (ch != '\\') {
                s.append(ch);
                continue;
            }
            ch = json.charAt(++at[0]);
            switch (ch) {
                case 'n' -> s.append('\n');
                case 't' -> s.append('\t');
                case 'u' -> {
                    s.append((char) Integer.parseInt(json.substring(at[0] + 1, at[0] + 5), 16));
                    at[0] += 4;
                }
                default -> s.append(ch);
            }
        }
        at[0]++;
        return s.toString();
    }

    // ---- checks ----

    static void connecting() {
        if (CA != null) {
            TESTS.put("tls_and_scram", () -> {
                for (String mode : new String[] {"require", "verify-ca", "verify-full"}) {
                    try (Connection c = connect("sslmode", mode)) {
                        equal(one(c, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"), true, mode);
                    }
                }
                try (Connection c = connect("channelBinding", "require")) {
                    equal(one(c, "SELECT 1"), 1);
                }
                try (Connection c = connect("sslNegotiation", "direct", "sslmode", "require")) {
                    equal(one(c, "SELECT 1"), 1);
                }
                equal(fails(() -> connect("password", "wrong").close()).getSQLState(), "28P01");
                String bundle = System.getProperty("java.home") + "/lib/security/no-such-ca";
                fails(() -> connect("sslrootcert", bundle).close());
            });
        }
        TESTS.put("connection_properties", () -> {
            try (Connection c = connect("ApplicationName", "drivers", "currentSchema", "pg_catalog", "options", "-c work_mem=8MB")) {
                DatabaseMetaData m = c.getMetaData();
                equal(m.getDatabaseMajorVersion(), 18);
                equal(one(c, "SHOW application_name"), "drivers");
                equal(one(c, "SHOW search_path"), "pg_catalog");
                equal(one(c, "SHOW work_mem"), "8MB");
                equal(c.getSchema(), "pg_catalog");
                equal(c.isValid(5), true);
            }
            equal(fails(() -> DriverManager.getConnection(
                "jdbc:postgresql://" + HOST + ":" + PORT + "/no_such_database?sslmode=" + (CA == null ? "disable" : "require"),
                env("DRIVER_USER", "driver"), env("DRIVER_PASSWORD", "pencil")).close()).getSQLState(), "3D000");
        });
        for (String version : new String[] {"3.0", "3.2"}) {
            TESTS.put("protocol_" + version.replace('.', '_'), () -> {
                try (Connection c = connect("protocolVersion", version)) {
                    equal(one(c, "SELECT 1"), 1);
                    cancelSleep(c);
                }
            });
        }
    }

    static void types() {
        TESTS.put("every_type_as_text", () -> everyType("binaryTransfer", "false"));
        // prepareThreshold -1 forces binary transfer from the first execution on.
        TESTS.put("every_type_binary_where_pgjdbc_can", () -> everyType("prepareThreshold", "-1"));
        for (String threshold : new String[] {"0", "-1"}) {
            TESTS.put("java_values_threshold_" + threshold.replace("-", "minus_"), () -> javaValues(threshold));
        }
        TESTS.put("arrays_enums_composites", () -> {
            try (Connection c = fresh("prepareThreshold", "-1")) {
                Array a = c.createArrayOf("int4", new Object[] {1, null, 3});
                equal(((Array) one(c, "SELECT ?", a)).getArray(), new Integer[] {1, null, 3});
                Array t = c.createArrayOf("text", new Object[][] {{"a", "q\"\\"}, {null, ""}});
                equal(((Array) one(c, "SELECT ?", t)).getArray(), new String[][] {{"a", "q\"\\"}, {null, ""}});
                equal(((Array) one(c, "SELECT ARRAY[1.50, 2]::numeric[]")).getArray(), new BigDecimal[] {new BigDecimal("1.50"), new BigDecimal("2")});
                equal(one(c, "SELECT ?::mood", "very happy").toString(), "very happy");
                equal(one(c, "SELECT ?::posint", 5), 5);
                equal(one(c, "SELECT ROW(1, 'a b')::pair").toString(), "(1,\"a b\")");
                PGobject json = new PGobject();
                json.setType("jsonb");
                json.setValue("{\"a\": 1}");
                equal(((PGobject) one(c, "SELECT ?", json)).getValue(), "{\"a\": 1}");
                PGobject inet = (PGobject) one(c, "SELECT '10.0.0.1'::inet");
                equal(inet.getType() + " " + inet.getValue(), "inet 10.0.0.1");
                PGInterval i = (PGInterval) one(c, "SELECT interval '1 year 2 months 3 days 04:05:06.5'");
                equal(List.of(i.getYears(), i.getMonths(), i.getDays(), i.getHours(), i.getMinutes(), i.getSeconds()), List.of(1, 2, 3, 4, 5, 6.5));
            }
        });
    }

    static void everyType(String... options) throws Exception {
        try (Connection c = fresh(options); Statement set = c.createStatement()) {
            set.execute("SET timezone = 'UTC'");
            List<String> bad = new ArrayList<>();
            for (Value v : values()) {
                try (PreparedStatement s = c.prepareStatement("SELECT ?::" + v.type + ", (?::" + v.type + ")::text, ?::" + v.type + " IS NULL")) {
                    for (int i = 1; i <= 3; i++) s.setObject(i, v.text, Types.OTHER);
                    try (ResultSet r = s.executeQuery()) {
                        r.next();
                        // pgjdbc takes money for a double, thousands separators and all.
                        if (!v.type.equals("money")) r.getObject(1);
                        if (options[1].equals("false") && !v.text.equals(r.getString(1))) bad.add(v.type + " " + v.text + ": " + r.getString(1));
                        String got = r.getString(2);
                        // A cast to text prints these otherwise.
                        boolean changes = Set.of("bool", "bpchar", "char(5)", "inet").contains(v.type);
                        if (!changes && !v.text.equals(got)) bad.add(v.type + " " + v.text + ": " + got);
                    }
                } catch (SQLException e) {
                    bad.add(v.type + " " + v.text + ": " + e.getMessage());
                }
            }
            if (!bad.isEmpty()) throw new AssertionError(bad.size() + " values: " + bad);
        }
    }

    static void javaValues(String threshold) throws Exception {
        Object[][] samples = {
            {"bool", true}, {"int2", 7}, {"int4", Integer.MIN_VALUE}, {"int8", Long.MAX_VALUE}, {"float4", 1.5f}, {"float8", 0.1},
            {"float8", Double.NEGATIVE_INFINITY}, {"numeric", new BigDecimal("-123.4500")}, {"text", "naïve € 🐘"}, {"varchar", ""},
            {"bytea", new byte[] {0, -1, 16}}, {"date", LocalDate.of(2024, 2, 29)}, {"time", LocalTime.of(1, 2, 3, 4000)},
            {"timestamp", LocalDateTime.of(1999, 12, 31, 23, 59, 59, 999999000)},
            {"timestamptz", OffsetDateTime.of(2024, 6, 30, 12, 0, 0, 0, ZoneOffset.UTC)},
            {"uuid", UUID.fromString("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")},
        };
        try (Connection c = connect("prepareThreshold", threshold)) {
            for (Object[] sample : samples) {
                try (PreparedStatement s = c.prepareStatement("SELECT ?::" + sample[0] + ", ?::" + sample[0])) {
                    for (int round = 0; round < 3; round++) {
                        s.setObject(1, sample[1]);
                        s.setObject(2, null);
                        try (ResultSet r = s.executeQuery()) {
                            r.next();
                            Class<?> as = sample[1].getClass();
                            Object got = as == byte[].class ? r.getBytes(1) : r.getObject(1, as);
                            equal(got, sample[1], sample[0] + " round " + round);
                            r.getObject(2);
                            equal(r.wasNull(), true, "null " + sample[0]);
                        }
                    }
                }
            }
        }
    }

    static void statements() {
        TESTS.put("server_prepared_statements", () -> {
            try (Connection c = fresh(); PreparedStatement s = c.prepareStatement("SELECT ?::int + 1")) {
                s.unwrap(PGStatement.class).setPrepareThreshold(2);
                for (int i = 0; i < 6; i++) {
                    s.setInt(1, i);
                    try (ResultSet r = s.executeQuery()) {
                        r.next();
                        equal(r.getInt(1), i + 1);
                    }
                }
                equal(s.unwrap(PGStatement.class).isUseServerPrepare(), true);
                equal(one(c, "SELECT count(*)::int FROM pg_prepared_statements WHERE statement = 'SELECT $1::int + 1'"), 1);
                // pgjdbc prepares again by itself when a cached plan no longer fits, outside a transaction.
                try (PreparedStatement all = c.prepareStatement("SELECT * FROM parent"); Statement ddl = c.createStatement()) {
                    all.unwrap(PGStatement.class).setPrepareThreshold(1);
                    for (int i = 0; i < 3; i++) all.executeQuery().close();
                    ddl.execute("ALTER TABLE parent ADD note text");
                    try (ResultSet r = all.executeQuery()) {
                        equal(r.getMetaData().getColumnCount(), 3);
                    }
                }
            }
        });
        TESTS.put("batches_and_generated_keys", () -> {
            try (Connection c = fresh("reWriteBatchedInserts", "true"); Statement s = c.createStatement()) {
                s.execute("CREATE TABLE g (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, t text)");
                try (PreparedStatement p = c.prepareStatement("INSERT INTO g (t) VALUES (?)", Statement.RETURN_GENERATED_KEYS)) {
                    for (int i = 0; i < 300; i++) {
                        p.setString(1, "t" + i);
                        p.addBatch();
                    }
                    equal(p.executeBatch().length, 300);
                    int keys = 0;
                    try (ResultSet r = p.getGeneratedKeys()) {
                        while (r.next()) keys++;
                    }
                    equal(keys, 300);
                }
                equal(one(c, "SELECT count(*)::int FROM g"), 300);
                s.addBatch("INSERT INTO parent VALUES (1, 'a')");
                s.addBatch("UPDATE parent SET name = 'b'");
                equal(s.executeBatch(), new int[] {1, 1});
                boolean rows = s.execute("SELECT 1; SELECT 2; DELETE FROM parent");
                equal(rows, true);
                equal(s.getMoreResults(), true);
                equal(s.getMoreResults(), false);
                equal(s.getUpdateCount(), 1);
            }
        });
        TESTS.put("fetch_size_uses_portals", () -> {
            try (Connection c = connect()) {
                c.setAutoCommit(false);
                try (PreparedStatement s = c.prepareStatement("SELECT * FROM generate_series(1, ?) g")) {
                    s.setFetchSize(10);
                    s.setInt(1, 1005);
                    long sum = 0;
                    try (ResultSet r = s.executeQuery()) {
                        while (r.next()) sum += r.getInt(1);
                    }
                    equal(sum, 1005L * 1006 / 2);
                }
                try (Statement s = c.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_READ_ONLY)) {
                    ResultSet r = s.executeQuery("SELECT * FROM generate_series(1, 10) g");
                    r.last();
                    equal(r.getInt(1), 10);
                    r.absolute(3);
                    equal(r.getInt(1), 3);
                }
                try (CallableStatement s = c.prepareCall("{ ? = call abs(?) }")) {
                    s.registerOutParameter(1, Types.INTEGER);
                    s.setInt(2, -5);
                    s.execute();
                    equal(s.getInt(1), 5);
                }
                c.rollback();
            }
        });
        TESTS.put("updatable_result_sets", () -> {
            try (Connection c = fresh(); Statement s = c.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_UPDATABLE)) {
                s.execute("INSERT INTO parent VALUES (1, 'a'), (2, 'b')");
                ResultSet r = s.executeQuery("SELECT id, name FROM parent ORDER BY id");
                r.next();
                r.updateString(2, "changed");
                r.updateRow();
                equal(one(c, "SELECT name FROM parent WHERE id = 1"), "changed");
            }
        });
        TESTS.put("transactions", () -> {
            try (Connection c = fresh(); Connection other = connect(); Statement s = c.createStatement()) {
                c.setAutoCommit(false);
                s.executeUpdate("INSERT INTO parent VALUES (1, 'a')");
                equal(one(other, "SELECT count(*)::int FROM parent"), 0);
                Savepoint p = c.setSavepoint("sp");
                equal(fails(() -> s.executeUpdate("INSERT INTO parent VALUES (1, 'a')")).getSQLState(), "23505");
                equal(fails(() -> s.executeQuery("SELECT 1")).getSQLState(), "25P02");
                c.rollback(p);
                c.commit();
                equal(one(other, "SELECT count(*)::int FROM parent"), 1);
                c.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                c.setReadOnly(true);
                equal(one(c, "SELECT count(*)::int FROM parent"), 1);
                try (Statement o = other.createStatement()) {
                    o.executeUpdate("INSERT INTO parent VALUES (2, 'b')");
                }
                equal(one(c, "SELECT count(*)::int FROM parent"), 1);
                equal(fails(() -> s.executeUpdate("DELETE FROM parent")).getSQLState(), "25006");
                c.rollback();
                c.setReadOnly(false);
            }
        });
        TESTS.put("autosave", () -> {
            try (Connection c = fresh("autosave", "always"); Statement s = c.createStatement()) {
                c.setAutoCommit(false);
                s.executeUpdate("INSERT INTO parent VALUES (1, 'a')");
                fails(() -> s.executeUpdate("INSERT INTO parent VALUES (1, 'a')"));
                equal(one(c, "SELECT count(*)::int FROM parent"), 1, "the transaction goes on");
                c.commit();
            }
        });
    }

    static void streams() {
        TESTS.put("copy_both_ways", () -> {
            try (Connection c = fresh()) {
                CopyManager copy = c.unwrap(PGConnection.class).getCopyAPI();
                StringBuilder lines = new StringBuilder();
                for (int i = 0; i < 5000; i++) lines.append(i).append("\tname ").append(i).append('\n');
                equal(copy.copyIn("COPY parent FROM STDIN", new StringReader(lines.toString())), 5000L);
                StringWriter out = new StringWriter();
                equal(copy.copyOut("COPY (SELECT * FROM parent ORDER BY id) TO STDOUT", out), 5000L);
                equal(out.toString(), lines.toString());
                ByteArrayOutputStream image = new ByteArrayOutputStream();
                copy.copyOut("COPY parent TO STDOUT (FORMAT binary)", image);
                one(c, "DELETE FROM parent RETURNING 1");
                equal(copy.copyIn("COPY parent FROM STDIN (FORMAT binary)", new ByteArrayInputStream(image.toByteArray())), 5000L);
                SQLException e = fails(() -> copy.copyIn("COPY parent FROM STDIN", new StringReader("x\ty\n")));
                equal(e.getSQLState(), "22P02");
                equal(((PSQLException) e).getServerErrorMessage().getWhere(), "COPY parent, line 1, column id: \"x\"");
                equal(one(c, "SELECT count(*)::int FROM parent"), 5000);
            }
        });
        TESTS.put("cancel_and_timeout", () -> {
            try (Connection c = connect()) {
                cancelSleep(c);
                try (Statement s = c.createStatement()) {
                    s.setQueryTimeout(1);
                    equal(fails(() -> s.execute("SELECT pg_sleep(30)")).getSQLState(), "57014");
                }
                equal(one(c, "SELECT 1"), 1);
            }
        });
        TESTS.put("error_fields", () -> {
            try (Connection c = fresh(); Statement s = c.createStatement()) {
                s.executeUpdate("INSERT INTO parent VALUES (1, 'one')");
                ServerErrorMessage m = ((PSQLException) fails(() -> s.executeUpdate("INSERT INTO parent VALUES (1, 'two')"))).getServerErrorMessage();
                equal(List.of(m.getSeverity(), m.getSQLState(), m.getMessage(), m.getDetail(), m.getSchema(), m.getTable(), m.getConstraint()),
                    List.of("ERROR", "23505", "duplicate key value violates unique constraint \"parent_pkey\"", "Key (id)=(1) already exists.", "public", "parent", "parent_pkey"));
                m = ((PSQLException) fails(() -> s.executeUpdate("INSERT INTO parent VALUES (2, NULL)"))).getServerErrorMessage();
                equal(List.of(m.getColumn(), m.getDetail()), List.of("name", "Failing row contains (2, null)."));
                m = ((PSQLException) fails(() -> s.execute("SELECT 'é', nme FROM parent"))).getServerErrorMessage();
                equal(List.of(m.getPosition(), m.getHint()), List.of(13, "Perhaps you meant to reference the column \"parent.name\"."));
                m = ((PSQLException) fails(() -> s.execute("SELECT (-1)::posint"))).getServerErrorMessage();
                equal(List.of(m.getDatatype(), m.getConstraint()), List.of("posint", "posint_check"));
            }
        });
        TESTS.put("notices_and_notifications", () -> {
            try (Connection c = connect(); Connection other = connect(); Statement s = c.createStatement()) {
                s.execute("DROP TABLE IF EXISTS not_there");
                equal(s.getWarnings().getMessage(), "table \"not_there\" does not exist, skipping");
                s.execute("LISTEN ch");
                try (Statement o = other.createStatement()) {
                    o.execute("NOTIFY ch, 'hello'");
                }
                var got = c.unwrap(PGConnection.class).getNotifications(5000);
                equal(List.of(got[0].getName(), got[0].getParameter()), List.of("ch", "hello"));
            }
        });
        TESTS.put("metadata", () -> {
            try (Connection c = fresh()) {
                DatabaseMetaData m = c.getMetaData();
                equal(column(m.getTables(null, "public", "%", new String[] {"TABLE"}), "TABLE_NAME"), List.of("child", "parent"));
                equal(column(m.getColumns(null, "public", "child", "%"), "COLUMN_NAME"), List.of("id", "parent_id", "amount", "size"));
                equal(column(m.getColumns(null, "public", "child", "%"), "TYPE_NAME"), List.of("int4", "int4", "int4", "posint"));
                equal(column(m.getPrimaryKeys(null, "public", "parent"), "COLUMN_NAME"), List.of("id"));
                equal(column(m.getImportedKeys(null, "public", "child"), "FK_NAME"), List.of("child_parent_id_fkey"));
                equal(column(m.getIndexInfo(null, "public", "parent", true, false), "INDEX_NAME"), List.of("parent_name_key", "parent_pkey"));
                equal(column(m.getSchemas(), "TABLE_SCHEM").contains("public"), true);
                equal(column(m.getTypeInfo(), "TYPE_NAME").contains("int4"), true);
                column(m.getFunctions(null, "pg_catalog", "abs"), "FUNCTION_NAME");
            }
        });
    }

    static List<String> column(ResultSet r, String name) throws SQLException {
        List<String> out = new ArrayList<>();
        while (r.next()) out.add(r.getString(name));
        return out;
    }

    static void cancelSleep(Connection c) throws Exception {
        try (Statement s = c.createStatement()) {
            ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
            timer.schedule(() -> { s.cancel(); return null; }, 300, TimeUnit.MILLISECONDS);
            equal(fails(() -> s.execute("SELECT pg_sleep(30)")).getSQLState(), "57014");
            timer.shutdown();
        }
        equal(one(c, "SELECT 'alive'"), "alive");
    }

    public static void main(String[] args) throws Exception {
        connecting();
        types();
        statements();
        streams();
        int failed = 0;
        for (var e : TESTS.entrySet()) {
            if (args.length > 0 && !List.of(args).contains(e.getKey())) continue;
            try {
                e.getValue().run();
                System.out.println("ok   " + e.getKey());
            } catch (Throwable t) {
                failed++;
                String text = String.valueOf(t);
                System.out.println("FAIL " + e.getKey() + ": " + text.substring(0, Math.min(1500, text.length())));
                if (System.getenv("DRIVER_TRACE") != null) t.printStackTrace();
            }
        }
        System.out.println("pgjdbc " + org.postgresql.Driver.getVersion() + ": " + (TESTS.size() - failed) + " of " + TESTS.size() + " checks passed");
        System.exit(failed == 0 ? 0 : 1);
    }
}
