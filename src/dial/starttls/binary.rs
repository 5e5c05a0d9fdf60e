//! Protocols of octets: LDAP, PostgreSQL, MySQL.

use std::io::{BufRead, Write};

use super::StarttlsError;
use super::dialogue::Dialogue;

/// RFC 4511 §4.14: an extended request with the object identifier of StartTLS, and its response.
pub(super) fn ldap<S: BufRead + Write>(dialogue: &mut Dialogue<'_, S>) -> Result<(), StarttlsError> {
    const CONSENT: &str = "its answer to StartTLS";
    // LDAPMessage { messageID 1, extendedReq [APPLICATION 23] { requestName [0] } }
    let request = [&[0x30, 0x1d, 2, 1, 1, 0x77, 0x18, 0x80, 0x16][..], b"1.3.6.1.4.1.1466.20037"].concat();
    dialogue.say(&request, CONSENT)?;
    let tag = dialogue.byte(CONSENT)?;
    if tag != 0x30 {
        return Err(dialogue.other([tag]));
    }
    let first = dialogue.byte(CONSENT)?;
    // BER lets lengths be longer than they need to be, and Active Directory's are.
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x84 => {
            let octets = dialogue.exactly(usize::from(first & 0x7f), CONSENT)?;
            number(&octets)
        }
        _ => return Err(dialogue.other([tag, first])),
    };
    let message = dialogue.exactly(length, CONSENT)?;
    let Some(response) = ldap_result(&message) else { return Err(dialogue.other(message)) };
    match response {
        (0, _) => Ok(()),
        (code, why) => Err(StarttlsError::Refused {
            what: "StartTLS",
            reply: format!("{} {why}", result_code(code)).trim().into(),
        }),
    }
}

/// resultCode and diagnosticMessage of the response to message 1.
fn ldap_result(message: &[u8]) -> Option<(u8, String)> {
    let (2, id, rest) = element(message)? else { return None };
    let (0x78, response, _) = element(rest)? else { return None };
    let (10, code, rest) = element(response)? else { return None };
    let (4, _matched, rest) = element(rest)? else { return None };
    let (4, why, _) = element(rest)? else { return None };
    // A notice of disconnection has message 0: it is told as the refusal it is.
    matches!(id, [0 | 1]).then_some(())?;
    let &[code] = code else { return None };
    Some((code, String::from_utf8_lossy(why).into_owned()))
}

/// Tag, content and what follows.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = bytes.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (number(octets), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Up to four octets, most significant first.
fn number(octets: &[u8]) -> usize {
    octets.iter().fold(0, |number, octet| number << 8 | usize::from(*octet))
}

/// RFC 4511 §4.1.9, those a server says to StartTLS (§4.14.2).
fn result_code(code: u8) -> String {
    let name = match code {
        1 => "operationsError",
        2 => "protocolError",
        8 => "strongerAuthRequired",
        10 => "referral",
        12 => "unavailableCriticalExtension",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        80 => "other",
        code => return format!("result {code}"),
    };
    format!("{name} ({code})")
}

/// SSLRequest, which is answered by one octet.
pub(super) fn postgres<S: BufRead + Write>(dialogue: &mut Dialogue<'_, S>) -> Result<(), StarttlsError> {
    const CONSENT: &str = "its answer to SSLRequest";
    dialogue.say(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f], CONSENT)?;
    match dialogue.byte(CONSENT)? {
        b'S' => Ok(()),
        b'N' => Err(StarttlsError::Refused { what: "TLS", reply: "N: it is built or set up without".to_owned() }),
        // An ErrorResponse: a length of four octets, then text.
        b'E' => {
            let length = dialogue.exactly(4, CONSENT)?;
            let said = dialogue.exactly(number(&length).saturating_sub(4).min(1024), CONSENT)?;
            Err(StarttlsError::Refused { what: "TLS", reply: String::from_utf8_lossy(&said).into_owned() })
        }
        other => Err(dialogue.other([other])),
    }
}

/// The server's first packet says whether it can; the client's SSLRequest is the first half of its login.
pub(super) fn mysql<S: BufRead + Write>(dialogue: &mut Dialogue<'_, S>) -> Result<(), StarttlsError> {
    const CLIENT_PROTOCOL_41: u32 = 0x200;
    const CLIENT_SSL: u32 = 0x800;
    const CLIENT_SECURE_CONNECTION: u32 = 0x8000;
    const GREETING: &str = "its greeting";
    let header = dialogue.exactly(4, GREETING)?;
    let &[low, middle, high, sequence] = header.as_slice() else { return Err(dialogue.other(header)) };
    // A greeting has some hundred bytes; the length of other protocols' first words would be in the millions.
    if sequence != 0 || high != 0 {
        return Err(dialogue.other(header));
    }
    let packet = dialogue.exactly(usize::from(u16::from_le_bytes([low, middle])), GREETING)?;
    let capabilities = match packet.split_first() {
        Some((10, rest)) => capabilities(rest),
        Some((0xff, [_, _, why @ ..])) => {
            let reply = String::from_utf8_lossy(why).into_owned();
            return Err(StarttlsError::Refused { what: "the connection", reply });
        }
        _ => None,
    };
    let Some(capabilities) = capabilities else { return Err(dialogue.other(packet)) };
    if u32::from(capabilities) & CLIENT_SSL == 0 {
        return Err(StarttlsError::NotOffered { keyword: "CLIENT_SSL", offered: Vec::new() });
    }
    let flags = CLIENT_PROTOCOL_41 | CLIENT_SSL | CLIENT_SECURE_CONNECTION;
    let (largest, utf8mb4) = (1_u32 << 24, 45);
    let mut request = vec![32, 0, 0, 1];
    request.extend_from_slice(&flags.to_le_bytes());
    request.extend_from_slice(&largest.to_le_bytes());
    request.push(utf8mb4);
    request.extend_from_slice(&[0; 23]);
    dialogue.say(&request, "TLS")
}

/// The lower capability flags: after the version (ended by NUL), the thread (4), the first part of the challenge (8) and a
/// filler.
fn capabilities(rest: &[u8]) -> Option<u16> {
    let version = rest.iter().position(|octet| *octet == 0)?;
    match rest.get(version + 1 + 4 + 8 + 1..)? {
        [low, high, ..] => Some(u16::from_le_bytes([*low, *high])),
        _ => None,
    }
}
