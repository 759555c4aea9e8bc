//! Password verifiers (SCRAM-SHA-256, RFC 5802 and 7677), as ALTER ROLE ... PASSWORD stores them and as the server's
//! login exchange checks them.
//!
//! `pg_authid.rolpassword` holds `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

const ITERATIONS: u32 = 4096;

type Key = [u8; 32];

fn hmac(key: &[u8], parts: &[&[u8]]) -> Key {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key length"));
    parts.iter().for_each(|p| mac.update(p));
    mac.finalize().into_bytes().into()
}

/// PBKDF2 with one block, which is SCRAM's Hi().
fn salted_password(password: &str, salt: &[u8], iterations: u32) -> Key {
    let mut u = hmac(password.as_bytes(), &[salt, &[0, 0, 0, 1]]);
    let mut out = u;
    for _ in 1..iterations {
        u = hmac(password.as_bytes(), &[&u]);
        out.iter_mut().zip(u).for_each(|(a, b)| *a ^= b);
    }
    out
}

/// What a password is checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verifier {
    pub iterations: u32,
    pub salt: Vec<u8>,
    stored_key: Key,
    server_key: Key,
}

impl Verifier {
    /// The verifier of a password.
    pub fn new(password: &str, salt: &[u8], iterations: u32) -> Verifier {
        let salted = salted_password(password, salt, iterations);
        Verifier {
            iterations,
            salt: salt.to_vec(),
            stored_key: Sha256::digest(hmac(&salted, &[b"Client Key"])).into(),
            server_key: hmac(&salted, &[b"Server Key"]),
        }
    }

    /// Reads the catalog's form.
    pub fn parse(text: &str) -> Option<Verifier> {
        let (head, keys) = text.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        let (stored, server) = keys.split_once(':')?;
        Some(Verifier {
            iterations: iterations.parse().ok()?,
            salt: BASE64.decode(salt).ok()?,
            stored_key: BASE64.decode(stored).ok()?.try_into().ok()?,
            server_key: BASE64.decode(server).ok()?.try_into().ok()?,
        })
    }

    /// A verifier that no password fits, the same for each attempt on `user` with this server's `seed`.
    pub fn mock(user: &str, seed: &[u8]) -> Verifier {
        let salt = hmac(seed, &[user.as_bytes()])[..16].to_vec();
        Verifier { iterations: ITERATIONS, salt, stored_key: [0; 32], server_key: [0; 32] }
    }

    /// Checks the client's proof over the exchange's AuthMessage: the server's signature if it is right.
    pub fn check(&self, auth_message: &str, proof: &[u8]) -> Option<Key> {
        let mut client_key: Key = proof.try_into().ok()?;
        let signature = hmac(&self.stored_key, &[auth_message.as_bytes()]);
        client_key.iter_mut().zip(signature).for_each(|(k, s)| *k ^= s);
        let stored: Key = Sha256::digest(client_key).into();
        (stored == self.stored_key).then(|| hmac(&self.server_key, &[auth_message.as_bytes()]))
    }
}

impl std::fmt::Display for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [salt, stored, server] =
            [&self.salt[..], &self.stored_key, &self.server_key].map(|b| BASE64.encode(b));
        write!(f, "SCRAM-SHA-256${}:{salt}${stored}:{server}", self.iterations)
    }
}

/// The catalog's form of a password.
pub(crate) fn scram_verifier(password: &str, salt: &[u8]) -> String {
    Verifier::new(password, salt, ITERATIONS).to_string()
}

/// Whether `text` already is a verifier, which is then stored as it is.
pub(crate) fn is_verifier(text: &str) -> bool {
    Verifier::parse(text).is_some()
}

/// Whether the password fits the verifier.
pub(crate) fn matches(stored: &str, password: &str) -> bool {
    Verifier::parse(stored).is_some_and(|v| Verifier::new(password, &v.salt, v.iterations) == v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifiers_check() {
        let v = scram_verifier("pencil", b"0123456789abcdef");
        assert!(is_verifier(&v));
        assert!(matches(&v, "pencil") && !matches(&v, "pen"));
        assert!(!is_verifier("SCRAM-SHA-256$4096:c2FsdA==$short:keys"));
    }

    #[test]
    fn mock_verifiers_are_stable_and_fit_nothing() {
        let mock = Verifier::mock("eve", b"seed");
        assert_eq!(mock, Verifier::mock("eve", b"seed"));
        assert!(mock.check("anything", &[0; 32]).is_none());
    }
}
