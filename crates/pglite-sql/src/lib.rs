//! Session facade.
