//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side, without channel binding.
//!
//! A role's verifier is what `pg_authid.rolpassword` holds: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.
//! An unknown role or one without a password runs the same exchange against a mock verifier, so that a client cannot tell.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use pglite_error::{PgError, PgResult, codes};
use sha2::{Digest, Sha256};

type Key = [u8; 32];

pub struct Verifier {
    pub iterations: u32,
    pub salt: Vec<u8>,
    pub stored_key: Key,
    pub server_key: Key,
}

impl Verifier {
    /// Parses the catalog's form.
    pub fn parse(text: &str) -> Option<Verifier> {
        let rest = text.strip_prefix("SCRAM-SHA-256$")?;
        let (head, keys) = rest.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        Some(Verifier {
            iterations: iterations.parse().ok()?,
            salt: BASE64.decode(salt).ok()?,
            stored_key: BASE64.decode(stored).ok()?.try_into().ok()?,
            server_key: BASE64.decode(server).ok()?.try_into().ok()?,
        })
    }

    /// A verifier that no password matches, the same for each attempt on `user` with this server's `seed`.
    pub fn mock(user: &str, seed: &[u8]) -> Verifier {
        let salt = hmac(seed, user.as_bytes())[..16].to_vec();
        Verifier { iterations: 4096, salt, stored_key: [0; 32], server_key: [0; 32] }
    }
}

fn hmac(key: &[u8], data: &[u8]) -> Key {
    // Why: HMAC takes keys of any length, so this cannot fail.
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key length"));
    mac.update(data);
    mac.finalize().into_bytes().into()
}

/// One exchange: `first` then `last`.
pub struct Exchange {
    verifier: Verifier,
    usable: bool,
    nonce: String,
    client_first_bare: String,
    server_first: String,
    gs2_header: String,
}

fn malformed(detail: &str) -> PgError {
    PgError::new(codes::PROTOCOL_VIOLATION, "malformed SCRAM message").detail(detail)
}

impl Exchange {
    /// Takes the client-first-message; returns the exchange and the server-first-message. `usable`: the verifier is real.
    pub fn first(
        message: &str,
        verifier: Verifier,
        usable: bool,
        server_nonce: &[u8],
    ) -> PgResult<(Exchange, String)> {
        let mut parts = message.splitn(3, ',');
        let (flag, authzid, bare) = match (parts.next(), parts.next(), parts.next()) {
            (Some(f), Some(a), Some(b)) => (f, a, b),
            _ => return Err(malformed("The message is incomplete.")),
        };
        match flag {
            "n" | "y" => {}
            f if f.starts_with("p=") => {
                return Err(malformed(
                    "The client selected SCRAM-SHA-256 without channel binding, but the SCRAM message includes channel binding data.",
                ));
            }
            _ => return Err(malformed("Unexpected channel-binding flag.")),
        }
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
        let exchange = Exchange {
            verifier,
            usable,
            nonce,
            client_first_bare: bare.to_string(),
            server_first: server_first.clone(),
            gs2_header: format!("{flag},{authzid},"),
        };
        Ok((exchange, server_first))
    }

    /// Takes the client-final-message; returns the server-final-message, or None when the proof is wrong.
    pub fn last(&self, message: &str) -> PgResult<Option<String>> {
        let (without_proof, proof) =
            message.rsplit_once(",p=").ok_or_else(|| malformed("Expected attribute \"p\"."))?;
        let proof: Key = BASE64
            .decode(proof)
            .ok()
            .and_then(|p| p.try_into().ok())
            .ok_or_else(|| malformed("Malformed proof in client-final-message."))?;
        let mut attrs = without_proof.split(',');
        let binding = attrs.next().and_then(|a| a.strip_prefix("c="));
        if binding != Some(BASE64.encode(&self.gs2_header).as_str()) {
            return Err(malformed("Unexpected SCRAM channel-binding attribute in client-final-message."));
        }
        if attrs.next().and_then(|a| a.strip_prefix("r=")) != Some(self.nonce.as_str()) {
            return Err(malformed("Nonce does not match."));
        }
        let auth_message = format!("{},{},{without_proof}", self.client_first_bare, self.server_first);
        let signature = hmac(&self.verifier.stored_key, auth_message.as_bytes());
        let mut client_key = proof;
        client_key.iter_mut().zip(signature).for_each(|(k, s)| *k ^= s);
        let stored: Key = Sha256::digest(client_key).into();
        if !self.usable || stored != self.verifier.stored_key {
            return Ok(None);
        }
        let server_signature = hmac(&self.verifier.server_key, auth_message.as_bytes());
        Ok(Some(format!("v={}", BASE64.encode(server_signature))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677, section 3 (user "user", password "pencil").
    #[test]
    fn rfc_7677_example() {
        let salt = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let mut salted = hmac(b"pencil", &[&salt[..], &[0, 0, 0, 1]].concat());
        let mut u = salted;
        for _ in 1..4096 {
            u = hmac(b"pencil", &u);
            salted.iter_mut().zip(u).for_each(|(a, b)| *a ^= b);
        }
        let verifier = Verifier {
            iterations: 4096,
            salt,
            stored_key: Sha256::digest(hmac(&salted, b"Client Key")).into(),
            server_key: hmac(&salted, b"Server Key"),
        };
        let exchange = Exchange {
            verifier,
            usable: true,
            nonce: "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0".into(),
            client_first_bare: "n=user,r=rOprNGfwEbeRWgbNEkqO".into(),
            server_first:
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
                    .into(),
            gs2_header: "n,,".into(),
        };
        let last = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(exchange.last(last).unwrap().unwrap(), "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert!(exchange.last(&last.replace("p=dH", "p=eH")).unwrap().is_none());
    }
}
