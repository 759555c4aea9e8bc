//! Datum, Row and every built-in type.
