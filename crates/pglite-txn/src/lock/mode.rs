//! PostgreSQL's eight lock modes and which of them conflict.

use crate::am::RowLock;

/// Weakest first. Row locks use four of them: the conflicts come out the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LockMode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}

impl LockMode {
    pub const ALL: [LockMode; 8] = [
        LockMode::AccessShare,
        LockMode::RowShare,
        LockMode::RowExclusive,
        LockMode::ShareUpdateExclusive,
        LockMode::Share,
        LockMode::ShareRowExclusive,
        LockMode::Exclusive,
        LockMode::AccessExclusive,
    ];
    #[inline]
    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
    /// The modes that may not be held together with this one, as bits.
    #[inline]
    pub(crate) const fn conflicts(self) -> u8 {
        const TABLE: [u8; 8] = [
            0b1000_0000,
            0b1100_0000,
            0b1111_0000,
            0b1111_1000,
            0b1110_1100,
            0b1111_1100,
            0b1111_1110,
            0b1111_1111,
        ];
        TABLE[self as usize]
    }
    pub fn conflicts_with(self, other: LockMode) -> bool {
        self.conflicts() & other.bit() != 0
    }
    /// The mode of LOCK TABLE's words and of `pg_locks`.
    pub fn name(self) -> &'static str {
        match self {
            LockMode::AccessShare => "AccessShareLock",
            LockMode::RowShare => "RowShareLock",
            LockMode::RowExclusive => "RowExclusiveLock",
            LockMode::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            LockMode::Share => "ShareLock",
            LockMode::ShareRowExclusive => "ShareRowExclusiveLock",
            LockMode::Exclusive => "ExclusiveLock",
            LockMode::AccessExclusive => "AccessExclusiveLock",
        }
    }
}

impl From<RowLock> for LockMode {
    #[inline]
    fn from(lock: RowLock) -> LockMode {
        match lock {
            RowLock::KeyShare => LockMode::AccessShare,
            RowLock::Share => LockMode::RowShare,
            RowLock::NoKeyUpdate => LockMode::Exclusive,
            RowLock::Update => LockMode::AccessExclusive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_symmetric() {
        for a in LockMode::ALL {
            for b in LockMode::ALL {
                assert_eq!(a.conflicts_with(b), b.conflicts_with(a), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn row_locks_conflict_as_documented() {
        use RowLock::*;
        let table =
            [(KeyShare, [0, 0, 0, 1]), (Share, [0, 0, 1, 1]), (NoKeyUpdate, [0, 1, 1, 1]), (Update, [1; 4])];
        for (a, row) in table {
            for (b, expect) in [KeyShare, Share, NoKeyUpdate, Update].into_iter().zip(row) {
                assert_eq!(LockMode::from(a).conflicts_with(b.into()), expect == 1, "{a:?} {b:?}");
            }
        }
    }
}
