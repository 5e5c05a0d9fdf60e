//! One request and one response of HTTP/1.1 (RFC 9112), within bounds.

use serde::Serialize;

/// The longest head of a response, in bytes.
const LONGEST_HEAD: usize = 64 << 10;

/// The most of a body that is read, in bytes.
const LONGEST_BODY: usize = 1 << 20;

/// How many interim responses may come before the response itself.
const MOST_INTERIM: usize = 16;

/// A request without a body, after which the server is to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    method: String,
    target: String,
    host: String,
}

/// Why something is no request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The method has a body, or is none.
    #[error("`{0}` is no method without a body: there are GET, HEAD and OPTIONS")]
    Method(String),
    /// The path is none.
    #[error("`{0}` is no path: it begins with / and has no spaces")]
    Path(String),
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Response {
    /// The status line: `HTTP/1.1 200 OK`.
    pub status_line: String,
    /// The status code: 200.
    pub status: u16,
    /// The header fields in their order.
    pub headers: Vec<(String, String)>,
    /// The body as far as it was read, without the coding of its transfer.
    #[serde(serialize_with = "as_text")]
    pub body: Vec<u8>,
    /// Whether that is all of it.
    pub complete: bool,
}

/// Why an answer is no HTTP/1.1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// It does not begin with a status line.
    #[error("the answer is no HTTP/1.1: it begins with {0:?}")]
    NoStatus(String),
    /// Its head does not end.
    #[error("the head of the response does not end in {LONGEST_HEAD} bytes")]
    LongHead,
    /// The connection ends before the head does.
    #[error("the connection ends in the head of the response")]
    CutOff,
    /// There is no answer.
    #[error("the server closed the connection and gave no answer to the request")]
    Nothing,
    /// Interim responses do not end.
    #[error("more than {MOST_INTERIM} interim responses came, and no response")]
    Interim,
    /// The chunks of the body are damaged.
    #[error("the chunks of the body are damaged (RFC 9112 §7.1)")]
    Chunks,
}

impl Request {
    /// A request to a host, which is a name or address and, where it is not 443, a port.
    ///
    /// # Errors
    /// When the method may have a body, or the path is none.
    pub fn new(method: &str, path: &str, host: &str) -> Result<Self, RequestError> {
        if !matches!(method, "GET" | "HEAD" | "OPTIONS") {
            return Err(RequestError::Method(method.to_owned()));
        }
        let printable = path.bytes().all(|byte| byte.is_ascii_graphic());
        let whole_server = method == "OPTIONS" && path == "*";
        if !printable || !(path.starts_with('/') || whole_server) {
            return Err(RequestError::Path(path.to_owned()));
        }
        Ok(Self { method: method.to_owned(), target: path.to_owned(), host: host.to_owned() })
    }

    /// As it is sent.
    pub fn encode(&self) -> Vec<u8> {
        let Self { method, target, host } = self;
        let version = env!("CARGO_PKG_VERSION");
        format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: certkit/{version}\r\nAccept: */*\r\n\
             Connection: close\r\n\r\n"
        )
        .into_bytes()
    }
}

impl Response {
    /// Reads the response to a request out of all that came so far; `None` where more is needed. `ended` says that nothing
    /// more will come.
    pub fn read(bytes: &[u8], ended: bool, request: &Request) -> Option<Result<Self, ResponseError>> {
        let mut rest = bytes;
        // RFC 9110 §15.2: what is said in between is followed by the response itself.
        for _ in 0..MOST_INTERIM {
            let (head, body) = match Head::read(rest, ended)? {
                Ok(found) => found,
                Err(error) => return Some(Err(error)),
            };
            if (100..200).contains(&head.status) && head.status != 101 {
                rest = body;
                continue;
            }
            let Head { status_line, status, headers } = head;
            let body = Body::of(&headers, status, request).read(body, ended)?;
            return Some(body.map(|(body, complete)| Self { status_line, status, headers, body, complete }));
        }
        Some(Err(ResponseError::Interim))
    }
}

/// What comes before the body.
struct Head {
    status_line: String,
    status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// The head and what follows it; `None` where more is needed.
    fn read(bytes: &[u8], ended: bool) -> Option<Result<(Self, &[u8]), ResponseError>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            let differs = bytes.iter().zip(b"HTTP/1.").any(|(one, other)| one != other);
            return match (bytes.is_empty(), ended) {
                _ if differs => Some(Err(ResponseError::NoStatus(beginning(bytes)))),
                _ if bytes.len() > LONGEST_HEAD => Some(Err(ResponseError::LongHead)),
                (true, true) => Some(Err(ResponseError::Nothing)),
                (false, true) => Some(Err(ResponseError::CutOff)),
                (_, false) => None,
            };
        };
        let (head, body) = bytes.split_at_checked(end + 4)?;
        let head = String::from_utf8_lossy(head);
        let mut lines = head.lines();
        let status_line = lines.next().unwrap_or_default().to_owned();
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let Some(status) = status.filter(|_| status_line.starts_with("HTTP/1.")) else {
            return Some(Err(ResponseError::NoStatus(beginning(bytes))));
        };
        let fields = lines.filter_map(|line| line.split_once(':'));
        let headers = fields.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
        Some(Ok((Self { status_line, status, headers }, body)))
    }
}

/// How the end of a body is known (RFC 9112 §6.3).
enum Body {
    None,
    Length(usize),
    Chunks,
    ToTheEnd,
}

impl Body {
    fn of(headers: &[(String, String)], status: u16, request: &Request) -> Self {
        let value = |wanted: &str| {
            headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
        };
        if request.method == "HEAD" || matches!(status, 101 | 204 | 304) {
            return Self::None;
        }
        match (value("transfer-encoding"), value("content-length").and_then(|length| length.parse().ok())) {
            (Some(coding), _) if coding.to_ascii_lowercase().ends_with("chunked") => Self::Chunks,
            (None, Some(length)) => Self::Length(length),
            _ => Self::ToTheEnd,
        }
    }

    /// The body and whether it is complete; `None` where more is needed.
    fn read(&self, bytes: &[u8], ended: bool) -> Option<Result<(Vec<u8>, bool), ResponseError>> {
        let most = bytes.get(..bytes.len().min(LONGEST_BODY)).unwrap_or_default();
        let full = bytes.len() > LONGEST_BODY;
        let (body, complete) = match self {
            Self::None => (Vec::new(), true),
            Self::Length(length) => {
                (most.get(..(*length).min(most.len())).unwrap_or_default().to_vec(), most.len() >= *length)
            }
            Self::ToTheEnd => (most.to_vec(), ended && !full),
            Self::Chunks => match chunks(most) {
                Ok(found) => found,
                Err(error) => return Some(Err(error)),
            },
        };
        (complete || ended || full).then_some(Ok((body, complete)))
    }
}

/// What the chunks hold, and whether the last one is there (RFC 9112 §7.1).
fn chunks(mut bytes: &[u8]) -> Result<(Vec<u8>, bool), ResponseError> {
    let mut body = Vec::new();
    // Each turn takes a line at least.
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let line = bytes.get(..end).and_then(|line| std::str::from_utf8(line).ok()).ok_or(ResponseError::Chunks)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(digits, 16).map_err(|_| ResponseError::Chunks)?;
        let rest = bytes.get(end + 2..).unwrap_or_default();
        if length == 0 {
            return Ok((body, true));
        }
        body.extend_from_slice(rest.get(..length.min(rest.len())).unwrap_or_default());
        match length.checked_add(2).and_then(|next| rest.get(next..)) {
            Some(next) => bytes = next,
            None => break,
        }
    }
    Ok((body, false))
}

fn beginning(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.get(..bytes.len().min(60)).unwrap_or_default()).into_owned()
}

/// Text as text; other bytes in hexadecimal after `hex:`.
fn as_text<S: serde::Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    match std::str::from_utf8(body) {
        Ok(text) => serializer.serialize_str(text),
        Err(_) => serializer.collect_str(&format_args!("hex:{}", crate::encoding::hex::encode(body))),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn get() -> Request {
        Request::new("GET", "/", "x.test").unwrap()
    }

    fn read(bytes: &str, ended: bool) -> Option<Result<Response, ResponseError>> {
        Response::read(bytes.as_bytes(), ended, &get())
    }

    #[test]
    fn a_request_has_no_room_for_a_second_one() {
        for (method, path) in
            [("POST", "/"), ("get", "/"), ("GET", "x"), ("GET", "/ x"), ("GET", "/\r\nX: y"), ("GET", "*")]
        {
            assert!(Request::new(method, path, "x").is_err(), "{method} {path}");
        }
        let text = String::from_utf8(get().encode()).unwrap();
        assert!(text.starts_with("GET / HTTP/1.1\r\nHost: x.test\r\n") && text.ends_with("\r\n\r\n"));
    }

    #[test]
    fn a_body_ends_where_its_head_says() {
        let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        for cut in 1..whole.len() {
            assert_eq!(read(&whole[..cut], false), None, "{cut}");
        }
        let response = read(whole, false).unwrap().unwrap();
        assert_eq!((response.status, response.body.as_slice(), response.complete), (200, &b"hello"[..], true));
        let cut_off = read(&whole[..whole.len() - 1], true).unwrap().unwrap();
        assert!(!cut_off.complete);
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n";
        assert_eq!(read(chunked, false).unwrap().unwrap().body, b"abcde");
        let to_the_end = "HTTP/1.0 200 OK\r\n\r\nabc";
        assert_eq!(read(to_the_end, false), None);
        assert_eq!(read(to_the_end, true).unwrap().unwrap().body, b"abc");
        let none = Response::read(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
            false,
            &Request::new("HEAD", "/", "x").unwrap(),
        );
        assert!(none.unwrap().unwrap().complete);
        let hints = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(read(hints, false).unwrap().unwrap().status, 204);
    }

    #[test]
    fn what_is_no_response_says_why() {
        assert!(matches!(read("SSH-2.0\r\n", false), Some(Err(ResponseError::NoStatus(_)))));
        assert_eq!(read("", true), Some(Err(ResponseError::Nothing)));
        assert_eq!(read("HTTP/1.1 2", true), Some(Err(ResponseError::CutOff)));
        assert_eq!(read(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(100_000), true), Some(Err(ResponseError::Interim)));
        let damaged = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
        assert_eq!(read(damaged, false), Some(Err(ResponseError::Chunks)));
        let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(LONGEST_HEAD));
        assert_eq!(read(&endless, false), Some(Err(ResponseError::LongHead)));
        let large = format!("HTTP/1.1 200 OK\r\n\r\n{}", "y".repeat(LONGEST_BODY + 1));
        let large = read(&large, false).unwrap().unwrap();
        assert_eq!((large.body.len(), large.complete), (LONGEST_BODY, false));
    }
}
