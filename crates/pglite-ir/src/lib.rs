//! Bound expressions, Query, Plan, function ABI.
