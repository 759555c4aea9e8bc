//! Clocks, sleeping, UUIDs made from them.

use pglite_error::{PgResult, bail};
use pglite_ir::FnCtx;
use pglite_ir::abi::Clock;
use pglite_types::Datum;
use pglite_types::datetime::{self as dt, Interval, Tm, UNIX_EPOCH_SECS};

use super::zone;
use crate::arg::Timestamp;
use crate::builtins;

fn now(cx: &FnCtx<'_>) -> Timestamp {
    Timestamp(cx.host.clock(Clock::Transaction))
}
fn statement(cx: &FnCtx<'_>) -> Timestamp {
    Timestamp(cx.host.clock(Clock::Statement))
}
fn clock(cx: &FnCtx<'_>) -> Timestamp {
    Timestamp(cx.host.clock(Clock::Now))
}

pub const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

fn timeofday(cx: &FnCtx<'_>) -> String {
    let ts = cx.host.clock(Clock::Now);
    let info = zone(cx).at_timestamp(ts);
    let tm = Tm::from_timestamp(ts + i64::from(info.offset) * dt::MICROS_PER_SEC);
    let day = dt::calendar::j2day(tm.julian()) as usize;
    format!(
        "{} {} {:02} {:02}:{:02}:{:02}.{:06} {:04} {}",
        &DAYS[day % 7][..3],
        &MONTHS[(tm.mon - 1) as usize % 12][..3],
        tm.mday,
        tm.hour,
        tm.min,
        tm.sec,
        tm.fsec,
        tm.year,
        info.abbrev
    )
}

fn pg_sleep(cx: &FnCtx<'_>, seconds: f64) -> PgResult<()> {
    // Why a service: the session listens to cancel requests while it sleeps, and its worker serves others meanwhile.
    cx.host.service("sleep", &[Datum::Int8((seconds * 1e6) as i64)]).map(|_| ())
}

fn random_bytes(cx: &FnCtx<'_>) -> [u8; 16] {
    let mut out = [0; 16];
    out[..8].copy_from_slice(&cx.host.random().to_be_bytes());
    out[8..].copy_from_slice(&cx.host.random().to_be_bytes());
    out
}

fn stamp(mut u: [u8; 16], version: u8) -> [u8; 16] {
    u[6] = u[6] & 0x0f | version << 4;
    u[8] = u[8] & 0x3f | 0x80;
    u
}

fn uuid_v4(cx: &FnCtx<'_>) -> [u8; 16] {
    stamp(random_bytes(cx), 4)
}

/// The last instant handed out: values of one process ascend strictly (units of 1/4096 ms).
static LAST_V7: std::sync::atomic::AtomicI64 = std::sync::atomic::AtomicI64::new(0);

fn v7_at(cx: &FnCtx<'_>, unix_micros: i64, ticks: i64) -> [u8; 16] {
    let mut u = random_bytes(cx);
    let ms = unix_micros.div_euclid(1000) as u64;
    u[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    u[6] = (ticks >> 8) as u8 & 0x0f;
    u[7] = ticks as u8;
    stamp(u, 7)
}

fn uuid_v7_shifted(cx: &FnCtx<'_>, shift: impl Fn(i64) -> PgResult<i64>) -> PgResult<[u8; 16]> {
    use std::sync::atomic::Ordering::Relaxed;
    let unix = cx.host.clock(Clock::Now) + UNIX_EPOCH_SECS * dt::MICROS_PER_SEC;
    let wanted = (i128::from(unix) * 4096 / 1000) as i64;
    let last = LAST_V7.fetch_update(Relaxed, Relaxed, |l| Some(wanted.max(l + 1))).unwrap_or(wanted);
    let tick = wanted.max(last + 1);
    let micros = (i128::from(tick) * 1000 / 4096) as i64;
    let shifted = shift(micros - UNIX_EPOCH_SECS * dt::MICROS_PER_SEC)?;
    Ok(v7_at(cx, shifted.saturating_add(UNIX_EPOCH_SECS * dt::MICROS_PER_SEC), tick & 0xfff))
}

fn uuid_v7(cx: &FnCtx<'_>) -> PgResult<[u8; 16]> {
    uuid_v7_shifted(cx, Ok)
}
fn uuid_v7_interval(cx: &FnCtx<'_>, shift: Interval) -> PgResult<[u8; 16]> {
    uuid_v7_shifted(cx, |ts| dt::timestamptz_add(ts, &shift, zone(cx)))
}
fn uuid_version(u: [u8; 16]) -> Option<i16> {
    (u[8] & 0xc0 == 0x80).then_some(i16::from(u[6] >> 4))
}
fn uuid_timestamp(u: [u8; 16]) -> Option<Timestamp> {
    let be = |bytes: &[u8]| bytes.iter().fold(0i64, |a, b| a << 8 | i64::from(*b));
    match uuid_version(u)? {
        1 => {
            let ticks =
                i64::from(u[6] & 0x0f) << 56 | i64::from(u[7]) << 48 | be(&u[4..6]) << 32 | be(&u[..4]);
            // From 1582-10-15 in units of 100 ns.
            Some(Timestamp(ticks / 10 - 152_671 * dt::MICROS_PER_DAY))
        }
        7 => Some(Timestamp(be(&u[..6]) * 1000 - UNIX_EPOCH_SECS * dt::MICROS_PER_SEC)),
        _ => None,
    }
}

fn to_timestamp(secs: f64) -> PgResult<Timestamp> {
    if secs.is_nan() {
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp cannot be NaN");
    }
    if secs.is_infinite() {
        return Ok(Timestamp(if secs > 0.0 { i64::MAX } else { i64::MIN }));
    }
    let micros = ((secs - UNIX_EPOCH_SECS as f64) * 1e6).round_ties_even();
    if micros < i64::MIN as f64 || micros >= i64::MAX as f64 || !dt::is_valid_timestamp(micros as i64) {
        let mut shown = String::new();
        pglite_types::text::fmt::push_g(&mut shown, secs, 6);
        bail!(DATETIME_VALUE_OUT_OF_RANGE, "timestamp out of range: \"{shown}\"");
    }
    Ok(Timestamp(micros as i64))
}

builtins! { pub TABLE:
    "now" => cx now[];
    "statement_timestamp" => cx statement[];
    "clock_timestamp" => cx clock[];
    "timeofday" => cx timeofday[];
    "pg_sleep" => cx pg_sleep[f64];
    "gen_random_uuid" => cx uuid_v4[];
    "uuidv7" => cx uuid_v7[];
    "uuidv7_interval" => cx uuid_v7_interval[Interval];
    "uuid_extract_version" => uuid_version[[u8; 16]];
    "uuid_extract_timestamp" => uuid_timestamp[[u8; 16]];
    "float8_timestamptz" => to_timestamp[f64];
}
