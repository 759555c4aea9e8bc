//! Raw parse tree to Query.
