//! What application data is, as far as its first line says.

/// The first line of HTTP/1, or the name of another protocol that shows itself.
pub(super) fn first_line(data: &[u8]) -> Option<String> {
    if data.starts_with(b"PRI * HTTP/2.0\r\n") {
        return Some("HTTP/2".to_owned());
    }
    // RFC 9113 §3.4: a server begins with SETTINGS, six octets each, of stream 0.
    if let [0, high, low, 4, 0, 0, 0, 0, 0, ..] = *data
        && u16::from_be_bytes([high, low]).is_multiple_of(6)
        && data.len() >= 9 + usize::from(u16::from_be_bytes([high, low]))
    {
        return Some("HTTP/2, SETTINGS".to_owned());
    }
    let end = data.iter().take(4096).position(|byte| *byte == b'\n')?;
    let line = std::str::from_utf8(data.get(..end)?).ok()?.trim_end();
    let request = || {
        let (method, rest) = line.split_once(' ')?;
        let (target, version) = rest.rsplit_once(' ')?;
        let known = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase());
        (known && !target.is_empty() && version.starts_with("HTTP/1.")).then(|| line.to_owned())
    };
    let status = || (line.starts_with("HTTP/1.") && line.contains(' ')).then(|| line.to_owned());
    request().or_else(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_known_by_its_first_line() {
        assert_eq!(first_line(b"GET / HTTP/1.1\r\nHost: x\r\n").as_deref(), Some("GET / HTTP/1.1"));
        assert_eq!(first_line(b"HTTP/1.0 200 OK\r\n\r\n").as_deref(), Some("HTTP/1.0 200 OK"));
        assert_eq!(first_line(b"PRI * HTTP/2.0\r\n\r\nSM").as_deref(), Some("HTTP/2"));
        let settings = [0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 100];
        assert_eq!(first_line(&settings).as_deref(), Some("HTTP/2, SETTINGS"));
        assert_eq!(first_line(&settings[..14]), None);
        for other in [&b"hello\n"[..], b"GET / HTTP/1.1", b"get / HTTP/1.1\r\n", b"\xff\xfe\n", b""] {
            assert_eq!(first_line(other), None);
        }
    }
}
