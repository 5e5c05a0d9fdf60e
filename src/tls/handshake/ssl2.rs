//! Hellos of SSL 2.0 form (RFC 6101 appendix E, RFC 5246 appendix E.2): read, and written to find servers that still
//! answer them (RFC 6176 forbids it).

use crate::tls::code::{CipherSuite, ProtocolVersion, Ssl2Cipher};
use crate::tls::wire::{DecodeError, EncodeError, Fault, Reader, Writer};

const CLAUSE: &str = "RFC 6101 appendix E";

/// A ClientHello of SSL 2.0 form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssl2ClientHello {
    /// The highest version the client speaks.
    pub version: ProtocolVersion,
    /// Ciphers of SSL 2.0, and suites of SSL 3.0 and TLS with a zero in front.
    pub ciphers: Vec<Ssl2Cipher>,
    /// A session to resume; empty or 16 octets.
    pub session_id: Vec<u8>,
    /// 16 to 32 octets. In TLS, zeros in front fill it up to 32 octets of random.
    pub challenge: Vec<u8>,
}

impl Ssl2ClientHello {
    /// Reads the message that follows the two octets of its length.
    ///
    /// # Errors
    /// A message that is not what the standard says.
    pub fn decode(message: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("SSL 2.0 ClientHello", CLAUSE, message);
        let at = reader;
        if reader.u8("msg_type")? != 1 {
            return Err(at.error("msg_type", Fault::Value("it is not client_hello (1)")));
        }
        let version = ProtocolVersion(reader.u16("version")?);
        let [ciphers, session_id, challenge] =
            [reader.u16("cipher_spec_length")?, reader.u16("session_id_length")?, reader.u16("challenge_length")?]
                .map(usize::from);
        let at = reader;
        let (triples, rest) = reader.bytes(ciphers, "cipher_specs")?.as_chunks::<3>();
        if !rest.is_empty() {
            return Err(at.error("cipher_specs", Fault::Fraction { found: ciphers, element: 3 }));
        }
        let cipher = |&[high, middle, low]: &[u8; 3]| Ssl2Cipher(u32::from_be_bytes([0, high, middle, low]));
        let session_id = reader.bytes(session_id, "session_id")?.to_vec();
        let challenge = reader.bytes(challenge, "challenge")?.to_vec();
        reader.finish()?;
        Ok(Self { version, ciphers: triples.iter().map(cipher).collect(), session_id, challenge })
    }

    /// The whole message, with its length of two octets.
    ///
    /// # Errors
    /// Parts too long for their length fields.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let length = 9 + self.ciphers.len() * 3 + self.session_id.len() + self.challenge.len();
        let fits = u16::try_from(length).ok().filter(|length| *length < 0x8000);
        let fits = fits.ok_or(EncodeError { found: length, most: 0x7fff })?;
        let mut writer = Writer::new();
        writer.u16(0x8000 | fits).u8(1).u16(self.version.0);
        for length in [self.ciphers.len() * 3, self.session_id.len(), self.challenge.len()] {
            writer.u16(u16::try_from(length).unwrap_or(u16::MAX));
        }
        for cipher in &self.ciphers {
            let [_, octets @ ..] = cipher.0.to_be_bytes();
            writer.bytes(&octets);
        }
        writer.bytes(&self.session_id).bytes(&self.challenge);
        writer.finish()
    }

    /// The suites of SSL 3.0 and TLS among the ciphers.
    pub fn cipher_suites(&self) -> Vec<CipherSuite> {
        self.ciphers.iter().filter_map(|cipher| cipher.suite()).collect()
    }

    /// The client random that a server of SSL 3.0 or TLS makes of the challenge: zeros in front, the last 32 octets.
    pub fn random(&self) -> [u8; 32] {
        let mut random = [0; 32];
        for (to, from) in random.iter_mut().rev().zip(self.challenge.iter().rev()) {
            *to = *from;
        }
        random
    }
}

/// A server's answer in SSL 2.0: proof that it still speaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ssl2ServerHello {
    /// Whether the session is resumed.
    pub session_id_hit: bool,
    /// The version, 0x0002.
    pub version: ProtocolVersion,
    /// The certificate in DER; empty where the session is resumed.
    pub certificate: Vec<u8>,
    /// The ciphers that both have.
    pub ciphers: Vec<Ssl2Cipher>,
    /// The connection's name, 16 to 32 octets.
    pub connection_id: Vec<u8>,
}

impl Ssl2ServerHello {
    /// Reads the message that follows the two octets of its length.
    ///
    /// # Errors
    /// A message that is not what the specification of SSL 2.0 says.
    pub fn decode(message: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new("SSL 2.0 ServerHello", "draft-hickman-netscape-ssl-00 §2.6", message);
        let at = reader;
        if reader.u8("msg_type")? != 4 {
            return Err(at.error("msg_type", Fault::Value("it is not server_hello (4)")));
        }
        let session_id_hit = reader.u8("session_id_hit")? != 0;
        reader.u8("certificate_type")?;
        let version = ProtocolVersion(reader.u16("server_version")?);
        let [certificate, ciphers, connection_id] = [
            reader.u16("certificate_length")?,
            reader.u16("cipher_specs_length")?,
            reader.u16("connection_id_length")?,
        ]
        .map(usize::from);
        let certificate = reader.bytes(certificate, "certificate")?.to_vec();
        let at = reader;
        let (triples, rest) = reader.bytes(ciphers, "cipher_specs")?.as_chunks::<3>();
        if !rest.is_empty() {
            return Err(at.error("cipher_specs", Fault::Fraction { found: ciphers, element: 3 }));
        }
        let cipher = |&[high, middle, low]: &[u8; 3]| Ssl2Cipher(u32::from_be_bytes([0, high, middle, low]));
        let ciphers = triples.iter().map(cipher).collect();
        let connection_id = reader.bytes(connection_id, "connection_id")?.to_vec();
        reader.finish()?;
        Ok(Self { session_id_hit, version, certificate, ciphers, connection_id })
    }
}
