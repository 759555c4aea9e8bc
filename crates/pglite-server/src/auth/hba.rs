//! Host-based rules in pg_hba style: `TYPE DATABASE USER [ADDRESS] METHOD`, first match wins.
//!
//! Without a rule file: local sockets and loopback are trusted, everything else needs SCRAM.

use std::net::IpAddr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    Trust,
    Scram,
    Reject,
}

/// Where a client comes from.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// None for a Unix socket.
    pub address: Option<IpAddr>,
    pub port: Option<u16>,
    pub tls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnType {
    Local,
    Host,
    HostSsl,
    HostNoSsl,
}

#[derive(Clone, Debug)]
struct Rule {
    kind: ConnType,
    databases: Vec<String>,
    users: Vec<String>,
    /// None = any address.
    network: Option<(IpAddr, u8)>,
    method: Method,
}

#[derive(Clone, Debug)]
pub struct Rules(Vec<Rule>);

impl Default for Rules {
    fn default() -> Rules {
        Rules::parse(
            "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\nhost all all all scram-sha-256",
        )
        .unwrap_or(Rules(Vec::new()))
    }
}

impl Rules {
    /// Parses a rule file; the error names the line.
    pub fn parse(text: &str) -> Result<Rules, String> {
        let mut rules = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if !line.is_empty() {
                rules.push(parse_rule(line).map_err(|e| format!("line {}: {e}", n + 1))?);
            }
        }
        Ok(Rules(rules))
    }

    /// The method of the first matching rule; None = no rule matches.
    pub fn find(&self, peer: Peer, database: &str, user: &str) -> Option<Method> {
        self.0.iter().find(|r| r.matches(peer, database, user)).map(|r| r.method)
    }
}

fn parse_rule(line: &str) -> Result<Rule, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let kind = match words[0] {
        "local" => ConnType::Local,
        "host" => ConnType::Host,
        "hostssl" => ConnType::HostSsl,
        "hostnossl" => ConnType::HostNoSsl,
        other => return Err(format!("invalid connection type \"{other}\"")),
    };
    let has_address = kind != ConnType::Local;
    let need = if has_address { 5 } else { 4 };
    if words.len() < need {
        return Err("end-of-line before authentication method".into());
    }
    let network = if has_address { parse_network(words[3])? } else { None };
    let method = match words[need - 1] {
        "trust" => Method::Trust,
        "scram-sha-256" | "password" | "md5" => Method::Scram,
        "reject" => Method::Reject,
        other => return Err(format!("invalid authentication method \"{other}\"")),
    };
    let list = |s: &str| s.split(',').map(|w| w.trim_matches('"').to_string()).collect();
    Ok(Rule { kind, databases: list(words[1]), users: list(words[2]), network, method })
}

fn parse_network(text: &str) -> Result<Option<(IpAddr, u8)>, String> {
    if text == "all" {
        return Ok(None);
    }
    let (address, bits) = text.split_once('/').unwrap_or((text, ""));
    let address: IpAddr = address.parse().map_err(|_| format!("invalid IP address \"{address}\""))?;
    let full = if address.is_ipv4() { 32 } else { 128 };
    let bits = if bits.is_empty() {
        full
    } else {
        bits.parse().map_err(|_| format!("invalid CIDR mask in \"{text}\""))?
    };
    if bits > full {
        return Err(format!("invalid CIDR mask in \"{text}\""));
    }
    Ok(Some((address, bits)))
}

impl Rule {
    fn matches(&self, peer: Peer, database: &str, user: &str) -> bool {
        let kind_ok = match self.kind {
            ConnType::Local => peer.address.is_none(),
            ConnType::Host => peer.address.is_some(),
            ConnType::HostSsl => peer.address.is_some() && peer.tls,
            ConnType::HostNoSsl => peer.address.is_some() && !peer.tls,
        };
        kind_ok
            && self
                .databases
                .iter()
                .any(|d| d == "all" || d == database || (d == "sameuser" && database == user))
            && self.users.iter().any(|u| u == "all" || u == user)
            && match (self.network, peer.address) {
                (Some((network, bits)), Some(address)) => in_network(address, network, bits),
                _ => true,
            }
    }
}

fn in_network(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    let to_bits = |a: IpAddr| match a {
        IpAddr::V4(a) => (u128::from(a.to_bits()) << 96, 32),
        IpAddr::V6(a) => (a.to_bits(), 128),
    };
    let ((a, wa), (n, wn)) = (to_bits(address), to_bits(network));
    wa == wn && (bits == 0 || (a ^ n) >> (128 - u32::from(bits)) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_trusted_and_the_world_is_not() {
        let rules = Rules::default();
        let peer = |a: &str| Peer { address: Some(a.parse().unwrap()), port: Some(1), tls: false };
        assert_eq!(rules.find(peer("127.0.0.1"), "db", "u"), Some(Method::Trust));
        assert_eq!(rules.find(peer("10.1.2.3"), "db", "u"), Some(Method::Scram));
        assert_eq!(
            rules.find(Peer { address: None, port: None, tls: false }, "db", "u"),
            Some(Method::Trust)
        );
    }

    #[test]
    fn first_match_wins() {
        let rules =
            Rules::parse("host all mallory 10.0.0.0/8 reject\nhostssl all all 10.0.0.0/8 scram-sha-256")
                .unwrap();
        let peer = |tls| Peer { address: Some("10.9.9.9".parse().unwrap()), port: Some(1), tls };
        assert_eq!(rules.find(peer(true), "db", "mallory"), Some(Method::Reject));
        assert_eq!(rules.find(peer(true), "db", "alice"), Some(Method::Scram));
        assert_eq!(rules.find(peer(false), "db", "alice"), None);
        assert!(Rules::parse("host all all 10.0.0.0/33 trust").is_err());
    }
}
