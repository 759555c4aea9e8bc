//! One setting's text: checking, canonical form, and the form SHOW prints.

use pglite_catalog::facts::{self, Setting};
use pglite_error::{PgError, PgResult, bail, codes, err};
use pglite_types::datetime::TimeZone;

/// Our values where PostgreSQL's boot value describes another machine or program.
pub const OUR_DEFAULTS: &[(&str, &str)] = &[
    ("server_version", crate::SERVER_VERSION),
    ("server_version_num", crate::SERVER_VERSION_NUM),
    ("server_encoding", "UTF8"),
    ("client_encoding", "UTF8"),
    ("lc_messages", "C"),
    ("lc_monetary", "C"),
    ("lc_numeric", "C"),
    ("lc_time", "C"),
    ("TimeZone", "Etc/UTC"),
    ("log_timezone", "Etc/UTC"),
    ("default_text_search_config", "pg_catalog.english"),
    ("max_connections", "1000"),
    ("shared_buffers", "32768"),
    ("is_superuser", "on"),
    ("in_hot_standby", "off"),
    ("transaction_isolation", "read committed"),
    ("integer_datetimes", "on"),
];

pub fn is_list(name: &str) -> bool {
    matches!(
        name,
        "search_path"
            | "DateStyle"
            | "temp_tablespaces"
            | "session_preload_libraries"
            | "local_preload_libraries"
            | "shared_preload_libraries"
            | "log_destination"
            | "listen_addresses"
            | "wal_consistency_checking"
            | "createrole_self_grant"
            | "debug_io_direct"
            | "synchronous_standby_names"
            | "unix_socket_directories"
            | "log_connections"
            | "restrict_nonsystem_relation_kind"
            | "synchronized_standby_slots"
    )
}

/// Lists whose elements are identifiers and are quoted when joined.
pub fn quotes_elements(name: &str) -> bool {
    matches!(
        name.to_ascii_lowercase().as_str(),
        "search_path"
            | "temp_tablespaces"
            | "session_preload_libraries"
            | "local_preload_libraries"
            | "shared_preload_libraries"
    )
}

fn invalid(def: &Setting, text: &str) -> PgError {
    err!(INVALID_PARAMETER_VALUE, "invalid value for parameter \"{}\": \"{text}\"", def.name)
}

/// Checks a value and brings it into the form that is stored: on/off, a number in the setting's unit, an enum's spelling.
pub fn canonical(def: &Setting, text: &str, current: Option<&str>) -> PgResult<String> {
    match def.vartype {
        "bool" => parse_bool(text).map(|b| if b { "on" } else { "off" }.to_string()).ok_or_else(|| {
            err!(INVALID_PARAMETER_VALUE, "parameter \"{}\" requires a Boolean value", def.name)
        }),
        "integer" => integer(def, text),
        "real" => real(def, text),
        "enum" => enumeration(def, text),
        _ => string(def, text, current),
    }
}

/// Boolean words and their unique prefixes, as PostgreSQL accepts them.
pub fn parse_bool(text: &str) -> Option<bool> {
    let t = text.trim().to_ascii_lowercase();
    let is = |word: &str, min: usize| t.len() >= min && word.starts_with(&t);
    match t.as_str() {
        "" => None,
        "1" => Some(true),
        "0" => Some(false),
        _ if is("true", 1) || is("yes", 1) || is("on", 2) => Some(true),
        _ if is("false", 1) || is("no", 1) || is("off", 2) => Some(false),
        _ => None,
    }
}

/// (unit name, multiplier to bytes or microseconds), largest first.
const MEMORY: &[(&str, f64)] =
    &[("TB", 1_099_511_627_776.0), ("GB", 1_073_741_824.0), ("MB", 1_048_576.0), ("kB", 1024.0), ("B", 1.0)];
const TIME: &[(&str, f64)] =
    &[("d", 86_400e6), ("h", 3600e6), ("min", 60e6), ("s", 1e6), ("ms", 1e3), ("us", 1.0)];

/// The setting's base unit in bytes or microseconds, and the units it accepts.
fn unit_of(def: &Setting) -> Option<(f64, &'static [(&'static str, f64)])> {
    Some(match def.unit? {
        "B" => (1.0, MEMORY),
        "kB" => (1024.0, MEMORY),
        "8kB" => (8192.0, MEMORY),
        "MB" => (1_048_576.0, MEMORY),
        "ms" => (1e3, TIME),
        "s" => (1e6, TIME),
        "min" => (60e6, TIME),
        _ => return None,
    })
}

/// Parses `number [unit]` into the setting's base unit.
fn number(def: &Setting, text: &str) -> PgResult<f64> {
    let t = text.trim();
    let hex = t.strip_prefix("0x").or_else(|| t.strip_prefix("0X"));
    if let Some(v) = hex.and_then(|h| i64::from_str_radix(h, 16).ok()) {
        return Ok(v as f64);
    }
    let split = t
        .char_indices()
        .find(|(i, c)| {
            !(c.is_ascii_digit()
                || matches!(c, '.' | '+' | '-')
                || (matches!(c, 'e' | 'E') && exponent_at(t, *i)))
        })
        .map_or(t.len(), |(i, _)| i);
    let (digits, unit) = (&t[..split], t[split..].trim());
    let base: f64 = digits.parse().map_err(|_| invalid(def, text))?;
    if unit.is_empty() {
        return Ok(base);
    }
    let Some((own, units)) = unit_of(def) else { return Err(invalid(def, text)) };
    match units.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => Ok(base * factor / own),
        None => {
            let hint = if std::ptr::eq(units, MEMORY) {
                "Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\"."
            } else {
                "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\"."
            };
            Err(invalid(def, text).hint(hint))
        }
    }
}

fn exponent_at(t: &str, i: usize) -> bool {
    t[i + 1..].trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit())
}

fn range_check(def: &Setting, value: f64, shown: String) -> PgResult<()> {
    let bound = |b: Option<&str>| b.and_then(|b| b.parse::<f64>().ok());
    let below = bound(def.min).is_some_and(|m| value < m);
    let above = bound(def.max).is_some_and(|m| value > m);
    if below || above {
        let unit = def.unit.map(|u| format!(" {u}")).unwrap_or_default();
        bail!(
            INVALID_PARAMETER_VALUE,
            "{shown}{unit} is outside the valid range for parameter \"{}\" ({}{unit} .. {}{unit})",
            def.name,
            def.min.unwrap_or(""),
            def.max.unwrap_or("")
        );
    }
    Ok(())
}

fn integer(def: &Setting, text: &str) -> PgResult<String> {
    let value = number(def, text)?.round_ties_even();
    if value.abs() > f64::from(i32::MAX)
        && def.max.and_then(|m| m.parse::<f64>().ok()).is_none_or(|m| value > m || value < -m)
    {
        return Err(invalid(def, text).hint("Value exceeds integer range."));
    }
    range_check(def, value, format!("{value:.0}"))?;
    Ok(format!("{value:.0}"))
}

fn real(def: &Setting, text: &str) -> PgResult<String> {
    let value = number(def, text)?;
    if value.is_nan() {
        return Err(invalid(def, text));
    }
    range_check(def, value, format!("{value}"))?;
    Ok(format!("{value}"))
}

fn enumeration(def: &Setting, text: &str) -> PgResult<String> {
    if let Some(found) = def.enumvals.iter().find(|v| v.eq_ignore_ascii_case(text)) {
        return Ok((*found).to_string());
    }
    // Hidden spellings: booleans where the enum has on and off, and a few historical names.
    let hidden = match (def.name, text.to_ascii_lowercase().as_str()) {
        ("client_min_messages" | "log_min_messages" | "log_min_error_statement", "debug") => Some("debug2"),
        ("client_min_messages", "info") => Some("info"),
        ("log_error_verbosity", _) => None,
        _ => parse_bool(text).map(|b| if b { "on" } else { "off" }),
    };
    if let Some(v) = hidden.filter(|v| def.enumvals.contains(v) || *v == "info") {
        return Ok(v.to_string());
    }
    Err(invalid(def, text).hint(format!("Available values: {}.", def.enumvals.join(", "))))
}

fn string(def: &Setting, text: &str, current: Option<&str>) -> PgResult<String> {
    match def.name {
        "DateStyle" => date_style(def, text, current.unwrap_or("ISO, MDY")),
        "TimeZone" | "log_timezone" => time_zone(def, text),
        "client_encoding" => match facts::encoding_by_name(text) {
            Some(e) if matches!(e.name, "UTF8" | "SQL_ASCII") => Ok(e.name.to_string()),
            Some(e) => Err(PgError::new(
                codes::FEATURE_NOT_SUPPORTED,
                format!("conversion between {} and UTF8 is not supported", e.name),
            )),
            None => Err(invalid(def, text)),
        },
        "search_path" => match pglite_catalog::names::split_identifiers(text, ',') {
            Some(_) => Ok(text.to_string()),
            None => Err(invalid(def, text).detail("List syntax is invalid.")),
        },
        "application_name" | "cluster_name" => Ok(text
            .chars()
            .map(|c| if c.is_ascii_graphic() || c == ' ' { c.to_string() } else { escape(c) })
            .collect::<String>()),
        "transaction_isolation" => match text.to_ascii_lowercase().as_str() {
            t @ ("serializable" | "repeatable read" | "read committed" | "read uncommitted") => {
                Ok(t.to_string())
            }
            _ => Err(invalid(def, text)),
        },
        _ => Ok(text.to_string()),
    }
}

fn escape(c: char) -> String {
    let mut buf = [0; 4];
    c.encode_utf8(&mut buf).bytes().map(|b| format!("\\x{b:02x}")).collect()
}

fn date_style(def: &Setting, text: &str, current: &str) -> PgResult<String> {
    let (mut style, mut order) = current
        .split_once(", ")
        .map_or((current.to_string(), "MDY".to_string()), |(a, b)| (a.into(), b.into()));
    let (mut have_style, mut have_order) = (None::<String>, None::<String>);
    for word in text.split([',', ' ']).map(str::trim).filter(|w| !w.is_empty()) {
        let w = word.trim_matches('"').to_ascii_uppercase();
        let new_style = match w.as_str() {
            "ISO" => Some("ISO"),
            "SQL" => Some("SQL"),
            w if w.starts_with("POSTGRES") => Some("Postgres"),
            "GERMAN" => Some("German"),
            _ => None,
        };
        let new_order = match w.as_str() {
            "YMD" => Some("YMD"),
            w if w == "DMY" || w.starts_with("EURO") => Some("DMY"),
            w if w == "MDY" || w == "US" || w.starts_with("NONEURO") => Some("MDY"),
            _ => None,
        };
        let conflict = |old: &Option<String>, new: &str| old.as_deref().is_some_and(|o| o != new);
        match (new_style, new_order) {
            (Some(s), _) if conflict(&have_style, s) => {
                return Err(invalid(def, text).detail("Conflicting \"datestyle\" specifications."));
            }
            (_, Some(o)) if conflict(&have_order, o) => {
                return Err(invalid(def, text).detail("Conflicting \"datestyle\" specifications."));
            }
            (Some(s), _) => {
                style = s.to_string();
                have_style = Some(s.to_string());
                if s == "German" && have_order.is_none() {
                    order = "DMY".to_string();
                }
            }
            (_, Some(o)) => {
                order = o.to_string();
                have_order = Some(o.to_string());
            }
            _ if w == "DEFAULT" => (style, order) = ("ISO".to_string(), "MDY".to_string()),
            _ => {
                return Err(invalid(def, text)
                    .detail(format!("Unrecognized key word: \"{}\".", word.to_ascii_lowercase())));
            }
        }
    }
    Ok(format!("{style}, {order}"))
}

fn time_zone(def: &Setting, text: &str) -> PgResult<String> {
    let t = text.trim();
    match TimeZone::lookup(t) {
        Some(zone) => Ok(zone.name().to_string()),
        None => Err(invalid(def, text)),
    }
}

/// The form SHOW prints: numbers in the largest unit that divides them.
pub fn display(def: &Setting, text: &str) -> String {
    match (def.vartype, unit_of(def)) {
        ("integer", Some((own, units))) => {
            let Ok(value) = text.parse::<f64>() else { return text.to_string() };
            if value <= 0.0 {
                return text.to_string();
            }
            let base = value * own;
            for (name, factor) in units {
                if base % factor == 0.0 {
                    return format!("{:.0}{name}", base / factor);
                }
            }
            text.to_string()
        }
        ("real", Some((own, units))) => {
            let Ok(value) = text.parse::<f64>() else { return text.to_string() };
            if value <= 0.0 {
                return text.to_string();
            }
            match units.iter().find(|(_, factor)| (value * own) % factor == 0.0) {
                Some((name, factor)) => format!("{}{name}", value * own / factor),
                None => text.to_string(),
            }
        }
        ("integer", None)
            if matches!(def.name, "unix_socket_permissions" | "log_file_mode" | "data_directory_mode") =>
        {
            text.parse::<u32>().map_or_else(|_| text.to_string(), |v| format!("{v:04o}"))
        }
        _ => text.to_string(),
    }
}
