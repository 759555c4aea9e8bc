//! A committing client of the crash test: runs its transactions in order until the connection breaks.

use super::model::{DDL_EVERY, PARTS, Progress, movements, payload};
use crate::wire::{Client, Failure};

/// What a client reports when its connection is gone.
pub struct Report {
    pub progress: Progress,
    pub rolled_back: u64,
    /// Statements the server refused; none should be.
    pub refused: Vec<String>,
}

/// Runs transactions from `start` on. Returns when the connection breaks.
pub fn work(port: u16, client: u64, start: Progress) -> Report {
    let mut report = Report { progress: start, rolled_back: 0, refused: Vec::new() };
    let Ok(mut connection) = Client::connect(port, "postgres") else { return report };
    loop {
        let number = report.progress.acknowledged + 1;
        match transaction(&mut connection, client, number, &mut report) {
            Ok(()) => {}
            Err(Failure::Lost(_)) => return report,
            Err(refused) => {
                report.progress.in_doubt = false;
                report.refused.push(format!("client {client}, transaction {number}: {refused}"));
                if report.refused.len() > 20 || connection.query("ROLLBACK").is_err() {
                    return report;
                }
            }
        }
    }
}

/// One transaction, in one of three shapes: statement by statement, in one message between BEGIN and COMMIT, or as the
/// implicit transaction of one message.
fn transaction(
    connection: &mut Client,
    client: u64,
    number: u64,
    report: &mut Report,
) -> Result<(), Failure> {
    let statements = statements(client, number);
    if number % 9 == 4 {
        // One that is taken back first: nothing of it may ever be seen.
        connection.query("BEGIN")?;
        connection.query(&statements.join(";"))?;
        connection.query("ROLLBACK")?;
        report.rolled_back += 1;
    }
    match number % 3 {
        0 => {
            report.progress.in_doubt = true;
            connection.query(&statements.join(";"))?;
        }
        shape => {
            connection.query("BEGIN")?;
            if shape == 1 {
                connection.query(&statements.join(";"))?;
            } else {
                for statement in &statements {
                    connection.query(statement)?;
                }
            }
            report.progress.in_doubt = true;
            connection.query("COMMIT")?;
            if connection.tag != "COMMIT" {
                report.progress.in_doubt = false;
                report.refused.push(format!("client {client}: COMMIT answered with {}", connection.tag));
                return Ok(());
            }
        }
    }
    report.progress = Progress { acknowledged: number, in_doubt: false };
    Ok(())
}

fn statements(client: u64, number: u64) -> Vec<String> {
    let moves = movements(client, number);
    let mut statements: Vec<String> = moves
        .iter()
        .map(|(account, amount)| {
            format!("UPDATE account SET balance = balance + ({amount}) WHERE id = {account}")
        })
        .collect();
    let rows: Vec<String> = (0..PARTS)
        .zip(moves)
        .map(|(part, (account, amount))| {
            format!("({client}, {number}, {part}, {account}, {amount}, '{}')", payload(client, number, part))
        })
        .collect();
    statements.push(format!("INSERT INTO ledger VALUES {}", rows.join(", ")));
    statements.push("SAVEPOINT s".into());
    statements.push(format!("UPDATE progress SET number = {} WHERE client = {client}", number + 1_000_000));
    statements.push("ROLLBACK TO s".into());
    statements.push(format!("UPDATE progress SET number = {number} WHERE client = {client}"));
    if number.is_multiple_of(3) {
        // Savepoints need a transaction block, which the implicit transaction is not.
        statements.retain(|s| !s.contains("SAVEPOINT") && !s.contains("ROLLBACK"));
    }
    if number.is_multiple_of(DDL_EVERY) {
        statements.push(format!("CREATE TABLE made_{client}_{number} AS SELECT {number} AS n"));
        if number > DDL_EVERY {
            statements.push(format!("DROP TABLE made_{client}_{}", number - DDL_EVERY));
        }
    }
    statements
}
