//! What surrounds the schema: databases, roles, privileges, extensions, foreign data, policies, publications.

mod database;
mod extension;
mod foreign;
mod grant;
mod policy;
mod publication;
mod role;
