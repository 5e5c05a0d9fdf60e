//! Key logs (RFC 9850), as browsers, curl and servers write them when SSLKEYLOGFILE is set.

use crate::encoding::hex;
use std::collections::HashMap;
use std::fmt;
use zeroize::Zeroizing;

/// Which secret a line holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum KeyLogLabel {
    /// The master secret of TLS 1.2 and older.
    ClientRandom,
    /// What protects a client's early data.
    ClientEarlyTrafficSecret,
    /// What a client's early exporters come of.
    EarlyExporterSecret,
    /// What protects a client's handshake in TLS 1.3.
    ClientHandshakeTrafficSecret,
    /// What protects a server's handshake in TLS 1.3.
    ServerHandshakeTrafficSecret,
    /// What protects a client's application data in TLS 1.3.
    #[serde(rename = "CLIENT_TRAFFIC_SECRET_0")]
    ClientTrafficSecret0,
    /// What protects a server's application data in TLS 1.3.
    #[serde(rename = "SERVER_TRAFFIC_SECRET_0")]
    ServerTrafficSecret0,
    /// What exporters come of.
    ExporterSecret,
    /// HPKE's secret of an encrypted ClientHello.
    EchSecret,
    /// The configuration that an encrypted ClientHello was made for.
    EchConfig,
    /// The pre-master secret of RSA key exchange, found by the first eight octets of its ciphertext. Old NSS wrote it;
    /// RFC 9850 does not have it.
    Rsa,
}

const LABELS: [(KeyLogLabel, &str); 12] = [
    (KeyLogLabel::ClientRandom, "CLIENT_RANDOM"),
    (KeyLogLabel::ClientEarlyTrafficSecret, "CLIENT_EARLY_TRAFFIC_SECRET"),
    (KeyLogLabel::EarlyExporterSecret, "EARLY_EXPORTER_SECRET"),
    (KeyLogLabel::ClientHandshakeTrafficSecret, "CLIENT_HANDSHAKE_TRAFFIC_SECRET"),
    (KeyLogLabel::ServerHandshakeTrafficSecret, "SERVER_HANDSHAKE_TRAFFIC_SECRET"),
    (KeyLogLabel::ClientTrafficSecret0, "CLIENT_TRAFFIC_SECRET_0"),
    (KeyLogLabel::ServerTrafficSecret0, "SERVER_TRAFFIC_SECRET_0"),
    (KeyLogLabel::ExporterSecret, "EXPORTER_SECRET"),
    (KeyLogLabel::EchSecret, "ECH_SECRET"),
    (KeyLogLabel::EchConfig, "ECH_CONFIG"),
    (KeyLogLabel::Rsa, "RSA"),
    // The name before RFC 9850.
    (KeyLogLabel::EarlyExporterSecret, "EARLY_EXPORTER_MASTER_SECRET"),
];

impl KeyLogLabel {
    /// The label at the start of the line.
    pub fn name(self) -> &'static str {
        LABELS.iter().find(|(label, _)| *label == self).map_or("", |(_, name)| *name)
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        LABELS.iter().find(|(_, known)| known.as_bytes() == name).map(|(label, _)| *label)
    }

    /// The size of what names the connection, in octets.
    fn name_octets(self) -> usize {
        if self == Self::Rsa { 8 } else { 32 }
    }
}

impl fmt::Display for KeyLogLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A line that is no part of a key log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct KeyLogFault {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub why: &'static str,
}

/// The secrets of a key log, by connection.
#[derive(Clone, Default)]
pub struct KeyLog {
    secrets: HashMap<(KeyLogLabel, Vec<u8>), Zeroizing<Vec<u8>>>,
    faults: Vec<KeyLogFault>,
    unknown: usize,
}

impl KeyLog {
    /// The longest secret that is kept, in octets. The longest that is written is an ECHConfig.
    const LONGEST: usize = 4096;
    /// How many faults are told one by one.
    const TOLD: usize = 100;

    /// Reads a key log. Comments, empty lines and unknown labels are passed over, as RFC 9850 §2 says; lines that are
    /// damaged are told by [`Self::faults`] and do not keep the others from being used.
    pub fn parse(text: &[u8]) -> Self {
        let mut log = Self::default();
        for (number, line) in (1..).zip(text.split(|&octet| octet == b'\n')) {
            let line = line.trim_ascii();
            if line.is_empty() || line.starts_with(b"#") {
                continue;
            }
            if let Err(why) = log.take(line)
                && log.faults.len() < Self::TOLD
            {
                log.faults.push(KeyLogFault { line: number, why });
            }
        }
        log
    }

    /// The secret of this connection, by its client random; of [`KeyLogLabel::Rsa`] by the first eight octets of the
    /// encrypted pre-master secret.
    pub fn secret(&self, label: KeyLogLabel, name: &[u8]) -> Option<&[u8]> {
        let name = name.get(..label.name_octets())?;
        self.secrets.get(&(label, name.to_vec())).map(|secret| secret.as_slice())
    }

    /// Lines that are damaged, a hundred at most.
    pub fn faults(&self) -> &[KeyLogFault] {
        &self.faults
    }

    /// How many secrets there are.
    pub fn len(&self) -> usize {
        self.secrets.len()
    }

    /// Whether there are no secrets.
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// How many lines have labels that certkit does not know.
    pub fn unknown(&self) -> usize {
        self.unknown
    }

    fn take(&mut self, line: &[u8]) -> Result<(), &'static str> {
        let mut words = line.split(|&octet| octet == b' ').filter(|word| !word.is_empty());
        let label = words.next().unwrap_or_default();
        let Some(label) = KeyLogLabel::from_name(label) else {
            let sound = label.iter().all(|octet| octet.is_ascii_graphic()) && words.count() == 2;
            self.unknown += usize::from(sound);
            return if sound { Ok(()) } else { Err("this is no line of a key log: LABEL CLIENT_RANDOM SECRET") };
        };
        let (Some(name), Some(secret), None) = (words.next(), words.next(), words.next()) else {
            return Err("a line has a label, a client random and a secret");
        };
        let name = digits(name).filter(|name| name.len() == label.name_octets());
        let name = name.ok_or("the client random is not 64 hexadecimal digits")?;
        let secret = Some(secret).filter(|secret| (1..=2 * Self::LONGEST).contains(&secret.len())).and_then(digits);
        let secret = secret.ok_or("the secret is not hexadecimal")?;
        self.secrets.insert((label, name.to_vec()), secret);
        Ok(())
    }
}

impl fmt::Debug for KeyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secrets, faults, unknown } = self;
        write!(f, "KeyLog({} secrets, {} faults, {unknown} unknown)", secrets.len(), faults.len())
    }
}

/// A line of a key log, with its line end. `label` is a [`KeyLogLabel`], or the name of one as it stands there.
pub fn key_log_line(label: impl fmt::Display, name: &[u8], secret: &[u8]) -> Zeroizing<String> {
    let secret = Zeroizing::new(hex::encode(secret));
    Zeroizing::new(format!("{label} {} {}\n", hex::encode(name), *secret))
}

fn digits(word: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(word).ok().filter(|text| !text.contains(':'))?;
    hex::decode(text).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_log_is_read_as_it_was_written() {
        let labels: Vec<KeyLogLabel> = LABELS.iter().take(11).map(|(label, _)| *label).collect();
        let text: String = labels
            .iter()
            .map(|label| key_log_line(*label, &vec![0xab; label.name_octets()], label.name().as_bytes()).to_string())
            .collect();
        let log = KeyLog::parse(text.as_bytes());
        assert_eq!((log.len(), log.faults(), log.unknown()), (11, &[][..], 0));
        for label in labels {
            assert_eq!(log.secret(label, &[0xab; 32]), Some(label.name().as_bytes()), "{label}");
            assert_eq!(log.secret(label, &[0xac; 32]), None);
        }
        assert!(!format!("{log:?}").contains("abab"));
    }

    #[test]
    fn comments_and_unknown_labels_are_passed_over_and_damage_is_told() {
        let random = "00".repeat(32);
        let text = format!(
            "# comment\r\n\r\nCLIENT_RANDOM {random} aabb\r\nNEW_LABEL {random} 00\nCLIENT_RANDOM 00 aabb\nCLIENT_RANDOM\n\
             CLIENT_RANDOM {random} xyz\n\x16\x03\x01\nEARLY_EXPORTER_MASTER_SECRET {random} 01"
        );
        let log = KeyLog::parse(text.as_bytes());
        assert_eq!(log.secret(KeyLogLabel::ClientRandom, &[0; 32]), Some(&[0xaa, 0xbb][..]));
        assert_eq!(log.secret(KeyLogLabel::EarlyExporterSecret, &[0; 32]), Some(&[1][..]));
        assert_eq!(log.faults().iter().map(|fault| fault.line).collect::<Vec<_>>(), [5, 6, 7, 8]);
        assert_eq!(log.faults().first().unwrap().to_string(), "line 5: the client random is not 64 hexadecimal digits");
        assert_eq!((log.len(), log.unknown()), (2, 1));
    }

    #[test]
    fn a_log_of_nothing_but_damage_tells_a_hundred_lines() {
        let log = KeyLog::parse("damage\n".repeat(1000).as_bytes());
        assert_eq!((log.is_empty(), log.faults().len()), (true, 100));
    }
}
