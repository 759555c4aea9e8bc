//! The checker: what a restarted server holds, against the model.

use super::model::{ACCOUNTS, DDL_EVERY, Model, PARTS};
use crate::wire::{Client, Failure, Row};

/// What was wrong; empty means the server kept its word. Also how far each client was found.
pub struct Verdict {
    pub faults: Vec<String>,
    pub found: Vec<u64>,
}

pub fn check(connection: &mut Client, model: &mut Model) -> Result<Verdict, Failure> {
    let mut faults = Vec::new();
    let found = ledger(connection, model, &mut faults)?;
    progress(connection, &found, &mut faults)?;
    balances(connection, model, &found, &mut faults)?;
    tables(connection, &found, &mut faults)?;
    Ok(Verdict { faults, found })
}

fn number(row: &Row, column: usize) -> i64 {
    row.get(column).and_then(|c| c.as_deref()).and_then(|c| c.parse().ok()).unwrap_or(-1)
}

/// Every client's transactions are 1..=n without a gap, each with all its rows.
fn ledger(connection: &mut Client, model: &Model, faults: &mut Vec<String>) -> Result<Vec<u64>, Failure> {
    let mut found = vec![0; model.clients.len()];
    let rows = connection.query(
        "SELECT client, min(number), max(number), count(*), count(DISTINCT number), min(part), max(part) \
         FROM ledger GROUP BY client ORDER BY client",
    )?;
    for row in &rows {
        let (client, last) = (number(row, 0), number(row, 2));
        let Some(slot) = usize::try_from(client).ok().and_then(|c| found.get_mut(c)) else {
            faults.push(format!("rows of a client that there is not: {client}"));
            continue;
        };
        *slot = last as u64;
        if number(row, 1) != 1 || number(row, 4) != last {
            faults.push(format!("client {client}: of {last} transactions {} are there", number(row, 4)));
        }
        let whole = number(row, 3) == last * PARTS as i64 && number(row, 6) == PARTS as i64 - 1;
        if !whole || number(row, 5) != 0 {
            faults.push(format!(
                "client {client}: torn: {} rows of {last} transactions with {PARTS} rows each",
                number(row, 3)
            ));
        }
    }
    for (client, upto) in found.iter().enumerate() {
        faults.extend(model.allows(client, *upto).err());
    }
    Ok(found)
}

/// The counter that each transaction sets goes with its rows.
fn progress(connection: &mut Client, found: &[u64], faults: &mut Vec<String>) -> Result<(), Failure> {
    let rows = connection.query("SELECT client, number FROM progress ORDER BY client")?;
    if rows.len() != found.len() {
        faults.push(format!("{} rows of progress for {} clients", rows.len(), found.len()));
    }
    for (row, upto) in rows.iter().zip(found) {
        if number(row, 1) != *upto as i64 {
            let client = number(row, 0);
            faults.push(format!("client {client}: torn: counter {}, ledger {upto}", number(row, 1)));
        }
    }
    Ok(())
}

/// Every balance is what the found transactions make it, by the table and by its index.
fn balances(
    connection: &mut Client,
    model: &mut Model,
    found: &[u64],
    faults: &mut Vec<String>,
) -> Result<(), Failure> {
    let rows = connection.query("SELECT id, balance FROM account ORDER BY balance, id")?;
    let expected = model.balances(found).to_vec();
    if rows.len() != expected.len() {
        faults.push(format!("{} accounts of {}", rows.len(), expected.len()));
    }
    for row in &rows {
        let wanted = usize::try_from(number(row, 0)).ok().and_then(|id| expected.get(id));
        if wanted != Some(&number(row, 1)) {
            faults.push(format!("account {}: balance {}, not {wanted:?}", number(row, 0), number(row, 1)));
        }
    }
    let by_index: Vec<String> =
        (0..ACCOUNTS).map(|id| format!("SELECT balance FROM account WHERE id = {id}")).collect();
    let rows = connection.query(&by_index.join(";"))?;
    if rows.iter().map(|r| number(r, 0)).ne(expected.iter().copied()) {
        faults.push("the balances by the index differ from those by the table".into());
    }
    Ok(())
}

/// Each client's last made table is there, and no other.
fn tables(connection: &mut Client, found: &[u64], faults: &mut Vec<String>) -> Result<(), Failure> {
    let rows = connection.query(
        "SELECT relname FROM pg_class WHERE relname LIKE 'made%' AND relkind = 'r' ORDER BY relname COLLATE \"C\"",
    )?;
    let mut wanted: Vec<String> = found
        .iter()
        .enumerate()
        .filter(|(_, n)| **n >= DDL_EVERY)
        .map(|(client, n)| format!("made_{client}_{}", n - n % DDL_EVERY))
        .collect();
    wanted.sort();
    let names: Vec<String> = rows.into_iter().filter_map(|r| r.into_iter().next().flatten()).collect();
    if names != wanted {
        faults.push(format!("tables made: {names:?}, expected {wanted:?}"));
    }
    for name in names {
        if connection.value(&format!("SELECT n FROM {name}"))? != name.rsplit('_').next().unwrap_or("") {
            faults.push(format!("table {name} is there without its row"));
        }
    }
    Ok(())
}
