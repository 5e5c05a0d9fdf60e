//! A request in plain HTTP that came to a port of HTTPS is told where it should have gone.

use std::net::SocketAddr;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Answers, and waits until the client has it. Whoever calls bounds the time.
pub(super) async fn answer(mut stream: TcpStream, first: &[u8], local: SocketAddr) {
    let body = format!("this is HTTPS: {}\n", address(first, local));
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    if stream.write_all(answer.as_bytes()).await.is_err() || stream.shutdown().await.is_err() {
        return;
    }
    // What the client still sends is taken: otherwise the system answers with a reset, and the client never sees this.
    let mut sink = [0; 4096];
    for _ in 0..MOST_READS {
        if stream.readable().await.is_err() {
            return;
        }
        match stream.try_read(&mut sink) {
            Ok(0) => return,
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return,
            _ => {}
        }
    }
}

/// The same address with https, as far as the request says it.
fn address(first: &[u8], local: SocketAddr) -> String {
    let text = String::from_utf8_lossy(first);
    let mut lines = text.split("\r\n");
    let target = lines.next().and_then(|line| line.split(' ').nth(1)).filter(|target| target.starts_with('/'));
    let host = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("host").then(|| value.trim())
    });
    let local = local.to_string();
    let plain = |text: &&str| !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_graphic());
    let is_host =
        |text: &&str| plain(text) && text.bytes().all(|c| c.is_ascii_alphanumeric() || b".-:[]_".contains(&c));
    format!("https://{}{}", host.filter(is_host).unwrap_or(&local), target.filter(plain).unwrap_or("/"))
}

/// Enough for any head of a request.
const MOST_READS: usize = 64;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_address_is_that_of_the_request_where_it_has_one() {
        let local = "127.0.0.1:8443".parse().unwrap();
        for (first, wanted) in [
            ("GET /a?b HTTP/1.1\r\nHost: x.test:8443\r\n\r\n", "https://x.test:8443/a?b"),
            ("GET / HTTP/1.1\r\nhost: [::1]:1\r\n\r\n", "https://[::1]:1/"),
            ("GET /a HTTP/1.0\r\n\r\n", "https://127.0.0.1:8443/a"),
            ("GET http://x/ HTTP/1.1\r\nHost: <b>\r\n\r\n", "https://127.0.0.1:8443/"),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "https://127.0.0.1:8443/"),
            ("G", "https://127.0.0.1:8443/"),
        ] {
            assert_eq!(address(first.as_bytes(), local), wanted, "{first}");
        }
    }
}
