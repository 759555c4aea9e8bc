//! Password verifiers (SCRAM-SHA-256), as ALTER ROLE ... PASSWORD stores them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

const ITERATIONS: u32 = 4096;

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(key).unwrap_or_else(|_| unreachable!("HMAC takes any key length"));
    parts.iter().for_each(|p| mac.update(p));
    mac.finalize().into_bytes().into()
}

/// PBKDF2 with one block, which is SCRAM's Hi().
fn salted_password(password: &str, salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut u = hmac(password.as_bytes(), &[salt, &[0, 0, 0, 1]]);
    let mut out = u;
    for _ in 1..iterations {
        u = hmac(password.as_bytes(), &[&u]);
        out.iter_mut().zip(u).for_each(|(a, b)| *a ^= b);
    }
    out
}

fn verifier(password: &str, salt: &[u8], iterations: u32) -> String {
    let salted = salted_password(password, salt, iterations);
    let stored = Sha256::digest(hmac(&salted, &[b"Client Key"]));
    let server = hmac(&salted, &[b"Server Key"]);
    format!(
        "SCRAM-SHA-256${iterations}:{}${}:{}",
        BASE64.encode(salt),
        BASE64.encode(stored),
        BASE64.encode(server)
    )
}

/// The catalog's form of a password.
pub fn scram_verifier(password: &str, salt: &[u8]) -> String {
    verifier(password, salt, ITERATIONS)
}

/// Whether `text` already is a verifier, which is then stored as it is.
pub fn is_verifier(text: &str) -> bool {
    text.starts_with("SCRAM-SHA-256$") && text.matches('$').count() == 2
}

/// Whether the password fits the verifier.
pub fn matches(stored: &str, password: &str) -> bool {
    let parse = || {
        let (head, _) = stored.strip_prefix("SCRAM-SHA-256$")?.split_once('$')?;
        let (iterations, salt) = head.split_once(':')?;
        Some((iterations.parse().ok()?, BASE64.decode(salt).ok()?))
    };
    parse().is_some_and(|(iterations, salt)| verifier(password, &salt, iterations) == stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verifiers_check() {
        let v = scram_verifier("pencil", b"0123456789abcdef");
        assert!(is_verifier(&v));
        assert!(matches(&v, "pencil") && !matches(&v, "pen"));
    }
}
