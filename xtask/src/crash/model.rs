//! What the crash test knows by itself: the transactions every client makes, and which of them must have survived.
//!
//! A transaction is a function of its client and number, so the whole content of the tables follows from how far each
//! client came. Nothing is ever asked of the server to know what it should hold.

pub const ACCOUNTS: u64 = 64;
pub const START: i64 = 1000;
/// Rows a transaction writes to the ledger.
pub const PARTS: u64 = 3;
/// Every so many transactions one also makes a table and drops the one before.
pub const DDL_EVERY: u64 = 50;

/// A small random number generator (SplitMix64), the same from the same seed.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}

/// The movements of a transaction: three accounts in ascending order, amounts that add up to nothing.
pub fn movements(client: u64, number: u64) -> [(u64, i64); PARTS as usize] {
    let mut random = Random(client.wrapping_mul(0x1000_0000_01b3) ^ number);
    let first = random.below(ACCOUNTS - 2);
    let second = first + 1 + random.below(ACCOUNTS - 2 - first);
    let third = second + 1 + random.below(ACCOUNTS - 1 - second);
    let (a, b) = (random.below(100) as i64 - 50, random.below(100) as i64 - 50);
    [(first, a), (second, b), (third, -a - b)]
}

/// A text to fill pages with.
pub fn payload(client: u64, number: u64, part: u64) -> String {
    let mut random = Random(client << 40 | number << 8 | part);
    (0..6).map(|_| format!("{:016x}", random.next())).collect()
}

/// How far one client came.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
pub struct Progress {
    /// Transactions 1..=acknowledged were answered with COMMIT.
    pub acknowledged: u64,
    /// The next one's commit was asked for and not answered: it may be there, whole, or not.
    pub in_doubt: bool,
}

/// The state the server must show.
pub struct Model {
    pub clients: Vec<Progress>,
    /// Balances after `applied` transactions of each client.
    balances: Vec<i64>,
    applied: Vec<u64>,
}

impl Model {
    pub fn new(clients: usize) -> Model {
        Model {
            clients: vec![Progress::default(); clients],
            balances: vec![START; ACCOUNTS as usize],
            applied: vec![0; clients],
        }
    }

    /// Whether a client may be found at this number of transactions.
    pub fn allows(&self, client: usize, found: u64) -> Result<(), String> {
        let Progress { acknowledged, in_doubt } = self.clients[client];
        if found < acknowledged {
            return Err(format!(
                "client {client}: {} acknowledged commits lost (found {found} of {acknowledged})",
                acknowledged - found
            ));
        }
        if found > acknowledged + u64::from(in_doubt) {
            return Err(format!("client {client}: transaction {found} is there, but was never committed"));
        }
        Ok(())
    }

    /// The balances after so many transactions of each client.
    pub fn balances(&mut self, found: &[u64]) -> &[i64] {
        for (client, upto) in found.iter().enumerate() {
            for number in self.applied[client] + 1..=*upto {
                for (account, amount) in movements(client as u64, number) {
                    self.balances[account as usize] += amount;
                }
            }
            self.applied[client] = self.applied[client].max(*upto);
        }
        &self.balances
    }

    /// What was in doubt is now known.
    pub fn settle(&mut self, found: &[u64]) {
        for (client, upto) in found.iter().enumerate() {
            self.clients[client] = Progress { acknowledged: *upto, in_doubt: false };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn movements_are_ordered_distinct_and_balanced() {
        for client in 0..8 {
            for number in 1..500 {
                let m = movements(client, number);
                assert!(m[0].0 < m[1].0 && m[1].0 < m[2].0 && m[2].0 < ACCOUNTS, "{m:?}");
                assert_eq!(m.iter().map(|x| x.1).sum::<i64>(), 0);
                assert_eq!(m, movements(client, number));
            }
        }
    }

    #[test]
    fn only_the_commit_in_doubt_may_be_there_or_not() {
        let mut model = Model::new(1);
        model.clients[0] = Progress { acknowledged: 5, in_doubt: true };
        assert!(model.allows(0, 4).is_err_and(|e| e.contains("1 acknowledged commits lost")));
        assert!(model.allows(0, 5).is_ok() && model.allows(0, 6).is_ok());
        assert!(model.allows(0, 7).is_err_and(|e| e.contains("never committed")));
        model.settle(&[5]);
        assert!(model.allows(0, 6).is_err(), "nothing is in doubt any more");
    }

    #[test]
    fn balances_follow_the_transactions() {
        let mut model = Model::new(2);
        let balances = model.balances(&[3, 4]).to_vec();
        assert_eq!(balances.iter().sum::<i64>(), START * ACCOUNTS as i64);
        let mut other = Model::new(2);
        other.balances(&[1, 4]);
        assert_eq!(other.balances(&[3, 4]), balances);
    }
}
