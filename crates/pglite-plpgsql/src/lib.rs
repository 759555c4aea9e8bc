//! PL/pgSQL.
