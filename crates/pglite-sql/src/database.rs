//! `Database`: an open store with its catalogs, shared by all sessions of the process.
//!
//! Opening recovers the store, loads the stored catalog rows, and creates the bootstrap superuser on an empty directory.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use parking_lot::Mutex;
use pglite_catalog::generated::rows::{AuthidRow, DatabaseRow};
use pglite_catalog::{CatalogStore, CatalogTxn, Snapshot};
use pglite_commands::Client;
use pglite_error::{PgError, PgResult, bail, err};
use pglite_storage::{Durability, Env, Store, StoreOptions, Timestamp};
use pglite_txn::{BlockThread, Isolation, TxnManager, WaitHook};
use pglite_types::Oid;

use crate::sequence::Sequences;
use crate::session::Session;
use crate::settings::Settings;
use crate::slot::{ClientInfo, Slot};

/// How to open a database.
#[derive(Clone, Debug)]
pub struct OpenOptions {
    /// Name of the bootstrap superuser, used when the directory is empty.
    pub superuser: String,
    /// Sets the superuser's password at every start.
    pub superuser_password: Option<String>,
    /// Bytes for memtables and block cache.
    pub memory_budget: usize,
    pub fsync: bool,
    /// End the process when durability can no longer be promised (a failed fsync). Without it the database only refuses
    /// further commits.
    pub exit_on_fatal: bool,
    /// Defaults for settings, by name.
    pub settings: Vec<(String, String)>,
}

impl Default for OpenOptions {
    fn default() -> OpenOptions {
        OpenOptions {
            superuser: "postgres".into(),
            superuser_password: None,
            memory_budget: 256 << 20,
            fsync: true,
            exit_on_fatal: false,
            settings: Vec::new(),
        }
    }
}

/// Why a database could not be opened; each carries one line for the user.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has it open.
    Locked(String),
    /// The directory holds something else.
    Foreign(String),
    /// A bad setting.
    Setting(String),
    Failed(PgError),
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            OpenError::Locked(m) | OpenError::Foreign(m) | OpenError::Setting(m) => f.write_str(m),
            OpenError::Failed(e) => f.write_str(e.message()),
        }
    }
}

impl std::error::Error for OpenError {}

impl From<PgError> for OpenError {
    fn from(e: PgError) -> OpenError {
        match e.code() {
            pglite_error::codes::LOCK_FILE_EXISTS => OpenError::Locked(e.message().to_string()),
            pglite_error::codes::OBJECT_NOT_IN_PREREQUISITE_STATE => {
                OpenError::Foreign(e.message().to_string())
            }
            _ => OpenError::Failed(e),
        }
    }
}

/// Who connects, and how.
#[derive(Clone, Debug, Default)]
pub struct ConnectParams {
    pub user: String,
    pub database: String,
    pub settings: Vec<(String, String)>,
    pub client: ClientInfo,
    /// Bytes of the cancel key (4 in protocol 3.0).
    pub cancel_key_len: usize,
}

pub(crate) struct Shared {
    pub manager: Arc<TxnManager>,
    pub catalog: Arc<CatalogStore>,
    pub env: Env,
    /// Statistics of relations and databases.
    pub totals: crate::relations::counted::Totals,
    /// When kinds of server-wide statistics were reset.
    pub resets: Mutex<std::collections::HashMap<String, i64>>,
    pub catalog_rows: crate::relations::CatalogRows,
    pub sequences: Sequences,
    pub sessions: Mutex<BTreeMap<u32, Arc<Slot>>>,
    pub settings: Mutex<Settings>,
    pub hook: Arc<dyn WaitHook>,
    pub started: i64,
    next_pid: AtomicU32,
}

/// Microseconds between 1970-01-01 and 2000-01-01.
const EPOCH_SHIFT: i64 = 946_684_800_000_000;

/// Where the OID counter's high-water mark is kept. Why these bytes: no catalog has OID 0.
const OID_KEY: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 0];
/// OIDs reserved per write of the mark.
const OID_STEP: u32 = 8192;

impl Shared {
    /// Microseconds since 2000-01-01 UTC.
    pub fn now(&self) -> i64 {
        self.env.clock.wall().as_micros() as i64 - EPOCH_SHIFT
    }

    /// Bytes to store so that no OID up to the counter's value is used twice.
    pub fn oid_mark(&self) -> (Vec<u8>, Vec<u8>) {
        (
            OID_KEY.to_vec(),
            (self.catalog.next_oid() / OID_STEP + 1).saturating_mul(OID_STEP).to_be_bytes().to_vec(),
        )
    }
}

/// An open database cluster. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    pub(crate) shared: Arc<Shared>,
}

impl Database {
    /// Opens or creates the database in `dir`.
    pub fn open(dir: impl AsRef<Path>) -> Result<Database, OpenError> {
        Database::open_with(dir, OpenOptions::default())
    }
    pub fn open_in_memory() -> Result<Database, OpenError> {
        Database::open_in_memory_with(OpenOptions::default())
    }
    pub fn open_with(dir: impl AsRef<Path>, options: OpenOptions) -> Result<Database, OpenError> {
        Database::open_hooked(Some(dir.as_ref()), options, Arc::new(BlockThread))
    }
    pub fn open_in_memory_with(options: OpenOptions) -> Result<Database, OpenError> {
        Database::open_hooked(None, options, Arc::new(BlockThread))
    }
    /// Opens a directory (None: memory) with the caller's way of waiting.
    pub fn open_hooked(
        dir: Option<&Path>,
        options: OpenOptions,
        hook: Arc<dyn WaitHook>,
    ) -> Result<Database, OpenError> {
        match dir {
            Some(dir) => Database::open_env(Env::real(), dir, options, hook),
            None => Database::open_env(Env::memory(), Path::new("/memory"), options, hook),
        }
    }

    /// Opens on any environment; `hook` tells how sessions wait (the server gives its worker up).
    pub fn open_env(
        env: Env,
        dir: &Path,
        options: OpenOptions,
        hook: Arc<dyn WaitHook>,
    ) -> Result<Database, OpenError> {
        let mut settings = Settings::new();
        for (name, value) in &options.settings {
            settings.set_default(name, value).map_err(|e| OpenError::Setting(e.message().to_string()))?;
        }
        let mut store_options = StoreOptions {
            memory_budget: options.memory_budget,
            sync: options.fsync,
            ..StoreOptions::default()
        };
        if options.exit_on_fatal {
            store_options.on_fatal = Some(Arc::new(|e: &PgError| {
                eprintln!("pglitedb: cannot keep commits durable, stopping: {}", e.message());
                std::process::exit(1);
            }));
        }
        let store = Arc::new(Store::open(env.clone(), dir, store_options)?);
        let catalog = load_catalog(&store)?;
        let manager = TxnManager::open(store)?;
        let started = env.clock.wall().as_micros() as i64 - EPOCH_SHIFT;
        let shared = Arc::new(Shared {
            manager,
            catalog,
            env,
            totals: Default::default(),
            resets: Default::default(),
            catalog_rows: Default::default(),
            sequences: Sequences::default(),
            sessions: Mutex::default(),
            settings: Mutex::new(settings),
            hook,
            started,
            next_pid: AtomicU32::new(1000),
        });
        let database = Database { shared };
        database.bootstrap(&options)?;
        Ok(database)
    }

    /// The superuser's name and password, where they differ from the built-in row.
    fn bootstrap(&self, options: &OpenOptions) -> PgResult<()> {
        let snapshot = self.shared.catalog.snapshot(Oid::INVALID)?;
        let Some(builtin) = snapshot.get::<AuthidRow>(BOOTSTRAP_ROLE) else {
            return Err(PgError::internal("the bootstrap role is missing"));
        };
        let mut row = builtin.clone();
        if row.rolname.as_str() == "postgres" && options.superuser != "postgres" {
            row.rolname = options.superuser.as_str().into();
        }
        if let Some(password) = &options.superuser_password {
            let keeps =
                row.rolpassword.as_ref().is_some_and(|p| crate::password::matches(p.as_str(), password));
            if !keeps {
                row.rolpassword =
                    Some(crate::password::scram_verifier(password, &self.random_bytes(16)).into());
            }
        }
        if row == *builtin {
            return Ok(());
        }
        let mut txn = CatalogTxn::new(snapshot);
        txn.update(row);
        self.commit_catalog(txn)
    }

    /// Commits catalog changes outside any session.
    pub(crate) fn commit_catalog(&self, txn: CatalogTxn) -> PgResult<()> {
        let backend = self.shared.manager.backend(0, self.shared.hook.clone());
        let transaction = self.shared.manager.begin(&backend, Isolation::ReadCommitted, false);
        let guard = self.shared.catalog.begin_commit(txn)?;
        for (key, value) in guard.writes()? {
            match value {
                Some(v) => transaction.put_raw(&key, &v)?,
                None => transaction.delete_raw(&key)?,
            }
        }
        transaction.on_commit(Box::new(move || {
            let _ = guard.publish();
        }));
        transaction.commit(Durability::Sync)?.wait()
    }

    fn random_bytes(&self, n: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(n + 8);
        while out.len() < n {
            out.extend_from_slice(&self.shared.env.rng.next_u64().to_le_bytes());
        }
        out.truncate(n);
        out
    }

    /// Starts a session. Notices of the start-up go to `client`.
    pub fn connect(&self, params: ConnectParams, client: &mut dyn Client) -> PgResult<Session> {
        let shared = &self.shared;
        let cluster = shared.catalog.snapshot(Oid::INVALID)?;
        let role = cluster.role_by_name(&params.user).ok_or_else(|| {
            err!(INVALID_AUTHORIZATION_SPECIFICATION, "role \"{}\" does not exist", params.user)
        })?;
        if !role.rolcanlogin {
            bail!(INVALID_AUTHORIZATION_SPECIFICATION, "role \"{}\" is not permitted to log in", params.user);
        }
        let database = cluster
            .database_by_name(&params.database)
            .ok_or_else(|| err!(UNDEFINED_DATABASE, "database \"{}\" does not exist", params.database))?;
        check_database(database, role)?;
        let pid = shared.next_pid.fetch_add(1, Ordering::Relaxed);
        let backend = shared.manager.backend(pid as i32, shared.hook.clone());
        let secret = self.random_bytes(params.cancel_key_len.max(4));
        let slot = Arc::new(Slot::new(
            pid,
            secret,
            database.oid,
            params.database.clone(),
            params.client.clone(),
            shared.now(),
            backend,
        ));
        let mut settings = shared.settings.lock().clone();
        role_settings(&cluster, &mut settings, database.oid, role.oid);
        let superuser = role.rolsuper;
        settings.set_default("is_superuser", if superuser { "on" } else { "off" })?;
        settings.set_default("session_authorization", &params.user)?;
        for (name, value) in &params.settings {
            settings.set_default(name, value)?;
        }
        shared.sessions.lock().insert(pid, slot.clone());
        Session::new(self.clone(), slot, role.oid, settings, client)
    }

    /// Cancels the running statement of a session; a wrong key does nothing.
    pub fn cancel(&self, pid: u32, secret: &[u8]) {
        if let Some(slot) = self.shared.sessions.lock().get(&pid)
            && slot.secret == secret
        {
            slot.cancel();
        }
    }

    /// What the role's password is checked against; None: no such role, or no password.
    pub fn password_verifier(&self, user: &str) -> Option<String> {
        let cluster = self.shared.catalog.snapshot(Oid::INVALID).ok()?;
        let role = cluster.role_by_name(user)?;
        let expired = matches!(role.rolvaliduntil, Some(until) if until.0 < self.shared.now());
        if expired { None } else { role.rolpassword.as_ref().map(|p| p.as_str().to_string()) }
    }

    /// Ends all sessions.
    pub fn shutdown(&self) {
        self.shared.sessions.lock().values().for_each(|s| s.terminate());
    }

    /// Writes everything to its final place, so that the next start has nothing to replay.
    pub fn checkpoint(&self) -> PgResult<()> {
        self.shared.sequences.flush(&self.shared)?;
        self.shared.manager.save_stats()?;
        self.shared.manager.store().checkpoint()
    }
}

/// The OID of the bootstrap superuser.
pub(crate) const BOOTSTRAP_ROLE: Oid = Oid(10);

fn load_catalog(store: &Store) -> PgResult<Arc<CatalogStore>> {
    let engine = store.engine();
    let at = store.published();
    let next_oid = engine
        .get(OID_KEY, at)?
        .and_then(|(v, _)| v.as_ref().try_into().ok().map(u32::from_be_bytes))
        .unwrap_or(0);
    let mut rows = Vec::new();
    let mut databases = vec![Oid::INVALID];
    // Why two passes: the shared catalogs name the databases whose key ranges hold the others.
    read_catalog_rows(store, Oid::INVALID, at, &mut rows)?;
    let shared = CatalogStore::load(rows.iter().map(|(k, v)| (k, v)), next_oid)?;
    databases.extend(shared.snapshot(Oid::INVALID)?.iter::<DatabaseRow>().map(|d| d.oid));
    for database in &databases[1..] {
        read_catalog_rows(store, *database, at, &mut rows)?;
    }
    CatalogStore::load(rows, next_oid)
}

/// Catalog rows live below the first user relation's space of their database.
fn read_catalog_rows(
    store: &Store,
    database: Oid,
    at: Timestamp,
    rows: &mut Vec<(Vec<u8>, Vec<u8>)>,
) -> PgResult<()> {
    let prefix = |low: u32| [database.0.to_be_bytes(), low.to_be_bytes()].concat();
    let (start, end) = (prefix(1), prefix(Oid::FIRST_NORMAL.0));
    let mut cursor = store.engine().scan(&start, &end, at, pglite_storage::Direction::Forward)?;
    let mut batch = pglite_storage::KvBatch::default();
    loop {
        let more = cursor.next_batch(&mut batch, 1024)?;
        rows.extend(batch.iter().map(|(k, v, _)| (k.to_vec(), v.to_vec())));
        batch.clear();
        if !more {
            return Ok(());
        }
    }
}

fn check_database(database: &DatabaseRow, role: &AuthidRow) -> PgResult<()> {
    if !database.datallowconn {
        bail!(
            OBJECT_NOT_IN_PREREQUISITE_STATE,
            "database \"{}\" is not currently accepting connections",
            database.datname.as_str()
        );
    }
    if database.datconnlimit == 0 && !role.rolsuper {
        bail!(TOO_MANY_CONNECTIONS, "too many connections for database \"{}\"", database.datname.as_str());
    }
    Ok(())
}

/// ALTER DATABASE SET and ALTER ROLE SET, least specific first. A value that no longer fits is skipped, as PostgreSQL
/// skips it with a warning.
fn role_settings(cluster: &Snapshot, settings: &mut Settings, database: Oid, role: Oid) {
    for (db, r) in
        [(Oid::INVALID, Oid::INVALID), (database, Oid::INVALID), (Oid::INVALID, role), (database, role)]
    {
        let Some(row) = cluster.db_role_setting(db, r) else { continue };
        for entry in row.setconfig.iter().flat_map(|l| l.iter()) {
            if let Some((name, value)) = entry.as_str().split_once('=') {
                let _ = settings.set_default(name, value);
            }
        }
    }
}
