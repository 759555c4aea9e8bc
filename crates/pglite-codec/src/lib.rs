//! Order-preserving keys, row encoding, checksummed frames. Knows no SQL.
