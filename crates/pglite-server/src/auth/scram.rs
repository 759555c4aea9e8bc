//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side, with channel binding `tls-server-end-point` (RFC 5929).
//!
//! Messages only; verifiers and proofs are `pglite_sql::password`'s. An unknown role or one without a password runs the
//! same exchange against a mock verifier, so that a client cannot tell.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use pglite_error::{PgError, PgResult, codes};
use pglite_sql::password::Verifier;

/// What the mechanism that the client chose says about channel binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding<'a> {
    /// The server did not offer it.
    Unsupported,
    /// Offered, and the client chose the mechanism without.
    Declined,
    /// Chosen: the hash of the server's certificate.
    Used(&'a [u8]),
}

/// One exchange: `first` then `last`.
pub struct Exchange {
    verifier: Verifier,
    usable: bool,
    nonce: String,
    client_first_bare: String,
    server_first: String,
    /// The GS2 header, then the channel-binding data.
    binding: Vec<u8>,
}

fn malformed(detail: &str) -> PgError {
    PgError::new(codes::PROTOCOL_VIOLATION, "malformed SCRAM message").detail(detail)
}

/// Checks the GS2 channel-binding flag against the mechanism.
fn check_flag(flag: &str, binding: Binding<'_>) -> PgResult<()> {
    match (flag, binding) {
        ("n", Binding::Used(_)) | ("y", Binding::Used(_)) => Err(malformed(
            "The client selected SCRAM-SHA-256-PLUS, but the SCRAM message does not include channel binding data.",
        )),
        ("n", _) | ("y", Binding::Unsupported) => Ok(()),
        // Why: the client says that it could and believes we cannot: someone took the offer away on the wire.
        ("y", Binding::Declined) => {
            Err(PgError::new(codes::PROTOCOL_VIOLATION, "SCRAM channel binding negotiation error").detail(
                "The client supports SCRAM channel binding but thinks the server does not.  However, this server does support channel binding.",
            ))
        }
        ("p=tls-server-end-point", Binding::Used(_)) => Ok(()),
        (f, Binding::Used(_)) if f.starts_with("p=") => {
            Err(PgError::new(codes::PROTOCOL_VIOLATION, format!(
                "unsupported SCRAM channel-binding type \"{}\"",
                &f[2..]
            )))
        }
        (f, _) if f.starts_with("p=") => Err(malformed(
            "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
        )),
        _ => Err(malformed("Unexpected channel-binding flag.")),
    }
}

impl Exchange {
    /// Takes the client-first-message; returns the exchange and the server-first-message. `usable`: the verifier is real.
    pub fn first(
        message: &str,
        verifier: Verifier,
        usable: bool,
        server_nonce: &[u8],
        binding: Binding<'_>,
    ) -> PgResult<(Exchange, String)> {
        let mut parts = message.splitn(3, ',');
        let (flag, authzid, bare) = match (parts.next(), parts.next(), parts.next()) {
            (Some(f), Some(a), Some(b)) => (f, a, b),
            _ => return Err(malformed("The message is incomplete.")),
        };
        check_flag(flag, binding)?;
        if !authzid.is_empty() {
            return Err(PgError::unsupported("client uses authorization identity, but it is not supported"));
        }
        let client_nonce = bare
            .split(',')
            .find_map(|a| a.strip_prefix("r="))
            .filter(|n| !n.is_empty())
            .ok_or_else(|| malformed("Expected attribute \"r\"."))?;
        let nonce = format!("{client_nonce}{}", BASE64.encode(server_nonce));
        let server_first = format!("r={nonce},s={},i={}", BASE64.encode(&verifier.salt), verifier.iterations);
        let mut bound = format!("{flag},{authzid},").into_bytes();
        if let Binding::Used(data) = binding {
            bound.extend_from_slice(data);
        }
        let exchange = Exchange {
            verifier,
            usable,
            nonce,
            client_first_bare: bare.to_string(),
            server_first: server_first.clone(),
            binding: bound,
        };
        Ok((exchange, server_first))
    }

    /// Takes the client-final-message; returns the server-final-message, or None when the proof is wrong.
    pub fn last(&self, message: &str) -> PgResult<Option<String>> {
        let (without_proof, proof) =
            message.rsplit_once(",p=").ok_or_else(|| malformed("Expected attribute \"p\"."))?;
        let proof = BASE64
            .decode(proof)
            .ok()
            .filter(|p| p.len() == 32)
            .ok_or_else(|| malformed("Malformed proof in client-final-message."))?;
        let mut attrs = without_proof.split(',');
        let binding = attrs.next().and_then(|a| a.strip_prefix("c="));
        if binding != Some(BASE64.encode(&self.binding).as_str()) {
            return Err(PgError::new(
                codes::INVALID_AUTHORIZATION_SPECIFICATION,
                "SCRAM channel binding check failed",
            ));
        }
        if attrs.next().and_then(|a| a.strip_prefix("r=")) != Some(self.nonce.as_str()) {
            return Err(malformed("Nonce does not match."));
        }
        let auth_message = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let signature = self.verifier.check(&auth_message, &proof).filter(|_| self.usable);
        Ok(signature.map(|s| format!("v={}", BASE64.encode(s))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verifier() -> Verifier {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        Verifier::new("pencil", &salt, 4096)
    }

    /// The example of RFC 7677, section 3 (user "user", password "pencil").
    #[test]
    fn rfc_7677_example() {
        let exchange = Exchange {
            verifier: verifier(),
            usable: true,
            nonce: "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".into(),
            client_first_bare: "n=user,r=rOprNGfwEbeRWgbNEkqO".into(),
            server_first:
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
                    .into(),
            binding: b"n,,".into(),
        };
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(exchange.last(last).unwrap().unwrap(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert!(exchange.last(&last.replace("p=dH", "p=eH")).unwrap().is_none());
    }

    #[test]
    fn channel_binding_flags() {
        let first = |message: &str, binding| {
            Exchange::first(message, verifier(), true, b"nonce", binding)
                .map(|_| ())
                .map_err(|e| e.message().to_string())
        };
        let used = Binding::Used(b"hash");
        assert_eq!(first("p=tls-server-end-point,,n=,r=x", used), Ok(()));
        assert_eq!(first("n,,n=,r=x", Binding::Declined), Ok(()));
        assert!(first("y,,n=,r=x", Binding::Declined).unwrap_err().contains("negotiation"), "a downgrade");
        assert!(first("p=tls-unique,,n=,r=x", used).unwrap_err().contains("tls-unique"));
        assert!(first("p=tls-server-end-point,,n=,r=x", Binding::Unsupported).is_err());
        assert!(first("n,,n=,r=x", used).is_err());
    }

    #[test]
    fn a_wrong_certificate_hash_is_refused() {
        let (exchange, reply) = Exchange::first(
            "p=tls-server-end-point,,n=,r=x",
            verifier(),
            true,
            b"n",
            Binding::Used(b"right"),
        )
        .unwrap();
        let nonce = reply.split(',').next().unwrap();
        let c = BASE64.encode(b"p=tls-server-end-point,,wrong");
        let e = exchange.last(&format!("c={c},{nonce},p={}", BASE64.encode([0; 32]))).unwrap_err();
        assert_eq!(e.message(), "SCRAM channel binding check failed");
    }
}
