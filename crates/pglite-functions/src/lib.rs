//! Bodies of built-in functions.
