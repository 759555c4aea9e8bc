//! tokio-postgres against the server (or the one that DRIVER_PORT names): TLS, SCRAM, binary values, portals, COPY ...
//!
//! The table of values is shared with the other drivers' suites: `tests/drivers/types.json`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, StreamExt, TryStreamExt, pin_mut};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio_postgres::binary_copy::{BinaryCopyInWriter, BinaryCopyOutStream};
use tokio_postgres::config::SslMode;
use tokio_postgres::error::{ErrorPosition, SqlState};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use tokio_postgres::{AsyncMessage, Client, Config, Error, IsolationLevel, NoTls, SimpleQueryMessage};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::support::Target;

type Inbox = tokio::sync::mpsc::UnboundedReceiver<AsyncMessage>;

impl Target {
    fn config(&self) -> Config {
        let mut config = Config::new();
        config
            .host(&self.host)
            .port(self.port)
            .user(&self.user)
            .password(&self.password)
            .dbname(&self.database);
        config.ssl_mode(if self.ca.is_some() { SslMode::Require } else { SslMode::Disable });
        config
    }

    fn tls(&self) -> MakeRustlsConnect {
        let mut roots = rustls::RootCertStore::empty();
        if let Some(ca) = &self.ca {
            for cert in CertificateDer::pem_file_iter(ca).unwrap() {
                roots.add(cert.unwrap()).unwrap();
            }
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        MakeRustlsConnect::new(config)
    }

    async fn open(&self, config: &Config) -> Result<(Client, Inbox), Error> {
        let (client, mut connection) = config.connect(self.tls()).await?;
        let (send, inbox) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut messages = futures_util::stream::poll_fn(move |cx| connection.poll_message(cx));
            while let Some(Ok(message)) = messages.next().await {
                let _ = send.send(message);
            }
        });
        Ok((client, inbox))
    }

    async fn client(&self) -> Client {
        self.open(&self.config()).await.unwrap().0
    }

    /// A client with the shared objects made anew.
    async fn fresh(&self) -> Client {
        let client = self.client().await;
        let setup = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/drivers/setup.sql");
        client.batch_execute(&std::fs::read_to_string(setup).unwrap()).await.unwrap();
        client
    }
}

fn state(e: &Error) -> &str {
    e.code().map_or("no SQLSTATE", SqlState::code)
}

#[tokio::test]
async fn tls_scram_and_channel_binding() {
    let target = Target::get().await;
    if target.ca.is_none() {
        return;
    }
    let (client, _) = target.open(&target.config()).await.unwrap();
    let row =
        client.query_one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()", &[]).await.unwrap();
    assert!(row.get::<_, bool>(0));
    // Why no ChannelBinding::Require: tokio-postgres-rustls 0.13 reads the certificate as its signed part alone, and so
    // never has a binding to offer. The psycopg suite requires one.
    let e = target.open(target.config().password("wrong")).await.err().unwrap();
    assert_eq!(state(&e), "28P01");
    let e = target.open(target.config().user("nobody")).await.err().unwrap();
    assert_eq!(state(&e), "28P01", "an unknown role looks like a wrong password");
    let plain = target.config().ssl_mode(SslMode::Disable).connect(NoTls).await;
    assert!(plain.is_ok(), "SCRAM without TLS");
    let stranger = Target {
        ca: None,
        host: target.host.clone(),
        user: target.user.clone(),
        ..Target::elsewhere(&target)
    };
    let e = stranger.open(target.config().ssl_mode(SslMode::Require)).await.err().unwrap();
    assert!(format!("{e:?}").contains("UnknownIssuer"), "{e:?}");
}

impl Target {
    fn elsewhere(other: &Target) -> Target {
        Target {
            host: other.host.clone(),
            port: other.port,
            user: other.user.clone(),
            password: other.password.clone(),
            database: other.database.clone(),
            ca: None,
            _own: None,
        }
    }
}

/// A value as the bytes on the wire.
#[derive(Debug)]
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Raw, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Raw(raw.to_vec()))
    }
    fn accepts(_: &Type) -> bool {
        true
    }
}

impl ToSql for Raw {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.put_slice(&self.0);
        Ok(IsNull::No)
    }
    fn accepts(_: &Type) -> bool {
        true
    }
    to_sql_checked!();
}

#[tokio::test]
async fn every_type_in_binary() {
    let target = Target::get().await;
    let client = target.fresh().await;
    client.batch_execute("SET timezone = 'UTC'").await.unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/drivers/types.json");
    let table: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (mut bad, mut checked) = (Vec::new(), 0);
    for entry in table.as_array().unwrap() {
        let ty = entry["type"].as_str().unwrap();
        let there = client.prepare(&format!("SELECT $1::text::{ty}")).await;
        let Ok(there) = there else {
            bad.push(format!("{ty}: {}", there.err().unwrap()));
            continue;
        };
        let back = client.prepare(&format!("SELECT format('%s', $1::{ty}), $1::{ty}")).await.unwrap();
        for value in entry["values"].as_array().unwrap() {
            let text = value[0].as_str().unwrap();
            let row = match client.query_one(&there, &[&text]).await {
                Ok(row) => row,
                Err(e) => {
                    bad.push(format!("{ty} {text}: {e:?}"));
                    continue;
                }
            };
            let sent: Raw = row.get(0);
            if let Some(recorded) = value[1].as_str() {
                let hex: String = sent.0.iter().map(|b| format!("{b:02x}")).collect();
                if hex != recorded {
                    bad.push(format!("{ty} {text}: sent {hex}, PostgreSQL sends {recorded}"));
                }
            }
            if ty.ends_with("vector") && text.is_empty() {
                continue; // PostgreSQL does not take back the empty vector that it sends.
            }
            match client.query_one(&back, &[&sent]).await {
                Ok(row) => {
                    checked += 1;
                    if row.get::<_, &str>(0) != text || row.get::<_, Raw>(1).0 != sent.0 {
                        bad.push(format!("{ty} {text}: came back as {:?}", row.get::<_, &str>(0)));
                    }
                }
                Err(e) => bad.push(format!("{ty} {text}: {e:?}")),
            }
        }
    }
    assert!(bad.is_empty(), "{} values: {bad:#?}", bad.len());
    assert!(checked > 200);
}

#[tokio::test]
async fn rust_values() {
    let target = Target::get().await;
    let c = target.fresh().await;
    let row = c
        .query_one(
            "SELECT $1::bool, $2::int2, $3::int4, $4::int8, $5::oid, $6::float4, $7::float8, $8::text, $9::bytea, $10::\"char\"",
            &[&true, &-2i16, &i32::MIN, &i64::MAX, &u32::MAX, &1.5f32, &f64::NEG_INFINITY, &"naïve € 🐘", &&b"\0\xff"[..], &-3i8],
        )
        .await
        .unwrap();
    assert!(row.get::<_, bool>(0));
    assert_eq!((row.get(1), row.get(2), row.get(3), row.get(4)), (-2i16, i32::MIN, i64::MAX, u32::MAX));
    assert_eq!((row.get(5), row.get(6), row.get::<_, &str>(7)), (1.5f32, f64::NEG_INFINITY, "naïve € 🐘"));
    assert_eq!((row.get::<_, &[u8]>(8), row.get::<_, i8>(9)), (&b"\0\xff"[..], -3));
    let row = c
        .query_one(
            "SELECT $1::int[], $2::text[], $3::int",
            &[&vec![Some(1), None], &vec!["a", ""], &None::<i32>],
        )
        .await
        .unwrap();
    assert_eq!(row.get::<_, Vec<Option<i32>>>(0), [Some(1), None]);
    assert_eq!(row.get::<_, Vec<String>>(1), ["a", ""]);
    assert_eq!(row.get::<_, Option<i32>>(2), None);
    let e = c.query_one("SELECT $1::int4", &[&"text"]).await.unwrap_err();
    assert!(e.to_string().contains("serializing parameter 0"), "{e}");
}

/// tokio-postgres asks the catalogs about types that it does not know.
#[tokio::test]
async fn enums_composites_and_domains_are_introspected() {
    let target = Target::get().await;
    let c = target.fresh().await;
    let s = c.prepare("SELECT $1::mood, $2::nested, $3::posint, $4::mood[]").await.unwrap();
    let kinds: Vec<&Kind> = s.params().iter().map(Type::kind).collect();
    assert!(matches!(kinds[0], Kind::Enum(v) if v == &["sad", "ok", "very happy"]));
    let Kind::Composite(fields) = kinds[1] else { panic!("{:?}", kinds[1]) };
    let names: Vec<&str> = fields.iter().map(|f| f.name()).collect();
    assert_eq!(names, ["id", "p", "tags", "m"]);
    assert!(matches!(kinds[2], Kind::Domain(base) if *base == Type::INT4));
    assert!(matches!(kinds[3], Kind::Array(t) if t.name() == "mood"));
    let shown: Vec<&str> = s.columns().iter().map(|c| c.type_().name()).collect();
    assert_eq!(shown, ["mood", "nested", "int4", "_mood"], "a domain shows as its base type");
}

#[tokio::test]
async fn prepared_statements_and_pipelining() {
    let target = Target::get().await;
    let c = target.fresh().await;
    let insert = c.prepare("INSERT INTO parent VALUES ($1, $2)").await.unwrap();
    assert_eq!(insert.params(), [Type::INT4, Type::TEXT]);
    assert!(insert.columns().is_empty());
    let rows: Vec<(i32, String)> = (0..200).map(|i| (i, format!("n{i}"))).collect();
    let inserts = rows.iter().map(|(id, name)| async { c.execute(&insert, &[id, name]).await });
    assert!(futures_util::future::try_join_all(inserts).await.unwrap().iter().all(|n| *n == 1));
    let select = c.prepare("SELECT name, id FROM parent WHERE id = ANY($1) ORDER BY id").await.unwrap();
    let columns: Vec<(&str, Option<i16>)> =
        select.columns().iter().map(|c| (c.name(), c.column_id())).collect();
    assert_eq!(columns, [("name", Some(2)), ("id", Some(1))]);
    let got = c.query(&select, &[&vec![3, 1]]).await.unwrap();
    assert_eq!(got.iter().map(|r| r.get::<_, String>(0)).collect::<Vec<_>>(), ["n1", "n3"]);
    let one = c.query_typed("SELECT $1 + 1", &[(&41i64, Type::INT8)]).await.unwrap();
    assert_eq!(one[0].get::<_, i64>(0), 42);
    let count =
        c.query_one("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT%'", &[]);
    assert_eq!(count.await.unwrap().get::<_, i64>(0), 1);
    drop(insert);
    let count =
        c.query_one("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT%'", &[]);
    assert_eq!(count.await.unwrap().get::<_, i64>(0), 0, "dropping a statement closes it");
}

#[tokio::test]
async fn simple_queries() {
    let target = Target::get().await;
    let c = target.client().await;
    let messages = c
        .simple_query("SELECT 1 AS a, NULL AS b; CREATE TEMP TABLE t (x int); INSERT INTO t VALUES (1), (2)");
    let mut seen = Vec::new();
    for message in messages.await.unwrap() {
        match message {
            SimpleQueryMessage::Row(row) => seen.push(format!("{:?} {:?}", row.get("a"), row.get("b"))),
            SimpleQueryMessage::CommandComplete(n) => seen.push(n.to_string()),
            _ => {}
        }
    }
    assert_eq!(seen, ["Some(\"1\") None", "1", "0", "2"]);
    assert!(c.simple_query("").await.is_ok());
}

#[tokio::test]
async fn portals_with_row_limits() {
    let target = Target::get().await;
    let mut c = target.fresh().await;
    let tx = c.transaction().await.unwrap();
    let a = tx.bind("SELECT * FROM generate_series(1, 10) g", &[]).await.unwrap();
    let b = tx.bind("SELECT * FROM generate_series(100, $1::int) g", &[&102]).await.unwrap();
    let mut sizes = Vec::new();
    for portal in [&a, &b, &a, &b, &a, &a] {
        sizes.push(tx.query_portal(portal, 4).await.unwrap().len());
    }
    assert_eq!(sizes, [4, 3, 4, 0, 2, 0]);
    let insert = tx.bind("INSERT INTO parent VALUES (1, 'a'), (2, 'b') RETURNING id", &[]).await.unwrap();
    assert_eq!(tx.query_portal(&insert, 1).await.unwrap().len(), 1);
    assert_eq!(tx.query_portal(&insert, 0).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    assert_eq!(c.query_one("SELECT count(*) FROM parent", &[]).await.unwrap().get::<_, i64>(0), 2);
}

#[tokio::test]
async fn transactions() {
    let target = Target::get().await;
    let mut c = target.fresh().await;
    let other = target.client().await;
    let count =
        async |c: &Client| c.query_one("SELECT count(*) FROM parent", &[]).await.unwrap().get::<_, i64>(0);
    let mut tx = c.transaction().await.unwrap();
    tx.execute("INSERT INTO parent VALUES (1, 'a')", &[]).await.unwrap();
    let inner = tx.savepoint("s").await.unwrap();
    inner.execute("INSERT INTO parent VALUES (2, 'b')", &[]).await.unwrap();
    let e = inner.execute("INSERT INTO parent VALUES (2, 'b')", &[]).await.unwrap_err();
    assert_eq!(state(&e), "23505");
    let e = inner.query("SELECT 1", &[]).await.unwrap_err();
    assert_eq!(state(&e), "25P02");
    inner.rollback().await.unwrap();
    assert_eq!(count(&other).await, 0);
    tx.commit().await.unwrap();
    assert_eq!(count(&other).await, 1);
    drop(c.transaction().await.unwrap());
    let tx = c
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
        .await
        .unwrap();
    assert_eq!(tx.query_one("SELECT count(*) FROM parent", &[]).await.unwrap().get::<_, i64>(0), 1);
    other.execute("INSERT INTO parent VALUES (3, 'c')", &[]).await.unwrap();
    assert_eq!(tx.query_one("SELECT count(*) FROM parent", &[]).await.unwrap().get::<_, i64>(0), 1);
    let e = tx.execute("DELETE FROM parent", &[]).await.unwrap_err();
    assert_eq!(state(&e), "25006");
}

#[tokio::test]
async fn copy_both_ways() {
    let target = Target::get().await;
    let c = target.fresh().await;
    let sink = c.copy_in("COPY parent FROM STDIN").await.unwrap();
    pin_mut!(sink);
    for i in 0..3000 {
        sink.send(Bytes::from(format!("{i}\tname {i}\n"))).await.unwrap();
    }
    assert_eq!(sink.finish().await.unwrap(), 3000);
    let stream = c
        .copy_out("COPY (SELECT * FROM parent WHERE id < 3 ORDER BY id) TO STDOUT (FORMAT csv)")
        .await
        .unwrap();
    let chunks: Vec<Bytes> = stream.try_collect().await.unwrap();
    assert_eq!(chunks, ["0,name 0\n", "1,name 1\n", "2,name 2\n"], "a message a row");
    c.batch_execute("TRUNCATE parent CASCADE").await.unwrap();
    let sink = c.copy_in("COPY parent FROM STDIN (FORMAT binary)").await.unwrap();
    let writer = BinaryCopyInWriter::new(sink, &[Type::INT4, Type::TEXT]);
    pin_mut!(writer);
    for i in 0..3000i32 {
        writer.as_mut().write(&[&i, &format!("b{i}")]).await.unwrap();
    }
    assert_eq!(writer.finish().await.unwrap(), 3000);
    let stream =
        c.copy_out("COPY (SELECT * FROM parent ORDER BY id) TO STDOUT (FORMAT binary)").await.unwrap();
    let rows: Vec<_> =
        BinaryCopyOutStream::new(stream, &[Type::INT4, Type::TEXT]).try_collect().await.unwrap();
    assert_eq!(rows.len(), 3000);
    assert_eq!((rows[2999].get::<i32>(0), rows[2999].get::<&str>(1)), (2999, "b2999"));
    // A sink that is dropped gives the COPY up.
    {
        let sink = c.copy_in("COPY parent FROM STDIN").await.unwrap();
        pin_mut!(sink);
        sink.send(Bytes::from("9000\tlost\n")).await.unwrap();
    }
    assert_eq!(c.query_one("SELECT count(*) FROM parent", &[]).await.unwrap().get::<_, i64>(0), 3000);
    let sink = c.copy_in("COPY parent FROM STDIN").await.unwrap();
    pin_mut!(sink);
    sink.send(Bytes::from("1\tdup\n")).await.unwrap();
    let e = sink.finish().await.unwrap_err();
    assert_eq!((state(&e), e.as_db_error().unwrap().where_()), ("23505", Some("COPY parent, line 1")));
}

#[tokio::test]
async fn cancel() {
    let target = Target::get().await;
    let c = target.client().await;
    let token = c.cancel_token();
    let tls = target.tls();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        token.cancel_query(tls).await.unwrap();
    });
    let e = c.query("SELECT pg_sleep(30)", &[]).await.unwrap_err();
    assert_eq!(state(&e), "57014");
    assert_eq!(e.as_db_error().unwrap().message(), "canceling statement due to user request");
    assert_eq!(c.query_one("SELECT 1", &[]).await.unwrap().get::<_, i32>(0), 1);
}

#[tokio::test]
async fn error_fields() {
    let target = Target::get().await;
    let c = target.fresh().await;
    c.execute("INSERT INTO parent VALUES (1, 'one')", &[]).await.unwrap();
    let e = c.execute("INSERT INTO parent VALUES ($1, 'two')", &[&1]).await.unwrap_err();
    let d = e.as_db_error().unwrap();
    assert_eq!((d.severity(), d.code()), ("ERROR", &SqlState::UNIQUE_VIOLATION));
    assert_eq!(d.message(), "duplicate key value violates unique constraint \"parent_pkey\"");
    assert_eq!(d.detail(), Some("Key (id)=(1) already exists."));
    assert_eq!(
        (d.schema(), d.table(), d.constraint()),
        (Some("public"), Some("parent"), Some("parent_pkey"))
    );
    assert!(d.file().is_some() && d.line().is_some() && d.routine().is_some());
    let e = c.query("SELECT 'é', nme FROM parent", &[]).await.unwrap_err();
    let d = e.as_db_error().unwrap();
    assert_eq!(d.position(), Some(&ErrorPosition::Original(13)));
    assert_eq!(d.hint(), Some("Perhaps you meant to reference the column \"parent.name\"."));
    let e = c.execute("INSERT INTO child VALUES (1, 5, 1, 1)", &[]).await.unwrap_err();
    let d = e.as_db_error().unwrap();
    assert_eq!((d.code().code(), d.constraint()), ("23503", Some("child_parent_id_fkey")));
    assert_eq!(d.detail(), Some("Key (parent_id)=(5) is not present in table \"parent\"."));
}

#[tokio::test]
async fn notices_and_notifications() {
    let target = Target::get().await;
    let (c, mut inbox) = target.open(&target.config()).await.unwrap();
    c.batch_execute("DROP TABLE IF EXISTS not_there; LISTEN ch").await.unwrap();
    let Some(AsyncMessage::Notice(notice)) = inbox.recv().await else { panic!("no notice") };
    assert_eq!(
        (notice.severity(), notice.message()),
        ("NOTICE", "table \"not_there\" does not exist, skipping")
    );
    target.client().await.batch_execute("NOTIFY ch, 'hello'").await.unwrap();
    let got = tokio::time::timeout(Duration::from_secs(10), inbox.recv()).await.unwrap();
    let Some(AsyncMessage::Notification(n)) = got else { panic!("no notification") };
    assert_eq!((n.channel(), n.payload()), ("ch", "hello"));
}
