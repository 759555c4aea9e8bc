//! The system catalogs: built-in rows as data, stored rows above them.
