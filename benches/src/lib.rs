//! Benchmarks of PGLiteDB and comparisons with its peers; see `benches/benches/`.
