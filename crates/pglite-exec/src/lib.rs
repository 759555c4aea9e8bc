//! Plan to rows.
