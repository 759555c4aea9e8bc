//! Values and transactions of settings.

use super::*;

const USER: Source = Source::Session { superuser: false };

#[test]
fn units_and_ranges() {
    let mut s = Settings::new();
    s.set("work_mem", "8MB", false, USER).unwrap();
    assert_eq!(s.get_int("work_mem"), 8192);
    assert_eq!(s.show("work_mem").unwrap(), "8MB");
    s.set("statement_timeout", "90s", false, USER).unwrap();
    assert_eq!(s.show("statement_timeout").unwrap(), "90s");
    let e = s.set("work_mem", "1kB", false, USER).unwrap_err();
    assert_eq!(
        e.message(),
        "1 kB is outside the valid range for parameter \"work_mem\" (64 kB .. 2147483647 kB)"
    );
    assert!(s.set("work_mem", "8XB", false, USER).unwrap_err().fields().hint.is_some());
}

#[test]
fn context_is_enforced() {
    let mut s = Settings::new();
    let e = s.set("server_version", "1", false, USER).unwrap_err();
    assert_eq!(e.message(), "parameter \"server_version\" cannot be changed");
    assert!(s.set("no_such_thing", "1", false, USER).is_err());
    s.set("my.own", "x", false, USER).unwrap();
    assert_eq!(s.show("my.own").unwrap(), "x");
}

#[test]
fn local_values_end_with_the_transaction() {
    let mut s = Settings::new();
    let begin = s.mark();
    s.set("work_mem", "1MB", false, USER).unwrap();
    s.set("work_mem", "2MB", true, USER).unwrap();
    assert_eq!(s.show("work_mem").unwrap(), "2MB");
    s.end_transaction();
    assert_eq!(s.show("work_mem").unwrap(), "1MB");
    s.restore(&begin);
    assert_eq!(s.show("work_mem").unwrap(), "4MB");
}

#[test]
fn date_style_words() {
    let mut s = Settings::new();
    s.set("datestyle", "Postgres, MDY", false, USER).unwrap();
    assert_eq!(s.show("DateStyle").unwrap(), "Postgres, MDY");
    s.set("datestyle", "dmy", false, USER).unwrap();
    assert_eq!(s.show("DateStyle").unwrap(), "Postgres, DMY");
    assert!(s.set("datestyle", "iso, sql", false, USER).is_err());
}
