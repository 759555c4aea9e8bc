//! TLS from a PEM certificate chain and key, and the certificate's hash for SCRAM's channel binding.

use std::io;
use std::path::Path;
use std::sync::Arc;

use sha2::{Digest, Sha256, Sha384, Sha512};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{ServerConfig, crypto::ring};

/// The protocol's name in TLS's application-layer negotiation.
pub const ALPN: &[u8] = b"postgresql";

/// What all TLS connections share.
pub struct Tls {
    pub acceptor: TlsAcceptor,
    /// `tls-server-end-point` (RFC 5929); None when the certificate's signature algorithm names no hash.
    pub end_point: Option<Vec<u8>>,
}

/// Reads certificate and key; the error is one line naming the file.
#[allow(clippy::disallowed_methods)] // Why: start-up reads the user's PEM files, not the database's.
pub fn load(cert: &Path, key: &Path) -> Result<Tls, String> {
    let open = |path: &Path| -> Result<io::BufReader<std::fs::File>, String> {
        let file =
            std::fs::File::open(path).map_err(|e| format!("could not read \"{}\": {e}", path.display()))?;
        Ok(io::BufReader::new(file))
    };
    let chain = rustls_pemfile::certs(&mut open(cert)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| format!("could not load certificate \"{}\": {e}", cert.display()))?;
    let Some(leaf) = chain.first() else { return Err(format!("no certificate in \"{}\"", cert.display())) };
    let end_point = end_point(leaf);
    let private = rustls_pemfile::private_key(&mut open(key)?)
        .map_err(|e| format!("could not load private key \"{}\": {e}", key.display()))?
        .ok_or_else(|| format!("no private key in \"{}\"", key.display()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .map_err(|e| format!("certificate and key do not work together: {e}"))?;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Tls { acceptor: TlsAcceptor::from(Arc::new(config)), end_point })
}

/// The certificate hashed with its signature's hash function, MD5 and SHA-1 replaced by SHA-256.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
    const ECDSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04];
    let algorithm = signature_algorithm(certificate)?;
    let bits = match (algorithm.strip_prefix(RSA), algorithm.strip_prefix(ECDSA)) {
        (Some([4 | 5 | 11]), _) | (_, Some([1] | [3, 2])) => 256,
        (Some([12]), _) | (_, Some([3, 3])) => 384,
        (Some([13]), _) | (_, Some([3, 4])) => 512,
        _ => return None,
    };
    Some(match bits {
        384 => Sha384::digest(certificate).to_vec(),
        512 => Sha512::digest(certificate).to_vec(),
        _ => Sha256::digest(certificate).to_vec(),
    })
}

/// The object identifier (DER content) of `Certificate ::= SEQUENCE { tbs, SEQUENCE { algorithm OID, .. }, signature }`.
fn signature_algorithm(certificate: &[u8]) -> Option<&[u8]> {
    const SEQUENCE: u8 = 0x30;
    const OID: u8 = 0x06;
    let (tag, fields, _) = der(certificate)?;
    let (_, _, after_tbs) = der(fields)?;
    let (alg_tag, algorithm, _) = der(after_tbs)?;
    let (oid_tag, oid, _) = der(algorithm)?;
    (tag == SEQUENCE && alg_tag == SEQUENCE && oid_tag == OID).then_some(oid)
}

/// One DER element: tag, content, what follows.
fn der(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if digits.len() > 4 {
            return None;
        }
        (digits.iter().fold(0, |n, d| n << 8 | usize::from(*d)), rest)
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_der_lengths() {
        assert_eq!(der(&[4, 1, 9, 7]), Some((4, &[9][..], &[7][..])));
        let long = [&[0x30, 0x81, 0x80][..], &[5; 128]].concat();
        assert_eq!(der(&long).unwrap().1.len(), 128);
        assert_eq!(der(&long[..50]), None);
        assert_eq!(der(&[0x30, 0x85, 1, 1, 1, 1, 1]), None);
    }

    #[test]
    fn picks_the_hash_of_the_signature() {
        let certificate = |oid: &[u8]| {
            let algorithm = [&[6, oid.len() as u8], oid].concat();
            let fields = [&[0x30, 0][..], &[0x30, algorithm.len() as u8], &algorithm].concat();
            [&[0x30, fields.len() as u8][..], &fields].concat()
        };
        let ecdsa = |hash: u8| certificate(&[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 3, hash]);
        assert_eq!(end_point(&ecdsa(2)).unwrap().len(), 32);
        assert_eq!(end_point(&ecdsa(3)).unwrap().len(), 48);
        assert_eq!(end_point(&ecdsa(4)).unwrap().len(), 64);
        assert_eq!(end_point(&certificate(&[0x2b, 0x65, 0x70])), None, "Ed25519 names no hash");
    }
}
