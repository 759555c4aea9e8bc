-- Objects that every driver suite starts from; run as the suite's own user in its own database.
DROP SCHEMA IF EXISTS public CASCADE;
CREATE SCHEMA public;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
CREATE DOMAIN posint AS integer CHECK (VALUE > 0);
CREATE DOMAIN shortname AS varchar(8) NOT NULL;
CREATE TYPE pair AS (x integer, label text);
CREATE TYPE nested AS (id bigint, p pair, tags text[], m mood);
CREATE TABLE parent (id integer PRIMARY KEY, name text NOT NULL UNIQUE);
CREATE TABLE child (
    id integer PRIMARY KEY,
    parent_id integer REFERENCES parent (id),
    amount integer CONSTRAINT amount_positive CHECK (amount > 0),
    size posint
);
