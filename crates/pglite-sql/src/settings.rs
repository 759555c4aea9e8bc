//! Settings ("GUCs"): `SET`, `SHOW`, `RESET`, and their values over transactions.
//!
//! The definitions are catalog facts. A session holds two persistent maps over the defaults: values set for the session
//! and values set for the transaction. Both are cheap to clone, so a savepoint simply keeps a copy.
//!
//! Invariant: after an abort the session map is as it was when the transaction began; after any end the local map is empty.

mod value;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::HashMap;
use pglite_catalog::facts::{self, Setting};
use pglite_error::{PgError, PgResult, Severity, bail, err};
use pglite_txn::Isolation;
use pglite_types::IoSettings;
use pglite_types::datetime::{DateOrder, DateStyle, IntervalStyle, TimeZone};

type Map = HashMap<&'static str, Arc<str>>;

/// Where a change comes from; decides what may be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Start-up of the server or the session, ALTER ROLE/DATABASE SET.
    Startup,
    /// SET by a superuser or an ordinary user.
    Session { superuser: bool },
}

/// A setting's transaction-local value.
pub struct Saved {
    key: String,
    def: Option<&'static str>,
    local: Option<Arc<str>>,
}

/// A state to go back to.
#[derive(Clone, Debug)]
pub struct Mark {
    version: u64,
    session: Map,
    local: Map,
    custom_session: HashMap<String, Arc<str>>,
    custom_local: HashMap<String, Arc<str>>,
}

#[derive(Clone, Debug)]
pub struct Settings {
    /// Defaults of this session: server options, database and role settings, start-up packet.
    reset: BTreeMap<&'static str, Arc<str>>,
    session: Map,
    local: Map,
    /// `class.name` placeholders.
    custom_session: HashMap<String, Arc<str>>,
    custom_local: HashMap<String, Arc<str>>,
    /// Bumped by each change.
    version: u64,
    /// The settings that every statement reads, typed, with the version they were read at.
    hot: Cell<Option<(u64, Hot)>>,
}

/// Settings that every statement or transaction reads.
#[derive(Clone, Copy, Debug)]
pub struct Hot {
    /// Bytes.
    pub work_mem: usize,
    pub isolation: Isolation,
    pub read_only: bool,
    pub deferrable: bool,
    pub asynchronous_commit: bool,
    /// Milliseconds; 0 = none.
    pub statement_timeout: i64,
    pub standard_conforming_strings: bool,
    pub escape_string_warning: bool,
    pub client_min_messages: Severity,
}

/// The parameters a client is told about, with the spelling it knows.
pub const REPORTED: &[&str] = &[
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "scram_iterations",
    "search_path",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
];

/// Settings that pg_settings does not list.
static HIDDEN: [Setting; 4] = [
    hidden("is_superuser", "internal", "bool", "off"),
    hidden("session_authorization", "user", "string", ""),
    hidden("role", "user", "string", "none"),
    hidden("seed", "user", "real", "0"),
];

const fn hidden(
    name: &'static str,
    context: &'static str,
    vartype: &'static str,
    boot: &'static str,
) -> Setting {
    Setting {
        name,
        unit: None,
        category: "",
        context,
        vartype,
        min: None,
        max: None,
        enumvals: &[],
        boot: Some(boot),
        flags: &["NO_SHOW_ALL", "NO_RESET_ALL"],
    }
}

/// The definition of a setting, hidden ones included.
pub fn definition(name: &str) -> Option<&'static Setting> {
    facts::setting(name).or_else(|| HIDDEN.iter().find(|s| s.name.eq_ignore_ascii_case(name)))
}

fn find(name: &str) -> PgResult<&'static Setting> {
    let name = match name.to_ascii_lowercase().as_str() {
        "sort_mem" => "work_mem",
        "vacuum_mem" => "maintenance_work_mem",
        _ => name,
    };
    definition(name).ok_or_else(|| err!(UNDEFINED_OBJECT, "unrecognized configuration parameter \"{name}\""))
}

fn is_custom(name: &str) -> bool {
    name.contains('.')
}

/// A custom name must be two or more identifiers.
fn check_custom(name: &str) -> PgResult<()> {
    let ok = name.split('.').all(|part| {
        part.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$')
    });
    if ok {
        return Ok(());
    }
    Err(err!(INVALID_NAME, "invalid configuration parameter name \"{name}\"")
        .detail("Custom parameter names must be two or more simple identifiers separated by dots."))
}

impl Settings {
    pub fn new() -> Settings {
        let mut reset = BTreeMap::new();
        for (name, value) in crate::settings::value::OUR_DEFAULTS {
            reset.insert(*name, Arc::from(*value));
        }
        Settings {
            reset,
            session: Map::new(),
            local: Map::new(),
            custom_session: HashMap::new(),
            custom_local: HashMap::new(),
            version: 0,
            hot: Cell::new(None),
        }
    }

    pub fn version(&self) -> u64 {
        self.version
    }

    /// The typed values of the settings that are read all the time.
    pub fn hot(&self) -> Hot {
        if let Some((version, hot)) = self.hot.get()
            && version == self.version
        {
            return hot;
        }
        let hot = Hot {
            work_mem: self.get_int("work_mem").max(64) as usize * 1024,
            isolation: match self.get("default_transaction_isolation").as_deref() {
                Some("serializable") => Isolation::Serializable,
                Some("repeatable read") => Isolation::RepeatableRead,
                _ => Isolation::ReadCommitted,
            },
            read_only: self.get_bool("default_transaction_read_only"),
            deferrable: self.get_bool("default_transaction_deferrable"),
            asynchronous_commit: self.get("synchronous_commit").as_deref() == Some("off"),
            statement_timeout: self.get_int("statement_timeout"),
            standard_conforming_strings: self.get_bool("standard_conforming_strings"),
            escape_string_warning: self.get_bool("escape_string_warning"),
            client_min_messages: match self.get("client_min_messages").as_deref() {
                Some("warning") => Severity::Warning,
                Some("error") => Severity::Error,
                Some("log") => Severity::Log,
                Some(d) if d.starts_with("debug") => Severity::Debug,
                _ => Severity::Notice,
            },
        };
        self.hot.set(Some((self.version, hot)));
        hot
    }

    /// Sets a default of the session (server option, role setting, start-up packet).
    pub fn set_default(&mut self, name: &str, text: &str) -> PgResult<()> {
        self.version += 1;
        if is_custom(name) {
            check_custom(name)?;
            self.custom_session.insert(name.to_ascii_lowercase(), Arc::from(text));
            return Ok(());
        }
        let def = find(name)?;
        let canonical = value::canonical(def, text, self.get(def.name).as_deref())?;
        self.reset.insert(def.name, canonical.into());
        Ok(())
    }

    /// The current value in canonical text; None for an unknown name.
    pub fn get(&self, name: &str) -> Option<Arc<str>> {
        if is_custom(name) {
            let key = name.to_ascii_lowercase();
            return self.custom_local.get(&key).or_else(|| self.custom_session.get(&key)).cloned();
        }
        let def = definition(name)?;
        self.local
            .get(def.name)
            .or_else(|| self.session.get(def.name))
            .or_else(|| self.reset.get(def.name))
            .cloned()
            .or_else(|| Some(Arc::from(def.boot.unwrap_or(""))))
    }

    /// As SHOW prints it: integers in their largest unit.
    pub fn show(&self, name: &str) -> PgResult<String> {
        match self.get(name) {
            Some(text) if is_custom(name) => Ok(text.to_string()),
            Some(text) => Ok(value::display(find(name)?, &text)),
            None => find(name).map(|_| String::new()),
        }
    }

    pub fn get_bool(&self, name: &str) -> bool {
        self.get(name).as_deref() == Some("on")
    }
    /// The value in the setting's own unit.
    pub fn get_int(&self, name: &str) -> i64 {
        self.get(name).and_then(|v| v.parse().ok()).unwrap_or(0)
    }
    pub fn get_real(&self, name: &str) -> f64 {
        self.get(name).and_then(|v| v.parse().ok()).unwrap_or(0.0)
    }

    fn check_context(def: &Setting, source: Source) -> PgResult<()> {
        let Source::Session { superuser } = source else { return Ok(()) };
        match def.context {
            "internal" => bail!(CANT_CHANGE_RUNTIME_PARAM, "parameter \"{}\" cannot be changed", def.name),
            "postmaster" => bail!(
                CANT_CHANGE_RUNTIME_PARAM,
                "parameter \"{}\" cannot be changed without restarting the server",
                def.name
            ),
            "sighup" => bail!(CANT_CHANGE_RUNTIME_PARAM, "parameter \"{}\" cannot be changed now", def.name),
            "backend" | "superuser-backend" => bail!(
                CANT_CHANGE_RUNTIME_PARAM,
                "parameter \"{}\" cannot be set after connection start",
                def.name
            ),
            "superuser" if !superuser => {
                bail!(INSUFFICIENT_PRIVILEGE, "permission denied to set parameter \"{}\"", def.name)
            }
            _ => Ok(()),
        }
    }

    /// SET and SET LOCAL. Returns the canonical value.
    pub fn set(&mut self, name: &str, text: &str, local: bool, source: Source) -> PgResult<Arc<str>> {
        self.version += 1;
        if is_custom(name) {
            check_custom(name)?;
            let (key, text): (String, Arc<str>) = (name.to_ascii_lowercase(), Arc::from(text));
            if local {
                self.custom_local.insert(key, text.clone());
            } else {
                self.custom_local.remove(&key);
                self.custom_session.insert(key, text.clone());
            }
            return Ok(text);
        }
        let def = find(name)?;
        Settings::check_context(def, source)?;
        let canonical: Arc<str> = value::canonical(def, text, self.get(def.name).as_deref())?.into();
        if local {
            self.local.insert(def.name, canonical.clone());
        } else {
            self.local.remove(def.name);
            self.session.insert(def.name, canonical.clone());
        }
        Ok(canonical)
    }

    /// RESET name, SET name TO DEFAULT.
    pub fn reset(&mut self, name: &str, local: bool, source: Source) -> PgResult<()> {
        self.version += 1;
        if is_custom(name) {
            check_custom(name)?;
            let key = name.to_ascii_lowercase();
            self.custom_local.remove(&key);
            if !local {
                self.custom_session.insert(key, Arc::from(""));
            }
            return Ok(());
        }
        let def = find(name)?;
        Settings::check_context(def, source)?;
        if local {
            let default =
                self.reset.get(def.name).cloned().unwrap_or_else(|| Arc::from(def.boot.unwrap_or("")));
            self.local.insert(def.name, default);
        } else {
            self.local.remove(def.name);
            self.session.remove(def.name);
        }
        Ok(())
    }

    pub fn reset_all(&mut self) {
        self.version += 1;
        let keep = |name: &&'static str| {
            definition(name).is_some_and(|d| d.flags.contains(&"NO_RESET_ALL") || d.context == "internal")
        };
        self.session = self.session.iter().filter(|(k, _)| keep(k)).map(|(k, v)| (*k, v.clone())).collect();
        self.local = Map::new();
    }

    /// The value RESET would restore.
    pub fn reset_value(&self, name: &str) -> Option<Arc<str>> {
        let def = definition(name)?;
        self.reset.get(def.name).cloned().or_else(|| def.boot.map(Arc::from))
    }

    /// Whether the session or transaction changed it.
    pub fn is_session_value(&self, name: &str) -> bool {
        self.local.contains_key(name) || self.session.contains_key(name)
    }

    /// The session and transaction values of some settings, to put back after a function that has its own.
    pub fn save(&self, names: &[&str]) -> Vec<Saved> {
        let one = |name: &&str| {
            let key = name.to_ascii_lowercase();
            let def = definition(name).map(|d| d.name);
            Saved {
                local: def.and_then(|n| self.local.get(n)).or_else(|| self.custom_local.get(&key)).cloned(),
                key,
                def,
            }
        };
        names.iter().map(one).collect()
    }

    /// Ends the transaction-local values given since [`save`](Self::save).
    pub fn put_back(&mut self, saved: Vec<Saved>) {
        self.version += 1;
        for s in saved {
            match (s.def, s.local) {
                (Some(n), Some(v)) => self.local.insert(n, v),
                (Some(n), None) => self.local.remove(n),
                (None, Some(v)) => self.custom_local.insert(s.key, v),
                (None, None) => self.custom_local.remove(&s.key),
            };
        }
    }

    pub fn mark(&self) -> Mark {
        Mark {
            version: self.version,
            session: self.session.clone(),
            local: self.local.clone(),
            custom_session: self.custom_session.clone(),
            custom_local: self.custom_local.clone(),
        }
    }

    pub fn restore(&mut self, mark: &Mark) {
        if self.version == mark.version {
            return;
        }
        self.version += 1;
        self.session = mark.session.clone();
        self.local = mark.local.clone();
        self.custom_session = mark.custom_session.clone();
        self.custom_local = mark.custom_local.clone();
    }

    /// The end of a transaction: local values go.
    pub fn end_transaction(&mut self) {
        if !self.local.is_empty() || !self.custom_local.is_empty() {
            self.version += 1;
            self.local = Map::new();
            self.custom_local = HashMap::new();
        }
    }

    /// Every name shown by SHOW ALL and pg_settings, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static Setting> {
        facts::settings()
    }

    /// What input and output functions need, taken together.
    pub fn io(&self) -> IoSettings {
        let date = self.get("DateStyle").unwrap_or_default();
        let style = match date.split(',').next().unwrap_or("").trim() {
            "Postgres" => DateStyle::Postgres,
            "SQL" => DateStyle::Sql,
            "German" => DateStyle::German,
            _ => DateStyle::Iso,
        };
        let order = match date.split(',').nth(1).unwrap_or("").trim() {
            "YMD" => DateOrder::Ymd,
            "DMY" => DateOrder::Dmy,
            _ => DateOrder::Mdy,
        };
        let interval = match self.get("IntervalStyle").as_deref() {
            Some("postgres_verbose") => IntervalStyle::PostgresVerbose,
            Some("sql_standard") => IntervalStyle::SqlStandard,
            Some("iso_8601") => IntervalStyle::Iso8601,
            _ => IntervalStyle::Postgres,
        };
        IoSettings {
            date_style: style,
            date_order: order,
            interval_style: interval,
            timezone: self.get("TimeZone").and_then(|z| TimeZone::lookup(&z)).unwrap_or_else(TimeZone::utc),
            extra_float_digits: self.get_int("extra_float_digits") as i32,
            bytea_hex: self.get("bytea_output").as_deref() != Some("escape"),
            xml_document: self.get("xmloption").as_deref() == Some("document"),
            quote_all_identifiers: self.get_bool("quote_all_identifiers"),
            array_nulls: self.get_bool("array_nulls"),
        }
    }
}

impl Default for Settings {
    fn default() -> Settings {
        Settings::new()
    }
}

pub use value::parse_bool;

/// The settings that are really the running transaction's characteristics.
pub fn is_transaction_mode(name: &str) -> bool {
    matches!(name, "transaction_isolation" | "transaction_read_only" | "transaction_deferrable")
}

/// Joins SET's list arguments: `SET search_path = a, "B"` quotes where needed.
pub fn flatten_list(name: &str, values: &[String]) -> PgResult<String> {
    let def = definition(name);
    let is_list = def.is_some_and(|d| value::is_list(d.name));
    match values {
        [one] if !is_list => Ok(one.clone()),
        _ if !is_list && !is_custom(name) => Err(PgError::new(
            pglite_error::codes::INVALID_PARAMETER_VALUE,
            format!("SET {name} takes only one argument"),
        )),
        list if value::quotes_elements(name) => {
            Ok(list.iter().map(|v| pglite_catalog::names::quote_ident(v)).collect::<Vec<_>>().join(", "))
        }
        list => Ok(list.join(", ")),
    }
}

#[cfg(test)]
mod tests;
