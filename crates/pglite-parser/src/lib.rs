//! The PostgreSQL 18 grammar: text to raw parse tree.
