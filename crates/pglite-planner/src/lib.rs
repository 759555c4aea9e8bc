//! Query to Plan.
