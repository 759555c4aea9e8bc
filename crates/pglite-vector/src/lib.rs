//! Vector types and indexes.
