//! TLS from a PEM certificate chain and key.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

/// Builds the acceptor; the error is one line naming the file.
#[allow(clippy::disallowed_methods)] // Why: start-up reads the user's PEM files, not the database's.
pub fn acceptor(cert: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let open = |path: &Path| -> Result<io::BufReader<std::fs::File>, String> {
        let file =
            std::fs::File::open(path).map_err(|e| format!("could not read \"{}\": {e}", path.display()))?;
        Ok(io::BufReader::new(file))
    };
    let chain = rustls_pemfile::certs(&mut open(cert)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| format!("could not load certificate \"{}\": {e}", cert.display()))?;
    let private = rustls_pemfile::private_key(&mut open(key)?)
        .map_err(|e| format!("could not load private key \"{}\": {e}", key.display()))?
        .ok_or_else(|| format!("no private key in \"{}\"", key.display()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|e| format!("certificate and key do not work together: {e}"))?;
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
